//! `license-server fleet`: every reporting unit, and what needs care first.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::super::session::Session;
use super::super::table::{Column, Table, or};
use super::database::DatabaseAt;
use super::way::Way;
use crate::agent::Refused;
use crate::formats::delimited;
use crate::license_server::{Fleet, FleetPage, FleetPick, FleetRow, PAGES_MAX};

#[derive(Debug, Args)]
pub struct Looked {
    /// Only rows that need somebody's care; the summary counts all
    #[arg(long)]
    needs_care: bool,
    /// Writes the rows to this file, and prints the summary alone
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

pub fn run(session: &mut Session<'_>, at: &DatabaseAt, looked: &Looked) -> Result<(), Refused> {
    let pick = if looked.needs_care { FleetPick::NeedsCare } else { FleetPick::All };
    let fleet = whole(session, at, pick)?;
    if let Some(file) = &looked.csv {
        return save(session, &fleet, file);
    }
    if session.global.json {
        return print(session, &fleet);
    }
    session.print(&format!("{}\n{}", fleet.summary.in_words(), table(&fleet.rows)))
}

/// Every page, as one.
fn whole(session: &Session<'_>, at: &DatabaseAt, pick: FleetPick) -> Result<Fleet, Refused> {
    let way = Way::open(session, at)?;
    let pick = match pick {
        FleetPick::All => "all",
        FleetPick::NeedsCare => "needs_care",
    };
    let mut fleet = Fleet::begun(session.hour().now);
    let mut after = String::new();
    for _ in 0..PAGES_MAX {
        let page: FleetPage = serde_json::from_value(way.list(&format!("fleet?pick={pick}&after={after}"))?)
            .map_err(|error| Refused::new(76, format!("an odd answer: {error}")))?;
        let next = page.next.clone();
        fleet.take(page);
        match next {
            Some(next) => after = next,
            None => return Ok(fleet.sorted()),
        }
    }
    Err(Refused::new(76, format!("the fleet did not end within {PAGES_MAX} pages")))
}

fn save(session: &mut Session<'_>, fleet: &Fleet, file: &Path) -> Result<(), Refused> {
    let bytes = delimited::write(&fleet.fields()).map_err(|why| Refused::new(65, why.to_string()))?;
    session.write(file, &bytes)?;
    if session.global.json {
        return print(
            session,
            &json!({
                "schema": "tidegauge.license-server-fleet-file/1",
                "path": file.display().to_string(),
                "bytes": bytes.len(),
                "rows": fleet.rows.len(),
                "summary": fleet.summary,
            }),
        );
    }
    session.print(&format!("{}\n{} rows are in {}\n", fleet.summary.in_words(), fleet.rows.len(), file.display()))
}

fn print(session: &mut Session<'_>, shown: &impl Serialize) -> Result<(), Refused> {
    let text = serde_json::to_string_pretty(shown).map_err(|error| Refused::new(1, error.to_string()))?;
    session.print(&format!("{text}\n"))
}

fn table(rows: &[FleetRow]) -> String {
    let mut table = Table::new(&[
        Column::Left("unit"),
        Column::Left("contract"),
        Column::Left("agent"),
        Column::Left("last contact"),
        Column::Left("version"),
        Column::Right("samples"),
        Column::Left("report"),
        Column::Left("valid to"),
        Column::Left("care"),
    ]);
    for row in rows {
        let dashed = |text: Option<String>| or(text.unwrap_or_default(), "-");
        let samples = row.coverage.map(|coverage| format!("{}/{}", coverage.complete, coverage.expected));
        let report = row.month.map(|month| format!("{month} {}", row.report.as_str().replace('_', " ")));
        table.row([
            dashed(row.unit.clone()),
            row.contract_id.clone(),
            dashed(row.agent_id.clone()),
            dashed(row.last_contact.map(|at| at.format("%Y-%m-%d %H:%M").to_string())),
            row.version.clone().unwrap_or_else(|| "unknown".to_owned()),
            dashed(samples),
            dashed(report),
            dashed(row.key_expires_on.map(|day| day.to_string())),
            dashed(Some(row.care_in_words())),
        ]);
    }
    table.text("nothing to show")
}
