//! The agent's answers as the page reads them: the JSON shapes of the contract, and only what is shown of them.

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::agent::Refused;
use crate::domain::license::License;
use crate::domain::report::External;
use crate::domain::watermark::Coverage;
use crate::domain::{Instant, Month, Points};

/// `tidegauge.status/1`.
#[derive(Debug, Deserialize)]
pub struct Status {
    pub now: Instant,
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
