//! One week's high watermark of a reporting unit: no tenant and no machine names (domain.md 3.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Message, check_daily, check_length, check_text};
use crate::domain::installation::UnitId;
use crate::domain::license::Measure;
use crate::domain::report::message_id;
use crate::domain::watermark::{Coverage, Daily};
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, IsoWeek, Points};

/// Servers of one unit, types of workloads, days amended at once: more than anyone has.
const LIST_MAX: usize = 10_000;

/// The telemetry of one week (design.md section 4, "Week").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telemetry {
    pub schema: String,
    /// [`Telemetry::id_of`] unit and week.
    pub id: String,
    pub unit: UnitId,
    pub license_id: Option<String>,
    pub contract_id: Option<String>,
    pub installations: Vec<String>,
    pub week: IsoWeek,
    /// `None` when the week had no complete sample.
    pub points: Option<Points>,
    /// The first instant the mark was reached.
    pub at: Option<Instant>,
    /// Days of the week in order.
    pub daily: Vec<Daily>,
    /// Points by type when the mark stood.
    pub by_type: BTreeMap<WorkloadType, Points>,
    pub coverage: Coverage,
    /// Days of earlier weeks whose marks changed after they were sent.
    #[serde(default)]
    pub amended_days: Vec<Daily>,
    /// What `points` are: instances under Subscription and Perpetual keys.
    #[serde(default, skip_serializing_if = "Measure::is_points")]
    pub counted_in: Measure,
    /// The version of the agent's program, such as `0.1.0`; agents that do not say it leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// Each installation's own coverage; `coverage` is the worst.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coverage_by_installation: Vec<InstallationCoverage>,
}

/// How one installation was covered in the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationCoverage {
    pub installation: String,
    pub expected: u32,
    pub complete: u32,
    /// What a report does with it when a month ends without a fresh sample: `carry`, `wait:06:00`, `exclude`.
    pub month_end: String,
}

impl Telemetry {
    /// The id of a unit's week, made once.
    pub fn id_of(unit: &str, week: IsoWeek) -> String {
        message_id(unit, "telemetry", &week.to_string(), 1)
    }
}

impl Message for Telemetry {
    const SCHEMA: &'static str = "tidegauge.telemetry/1";

    fn schema(&self) -> &str {
        &self.schema
    }

    fn check(&self) -> Result<(), String> {
        check_text("unit", &self.unit)?;
        if let Some(version) = &self.agent_version {
            check_text("agent_version", version)?;
            if version.contains(char::is_control) {
                return Err("agent_version holds control characters".to_owned());
            }
        }
        check_length("installations", self.installations.len(), LIST_MAX)?;
        check_length("by_type", self.by_type.len(), LIST_MAX)?;
        check_length("amended_days", self.amended_days.len(), LIST_MAX)?;
        check_length("coverage_by_installation", self.coverage_by_installation.len(), LIST_MAX)?;
        if self.id != Telemetry::id_of(&self.unit, self.week) {
            return Err("id is not that of its unit and week".to_owned());
        }
        check_daily(&self.daily, |one| IsoWeek::of_day(one.day) == self.week)?;
        check_daily(&self.amended_days, |one| IsoWeek::of_day(one.day) < self.week)?;
        let highest = self.daily.iter().filter_map(|one| one.points).max();
        if self.points == highest { Ok(()) } else { Err("points is not the highest daily mark".to_owned()) }
    }
}
