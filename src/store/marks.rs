//! The marks of a unit's days: worked out of samples in short, carried on within the newest day, kept, and read again.
//!
//! A day's mark is one row. The maxima of its groups are another one, as what differs from those of the day before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::days::{Running, Seen, Surpluses, run_through};
use super::fold::Fold;
use super::kept::{self, KeptDay, exact};
use super::keys::{self, About};
use super::kv::Record;
use super::once::CountingOnce;
use super::packing::columns::Exact;
use super::state::State;
use crate::domain::calendar::midnight;
use crate::domain::installation::{ServerName, Unit, UnitId};
use crate::domain::sample::{Group, GroupTotal, Summary};
use crate::domain::watermark::DayMark;
use crate::domain::{Instant, Points};

/// Days from one whose maxima are stated whole to the next.
pub(super) const WHOLE_EVERY_DAYS: i32 = 32;

/// The highest points of groups on a day.
pub type Maxima = BTreeMap<Group, Points>;

/// Takes a day and its maxima.
type EachDay<'a> = &'a mut dyn FnMut(NaiveDate, &Maxima);

/// What is kept of a day's maxima, by tenant and type.
#[derive(Serialize, Deserialize)]
pub(super) enum KeptMaxima<Text> {
    Whole(Vec<(Option<Text>, Text, Exact)>),
    /// What is another than on the day before; nothing: it is gone.
    Since(Vec<(Option<Text>, Text, Option<Exact>)>),
}

impl KeptMaxima<String> {
    fn of(day: NaiveDate, before: Option<&Maxima>, maxima: &Maxima) -> KeptMaxima<String> {
        let name = |(tenant, kind): &Group| (tenant.clone(), kind.as_str().to_owned());
        let since = before.filter(|_| day.num_days_from_ce() % WHOLE_EVERY_DAYS != 0).map(|before| {
            let is_other = |(group, points): &(&Group, &Points)| before.get(*group) != Some(*points);
            let stand = maxima.iter().filter(is_other).map(|(group, points)| (group, Some((*points).into())));
            let gone = before.keys().filter(|group| !maxima.contains_key(*group)).map(|group| (group, None));
            let named = stand.chain(gone).map(|(group, points)| {
                let (tenant, kind) = name(group);
                (tenant, kind, points)
            });
            named.collect::<Vec<_>>()
        });
        match since {
            Some(since) if since.len() * 2 < maxima.len() => KeptMaxima::Since(since),
            Some(_) | None => KeptMaxima::Whole(
                maxima
                    .iter()
                    .map(|(group, points)| {
                        let (tenant, kind) = name(group);
                        (tenant, kind, (*points).into())
                    })
                    .collect(),
            ),
        }
    }

    /// Goes on from the maxima of the day before.
    fn follow(self, maxima: &mut Maxima) -> Result<(), StoreError> {
        let stated = match self {
            KeptMaxima::Whole(stated) => {
                maxima.clear();
                stated.into_iter().map(|(tenant, kind, points)| (tenant, kind, Some(points))).collect()
            }
            KeptMaxima::Since(stated) => stated,
        };
        for (tenant, kind, points) in stated {
            let group: Group = (tenant, kind.parse().expect("every text is a workload type"));
            match points.map(exact).transpose()? {
                Some(points) => maxima.insert(group, points),
                None => maxima.remove(&group),
            };
        }
        Ok(())
    }
}

/// The maxima of one day after the other, from one whose maxima are stated whole.
pub(super) struct FollowedMaxima {
    rows: std::iter::Peekable<std::vec::IntoIter<Record>>,
    day: Option<NaiveDate>,
    maxima: Maxima,
}

impl FollowedMaxima {
    fn of(rows: Vec<Record>) -> FollowedMaxima {
        FollowedMaxima { rows: rows.into_iter().peekable(), day: None, maxima: Maxima::new() }
    }

    fn next_day(&mut self) -> Result<Option<(NaiveDate, &Maxima)>, StoreError> {
        let Some((key, bytes)) = self.rows.next() else { return Ok(None) };
        let day = keys::day_of(&key).ok_or_else(|| kept::odd("a day's key", "it has no day"))?;
        kept::from_bytes::<KeptMaxima<String>>("a day's maxima", &bytes)?.follow(&mut self.maxima)?;
        self.day = Some(day);
        Ok(Some((day, &self.maxima)))
    }

    /// The maxima of a day later than those asked for before; `None`: none are kept of it.
    pub fn on(&mut self, day: NaiveDate) -> Result<Option<&Maxima>, StoreError> {
        while self.rows.peek().is_some_and(|(key, _)| keys::day_of(key).is_some_and(|next| next <= day)) {
            self.next_day()?;
        }
        Ok((self.day == Some(day)).then_some(&self.maxima))
    }
}

/// A sample that was folded just now.
pub(super) struct Folded {
    pub server: ServerName,
    pub at: Instant,
    pub unit: Option<UnitId>,
    pub summary: Arc<Summary>,
    /// In which groups it differs from the one before; `None`: in any.
    pub shifted: Option<Vec<(Group, GroupTotal)>>,
}

impl Folded {
    pub fn of(server: &str, at: Instant, unit: Option<UnitId>, fold: &mut Fold) -> Option<Folded> {
        let summary = Arc::clone(fold.tally.summary()?);
        Some(Folded { server: server.to_owned(), at, unit, summary, shifted: fold.shifted.take() })
    }
}

impl State {
    /// Marks days again: the newest one goes on with what was folded, others are worked out anew.
    pub(super) fn mark_days(
        &mut self,
        days: BTreeSet<(UnitId, NaiveDate)>,
        folded: &[Folded],
    ) -> Result<(), StoreError> {
        // Days that stay as they are, and are stated as what differs from one that may not.
        let mut followers: Vec<(&UnitId, NaiveDate, Maxima)> = Vec::new();
        for (unit, day) in &days {
            let after = day.succ_opt().filter(|after| !days.contains(&(unit.clone(), *after)));
            if let Some(after) = after
                && let Some(maxima) = self.maxima_of(unit, after)?
            {
                followers.push((unit, after, maxima));
            }
        }
        for (unit, day) in &days {
            if !self.go_on(unit, *day, folded)? {
                self.mark_anew(unit, *day)?;
            }
        }
        for (unit, day, maxima) in followers {
            self.put_maxima(unit, day, Some(&maxima))?;
        }
        self.running.retain(|_, running| !running.is_broken());
        Ok(())
    }

    fn mark_anew(&mut self, unit: &UnitId, day: NaiveDate) -> Result<(), StoreError> {
        let mut running = self.derive_day(unit, day)?;
        self.put_day(unit, day, running.as_ref())?;
        self.put_maxima(unit, day, running.as_ref().map(Running::maxima))?;
        if let Some(running) = running.as_mut() {
            running.is_raised();
        }
        // A unit that counts machines of several servers once is worked out anew each time.
        let counts_once = self.unit(unit)?.is_some_and(|unit| !unit.counts_once.is_empty());
        if let Some(running) = running.filter(|_| !counts_once) {
            self.running.insert(unit.clone(), running);
        }
        Ok(())
    }

    /// Takes what was folded into the newest day of a unit, when all of it comes after what is in it.
    fn go_on(&mut self, unit: &str, day: NaiveDate, folded: &[Folded]) -> Result<bool, StoreError> {
        if self.running.get(unit).is_none_or(|running| running.day != day) {
            return Ok(false);
        }
        let Some(mut running) = self.running.remove(unit) else { return Ok(false) };
        let mut coming: Vec<(&Folded, usize)> =
            folded.iter().filter_map(|folded| Some((folded, running.place_of(&folded.server)?))).collect();
        coming.sort_by_key(|(folded, place)| (folded.at, *place));
        let is_of_day = |folded: &Folded| folded.at.date_naive() == day && running.at.is_none_or(|at| at < folded.at);
        if coming.is_empty() || !coming.iter().all(|(folded, _)| is_of_day(folded)) {
            return Ok(false);
        }
        for at_once in coming.chunk_by(|(one, _), (next, _)| one.at == next.at) {
            let mut complete = Vec::new();
            for (folded, place) in at_once {
                let is_of_unit = folded.unit.as_deref() == Some(unit);
                match (&folded.shifted, running.stands(*place)) {
                    (Some(groups), true) if is_of_unit => {
                        running.shift(*place, folded.at, &folded.summary, groups);
                    }
                    (_, true) => return Ok(false),
                    (_, false) => {
                        let summary = is_of_unit.then(|| Arc::clone(&folded.summary));
                        running.set(*place, &Seen { at: folded.at, summary });
                    }
                }
                complete.extend(is_of_unit.then_some(*place));
            }
            if running.would_lose_sums(at_once[0].0.at) {
                return Ok(false);
            }
            running.count(at_once[0].0.at, &complete, &mut |_, _| Ok(Surpluses::new()))?;
        }
        self.put_day(unit, day, Some(&running))?;
        if running.is_raised() {
            self.put_maxima(unit, day, Some(running.maxima()))?;
        }
        self.running.insert(unit.to_owned(), running);
        Ok(true)
    }

    fn put_day(&mut self, unit: &str, day: NaiveDate, running: Option<&Running>) -> Result<(), StoreError> {
        let key = keys::day(unit, day);
        match running.and_then(Running::mark) {
            Some(mark) => self.kv.put(key, kept::to_bytes(&KeptDay::of(mark))),
            None if self.kv.has(&key)? => self.kv.delete(key),
            None => {}
        }
        Ok(())
    }

    /// Puts a day's maxima; those of the day before stand already.
    fn put_maxima(&mut self, unit: &str, day: NaiveDate, maxima: Option<&Maxima>) -> Result<(), StoreError> {
        let key = keys::on_day(About::Maxima, unit, day);
        let Some(maxima) = maxima else {
            if self.kv.has(&key)? {
                self.kv.delete(key);
            }
            return Ok(());
        };
        let before = day.pred_opt().map(|before| self.maxima_of(unit, before)).transpose()?.flatten();
        let bytes = kept::to_bytes(&KeptMaxima::of(day, before.as_ref(), maxima));
        if self.kv.get(&key)?.as_ref() != Some(&bytes) {
            self.kv.put(key, bytes);
        }
        Ok(())
    }

    /// The day worked out of what its servers' samples add up to; `None` when no sample of the unit is in it.
    fn derive_day(&self, unit: &str, day: NaiveDate) -> Result<Option<Running>, StoreError> {
        let from = midnight(day).checked_sub_signed(self.basis_max_age()).unwrap_or(midnight(day));
        let to = midnight(day.checked_add_days(Days::new(1)).unwrap_or(day));
        let names = self.names_of(About::ServerOf, unit)?;
        let mut is_any = false;
        for server in &names {
            let (start, end) = (keys::at(About::Sample, server, midnight(day)), keys::at(About::Sample, server, to));
            is_any |= self.kv.first_key(&start, &end)?.is_some();
        }
        if !is_any {
            return Ok(None);
        }
        let mut seen = Vec::new();
        for server in &names {
            let of_unit = |(at, owner, summary): (Instant, Option<UnitId>, Arc<Summary>)| {
                let is_of_unit = owner.as_deref() == Some(unit);
                Seen { at, summary: is_of_unit.then_some(summary) }
            };
            seen.push(self.summaries(server, from, to)?.into_iter().map(of_unit).collect::<Vec<Seen>>());
        }
        let mut running = Running::new(day, names.clone(), self.basis_max_age());
        match self.unit(unit)?.filter(|unit| !unit.counts_once.is_empty()) {
            None => run_through(&mut running, &seen, &mut |_, _| Ok(Surpluses::new()))?,
            Some(kept) => {
                let mut once = CountingOnce::new(&self.kv, &kept, &names, &self.rating);
                run_through(&mut running, &seen, &mut |at, standing| once.surplus_at(at, standing))?;
            }
        }
        Ok(Some(running).filter(|running| running.mark().is_some()))
    }

    fn unit(&self, id: &str) -> Result<Option<Unit>, StoreError> {
        let bytes = self.kv.get(&keys::row(&super::fact::key::unit(id)))?;
        bytes.map(|bytes| super::reads::row_from("unit", &bytes)).transpose()
    }

    /// The maxima of a day that has any.
    fn maxima_of(&self, unit: &str, day: NaiveDate) -> Result<Option<Maxima>, StoreError> {
        if !self.kv.has(&keys::on_day(About::Maxima, unit, day))? {
            return Ok(None);
        }
        let mut found = None;
        self.each_maxima(unit, day, day, &mut |_, maxima| found = Some(maxima.clone()))?;
        Ok(found)
    }

    /// Gives each day's maxima to `each`.
    fn each_maxima(&self, unit: &str, first: NaiveDate, last: NaiveDate, each: EachDay<'_>) -> Result<(), StoreError> {
        let back = Days::new(WHOLE_EVERY_DAYS.unsigned_abs().into());
        let from = first.checked_sub_days(back).unwrap_or(first);
        let behind = last.checked_add_days(Days::new(1)).unwrap_or(last).max(from);
        let range = |day| keys::on_day(About::Maxima, unit, day);
        let mut following = FollowedMaxima::of(self.kv.scan(&range(from), &range(behind))?);
        while let Some((day, maxima)) = following.next_day()? {
            if first <= day {
                each(day, maxima);
            }
        }
        Ok(())
    }

    /// Every day of the unit that has a mark, without its groups' maxima; and these, to be followed.
    pub(super) fn all_days(&self, unit: &str) -> Result<(BTreeMap<NaiveDate, DayMark>, FollowedMaxima), StoreError> {
        let rows = |about| {
            let prefix = keys::prefix(about, unit);
            self.kv.scan(&prefix, &keys::end_of(&prefix))
        };
        let mark = |(key, bytes): Record| {
            let day = keys::day_of(&key).ok_or_else(|| kept::odd("a day's key", "it has no day"))?;
            Ok((day, kept::from_bytes::<KeptDay>("a day", &bytes)?.mark(day, Vec::new())?))
        };
        let days = rows(About::Day)?.into_iter().map(mark).collect::<Result<_, StoreError>>()?;
        Ok((days, FollowedMaxima::of(rows(About::Maxima)?)))
    }

    /// The unit's marks of the days from the first to the last, both included.
    pub(super) fn days(&self, unit: &str, first: NaiveDate, last: NaiveDate) -> Result<Vec<DayMark>, StoreError> {
        let behind = last.checked_add_days(Days::new(1)).unwrap_or(last).max(first);
        let records = self.kv.scan(&keys::day(unit, first), &keys::day(unit, behind))?;
        let mut groups: BTreeMap<NaiveDate, Vec<(Group, Points)>> = BTreeMap::new();
        if !records.is_empty() {
            self.each_maxima(unit, first, last, &mut |day, maxima| {
                groups.insert(day, maxima.iter().map(|(group, points)| (group.clone(), *points)).collect());
            })?;
        }
        let mark = |(key, bytes): (Vec<u8>, Vec<u8>)| {
            let day = keys::day_of(&key).ok_or_else(|| kept::odd("a day's key", "it has no day"))?;
            kept::from_bytes::<KeptDay>("a day", &bytes)?.mark(day, groups.remove(&day).unwrap_or_default())
        };
        records.into_iter().map(mark).collect()
    }
}
