//! The agent's answers as the page reads them: the JSON shapes of the contract, and only what is shown of them.

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::forms::Fields;
use crate::agent::Refused;
use crate::domain::license::License;
use crate::domain::report::External;
use crate::domain::watermark::Coverage;
use crate::domain::{Instant, Month, Points};

/// `tidegauge.status/1`.
#[derive(Debug, Deserialize)]
pub struct Status {
    pub agent: String,
    pub next: Vec<Next>,
    pub servers: Vec<Server>,
    pub open_reports: Vec<Report>,
    pub licenses: Vec<Licensed>,
    /// Sealed messages not answered yet.
    pub outbox: u64,
    /// News that somebody has not been told yet.
    pub untold: u64,
    pub warnings: Vec<String>,
}

/// A duty that is owed.
#[derive(Debug, Deserialize)]
pub struct Next {
    pub at: Instant,
    pub duty: String,
    pub why: String,
}

/// A backup server.
#[derive(Debug, Deserialize)]
pub struct Server {
    pub name: String,
    pub last_sample_at: Option<Instant>,
    pub state: ServerState,
    pub error: Option<String>,
    pub discrepancy: Option<String>,
}

/// How a server's newest sample stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    Fresh,
    Late,
    Unreachable,
}

/// `tidegauge.report-summary/1`.
#[derive(Debug, Deserialize)]
pub struct Report {
    pub unit: String,
    pub month: Month,
    pub revision: u32,
    pub stage: StageName,
    pub total_points: Points,
    pub total_points_rounded: Points,
    pub late: bool,
    pub due: DueName,
    pub days_left: i64,
    pub external: External,
    pub not_collected: Vec<String>,
    pub coverage: Coverage,
    /// The difference to last month's report in one sentence; reports of earlier versions have none.
    pub difference_in_words: Option<String>,
}

/// Where a report stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    AwaitingReview,
    Postponed,
    Sending,
    Submitted,
}

/// Which deadline a report is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DueName {
    AutoSubmit,
    Manual,
    Portal,
}

/// `tidegauge.license/1`.
#[derive(Debug, Deserialize)]
pub struct Licensed {
    pub unit: String,
    pub servers: Vec<String>,
    pub license: License,
    pub days_left: Option<i64>,
    pub state: LicenseState,
    pub points_text: Option<String>,
    pub expiration_text: Option<String>,
    pub dates: Option<LicenseDates>,
    pub installed: Option<Installed>,
    pub auto_update: bool,
    pub window: Option<Window>,
    pub next_check_at: Option<Instant>,
    pub last_check: Option<Check>,
    #[serde(default)]
    pub warnings: Vec<String>,
    #[serde(default)]
    pub eligibility: Eligibility,
    /// What switching auto update on consents to; only the license's own answer says it.
    #[serde(default)]
    pub consent: Consent,
    #[serde(default)]
    pub auto_update_ordered: Option<Ordered>,
}

/// Whether auto update renews a license, and what to do when not.
#[derive(Debug, Default, Deserialize)]
pub struct Eligibility {
    pub to_do: Option<String>,
}

/// The consent to usage reporting.
#[derive(Debug, Default, Deserialize)]
pub struct Consent {
    pub check_box: String,
    pub words: String,
}

/// The newest order about auto update.
#[derive(Debug, Deserialize)]
pub struct Ordered {
    pub by: String,
    pub why: String,
}

impl Licensed {
    /// Who switched auto update, and why.
    pub fn decided_by(&self) -> Option<String> {
        self.auto_update_ordered.as_ref().map(|ordered| format!("{}: {}", ordered.by, ordered.why))
    }
}

/// A reporting unit that a page can be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitChoice {
    pub id: String,
    /// Its servers.
    pub name: String,
    servers: Vec<String>,
}

impl UnitChoice {
    /// Of each unit's id and servers.
    pub fn each<'a>(units: impl Iterator<Item = (&'a String, &'a Vec<String>)>) -> Vec<UnitChoice> {
        let choice = |(id, servers): (&String, &Vec<String>)| UnitChoice {
            id: id.clone(),
            name: servers.join(", "),
            servers: servers.clone(),
        };
        units.map(choice).collect()
    }
}

/// The unit that an address names by `unit` or `server`; the first one when it names none.
///
/// # Errors
/// 66 when there is no such unit.
pub fn chosen(asked: &Fields, units: &[UnitChoice]) -> Result<Option<String>, Refused> {
    let found = match (asked.text("unit"), asked.text("server")) {
        (Some(id), _) => units.iter().find(|unit| unit.id == id),
        (None, Some(name)) => units.iter().find(|unit| unit.servers.iter().any(|server| server == name)),
        (None, None) => return Ok(units.first().map(|unit| unit.id.clone())),
    };
    let found = found.ok_or_else(|| Refused::new(66, "there is no such reporting unit"))?;
    Ok(Some(found.id.clone()))
}

/// The dates of a license's life.
#[derive(Debug, Deserialize)]
pub struct LicenseDates {
    pub grace_to: Option<NaiveDate>,
    pub processing_stops_at: Option<Instant>,
}

/// How a license stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenseState {
    NotInstalled,
    Valid,
    Warning,
    Expired,
    Error,
    Invalid,
}

/// A key of the License Update Server.
#[derive(Debug, Deserialize)]
pub struct Installed {
    pub serial: u64,
    pub at: Instant,
}

/// How long a renewal is tried again.
#[derive(Debug, Deserialize)]
pub struct Window {
    pub ends_on: NaiveDate,
}

/// The newest license check.
#[derive(Debug, Deserialize)]
pub struct Check {
    pub at: Instant,
    pub message: String,
}

/// `tidegauge.months/1`.
#[derive(Debug, Deserialize)]
pub struct Months {
    pub unit: String,
    pub months: Vec<MonthMarks>,
}

/// One month of the chart.
#[derive(Debug, Deserialize)]
pub struct MonthMarks {
    pub month: Month,
    pub highest_watermark: Option<Points>,
    pub reported: Option<Points>,
}

/// One answer.
///
/// # Errors
/// [`Refused`] when the agent does not speak as agreed.
pub fn one<T: DeserializeOwned>(answer: Value) -> Result<T, Refused> {
    serde_json::from_value(answer).map_err(|error| Refused::new(1, format!("the agent's answer is not read: {error}")))
}

/// One answer per unit: the agent gives one alone without an array, and refuses with 3 when there is none.
///
/// # Errors
/// Every other refusal, and as [`one`].
pub fn each<T: DeserializeOwned>(answer: Result<Value, Refused>) -> Result<Vec<T>, Refused> {
    match answer {
        Ok(several @ Value::Array(_)) => one(several),
        Ok(alone) => Ok(vec![one(alone)?]),
        Err(refused) if refused.code == 3 => Ok(Vec::new()),
        Err(refused) => Err(refused),
    }
}
