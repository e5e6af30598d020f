//! The supplier's invoice: what is read, what is refused, and where it differs from report and lines.

use std::collections::BTreeMap;

use tidegauge::billing::invoice::Invoice;
use tidegauge::billing::reconciliation::{Reconciliation, reconcile};
use tidegauge::billing::supplier_invoice::{BYTES_MAX, Field, Reading, SupplierInvoice, read};
use tidegauge::document::delimited::DecimalSign;

use super::documents::draw_up;
use super::*;

fn costs() -> PriceBook {
    euros("[[price]]\nvalid_from = 2026-01-01\nper_point = \"1.5\"\ncost_per_point = \"0.60\"\nminimum = \"40\"\n")
}

fn october() -> UsageReport {
    report("unit", 1, vec![vms("A", 2), vms("B", 3), line(Some("B"), WorkloadType::Server, "11", 1)])
}

fn supplier(text: &str) -> SupplierInvoice {
    read("s.csv", text, &Reading::default(), &costs()).unwrap_or_else(|why| panic!("{why}"))
}

fn found(text: &str, tolerance: &str) -> Reconciliation {
    found_in(text, tolerance, &october(), &[draw_up(&costs(), &[october()], &[]).expect("a document")])
}

fn found_in(text: &str, tolerance: &str, report: &UsageReport, documents: &[Invoice]) -> Reconciliation {
    let lines = documents.iter().flat_map(|document| &document.lines);
    reconcile(&supplier(text), &costs(), &[report], lines, decimal(tolerance)).expect("small sums")
}

/// Tenant, type, measure, the two sides and by how much.
fn differences(found: &Reconciliation) -> Vec<String> {
    let mut all = Vec::new();
    for row in &found.rows {
        let tenant = row.tenant.as_deref().unwrap_or("all");
        all.extend(row.differences.iter().map(|of| {
            let (one, other) = (of.one.as_str(), of.other.as_str());
            format!("{tenant} {} {}: {one} {:+} to {other}", row.kind, of.measure.as_str(), of.by)
        }));
    }
    all
}

#[test]
fn an_invoice_that_agrees_is_equal_with_tenants_and_without() {
    for text in [
        "Type,Quantity,Points,Amount\nVM,5,55,33.00\nServer,1,11,6.60\n",
        "\u{feff}tenant;type;quantity;amount\r\nA;VM;2;13.20\r\nB;vm;3;19.80\r\nB;Server;1;6.60\r\n",
        "type\tpoints\nVM\t22\nVM\t33\nServer\t11.0\n\t\n",
    ] {
        let found = found(text, "0");
        assert!(found.is_equal(), "{text}: {:?}", differences(&found));
    }
}

#[test]
fn each_difference_is_named_by_type_and_tenant_and_by_the_two_that_differ() {
    let too_many = found("tenant,type,quantity,amount\nA,VM,3,19.80\nB,VM,3,19.80\nC,FileShare,1,0.60\n", "0");
    assert_eq!(
        differences(&too_many),
        [
            "A VM workloads: supplier_invoice +1 to report",
            "A VM amount: supplier_invoice +6.60 to tenant_lines",
            "B Server workloads: supplier_invoice -1 to report",
            "B Server amount: supplier_invoice -6.60 to tenant_lines",
            "C FileShare workloads: supplier_invoice +1 to report",
            "C FileShare amount: supplier_invoice +0.60 to tenant_lines",
        ]
    );
    assert_eq!(too_many.supplier.amount, Some(decimal("40.20")));
}

#[test]
fn lines_that_were_not_corrected_differ_from_the_report_that_was() {
    let first = draw_up(&costs(), &[october()], &[]).expect("a document");
    let after = report("unit", 2, vec![vms("A", 1), vms("B", 3), line(Some("B"), WorkloadType::Server, "11", 1)]);
    let text = "type,quantity\nVM,4\nServer,1\n";
    let late = found_in(text, "0", &after, std::slice::from_ref(&first));
    assert_eq!(
        differences(&late),
        [
            "all VM workloads: report -1 to tenant_lines",
            "all VM points: report -11 to tenant_lines",
            "A VM workloads: report -1 to tenant_lines",
            "A VM points: report -11 to tenant_lines",
        ]
    );
    let second = draw_up(&costs(), std::slice::from_ref(&after), std::slice::from_ref(&first)).expect("a correction");
    assert!(found_in(text, "0", &after, &[first, second]).is_equal(), "the documents of a month add up");
}

#[test]
fn only_money_may_differ_by_the_tolerance() {
    let text = "type,quantity,amount\nVM,5,33.05\nServer,1,6.60\n";
    assert_eq!(differences(&found(text, "0.04")), ["all VM amount: supplier_invoice +0.05 to tenant_lines"]);
    assert!(found(text, "0.05").is_equal());
    assert!(!found("type,quantity\nVM,6\nServer,1\n", "5").is_equal(), "a workload is no money");
}

#[test]
fn money_without_costs_is_said_not_to_be_compared() {
    let book = euros("[[price]]\nvalid_from = 2026-01-01\nper_point = \"1.5\"\n");
    let document = draw_up(&book, &[october()], &[]).expect("a document");
    let text = "type,quantity,amount\nVM,5,1000000\nServer,1,0\n";
    let found = reconcile(&supplier(text), &book, &[&october()], document.lines.iter(), Decimal::ZERO).expect("sums");
    assert!(found.is_equal() && found.money_not_compared.is_some_and(|why| why.contains("cost_per_point")));
}

#[test]
fn money_for_a_month_without_usage_is_a_difference() {
    let nothing = report("unit", 1, Vec::new());
    let document = draw_up(&costs(), std::slice::from_ref(&nothing), &[]).expect("a document");
    for text in ["type,amount\nVM,500\n", "tenant,type,amount\nA,VM,500\n"] {
        let found = found_in(text, "0", &nothing, std::slice::from_ref(&document));
        assert!(!found.is_equal() && found.money_not_compared.is_none(), "{found:?}");
        assert_eq!(found.rows[0].differences[0].by, decimal("500"));
    }
}

#[test]
fn a_row_without_a_tenants_name_is_of_whom_documents_charge_for_such_lines() {
    let house = report("unit", 1, vec![line(None, WorkloadType::Vm, "11", 2), vms("A", 1)]);
    let document = draw_up(&costs(), std::slice::from_ref(&house), &[]).expect("a document");
    let text = "tenant,type,quantity,amount\n,VM,2,13.20\nA,VM,1,6.60\n";
    let found = found_in(text, "0", &house, &[document]);
    assert!(found.is_equal(), "{:?}", differences(&found));
    assert_eq!(found.rows[0].tenant.as_deref(), Some("(no tenant)"));
}

#[test]
fn the_settings_name_columns_articles_and_the_decimal_sign() {
    let reading = Reading {
        columns: BTreeMap::from([(Field::Type, "Artikel".to_owned()), (Field::Amount, "Betrag".to_owned())]),
        types: BTreeMap::from([("V-500".to_owned(), WorkloadType::Vm)]),
        decimal: DecimalSign::Comma,
    };
    let invoice = read("s.csv", "Artikel;Betrag;Menge\nV-500;-1234,50;1\n", &reading, &costs()).expect("an invoice");
    let of_vm = &invoice.charged[&(None, WorkloadType::Vm)];
    assert_eq!((of_vm.amount, of_vm.workloads), (Some(decimal("-1234.50")), None));
}

#[test]
fn a_file_that_is_no_invoice_is_refused_with_line_and_column() {
    let long = format!("type,amount\n{}", "VM,1\n".repeat(100_001));
    for (text, words) in [
        ("", "no column says the type"),
        ("type,price\nVM,1\n", "no column says quantity, points or amount"),
        ("type,amount\n", "no rows below its header"),
        ("type,amount,total\nVM,1,1\n", "'amount' and 'total' may both be the amount"),
        ("type,amount\nVM,1\nVM,\"1,50\"\n", "line 3, column 'amount': '1,50' is no plain number"),
        ("type,amount\nVM,1 000.00\n", "line 2, column 'amount': '1 000.00' is no plain number"),
        ("type,amount\nVM,1e5\n", "line 2, column 'amount'"),
        ("type,amount\nVM,99999999999999999999\n", "line 2, column 'amount'"),
        ("type,amount\nVM,.5\n", "line 2, column 'amount'"),
        ("type,amount\n,12.00\n", "line 2, column 'type': '' is empty; take out lines of sums"),
        ("type,amount\nVM,1,2\n", "line 2 has 3 fields, the header 2"),
        ("type,amount,currency\nVM,1,USD\n", "line 2, column 'currency': 'USD' is not the price book's EUR"),
        (&long, "more than 100000 rows"),
        (&"x".repeat(BYTES_MAX + 1), "longer than 16 MiB"),
    ] {
        let shown: String = text.chars().take(60).collect();
        let why = read("s.csv", text, &Reading::default(), &costs()).expect_err(&shown).to_string();
        assert!(why.starts_with("supplier's invoice s.csv: ") && why.contains(words), "{shown}: {why}");
        assert_eq!(why.lines().count(), 1, "{why}");
    }
}

proptest::proptest! {
    #[test]
    fn foreign_text_never_panics(text in "(type|amount|tenant|[,;\"\\n\\t{}0-9.=-]|\\PC){0,80}") {
        let _ = read("s.csv", &text, &Reading::default(), &costs());
        let _ = tidegauge::billing::profile::Template::parse(&text);
    }
}
