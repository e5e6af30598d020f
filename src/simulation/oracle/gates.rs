//! The gate by the oracle's own arithmetic: never by `rules::gate`, which both sides judge by.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::agent::{Agent, Hour, Query};
use crate::domain::calendar::minute_text;
use crate::domain::gate::{GateVerdict, Tolerance, Verdict};
use crate::domain::installation::Unit;
use crate::domain::{Instant, IsoWeek, Month, Points};
use crate::license_server::{MessageOnFile, State};
use crate::protocol::{Submission, Telemetry, unverified};

use super::told::says;
use super::{Oracle, is_answered};

/// What the field allows a report to fall short by, in points and in percent of the highest watermark, the more of both
/// (domain.md 5.3 and 6), where a License Update Server has no policy of its own.
const ALLOWED: (i64, i64) = (20, 20);

/// What was taken of one unit.
struct Taken {
    submissions: Vec<Submission>,
    weeks: BTreeSet<IsoWeek>,
}

impl Taken {
    fn of(state: &State, unit: &str) -> Taken {
        let bodies = || state.messages.values().map(|message: &MessageOnFile| message.body.as_str());
        let submissions = bodies().filter_map(unverified::<Submission>).filter(|one| one.unit == unit);
        let telemetry = bodies().filter_map(unverified::<Telemetry>).filter(|one| one.unit == unit);
        Taken { submissions: submissions.collect(), weeks: telemetry.map(|one| one.week).collect() }
    }

    /// The newest revision of the month.
    fn newest(&self, month: Month) -> Option<&Submission> {
        self.submissions.iter().filter(|one| one.month == month).max_by_key(|one| one.revision)
    }
}

impl Oracle {
    /// Each side judges its figures as the field does, and where both have all of a month they have the same figures.
    pub(super) fn check_gates(
        &mut self,
        (agent, story): (&Agent, &[String]),
        state: &State,
        unit: &Unit,
        now: Instant,
    ) {
        let Some(on_file) = state.units.get(&unit.id) else { return };
        let tolerance = state
            .policy
            .map_or(Tolerance { points: Points::whole(ALLOWED.0), percent: Decimal::from(ALLOWED.1) }, |policy| {
                policy.tolerance
            });
        let taken = Taken::of(state, &unit.id);
        for month in on_file.reports.keys().copied() {
            let query = Query::Gate { unit: Some(unit.id.clone()), server: None, month: Some(month) };
            let answer = agent.answer(&query, Hour::at(now)).unwrap_or_default();
            let Ok(here) = serde_json::from_value::<GateVerdict>(answer) else { continue };
            let there = on_file.verdict(&unit.id, month, tolerance);
            self.check_gate("here", &here, tolerance, now);
            self.check_gate("there", &there, tolerance, now);
            self.check_figures(agent, unit, (&here, &there), &taken, now);
            let is_told = || story.iter().any(|line| line.contains("notice gate.held")) || says(agent, "held", now);
            if here.verdict == Verdict::Held && !is_told() {
                self.object(format!("{}  the gate of {month} is held and nobody was told", minute_text(now)));
            }
        }
    }

    /// A verdict is what its figures come to; a justification opens what would be held.
    pub fn check_gate(&mut self, side: &str, gate: &GateVerdict, tolerance: Tolerance, now: Instant) {
        let (highest, reported) = (gate.highest_watermark.map(Points::amount), gate.reported.map(Points::amount));
        let allowed = highest.unwrap_or_default() * tolerance.percent / Decimal::from(100);
        let allowed = allowed.max(tolerance.points.amount());
        let short = match (highest, reported) {
            (Some(highest), Some(reported)) => Some((highest - reported).max(Decimal::ZERO)),
            (None, _) | (_, None) => None,
        };
        let awaited = match short {
            None => Verdict::Undetermined,
            Some(short) if short <= allowed || gate.justification.is_some() => Verdict::Open,
            Some(_) => Verdict::Held,
        };
        let same = gate.verdict == awaited
            && gate.tolerance.amount() == allowed
            && gate.shortfall.amount() == short.unwrap_or_default();
        if !same {
            let (month, verdict, awaited) = (gate.month, gate.verdict.as_str(), awaited.as_str());
            let figures = format!("{highest:?} stood, {reported:?} reported, {allowed} allowed");
            self.object(format!(
                "{}  the gate of {month} is {verdict} {side}, not {awaited}: {figures}",
                minute_text(now)
            ));
        }
    }

    /// The License Update Server judges by the newest revision it took. Once it has told so, and took every week of the
    /// month, both sides have the same figures.
    fn check_figures(
        &mut self,
        agent: &Agent,
        unit: &Unit,
        (here, there): (&GateVerdict, &GateVerdict),
        taken: &Taken,
        now: Instant,
    ) {
        let month = there.month;
        let Some(newest) = taken.newest(month) else { return };
        if there.reported != Some(newest.total_points) {
            let (by, is) = (there.reported, newest.total_points);
            self.object(format!("{}  the gate of {month} goes by {by:?} there, {is} was reported", minute_text(now)));
        }
        // A unit of which something was taken before an old backup was put back: the agent cannot know those figures.
        let is_overtaken = taken.submissions.iter().any(|one| self.is_overtaken(&one.id))
            || taken.weeks.iter().any(|week| self.is_overtaken(&Telemetry::id_of(&unit.id, *week)));
        if is_overtaken || !is_answered(agent, &newest.id) {
            return;
        }
        if here.reported != there.reported {
            let (here, there) = (here.reported, there.reported);
            self.object(format!("{}  {month} is judged by {here:?} here and {there:?} there", minute_text(now)));
        }
        if self.is_told_whole(unit, month, taken) && here.highest_watermark != there.highest_watermark {
            let (here, there) = (here.highest_watermark, there.highest_watermark);
            self.object(format!("{}  {month} was at most {here:?} here and {there:?} there", minute_text(now)));
        }
    }

    /// Every week of the month since the unit was first seen was taken, and the one after it: a file that was read late
    /// raises days of weeks that were sealed already, and the next telemetry amends them.
    fn is_told_whole(&self, unit: &Unit, month: Month, taken: &Taken) -> bool {
        let Some(first) = self.first_seen.get(&unit.id) else { return false };
        let (mut week, last) = (IsoWeek::of(month.starts_at().max(*first)), IsoWeek::of_day(month.last_day()).next());
        while week <= last && taken.weeks.contains(&week) {
            week = week.next();
        }
        last < week
    }
}
