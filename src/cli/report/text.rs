//! Reports as text.

use std::fmt::Write;

use serde_json::Value;

use super::super::table::{Column, Table, dashed, list as rows, minute, short, word};
use super::super::watermark::days;
use super::approving::proposed;
use crate::domain::Instant;

/// Workloads printed; the files hold them all.
const WORKLOADS_SHOWN: usize = 50;

/// A row a report.
pub fn list(reports: &[Value]) -> String {
    let mut table = Table::new(&[
        Column::Left("month"),
        Column::Left("rev"),
        Column::Left("unit"),
        Column::Left("stage"),
        Column::Right("points"),
        Column::Left("generated"),
        Column::Left("entered in"),
    ]);
    for report in reports {
        table.row([
            word(report, "month"),
            word(report, "revision"),
            short(report, "unit"),
            stage(report),
            word(report, "total_points"),
            minute(report, "generated_at"),
            dashed(&report["external"], "portal"),
        ]);
    }
    table.text("there is no report yet; it is built at 00:00 GMT on the 1st")
}

/// What an act left behind, in two lines.
pub fn changed(report: &Value, _: Instant) -> String {
    heading(report)
}

/// One report in full.
pub fn report(report: &Value, _: Instant) -> String {
    let mut text = heading(report);
    for absent in rows(report, "not_collected") {
        let _ = writeln!(text, "! not collected: {absent}");
    }
    let _ = write!(text, "\n{}\n{}", lines(report), workloads(report));
    if !rows(report, "adjust_grid").is_empty() {
        let _ = write!(text, "\nMachines of tenants\n{}", grid(report));
    }
    if !rows(report, "adjustments").is_empty() {
        let _ = write!(text, "\nAdjustments\n{}", adjustments(report));
    }
    let _ = write!(text, "\nHigh watermarks\n{}", days(rows(report, "daily")));
    text
}

/// An adjustment that was made, with its effect and what can be lowered further.
pub fn adjusted(report: &Value, now: Instant) -> String {
    if report["schema"] == "tidegauge.proposed-adjustment/1" {
        return proposed(report) + &super::super::gate::effect(&report["effect"], now);
    }
    let grid = if rows(report, "adjust_grid").is_empty() { String::new() } else { grid(report) };
    heading(report) + &super::super::gate::effect(&report["effect"], now) + &grid
}

fn heading(report: &Value) -> String {
    let mut text = format!(
        "report {} r{} of unit {}: {} points, {}\n",
        word(report, "month"),
        word(report, "revision"),
        word(report, "unit"),
        word(report, "total_points"),
        stage(report),
    );
    let external = &report["external"];
    if !external["portal"].is_null() {
        let _ = writeln!(text, "entered in {} as {}", word(external, "portal"), dashed(external, "document"));
    }
    let of = |state: &str| rows(report, "proposed_adjustments").iter().filter(|one| one["state"] == state).count();
    match of("lapsed") {
        0 => {}
        count => text.push_str(&format!("{count} proposed adjustments lapsed: nobody approved them before it went\n")),
    }
    match of("open") {
        0 => {}
        count => text.push_str(&format!("{count} proposed adjustments wait for a second person: report proposals\n")),
    }
    text
}

fn stage(report: &Value) -> String {
    word(report, "stage").replace('_', " ")
}

fn lines(report: &Value) -> String {
    let mut table = Table::new(&[
        Column::Left("server"),
        Column::Left("tenant"),
        Column::Left("type"),
        Column::Right("weight"),
        Column::Right("count"),
        Column::Right("reported"),
        Column::Right("new"),
        Column::Right("rental"),
        Column::Right("points"),
    ]);
    for line in rows(report, "lines") {
        let numbers = ["weight", "initial_count", "reported_count", "new_count", "rental_count", "points"];
        let names = [word(line, "server"), dashed(line, "tenant"), word(line, "type")];
        table.row(names.into_iter().chain(numbers.map(|number| word(line, number))));
    }
    table.text("no lines")
}

/// What `report adjust --tenant NAME --type TYPE --to N` lowers.
fn grid(report: &Value) -> String {
    let columns = [Column::Left("tenant"), Column::Left("type"), Column::Right("count"), Column::Left("note")];
    let mut table = Table::new(&columns);
    for row in rows(report, "adjust_grid") {
        table.row([dashed(row, "tenant"), word(row, "type"), word(row, "count"), dashed(row, "note")]);
    }
    table.text("none")
}

fn workloads(report: &Value) -> String {
    let all = rows(report, "workloads");
    let mut table = Table::new(&[
        Column::Left("workload"),
        Column::Left("type"),
        Column::Right("points"),
        Column::Left("reason"),
        Column::Left("last restore point"),
        Column::Left("job"),
    ]);
    for workload in all.iter().take(WORKLOADS_SHOWN) {
        table.row([
            word(workload, "name"),
            word(workload, "type"),
            word(workload, "points"),
            word(workload, "reason"),
            minute(workload, "last_restore_point_at"),
            dashed(workload, "job"),
        ]);
    }
    let mut text = table.text("no workloads are named");
    if all.len() > WORKLOADS_SHOWN {
        let _ = writeln!(text, "… and {} more; --json or `report save` has them all", all.len() - WORKLOADS_SHOWN);
    }
    text
}

fn adjustments(report: &Value) -> String {
    let mut table = Table::new(&[
        Column::Left("at"),
        Column::Left("by"),
        Column::Left("what"),
        Column::Right("before"),
        Column::Right("after"),
        Column::Left("reason"),
    ]);
    for change in rows(report, "adjustments") {
        let what = match change["workload"].is_null() {
            true => format!("{} {}", dashed(change, "tenant"), word(change, "type")),
            false => word(change, "workload"),
        };
        let before_after = [word(change, "before"), word(change, "after"), word(change, "reason")];
        table.row([minute(change, "at"), word(change, "by"), what].into_iter().chain(before_after));
    }
    table.text("none")
}
