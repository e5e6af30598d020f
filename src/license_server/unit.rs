//! One reporting unit as the License Update Server knows it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::facts::Note;
use crate::domain::calendar::{Month, midnight};
use crate::domain::gate::{Cause, GateVerdict, Justification, OperatorDecision, Ruling, Tolerance};
use crate::domain::license_key::KeyFile;
use crate::domain::watermark::{Coverage, Daily, HighWatermark};
use crate::domain::{Instant, IsoWeek, Points};
use crate::protocol::{JustifiedMonth, LicenseAnswer, Receipted, Submission, Telemetry};
use crate::rules::gate::{self, GateFacts};

/// Answers kept for repeats of the same check.
const CHECKS_KEPT: usize = 10;
/// Rulings that an answer repeats: those of a year.
const DECISIONS_TOLD: usize = 12;

/// Everything known of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitOnFile {
    pub contract_id: String,
    /// Fingerprint of the agent that last spoke for it.
    pub agent: String,
    pub installations: Vec<String>,
    /// When its agent was enrolled: months that ended earlier are not required.
    pub since: Instant,
    pub days: BTreeMap<NaiveDate, DayOnFile>,
    /// The first day that was told with a mark; a week's days before the first sample have none. It only becomes earlier.
    pub seen_on: Option<NaiveDate>,
    /// By month and revision.
    pub reports: BTreeMap<Month, BTreeMap<u32, ReportOnFile>>,
    pub last_week: Option<IsoWeek>,
    /// What the newest week's telemetry told.
    pub told: Option<Told>,
    /// The newest key issued.
    pub key: Option<KeyFile>,
    pub revoked: Option<Note>,
    /// The newest checks, for repeats.
    pub checks: Vec<CheckOnFile>,
}

/// What telemetry tells beside its marks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub received_at: Instant,
    /// The agent's; `None`: it did not say.
    pub version: Option<String>,
    /// Of the week.
    pub coverage: Coverage,
}

/// One day's mark by the two ways it comes in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOnFile {
    pub telemetry: Option<Daily>,
    /// The later week whose telemetry told it, when that is not the day's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amended_in: Option<IsoWeek>,
    pub report: Option<Daily>,
}

/// One revision of one month; its body stands among the messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOnFile {
    /// The submission's id.
    pub id: String,
    pub revision: u32,
    pub total_points: Points,
    /// What the sender recorded; it does not open the gate here.
    pub justification: Option<String>,
    pub justified_at: Option<Instant>,
    pub justified_by: Option<String>,
    /// Why the sender made this revision.
    pub corrects: Option<Justification>,
    pub causes: Vec<Cause>,
    pub received_at: Instant,
    /// The operator opened the gate for it.
    pub approved: Option<Note>,
    /// The operator asked for a correction.
    pub correction: Option<Note>,
}

/// A license check and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOnFile {
    pub body_sha256: String,
    pub answer: LicenseAnswer,
}

impl DayOnFile {
    /// The higher of both marks: what was in use does not become less by reporting less.
    pub fn mark(&self) -> Option<HighWatermark> {
        let marks = [&self.telemetry, &self.report].into_iter().flatten();
        let marks = marks.filter_map(|daily| daily.points.zip(daily.at));
        marks.fold(None, |mark, (points, at)| Some(HighWatermark::raised_by(mark, points, at)))
    }

    /// Takes what a week's telemetry says of the day, unless a later week's spoke of it before.
    fn take_telemetry(&mut self, daily: &Daily, week: IsoWeek) {
        let own = IsoWeek::of_day(daily.day);
        if self.telemetry.is_none() || self.amended_in.unwrap_or(own) <= week {
            self.telemetry = Some(daily.clone());
            self.amended_in = (week != own).then_some(week);
        }
    }

    /// Whether telemetry and report state different marks.
    pub fn conflicts(&self) -> bool {
        let points = |daily: &Option<Daily>| daily.as_ref().and_then(|daily| daily.points);
        matches!((points(&self.telemetry), points(&self.report)), (Some(a), Some(b)) if a != b)
    }
}

impl UnitOnFile {
    pub fn begun(contract_id: &str, agent: &str, since: Instant) -> UnitOnFile {
        UnitOnFile {
            contract_id: contract_id.to_owned(),
            agent: agent.to_owned(),
            installations: Vec::new(),
            since,
            days: BTreeMap::new(),
            seen_on: None,
            reports: BTreeMap::new(),
            last_week: None,
            told: None,
            key: None,
            revoked: None,
            checks: Vec::new(),
        }
    }

    /// Takes a week's marks in; amended days replace what telemetry of earlier weeks said. A week that comes after a later
    /// one, sent again because it was lost, takes nothing of that one back.
    pub fn take_telemetry(&mut self, telemetry: &Telemetry, received_at: Instant) {
        for daily in telemetry.daily.iter().chain(&telemetry.amended_days) {
            self.days.entry(daily.day).or_default().take_telemetry(daily, telemetry.week);
            self.see(daily);
        }
        if self.last_week <= Some(telemetry.week) {
            let (version, coverage) = (telemetry.agent_version.clone(), telemetry.coverage);
            self.told = Some(Told { received_at, version, coverage });
            self.last_week = Some(telemetry.week);
            self.installations.clone_from(&telemetry.installations);
        }
    }

    fn see(&mut self, daily: &Daily) {
        if daily.points.is_some() {
            self.seen_on = Some(self.seen_on.map_or(daily.day, |seen_on| seen_on.min(daily.day)));
        }
    }

    /// Takes a report and its daily marks in.
    pub fn take_report(&mut self, submission: &Submission, received_at: Instant) {
        // One that was lost and comes again after a newer revision takes nothing of that back.
        let newest = self.newest(submission.month).map(|report| report.revision);
        if newest <= Some(submission.revision) {
            for daily in &submission.daily {
                self.days.entry(daily.day).or_default().report = Some(daily.clone());
                self.see(daily);
            }
            self.installations.clone_from(&submission.installations);
        }
        let report = ReportOnFile {
            id: submission.id.clone(),
            revision: submission.revision,
            total_points: submission.total_points,
            justification: submission.justification.clone(),
            justified_at: submission.justified_at,
            justified_by: submission.justified_by.clone(),
            corrects: submission.correction.clone(),
            causes: submission.causes.clone(),
            received_at,
            approved: None,
            correction: None,
        };
        self.reports.entry(submission.month).or_default().insert(submission.revision, report);
    }

    pub fn take_check(&mut self, check: CheckOnFile, issued: Option<KeyFile>) {
        self.checks.push(check);
        let surplus = self.checks.len().saturating_sub(CHECKS_KEPT);
        self.checks.drain(..surplus);
        self.key = issued.or(self.key.take());
    }

    /// Takes a justification in that was recorded after the report had been sent.
    pub fn take_justification(&mut self, justified: JustifiedMonth) {
        let newest = self.reports.get_mut(&justified.month).and_then(|revisions| revisions.values_mut().next_back());
        if let Some(report) = newest {
            let given = justified.given;
            report.justification = Some(given.reason);
            report.justified_at = Some(given.at);
            report.justified_by = Some(given.by);
        }
    }

    /// Of these messages, which an agent has receipts for, those that are not on file: this server was put back to a backup,
    /// or a standby that was behind took its place. Weeks that began before the month before last are not looked for.
    pub fn lacks(&self, receipted: &[Receipted], now: Instant) -> Vec<Receipted> {
        let looked_for = Month::of(now).previous().previous().first_day();
        let told = |day: &NaiveDate| self.days.get(day).is_some_and(|day| day.telemetry.is_some());
        let is_lost = |message: &&Receipted| match **message {
            Receipted::Telemetry { week } => looked_for <= week.first_day() && !week.days().iter().all(told),
            Receipted::Report { month, revision } => {
                !self.reports.get(&month).is_some_and(|revisions| revisions.contains_key(&revision))
            }
        };
        receipted.iter().filter(is_lost).copied().collect()
    }

    /// Whether this key, which its agent shows and which this server signed, is a newer one of the unit than that on file.
    pub fn lacks_key(&self, shown: &KeyFile) -> bool {
        let is_its_own = |on_file: &KeyFile| on_file.license_id == shown.license_id && on_file.serial < shown.serial;
        shown.contract_id == self.contract_id && self.key.as_ref().is_none_or(is_its_own)
    }

    /// The operator's rulings on newest revisions, of the latest months that have any.
    pub fn decisions(&self) -> Vec<OperatorDecision> {
        let newest = self.reports.iter().rev().filter_map(|(month, revisions)| {
            let (revision, report) = revisions.last_key_value()?;
            let approved = report.approved.as_ref().map(|note| (Ruling::Approved, note));
            let (ruling, note) = approved.or(report.correction.as_ref().map(|note| (Ruling::CorrectionAsked, note)))?;
            let Note { at, by, why } = note.clone();
            Some(OperatorDecision { month: *month, revision: *revision, ruling, at, by, why })
        });
        newest.take(DECISIONS_TOLD).collect()
    }

    /// The newest revision of the month.
    pub fn newest(&self, month: Month) -> Option<&ReportOnFile> {
        self.reports.get(&month)?.last_key_value().map(|(_, report)| report)
    }

    pub fn revision_mut(&mut self, month: Month, revision: u32) -> Option<&mut ReportOnFile> {
        self.reports.get_mut(&month)?.get_mut(&revision)
    }

    /// When its newest week's telemetry, a report or a license check was taken last; a repeat is not counted.
    pub fn last_contact(&self) -> Option<Instant> {
        let reports = self.reports.values().flat_map(BTreeMap::values).map(|report| report.received_at);
        let checks = self.checks.iter().map(|check| check.answer.answered_at);
        let telemetry = self.told.iter().map(|told| told.received_at);
        reports.chain(checks).chain(telemetry).max()
    }

    /// The month a license check is judged by.
    pub fn judged_month(&self, now: Instant, deadline_day: u32) -> Month {
        let newest_sent = self.reports.last_key_value().map(|(month, _)| *month);
        gate::judged_month(now, deadline_day, newest_sent)
    }

    /// Whether the month's report is owed and not here: the unit was seen in it, and its agent was enrolled before its end.
    pub fn owes(&self, month: Month) -> bool {
        let seen = self.seen_on.is_some_and(|seen_on| midnight(seen_on) < month.ends_at());
        seen && self.since < month.ends_at() && !self.reports.contains_key(&month)
    }

    /// Days of the month on which telemetry and report disagree.
    pub fn conflicting_days(&self, month: Month) -> Vec<NaiveDate> {
        self.days_of(month).filter(|(_, day)| day.conflicts()).map(|(day, _)| *day).collect()
    }

    /// The gate over the newest revision of the month; only an approval by the operator opens a held one.
    pub fn verdict(&self, unit: &str, month: Month, tolerance: Tolerance) -> GateVerdict {
        let report = self.newest(month);
        let marks = self.days_of(month).filter_map(|(_, day)| day.mark());
        let approval = report.and_then(|report| report.approved.as_ref());
        gate::judge(&GateFacts {
            unit: unit.to_owned(),
            month,
            highest: marks.fold(None, |mark, day| Some(HighWatermark::raised_by(mark, day.points, day.at))),
            reported: report.map(|report| report.total_points),
            forecast: false,
            tolerance,
            justification: approval.map(|note| Justification {
                at: note.at,
                by: note.by.clone(),
                reason: format!("approved by {}: {}", note.by, note.why),
            }),
            causes: report.map(|report| report.causes.clone()).unwrap_or_default(),
        })
    }

    fn days_of(&self, month: Month) -> impl Iterator<Item = (&NaiveDate, &DayOnFile)> {
        self.days.range(month.first_day()..month.next().first_day())
    }
}
