//! The stable code of each fact that the log tells, as docs/EVENTS.md lists them.

use crate::domain::finalization;
use crate::domain::gate::Ruling;
use crate::domain::report::Stage;
use crate::store::fact::{BillingDeed, EndpointFact, Entry, Fact, LettingGo, LostFact, MessageKind, ReportCause};

/// What the news of a fact is called in mails and webhooks.
pub(super) fn news(fact: &Fact) -> Option<&'static str> {
    if let Fact::NoticeQueued { notice } = fact { Some(notice.news.event()) } else { None }
}

/// Facts that only the journal wants to know.
const RECORDED: &str = "journal.recorded";

/// Dotted, and never changed once it was released.
pub(super) fn event(fact: &Fact) -> &'static str {
    match fact {
        Fact::UnitFormed { .. } => "unit.formed",
        Fact::Enrolled { .. } => "agent.enrolled",
        Fact::LetGo { deed } => let_go(deed),
        Fact::SampleMissed { .. } => "sample.missed",
        Fact::ServerRecovered { .. } => "sample.recovered",
        Fact::MembersSeen { .. } => "source.members_changed",
        Fact::EntrySeen { seen, .. } => entry(seen),
        Fact::StaleSeen { span, .. } if span.until.is_none() => "source.stale",
        Fact::StaleSeen { .. } => "source.fresh",
        Fact::SlotDrawn { .. } => "telemetry.drawn",
        Fact::TelemetryThrough { .. } => "telemetry.submitted",
        Fact::Sealed { message } => sealed(message.kind),
        Fact::Receipted { .. } => "message.adopted",
        Fact::MessageLost { what, .. } => lost(what),
        Fact::ReportKept { cause, .. } => kept(*cause),
        Fact::ProposalKept { .. } => "report.proposal_changed",
        Fact::StageSet { stage, .. } => staged(stage),
        Fact::Billed { deed } => match deed {
            BillingDeed::Issued { .. } => "billing.issued",
            BillingDeed::Exported { .. } => "billing.exported",
        },
        Fact::MarkedExternal { .. } => "report.entered",
        Fact::ConsoleFinalization { attempt, .. } => finalized(&attempt.stage),
        Fact::Setback { .. } => "duty.put_off",
        Fact::NoticeQueued { .. } => "notice.queued",
        Fact::NoticeDropped { .. } => "notice.given_up",
        Fact::Endpoint { what, .. } => endpoint(what),
        Fact::AutoUpdateSet { .. } => "license.auto_update_set",
        Fact::LicenseChecked { .. } => "license.checked",
        Fact::LicenseInstalled { .. } => "license.installed",
        Fact::GateSeen { .. } => "gate.judged",
        Fact::OperatorRuled { decision, .. } => match decision.ruling {
            Ruling::Approved => "report.approved",
            Ruling::CorrectionAsked => "report.sent_back",
        },
        Fact::Justified { .. } => "report.justified",
        Fact::ClockJudged { .. } => "clock.judged",
        Fact::UserChanged { .. } => "people.user_changed",
        Fact::TokenChanged { .. } => "people.token_changed",
        Fact::Repaired { .. } => "store.repaired",
        Fact::AgentNamed { .. }
        | Fact::SampleTaken { .. }
        | Fact::SourceRead { .. }
        | Fact::LicenseSeen { .. }
        | Fact::LicenseWatched { .. }
        | Fact::AutoUpdateSeen { .. }
        | Fact::GateChanged { .. }
        | Fact::ServerJudged { .. }
        | Fact::FilesWritten { .. }
        | Fact::SetbackOver { .. }
        | Fact::NoticeDelivered { .. }
        | Fact::NoticeSettled { .. }
        | Fact::ReportsBuiltBy { .. }
        | Fact::SettingsSeen { .. } => RECORDED,
    }
}

fn sealed(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Telemetry => "telemetry.sealed",
        MessageKind::Report => "report.shortened",
    }
}

fn lost(what: &LostFact) -> &'static str {
    match what {
        LostFact::Told(_) => "message.lost",
        LostFact::TakenAgain { .. } => "message.taken_again",
        LostFact::NotKept => "message.not_kept",
    }
}

fn entry(seen: &Entry) -> &'static str {
    match seen.absent {
        None => "source.added",
        Some(_) => "source.removed",
    }
}

fn let_go(deed: &LettingGo) -> &'static str {
    match deed {
        LettingGo::Checkpoint { .. } => "retention.let_go",
        LettingGo::Forgotten { .. } => "report.forgotten",
        LettingGo::SampleThinned { .. } | LettingGo::NoticeThinned { .. } | LettingGo::JournalThinned { .. } => {
            RECORDED
        }
    }
}

fn kept(cause: ReportCause) -> &'static str {
    match cause {
        ReportCause::Generated => "report.generated",
        ReportCause::Regenerated | ReportCause::Renewed => "report.renewed",
        ReportCause::Adjusted => "report.adjusted",
        ReportCause::Reset => "report.reset",
        ReportCause::Corrected => "report.corrected",
    }
}

fn staged(stage: &Stage) -> &'static str {
    match stage {
        Stage::AwaitingReview => "report.awaiting_review",
        Stage::Postponed { .. } => "report.postponed",
        Stage::Sending { .. } => "report.sealed",
        Stage::Submitted { .. } => "report.submitted",
    }
}

fn finalized(stage: &finalization::Stage) -> &'static str {
    match stage {
        finalization::Stage::Asking => "report.finalizing",
        finalization::Stage::Taken { .. } => "report.finalized",
        finalization::Stage::Refused { .. } | finalization::Stage::NotAsked { .. } => "report.not_finalized",
    }
}

fn endpoint(what: &EndpointFact) -> &'static str {
    match what {
        EndpointFact::Tried(_) => RECORDED,
        EndpointFact::Gone { .. } => "webhook.gone",
        EndpointFact::ToldAgain { .. } => "webhook.told_again",
        EndpointFact::UsageTaken { .. } => "usage.delivered",
        EndpointFact::UsagePassedOver { .. } => "usage.passed_over",
    }
}
