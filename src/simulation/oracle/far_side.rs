//! What the License Update Server took: each once, in order, as the store has it, and judged alike.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::agent::Agent;
use crate::domain::calendar::minute_text;
use crate::domain::installation::{Unit, UnitId};
use crate::domain::report::{External, Receipt, UsageReport};
use crate::domain::{Instant, IsoWeek, Month, Points};
use crate::license_server::{LicenseServer, MessageOnFile, State};
use crate::protocol::{Submission, Telemetry, unverified};
use crate::seal::digest::sha256_hex;
use crate::store::fact::{SealedMessage, key};

use super::owed::switched_on;
use super::{Oracle, is_answered, is_forgotten};

/// What the keys of kept receipts begin with.
const RECEIPTS: &str = "receipt/";

impl Oracle {
    /// At the far side: one accepted message per id, submitted never above generated, each lowering with a reason.
    pub(super) fn check_far_side(&mut self, agent: &Agent, server: &LicenseServer, now: Instant) {
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
        self.check_messages(agent, &state, now);
    }

    /// Every message that stands at the far side.
    pub fn check_messages(&mut self, agent: &Agent, state: &State, now: Instant) {
        let (mut months, mut weeks) = (BTreeMap::new(), BTreeMap::new());
        let mut taken: BTreeMap<(UnitId, u32), Vec<(u64, IsoWeek)>> = BTreeMap::new();
        self.looks += 1;
        for message in state.messages.values() {
            let is_overtaken = self.is_overtaken(&message.receipt.id);
            let (life, look) = *self.arrived.entry(message.receipt.id.clone()).or_insert((self.life, self.looks));
            if !message.conflicts.is_empty() && !is_overtaken {
                self.object(format!("{}  other bytes came under {}", minute_text(now), message.receipt.id));
            }
            if let Some(submission) = unverified::<Submission>(&message.body) {
                *months.entry((submission.unit.clone(), submission.month, submission.revision)).or_insert(0) += 1;
                if !is_overtaken {
                    self.check_submission(agent, &submission, now);
                }
            } else if let Some(telemetry) = unverified::<Telemetry>(&message.body) {
                *weeks.entry((telemetry.unit.clone(), telemetry.week)).or_insert(0) += 1;
                taken.entry((telemetry.unit.clone(), life)).or_default().push((look, telemetry.week));
                if !is_overtaken {
                    self.check_telemetry(agent, &telemetry, now);
                }
            } else {
                let id = &message.receipt.id;
                self.object(format!("{}  {id} was taken and is neither telemetry nor a report", minute_text(now)));
            }
        }
        self.check_adopted(agent, state, now);
        // Of several that came between two looks nobody knows the order; they are given that of their weeks. An agent put
        // back to before consent paused owes the weeks of that pause: in order, but after later ones of its former life.
        taken.values_mut().for_each(|taken| taken.sort());
        for (_, taken) in taken.iter().filter(|(_, taken)| !taken.is_sorted_by_key(|(_, week)| *week)) {
            self.object(format!("{}  telemetry came out of order: {taken:?}", minute_text(now)));
        }
        for ((_, month, revision), times) in months.iter().filter(|(_, times)| **times > 1) {
            self.object(format!("{}  {month} r{revision} was submitted {times} times", minute_text(now)));
        }
        for ((_, week), times) in weeks.into_iter().filter(|(_, times)| *times > 1) {
            self.object(format!("{}  telemetry {week} was taken {times} times", minute_text(now)));
        }
        let revisions: BTreeSet<(UnitId, Month, u32)> = months.into_keys().collect();
        for (unit, month, revision) in &revisions {
            let is_first_sent = *revision > 1 && !revisions.contains(&(unit.clone(), *month, revision - 1));
            if is_first_sent && !self.is_entered_alone(agent, unit, *month, revision - 1) {
                self.object(format!("{}  {month} r{revision} came without the one before it", minute_text(now)));
            }
        }
    }

    /// Whether a revision became final by being entered elsewhere: it may be corrected before it was ever sent. What was
    /// seen once holds, as a backup that is put back may not know it.
    fn is_entered_alone(&mut self, agent: &Agent, unit: &UnitId, month: Month, revision: u32) -> bool {
        let entered = || agent.store().row::<External>(&key::report("external", unit, month, revision));
        let of = (unit.clone(), month, revision);
        if !self.entered_alone.contains(&of) && matches!(entered(), Ok(Some(External { at: Some(_), .. }))) {
            self.entered_alone.insert(of.clone());
        }
        self.entered_alone.contains(&of)
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
        self.check_lowering((submission.total_points, initial), &report, now);
    }

    /// What was submitted below what was generated was lowered by somebody, who said why.
    pub fn check_lowering(&mut self, (submitted, initial): (Points, Points), report: &UsageReport, now: Instant) {
        let (month, revision) = (report.month, report.revision);
        if submitted < initial && report.adjustments.is_empty() {
            self.object(format!("{}  {month} r{revision} was lowered by nobody", minute_text(now)));
        }
        if report.adjustments.iter().any(|adjustment| adjustment.reason.trim().is_empty()) {
            self.object(format!("{}  {month} r{revision} was lowered without a reason", minute_text(now)));
        }
    }

    /// The week's mark is as high as every total that was sampled in it by the time it was sealed.
    fn check_telemetry(&mut self, agent: &Agent, telemetry: &Telemetry, now: Instant) {
        let sealed: Option<SealedMessage> = agent.store().row(&key::sealed(&telemetry.id)).unwrap_or_default();
        let sealed_at = sealed.map_or(now, |sealed| sealed.sealed_at);
        for day in telemetry.week.days() {
            let Some(stood) = self.account.stood_on(&telemetry.unit, day, sealed_at) else { continue };
            if telemetry.points.is_none_or(|points| points < stood) {
                let (week, points) = (telemetry.week, telemetry.points);
                self.object(format!("{}  telemetry {week} says {points:?}, {stood} stood on {day}", minute_text(now)));
            }
        }
    }

    /// Whatever was taken stands in the store with the same bytes and the same receipt, and both sides judge alike.
    pub fn check_far_side_whole(&mut self, agent: &Agent, state: &State, story: &[String], now: Instant) {
        for message in state.messages.values() {
            self.check_kept(agent, message, now);
        }
        for kept in agent.store().keys(RECEIPTS).unwrap_or_default() {
            let id = kept.trim_start_matches(RECEIPTS);
            let sealed: Option<SealedMessage> = agent.store().row(&key::sealed(id)).unwrap_or_default();
            let may_lack = sealed.is_some_and(|sealed| self.may_lack(agent, &sealed.unit));
            if !state.messages.contains_key(id) && !may_lack {
                self.object(format!("{}  {id} has a receipt and the far side does not have it", minute_text(now)));
            }
        }
        for unit in agent.store().units().unwrap_or_default() {
            self.check_gates((agent, story), state, &unit, now);
            self.check_license(agent, state, &unit, now);
            self.check_weeks(agent, state, &unit, now);
        }
    }

    /// The bytes that were taken are those that were sealed, and the receipt that is kept is the one that was given.
    fn check_kept(&mut self, agent: &Agent, message: &MessageOnFile, now: Instant) {
        let id = &message.receipt.id;
        if message.receipt.sha256 != sha256_hex(message.body.as_bytes()) {
            self.object(format!("{}  the receipt of {id} is of other bytes", minute_text(now)));
        }
        let sealed: Option<SealedMessage> = agent.store().row(&key::sealed(id)).unwrap_or_default();
        let answered: Value = agent.store().row(&key::receipt(id)).unwrap_or_default().unwrap_or_default();
        let is_adopted = answered["conflict"]["stored_body"] == message.body.as_str();
        match sealed {
            Some(sealed) if sealed.body == message.body || is_adopted => {}
            // Sealed again by an agent put back to before it, and not sent yet: whether that is owed is asked elsewhere.
            Some(_) if self.is_overtaken(id) && !is_answered(agent, id) => {}
            Some(_) => self.object(format!("{}  {id} was taken with other bytes than it has here", minute_text(now))),
            None if self.is_overtaken(id) => {}
            None => self.object(format!("{}  {id} was taken and is not kept", minute_text(now))),
        }
        let receipt = serde_json::from_value(answered["receipt"].clone()).ok();
        let is_given = |kept: &Receipt| *kept == message.receipt || self.is_of_before(kept, &message.receipt);
        if receipt.is_some_and(|kept| !is_given(&kept)) {
            self.object(format!("{}  the receipt of {id} is not the one that was given", minute_text(now)));
        }
    }

    /// Whether it is the receipt that the far side gave first, before it was put back and took the same bytes again.
    fn is_of_before(&self, kept: &Receipt, given: &Receipt) -> bool {
        self.was_far_side_put_back() && (&kept.id, &kept.sha256) == (&given.id, &given.sha256)
    }

    /// From the first sample since consent to the week before last, every week was taken.
    fn check_weeks(&mut self, agent: &Agent, state: &State, unit: &Unit, now: Instant) {
        let (Some(first), Some(switch)) = (self.first_seen.get(&unit.id), switched_on(agent, unit)) else { return };
        if !agent.enrolment_known() || unit.servers.is_empty() || self.may_lack(agent, &unit.id) {
            return;
        }
        let telemetry = state.messages.values().filter_map(|message| unverified::<Telemetry>(&message.body));
        let taken: BTreeSet<IsoWeek> = telemetry.filter(|one| one.unit == unit.id).map(|one| one.week).collect();
        let mut week = IsoWeek::of(switch.at.max(*first).max(self.consented_at.unwrap_or(switch.at)));
        // The week before may still wait for its drawn instant.
        while week.next().next().ends_at() <= now {
            if !taken.contains(&week) {
                self.object(format!(
                    "{}  left undone: telemetry {week} of {} was never taken",
                    minute_text(now),
                    unit.id
                ));
            }
            week = week.next();
        }
    }
}
