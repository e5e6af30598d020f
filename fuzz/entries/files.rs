//! Files that people write: price books, points tables, suppliers' invoices, settings.

use std::sync::LazyLock;

use tidegauge::billing::export::{Beside, EXPORTS};
use tidegauge::billing::invoice::{Bill, Invoice, Standing};
use tidegauge::billing::price_book::PriceBook;
use tidegauge::billing::supplier_invoice::{Reading, read};
use tidegauge::config::{Flags, Settings, Written};
use tidegauge::document::delimited::DecimalSign;
use tidegauge::domain::report::UsageReport;
use tidegauge::domain::workload::WORKLOAD_TYPES;
use tidegauge::rules::points_table;

/// October's report of a unit: what is charged.
static REPORT: LazyLock<UsageReport> =
    LazyLock::new(|| serde_json::from_str(include_str!("report.json")).expect("a report"));

static BOOK: LazyLock<PriceBook> = LazyLock::new(|| {
    PriceBook::parse("prices.toml", include_str!("../../packaging/prices.toml")).expect("the packaged price book")
});

static INVOICE: LazyLock<Invoice> = LazyLock::new(|| drawn_up(&BOOK).expect("the packaged prices are in force"));

/// The document of the report by this book.
fn drawn_up(book: &PriceBook) -> Option<Invoice> {
    let reports = [&*REPORT];
    let agent = serde_json::from_str("\"00000000-0000-0000-0000-000000000001\"").expect("an id");
    let bill = Bill { agent, book, month: REPORT.month, reports: &reports, issued: &[] };
    bill.draw_up(Standing::Draft { why: Vec::new() }).ok().flatten()
}

/// The book, what it charges for a report, and every export of that.
pub fn price_book(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(book) = PriceBook::parse("prices.toml", text) else { return };
    for (kind, _) in &WORKLOAD_TYPES {
        for tenant in ["Tenant A", "", "(no tenant)"] {
            book.price_of(REPORT.month, tenant, kind);
            book.minimum_of(REPORT.month, tenant);
        }
        book.list_price(REPORT.month, kind);
        book.cost_of(REPORT.month, kind);
    }
    book.minimum_total(REPORT.month);
    let Some(invoice) = drawn_up(&book) else { return };
    let beside = Beside::default();
    EXPORTS.iter().for_each(|export| drop((export.sheets)(&invoice, &beside)));
}

pub fn points_table(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = points_table::read("points.toml", text);
    let _ = Settings::default().take_points_table("points.toml", text);
}

/// By both decimal signs.
pub fn supplier_invoice(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for decimal in [DecimalSign::Point, DecimalSign::Comma] {
        let _ = read("invoice.csv", text, &Reading { decimal, ..Reading::default() }, &BOOK);
    }
}

/// The file, and behind a zero byte lines of variables: `TIDEGAUGE_MAIL__HOST=…`.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (file, variables) = text.split_once('\0').unwrap_or((text, ""));
    let pairs = variables.lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let written = Written { name: "tidegauge.toml", text: file };
    match Settings::read(Some(written), pairs, &Flags::default()) {
        Err(refusals) => drop(refusals.to_string()),
        Ok(settings) => {
            settings.in_force();
            settings.peers();
            settings.policy();
            settings.billing_profiles.iter().for_each(|profile| drop(profile.sheet(&INVOICE)));
        }
    }
}
