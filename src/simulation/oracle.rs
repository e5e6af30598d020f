//! What must hold after every duty, computed from the world's truth and not from the agent's rules.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use chrono::NaiveDate;

use crate::agent::Agent;
use crate::domain::calendar::minute_text;
use crate::domain::forgetting::Forgotten;
use crate::domain::installation::{Unit, UnitId};
use crate::domain::report::UsageReport;
use crate::domain::{Instant, IsoWeek, Month, Points};
use crate::license_server::LicenseServer;
use crate::protocol::{Submission, Telemetry, unverified};
use crate::rules::schedule::{Duty, Planned};
use crate::store::fact::key;

use super::world::SimulatedServer;

/// Objections kept; the first ones tell the story.
const OBJECTIONS_MAX: usize = 50;

/// Watches the agent and objects.
#[derive(Default)]
pub struct Oracle {
    objections: Vec<String>,
    head: u64,
    /// The last hour at which each duty was begun, and the journal's head then.
    begun: BTreeMap<Duty, (Instant, u64)>,
    /// The highest true total seen at a sample, per unit and day.
    highest: BTreeMap<(String, NaiveDate), Points>,
    samples_seen: BTreeMap<String, Instant>,
    /// Entries of the far side's journal looked at, and messages in it then.
    far_seq: u64,
    messages_seen: usize,
    pub checks: u64,
}

impl Oracle {
    /// Objects.
    pub fn object(&mut self, objection: String) {
        if self.objections.len() < OBJECTIONS_MAX {
            self.objections.push(objection);
        }
    }

    pub fn objections(&self) -> &[String] {
        &self.objections
    }

    /// A duty is begun: never the same twice without anything recorded in between.
    pub fn about_to(&mut self, planned: &Planned, now: Instant) {
        let head = self.head;
        if let Some((at, then)) = self.begun.insert(planned.duty.clone(), (now, head))
            && at == now
            && then == head
        {
            self.object(format!("{}  {} is due again with nothing recorded", minute_text(now), planned.duty.key()));
        }
    }

    /// The agent was opened again; a duty cut short may come again.
    pub fn reopened(&mut self) {
        self.begun.clear();
    }

    /// Looks at everything a duty may have changed.
    pub fn check(
        &mut self,
        agent: &Agent,
        servers: &BTreeMap<String, SimulatedServer>,
        license_server: Option<&LicenseServer>,
        now: Instant,
    ) {
        self.checks += 1;
        self.check_journal(agent, now);
        for (name, server) in servers {
            self.check_sample(agent, name, server, now);
        }
        if let Some(license_server) = license_server {
            self.check_far_side(agent, license_server, now);
        }
    }

    fn check_journal(&mut self, agent: &Agent, now: Instant) {
        let head = agent.store().head().seq;
        if head < self.head {
            self.object(format!("{}  the journal went back from {} to {head}", minute_text(now), self.head));
        }
        self.head = head;
    }

    /// A sample's points are the true ones of its instant, and the day's mark is at least as high.
    fn check_sample(&mut self, agent: &Agent, name: &str, server: &SimulatedServer, now: Instant) {
        let Ok(Some(at)) = agent.store().newest_sample_at(name, now) else { return };
        if self.samples_seen.insert(name.to_owned(), at) == Some(at) {
            return;
        }
        let Ok(Some(found)) = agent.store().newest_sample(name, at) else { return };
        // Old numbers are no untruth: they say that they are old.
        if found.sample.stale.is_some() {
            return;
        }
        let truth = server.estate.lock().unwrap_or_else(PoisonError::into_inner).truth(at);
        let summary = found.summary();
        if summary.points != truth.billable_points {
            let (seen, is) = (summary.points, truth.billable_points);
            self.object(format!(
                "{}  {name} counts {seen} points at {}, true are {is}",
                minute_text(now),
                minute_text(at)
            ));
        }
        if summary.new_points != truth.new_points {
            let (seen, is) = (summary.new_points, truth.new_points);
            self.object(format!("{}  {name} counts {seen} new points, true are {is}", minute_text(now)));
        }
        self.check_mark(agent, name, at, truth.billable_points);
    }

    fn check_mark(&mut self, agent: &Agent, server: &str, at: Instant, points: Points) {
        let Ok(Some(unit)) = agent.store().unit_of(server) else {
            return self.object(format!("{}  {server} was sampled and has no unit", minute_text(at)));
        };
        let day = at.date_naive();
        let highest = self.highest.entry((unit.clone(), day)).or_default();
        *highest = points.max(*highest);
        let highest = *highest;
        let marks = agent.store().days(&unit, day, day).unwrap_or_default();
        match marks.first() {
            Some(mark) if highest <= mark.mark.points => {}
            Some(mark) => {
                let seen = mark.mark.points;
                self.object(format!("{}  the mark of {day} is {seen}, {highest} stood", minute_text(at)));
            }
            None => self.object(format!("{}  {day} was sampled and has no mark", minute_text(at))),
        }
    }

    /// At the far side: one accepted message per id, submitted never above generated, each lowering with a reason.
    fn check_far_side(&mut self, agent: &Agent, server: &LicenseServer, now: Instant) {
        let seq = server.journal_seq();
        if std::mem::replace(&mut self.far_seq, seq) == seq {
            return;
        }
        let state = server.state();
        if state.messages.len() < self.messages_seen {
            self.object(format!("{}  the far side lost messages", minute_text(now)));
        }
        if state.messages.len() == self.messages_seen {
            return;
        }
        self.messages_seen = state.messages.len();
        let (mut months, mut weeks) = (BTreeMap::new(), BTreeMap::new());
        let mut taken: BTreeMap<UnitId, Vec<(Instant, IsoWeek)>> = BTreeMap::new();
        for message in state.messages.values() {
            if !message.conflicts.is_empty() {
                self.object(format!("{}  other bytes came under {}", minute_text(now), message.receipt.id));
            }
            if let Some(submission) = unverified::<Submission>(&message.body) {
                *months.entry((submission.unit.clone(), submission.month, submission.revision)).or_insert(0) += 1;
                self.check_submission(agent, &submission, now);
            } else if let Some(telemetry) = unverified::<Telemetry>(&message.body) {
                *weeks.entry((telemetry.unit.clone(), telemetry.week)).or_insert(0) += 1;
                taken.entry(telemetry.unit.clone()).or_default().push((message.receipt.received_at, telemetry.week));
                self.check_telemetry(&telemetry, now);
            }
        }
        taken.values_mut().for_each(|taken| taken.sort());
        for (_, taken) in taken.iter().filter(|(_, taken)| !taken.is_sorted_by_key(|(_, week)| *week)) {
            self.object(format!("{}  telemetry came out of order: {taken:?}", minute_text(now)));
        }
        for ((_, month, revision), times) in months.into_iter().filter(|(_, times)| *times > 1) {
            self.object(format!("{}  {month} r{revision} was submitted {times} times", minute_text(now)));
        }
        for ((_, week), times) in weeks.into_iter().filter(|(_, times)| *times > 1) {
            self.object(format!("{}  telemetry {week} was taken {times} times", minute_text(now)));
        }
    }

    /// Never above what was generated, and each lowering with its reason.
    fn check_submission(&mut self, agent: &Agent, submission: &Submission, now: Instant) {
        let (month, revision) = (submission.month, submission.revision);
        let initial: Points = submission.lines.iter().map(|line| line.weight * line.initial_count).sum();
        if initial < submission.total_points {
            self.object(format!("{}  {month} was submitted above what was generated", minute_text(now)));
        }
        let kept = agent.store().row::<UsageReport>(&key::report("report", &submission.unit, month, revision));
        if is_forgotten(agent, &submission.unit, month) {
            return;
        }
        let Ok(Some(report)) = kept else {
            return self.object(format!("{}  {month} r{revision} was submitted and is not kept", minute_text(now)));
        };
        if report.total_points != submission.total_points || report.digest != submission.digest {
            self.object(format!("{}  {month} r{revision} was changed after it was sealed", minute_text(now)));
        }
        if submission.total_points < initial && report.adjustments.is_empty() {
            self.object(format!("{}  {month} r{revision} was lowered by nobody", minute_text(now)));
        }
        if report.adjustments.iter().any(|adjustment| adjustment.reason.trim().is_empty()) {
            self.object(format!("{}  {month} r{revision} was lowered without a reason", minute_text(now)));
        }
    }

    /// The week's mark is as high as every total that was sampled in it by the time it was sealed.
    fn check_telemetry(&mut self, telemetry: &Telemetry, now: Instant) {
        for day in telemetry.week.days() {
            let Some(stood) = self.highest.get(&(telemetry.unit.clone(), day)).copied() else { continue };
            if telemetry.points.is_none_or(|points| points < stood) {
                let (week, points) = (telemetry.week, telemetry.points);
                self.object(format!("{}  telemetry {week} says {points:?}, {stood} stood on {day}", minute_text(now)));
            }
        }
    }

    /// Faults are healed and time was given: nothing that is owed is left undone.
    pub fn check_all_done(&mut self, agent: &Agent, now: Instant) {
        let store = agent.store();
        for (prefix, what) in [
            ("pending/", "news nobody was told"),
            ("setback/", "a setback that stays"),
            ("miss/", "a server not sampled"),
        ] {
            for left in
                store.keys(prefix).unwrap_or_default().into_iter().filter(|left| !left.starts_with("setback/license"))
            {
                self.object(format!("{}  left undone: {what}: {left}", minute_text(now)));
            }
        }
        let (sealed, answered) =
            (store.keys("sealed/").unwrap_or_default(), store.keys("receipt/").unwrap_or_default());
        if sealed.len() != answered.len() {
            let unanswered = sealed.len() - answered.len();
            self.object(format!("{}  left undone: {unanswered} sealed messages were not answered", minute_text(now)));
        }
        for unit in store.units().unwrap_or_default().iter().filter(|unit| !unit.servers.is_empty()) {
            self.check_months_done(agent, unit, now);
        }
    }

    /// Each ended month since the first own sample has a report whose files stand, and telemetry is not behind.
    fn check_months_done(&mut self, agent: &Agent, unit: &Unit, now: Instant) {
        let Some(since) = unit.since else { return };
        let store = agent.store();
        let mut month = Month::of(since);
        while month.ends_at() < now {
            let heads = store.keys(&format!("head/{}/{month}/", unit.id)).unwrap_or_default();
            match heads.last() {
                None if is_forgotten(agent, &unit.id, month) => {}
                None => self.object(format!("{}  left undone: no report of {month}", minute_text(now))),
                Some(head) => {
                    let files: Option<String> = store.row(&head.replacen("head/", "files/", 1)).unwrap_or_default();
                    let kept: Option<UsageReport> = store.row(head).unwrap_or_default();
                    if files.is_none() || files != kept.map(|kept| kept.digest) {
                        self.object(format!("{}  left undone: the files of {month}", minute_text(now)));
                    }
                }
            }
            month = month.next();
        }
        let through: Option<IsoWeek> = store.row(&key::of_unit("telemetry_through", &unit.id)).unwrap_or_default();
        // The week before may still wait for its drawn instant.
        let due = IsoWeek::of(now).previous().previous();
        if agent.enrolment_known() && IsoWeek::of(since) <= due && through.is_none_or(|through| through < due) {
            self.object(format!("{}  left undone: telemetry stands at {through:?}", minute_text(now)));
        }
    }

    /// The reports of months that nobody adjusted, against the truth of the estates at their ends.
    ///
    /// Only for worlds in which every server was sampled shortly before the month's end.
    pub fn check_report(
        &mut self,
        agent: &Agent,
        servers: &BTreeMap<String, SimulatedServer>,
        month: Month,
        total: Points,
    ) {
        let truth = |server: &SimulatedServer| {
            server.estate.lock().unwrap_or_else(PoisonError::into_inner).truth_of_report(month).billable_points
        };
        let is: Points = servers.values().map(truth).sum();
        if is != total {
            self.object(format!(
                "the report of {month} says {total}, true are {is} (agent {})",
                agent.identity().agent
            ));
        }
    }
}

fn is_forgotten(agent: &Agent, unit: &str, month: Month) -> bool {
    agent.store().row::<Forgotten>(&key::forgotten(unit, month)).is_ok_and(|forgotten| forgotten.is_some())
}
