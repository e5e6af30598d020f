//! The HTML file: one file that loads nothing, whose tables programs can read, whose foreign text is text.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use tidegauge::rules::report_document::report_document;

use super::read_back::Columns;
use super::sample::{sample_report, sample_report_of};
use super::{file, text_of};

/// A page as a program reads it, tables by their stable names.
#[derive(Default)]
pub struct Page {
    pub digest: String,
    pub rows: BTreeMap<String, Columns>,
    pub totals: BTreeMap<String, Columns>,
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).expect("attributes are well-formed")?;
    Some(found.normalized_value(quick_xml::XmlVersion::Implicit1_0).expect("known entities").into_owned())
}

/// Where the reading stands.
#[derive(Default)]
struct Reading {
    page: Page,
    table: Option<String>,
    /// The stable names of the table's columns.
    names: Vec<String>,
    /// Cells of this row that are read.
    at: usize,
    cell: Option<String>,
    in_head: bool,
    in_totals: bool,
}

impl Reading {
    fn begin(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "table" => {
                self.table = attribute(tag, "data-table");
                self.names.clear();
            }
            "thead" => self.in_head = true,
            "tfoot" => self.in_totals = true,
            "tr" => self.at = 0,
            "th" if self.in_head => self.names.extend(attribute(tag, "data-column")),
            "th" | "td" => self.cell = Some(String::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: &str) {
        match tag {
            "thead" => {
                self.in_head = false;
                // A table without rows has its columns all the same.
                let columns = self.page.rows.entry(self.table.clone().unwrap_or_default()).or_default();
                for name in &self.names {
                    columns.entry(name.clone()).or_default();
                }
            }
            "tfoot" => self.in_totals = false,
            "th" | "td" => {
                let (Some(cell), Some(table)) = (self.cell.take(), &self.table) else { return };
                let tables = if self.in_totals { &mut self.page.totals } else { &mut self.page.rows };
                let columns = tables.entry(table.clone()).or_default();
                columns.entry(self.names[self.at].clone()).or_default().push(cell);
                self.at += 1;
            }
            _ => {}
        }
    }

    fn say(&mut self, text: &str) {
        if let Some(cell) = &mut self.cell {
            cell.push_str(text);
        }
    }
}

/// Reads the page as XML: what is not well-formed ends the test.
pub fn read(bytes: &[u8]) -> Page {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).expect("UTF-8"));
    let mut reading = Reading::default();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(tag) => reading.begin(&tag),
            Event::End(tag) => reading.end(tag.local_name().as_ref()),
            Event::Empty(tag) if attribute(&tag, "name").as_deref() == Some("tidegauge-digest") => {
                reading.page.digest = attribute(&tag, "content").expect("a digest");
            }
            Event::Text(text) => reading.say(&text),
            Event::GeneralRef(reference) => {
                let sign = reference.resolve_char_ref().expect("a number").expect("askama writes numbers");
                reading.say(&sign.to_string());
            }
            Event::Eof => return reading.page,
            _ => {}
        }
    }
}

#[test]
fn a_page_runs_nothing_and_loads_nothing() {
    let html = text_of(&report_document(&sample_report()), "html");
    for absent in
        ["<script", "<link", "<img", "<iframe", "@import", "url(", " src=", "http-equiv=\"refresh\"", "onload"]
    {
        assert!(!html.contains(absent), "{absent} is in the page");
    }
    let addresses = html.matches("http").count();
    let named = html.matches("http://www.w3.org/2000/svg").count() + html.matches("http-equiv").count();
    assert_eq!(addresses, named, "only the namespace of SVG is an address");
    assert!(
        html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"")
    );
}

#[test]
fn a_name_from_outside_is_text_in_its_own_direction() {
    let mut report = sample_report();
    report.workloads[0].name = "<b>שרת</b> & \"co\"".to_owned();
    let html = text_of(&report_document(&report), "html");
    assert!(
        html.contains("<th scope=\"row\" dir=\"auto\">&#60;b&#62;שרת&#60;/b&#62; &#38; &#34;co&#34;</th>"),
        "{html}"
    );
}

#[test]
fn a_page_has_a_language_a_title_the_digest_twice_and_a_link_to_each_section() {
    let report = sample_report();
    let document = report_document(&report);
    let html = text_of(&document, "html");
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"));
    assert!(html.contains("<title>Usage report October 2026 · Example Provider s.r.o."));
    assert!(html.contains(&format!("<meta name=\"tidegauge-digest\" content=\"{}\"/>", report.digest)));
    assert!(html.contains(&format!("Digest <code>{}</code>", report.digest)));
    for (n, section) in document.sections.iter().enumerate().filter(|(_, section)| !section.heading.is_empty()) {
        assert!(html.contains(&format!("href=\"#section-{n}\"")), "no link to {}", section.heading);
        assert!(html.contains(&format!("<section id=\"section-{n}\"")));
    }
}

#[test]
fn behind_the_chart_stands_a_table_with_its_gaps() {
    let html = text_of(&report_document(&sample_report()), "html");
    assert_eq!(html.matches("<svg").count(), 1);
    assert!(html.contains("<tr><th scope=\"row\">8</th><td class=\"r\">108.5</td><td class=\"r\">128.5</td></tr>"));
    assert!(html.contains("<tr><th scope=\"row\">9</th><td class=\"r\">–</td><td class=\"r\">128.5</td></tr>"));
}

#[test]
fn a_page_of_ten_thousand_workloads_has_a_row_for_each_and_stays_small() {
    let page = file(&report_document(&sample_report_of(10_000)), "html");
    assert!(page.len() < 4_000_000, "{} bytes", page.len());
    assert_eq!(read(&page).rows["workloads"]["name"].len(), 10_011);
}
