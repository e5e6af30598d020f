//! What is owed once faults are healed and time was given: reports, their sending, telemetry, letters, licenses.

use chrono::{NaiveDate, TimeDelta};

use crate::agent::{Agent, Hour, Query};
use crate::domain::calendar::minute_text;
use crate::domain::gate::Verdict;
use crate::domain::installation::{Unit, UnitId};
use crate::domain::report::{External, Stage, UsageReport};
use crate::domain::{Instant, IsoWeek, Month};
use crate::license_server::{MessageOnFile, State};
use crate::protocol::{Submission, unverified};
use crate::store::fact::{AutoUpdate, MessageKind, SealedMessage, key};

use super::{Oracle, is_answered, is_forgotten};

/// A report that nobody sent goes on its day; with every pause between tries it is sent by so long after.
const SENT_WITHIN: TimeDelta = TimeDelta::days(2);

/// A refused license is asked for again a day later, and some minutes.
const ASKED_AGAIN_WITHIN: TimeDelta = TimeDelta::hours(25);

/// How much time was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Two days: enough for all but telemetry, whose instant is drawn over a week.
    TwoDays,
    /// Enough for everything.
    Enough,
}

impl Oracle {
    /// Faults are healed and time was given: nothing that is owed is left undone.
    pub fn check_all_done(&mut self, agent: &Agent, given: Given, now: Instant) {
        let store = agent.store();
        let off = units_switched_off(agent);
        // Licenses have their own window of tries; the weeks of a unit that was switched off wait for consent.
        let may_stay = |left: &str| {
            let is_telemetry = left.starts_with("setback/telemetry");
            let waits = given == Given::TwoDays || off.iter().any(|unit| left.contains(unit.as_str()));
            left.starts_with("setback/license") || is_telemetry && waits
        };
        for (prefix, what) in [
            ("pending/", "news nobody was told"),
            ("setback/", "a setback that stays"),
            ("miss/", "a server not sampled"),
        ] {
            for left in store.keys(prefix).unwrap_or_default().into_iter().filter(|left| !may_stay(left)) {
                self.object(format!("{}  left undone: {what}: {left}", minute_text(now)));
            }
        }
        let sealed = store.rows::<SealedMessage>("sealed/").unwrap_or_default();
        let is_owed =
            |one: &SealedMessage| one.kind == MessageKind::Report || given == Given::Enough && !off.contains(&one.unit);
        let unanswered = sealed.iter().filter(|(_, one)| is_owed(one) && !is_answered(agent, &one.id)).count();
        if unanswered > 0 {
            self.object(format!("{}  left undone: {unanswered} sealed messages were not answered", minute_text(now)));
        }
        for unit in store.units().unwrap_or_default().iter().filter(|unit| !unit.servers.is_empty()) {
            self.check_months_done(agent, unit, now);
            if given == Given::Enough {
                self.check_telemetry_done(agent, unit, now);
            }
        }
    }

    /// Each ended month since the first own sample has a report whose files stand, and that was sent if it goes by itself.
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
                    self.check_sent(agent, unit, month, now);
                }
            }
            month = month.next();
        }
    }

    /// The first revision of a month that may go unseen, of a unit that reports by itself since before the day.
    fn check_sent(&mut self, agent: &Agent, unit: &Unit, month: Month, now: Instant) {
        let store = agent.store();
        let of = |what: &str| key::report(what, &unit.id, month, 1);
        let Ok(Some(report)) = store.row::<UsageReport>(&of("head")) else { return };
        let goes_at = agent.settings().deadlines.auto_submit_at(month);
        let is_automatic = switched_on(agent, unit).is_some_and(|switch| switch.at <= goes_at);
        let is_due = goes_at.max(report.generated_at) + SENT_WITHIN <= now;
        if !is_automatic || !is_due || !agent.enrolment_known() || !agent.may_go_unseen(unit, &report) {
            return;
        }
        let stage: Option<Stage> = store.row(&of("stage")).unwrap_or_default();
        let entered: Option<External> = store.row(&of("external")).unwrap_or_default();
        let is_sent = match stage.unwrap_or(report.stage) {
            Stage::Submitted { .. } => true,
            Stage::AwaitingReview | Stage::Postponed { .. } | Stage::Sending { .. } => false,
        };
        if !is_sent && entered.is_none_or(|entered| entered.at.is_none()) {
            self.object(format!("{}  left undone: {month} was never sent", minute_text(now)));
        }
    }

    /// Telemetry is not behind.
    fn check_telemetry_done(&mut self, agent: &Agent, unit: &Unit, now: Instant) {
        let through: Option<IsoWeek> =
            agent.store().row(&key::of_unit("telemetry_through", &unit.id)).unwrap_or_default();
        // The week before may still wait for its drawn instant.
        let due = IsoWeek::of(now).previous().previous();
        // Weeks before consent are owed to nobody.
        let (Some(since), Some(switch)) = (unit.since, switched_on(agent, unit)) else { return };
        let since = since.max(switch.at);
        if agent.enrolment_known() && IsoWeek::of(since) <= due && through.is_none_or(|through| through < due) {
            self.object(format!("{}  left undone: telemetry stands at {through:?}", minute_text(now)));
        }
    }

    /// A unit whose key comes from the License Update Server has one that holds, unless something stands against it that
    /// is said: its gate is held, its report is missing, it is not eligible, or its contract or key is ended.
    pub fn check_license(&mut self, agent: &Agent, state: &State, unit: &Unit, now: Instant) {
        let query = Query::License { unit: Some(unit.id.clone()), server: None };
        let shown = agent.answer(&query, Hour::at(now)).unwrap_or_default();
        let asks = agent.settings().renews_by_license_server(&unit.servers) && agent.enrolment_known();
        let is_asked = shown["auto_update"] == true && shown["eligibility"]["eligible"] == true;
        let ends: Option<NaiveDate> = serde_json::from_value(shown["license"]["expires_on"].clone()).ok();
        let (Some(ends), Some(on_file)) = (ends, state.units.get(&unit.id)) else { return };
        if !asks || !is_asked || unit.servers.is_empty() || on_file.revoked.is_some() || now.date_naive() <= ends {
            return;
        }
        let policy = state.policy.unwrap_or_default();
        let judged = on_file.judged_month(now, policy.deadline_day);
        let gate = on_file.verdict(&unit.id, judged, policy.tolerance);
        // Who was refused asks again a day later: what stood against it may have gone since.
        let asked_before = now - ASKED_AGAIN_WITHIN;
        let is_of_unit = |message: &&MessageOnFile| {
            unverified::<Submission>(&message.body).is_some_and(|submission| submission.unit == unit.id)
        };
        let mut reports = state.messages.values().filter(is_of_unit);
        if on_file.judged_month(asked_before, policy.deadline_day) != judged
            || reports.any(|report| asked_before < report.receipt.received_at)
        {
            return;
        }
        if gate.verdict != Verdict::Held && !on_file.owes(judged) {
            let last = &shown["last_check"]["message"];
            self.object(format!("{}  left undone: the license ended on {ends}; last said: {last}", minute_text(now)));
        }
    }
}

/// The units whose newest order is off, a person's or the agent's own when the window of a license is over.
fn units_switched_off(agent: &Agent) -> Vec<UnitId> {
    let units = agent.store().units().unwrap_or_default().into_iter();
    let is_off = |unit: &Unit| {
        let order: Option<AutoUpdate> = agent.store().row(&key::of_unit("auto_update", &unit.id)).unwrap_or_default();
        order.is_some_and(|order| !order.on)
    };
    units.filter(is_off).map(|unit| unit.id).collect()
}

/// The switch of the unit's auto update, while it is on.
pub(super) fn switched_on(agent: &Agent, unit: &Unit) -> Option<AutoUpdate> {
    let switch: Option<AutoUpdate> = agent.store().row(&key::of_unit("auto_update", &unit.id)).unwrap_or_default();
    switch.filter(|switch| switch.on)
}
