//! What must hold after every duty, computed from the world's truth and not from the agent's rules.

mod account;
mod far_side;
mod gates;
mod memory;
mod owed;
mod secrets;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;

use crate::agent::Agent;
use crate::domain::calendar::minute_text;
use crate::domain::forgetting::Forgotten;
use crate::domain::installation::UnitId;
use crate::domain::{Instant, Month, Points};
use crate::license_server::LicenseServer;
use crate::rules::schedule::{Duty, Planned};
use crate::seal::chain::Hash;
use crate::store::fact::{Fact, key};
use crate::store::journal::Head;

use account::Account;
use secrets::Secret;

use super::world::SimulatedServer;

pub use memory::Memory;
pub use owed::Given;

/// Objections kept; the first ones tell the story.
const OBJECTIONS_MAX: usize = 50;

/// Heads remembered, one for each opening.
const HEADS_MAX: usize = 10_000;

/// In which life of the agent (each backup that is put back begins one) and at which look a message was first there.
type Arrival = (u32, u64);

/// In most worlds what the agent keeps is compared after so many duties.
const KEPT_COMPARED_EVERY: u64 = 64;

/// Watches the agent and objects.
pub struct Oracle {
    objections: Vec<String>,
    head: Head,
    /// Where the journal ended at each opening.
    heads: Vec<Head>,
    /// The last hour at which each duty was begun, and the journal's head then.
    begun: BTreeMap<Duty, (Instant, u64)>,
    account: Account,
    samples_seen: BTreeMap<String, Instant>,
    /// When each unit's first sample was seen.
    first_seen: BTreeMap<UnitId, Instant>,
    /// Since when the agent runs, and the day on which it was last asked whether it says what is wrong.
    up_since: Option<Instant>,
    looked_on: Option<NaiveDate>,
    /// Entries of the far side's journal looked at, and messages in it then.
    far_seq: u64,
    messages_seen: usize,
    /// When each of its messages was first there: its clock may be wrong, so its receipts do not say the order.
    arrived: BTreeMap<String, Arrival>,
    looks: u64,
    /// How often a backup was put back.
    life: u32,
    /// Messages that the far side took and an agent put back to a backup did not know.
    overtaken: BTreeSet<String>,
    /// When consent was given last while the agent's clock was behind: its record says an earlier instant.
    consented_at: Option<Instant>,
    /// Revisions that were entered elsewhere and corrected before they were sent.
    entered_alone: BTreeSet<(UnitId, Month, u32)>,
    /// When the far side was put back to a backup.
    far_side_put_back_at: Option<Instant>,
    secrets: Vec<Secret>,
    pub checks: u64,
    /// After how many duties what the agent keeps is compared with what it would read.
    kept_compared_every: u64,
}

impl Default for Oracle {
    fn default() -> Oracle {
        Oracle::of(0)
    }
}

impl Oracle {
    /// The oracle of a world; of every tenth seed it compares what the agent keeps after every duty.
    pub fn of(seed: u64) -> Oracle {
        let kept_compared_every = if seed.is_multiple_of(10) { 1 } else { KEPT_COMPARED_EVERY };
        let mut oracle = Oracle {
            objections: Vec::new(),
            head: Head::EMPTY,
            heads: Vec::new(),
            begun: BTreeMap::new(),
            account: Account::default(),
            samples_seen: BTreeMap::new(),
            first_seen: BTreeMap::new(),
            up_since: None,
            looked_on: None,
            far_seq: 0,
            messages_seen: 0,
            arrived: BTreeMap::new(),
            looks: 0,
            life: 0,
            overtaken: BTreeSet::new(),
            consented_at: None,
            entered_alone: BTreeSet::new(),
            far_side_put_back_at: None,
            secrets: Vec::new(),
            checks: 0,
            kept_compared_every,
        };
        oracle.keep_simulated_secrets();
        oracle
    }

    /// Objects.
    pub fn object(&mut self, objection: String) {
        if self.objections.len() < OBJECTIONS_MAX {
            self.objections.push(objection);
        }
    }

    /// Weeks before it are owed to nobody, though the record of the consent names an earlier instant.
    pub fn consented_by_a_late_clock(&mut self, now: Instant) {
        self.consented_at = Some(now);
    }

    /// So much is wrong already that playing on tells nothing.
    pub fn has_heard_enough(&self) -> bool {
        self.objections.len() == OBJECTIONS_MAX
    }

    pub fn objections(&self) -> &[String] {
        &self.objections
    }

    /// A duty is begun: never the same twice without anything recorded in between.
    pub fn about_to(&mut self, planned: &Planned, now: Instant) {
        let head = self.head.seq;
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
        self.up_since = None;
        if self.heads.len() < HEADS_MAX && self.heads.last() != Some(&self.head) {
            self.heads.push(self.head);
        }
    }

    /// The agent stands on an older memory from here on: a backup was put back.
    pub fn put_back(&mut self) {
        self.begun.clear();
        self.heads.clear();
        self.samples_seen.clear();
        (self.head, self.up_since) = (Head::EMPTY, None);
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
        if self.checks.is_multiple_of(self.kept_compared_every) {
            self.check_freshness(agent, now);
        }
        for (name, server) in servers {
            self.check_samples(agent, name, server, now);
        }
        self.check_told(agent, servers, now);
        if let Some(license_server) = license_server {
            self.check_far_side(agent, license_server, now);
        }
    }

    /// What the schedule is derived from is what the state says, whatever of it is kept from duty to duty.
    fn check_freshness(&mut self, agent: &Agent, now: Instant) {
        match agent.kept_differs(now) {
            Ok(None) => {}
            Ok(Some(how)) => self.object(format!("{}  the schedule's facts are old: {how}", minute_text(now))),
            Err(error) => self.object(format!("{}  the schedule's facts are not read: {error}", minute_text(now))),
        }
    }

    fn check_journal(&mut self, agent: &Agent, now: Instant) {
        let (head, seen) = (agent.store().head(), self.head);
        if head.seq < seen.seq {
            self.object(format!("{}  the journal went back from {} to {}", minute_text(now), seen.seq, head.seq));
        }
        if head.seq == seen.seq && head.hash != seen.hash {
            self.object(format!("{}  entry {} of the journal is another one", minute_text(now), head.seq));
        }
        self.head = head;
    }

    /// Every entry of the journal hangs on the one before it, every head that was seen stands in it, and no secret.
    pub fn check_chain(&mut self, agent: &Agent, now: Instant) {
        let mut awaited: BTreeMap<u64, Hash> = self.heads.iter().map(|head| (head.seq, head.hash)).collect();
        let mut told = Vec::new();
        let secrets = std::mem::take(&mut self.secrets);
        let verified = agent.store().history(0, &mut |entry, facts| {
            if awaited.remove(&entry.seq).is_some_and(|hash| hash != entry.hash) {
                told.push(format!("{}  entry {} of the journal is another one", minute_text(now), entry.seq));
            }
            // Samples are packed, and come from the simulated estates.
            for fact in facts.iter().filter(|fact| !matches!(fact, Fact::SampleTaken { .. })) {
                let text = serde_json::to_string(fact).unwrap_or_default();
                let leaked = secrets.iter().filter(|secret| secret.stands_in(&text));
                told.extend(
                    leaked.map(|secret| format!("{} stands in entry {} of the journal", secret.what, entry.seq)),
                );
            }
        });
        self.secrets = secrets;
        told.into_iter().for_each(|objection| self.object(objection));
        match verified {
            Ok(verified) if verified.head == agent.store().head() => {}
            Ok(_) => self.object(format!("{}  the journal does not end where the agent stands", minute_text(now))),
            Err(error) => self.object(format!("{}  the journal is broken: {error}", minute_text(now))),
        }
        if let Some(seq) = awaited.keys().next_back().filter(|_| awaited.keys().any(|seq| *seq > 0)) {
            self.object(format!("{}  entry {seq} of the journal is gone", minute_text(now)));
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
        let truth = |server: &SimulatedServer| lock(&server.estate).truth_of_report(month).billable_points;
        let is: Points = servers.values().map(truth).sum();
        if is != total {
            self.object(format!(
                "the report of {month} says {total}, true are {is} (agent {})",
                agent.identity().agent
            ));
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_forgotten(agent: &Agent, unit: &str, month: Month) -> bool {
    agent.store().row::<Forgotten>(&key::forgotten(unit, month)).is_ok_and(|forgotten| forgotten.is_some())
}

/// Whether the far side's answer to a sealed message is kept.
fn is_answered(agent: &Agent, id: &str) -> bool {
    agent.store().keys(&key::receipt(id)).is_ok_and(|kept| !kept.is_empty())
}
