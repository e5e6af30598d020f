//! `report explain`: the difference to last month's report, then the one to the highest watermark.

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::agent::{Query, Refused};
use crate::cli::arguments::{ReportArgs, UnitArgs};
use crate::cli::gate;
use crate::cli::session::Session;
use crate::cli::table::{Column, Table, list, word};
use crate::domain::Instant;

/// What `report explain` is asked.
#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    which: ReportArgs,
    /// How the difference to last month is grouped
    #[arg(long, value_enum, default_value_t = Grouped::Cause)]
    by: Grouped,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Grouped {
    Cause,
    Tenant,
}

pub fn run(session: &mut Session<'_>, asked: &Explain) -> Result<(), Refused> {
    let ReportArgs { unit: UnitArgs { unit, server }, month } = asked.which.clone();
    let query = Query::Explain { unit, server, month };
    match asked.by {
        Grouped::Cause => session.ask_and_show(&query, by_cause),
        Grouped::Tenant => session.ask_and_show(&query, by_tenant),
    }
}

fn by_cause(explained: &Value, now: Instant) -> String {
    let mut table = Table::new(&[Column::Left("cause"), Column::Right("workloads"), Column::Right("points")]);
    for row in list(&explained["difference"], "by_cause") {
        table.row(["in_words", "workloads", "points"].map(|field| word(row, field)));
    }
    text(explained, &table, now)
}

fn by_tenant(explained: &Value, now: Instant) -> String {
    let mut table = Table::new(&[
        Column::Left("tenant"),
        Column::Left("cause"),
        Column::Right("workloads"),
        Column::Right("points"),
    ]);
    for tenant in list(&explained["difference"], "by_tenant") {
        let name = if tenant["tenant"].is_null() { "(none)".to_owned() } else { word(tenant, "tenant") };
        for row in list(tenant, "causes") {
            let [cause, workloads, points] = ["in_words", "workloads", "points"].map(|field| word(row, field));
            table.row([name.clone(), cause, workloads, points]);
        }
        table.row([name, "in total".to_owned(), String::new(), word(tenant, "points")]);
    }
    text(explained, &table, now)
}

fn text(explained: &Value, table: &Table, now: Instant) -> String {
    let difference = &explained["difference"];
    if difference.is_null() {
        return gate::text(explained, now);
    }
    let mut text = format!("report {}: {}\n", word(difference, "month"), word(difference, "in_words"));
    if !list(difference, "rows").is_empty() {
        text.push_str(&format!("\n{}", table.text("")));
    }
    if let Some(stands) = difference.get("previous_now").filter(|stands| !stands.is_null()) {
        let (revision, total) = (word(stands, "revision"), word(stands, "total_points"));
        text.push_str(&format!(
            "last month's report was changed since: it stands at revision {revision}, {total} points\n"
        ));
    }
    text + "\n" + &gate::text(explained, now)
}
