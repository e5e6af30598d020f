//! What happened, a line each, for stories, the log and `demo`.

use super::events::{event, news};
use super::notices::REFUSED;
use super::people::story as people;
use crate::channels::channel_of;
use crate::domain::calendar::minute_text;
use crate::domain::finalization;
use crate::domain::forgetting::Forgotten;
use crate::domain::gate::{OperatorDecision, Ruling};
use crate::domain::notice::News;
use crate::domain::report::{Stage, UsageReport};
use crate::domain::{Instant, Month};
use crate::protocol::BODY_BYTES_MAX;
use crate::store::fact::{
    Absence, Absent, AutoUpdate, BillingDeed, EndpointFact, Entry, Fact, InstalledKey, LettingGo, LicenseCheckRow,
    LostFact, LostRow, Members, MessageKind, ReportCause, SealedMessage, StaleSpan,
};

/// Of misses in a row the first and every so many are told.
const TOLD_EVERY: u32 = 24;

/// One line, and the stable code of what happened (docs/EVENTS.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryLine {
    /// Dotted, such as `report.generated`.
    pub event: &'static str,
    /// What it is called in mails and webhooks, such as `gate.held`; of queued news only.
    pub news: Option<&'static str>,
    /// Minute, two blanks, and what happened.
    pub text: String,
}

/// The line of a fact; `None` for what only the journal wants to know, such as one more sample.
pub fn line(now: Instant, fact: &Fact) -> Option<StoryLine> {
    told(fact).map(|told| StoryLine {
        event: event(fact),
        news: news(fact),
        text: format!("{}  {told}", minute_text(now)),
    })
}

/// The same without the hour.
pub(super) fn told(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::UnitFormed { unit } => format!("unit {} holds {}", short(&unit.id), unit.servers.join(", ")),
        Fact::Enrolled { enrolment } => format!("enrolled under contract {}", enrolment.contract_id),
        Fact::LetGo { deed } => return let_go(deed),
        Fact::SampleMissed { miss, .. } if miss.in_a_row % TOLD_EVERY != 1 => return None,
        Fact::SampleMissed { server, miss } => format!("{server} not sampled: {}", miss.why),
        Fact::ServerRecovered { server } => format!("{server} answers again"),
        Fact::MembersSeen { members, .. } if members.members.is_empty() => return None,
        Fact::MembersSeen { source, members } => format!("{source} names {}", named(members)),
        Fact::EntrySeen { entry, seen } => of_settings(entry, seen),
        Fact::StaleSeen { server, span } => stale(server, span),
        Fact::SlotDrawn { week, at, .. } => format!("telemetry {week} drawn for {}", minute_text(*at)),
        Fact::ReportKept { cause, report } => kept(*cause, report),
        Fact::ProposalKept { proposal } => people::proposed(proposal),
        Fact::StageSet { month, revision, stage, .. } => format!("report {month} r{revision} {}", staged(stage)),
        Fact::Billed { deed } => billed(deed),
        Fact::MarkedExternal { month, external, .. } => {
            format!("report {month} entered in {}", external.portal.as_deref().unwrap_or("a portal"))
        }
        Fact::ConsoleFinalization { console, month, attempt } => finalized(console, *month, &attempt.stage),
        Fact::Receipted { conflict: Some(_), .. } => "the server had other bytes under this id; adopted".to_owned(),
        Fact::MessageLost { what, .. } => lost(what),
        Fact::TelemetryThrough { week, .. } => format!("telemetry {week} taken"),
        Fact::Sealed { message } => return sealed(message),
        Fact::Setback { about, setback } if !about.starts_with("tell ") && !about.starts_with(REFUSED) => {
            format!("setback: {}; next try {}", setback.why, minute_text(setback.next_try_at))
        }
        Fact::NoticeQueued { notice } => format!("notice {}{}", notice.news.event(), detail(&notice.news)),
        Fact::NoticeDropped { to, why, .. } => format!("{} to {to} given up: {why}", channel_of(to).name),
        Fact::Endpoint { to, what } => return endpoint(to, what),
        Fact::AutoUpdateSet { switch, .. } => switched(switch),
        Fact::LicenseChecked { check, .. } => checked(check),
        Fact::LicenseInstalled { license, .. } => installed(license),
        Fact::GateSeen { seen, .. } => format!("gate of {}: {}", seen.month, seen.verdict),
        Fact::OperatorRuled { decision, .. } => ruled(decision),
        Fact::Justified { month, reason, .. } => format!("report {month} justified: {reason}"),
        Fact::ClockJudged { suspect, .. } => clock(suspect.as_deref()),
        Fact::UserChanged { user } => people::user(user),
        Fact::TokenChanged { token } => people::token(token),
        Fact::Repaired { what } => format!("repaired: {what}"),
        Fact::AgentNamed { .. }
        | Fact::SampleTaken { .. }
        | Fact::SourceRead { .. }
        | Fact::LicenseSeen { .. }
        | Fact::LicenseWatched { .. }
        | Fact::AutoUpdateSeen { .. }
        | Fact::GateChanged { .. }
        | Fact::ServerJudged { .. }
        | Fact::FilesWritten { .. }
        | Fact::Receipted { .. }
        | Fact::Setback { .. }
        | Fact::SetbackOver { .. }
        | Fact::NoticeDelivered { .. }
        | Fact::NoticeSettled { .. }
        | Fact::ReportsBuiltBy { .. }
        | Fact::SettingsSeen { .. } => return None,
    })
}

fn of_settings(entry: &str, seen: &Entry) -> String {
    match seen.absent.as_ref().map(|absent| &absent.why) {
        None => format!("{entry} is sampled here"),
        Some(Absence::Left) => format!("the settings no longer name {entry}"),
        Some(Absence::SampledDirectly { as_server }) => format!("{entry} is {as_server} now"),
    }
}

fn stale(server: &str, span: &StaleSpan) -> String {
    match span.until {
        None => format!("{server} is stale: {}", span.why),
        Some(_) => format!("{server} is fresh again"),
    }
}

fn clock(suspect: Option<&str>) -> String {
    suspect.map_or_else(|| "clock agreed again".to_owned(), |why| format!("clock doubted: {why}"))
}

fn switched(switch: &AutoUpdate) -> String {
    format!("auto update {}: {}", if switch.on { "on" } else { "off" }, switch.why)
}

/// What was let go, when it was something.
fn let_go(deed: &LettingGo) -> Option<String> {
    match deed {
        LettingGo::Checkpoint { checkpoint } => {
            let (samples, notices) = (checkpoint.samples.len(), checkpoint.notices.len());
            (samples + notices > 0).then(|| format!("let go by age: {samples} raw samples, {notices} news"))
        }
        LettingGo::Forgotten { forgotten: Forgotten { month, by, reason, .. } } => {
            Some(format!("report {month} forgotten by {by}: {reason}"))
        }
        LettingGo::SampleThinned { .. } | LettingGo::NoticeThinned { .. } | LettingGo::JournalThinned { .. } => None,
    }
}

fn billed(deed: &BillingDeed) -> String {
    match deed {
        BillingDeed::Issued { invoice } => {
            format!("document {} issued: {} {}", invoice.number, invoice.total.amount, invoice.currency)
        }
        BillingDeed::Exported { export } => format!("{} of document {} exported", export.format, export.document),
    }
}

fn lost(what: &LostFact) -> String {
    match what {
        LostFact::Told(LostRow { kind, period, .. }) => {
            format!("the server has {} {period} no more: it is sent again", kind.as_str())
        }
        LostFact::TakenAgain { differs: false, .. } => "a message that the server had lost was taken again".to_owned(),
        LostFact::TakenAgain { differs: true, .. } => {
            "the server has other bytes of a message that it had lost".to_owned()
        }
        LostFact::NotKept => "a message that the server lost is not kept here any more".to_owned(),
    }
}

fn endpoint(to: &str, what: &EndpointFact) -> Option<String> {
    match what {
        EndpointFact::Tried(_) => None,
        EndpointFact::Gone { .. } => Some(format!("{to} wants no more messages")),
        EndpointFact::ToldAgain { id } => Some(format!("{to} is told {} again", short(id))),
        EndpointFact::UsageTaken { taken, .. } => {
            Some(format!("usage {} r{} taken by {to}: {} events", taken.period, taken.revision, taken.events))
        }
        EndpointFact::UsagePassedOver { passed, .. } => Some(format!(
            "usage {} to {} was not taken by {to} and is too old to be sent: enter it there by hand",
            passed.first, passed.through
        )),
    }
}

fn checked(check: &LicenseCheckRow) -> String {
    let of = check.server.as_ref().map_or(String::new(), |server| format!(" of {server}"));
    format!("license check{of}: result {} ({})", check.result, check.message)
}

fn named(members: &Members) -> String {
    let named = members.members.iter().map(|(server, member)| match &member.absent {
        None => server.clone(),
        Some(Absent { why: Absence::Left, .. }) => format!("no longer {server}"),
        Some(Absent { why: Absence::SampledDirectly { as_server }, .. }) => {
            format!("{server}, which is sampled directly as {as_server}")
        }
    });
    named.collect::<Vec<_>>().join("; ")
}

fn kept(cause: ReportCause, report: &UsageReport) -> String {
    let what = match cause {
        ReportCause::Generated if report.basis.late => "generated late",
        ReportCause::Generated => "generated",
        ReportCause::Regenerated => "generated again, a late sample changed it",
        ReportCause::Renewed => "generated again, other settings changed it",
        ReportCause::Adjusted => "adjusted",
        ReportCause::Reset => "reset",
        ReportCause::Corrected => "corrected",
    };
    format!("report {} r{} {what}: {} points", report.month, report.revision, report.total_points)
}

fn ruled(decision: &OperatorDecision) -> String {
    let OperatorDecision { month, revision, ruling, by, why, .. } = decision;
    let what = match ruling {
        Ruling::Approved => "approved",
        Ruling::CorrectionAsked => "sent back",
    };
    format!("report {month} r{revision} {what} by {by} at the license server: {why}")
}

fn staged(stage: &Stage) -> String {
    match stage {
        Stage::AwaitingReview => "awaits review".to_owned(),
        Stage::Postponed { until } => format!("postponed until {}", minute_text(*until)),
        Stage::Sending { .. } => "sealed".to_owned(),
        Stage::Submitted { .. } => "submitted".to_owned(),
    }
}

fn finalized(console: &str, month: Month, stage: &finalization::Stage) -> String {
    let what = match stage {
        finalization::Stage::Asking => "is asked to be finalized".to_owned(),
        finalization::Stage::Taken { words, .. } => format!("finalized ({words})"),
        finalization::Stage::Refused { why, .. } | finalization::Stage::NotAsked { why, .. } => {
            format!("not finalized: {why}")
        }
    };
    format!("report {month} in {console} {what}")
}

fn installed(key: &InstalledKey) -> String {
    let until = key.license.expires_on.map_or("no date".to_owned(), |day| day.to_string());
    format!("license key {} installed, valid to {until}", key.serial)
}

/// A week's telemetry, and a report whose workloads stay here.
fn sealed(message: &SealedMessage) -> Option<String> {
    let SealedMessage { kind, period, too_long_with_workloads, .. } = message;
    match (kind, too_long_with_workloads) {
        (MessageKind::Telemetry, _) => Some(format!("telemetry {period} sealed")),
        (MessageKind::Report, Some(bytes)) => Some(format!(
            "report {period} is sent without its workloads: its body would have {bytes} bytes with them, and a License \
             Update Server takes {BODY_BYTES_MAX}"
        )),
        (MessageKind::Report, None) => None,
    }
}

/// The first signs of an id, which tell it apart.
pub(super) fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

fn detail(news: &News) -> String {
    match news {
        News::ReportReady { month, days_left, .. } | News::Reminder { month, days_left, .. } => {
            format!(" ({month}, {days_left} days left)")
        }
        News::ReportAdjusted { month, before, after, .. } => format!(" ({month}, {before} to {after})"),
        News::CoverageLow { server, day, coverage } => {
            format!(" ({server}, {day}, {} of {})", coverage.complete, coverage.expected)
        }
        News::SourceLost { server, .. } | News::SourceRecovered { server, .. } => format!(" ({server})"),
        News::Overdue { month, .. }
        | News::ReportSent { month, .. }
        | News::ReportAutoSent { month, .. }
        | News::SendFailing { month, .. }
        | News::ExternalDue { month, .. }
        | News::WaitsForPerson { month, .. }
        | News::LateSample { month, .. }
        | News::ReportRenewed { month, .. }
        | News::GateHeld { month, .. }
        | News::GateOpened { month }
        | News::CorrectionAsked { month, .. } => format!(" ({month})"),
        News::License { result, .. } | News::LicenseRecovered { result, .. } => format!(" (result {result})"),
        News::LicenseExpiring { last_day, days_left, .. } => format!(" ({last_day}, {days_left} days left)"),
        News::GraceStarted { grace_ends_on, .. } => format!(" (grace to {grace_ends_on})"),
        News::InGrace { day, of, .. } => format!(" (day {day} of {of})"),
        News::SupportExpired { last_day } | News::ProcessingStopped { last_day, .. } => format!(" ({last_day})"),
        News::LimitExceeded { exceeded_by, not_processed, .. } if not_processed.is_zero() => {
            format!(" (by {exceeded_by})")
        }
        News::LimitExceeded { exceeded_by, not_processed, .. } => {
            format!(" (by {exceeded_by}, {not_processed} not processed)")
        }
        News::LimitKept { used, licensed } => format!(" ({used} of {licensed})"),
        News::AutoUpdateOff { .. } | News::ClockSuspect { .. } => String::new(),
    }
}
