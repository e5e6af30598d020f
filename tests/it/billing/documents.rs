//! Documents of a month: ids, traces, corrections.

use tidegauge::billing::invoice::{Bill, Invoice, Standing};
use tidegauge::billing::line::What;
use uuid::Uuid;

use super::*;

pub const AGENT: Uuid = Uuid::from_u128(7);

pub fn issued() -> Standing {
    Standing::Issued { at: "2026-11-12T09:00:00Z".parse().expect("an instant"), by: "user:clerk".to_owned() }
}

pub fn draw_up(book: &PriceBook, reports: &[UsageReport], so_far: &[Invoice]) -> Option<Invoice> {
    let reports: Vec<&UsageReport> = reports.iter().collect();
    let bill = Bill { agent: AGENT, book, month: month("2026-10"), reports: &reports, issued: so_far };
    bill.draw_up(issued()).expect("a document")
}

fn flat(price: &str) -> PriceBook {
    euros(&format!("[[price]]\nvalid_from = 2026-01-01\nper_point = \"{price}\"\n"))
}

/// Tenant, what, workloads, points, amount and whether an earlier line is named.
fn lines(invoice: &Invoice) -> Vec<String> {
    let text = |line: &tidegauge::billing::invoice::InvoiceLine| {
        let amounts = &line.amounts;
        let corrects = line.corrects.as_ref().map_or(String::new(), |of| format!(" corrects {}", of.document));
        format!(
            "{} {} {} {} {}{corrects}",
            line.key.tenant,
            line.key.what.as_str(),
            amounts.workloads,
            amounts.points,
            amounts.amount
        )
    };
    invoice.lines.iter().map(text).collect()
}

#[test]
fn a_line_traces_back_to_report_line_and_workloads_and_its_id_is_the_same_each_time() {
    let october = report("unit", 1, vec![vms("A", 2), vms("B", 3)]);
    let first = draw_up(&flat("1"), std::slice::from_ref(&october), &[]).expect("a first document");
    assert_eq!(Some(&first), draw_up(&flat("1"), std::slice::from_ref(&october), &[]).as_ref());
    assert_eq!(first.number, "2026-10/1");
    let of_b = &first.lines[1];
    let source = of_b.source.as_ref().expect("usage has a source");
    assert_eq!((source.report.as_str(), source.revision), (october.id.as_str(), 1));
    assert_eq!(Vec::from_iter(&source.lines), [&2], "the second line of the report");
    assert_eq!(Vec::from_iter(&source.workloads), ["unit-B-1-0", "unit-B-1-1", "unit-B-1-2"]);
    let mut ids: Vec<&String> = first.lines.iter().map(|line| &line.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 2);
    let read: Invoice = serde_json::from_str(&serde_json::to_string(&first).expect("JSON")).expect("an invoice");
    assert_eq!(read, first, "it is kept as JSON and read back");
}

#[test]
fn a_correction_is_a_document_of_differences_that_names_the_old_one_and_nothing_changes_it() {
    let book = flat("1");
    let before = report("unit", 1, vec![vms("A", 2), vms("B", 3), vms("C", 1)]);
    let after = report("unit", 2, vec![vms("A", 2), vms("B", 1), vms("D", 1)]);
    let first = draw_up(&book, &[before], &[]).expect("a first document");
    let second = draw_up(&book, std::slice::from_ref(&after), std::slice::from_ref(&first)).expect("a correction");
    assert_eq!(
        lines(&second),
        ["B usage -2 -22 -22.00 corrects 2026-10/1", "C usage -1 -11 -11.00 corrects 2026-10/1", "D usage 1 11 11.00",]
    );
    assert_eq!(second.corrects.as_deref(), Some("2026-10/1"));
    let of_b = &second.lines[0];
    assert_eq!(of_b.corrects.as_ref().map(|of| &of.line), first.lines.get(1).map(|line| &line.id));
    let workloads = &of_b.source.as_ref().expect("a source").workloads;
    assert_eq!(Vec::from_iter(workloads), ["unit-B-1-1", "unit-B-1-2"], "the two that went");
    assert_eq!(second.lines[1].source.as_ref().map(|of| of.report.as_str()), Some(after.id.as_str()));
    assert_eq!(second.tenants[0].month.amount.to_string(), "11.00", "what B owes for the month altogether");
    assert!(second.lines.iter().all(|line| first.lines.iter().all(|old| old.id != line.id)));
    let nothing = draw_up(&book, &[after], &[first, second]);
    assert_eq!(nothing, None, "everything is charged");
}

#[test]
fn a_price_that_changes_after_issuing_is_taken_back_and_charged_in_the_next_document() {
    let october = report("unit", 1, vec![vms("A", 2)]);
    let first = draw_up(&flat("1"), std::slice::from_ref(&october), &[]).expect("a first document");
    let second = draw_up(&flat("0.9"), &[october], &[first]).expect("a correction");
    assert_eq!(lines(&second), ["A usage 2 22 19.80", "A usage -2 -22 -22.00 corrects 2026-10/1"]);
    let prices = second.lines.iter().filter_map(|line| match &line.key.what {
        What::Usage(usage) => Some(usage.rate.unit_price.to_string()),
        What::Minimum { .. } | What::MinimumTotal { .. } | What::Rounding => None,
    });
    assert_eq!(prices.collect::<Vec<String>>(), ["0.9", "1"]);
    assert_eq!(second.total.amount.to_string(), "-2.20");
}

#[test]
fn a_draft_is_never_taken_for_what_is_issued() {
    let october = report("unit", 1, vec![vms("A", 2)]);
    let (book, of) = (flat("1"), [&october]);
    let bill = Bill { agent: AGENT, book: &book, month: month("2026-10"), reports: &of, issued: &[] };
    let draft = bill.draw_up(Standing::Draft { why: vec!["not sent".to_owned()] }).expect("a draft").expect("lines");
    let first = bill.draw_up(issued()).expect("a document").expect("lines");
    assert_eq!(draft.number, "2026-10/1 draft");
    assert_ne!(draft.id, first.id);
    assert_ne!(draft.lines[0].id, first.lines[0].id);
    assert_eq!(draft.lines[0].amounts, first.lines[0].amounts);
}

#[test]
fn documents_of_a_month_are_in_one_currency() {
    let october = report("unit", 1, vec![vms("A", 2)]);
    let first = draw_up(&flat("1"), std::slice::from_ref(&october), &[]).expect("a first document");
    let dollars =
        book("currency = \"USD\"\nrounding = \"line\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"1\"");
    let (of, so_far) = ([&october], [first]);
    let bill = Bill { agent: AGENT, book: &dollars, month: month("2026-10"), reports: &of, issued: &so_far };
    let why = bill.draw_up(issued()).expect_err("another currency").to_string();
    assert!(why.contains("EUR") && why.contains("USD"), "{why}");
}
