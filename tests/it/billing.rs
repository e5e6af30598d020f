//! Money: the price book's text, prices in force, exact amounts, documents that add up.

mod charging; // tiers, minimums, rounding, costs
pub mod documents; // documents of a month, corrections
mod exports; // lines and statements
pub mod focus; // FOCUS 1.2 rows
mod price_book; // the text, and what it cannot say
mod profile; // files for accounting programs
mod properties; // lines, totals and documents of random books and reports
mod pseudonyms; // no name in any export
mod reconciliation; // the supplier's invoice against report and lines

use rust_decimal::Decimal;
use serde_json::json;
use tidegauge::billing::charge::{Charge, charge};
use tidegauge::billing::price_book::PriceBook;
use tidegauge::domain::license::License;
use tidegauge::domain::report::{Line, Reason, ReportedWorkload, UsageReport, report_id};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Month, Points};

pub fn book(text: &str) -> PriceBook {
    PriceBook::parse("prices.toml", text).unwrap_or_else(|why| panic!("{why}"))
}

/// A book in euros, rounded by line, with these prices.
pub fn euros(prices: &str) -> PriceBook {
    book(&format!("currency = \"EUR\"\nrounding = \"line\"\n{prices}"))
}

pub fn month(text: &str) -> Month {
    text.parse().expect("tests write months as 2026-10")
}

pub fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

pub fn line(tenant: Option<&str>, kind: WorkloadType, weight: &str, count: u64) -> Line {
    let weight: Points = weight.parse().expect("points");
    Line {
        server: "vbr01".to_owned(),
        tenant: tenant.map(str::to_owned),
        kind,
        weight,
        initial_count: count,
        reported_count: count,
        new_count: 0,
        rental_count: 0,
        points: weight * count,
    }
}

/// A line of virtual machines of 11 points.
pub fn vms(tenant: &str, count: u64) -> Line {
    line(Some(tenant), WorkloadType::Vm, "11", count)
}

/// October's report of a unit, with a workload for each count.
pub fn report(unit: &str, revision: u32, lines: Vec<Line>) -> UsageReport {
    let of = |(place, line): (usize, &Line)| {
        let line = line.clone();
        (0..line.reported_count).map(move |n| ReportedWorkload {
            id: format!("{unit}-{}-{place}-{n}", line.tenant.as_deref().unwrap_or_default()),
            name: format!("vm{n}"),
            server: line.server.clone(),
            tenant: line.tenant.clone(),
            kind: line.kind.clone(),
            platform: None,
            weight: line.weight,
            points: line.weight,
            job: None,
            last_restore_point_at: None,
            counted: true,
            reason: Reason::Protected,
            note: None,
        })
    };
    let workloads: Vec<ReportedWorkload> = lines.iter().enumerate().flat_map(of).collect();
    let total: Points = lines.iter().map(|line| line.points).sum();
    let at = "2026-11-01T00:00:00Z";
    serde_json::from_value(json!({
        "schema": "tidegauge.usage-report/1", "id": report_id(unit, month("2026-10"), revision), "unit": unit,
        "month": "2026-10", "revision": revision, "license_id": null, "contract_id": null, "installations": [],
        "stage": "awaiting_review", "server_verdict": null, "external": {"portal": null, "document": null},
        "generated_at": at, "basis": {"as_of": at, "late": false, "stale": []}, "license": License::default(),
        "total_points": total, "total_points_rounded": total.rounded_up(), "lines": lines, "workloads": workloads,
        "adjustments": [], "daily": [], "coverage": {"expected": 1, "complete": 1}, "not_collected": [],
        "digest": format!("sha256:{unit}-{revision}"),
    }))
    .expect("a report")
}

pub fn charged(book: &PriceBook, of: &str, lines: &[Line]) -> Charge {
    charge(book, month(of), &[&report("unit", 1, lines.to_vec())]).expect("prices are in force")
}

/// Tenant, what, points, unit price and amount of each line.
pub fn shown(charge: &Charge) -> Vec<String> {
    use tidegauge::billing::line::What;
    let text = |(key, (amounts, _)): (&tidegauge::billing::line::LineKey, &_)| {
        let amounts: &tidegauge::billing::line::Amounts = amounts;
        let price = match &key.what {
            What::Usage(usage) => format!(" {} × {}", amounts.points, usage.rate.unit_price),
            What::Minimum { minimum } | What::MinimumTotal { minimum } => format!(" of {minimum}"),
            What::Rounding => String::new(),
        };
        format!("{}: {}{price} = {}", key.tenant, key.what.as_str(), amounts.amount)
    };
    charge.lines.iter().map(text).collect()
}
