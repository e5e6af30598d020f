//! What the journal's entries are about, in a few kinds to look through them by.

use serde::{Deserialize, Serialize};

use crate::store::fact::Fact;

/// What something that happened is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JournalKind {
    /// Samples, missed ones, and what servers showed of themselves.
    Samples,
    /// Monthly reports from their building to their second step.
    Reports,
    /// What left the machine, and what was answered.
    Messages,
    /// Licenses and the switch of their auto update.
    Licenses,
    Gate,
    /// News, and who was told.
    Notices,
    Billing,
    /// Users and tokens.
    People,
    Settings,
    /// The agent itself: its store, its units, its clock.
    Agent,
}

/// Every kind with its name in queries and on the command line.
pub const JOURNAL_KINDS: [(JournalKind, &str); 10] = [
    (JournalKind::Samples, "samples"),
    (JournalKind::Reports, "reports"),
    (JournalKind::Messages, "messages"),
    (JournalKind::Licenses, "licenses"),
    (JournalKind::Gate, "gate"),
    (JournalKind::Notices, "notices"),
    (JournalKind::Billing, "billing"),
    (JournalKind::People, "people"),
    (JournalKind::Settings, "settings"),
    (JournalKind::Agent, "agent"),
];

pub(super) fn kind_of(fact: &Fact) -> JournalKind {
    match fact {
        Fact::SampleTaken { .. }
        | Fact::SampleMissed { .. }
        | Fact::ServerRecovered { .. }
        | Fact::SourceRead { .. }
        | Fact::MembersSeen { .. }
        | Fact::EntrySeen { .. }
        | Fact::StaleSeen { .. } => JournalKind::Samples,
        Fact::ReportKept { .. }
        | Fact::ProposalKept { .. }
        | Fact::StageSet { .. }
        | Fact::MarkedExternal { .. }
        | Fact::ConsoleFinalization { .. }
        | Fact::FilesWritten { .. } => JournalKind::Reports,
        Fact::SlotDrawn { .. }
        | Fact::Sealed { .. }
        | Fact::Receipted { .. }
        | Fact::MessageLost { .. }
        | Fact::TelemetryThrough { .. }
        | Fact::Setback { .. }
        | Fact::SetbackOver { .. } => JournalKind::Messages,
        Fact::LicenseSeen { .. }
        | Fact::AutoUpdateSeen { .. }
        | Fact::AutoUpdateSet { .. }
        | Fact::LicenseChecked { .. }
        | Fact::LicenseInstalled { .. }
        | Fact::LicenseWatched { .. } => JournalKind::Licenses,
        Fact::GateSeen { .. }
        | Fact::GateChanged { .. }
        | Fact::ServerJudged { .. }
        | Fact::OperatorRuled { .. }
        | Fact::Justified { .. } => JournalKind::Gate,
        Fact::NoticeQueued { .. }
        | Fact::NoticeDelivered { .. }
        | Fact::NoticeDropped { .. }
        | Fact::NoticeSettled { .. }
        | Fact::Endpoint { .. } => JournalKind::Notices,
        Fact::Billed { .. } => JournalKind::Billing,
        Fact::UserChanged { .. } | Fact::TokenChanged { .. } => JournalKind::People,
        Fact::SettingsSeen { .. } | Fact::ReportsBuiltBy { .. } => JournalKind::Settings,
        Fact::AgentNamed { .. }
        | Fact::UnitFormed { .. }
        | Fact::Enrolled { .. }
        | Fact::ClockJudged { .. }
        | Fact::LetGo { .. }
        | Fact::Repaired { .. } => JournalKind::Agent,
    }
}
