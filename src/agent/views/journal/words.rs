//! What an entry of the journal says, in plain words: a fact never without any, and never what a key or a body holds.

use crate::agent::story::{self, short};
use crate::domain::Instant;
use crate::domain::calendar::minute_text;
use crate::domain::license::License;
use crate::domain::report::UsageReport;
use crate::store::fact::{EndpointFact, Fact, LettingGo, ReportCause, SealedMessage, SetbackRow};

/// What follows when the server had something else.
const ADOPTED: &str = "; the server had other bytes under this id, which were adopted";

/// What happened. Most of it the story tells too; the journal also wants to know what nobody is told.
pub(super) fn words(fact: &Fact) -> String {
    match fact {
        Fact::AgentNamed { agent } => format!("the store is made for agent {agent}"),
        Fact::SampleTaken { sample } => format!("{} sampled at {}", sample.server, minute_text(sample.taken_at)),
        Fact::SampleMissed { server, miss } => format!("{server} not sampled: {}", miss.why),
        Fact::SourceRead { source, .. } => format!("{source} read to its end"),
        Fact::LicenseSeen { server, license } => license_seen(server, license),
        Fact::LicenseWatched { .. } => "the license's dates and limit looked at".to_owned(),
        Fact::AutoUpdateSeen { server, since } => {
            format!("{server} shows its own auto update {}", if since.is_some() { "on" } else { "off" })
        }
        Fact::GateChanged { seen, .. } => format!("gate of {} changed to {}", seen.month, seen.verdict),
        Fact::ServerJudged { judged, .. } => format!("the License Update Server says of the gate: {}", judged.message),
        Fact::FilesWritten { month, revision, .. } => format!("files of report {month} r{revision} written"),
        Fact::Sealed { message } => sealed(message),
        Fact::Receipted { id, conflict, .. } => {
            format!("message {} has its receipt{}", short(id), if conflict.is_some() { ADOPTED } else { "" })
        }
        Fact::Setback { about, setback } => failed(about, setback),
        Fact::SetbackOver { about } => format!("no setback of {about} any more"),
        Fact::NoticeDelivered { id, to, words, .. } => format!("{to} told of notice {}: {words}", short(id)),
        Fact::NoticeSettled { id } => format!("notice {} owes nobody anything", short(id)),
        Fact::Endpoint { to, what: EndpointFact::Tried(tried) } => {
            format!("{} sent to {to}, try {}: {}", tried.event, tried.attempt, tried.words)
        }
        Fact::MembersSeen { source, .. } => told_or(fact, || format!("{source} says something else of its servers")),
        Fact::LetGo { deed } => told_or(fact, || let_go(deed)),
        Fact::ReportsBuiltBy { .. } => "open reports follow the settings".to_owned(),
        Fact::SettingsSeen { .. } => "other settings are in force".to_owned(),
        Fact::UnitFormed { .. }
        | Fact::Enrolled { .. }
        | Fact::ServerRecovered { .. }
        | Fact::EntrySeen { .. }
        | Fact::StaleSeen { .. }
        | Fact::SlotDrawn { .. }
        | Fact::ReportKept { .. }
        | Fact::ProposalKept { .. }
        | Fact::UserChanged { .. }
        | Fact::TokenChanged { .. }
        | Fact::StageSet { .. }
        | Fact::Billed { .. }
        | Fact::MarkedExternal { .. }
        | Fact::ConsoleFinalization { .. }
        | Fact::MessageLost { .. }
        | Fact::TelemetryThrough { .. }
        | Fact::NoticeQueued { .. }
        | Fact::NoticeDropped { .. }
        | Fact::Endpoint { .. }
        | Fact::AutoUpdateSet { .. }
        | Fact::LicenseChecked { .. }
        | Fact::LicenseInstalled { .. }
        | Fact::GateSeen { .. }
        | Fact::OperatorRuled { .. }
        | Fact::Justified { .. }
        | Fact::ClockJudged { .. }
        | Fact::Repaired { .. } => story::told(fact).unwrap_or_default(),
    }
}

/// The reasons that a person gave, when the fact carries some.
pub(super) fn reasons(fact: &Fact, now: Instant) -> Vec<String> {
    if let Fact::ReportKept { cause: ReportCause::Adjusted, report } = fact {
        return reasons_of_adjusting(report, now);
    }
    let given = if let Fact::Justified { reason, .. } = fact {
        Some(reason)
    } else if let Fact::AutoUpdateSet { switch, .. } = fact {
        Some(&switch.why)
    } else if let Fact::ConsoleFinalization { attempt, .. } = fact {
        attempt.despite.as_ref()
    } else if let Fact::ReportKept { cause: ReportCause::Corrected, report } = fact {
        report.correction.as_ref().map(|given| &given.reason)
    } else {
        None
    };
    given.into_iter().cloned().collect()
}

/// Those of the adjustments of this entry: a report carries all that were ever made.
fn reasons_of_adjusting(report: &UsageReport, now: Instant) -> Vec<String> {
    // The journal keeps milliseconds, an adjustment its instant as it was.
    let is_of_this = |at: Instant| at.timestamp_millis() == now.timestamp_millis();
    let given = report.adjustments.iter().filter(|adjustment| is_of_this(adjustment.at));
    let mut reasons: Vec<String> = given.map(|adjustment| adjustment.reason.clone()).collect();
    reasons.dedup();
    reasons
}

fn failed(about: &str, setback: &SetbackRow) -> String {
    format!("setback of {about}: {}; next try {}", setback.why, minute_text(setback.next_try_at))
}

fn license_seen(server: &str, license: &License) -> String {
    let until = license.expires_on.map_or("no date".to_owned(), |day| day.to_string());
    format!("{server} shows a {} license valid to {until}", license.kind.as_str())
}

fn told_or(fact: &Fact, quiet: impl FnOnce() -> String) -> String {
    story::told(fact).unwrap_or_else(quiet)
}

fn sealed(message: &SealedMessage) -> String {
    let SealedMessage { kind, period, revision, body, sha256, too_long_with_workloads, .. } = message;
    let without = if too_long_with_workloads.is_some() { ", without its workloads: too long with them" } else { "" };
    format!("{} {period} r{revision} sealed: {} bytes{without}, SHA-256 {}", kind.as_str(), body.len(), short(sha256))
}

fn let_go(deed: &LettingGo) -> String {
    match deed {
        LettingGo::SampleThinned { sample } => {
            format!("{} sampled at {}; let go since but for its sums", sample.server, minute_text(sample.taken_at))
        }
        LettingGo::NoticeThinned { told } => format!("news of {}; let go since", told.month),
        LettingGo::Forgotten { forgotten } => {
            format!("the reports of {} forgotten: {}", forgotten.month, forgotten.reason)
        }
        LettingGo::Checkpoint { .. } => "nothing old enough to be let go".to_owned(),
        LettingGo::JournalThinned { thinned } => {
            format!("the journal holds nothing any more of what was let go: {} entries thinned in all", thinned.entries)
        }
    }
}
