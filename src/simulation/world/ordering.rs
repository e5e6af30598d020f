//! People give orders, and give them again when the plug was pulled within one and it was not done.

use serde_json::Value;

use super::World;
use crate::agent::{Obeyed, Order, Outcome, Query, Refused, Work, carry_out};
use crate::ask::Setback;
use crate::domain::Month;
use crate::domain::people::Person;
use crate::rules::schedule::Duty;

/// Where within a person's order the plug is pulled. An order that has no such place loses its answer alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderKill {
    /// With this writing operation of the order, the first being 0; so many unsynced bytes of each file are left.
    AtWrite { operation: u64, unsynced_bytes: usize },
    /// After this talk of the order, the first being 0: the far side has it; nothing is recorded.
    AfterTalk { talk: u64 },
}

/// Kills of orders: the one that waits for an order, the one of the order under way, and how many happened.
#[derive(Default)]
pub(super) struct OrderKills {
    waiting: Option<OrderKill>,
    under_way: Option<OrderKill>,
    done: u64,
}

impl World {
    /// Pulls the plug within the next order; while the disk is in trouble anyhow it waits for a later one.
    pub fn kill_order(&mut self, kill: OrderKill) {
        self.order_kills.waiting = Some(kill);
    }

    /// No order is killed any more.
    pub(super) fn spare_orders(&mut self) {
        self.order_kills.waiting = None;
    }

    /// Kills that happened within orders.
    pub fn orders_killed(&self) -> u64 {
        self.order_kills.done
    }

    /// Gives the agent a person's order and carries it out.
    ///
    /// # Errors
    /// The agent's refusal, or what kept it from being carried out.
    pub fn order(&mut self, order: Order, by: &str) -> Result<Value, Refused> {
        self.order_as(order, &Person::owner(by))
    }

    /// Gives the agent an order of one of its users and carries it out.
    ///
    /// # Errors
    /// As [`World::order`]; 77 when the person's role does not suffice.
    pub fn order_as(&mut self, order: Order, person: &Person) -> Result<Value, Refused> {
        let [answer] = self.insist(&order, [person]);
        answer
    }

    /// The same order by two people, both given before the first one's talk ends.
    pub fn orders_at_once(&mut self, order: &Order, by: [&str; 2]) -> [Result<Value, Refused>; 2] {
        let [one, other] = by.map(Person::owner);
        self.insist(order, [&one, &other])
    }

    /// Gives an order; whoever loses the connection looks whether it was done, and else gives it again.
    fn insist<const N: usize>(&mut self, order: &Order, people: [&Person; N]) -> [Result<Value, Refused>; N] {
        let disk = self.disk.clone().filter(|disk| !disk.has_fault());
        let Some((disk, kill)) = disk.and_then(|disk| Some((disk, self.order_kills.waiting.take()?))) else {
            return self.give(order, people);
        };
        let before = self.looked_at(order);
        if let OrderKill::AtWrite { operation, unsynced_bytes } = kill {
            disk.power_goes_after(operation, unsynced_bytes);
        }
        self.order_kills.under_way = Some(kill);
        let answers = self.give(order, people);
        let promised = answers.iter().any(Result::is_ok).then(|| self.looked_at(order));
        self.lose_connection();
        let found = self.looked_at(order);
        if promised.is_some_and(|promised| promised != found) {
            self.oracle.object("an order was answered as done, and is not after the plug was pulled".to_owned());
        }
        match found {
            Some(found) if before.as_ref() != Some(&found) => people.map(|_| Ok(found.clone())),
            Some(_) | None => self.give(order, people),
        }
    }

    /// What a person sees who wants to know whether an order about a report was done. `None`: there is no such report,
    /// or the order is about something else, which may be given twice.
    fn looked_at(&self, order: &Order) -> Option<Value> {
        let target = match order {
            Order::Generate { target } => target,
            other => other.report()?,
        };
        let last = || Month::of(self.hour().now).previous();
        let month = target.month.or_else(|| matches!(order, Order::Generate { .. }).then(last));
        self.ask(&Query::Report { unit: target.unit.clone(), server: target.server.clone(), month }).ok()
    }

    fn give<const N: usize>(&mut self, order: &Order, people: [&Person; N]) -> [Result<Value, Refused>; N] {
        let hour = self.hour();
        let agent = self.agent.as_mut().expect("the agent runs between a world's calls");
        let obeyed = people.map(|person| agent.obey_for(order.clone(), person, hour));
        let process = self.openings;
        obeyed.map(|obeyed| if self.openings == process { self.carried(obeyed) } else { Err(connection_lost()) })
    }

    fn carried(&mut self, obeyed: Result<Obeyed, Refused>) -> Result<Value, Refused> {
        let answer = match obeyed? {
            Obeyed::Done(value) => Ok(value),
            Obeyed::Carry { duty, talk, then } => {
                let outcome = self.runtime.block_on(carry_out(talk, &self.wire));
                let failed = outcome.as_ref().err().cloned();
                self.finish(&duty, outcome)?;
                match failed {
                    Some(setback) => Err(Refused::new(69, setback.why())),
                    None => self.ask(&then),
                }
            }
        };
        self.collect_story();
        self.check();
        answer
    }

    fn finish(&mut self, duty: &Duty, outcome: Result<Outcome, Setback>) -> Result<(), Refused> {
        let hour = self.hour();
        let mut outcome = outcome;
        loop {
            if self.dies_after_talk() {
                return Err(connection_lost());
            }
            let agent = self.agent.as_mut().expect("the agent runs between a world's calls");
            let Work::Talk(talk) = agent.finish(duty, outcome, hour)? else { return Ok(()) };
            outcome = self.runtime.block_on(carry_out(talk, &self.wire));
        }
    }

    fn dies_after_talk(&mut self) -> bool {
        let Some(OrderKill::AfterTalk { talk }) = &mut self.order_kills.under_way else { return false };
        let is_this = *talk == 0;
        *talk = talk.saturating_sub(1);
        if is_this {
            self.lose_connection();
        }
        is_this
    }

    /// The agent is killed in the order under way, unless it was already, and starts again.
    fn lose_connection(&mut self) {
        let Some(kill) = self.order_kills.under_way.take() else { return };
        self.order_kills.done += 1;
        self.kills_done += 1;
        self.collect_story();
        self.tell(&format!("agent killed within an order: {kill:?}"));
        self.agent = None;
        let unsynced_bytes = match kill {
            OrderKill::AtWrite { unsynced_bytes, .. } => unsynced_bytes,
            OrderKill::AfterTalk { .. } => 0,
        };
        self.disk.iter().for_each(|disk| disk.power_returns(unsynced_bytes));
        self.open();
    }
}

fn connection_lost() -> Refused {
    Refused::new(69, "the connection to the agent was lost")
}
