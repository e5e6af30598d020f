//! `billing reconcile`: the supplier's invoice beside the report and the tenants' lines.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::agent::{Query, Refused};
use crate::cli::session::Session;
use crate::cli::table::{Column, Table, dashed, list, word};
use crate::domain::{Instant, Month};

#[derive(Debug, Args)]
pub struct Reconcile {
    /// The supplier's invoice: a CSV file with a header, in UTF-8
    #[arg(long, value_name = "FILE")]
    supplier_invoice: PathBuf,
    /// The month it is for, such as 2026-10
    #[arg(long, value_name = "MONTH")]
    month: Month,
    /// By how much money of a type may differ, such as 0.05
    #[arg(long, value_name = "AMOUNT", default_value = "0", value_parser = tolerance)]
    tolerance: Decimal,
}

fn tolerance(text: &str) -> Result<Decimal, String> {
    let amount = Decimal::from_str_exact(text).ok().filter(|amount| !amount.is_sign_negative());
    amount.ok_or_else(|| "write an amount from zero on, such as 0.05".to_owned())
}

pub fn run(session: &mut Session<'_>, how: &Reconcile) -> Result<(), Refused> {
    let text = session.read_text(&how.supplier_invoice)?;
    let file = how.supplier_invoice.display().to_string();
    let found = session.ask(&Query::Reconcile { month: how.month, file, text, tolerance: how.tolerance })?;
    session.show(&found, shown)?;
    if found["equal"] == true {
        return Ok(());
    }
    let why = format!(
        "the supplier's invoice, the report and the lines of {} differ; each difference is named above",
        how.month
    );
    Err(Refused::new(8, why))
}

fn shown(found: &Value, _: Instant) -> String {
    let mut text = String::new();
    for remark in list(found, "remarks").iter().filter_map(Value::as_str) {
        let _ = writeln!(text, "! {remark}");
    }
    let mut rows = Table::new(&[
        Column::Left("tenant"),
        Column::Left("type"),
        Column::Left(""),
        Column::Right("supplier"),
        Column::Right("report"),
        Column::Right("lines"),
        Column::Left("difference"),
    ]);
    for row in list(found, "rows") {
        let tenant = if row["tenant"].is_null() { "(all)".to_owned() } else { word(row, "tenant") };
        let names = [tenant, word(row, "type")];
        measures(&mut rows, names, row, row);
    }
    measures(&mut rows, ["total".to_owned(), String::new()], &found["total"], &Value::Null);
    text.push_str(&rows.text("nothing to compare"));
    if found["equal"] == true {
        let _ = writeln!(text, "\nequal: {} {}", word(found, "month"), word(found, "currency"));
    }
    text
}

/// One line a measure; money is in the supplier's invoice and, as what it should ask, in the lines.
fn measures(rows: &mut Table, [tenant, kind]: [String; 2], of: &Value, compared: &Value) {
    for measure in ["workloads", "points", "amount"] {
        let sides = ["supplier_invoice", "report", "tenant_lines"].map(|side| dashed(&of[side], measure));
        if sides.iter().all(|side| side == "-") {
            continue;
        }
        let here = list(compared, "differences").iter().filter(|difference| difference["measure"] == measure);
        let named: Vec<String> = here.map(named).collect();
        let [supplier, report, lines] = sides;
        rows.row([tenant.clone(), kind.clone(), measure.to_owned(), supplier, report, lines, named.join(", ")]);
    }
}

fn named(difference: &Value) -> String {
    let side = |place: usize| match difference["between"][place].as_str() {
        Some("supplier_invoice") => "supplier",
        Some("report") => "report",
        _ => "lines",
    };
    let by = word(difference, "by");
    let signed = if by.starts_with('-') { by } else { format!("+{by}") };
    format!("{} {signed} to {}", side(0), side(1))
}
