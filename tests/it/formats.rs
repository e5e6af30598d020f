//! A document as a file: the report in every format, its charts, and the letters about it.

pub mod hard; // a document with every script
mod html; // the page, for people and programs
mod ics; // deadlines as a calendar
pub mod letters;
mod line_chart; // usage of a period
mod listing_letters; // what people are to look at
mod mails;
mod pdf; // scripts, outline, fonts
mod pseudonyms; // no name in any format
mod read_back; // every format says what the record says
pub mod sample;
mod sample_month; // the committed sample month
pub mod schema; // the published JSON Schema
mod xlsx; // the workbook

use expect_test::expect;
use proptest::prelude::*;
use sample::{sample_report, sample_report_of};
use tidegauge::document::{Block, Cell, Chart, ChartPoint, Document, Row, Rows, Section, Table};
use tidegauge::domain::report::{External, Line, Receipt, Stage};
use tidegauge::formats::charts::watermark_chart;
use tidegauge::formats::typefaces::Typefaces;
use tidegauge::formats::{FORMATS, by_extension};
use tidegauge::rules::report_document::{report_document, report_document_of};
use tidegauge::rules::reporting::digest_of;

fn file(document: &Document, extension: &str) -> Vec<u8> {
    (by_extension(extension).expect("the format is in the table").write)(document, &Typefaces::default()).into_owned()
}

fn text_of(document: &Document, extension: &str) -> String {
    String::from_utf8(file(document, extension)).expect("JSON and CSV are UTF-8")
}

fn tables(document: &Document) -> Vec<&Table> {
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    blocks.filter_map(|block| if let Block::Table(table) = block { Some(table) } else { None }).collect()
}

/// The table as lines, cells divided by bars.
fn drawn(table: &Table) -> String {
    let rows = table.rows.iter().chain(table.totals.iter());
    let rows = rows.map(|row| row.texts().collect::<Vec<_>>().join(" | "));
    let heading = table.columns.iter().map(|column| column.heading).collect::<Vec<_>>().join(" | ");
    std::iter::once(heading).chain(rows).map(|row| row + "\n").collect()
}

fn table<'a>(document: &'a Document, name: &str) -> &'a Table {
    let found = tables(document).into_iter().find(|table| table.name == name);
    found.unwrap_or_else(|| panic!("no table {name}"))
}

#[test]
fn a_report_is_written_as_csv_lines_with_texts_guarded_and_numbers_left_alone() {
    let csv = text_of(&report_document(&sample_report()), "csv");
    assert!(csv.lines().count() == csv.matches("\r\n").count(), "every line ends in CRLF");
    let csv = csv.strip_prefix('\u{feff}').expect("Excel reads UTF-8 by its byte order mark");
    let start = "tidegauge.usage-report-lines/1,8c7e9a3b-1f0d-4d8e-b1f9-2b6f6d1c0a55,4b7c1f0e-93a2-4a7d-8f65-1d2e3c4b5a69,\
                 2026-10,1,";
    let end = ",sha256:9f2c4a7be1d05f6378a4c2e1b09d8f7766554433221100ffeeddccbbaa998877";
    expect![[r#"
        schema,unit,license_id,month,revision,server,tenant,type,weight,initial_count,reported_count,new_count,rental_count,points,digest
        …vbr01,,VM,11,8,7,1,0,77…
        …vbr01,,Server,11,2,2,0,0,22…
        …vbr01,,Workstation,4,3,3,1,1,12…
        …vbr02,'=Čapek & Söhne,CloudConnectVM,5,3,3,0,0,15…
        …vbr02,Ωmega Ltd,FileShare,2.5,1,1,0,0,2.5…
    "#]]
    .assert_eq(&csv.replace("\r\n", "\n").replace(start, "…").replace(end, "…"));
}

#[test]
fn a_csv_text_that_a_spreadsheet_would_run_gets_an_apostrophe() {
    for start in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "  =1", "'=1", "＝1", "＋1", "－1", "＠x"] {
        let mut report = sample_report();
        report.lines.truncate(1);
        report.lines[0].tenant = Some(start.to_owned());
        let csv = text_of(&report_document(&report), "csv");
        assert!(csv.contains(&format!("'{start}")), "{start:?} stands unguarded in {csv:?}");
    }
}

#[test]
fn the_json_file_is_the_record_that_the_digest_covers_and_ends_with_a_newline() {
    let report = sample_report();
    let json = text_of(&report_document(&report), "json");
    assert!(json.ends_with("}\n"));
    let record: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let members = record.as_object().expect("an object");
    assert_eq!(members["total_points"], "128.5");
    assert_eq!(members["lines"][3]["tenant"], "=Čapek & Söhne");
    assert_eq!(members["digest"], report.digest);
    for absent in ["stage", "server_verdict", "external"] {
        assert!(!members.contains_key(absent), "{absent} changes later and may not stand in a file");
    }
}

#[test]
fn files_do_not_change_when_the_report_is_postponed_sealed_or_sent() {
    let report = sample_report();
    let later = sample::at("2026-11-11T00:00:00Z");
    let receipt = Receipt { id: "r".to_owned(), sha256: "00".to_owned(), received_at: later, verdict: None };
    let stages = [
        Stage::Postponed { until: later },
        Stage::Sending { sealed_at: later },
        Stage::Submitted { at: later, receipt },
    ];
    let before = report_document(&report);
    for stage in stages {
        let mut changed = report.clone();
        changed.stage = stage;
        changed.server_verdict = Some("open".to_owned());
        changed.external = External { portal: Some("Pulse".to_owned()), ..External::default() };
        for format in FORMATS {
            let same = (format.write)(&before, &Typefaces::default())
                == (format.write)(&report_document(&changed), &Typefaces::default());
            assert!(same, "{} changed with the stage", format.extension);
        }
    }
}

#[test]
fn a_format_writes_the_same_bytes_of_the_parts_that_it_shows() {
    let report = sample_report();
    let whole = report_document(&report);
    for format in FORMATS {
        let part = report_document_of(&report, format.shows);
        let same = (format.write)(&part, &Typefaces::default()) == (format.write)(&whole, &Typefaces::default());
        assert!(same, "{} shows more than it says", format.extension);
    }
}

#[test]
fn every_format_writes_the_same_bytes_twice_in_one_process() {
    let document = report_document(&sample_report());
    for format in FORMATS {
        let first = (format.write)(&document, &Typefaces::default());
        assert!(!first.is_empty());
        assert!(
            first == (format.write)(&document, &Typefaces::default()),
            "{} differs the second time",
            format.extension
        );
    }
}

#[test]
fn rows_give_back_the_cells_that_were_put_there() {
    let one = vec![Cell::Text("a".to_owned()), Cell::Empty, Cell::Number("-1.5".to_owned())];
    let other = vec![Cell::Date("2026-10-31".to_owned()), Cell::Text("Čapek".to_owned()), Cell::Number("0".to_owned())];
    let rows: Rows = [one.clone(), Vec::new(), other.clone()].into_iter().collect();
    let read = |row: Row<'_>| row.iter().map(|cell| format!("{cell:?}")).collect::<Vec<_>>();
    let put = |row: &[Cell]| row.iter().map(|cell| format!("{cell:?}")).collect::<Vec<_>>();
    assert_eq!(rows.iter().map(read).collect::<Vec<_>>(), [put(&one), Vec::new(), put(&other)]);
    assert_eq!(format!("{rows:?}"), format!("{:?}", [one, Vec::new(), other]));
    assert_eq!(
        rows.without(1).iter().map(|row| row.texts().collect()).collect::<Vec<Vec<_>>>(),
        [vec!["a", "-1.5"], vec![], vec!["2026-10-31", "0"],]
    );
    assert_eq!(rows.get(3).map(Row::len), None);
}

#[test]
fn a_text_that_rows_repeat_reads_as_if_each_had_it() {
    let mut rows = Rows::default();
    let (unit, nothing) = (rows.repeated("unit"), rows.repeated(""));
    for tenant in ["Čapek", ""] {
        rows.add(|mut row| {
            row.repeat(unit);
            row.text(tenant);
            row.repeat(nothing);
            row.number(7);
        });
    }
    let (text, number) = (Cell::Text, Cell::Number("7"));
    assert_eq!(
        rows.iter().map(|row| row.iter().collect()).collect::<Vec<Vec<_>>>(),
        [[text("unit"), text("Čapek"), Cell::Empty, number], [text("unit"), Cell::Empty, Cell::Empty, number],]
    );
    let last = rows.get(1).map(|row| [0, 1, 2, 3].map(|n| row.get(n).map(|cell| cell.shown().to_owned())));
    assert_eq!(last, Some(["unit", "", "", "7"].map(|shown| Some(shown.to_owned()))));
    assert_eq!(rows.without(0).iter().map(Row::len).collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn csv_of_many_and_of_very_long_texts_reads_back_as_it_was() {
    let mut report = sample_report();
    let line = report.lines[0].clone();
    let tenant = |n: usize| {
        format!("T{n} \"quoted\", and\r\n{}", "long ".repeat(if n.is_multiple_of(700) { 40_000 } else { n % 97 }))
    };
    report.lines = (0..2_000).map(|n| Line { tenant: Some(tenant(n)), ..line.clone() }).collect();
    let csv = text_of(&report_document(&report), "csv");
    let mut read = csv::Reader::from_reader(csv.as_bytes());
    let tenants = read.records().map(|record| record.expect("as many fields as names")[6].to_owned());
    assert!(tenants.eq((0..2_000).map(tenant)), "a tenant was changed");
}

#[test]
fn the_summary_counts_each_type_and_weight_and_rounds_the_total_up() {
    let mut report = sample_report();
    let mut heavier = report.lines[0].clone();
    (heavier.weight, heavier.reported_count, heavier.initial_count) = (sample::points("12"), 1, 1);
    heavier.points = sample::points("12");
    report.total_points += heavier.points;
    report.total_points_rounded = report.total_points.rounded_up();
    report.lines.push(heavier);
    expect![[r#"
        Type | As generated | Count | Multiplier | Points | New, not charged
        VM | 9 | 8 | 11-12 | 89 | 2
        VM, of them | 8 | 7 | 11 | 77 | 1
        VM, of them | 1 | 1 | 12 | 12 | 1
        Server | 2 | 2 | 11 | 22 | 0
        Workstation | 3 | 3 | 4 | 12 | 1
        File share | 1 | 1 | 2.5 | 2.5 | 0
        Cloud Connect VM | 3 | 3 | 5 | 15 | 0
        Total | 18 | 17 |  | 140.5 | 3
        Total (rounded up) |  |  |  | 141 | 
    "#]]
    .assert_eq(&drawn(table(&report_document(&report), "summary")));
}

#[test]
fn a_report_without_tenants_has_no_tenant_table_and_no_tenant_column() {
    let mut report = sample_report();
    report.lines.iter_mut().for_each(|line| line.tenant = None);
    report.workloads.iter_mut().for_each(|workload| workload.tenant = None);
    report.difference.iter_mut().flat_map(|found| &mut found.rows).for_each(|row| row.tenant = None);
    let document = report_document(&report);
    for table in tables(&document) {
        assert_ne!(table.name, "tenants");
        assert!(table.columns.iter().all(|column| column.heading != "Tenant"), "in {}", table.name);
    }
}

#[test]
fn new_rental_and_removed_workloads_are_listed_apart_from_the_counted_ones() {
    let document = report_document(&sample_report());
    let names = |name: &str| drawn(table(&document, name));
    expect![[r#"
        Name | Multiplier | Type | Job | Last processed | Note
        web-new | 11 | VM (VMware) | Daily | 2026-10-31 01:00 | First processed 2026-10-12
        laptop-kim | 4 | Workstation | Daily | 2026-10-31 01:00 | First processed 2026-10-29

        Name | Multiplier | Type | Job | Last processed | Note
        laptop-rent | 4 | Workstation | Daily | 2026-10-31 01:00 | Rental machine

        Name | Multiplier | Type | Job | Last processed | Note
        test07 | 11 | VM (VMware) | Daily | 2026-10-31 01:00 | Removed by licensing
    "#]]
    .assert_eq(&[names("new_workloads"), names("rental_machines"), names("removed_workloads")].join("\n"));
    assert!(!names("workloads").contains("test07"));
    expect![[r#"
        When (GMT) | Who | What | Before | After | Reason
        2026-11-02 08:30 | licensing | test07 | 11 | 0 | Test machine, deleted on the customer's request on 30 October
    "#]]
    .assert_eq(&names("adjustments"));
}

#[test]
fn every_row_has_a_cell_for_each_column() {
    let document = report_document(&sample_report_of(10));
    for table in tables(&document).into_iter().chain([&document.lines]) {
        for row in table.rows.iter().chain(table.totals.iter()) {
            assert_eq!(row.len(), table.columns.len(), "in {}", table.name);
        }
    }
}

#[test]
fn late_stale_missing_and_short_coverage_are_said_in_warnings() {
    let document = report_document(&sample_report());
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    let warnings = blocks.filter_map(|block| if let Block::Warning(text) = block { Some(text.as_str()) } else { None });
    expect![[r#"
        Not collected: vbr03. Its workloads are missing from every number here.
        Stale: vbr02 is counted by its last complete sample of 2026-10-31 20:00 GMT.
        Late: built 2026-11-01 02:10 GMT from what was sampled until 2026-11-01 00:00 GMT.
        Coverage: 720 of 744 expected samples are complete; a peak between them was not seen.
    "#]]
    .assert_eq(&warnings.map(|text| format!("{text}\n")).collect::<String>());
}

fn pages(pdf: &[u8]) -> usize {
    pdf.windows(11).filter(|window| window == b"/Type/Page/").count()
}

fn holds(pdf: &[u8], text: &str) -> bool {
    pdf.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_pdf_names_the_digest_as_its_id_and_the_hour_of_generation_as_its_date() {
    let pdf = file(&report_document(&sample_report()), "pdf");
    assert!(pdf.starts_with(b"%PDF-1."));
    assert!(holds(&pdf, "/ID[(9f2c4a7be1d05f6378a4c2e1b09d8f77)(66554433221100ffeeddccbbaa998877)]"));
    assert!(holds(&pdf, "/CreationDate(D:20261101021000+00'00')"));
    assert!(!holds(&pdf, "GTS_PDFX"), "it is no PDF/X and may not say so");
    assert_eq!(pages(&pdf), 4);
}

#[test]
fn a_pdf_embeds_only_the_characters_it_uses() {
    let pdf = file(&report_document(&sample_report()), "pdf");
    assert!(holds(&pdf, "TIDEGA+DejaVuSans") && holds(&pdf, "TIDEGB+DejaVuSans-Bold"));
    assert!(pdf.len() < 100_000, "{} bytes are more than a subset needs", pdf.len());
}

#[test]
fn a_pdf_of_ten_thousand_workloads_repeats_itself_and_stays_small() {
    let document = report_document(&sample_report_of(10_000));
    let pdf = file(&document, "pdf");
    assert!((150..400).contains(&pages(&pdf)), "{} pages", pages(&pdf));
    assert!(pdf.len() < 2_000_000, "{} bytes", pdf.len());
    assert!(pdf == file(&document, "pdf"), "the second time differs");
}

#[test]
fn a_pdf_takes_a_document_without_sections_and_a_table_without_columns() {
    let mut document = Document::default();
    assert_eq!(pages(&file(&document, "pdf")), 1);
    let table = Table { name: "empty", rows: vec![Vec::<Cell>::new(); 200].into_iter().collect(), ..Table::default() };
    document.sections = vec![Section { heading: String::new(), blocks: vec![Block::Table(table)] }];
    assert!(pages(&file(&document, "pdf")) > 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_name_from_outside_breaks_a_file(name in "\\PC{0,300}|(?s).{0,60}", job in any::<String>()) {
        let mut report = sample_report();
        report.workloads[0].name = name.clone();
        report.workloads[1].job = Some(job.clone());
        report.license.licensed_to = Some(job);
        report.lines[0].tenant = Some(name);
        let document = report_document(&report);
        for format in FORMATS {
            prop_assert!(!(format.write)(&document, &Typefaces::default()).is_empty());
        }
    }
}

fn monthly_chart() -> Chart {
    let month = |(label, mark, reported): (&str, Option<i64>, Option<i64>)| ChartPoint {
        label: label.to_owned(),
        mark: mark.map(Into::into),
        reported: reported.map(Into::into),
    };
    let months = [("2026-07", Some(900), Some(880)), ("2026-08", None, None), ("2026-09", Some(1320), Some(1298))];
    Chart {
        title: "High watermark & reported <points>".to_owned(),
        mark_name: "High watermark".to_owned(),
        reported_name: "Reported".to_owned(),
        points: months.into_iter().map(month).collect(),
        level: None,
    }
}

#[test]
fn a_chart_says_in_words_what_it_shows_and_draws_the_same_twice() {
    let svg = watermark_chart(&monthly_chart());
    assert_eq!(svg, watermark_chart(&monthly_chart()));
    assert!(svg.contains("<title>High watermark &amp; reported &lt;points&gt;</title>"));
    let words =
        "<desc>High watermark: highest 1320 at 2026-09. Reported: 1298. 1 of 3 without a complete sample.</desc>";
    assert!(svg.contains(words), "{svg}");
    for label in ["2026-07", "2026-08", "2026-09"] {
        assert!(svg.contains(label), "{label} is missing below the chart");
    }
    assert_eq!(svg.matches("<svg").count(), 1);
    assert!(svg.trim_end().ends_with("</svg>"));
}

#[test]
fn a_chart_without_points_is_an_empty_frame() {
    let svg = watermark_chart(&Chart::default());
    assert!(svg.contains("</svg>"));
}

#[test]
fn the_digest_covers_the_json_file_without_its_own_line() {
    let mut report = sample_report();
    report.digest = digest_of(&report);
    let mut record: serde_json::Value = serde_json::from_slice(&file(&report_document(&report), "json")).expect("JSON");
    let stated = record.as_object_mut().expect("an object").remove("digest").expect("the digest");
    let bytes = tidegauge::seal::canonical::bytes(&record);
    assert_eq!(stated, format!("sha256:{}", tidegauge::seal::digest::sha256_hex(&bytes)));
}
