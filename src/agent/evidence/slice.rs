//! The part of the journal that a month rests on, as lines with their chain.

use std::collections::BTreeSet;

use crate::agent::{Agent, Trouble};
use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::pseudonym::Names;
use crate::domain::report::UsageReport;
use crate::evidence::{Line, Link};
use crate::seal::keys::VerifyingKey;
use crate::store::fact::{Fact, MessageKind};
use crate::store::journal::Entry;

use super::concerns::Concern;
use super::{READER, Recorded, weeks_of};

/// Which entries are about the month.
struct About {
    concern: Concern,
    /// The first entry that the month's message or report, or its samples, need.
    begins: Option<u64>,
    entries: BTreeSet<u64>,
    /// As text, of every enrolment in order.
    server_keys: Vec<String>,
}

/// What the journal says of a month.
pub(super) struct Slice {
    pub lines: Vec<Line>,
    /// The keys of the License Update Servers that the agent was enrolled at, the current one first.
    pub server_keys: Vec<VerifyingKey>,
}

impl Agent {
    /// Entries about something else are in it by their hashes alone: other months and units stay unread, licenses and
    /// settings too.
    pub(super) fn journal_slice(
        &self,
        unit: &Unit,
        month: Month,
        names: Names,
        reports: &[UsageReport],
        leaves: &BTreeSet<Recorded>,
    ) -> Result<Slice, Trouble> {
        let rests_on = || reports.iter().filter_map(|report| report.evidence.as_ref());
        let anchors = rests_on().map(|rests_on| rests_on.journal_seq);
        let concern = Concern {
            unit: unit.id.clone(),
            month,
            weeks: weeks_of(month).iter().map(ToString::to_string).collect(),
            servers: rests_on().flat_map(|rests_on| rests_on.servers.iter().cloned()).collect(),
            samples: leaves.iter().map(|(leaf, _)| (leaf.server.clone(), leaf.taken_at)).collect(),
            ids: BTreeSet::new(),
        };
        let begins = leaves.iter().map(|(_, seq)| *seq).chain(anchors).min();
        let mut about = About { concern, begins, entries: BTreeSet::new(), server_keys: Vec::new() };
        self.store.history(0, &mut |entry, facts| about.learn(entry, &facts))?;
        let (Some(begins), Some(ends)) = (about.begins, about.entries.last().copied()) else {
            return Ok(Slice { lines: Vec::new(), server_keys: about.server_keys() });
        };
        let (mut lines, mut odd) = (Vec::new(), None);
        self.store.history(begins.saturating_sub(1), &mut |entry, _| {
            if entry.seq <= ends {
                match line_of(entry, names, &about.entries) {
                    Ok(line) => lines.push(line),
                    Err(why) => odd = Some(why),
                }
            }
        })?;
        match odd {
            Some(why) => Err(Trouble::Odd(why)),
            None => Ok(Slice { lines, server_keys: about.server_keys() }),
        }
    }
}

impl About {
    fn server_keys(&self) -> Vec<VerifyingKey> {
        let mut keys: Vec<VerifyingKey> = Vec::new();
        for key in self.server_keys.iter().rev().filter_map(|key| VerifyingKey::from_text(key).ok()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    fn learn(&mut self, entry: &Entry, facts: &[Fact]) {
        for fact in facts {
            // The server tells its tolerance often; its key stays.
            if let Fact::Enrolled { enrolment } = fact
                && self.server_keys.last() != Some(&enrolment.server_key)
            {
                self.server_keys.push(enrolment.server_key.clone());
            }
        }
        if self.concern.takes(facts, entry.now) {
            self.entries.insert(entry.seq);
            if facts.iter().any(begins_a_month) {
                self.begins = Some(self.begins.map_or(entry.seq, |begins| begins.min(entry.seq)));
            }
        }
    }
}

/// The entry in full when it is about the month and its names may be read, else its hashes alone.
fn line_of(entry: &Entry, names: Names, about: &BTreeSet<u64>) -> Result<Line, String> {
    let header = entry.header();
    let link = Link {
        prev: &entry.prev,
        header: &header,
        payload: &entry.payload,
        thinned_from: entry.thinned_from,
        hash: &entry.hash,
    };
    match (about.contains(&entry.seq), names) {
        (false, _) => Line::link_only(&link, &READER),
        (true, Names::Plain) => Line::whole(&link, &READER),
        (true, Names::Pseudonyms) => Line::withheld(&link, &READER),
    }
}

/// What the month needs shown whatever came before: a week's message may be sealed before the month's first sample.
fn begins_a_month(fact: &Fact) -> bool {
    let is_telemetry = matches!(fact, Fact::Sealed { message } if message.kind == MessageKind::Telemetry);
    is_telemetry || matches!(fact, Fact::ReportKept { .. })
}
