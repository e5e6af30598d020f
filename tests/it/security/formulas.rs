//! Names from outside in files that spreadsheets open: never run, in no writer.

use std::io::{Cursor, Read};

use calamine::{Data, Reader, Xlsx};
use proptest::prelude::*;
use tidegauge::billing::export::{Beside, Content, EXPORTS, Names};
use tidegauge::document::delimited::{DELIMITERS, DecimalSign, Delimited, Dialect, Encoding};
use tidegauge::document::{Cell, Document};
use tidegauge::formats::typefaces::Typefaces;
use tidegauge::formats::{by_extension, delimited};
use tidegauge::rules::report_document::report_document;

use crate::billing::{documents, focus, report, vms};
use crate::formats::sample::sample_report;

/// What makes a spreadsheet run a text (OWASP, CSV injection), with the full-width forms.
const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
/// What may stand before it unseen.
const UNSEEN: [&str; 10] =
    ["", " ", "\u{a0}", "\n", "\u{feff}", "\u{200b}", "\u{202e}", "\0", "\u{3000}", "\u{ad}\u{2060}"];

fn hostile() -> impl Strategy<Value = String> {
    let rest = prop_oneof![
        Just("HYPERLINK(\"http://example.net\",\"x\")".to_owned()),
        Just("cmd|' /C calc'!A0".to_owned()),
        Just("1+1,=2+2;=3+3".to_owned()),
        "\\PC{0,12}",
    ];
    (proptest::sample::select(&UNSEEN[..]), proptest::sample::select(&STARTS[..]), rest)
        .prop_map(|(unseen, start, rest)| format!("{unseen}{start}{rest}"))
}

/// Whether a program that drops what it does not show would run the field.
fn is_run(field: &str) -> bool {
    let is_unseen = |sign: char| sign.is_whitespace() || UNSEEN.iter().any(|unseen| unseen.contains(sign));
    field.trim_start_matches(|sign| is_unseen(sign) && !STARTS.contains(&sign)).starts_with(STARTS)
}

/// Every field of a file, its byte order mark left out.
fn fields(bytes: &[u8], delimiter: u8) -> Vec<String> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).flexible(true).from_reader(bytes);
    let records = reader.records().map(|record| record.expect("a file of ours can be read"));
    records.flat_map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Names and nothing else may begin with a sign of a formula; a negative amount is a number and stays one.
fn check(writer: &str, bytes: &[u8], delimiter: u8) {
    for field in fields(bytes, delimiter) {
        let is_number = field.replace(',', ".").parse::<rust_decimal::Decimal>().is_ok();
        assert!(is_number || !is_run(&field), "{writer}: {field:?} would be run");
    }
}

fn csv_of(document: &Document) -> Vec<u8> {
    (by_extension("csv").expect("a row").write)(document, &Typefaces::default()).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_csv_that_we_write_runs_a_name(name in hostile(), other in hostile()) {
        let mut month = sample_report();
        for line in &mut month.lines {
            (line.tenant, line.server) = (Some(name.clone()), other.clone());
        }
        check("report", &csv_of(&report_document(&month)), b',');
        for (sign, delimiter) in DELIMITERS {
            for encoding in [Encoding::Utf8, Encoding::Utf8Bom] {
                let dialect = Dialect { delimiter, decimal: DecimalSign::Comma, encoding };
                let rows = vec![vec![Cell::Text(name.clone()), Cell::Number("-1.5".to_owned()), Cell::Text(other.clone())]];
                let file = Delimited { dialect, heads: Some(vec![other.clone(), "b".to_owned(), "c".to_owned()]), rows };
                let bytes = delimited::write(&file).expect("UTF-8 has every sign");
                check(sign, &bytes, delimiter.sign());
                prop_assert!(fields(&bytes, delimiter.sign()).contains(&"-1,5".to_owned()), "an amount stays a number");
            }
        }
    }

    #[test]
    fn no_billing_export_runs_a_name(name in hostile(), machine in hostile()) {
        let book = focus::selling();
        let invoice = documents::draw_up(&book, &[report("unit", 1, vec![vms(&name, 2)])], &[]).expect("a document");
        let names = Names::from([(("vbr01".to_owned(), format!("unit-{name}-0-0")), machine)]);
        let beside = Beside { names, book: Some(book), ..Beside::default() };
        for export in EXPORTS {
            for sheet in (export.sheets)(&invoice, &beside).expect("sheets") {
                let bytes = match &sheet.content {
                    Content::Drawn(document) => csv_of(document),
                    Content::Fields(fields) => delimited::write(fields).expect("UTF-8 has every sign"),
                };
                check(export.name, &bytes, b',');
            }
        }
    }

    #[test]
    fn a_workbook_holds_names_as_texts_and_neither_formula_nor_link(tenant in hostile()) {
        let mut month = sample_report();
        for line in &mut month.lines {
            line.tenant = Some(tenant.clone());
        }
        let document = report_document(&month);
        let bytes = (by_extension("xlsx").expect("a row").write)(&document, &Typefaces::default());
        let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(&*bytes)).expect("a workbook");
        for sheet in workbook.sheet_names() {
            prop_assert_eq!(workbook.worksheet_formula(&sheet).expect("a sheet").used_cells().count(), 0);
            for (_, _, cell) in workbook.worksheet_range(&sheet).expect("a sheet").used_cells() {
                prop_assert!(!matches!(cell, Data::Error(_)), "{sheet}: {cell:?}");
            }
        }
        let mut parts = zip::ZipArchive::new(Cursor::new(&*bytes)).expect("a zip");
        for place in 0..parts.len() {
            let mut part = parts.by_index(place).expect("a part");
            let name = part.name().expect("a name").into_owned();
            let mut xml = String::new();
            if name.ends_with(".xml") || name.ends_with(".rels") {
                part.read_to_string(&mut xml).expect("XML");
            }
            for forbidden in ["<f>", "<hyperlink", "externalLink", "TargetMode=\"External\""] {
                prop_assert!(!xml.contains(forbidden), "{} in {}", forbidden, name);
            }
        }
    }
}
