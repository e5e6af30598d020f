//! What a document is exported as.

use std::collections::BTreeSet;

use tidegauge::billing::export::{Beside, Content, EXPORTS, Names, Sheet, by_name};
use tidegauge::billing::invoice::{Bill, Invoice, Standing};
use tidegauge::document::{Block, Cell, Document, Table};

use super::documents::{AGENT, draw_up};
use super::*;

fn statements(invoice: &Invoice) -> Vec<Sheet> {
    let names = Names::from([(("vbr01".to_owned(), "unit-A-0-0".to_owned()), "sql01".to_owned())]);
    (by_name("statements").expect("a row").sheets)(invoice, &Beside { names, ..Beside::default() }).expect("sheets")
}

fn book_with_costs() -> PriceBook {
    euros("[[price]]\nvalid_from = 2026-01-01\nper_point = \"1.5\"\ncost_per_point = \"0.77\"\nminimum = \"40\"\n")
}

fn drawn(sheet: &Sheet) -> Option<&Document> {
    match &sheet.content {
        Content::Drawn(document) => Some(document),
        Content::Fields(_) => None,
    }
}

fn tables(sheet: &Sheet) -> Vec<&Table> {
    let mut tables = Vec::new();
    let Some(document) = drawn(sheet) else { return tables };
    for block in document.sections.iter().flat_map(|section| &section.blocks) {
        if let Block::Table(table) = block {
            tables.push(table);
        }
    }
    tables.push(&document.lines);
    tables
}

#[test]
fn every_export_gives_the_same_sheets_each_time_with_files_of_its_own() {
    let invoice =
        draw_up(&book_with_costs(), &[report("unit", 1, vec![vms("A", 2), vms("B", 3)])], &[]).expect("a document");
    for export in EXPORTS {
        let beside = Beside { book: Some(super::focus::selling()), ..Beside::default() };
        let sheets = || (export.sheets)(&invoice, &beside).expect("sheets");
        let (one, other) = (sheets(), sheets());
        assert_eq!(format!("{one:?}"), format!("{other:?}"), "{}", export.name);
        let stems: BTreeSet<&str> = one.iter().map(|sheet| sheet.stem.as_str()).collect();
        assert_eq!(stems.len(), one.len(), "{}", export.name);
        for sheet in &one {
            for table in tables(sheet) {
                let columns: BTreeSet<&str> = table.columns.iter().map(|column| column.name).collect();
                assert_eq!(columns.len(), table.columns.len(), "no column stands twice in {}", table.name);
                assert!(table.rows.iter().chain(table.totals.iter()).all(|row| row.len() == table.columns.len()));
            }
        }
    }
}

#[test]
fn names_of_statements_are_plain_and_never_the_same() {
    let long = "x".repeat(300);
    let tenants =
        ["A/B", "A B", "A-B", "a-b", "../../etc/passwd", "CON", "*?", "", "日本", "Ärzte & Co", long.as_str()];
    let lines = tenants.map(|tenant| vms(tenant, 1)).to_vec();
    let invoice = draw_up(&book_with_costs(), &[report("unit", 1, lines)], &[]).expect("a document");
    let stems: BTreeSet<String> = statements(&invoice).into_iter().map(|sheet| sheet.stem.to_lowercase()).collect();
    assert_eq!(stems.len(), tenants.len(), "{stems:?}");
    for stem in &stems {
        assert!(stem.starts_with("2026-10-1-") && stem.len() < 200, "{stem}");
        assert!(stem.chars().all(|sign| sign.is_alphanumeric() || sign == '-'), "{stem}");
    }
}

#[test]
fn a_statement_holds_its_tenants_lines_and_nothing_of_what_the_supplier_asks() {
    let october = report("unit", 1, vec![vms("A", 2), vms("B", 3)]);
    let invoice = draw_up(&book_with_costs(), &[october], &[]).expect("a document");
    let all = statements(&invoice);
    assert_eq!(all.len(), 2);
    let text = format!("{:?}", all[0]);
    assert!(
        text.contains("Shortfall to the minimum of 40.00") && text.contains("sql01") && text.contains("40.00"),
        "{text}"
    );
    assert!(!text.contains("unit-B") && !text.contains("49.50"), "another tenant's lines: {text}");
    for cost in ["16.94", "25.41", "0.77", "\"cost\"", "margin"] {
        assert!(!format!("{all:?}").contains(cost), "{cost} is the provider's own");
    }
    let total = tables(&all[0])[0].totals.iter().next().and_then(|total| total.iter().last());
    assert_eq!(total, Some(Cell::Number("40.00")));
}

#[test]
fn a_statement_names_the_machine_of_its_own_server_where_ids_are_equal() {
    let of = |tenant: &str, server: &str| Line { server: server.to_owned(), ..vms(tenant, 1) };
    let mut october = report("unit", 1, vec![of("A", "vbr01"), of("B", "vbr02")]);
    for workload in &mut october.workloads {
        "1".clone_into(&mut workload.id);
    }
    let invoice = draw_up(&book_with_costs(), &[october], &[]).expect("a document");
    let named = |server: &str, name: &str| ((server.to_owned(), "1".to_owned()), name.to_owned());
    let beside = Beside { names: Names::from([named("vbr01", "of-a"), named("vbr02", "of-b")]), ..Beside::default() };
    let sheets = (by_name("statements").expect("a row").sheets)(&invoice, &beside).expect("sheets");
    for (sheet, own, foreign) in [(&sheets[0], "of-a", "of-b"), (&sheets[1], "of-b", "of-a")] {
        let text = format!("{sheet:?}");
        assert!(text.contains(own) && !text.contains(foreign), "{text}");
    }
}

#[test]
fn a_part_of_a_document_says_so_in_its_name_and_on_the_first_page() {
    let book = book(
        "currency = \"EUR\"\nrounding = \"invoice\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"0.0333\"\n",
    );
    let units = [report("one", 1, vec![vms("A", 1)]), report("two", 1, vec![vms("A", 2)])];
    let whole = draw_up(&book, &units, &[]).expect("a document");
    let part = whole.of_units(&["two".to_owned()]);
    let sheets = statements(&part);
    assert!(sheets[0].stem.starts_with("2026-10-1-part-A-"), "{}", sheets[0].stem);
    assert!(format!("{:?}", drawn(&sheets[0])).contains("Only a part of this document"));
    assert_eq!((part.total.amount, part.tenants[0].owed.amount), (decimal("0.73"), decimal("0.73")), "0.7326 in coins");
    assert!(!format!("{:?}", statements(&whole)).contains("part"), "the whole one does not");
}

#[test]
fn costs_that_are_stated_later_are_no_statements() {
    let before = euros("[[price]]\nvalid_from = 2026-01-01\nper_point = \"1.5\"\n");
    let after = euros("[[price]]\nvalid_from = 2026-01-01\nper_point = \"1.5\"\ncost_per_point = \"0.77\"\n");
    let october = report("unit", 1, vec![vms("A", 2), vms("B", 3)]);
    let first = draw_up(&before, std::slice::from_ref(&october), &[]).expect("a document");
    let second = draw_up(&after, &[october], std::slice::from_ref(&first)).expect("costs came");
    assert_eq!((statements(&first).len(), second.lines.len(), statements(&second).len()), (2, 2, 0));
    let fewer = report("unit", 2, vec![vms("A", 2), vms("B", 1)]);
    let third = draw_up(&after, &[fewer], &[first]).expect("one tenant's usage changed");
    let all = statements(&third);
    assert!(all.len() == 1 && all[0].stem.contains("-B-"), "{all:?}");
}

#[test]
fn a_draft_and_a_correction_say_what_they_are_on_the_first_page() {
    let book = book_with_costs();
    let october = report("unit", 1, vec![vms("A", 5)]);
    let first = draw_up(&book, std::slice::from_ref(&october), &[]).expect("a document");
    let (after, issued) = (report("unit", 2, vec![vms("A", 4)]), [first]);
    let bill = Bill { agent: AGENT, book: &book, month: month("2026-10"), reports: &[&after], issued: &issued };
    let why = vec!["report revision 2 of vbr01 is awaiting review".to_owned()];
    let draft = bill.draw_up(Standing::Draft { why }).expect("a draft").expect("a difference");
    let sheets = statements(&draft);
    let page = drawn(&sheets[0])
        .map(|document| format!("{:?}", (&document.title, &document.sections[0])))
        .expect("it is drawn");
    for words in ["Draft statement", "not to be billed: report revision 2", "Corrects 2026-10/1", "-16.50", "66.00"] {
        assert!(page.contains(words), "'{words}' is not in {page}");
    }
    assert!(sheets[0].stem.starts_with("2026-10-2-draft-A-"), "{}", sheets[0].stem);
}
