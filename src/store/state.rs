//! What follows from the journal, kept in sled: facts are applied in order, then what depends on them is derived.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};

use super::StoreError;
use super::days::Running;
use super::ends::Ends;
use super::fact::{Fact, LettingGo, PackedSample, ThinnedSample};
use super::fold::{Fold, read_row, rewind_ledger};
use super::journal::Head;
use super::kept::{self, KeptUnit, RecordedIn, SampleRow};
use super::keys::{self, About, Moment};
use super::kv::Kv;
use super::marks::Folded;
use super::newest::Newest;
use super::packing::Kind;
use super::remains::Remains;
use super::unpacking::Unpacker;
use crate::domain::Instant;
use crate::domain::installation::{ServerName, Unit, UnitId};
use crate::domain::sample::Summary;
use crate::rules::rating::Rating;
use crate::seal::chain::Hash;
use crate::seal::digest::sha256;

/// How old a server's newest sample may be and still speak for it: twice the default interval.
pub const BASIS_MAX_AGE_DEFAULT: TimeDelta = TimeDelta::hours(2);
const BASIS_KEY: &[u8] = b"_basis";
const RATING_KEY: &[u8] = b"_rating";

pub(super) struct State {
    pub kv: Kv,
    basis_max_age: TimeDelta,
    /// What answers where a server states no weight, and what unknown types stand for.
    pub rating: Arc<Rating>,
    pub newest: Newest,
    pub ends: Ends,
    /// The fold after each server's newest sample.
    latest: BTreeMap<ServerName, Latest>,
    /// Since when a server's samples are to be folded again.
    unfolded: BTreeMap<ServerName, Instant>,
    /// Days of units that are to be marked again.
    unmarked: BTreeSet<(UnitId, NaiveDate)>,
    /// The newest day of units, as far as its samples have come.
    pub(super) running: BTreeMap<UnitId, Running>,
}

#[derive(Clone)]
pub(super) struct Latest {
    pub at: Instant,
    pub fold: Fold,
    pub unpacker: Unpacker,
}

impl State {
    pub fn new(kv: Kv) -> Result<State, StoreError> {
        let stored = kv.get(BASIS_KEY)?.and_then(|bytes| Some(i64::from_le_bytes(bytes.try_into().ok()?)));
        let basis_max_age = stored.and_then(TimeDelta::try_milliseconds).unwrap_or(BASIS_MAX_AGE_DEFAULT);
        let (latest, unfolded, unmarked) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let stored = kv.get(RATING_KEY)?.map(|bytes| serde_json::from_slice(&bytes));
        let rating = stored.transpose().map_err(|error| kept::odd("the rating", &error.to_string()))?;
        let rating = Arc::new(rating.unwrap_or_default());
        Ok(State {
            kv,
            basis_max_age,
            rating,
            newest: Newest::default(),
            ends: Ends::default(),
            latest,
            unfolded,
            unmarked,
            running: BTreeMap::new(),
        })
    }

    pub fn basis_max_age(&self) -> TimeDelta {
        self.basis_max_age
    }

    /// The fold after the server's newest sample, if it is at hand.
    pub fn latest(&self, server: &str) -> Option<&Latest> {
        self.latest.get(server)
    }

    /// Puts the rows of the facts; what is derived from samples follows in [`State::settle`].
    pub fn apply(&mut self, facts: &[Fact], recorded: RecordedIn) -> Result<(), StoreError> {
        for fact in facts {
            if let Fact::SampleTaken { sample } = fact {
                self.keep_sample(sample, recorded)?;
            }
            if let Fact::LetGo { deed: LettingGo::SampleThinned { sample } } = fact {
                let ThinnedSample { server, taken_at, digest, left: bytes } = sample.clone();
                let digest = Some(digest);
                self.keep_sample(&PackedSample { server, taken_at, base_at: None, digest, bytes }, recorded)?;
            }
            if let Fact::LetGo { deed: LettingGo::Checkpoint { checkpoint } } = fact {
                self.note_rewrite_of_all();
                self.let_go(checkpoint)?;
            }
            if let Fact::LetGo { deed: LettingGo::Forgotten { forgotten } } = fact {
                self.drop_forgotten(forgotten)?;
            }
            if let Fact::UnitFormed { unit } = fact {
                self.form(unit)?;
            }
            for (key, value) in fact.rows() {
                match value {
                    Some(value) => {
                        let json = serde_json::to_vec(&value).expect("rows are plain data");
                        self.kv.put(keys::row(&key), super::squeeze::squeeze(&json));
                    }
                    None => self.kv.delete(keys::row(&key)),
                }
            }
        }
        Ok(())
    }

    /// Derives what the applied facts changed: folds of servers, then days of units.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        let mut folded = Vec::new();
        for (server, from) in std::mem::take(&mut self.unfolded) {
            self.fold_from(&server, from, &mut folded)?;
        }
        let days = std::mem::take(&mut self.unmarked);
        self.mark_days(days, &folded)
    }

    /// Writes what was applied and settled.
    pub fn commit(&mut self, applied: Head) -> Result<(), StoreError> {
        self.kv.commit(applied)
    }

    /// Forgets what was applied and not committed.
    pub fn discard(&mut self) {
        self.kv.discard();
        self.ends.clear();
        self.note_rewrite_of_all();
        self.latest.clear();
        self.unfolded.clear();
        self.unmarked.clear();
        self.running.clear();
    }

    /// Sets how old a sample may be, and marks every day again if that is another age.
    pub fn set_basis_max_age(&mut self, age: TimeDelta) -> Result<(), StoreError> {
        if age == self.basis_max_age {
            return Ok(());
        }
        self.basis_max_age = age;
        self.running.clear();
        self.kv.put(BASIS_KEY.to_vec(), age.num_milliseconds().to_le_bytes().to_vec());
        for server in self.owners(About::Sample)? {
            let prefix = keys::prefix(About::Sample, &server);
            for at in self.instants(&prefix, &keys::end_of(&prefix))? {
                let unit = read_row(&self.kv, &server, Moment::of(at))?.unit;
                self.unmarked.extend(unit.map(|unit| (unit.id(), at.date_naive())));
            }
        }
        Ok(())
    }

    /// Sets what rates samples; each server is folded again since the first sample that may come out otherwise, and the
    /// days since then are marked again.
    pub fn set_rating(&mut self, rating: &Rating) -> Result<bool, StoreError> {
        if *rating == *self.rating {
            return Ok(false);
        }
        let before = std::mem::replace(&mut self.rating, Arc::new(rating.clone()));
        self.kv.put(RATING_KEY.to_vec(), serde_json::to_vec(rating).expect("a rating is plain data"));
        self.note_rewrite_of_all();
        self.latest.clear();
        self.running.clear();
        for server in self.owners(About::Sample)? {
            let all = self.summaries(&server, Instant::MIN_UTC, Instant::MAX_UTC)?;
            let differs =
                |(_, _, summary): &SummaryAt| summary.groups.keys().any(|(_, kind)| before.may_differ(rating, kind));
            let Some(first) = all.iter().position(differs) else { continue };
            self.unfold(&server, all[first].0);
            for (at, unit, _) in &all[first..] {
                unit.iter().for_each(|unit| self.unmark(unit, *at));
            }
        }
        Ok(true)
    }

    /// SHA-256 over every key and value, to compare two states.
    pub fn digest(&self) -> Result<Hash, StoreError> {
        let mut all = Vec::new();
        for (key, value) in self.kv.scan(b"a", b"{")? {
            all.extend(sha256(&key));
            all.extend(sha256(&value));
        }
        Ok(sha256(&all))
    }

    fn keep_sample(&mut self, sample: &PackedSample, recorded: RecordedIn) -> Result<(), StoreError> {
        let PackedSample { server, taken_at, base_at, digest, bytes } = sample;
        self.note_rewrite(server, *taken_at)?;
        let at = Moment::of(*taken_at);
        let kind = Kind::of(bytes).map_err(|error| kept::odd("a sample", &error.to_string()))?;
        let base = base_at.map(|base_at| read_row(&self.kv, server, Moment::of(base_at))).transpose()?;
        let (keyframe_at, step, keyframe) = match (kind, &base) {
            (Kind::Whole | Kind::Thinned, _) | (_, None) => (at, 0, 0),
            (Kind::Step, Some(base)) => (base.keyframe_at, base.step + 1, base.keyframe),
            (Kind::Keyframe, Some(base)) => (at, 0, base.keyframe + 1),
        };
        let before = self.neighbour_unit(server, Side::Before, *taken_at)?;
        let unit = self.unit_at(server, *taken_at, before.as_ref())?;
        for unit in [before.flatten(), unit.clone()].into_iter().flatten() {
            self.unmark(&unit, *taken_at);
        }
        let base_at = base_at.map(Moment::of);
        let (digest, bytes) = (*digest, bytes.clone());
        let unit = unit.as_deref().map(KeptUnit::of);
        let row = SampleRow { base_at, keyframe_at, step, keyframe, unit, digest, recorded, bytes };
        self.kv.put(keys::at(About::Sample, server, *taken_at), kept::to_bytes(&row));
        self.ends.add(server, *taken_at);
        self.unfold(server, *taken_at);
        Ok(())
    }

    /// The unit a sample belongs to: the server's, or for a late sample that of its neighbour in time.
    fn unit_at(
        &self,
        server: &str,
        at: Instant,
        before: Option<&Option<UnitId>>,
    ) -> Result<Option<UnitId>, StoreError> {
        match unit_between(before.cloned(), self.neighbour_unit(server, Side::After, at)?) {
            Some(unit) => Ok(Some(unit)),
            None => self.unit_of(server),
        }
    }

    /// The unit of the nearest sample on one side; the outer `None`: there is no such sample.
    fn neighbour_unit(&self, server: &str, side: Side, at: Instant) -> Result<Option<Option<UnitId>>, StoreError> {
        let prefix = keys::prefix(About::Sample, server);
        let here = keys::at(About::Sample, server, at);
        let key = match side {
            Side::Before => self.kv.last_key(&prefix, &here)?,
            Side::After => self.kv.first_key(&keys::end_of(&here), &keys::end_of(&prefix))?,
        };
        let Some(neighbour) = key.as_deref().and_then(keys::instant_of) else { return Ok(None) };
        Ok(Some(read_row(&self.kv, server, Moment::of(neighbour))?.unit.map(|unit| unit.id())))
    }

    /// The unit that the server belongs to.
    pub fn unit_of(&self, server: &str) -> Result<Option<UnitId>, StoreError> {
        let bytes = self.kv.get(&keys::prefix(About::UnitOf, server))?;
        bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| kept::odd("a unit", "its id is no text"))).transpose()
    }

    fn form(&mut self, unit: &Unit) -> Result<(), StoreError> {
        self.running.clear();
        let prefix = keys::prefix(About::ServerOf, &unit.id);
        for key in self.kv.keys(&prefix, &keys::end_of(&prefix))? {
            let left = keys::name_of(&key, &prefix).filter(|server| !unit.servers.iter().any(|of| of == server));
            if let Some(server) = left
                && self.unit_of(server)?.as_ref() == Some(&unit.id)
            {
                self.kv.delete(keys::prefix(About::UnitOf, server));
            }
        }
        for server in &unit.servers {
            let had_unit = self.unit_of(server)?.is_some();
            self.kv.put(keys::prefix(About::UnitOf, server), unit.id.clone().into_bytes());
            self.kv.put(keys::named(About::ServerOf, &unit.id, server), Vec::new());
            if !had_unit {
                self.adopt_samples(server, &unit.id)?;
            }
        }
        Ok(())
    }

    /// Gives samples that belong to no unit to this one.
    fn adopt_samples(&mut self, server: &str, unit: &UnitId) -> Result<(), StoreError> {
        let prefix = keys::prefix(About::Sample, server);
        for at in self.instants(&prefix, &keys::end_of(&prefix))? {
            let mut row = read_row(&self.kv, server, Moment::of(at))?;
            if row.unit.is_none() {
                row.unit = Some(KeptUnit::of(unit));
                self.kv.put(keys::at(About::Sample, server, at), kept::to_bytes(&row));
                self.unmark(unit, at);
                self.unfold(server, at);
            }
        }
        Ok(())
    }

    pub(super) fn unfold(&mut self, server: &str, from: Instant) {
        let since = self.unfolded.entry(server.to_owned()).or_insert(from);
        *since = from.min(*since);
    }

    /// Sums at any instant up to the basis's age after a sample may change with it.
    pub(super) fn unmark(&mut self, unit: &UnitId, at: Instant) {
        if self.running.get(unit).is_some_and(|running| running.at.is_some_and(|taken| at <= taken)) {
            self.running.remove(unit);
        }
        let last = at.checked_add_signed(self.basis_max_age).unwrap_or(at).date_naive();
        let days = at.date_naive().iter_days().take_while(|day| *day <= last);
        self.unmarked.extend(days.map(|day| (unit.clone(), day)));
    }

    /// Folds the server's samples from this instant on, beginning with the fold before it.
    fn fold_from(&mut self, server: &str, from: Instant, folded: &mut Vec<Folded>) -> Result<(), StoreError> {
        let prefix = keys::prefix(About::Sample, server);
        let start = keys::at(About::Sample, server, from);
        let before = self.kv.last_key(&prefix, &start)?.as_deref().and_then(keys::instant_of);
        let at_hand = self.latest.remove(server).filter(|latest| Some(latest.at) == before);
        let mut latest = match (at_hand, before) {
            (Some(latest), _) => latest,
            (None, before) => {
                rewind_ledger(&mut self.kv, server, before)?;
                let fold = before.map(|at| Fold::after(&self.kv, server, at)).transpose()?.unwrap_or_default();
                Latest { at: from, fold, unpacker: Unpacker::default() }
            }
        };
        let instants = self.instants(&start, &keys::end_of(&prefix))?;
        let is_one = instants.len() == 1;
        for at in instants {
            let row = read_row(&self.kv, server, Moment::of(at))?;
            if is_one {
                for running in self.running.values_mut() {
                    if let Some(place) = running.place_of(server) {
                        running.release(place);
                    }
                }
            }
            match Remains::of_row(&row)? {
                Some(remains) => latest.fold.step_over(&mut self.kv, server, at, remains)?,
                None => {
                    let sample = latest.unpacker.unpack(&self.kv, server, Moment::of(at), &row)?;
                    latest.fold.step(&mut self.kv, &sample, &self.rating)?;
                }
            }
            latest.at = at;
            if is_one {
                let unit = row.unit.as_ref().map(KeptUnit::id);
                folded.extend(Folded::of(server, at, unit, &mut latest.fold));
            } else {
                self.running.retain(|_, running| running.place_of(server).is_none());
            }
            // An earlier sample tells the ledger what is not new in the later ones: their days' marks may change too.
            if let Some(unit) = row.unit.as_ref().filter(|_| from < at) {
                self.unmark(&unit.id(), at);
            }
        }
        self.latest.insert(server.to_owned(), latest);
        Ok(())
    }
}

/// The unit of a late sample, by those of its neighbours in time; `None`: it is not late, or they have none.
pub(super) fn unit_between<T>(before: Option<Option<T>>, after: Option<Option<T>>) -> Option<T> {
    after.and_then(|after| before.flatten().or(after))
}

/// Instant, unit and summary of a sample.
pub type SummaryAt = (Instant, Option<UnitId>, Arc<Summary>);

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}
