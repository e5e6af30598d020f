//! The workbook: typed cells, no formula, a name for each column, a chart, properties.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use tidegauge::rules::report_document::report_document;

use super::file;
use super::read_back::Columns;
use super::sample::{points, sample_report, sample_report_of};

/// A workbook as a program reads it, tables by the names that the workbook defines.
#[derive(Default)]
pub struct Book {
    pub sheets: Vec<String>,
    pub digest: String,
    pub rows: BTreeMap<String, Columns>,
    /// What stands below the named rows.
    pub totals: BTreeMap<String, Columns>,
}

fn open(bytes: &[u8]) -> Xlsx<Cursor<&[u8]>> {
    calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook")
}

/// A cell as the document writes it: numbers as decimals, dates as they are shown.
fn shown(cell: Option<&Data>) -> String {
    match cell {
        None | Some(Data::Empty) => String::new(),
        Some(Data::String(text)) => text.clone(),
        Some(Data::Float(number)) => number.to_string(),
        Some(Data::Int(number)) => number.to_string(),
        Some(Data::DateTime(at)) => {
            let (year, month, day, hour, minute, ..) = at.to_ymd_hms_milli();
            match at.as_f64().fract() {
                // A day alone, or with its weekday; midnight does not stand in the sample.
                0.0 => format!("{year}-{month:02}-{day:02}"),
                _ => format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}"),
            }
        }
        Some(other) => panic!("{other:?} is no cell of ours"),
    }
}

/// `'Sheet name'!$B$2:$B$9` as sheet, column, first and last row, counted from zero.
fn area(formula: &str) -> (String, u32, u32, u32) {
    let (sheet, cells) = formula.rsplit_once('!').expect("a sheet");
    let parts = cells.split(['$', ':']).filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let [column, first, _, last] = parts[..] else { panic!("{formula} is no column") };
    let column = column.bytes().fold(0, |number, letter| number * 26 + u32::from(letter - b'A') + 1) - 1;
    let row = |text: &str| text.parse::<u32>().expect("a row") - 1;
    (sheet.trim_matches('\'').to_owned(), column, row(first), row(last))
}

/// Reads the workbook by its defined names.
pub fn read(bytes: &[u8]) -> Book {
    let mut workbook = open(bytes);
    let mut book = Book { sheets: workbook.sheet_names(), ..Book::default() };
    for name in &book.sheets {
        assert_eq!(workbook.worksheet_formula(name).expect("a sheet").used_cells().count(), 0, "a formula in {name}");
    }
    let overview = workbook.worksheet_range("Overview").expect("the first sheet");
    book.digest = shown(overview.get_value((3, 1)));
    for (name, formula) in workbook.defined_names().to_vec() {
        // Excel's own names of filters and printed heads.
        let Some((table, column)) = name.split_once('.').filter(|_| !name.starts_with("_xlnm")) else { continue };
        let (sheet, at, first, last) = area(&formula);
        let range = workbook.worksheet_range(&sheet).expect("the sheet of the name");
        let cells = |from: u32, to: u32| (from..=to).map(|row| shown(range.get_value((row, at)))).collect::<Vec<_>>();
        let end = range.end().map_or(0, |(row, _)| row);
        book.rows.entry(table.to_owned()).or_default().insert(column.to_owned(), cells(first, last));
        book.totals.entry(table.to_owned()).or_default().insert(column.to_owned(), cells(last + 1, end.max(last)));
    }
    // A table without rows has an empty one.
    for columns in book.rows.values_mut().filter(|columns| columns.values().all(|cells| *cells == [""])) {
        columns.values_mut().for_each(Vec::clear);
    }
    book
}

/// One part of the package.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a package");
    std::io::read_to_string(archive.by_name(name).expect("the part is there")).expect("UTF-8")
}

#[test]
fn a_workbook_has_an_overview_a_sheet_for_each_kind_of_table_and_the_amounts_of_its_chart() {
    let book = read(&file(&report_document(&sample_report()), "xlsx"));
    assert_eq!(
        book.sheets.join(", "),
        "Overview, Lines, Summary, Tenants, Servers, Difference, Difference rows, Cloud connect, Workloads, Adjustments, \
         New workloads, Rental machines, Removed workloads, Daily, Chart data"
    );
}

#[test]
fn counts_and_points_are_numbers_days_and_minutes_are_dates_and_names_are_texts() {
    let bytes = file(&report_document(&sample_report()), "xlsx");
    let mut workbook = open(&bytes);
    let lines = workbook.worksheet_range("Lines").expect("the lines");
    let daily = workbook.worksheet_range("Daily").expect("the days");
    let row = |row: u32| (5..14).map(|column| lines.get_value((row, column)).cloned()).collect::<Vec<_>>();
    let text = |text: &str| Some(Data::String(text.to_owned()));
    let number = |number: f64| Some(Data::Float(number));
    let wanted = [text("vbr02"), text("Ωmega Ltd"), text("FileShare"), number(2.5)];
    assert_eq!(row(5)[..4], wanted);
    assert_eq!(row(5)[4..], [1.0, 1.0, 0.0, 0.0, 2.5].map(number));
    assert_eq!(row(4)[1], text("=Čapek & Söhne"));
    for (column, wanted) in [(0, "2026-10-01"), (2, "2026-10-01 01:00")] {
        let cell = daily.get_value((1, column));
        assert!(matches!(cell, Some(Data::DateTime(_))), "{cell:?}");
        assert_eq!(shown(cell), wanted);
    }
}

#[test]
fn a_decimal_of_more_than_fifteen_digits_stays_a_text_with_all_of_them() {
    let mut report = sample_report();
    report.lines[0].weight = points("1234567.891234567");
    report.lines[1].weight = points("123456.789123456");
    let bytes = file(&report_document(&report), "xlsx");
    let weights = open(&bytes).worksheet_range("Lines").expect("the lines");
    assert_eq!(weights.get_value((1, 8)), Some(&Data::String("1234567.891234567".to_owned())));
    assert_eq!(weights.get_value((2, 8)), Some(&Data::Float(123_456.789_123_456)));
}

#[test]
fn heads_are_frozen_filters_stand_and_the_properties_name_title_digest_and_hour() {
    let report = sample_report();
    let bytes = file(&report_document(&report), "xlsx");
    let sheet = part(&bytes, "xl/worksheets/sheet9.xml");
    assert!(sheet.contains("<pane ySplit=\"1\"") && sheet.contains("state=\"frozen\""), "{sheet}");
    assert!(sheet.contains("<autoFilter ref=\"A1:H12\""), "{sheet}");
    let core = part(&bytes, "docProps/core.xml");
    assert!(core.contains("<dc:title>Usage report October 2026</dc:title>"));
    assert!(core.contains(">2026-11-01T02:10:00Z</dcterms:created>"), "{core}");
    assert!(part(&bytes, "docProps/custom.xml").contains(&report.digest));
    let chart = part(&bytes, "xl/charts/chart1.xml");
    assert!(chart.contains("<c:f>'Chart data'!$B$2:$B$32</c:f>"), "{chart}");
}

#[test]
fn a_text_longer_than_a_cell_is_cut_and_says_so() {
    let mut report = sample_report();
    report.workloads[0].name = "𝒳".repeat(20_000);
    let book = read(&file(&report_document(&report), "xlsx"));
    let longest = book.rows["workloads"]["name"].iter().max_by_key(|name| name.len()).expect("names");
    assert_eq!(longest.encode_utf16().count(), 32_767);
    assert!(longest.ends_with('…'));
}

#[test]
fn a_workbook_of_ten_thousand_workloads_repeats_itself() {
    let document = report_document(&sample_report_of(10_000));
    let bytes = file(&document, "xlsx");
    assert_eq!(read(&bytes).rows["workloads"]["name"].len(), 10_011);
    assert!(bytes == file(&document, "xlsx"), "the second time differs");
}
