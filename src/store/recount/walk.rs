//! One server's samples walked through in order of time and counted; what is carried on is not counted again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::gathered::{OfServer, Recorded};
use crate::domain::Instant;
use crate::domain::sample::{Group, GroupTotal, Sample, Summary};
use crate::rules::rating::Rating;
use crate::rules::tally::{Tally, Told};
use crate::store::StoreError;
use crate::store::kept::{self, KeptSummary};
use crate::store::keys::Moment;
use crate::store::remains::Remains;
use crate::store::unpacking::Unpacker;

/// Where the walk through a server's samples is.
pub struct Walk<'a> {
    server: &'a OfServer,
    next: usize,
    pub tally: Tally,
    unpacker: Unpacker,
    /// The newest sample, unless only something is left of it.
    pub newest: Option<Arc<Sample>>,
    /// Sums of samples of which only something is left: later ones repeat them.
    left: BTreeMap<Moment, Arc<Summary>>,
}

/// The next sample, read and not yet counted.
pub struct Coming {
    pub recorded: Recorded,
    pub at: Instant,
    what: What,
}

enum What {
    /// Its sums are those before it with what changed.
    Carried(Arc<Sample>),
    Counted(Arc<Sample>),
    Left(Remains),
}

impl Coming {
    /// Whether it is carried on: then nobody else need hold the sums before it.
    pub fn is_carried(&self) -> bool {
        matches!(self.what, What::Carried(_))
    }

    /// Whether only something is left of it.
    pub fn is_left(&self) -> bool {
        matches!(self.what, What::Left(_))
    }
}

impl<'a> Walk<'a> {
    pub fn of(server: &'a OfServer) -> Walk<'a> {
        let (tally, unpacker) = (Tally::default(), Unpacker::default());
        Walk { server, next: 0, tally, unpacker, newest: None, left: BTreeMap::new() }
    }

    /// Reads the next sample; there is one.
    pub fn read(&mut self, rating: &Rating) -> Result<Coming, StoreError> {
        let recorded = self.server.samples[self.next];
        self.next += 1;
        let at = kept::instant(recorded.at)?;
        let packed = self.server.packed(&recorded);
        let what = match Remains::of_bytes(&packed.bytes)? {
            Some(remains) => What::Left(remains),
            None => {
                let packed_at = |needed| self.server.packed_at(needed);
                let sample = self.unpacker.unpack_from(&packed_at, &self.server.name, recorded.at, packed)?;
                if self.tally.carries_to(&sample, rating) { What::Carried(sample) } else { What::Counted(sample) }
            }
        };
        Ok(Coming { recorded, at, what })
    }

    /// Counts it; returns the groups that changed, each with its total before.
    pub fn count(&mut self, coming: Coming, rating: &Rating) -> Result<Vec<(Group, GroupTotal)>, StoreError> {
        let Coming { recorded, at, what } = coming;
        let Told { groups, .. } = match what {
            What::Carried(sample) => self.tally.carry(self.newest.insert(sample), rating),
            What::Counted(sample) => self.tally.count(self.newest.insert(sample), rating),
            What::Left(remains) => {
                self.newest = None;
                let (told, sizes) = (remains.told(), remains.sizes.sizes()?);
                let summary = self.resolved(remains.summary)?;
                self.left.insert(recorded.at, Arc::clone(&summary));
                self.tally.pass(at, told.iter().map(|(id, stated)| (id.as_str(), *stated)), sizes, summary)
            }
        };
        Ok(groups)
    }

    /// The sums that are left of a sample.
    fn resolved(&self, left: KeptSummary) -> Result<Arc<Summary>, StoreError> {
        match left {
            KeptSummary::Whole(groups) => Ok(Arc::new(kept::summary_of(groups)?)),
            KeptSummary::SameAs(since) => {
                let known = self.left.range(..=since).next_back().map(|(_, summary)| Arc::clone(summary));
                known.ok_or_else(|| kept::odd("a summary", "what it repeats is missing"))
            }
        }
    }
}
