//! `bench marks`: every week's high watermarks by tenant and kind from a store just opened, set against what is right.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use rust_decimal::Decimal;
use serde_json::json;

use super::model::{KINDS, WeekMark, at, tenant};
use super::store::{UNIT, refused};
use super::{Generated, print_line};
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::domain::sample::Group;
use crate::domain::{IsoWeek, Points};
use crate::ports::files::RealFiles;
use crate::ports::meter::Meter;
use crate::store::{GroupWeeks, Place, Store, raise};

/// Hours of a week.
const WEEK: usize = 168;

/// Options of `bench marks`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    #[command(flatten)]
    of: Generated,
    /// The folder that `bench store` filled with the same provider
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Counts the same out of the journal alone too, and compares every day with what is kept of it
    #[arg(long)]
    recompute: bool,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let meter = Meter::begin();
    let opening = Meter::begin();
    let (store, opened) = Store::open(&Place::Folder(asked.store.clone()), Arc::new(RealFiles)).map_err(refused)?;
    let open = opening.used();
    let fleet = asked.of.fleet();
    let (first, last) = (at(0).date_naive(), at(fleet.plan.hours - 1).date_naive());
    let asking = Meter::begin();
    let weeks = store.group_weeks(UNIT, first, last).map_err(refused)?;
    let answer = asking.used();
    let again = Meter::begin();
    store.group_weeks(UNIT, first, last).map_err(refused)?;
    let warm = again.used();
    let days = store.days(UNIT, first, last).map_err(refused)?;
    let truth = fleet.truth();
    let mut totals: BTreeMap<IsoWeek, Points> = BTreeMap::new();
    for day in &days {
        let highest = totals.entry(IsoWeek::of_day(day.day)).or_default();
        *highest = (*highest).max(day.mark.points);
    }
    let again = if asked.recompute { Some(recounted(&store, &weeks)?) } else { None };
    let is_right = is_right(&truth, &weeks, &totals) && again.as_ref().is_none_or(|again| again.is_same);
    let line = json!({
        "ok": is_right,
        "weeks": weeks.len(),
        "groups": weeks.values().map(BTreeMap::len).sum::<usize>(),
        "open_ms": open.wall_seconds * 1e3,
        "open_cpu_ms": open.cpu_seconds * 1e3,
        "applied": opened.applied,
        "marks_ms": answer.wall_seconds * 1e3,
        "marks_cpu_ms": answer.cpu_seconds * 1e3,
        "recomputed_ms": again.as_ref().map(|again| again.wall_ms),
        "proved_ms": again.as_ref().map(|again| again.proved_ms),
        "kept_us": warm.wall_seconds * 1e6,
    });
    print_line(session, &meter, line)
}

/// What came of counting everything again out of the journal.
struct Again {
    /// The weeks are the same, and so is every day that is kept.
    is_same: bool,
    /// Counting alone, and counting with the comparison.
    wall_ms: f64,
    proved_ms: f64,
}

/// Counts the weeks out of the journal, then days and weeks against what is kept of them.
fn recounted(store: &Store, weeks: &GroupWeeks) -> Result<Again, Refused> {
    let again = Meter::begin();
    let mut found = GroupWeeks::new();
    let counted = store.recount(&mut |_, mark, maxima| {
        raise(found.entry(IsoWeek::of_day(mark.day)).or_default(), maxima);
        Ok(())
    });
    counted.map_err(refused)?;
    let wall_ms = again.used().wall_seconds * 1e3;
    let proof = Meter::begin();
    let proved = store.prove_marks(&mut |_, _, _| Ok(())).map_err(refused)?;
    let is_same = found == *weeks && proved.differing == 0;
    Ok(Again { is_same, wall_ms, proved_ms: proof.used().wall_seconds * 1e3 })
}

fn is_right(truth: &[WeekMark], weeks: &GroupWeeks, totals: &BTreeMap<IsoWeek, Points>) -> bool {
    let points = |tenths: u64| Points::new(Decimal::from(tenths) / Decimal::TEN);
    truth.len() == weeks.len()
        && truth.iter().enumerate().all(|(number, mark)| {
            let week = IsoWeek::of(at((number * WEEK) as u32));
            let groups: BTreeMap<Group, Points> = mark
                .groups
                .iter()
                .filter(|(_, tenths)| **tenths > 0)
                .map(|((owner, kind), tenths)| {
                    ((Some(tenant(*owner)), KINDS[usize::from(*kind)].kind.clone()), points(*tenths))
                })
                .collect();
            weeks.get(&week) == Some(&groups) && totals.get(&week) == Some(&points(mark.total))
        })
}
