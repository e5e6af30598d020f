//! The part of the journal that a month rests on, as lines with their chain.

use std::collections::BTreeSet;

use crate::agent::{Agent, Trouble};
use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::report::UsageReport;
use crate::evidence::{Line, Link};
use crate::store::fact::{Fact, MessageKind};
use crate::store::journal::Entry;

use super::concerns::Concern;
use super::{READER, Recorded, weeks_of};

/// Lines from the first entry that counts to the last one about the month.
struct Slice {
    concern: Concern,
    /// The first entry that counts, when a report names its samples.
    from: Option<u64>,
    lines: Vec<Line>,
    /// How many lines there are up to the last one about the month.
    through: usize,
    odd: Option<String>,
}

impl Agent {
    /// Entries about something else are in it by their hashes alone: other months and units stay unread, licenses and
    /// settings too.
    pub(super) fn journal_slice(
        &self,
        unit: &Unit,
        month: Month,
        reports: &[UsageReport],
        leaves: &BTreeSet<Recorded>,
    ) -> Result<Vec<Line>, Trouble> {
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
        let from = leaves.iter().map(|(_, seq)| *seq).chain(anchors).min();
        let mut slice = Slice { concern, from, lines: Vec::new(), through: 0, odd: None };
        let after = from.map_or(0, |from| from.saturating_sub(1));
        self.store.history(after, &mut |entry, facts| slice.take(entry, &facts))?;
        match slice.odd {
            Some(why) => Err(Trouble::Odd(why)),
            None => {
                slice.lines.truncate(slice.through);
                Ok(slice.lines)
            }
        }
    }
}

impl Slice {
    fn take(&mut self, entry: &Entry, facts: &[Fact]) {
        let concerns = self.concern.takes(facts, entry.now);
        let begins = self.from.is_some() || !self.lines.is_empty() || (concerns && facts.iter().any(begins_a_month));
        if !begins {
            return;
        }
        let header = entry.header();
        let link = Link {
            prev: &entry.prev,
            header: &header,
            payload: &entry.payload,
            thinned_from: entry.thinned_from,
            hash: &entry.hash,
        };
        match if concerns { Line::whole(&link, &READER) } else { Line::link_only(&link, &READER) } {
            Ok(line) => self.lines.push(line),
            Err(why) => self.odd = Some(why),
        }
        if concerns {
            self.through = self.lines.len();
        }
    }
}

/// Where the slice of a report that names no samples begins.
fn begins_a_month(fact: &Fact) -> bool {
    let is_telemetry = matches!(fact, Fact::Sealed { message } if message.kind == MessageKind::Telemetry);
    is_telemetry || matches!(fact, Fact::ReportKept { .. })
}
