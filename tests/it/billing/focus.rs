//! FOCUS 1.2 rows. `tests/outside/focus` gives the same files to the public validator.

use std::collections::BTreeMap;

use tidegauge::billing::export::{Beside, Content, NotExported, ReportFacts, by_name};
use tidegauge::billing::invoice::{Bill, Invoice, Standing};
use tidegauge::document::Cell;
use tidegauge::domain::adjustment::Adjustment;
use tidegauge::formats::delimited;

use super::documents::{AGENT, draw_up};
use super::*;

pub const SELLER: &str =
    "[focus]\nprovider = \"Example Provider\"\npublisher = \"Maker\"\nbilling_account_id = \"4711\"\n";
pub const PRICES: &str = "[[price]]\nvalid_from = 2026-01-01\nper_point = \"0.333\"\nminimum = \"40\"\n\
                      [[tenant]]\nname = \"A\"\ncustomer_number = \"10042\"\n\
                      [[tenant.price]]\nvalid_from = 2026-01-01\nper_point = \"0.3\"\n";

pub fn selling() -> PriceBook {
    euros(&format!("{SELLER}{PRICES}"))
}

pub fn beside(reports: &[&UsageReport]) -> Beside {
    let facts = reports.iter().map(|report| (report.id.clone(), ReportFacts::of(report)));
    Beside { book: Some(selling()), reports: facts.collect(), ..Beside::default() }
}

type Record = BTreeMap<String, Cell>;

fn rows(invoice: &Invoice, beside: &Beside) -> Vec<Record> {
    let sheets = (by_name("focus").expect("a row").sheets)(invoice, beside).expect("a sheet");
    let [sheet] = sheets.as_slice() else { panic!("one file") };
    let Content::Fields(fields) = &sheet.content else { panic!("fields, not pages") };
    let heads = fields.heads.as_ref().expect("a header");
    fields.rows.iter().map(|row| heads.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

fn of(row: &Record, column: &str) -> String {
    row.get(column).unwrap_or_else(|| panic!("no column {column}")).shown().to_owned()
}

fn figure(row: &Record, column: &str) -> Decimal {
    let text = of(row, column);
    assert!(text.contains('.'), "{column} {text}: readers take a column of whole numbers for integers");
    decimal(&text)
}

#[test]
fn what_is_billed_is_the_documents_total_and_price_times_quantity_is_exact() {
    let october = report("unit", 1, vec![vms("A", 2), vms("B", 13)]);
    let invoice = draw_up(&selling(), std::slice::from_ref(&october), &[]).expect("a document");
    let rows = rows(&invoice, &beside(&[&october]));
    assert_eq!(rows.iter().map(|row| figure(row, "BilledCost")).sum::<Decimal>(), invoice.total.amount);
    let categories: Vec<String> = rows.iter().map(|row| of(row, "ChargeCategory")).collect();
    assert_eq!(categories, ["Usage", "Adjustment", "Usage"], "A is short of its minimum");
    let of_b = &rows[2];
    assert_eq!((of(of_b, "BilledCost"), of(of_b, "ContractedCost")), ("47.62".to_owned(), "47.619".to_owned()));
    for row in rows.iter().filter(|row| of(row, "ChargeCategory") == "Usage") {
        let quantity = figure(row, "PricingQuantity");
        assert_eq!(figure(row, "ContractedUnitPrice") * quantity, figure(row, "ContractedCost"));
        assert_eq!(figure(row, "ListUnitPrice") * quantity, figure(row, "ListCost"));
    }
    let of_a = &rows[0];
    assert_eq!((of(of_a, "ListUnitPrice"), of(of_a, "ContractedUnitPrice")), ("0.333".to_owned(), "0.3".to_owned()));
    assert_eq!((of(of_a, "SubAccountId"), of(of_a, "SubAccountName")), ("customer-10042".to_owned(), "A".to_owned()));
    assert_eq!(
        (of(of_a, "InvoiceId"), of(of_a, "InvoiceIssuerName")),
        ("2026-10/1".to_owned(), of(of_a, "ProviderName"))
    );
    assert_eq!(of(of_a, "x_ReportId"), october.id);
    let ends =
        ["BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"].map(|name| of(of_a, name));
    assert_eq!(ends, ["2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"]);
}

#[test]
fn a_correction_is_billed_in_a_later_month_for_the_old_one_and_names_its_line_and_reason() {
    let (before, mut after) = (report("unit", 1, vec![vms("B", 13)]), report("unit", 2, vec![vms("B", 12)]));
    let adjustment = |server: Option<&str>, reason: &str| Adjustment {
        at: after.generated_at,
        by: "user:clerk".to_owned(),
        workload: Some("unit-B-0-12".to_owned()),
        server: server.map(str::to_owned),
        tenant: Some("B".to_owned()),
        kind: Some(WorkloadType::Vm),
        weight: None,
        approved_by: None,
        note_before: None,
        before: "11".to_owned(),
        after: "0".to_owned(),
        reason: reason.to_owned(),
    };
    after.adjustments = vec![adjustment(Some("vbr01"), "a test machine"), adjustment(Some("vbr02"), "another server")];
    let first = draw_up(&selling(), &[before], &[]).expect("a document");
    let second = draw_up(&selling(), std::slice::from_ref(&after), std::slice::from_ref(&first)).expect("a correction");
    let rows = rows(&second, &beside(&[&after]));
    let row = &rows[0];
    assert_eq!((of(row, "ChargeClass"), of(row, "ChargeCategory")), ("Correction".to_owned(), "Usage".to_owned()));
    assert_eq!((figure(row, "BilledCost"), figure(row, "PricingQuantity")), (decimal("-3.66"), decimal("-11")));
    assert_eq!(
        (of(row, "ChargePeriodStart"), of(row, "BillingPeriodStart")),
        ("2026-10-01T00:00:00Z".to_owned(), "2026-11-01T00:00:00Z".to_owned())
    );
    assert_eq!(
        (of(row, "x_CorrectsDocument"), of(row, "x_CorrectsLine")),
        ("2026-10/1".to_owned(), first.lines[0].id.clone())
    );
    assert_eq!(of(row, "x_AdjustmentReason"), "a test machine");
    assert_eq!((of(row, "x_ReportVersion"), of(row, "x_Coverage")), ("2".to_owned(), "1 of 1".to_owned()));
}

#[test]
fn a_draft_has_no_invoice_yet_and_without_a_seller_nothing_is_written() {
    let (book, october) = (selling(), report("unit", 1, vec![vms("B", 13)]));
    let bill = Bill { agent: AGENT, book: &book, month: month("2026-10"), reports: &[&october], issued: &[] };
    let draft = bill.draw_up(Standing::Draft { why: Vec::new() }).expect("a draft").expect("lines");
    assert!(rows(&draft, &beside(&[])).iter().all(|row| of(row, "InvoiceId").is_empty()));
    for book in [None, Some(euros(PRICES))] {
        let refused = (by_name("focus").expect("a row").sheets)(&draft, &Beside { book, ..Beside::default() });
        assert_eq!(refused.err(), Some(NotExported::NoSeller));
    }
    let wrong = PriceBook::parse(
        "p.toml",
        &format!("currency = \"EUR\"\nrounding = \"line\"\n{}{PRICES}", SELLER.replace("Maker", " ")),
    );
    assert_eq!(
        wrong.expect_err("an empty word").to_string(),
        "price book p.toml: line 3: [focus] publisher: is empty; write it as your invoices do"
    );
}

#[test]
fn the_file_has_no_byte_order_mark_and_no_formula() {
    let october = report("unit", 1, vec![vms("=cmd()", 200)]);
    let invoice = draw_up(&selling(), std::slice::from_ref(&october), &[]).expect("a document");
    let sheets = (by_name("focus").expect("a row").sheets)(&invoice, &beside(&[&october])).expect("a sheet");
    let Content::Fields(fields) = &sheets[0].content else { panic!("fields") };
    let text = String::from_utf8(delimited::write(fields).expect("UTF-8 has every sign")).expect("text");
    assert!(text.starts_with("BilledCost,BillingAccountId,"), "{text}");
    assert!(text.contains(",'=cmd(),{},"), "{text}");
    let of_it = &rows(&invoice, &beside(&[&october]))[0];
    assert!(of(of_it, "SubAccountId").starts_with("tenant-") && of(of_it, "x_CustomerNumber").is_empty(), "{text}");
}
