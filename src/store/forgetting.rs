//! A month's reports forgotten by order: their rows go at once, their payloads when the journal is thinned.

use std::collections::BTreeSet;

use super::fact::{Fact, LettingGo, LostRow, MessageKind, ServerJudgement};
use super::keys;
use super::rows::{Row, key, one};
use super::state::State;
use super::{Store, StoreError};
use crate::domain::Month;
use crate::domain::forgetting::Forgotten;
use crate::domain::installation::UnitId;
use crate::domain::report::message_id;

/// What the keys of a revision's rows begin with.
const OF_REVISION: [&str; 6] = ["report", "head", "lines", "stage", "external", "files"];

/// What is left stands, all else goes; what has many keys goes in [`State::drop_forgotten`].
pub(super) fn rows(forgotten: &Forgotten) -> Vec<Row> {
    let Forgotten { unit, month, .. } = forgotten;
    let mut rows = one(key::forgotten(unit, *month), forgotten);
    for revision in forgotten.revisions.iter().map(|known| known.revision) {
        let id = sent_id(unit, *month, revision);
        rows.extend(OF_REVISION.map(|what| (key::report(what, unit, *month, revision), None)));
        rows.extend([key::sealed(&id), key::receipt(&id), LostRow::key(unit, &id)].map(|key| (key, None)));
    }
    let of_month = [key::justified(unit, *month), key::last_told(unit, *month), key::ruled(unit, *month)];
    rows.extend(of_month.map(|key| (key, None)));
    rows
}

fn sent_id(unit: &str, month: Month, revision: u32) -> String {
    message_id(unit, MessageKind::Report.as_str(), &month.to_string(), revision)
}

/// What the journal holds nothing any more of, once it is thinned.
#[derive(Default)]
pub(super) struct Withheld {
    months: BTreeSet<(UnitId, Month)>,
    /// Of messages that were sent, and of news.
    ids: BTreeSet<String>,
    /// Months of the far side's newest verdicts: they stand until it gives another.
    standing: BTreeSet<(UnitId, Month)>,
}

impl Store {
    /// What is to leave the journal.
    pub(super) fn withheld(&self) -> Result<Withheld, StoreError> {
        let mut withheld = Withheld::default();
        for (_, Forgotten { unit, month, revisions, notices, .. }) in self.rows(key::FORGOTTEN)? {
            withheld.ids.extend(revisions.iter().map(|known| sent_id(&unit, month, known.revision)));
            withheld.ids.extend(notices);
            withheld.months.insert((unit, month));
        }
        let verdicts = self.rows::<ServerJudgement>(&key::of_unit("server_gate", ""))?;
        withheld.standing.extend(verdicts.into_iter().map(|(_, judged)| (judged.gate.unit, judged.gate.month)));
        Ok(withheld)
    }
}

impl Withheld {
    /// How many months, of all units.
    pub fn months(&self) -> u64 {
        self.months.len() as u64
    }

    /// Whether the fact tells of a forgotten report: it leaves the journal, its place in the chain stays.
    pub fn takes(&self, fact: &Fact) -> bool {
        match fact {
            Fact::ReportKept { report, .. } => self.has(&report.unit, report.month),
            Fact::ProposalKept { proposal } => self.has(&proposal.unit, proposal.month),
            Fact::StageSet { unit, month, .. }
            | Fact::MarkedExternal { unit, month, .. }
            | Fact::FilesWritten { unit, month, .. }
            | Fact::Justified { unit, month, .. } => self.has(unit, *month),
            Fact::LetGo { deed: LettingGo::NoticeThinned { told } } => self.has(&told.unit, told.month),
            // It names what lies between watermark and report, with the reasons of adjustments.
            Fact::ServerJudged { unit, judged: ServerJudgement { gate, .. } } => {
                self.has(unit, gate.month) && !self.standing.contains(&(gate.unit.clone(), gate.month))
            }
            // The operator says in his own words why.
            Fact::OperatorRuled { unit, decision } => self.has(unit, decision.month),
            Fact::Sealed { message } => self.ids.contains(&message.id),
            Fact::NoticeQueued { notice } => self.ids.contains(&notice.id),
            Fact::Receipted { id, .. }
            | Fact::MessageLost { id, .. }
            | Fact::NoticeDelivered { id, .. }
            | Fact::NoticeDropped { id, .. }
            | Fact::NoticeSettled { id } => self.ids.contains(id),
            Fact::AgentNamed { .. }
            | Fact::UnitFormed { .. }
            | Fact::Enrolled { .. }
            | Fact::SampleTaken { .. }
            | Fact::SampleMissed { .. }
            | Fact::ServerRecovered { .. }
            | Fact::SourceRead { .. }
            | Fact::MembersSeen { .. }
            | Fact::EntrySeen { .. }
            | Fact::StaleSeen { .. }
            | Fact::LicenseSeen { .. }
            | Fact::AutoUpdateSeen { .. }
            | Fact::SlotDrawn { .. }
            | Fact::Billed { .. }
            | Fact::ConsoleFinalization { .. }
            | Fact::TelemetryThrough { .. }
            | Fact::Setback { .. }
            | Fact::SetbackOver { .. }
            | Fact::Endpoint { .. }
            | Fact::AutoUpdateSet { .. }
            | Fact::LicenseChecked { .. }
            | Fact::LicenseInstalled { .. }
            | Fact::LicenseWatched { .. }
            | Fact::GateSeen { .. }
            | Fact::GateChanged { .. }
            | Fact::UserChanged { .. }
            | Fact::TokenChanged { .. }
            | Fact::SettingsSeen { .. }
            | Fact::ReportsBuiltBy { .. }
            | Fact::ClockJudged { .. }
            | Fact::LetGo { .. }
            | Fact::Repaired { .. } => false,
        }
    }

    fn has(&self, unit: &str, month: Month) -> bool {
        self.months.contains(&(unit.to_owned(), month))
    }
}

impl State {
    /// Takes away what stands in rows of many keys: news, stages and proposed adjustments.
    pub(super) fn drop_forgotten(&mut self, forgotten: &Forgotten) -> Result<(), StoreError> {
        let Forgotten { unit, month, revisions, .. } = forgotten;
        self.drop_below(&key::stages_set(unit, *month))?;
        for known in revisions {
            self.drop_below(&key::proposals(unit, *month, known.revision))?;
        }
        self.drop_news(&forgotten.notices)
    }

    fn drop_below(&mut self, prefix: &str) -> Result<(), StoreError> {
        let first = keys::row(prefix);
        for key in self.kv.keys(&first, &keys::end_of(&first))? {
            self.kv.delete(key);
        }
        Ok(())
    }

    /// Takes news away with what came of them.
    pub(super) fn drop_news(&mut self, ids: &[String]) -> Result<(), StoreError> {
        for id in ids {
            self.drop_below(&key::told(id, ""))?;
            self.kv.delete(keys::row(&key::notice(id)));
            self.kv.delete(keys::row(&key::pending(id)));
        }
        Ok(())
    }
}
