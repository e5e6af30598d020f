//! Which facts of the journal are about a month of a unit.

use std::collections::BTreeSet;

use crate::domain::installation::{ServerName, UnitId};
use crate::domain::{Instant, Month};
use crate::store::fact::{Fact, LettingGo, MessageKind, SealedMessage};

/// A month of a unit, and what is known to belong to it.
pub(super) struct Concern {
    pub unit: UnitId,
    pub month: Month,
    /// ISO weeks that have a day in the month.
    pub weeks: Vec<String>,
    pub servers: BTreeSet<ServerName>,
    pub samples: BTreeSet<(ServerName, Instant)>,
    /// Ids of notices and sealed messages, gathered on the way.
    pub ids: BTreeSet<String>,
}

impl Concern {
    /// Whether any of the facts is about the month; learns the ids of messages that are.
    pub fn takes(&mut self, facts: &[Fact], now: Instant) -> bool {
        if facts.iter().any(holds_hashes) {
            return false;
        }
        let mut concerns = false;
        // Every fact is looked at: one entry may seal a message and queue a notice.
        for fact in facts {
            concerns |= self.takes_one(fact, now);
        }
        concerns
    }

    fn takes_one(&mut self, fact: &Fact, now: Instant) -> bool {
        match fact {
            Fact::SampleTaken { sample } => self.samples.contains(&(sample.server.clone(), sample.taken_at)),
            Fact::LetGo { deed } => match deed {
                LettingGo::SampleThinned { sample } => self.samples.contains(&(sample.server.clone(), sample.taken_at)),
                LettingGo::NoticeThinned { told } => self.is_of(&told.unit, told.month),
                LettingGo::Checkpoint { .. } | LettingGo::Forgotten { .. } | LettingGo::JournalThinned { .. } => false,
            },
            Fact::SampleMissed { server, .. }
            | Fact::ServerRecovered { server }
            | Fact::StaleSeen { server, .. }
            | Fact::LicenseSeen { server, .. }
            | Fact::AutoUpdateSeen { server, .. } => self.servers.contains(server) && self.month.contains(now),
            Fact::ReportKept { report, .. } => self.is_of(&report.unit, report.month),
            Fact::ProposalKept { proposal } => self.is_of(&proposal.unit, proposal.month),
            Fact::StageSet { unit, month, .. }
            | Fact::MarkedExternal { unit, month, .. }
            | Fact::FilesWritten { unit, month, .. }
            | Fact::Justified { unit, month, .. } => self.is_of(unit, *month),
            Fact::GateChanged { unit, seen } => self.is_of(unit, seen.month),
            Fact::OperatorRuled { unit, decision } => self.is_of(unit, decision.month),
            Fact::Sealed { message } => self.takes_message(message),
            Fact::NoticeQueued { notice } => {
                let concerns = notice.unit.as_ref() == Some(&self.unit) && notice.news.month_told() == Some(self.month);
                self.learn(&notice.id, concerns)
            }
            Fact::Receipted { id, .. }
            | Fact::NoticeDelivered { id, .. }
            | Fact::NoticeDropped { id, .. }
            | Fact::NoticeSettled { id } => self.ids.contains(id),
            Fact::UnitFormed { unit } => unit.id == self.unit,
            Fact::AutoUpdateSet { unit, .. } => *unit == self.unit && self.month.contains(now),
            Fact::ClockJudged { .. } => self.month.contains(now),
            Fact::AgentNamed { .. }
            | Fact::Enrolled { .. }
            | Fact::SourceRead { .. }
            | Fact::MembersSeen { .. }
            | Fact::EntrySeen { .. }
            | Fact::SlotDrawn { .. }
            | Fact::MessageLost { .. }
            | Fact::TelemetryThrough { .. }
            | Fact::Setback { .. }
            | Fact::SetbackOver { .. }
            | Fact::Endpoint { .. }
            | Fact::LicenseChecked { .. }
            | Fact::LicenseInstalled { .. }
            | Fact::LicenseWatched { .. }
            | Fact::GateSeen { .. }
            | Fact::ServerJudged { .. }
            | Fact::Billed { .. }
            | Fact::ConsoleFinalization { .. }
            | Fact::ReportsBuiltBy { .. }
            | Fact::UserChanged { .. }
            | Fact::TokenChanged { .. }
            | Fact::SettingsSeen { .. }
            | Fact::Repaired { .. } => false,
        }
    }

    fn takes_message(&mut self, message: &SealedMessage) -> bool {
        let is_period = match message.kind {
            MessageKind::Report => message.period == self.month.to_string(),
            MessageKind::Telemetry => self.weeks.contains(&message.period),
        };
        let concerns = is_period && message.unit == self.unit;
        self.learn(&message.id, concerns)
    }

    fn is_of(&self, unit: &str, month: Month) -> bool {
        unit == self.unit && month == self.month
    }

    fn learn(&mut self, id: &str, concerns: bool) -> bool {
        if concerns {
            self.ids.insert(id.to_owned());
        }
        concerns
    }
}

/// Hashes of passwords and tokens leave the machine in no archive, whatever stands beside them in the entry.
fn holds_hashes(fact: &Fact) -> bool {
    matches!(fact, Fact::UserChanged { .. } | Fact::TokenChanged { .. })
}
