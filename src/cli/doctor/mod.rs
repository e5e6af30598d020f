//! `doctor`: what is looked at, what was found, and what to do about it.

mod far_sides;
mod here;
mod secrets;
mod sources;
mod store;

use clap::Args;
use serde_json::{Value, json};

use super::session::Session;
use super::table::{Column, Table, list, word};
use crate::agent::Refused;
use crate::domain::Instant;

/// Options of `doctor`.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Asked {
    /// Logs in to each source too and reads it once as a sample does; nothing is kept
    #[arg(long)]
    read: bool,
}

/// What was looked at, and what came of it.
struct Check {
    name: String,
    found: Found,
    /// Empty when all is well.
    what_to_do: &'static str,
}

/// What a check found.
enum Found {
    Well(String),
    /// Worth knowing; the exit code does not tell it.
    Warning(String),
    /// Not well, with the exit code.
    Failed(Refused),
}

impl Check {
    fn well(name: impl Into<String>, detail: impl Into<String>) -> Check {
        Check { name: name.into(), found: Found::Well(detail.into()), what_to_do: "" }
    }

    fn warning(name: impl Into<String>, detail: impl Into<String>, what_to_do: &'static str) -> Check {
        Check { name: name.into(), found: Found::Warning(detail.into()), what_to_do }
    }

    fn failed(name: impl Into<String>, refused: Refused, what_to_do: &'static str) -> Check {
        Check { name: name.into(), found: Found::Failed(refused), what_to_do }
    }
}

pub fn run(session: &mut Session<'_>, asked: Asked) -> Result<(), Refused> {
    let (findings, worst) = examined(session, asked)?;
    session.show(&findings, text)?;
    worst.map_or(Ok(()), Err)
}

/// Every finding as `--json` shows it, and the worst as a refusal.
///
/// # Errors
/// [`Refused`] when the settings cannot be read.
pub fn examined(session: &mut Session<'_>, asked: Asked) -> Result<(Value, Option<Refused>), Refused> {
    let settings = session.settings()?;
    let mut checks = here::checks(session, &settings);
    checks.extend(store::checks(session));
    checks.extend(secrets::checks(&settings));
    checks.extend(far_sides::checks(session, &settings)?);
    if asked.read {
        checks.extend(sources::checks(session, &settings)?);
    }
    let rows: Vec<Value> = checks.iter().map(row).collect();
    let failed = checks.iter().filter_map(|check| match &check.found {
        Found::Failed(refused) => Some((check, refused.code)),
        Found::Well(_) | Found::Warning(_) => None,
    });
    let worst = failed.max_by_key(|(_, code)| *code);
    let worst = worst.map(|(check, code)| Refused::new(code, format!("{} is not well", check.name)));
    Ok((json!({"schema": "tidegauge.doctor/1", "checks": rows}), worst))
}

fn row(check: &Check) -> Value {
    let (state, detail) = match &check.found {
        Found::Well(detail) => ("ok", detail),
        Found::Warning(detail) => ("warning", detail),
        Found::Failed(refused) => ("failed", &refused.why),
    };
    let what_to_do = Some(check.what_to_do).filter(|words| !words.is_empty());
    json!({"name": check.name, "state": state, "detail": detail, "what_to_do": what_to_do})
}

/// The table, and below it what to do about what is not well.
fn text(doctor: &Value, _: Instant) -> String {
    let mut table = Table::new(&[Column::Left("what"), Column::Left("state"), Column::Left("detail")]);
    let mut deeds = String::new();
    for check in list(doctor, "checks") {
        table.row([word(check, "name"), word(check, "state"), word(check, "detail")]);
        if let Some(what_to_do) = check["what_to_do"].as_str() {
            deeds += &format!("{}: {what_to_do}\n", word(check, "name"));
        }
    }
    let table = table.text("nothing to check");
    if deeds.is_empty() { table } else { format!("{table}\nWhat to do:\n{deeds}") }
}
