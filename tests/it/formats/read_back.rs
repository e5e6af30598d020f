//! Every format is read back by a reader that is not ours, and says what the record says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidegauge::document::{Align, Document};
use tidegauge::domain::Points;
use tidegauge::domain::report::{Line, UsageReport};
use tidegauge::domain::workload::{WORKLOAD_TYPES, WorkloadType};
use tidegauge::formats::FORMATS;
use tidegauge::rules::report_document::report_document;
use tidegauge::rules::reporting;

use super::{file, sample, tables};

/// Columns by their stable name; each has a text for every row, numbers as plain decimals.
pub type Columns = BTreeMap<String, Vec<String>>;

/// Names that have broken spreadsheets, pages and parsers.
const HOSTILE: [&str; 15] = [
    "'=1",
    "=HYPERLINK(\"http://example.net\",\"x\")",
    "=cmd|' /C calc'!A0",
    "+1-1",
    "@SUM(A1:A9)",
    "\t=1",
    "'quoted",
    "</td></tr></table><script>alert(1)</script>",
    "<!-- \" & ' ]]> -->",
    "a,b;\"c\"\r\nd",
    "_x0041_",
    "2026-10-31",
    "00123",
    "שרת הנהלת חשבונות",
    "1e5",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{1,8}",
        2 => proptest::sample::select(HOSTILE.map(str::to_owned).to_vec()),
        1 => "\\PC{1,30}",
    ]
}

fn kind() -> impl Strategy<Value = WorkloadType> {
    prop_oneof![
        4 => proptest::sample::select(WORKLOAD_TYPES.map(|(kind, _)| kind).to_vec()),
        1 => name().prop_map(|name| name.parse().expect("every text is a type")),
    ]
}

/// Points of one workload, some with more digits than a spreadsheet's number holds.
fn weight() -> impl Strategy<Value = Points> {
    let fixed = ["0", "1", "2.5", "4", "11", "0.0001", "1234567.891234567", "1000000.01"];
    proptest::sample::select(fixed.map(sample::points).to_vec())
}

fn line() -> impl Strategy<Value = Line> {
    let counts = (0..2000_u64, 0..9_u64, 0..9_u64);
    (name(), proptest::option::of(name()), kind(), weight(), counts).prop_map(
        |(server, tenant, kind, weight, (reported_count, new_count, rental_count))| Line {
            server,
            tenant,
            kind,
            weight,
            initial_count: reported_count + 1,
            reported_count,
            new_count,
            rental_count,
            points: weight * reported_count,
        },
    )
}

prop_compose! {
    fn report()(
        lines in proptest::collection::vec(line(), 0..12),
        names in proptest::collection::vec((name(), name()), 17),
        company in name(),
    ) -> UsageReport {
        let mut report = sample::sample_report();
        report.lines = lines;
        for (workload, (name, server)) in report.workloads.iter_mut().zip(names) {
            (workload.name, workload.server) = (name, server);
        }
        report.license.licensed_to = Some(company);
        reporting::total(&mut report);
        report
    }
}

/// The rows of all tables of this name, by column; `missing` stands where a table does not have the column.
fn expected(document: &Document, name: &str, missing: Option<&str>) -> Columns {
    let of_name = tables(document).into_iter().chain([&document.lines]).filter(|table| table.name == name);
    let of_name = of_name.collect::<Vec<_>>();
    let mut columns = Columns::new();
    for column in of_name.iter().flat_map(|table| &table.columns) {
        let cells = of_name.iter().flat_map(|table| {
            let at = table.columns.iter().position(|own| own.name == column.name);
            table.rows.iter().filter_map(move |row| at.map_or(missing, |at| row.texts().nth(at)))
        });
        columns.insert(column.name.to_owned(), cells.map(str::to_owned).collect());
    }
    columns
}

/// Points by type in the order of the types, as the record's lines have them.
fn by_type(report: &UsageReport) -> Vec<Points> {
    let mut sums = BTreeMap::<&WorkloadType, Points>::new();
    for line in &report.lines {
        *sums.entry(&line.kind).or_insert(Points::ZERO) += line.points;
    }
    sums.into_values().collect()
}

/// The summary as it was read: a type with several multipliers has its sum above their rows.
fn says_the_totals(report: &UsageReport, summary: &Columns, totals: &Columns) {
    let points = |text: &String| sample::points(text);
    let sums = summary["type"].iter().zip(&summary["points"]).filter(|(kind, _)| !kind.ends_with(", of them"));
    assert_eq!(sums.map(|(_, sum)| points(sum)).collect::<Vec<_>>(), by_type(report));
    let stated = totals["points"].iter().map(points).collect::<Vec<_>>();
    assert_eq!(stated, [report.total_points, report.total_points_rounded]);
}

fn says_the_lines(report: &UsageReport, lines: &Columns, unguarded: fn(&str) -> &str) {
    let column = |name: &str| lines[name].iter().map(|text| unguarded(text).to_owned()).collect::<Vec<_>>();
    let wanted = |of: fn(&Line) -> String| report.lines.iter().map(of).collect::<Vec<_>>();
    assert_eq!(column("server"), wanted(|line| line.server.clone()));
    assert_eq!(column("tenant"), wanted(|line| line.tenant.clone().unwrap_or_default()));
    assert_eq!(column("type"), wanted(|line| line.kind.to_string()));
    assert_eq!(column("weight"), wanted(|line| line.weight.to_string()));
    assert_eq!(column("reported_count"), wanted(|line| line.reported_count.to_string()));
    assert_eq!(column("initial_count"), wanted(|line| line.initial_count.to_string()));
    assert_eq!(column("points"), wanted(|line| line.points.to_string()));
    assert!(column("digest").iter().all(|digest| *digest == report.digest));
}

fn check_json(report: &UsageReport, bytes: &[u8]) {
    let read: UsageReport = {
        let mut record: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
        super::schema::check(&record);
        let members = record.as_object_mut().expect("an object");
        members.insert("stage".to_owned(), "awaiting_review".into());
        members.insert("external".to_owned(), serde_json::json!({}));
        serde_json::from_value(record).expect("the record is the report")
    };
    assert_eq!(&read, report);
}

/// Whether a spreadsheet would run what stands behind leading apostrophes and blanks.
fn runs_as_formula(text: &str) -> bool {
    let start = text.trim_start_matches(|sign: char| sign == '\'' || sign.is_whitespace() && !"\t\r".contains(sign));
    start.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

fn check_csv(report: &UsageReport, bytes: &[u8]) {
    let mut reader = csv::Reader::from_reader(bytes);
    let names = reader.headers().expect("a header").clone();
    let rows = reader.records().map(|row| row.expect("rows of equal length")).collect::<Vec<_>>();
    let column = |at: usize| rows.iter().map(|row| row[at].to_owned()).collect();
    let columns: Columns = names.iter().enumerate().map(|(at, name)| (name.to_owned(), column(at))).collect();
    for text in columns.values().flatten() {
        assert!(!text.trim_start().starts_with(['=', '+', '@', '\t', '\r']), "a spreadsheet would run {text:?}");
    }
    says_the_lines(report, &columns, |text| match text.strip_prefix('\'') {
        Some(rest) if runs_as_formula(rest) => rest,
        Some(_) | None => text,
    });
}

fn check_html(report: &UsageReport, document: &Document, bytes: &[u8]) {
    let page = super::html::read(bytes);
    assert_eq!(page.digest, report.digest);
    for table in tables(document).iter().filter(|table| !table.columns.is_empty()) {
        // Control characters cannot be shown; everything else is there as it came.
        assert_eq!(page.rows[table.name], shown(expected(document, table.name, None)), "{}", table.name);
    }
    says_the_totals(report, &page.rows["summary"], &page.totals["summary"]);
}

fn shown(mut columns: Columns) -> Columns {
    let shown = |text: &str| text.replace(|sign: char| sign.is_control() && !matches!(sign, '\n' | '\t'), "\u{fffd}");
    columns.values_mut().flatten().for_each(|text| *text = shown(text));
    columns
}

fn check_xlsx(report: &UsageReport, document: &Document, bytes: &[u8]) {
    let book = super::xlsx::read(bytes);
    assert_eq!(book.digest, report.digest);
    for table in tables(document).into_iter().chain([&document.lines]) {
        let mut wanted = expected(document, table.name, Some(""));
        let read = &book.rows[table.name];
        assert!(read.keys().all(|name| wanted.contains_key(name) || name == "section"), "in {}", table.name);
        wanted.retain(|name, _| read.contains_key(name));
        assert_eq!(wanted.len(), read.keys().filter(|name| *name != "section").count());
        for (name, column) in wanted {
            // A workbook shows the weekday by the cell's format.
            let whole = |text: String| if name == "day" { text[..10].to_owned() } else { text };
            let column = column.into_iter().map(whole).collect::<Vec<_>>();
            assert_eq!(read[&name], column, "{}.{name}", table.name);
        }
    }
    says_the_totals(report, &book.rows["summary"], &book.totals["summary"]);
    says_the_lines(report, &book.rows["lines"], |text| text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_format_says_what_the_record_says_whatever_the_names_are(report in report()) {
        let document = report_document(&report);
        for format in FORMATS {
            let bytes = file(&document, format.extension);
            match format.extension {
                "json" => check_json(&report, &bytes),
                "csv" => check_csv(&report, &bytes),
                "xlsx" => check_xlsx(&report, &document, &bytes),
                "html" => check_html(&report, &document, &bytes),
                // Its text is read by pdftotext, under tests/outside.
                "pdf" => prop_assert!(bytes.starts_with(b"%PDF-")),
                other => panic!("nobody reads {other} back"),
            }
        }
    }
}

#[test]
fn numbers_stand_to_the_right_in_every_table() {
    let document = report_document(&sample::sample_report());
    for table in tables(&document).into_iter().chain([&document.lines]) {
        for row in table.rows.iter() {
            for (cell, column) in row.iter().zip(&table.columns) {
                let right = column.align == Align::Right;
                let number = matches!(cell, tidegauge::document::Cell::Number(_));
                assert!(right || !number, "{}.{} holds numbers", table.name, column.name);
            }
        }
    }
}
