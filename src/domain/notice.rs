//! What people are told.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::watermark::Coverage;
use super::{Instant, Month, Points};

/// What a person should know of the working days up to a deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workdays {
    /// Nothing beside the days left.
    #[default]
    Enough,
    /// Only days off lie between today and the deadline.
    TodayIsLast,
    /// Today and all days up to the deadline are off.
    NoneLeft,
}

/// A loss that people were told of, so that its end can name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldLoss {
    /// The notice's id.
    pub id: String,
    pub at: Instant,
    pub why: String,
}

/// A kind of news. A closed set: every channel and template answers for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum News {
    /// The monthly report was built; PDF and JSON are attached.
    ReportReady {
        month: Month,
        total: Points,
        days_left: i64,
        automatic: bool,
        late: bool,
        #[serde(default)]
        workdays: Workdays,
        /// Why it differs from last month's, in one sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        difference: Option<String>,
        /// Where the servers' own sums and notes differ from what was counted, in words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        discrepancies: Vec<String>,
    },
    /// It still waits.
    Reminder {
        month: Month,
        total: Points,
        days_left: i64,
        automatic: bool,
        #[serde(default)]
        workdays: Workdays,
    },
    /// The deadline passed in manual mode.
    Overdue { month: Month, total: Points },
    /// A person lowered it, or took all adjustments back.
    ReportAdjusted {
        month: Month,
        by: String,
        before: Points,
        after: Points,
        /// How many were made by this act; none: all were taken back.
        adjustments: usize,
        /// Of the newest adjustment; empty when all were taken back.
        reason: String,
    },
    /// A person sent it, and the License Update Server took it.
    ReportSent {
        month: Month,
        total: Points,
        by: String,
        external_due: bool,
        /// The day of the second step.
        #[serde(default)]
        due_on: Option<NaiveDate>,
    },
    /// It was taken as nobody had acted until the auto-submit day.
    ReportAutoSent {
        month: Month,
        total: Points,
        external_due: bool,
        /// The day of the second step.
        due_on: Option<NaiveDate>,
    },
    /// It could not be sent.
    SendFailing { month: Month, why: String },
    /// The second step, Pulse or the aggregator's portal, is still open.
    ExternalDue {
        month: Month,
        total: Points,
        #[serde(default)]
        due_on: Option<NaiveDate>,
    },
    /// Coverage policy keeps it for a person.
    WaitsForPerson { month: Month, why: String },
    /// A sample changed an unsent report, or would change a sent one.
    LateSample {
        month: Month,
        sent: bool,
        /// Adjustments that could not be made again, in words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        dropped: Vec<String>,
    },
    /// Other settings changed an unsent report.
    ReportRenewed {
        month: Month,
        was: Points,
        total: Points,
        /// Adjustments that could not be made again, in words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        dropped: Vec<String>,
    },
    /// A license check that needs a person, or that installed a key.
    License {
        result: String,
        message: String,
        /// What a person does about it.
        #[serde(default)]
        to_do: String,
    },
    /// A license check ended well after one or more that failed.
    LicenseRecovered { result: String, message: String, failing_since: Instant },
    /// The license, or for perpetual keys its support, is about to end.
    LicenseExpiring { support: bool, last_day: NaiveDate, days_left: i64 },
    /// The support of a perpetual license is over.
    SupportExpired { last_day: NaiveDate },
    /// The license has expired; everything is still processed.
    GraceStarted { last_day: NaiveDate, grace_ends_on: NaiveDate },
    /// It still is expired: day `day` of grace, of `of`.
    InGrace { grace_ends_on: NaiveDate, day: i64, of: i64 },
    /// The license has expired and nothing is processed any more; `grace_ended_on` when it had grace.
    ProcessingStopped { last_day: NaiveDate, grace_ended_on: Option<NaiveDate> },
    /// More is used than is licensed.
    LimitExceeded {
        licensed: Points,
        used: Points,
        exceeded_by: Points,
        more_possible: Points,
        /// Above the cap, zero or more.
        not_processed: Points,
        /// The last day on which a rental license's overage is tolerated.
        tolerated_through: Option<NaiveDate>,
    },
    /// It no longer is.
    LimitKept { licensed: Points, used: Points },
    /// The gate holds the license update.
    GateHeld { month: Month, shortfall: Points, tolerance: Points },
    /// The gate opened again.
    GateOpened { month: Month },
    /// The License Update Server's operator asks for a corrected report.
    CorrectionAsked { month: Month, by: String, why: String },
    /// Auto update switched itself off.
    AutoUpdateOff { why: String },
    /// A server has not answered.
    SourceLost { server: String, why: String },
    /// It answers again; only after people were told of the loss.
    SourceRecovered {
        server: String,
        missed_samples: u32,
        /// What was told of it.
        #[serde(default)]
        loss: Option<ToldLoss>,
    },
    /// A day has ended with too few of a server's samples.
    CoverageLow { server: String, day: NaiveDate, coverage: Coverage },
    /// The clock is not trusted.
    ClockSuspect { why: String },
}

impl News {
    /// The stable dotted event name.
    pub fn event(&self) -> &'static str {
        match self {
            News::ReportReady { .. } => "report.generated",
            News::Reminder { .. } => "report.deadline_near",
            News::Overdue { .. } => "report.overdue",
            News::ReportAdjusted { .. } => "report.adjusted",
            News::ReportSent { .. } => "report.submitted",
            News::ReportAutoSent { .. } => "report.auto_submitted",
            News::SendFailing { .. } => "report.send_failing",
            News::ExternalDue { .. } => "report.external_due",
            News::WaitsForPerson { .. } => "report.waits_for_person",
            News::LateSample { .. } => "report.late_sample",
            News::ReportRenewed { .. } => "report.renewed",
            News::License { .. } => "license.result",
            News::LicenseRecovered { .. } => "license.recovered",
            News::LicenseExpiring { .. } => "license.expiring",
            News::SupportExpired { .. } => "license.support_expired",
            News::GraceStarted { .. } => "license.grace_started",
            News::InGrace { .. } => "license.in_grace",
            News::ProcessingStopped { .. } => "license.processing_stopped",
            News::LimitExceeded { .. } => "license.limit_exceeded",
            News::LimitKept { .. } => "license.limit_kept",
            News::GateHeld { .. } => "gate.held",
            News::GateOpened { .. } => "gate.opened",
            News::CorrectionAsked { .. } => "report.correction_asked",
            News::AutoUpdateOff { .. } => "license.auto_update_disabled",
            News::SourceLost { .. } => "server.unreachable",
            News::SourceRecovered { .. } => "server.recovered",
            News::CoverageLow { .. } => "server.coverage_low",
            News::ClockSuspect { .. } => "clock.suspect",
        }
    }
}

impl News {
    /// The month of the report that the news calls to mind; reminders count from it.
    pub fn month_told(&self) -> Option<Month> {
        match self {
            News::ReportReady { month, .. }
            | News::Reminder { month, .. }
            | News::Overdue { month, .. }
            | News::ReportSent { month, .. }
            | News::ReportAutoSent { month, .. }
            | News::WaitsForPerson { month, .. }
            | News::ExternalDue { month, .. } => Some(*month),
            News::ReportAdjusted { .. }
            | News::SendFailing { .. }
            | News::LateSample { .. }
            | News::ReportRenewed { .. }
            | News::License { .. }
            | News::LicenseRecovered { .. }
            | News::LicenseExpiring { .. }
            | News::SupportExpired { .. }
            | News::GraceStarted { .. }
            | News::InGrace { .. }
            | News::ProcessingStopped { .. }
            | News::LimitExceeded { .. }
            | News::LimitKept { .. }
            | News::GateHeld { .. }
            | News::GateOpened { .. }
            | News::CorrectionAsked { .. }
            | News::AutoUpdateOff { .. }
            | News::SourceLost { .. }
            | News::SourceRecovered { .. }
            | News::CoverageLow { .. }
            | News::ClockSuspect { .. } => None,
        }
    }

    /// The month of the report that the news tells of; it goes when that is forgotten.
    pub fn month_of_report(&self) -> Option<Month> {
        match self {
            News::ReportAdjusted { month, .. }
            | News::SendFailing { month, .. }
            | News::LateSample { month, .. }
            | News::ReportRenewed { month, .. }
            | News::CorrectionAsked { month, .. } => Some(*month),
            other => other.month_told(),
        }
    }
}

/// One piece of news for people, queued with its cause and told once by every channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// UUIDv5 of unit, event and period: made once, so that a repeat is recognised.
    pub id: String,
    pub unit: Option<String>,
    pub at: Instant,
    pub news: News,
}
