//! Failed sign-ins: how many are put up with by name and by address, and when it may be tried again.

use core::net::{IpAddr, Ipv6Addr};
use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::domain::Instant;
use crate::domain::calendar::minute_text;

/// Failures count for so long.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// Most failures in it of one name from one address, of one address, and of one name from anywhere. The last is far
/// higher: else anybody could shut a person out by failing in his name.
const OF_BOTH_MAX: usize = 5;
const OF_ADDRESS_MAX: usize = 20;
const OF_NAME_MAX: usize = 100;
/// Names and addresses remembered; beyond, those that failed longest ago are forgotten.
const REMEMBERED_MAX: usize = 10_000;
/// So many stay then: forgetting costs a look at all, so it is done for many at once.
const KEPT_WHEN_FULL: usize = 7_500;

/// Too many failed tries; the right password is not looked at either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many failed sign-ins; try again at {} GMT", minute_text(*again_at + TimeDelta::minutes(1)))]
pub struct TooMany {
    pub again_at: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Both(String, IpAddr),
    Address(IpAddr),
    Name(String),
}

impl Whose {
    fn all(name: &str, from: IpAddr) -> [Whose; 3] {
        // What nobody is called may be long; it counts all the same.
        let name: String = name.to_lowercase().chars().take(crate::domain::people::NAME_SIGNS_MAX).collect();
        let from = network_of(from);
        [Whose::Both(name.clone(), from), Whose::Address(from), Whose::Name(name)]
    }

    fn most(&self) -> usize {
        match self {
            Whose::Both(..) => OF_BOTH_MAX,
            Whose::Address(_) => OF_ADDRESS_MAX,
            Whose::Name(_) => OF_NAME_MAX,
        }
    }
}

/// When it failed, by whom; each list is in order and at most as long as failures are put up with.
#[derive(Debug, Default)]
pub struct Tries(BTreeMap<Whose, Vec<Instant>>);

impl Tries {
    /// Whether a password is looked at.
    ///
    /// # Errors
    /// [`TooMany`] says from when on it may be tried again.
    pub fn may_try(&self, name: &str, from: IpAddr, now: Instant) -> Result<(), TooMany> {
        let again_at = |whose: &Whose| {
            let failed = self.0.get(whose)?;
            let oldest_that_counts = failed.len().checked_sub(whose.most()).and_then(|at| failed.get(at))?;
            Some(*oldest_that_counts + WINDOW).filter(|end| now < *end)
        };
        let again_at = Whose::all(name, from).iter().filter_map(again_at).max();
        again_at.map_or(Ok(()), |again_at| Err(TooMany { again_at }))
    }

    pub fn failed(&mut self, name: &str, from: IpAddr, now: Instant) {
        for whose in Whose::all(name, from) {
            let most = whose.most();
            let failed = self.0.entry(whose).or_default();
            failed.retain(|at| now < *at + WINDOW);
            failed.push(now);
            if most < failed.len() {
                failed.remove(0);
            }
        }
        self.forget(now);
    }

    /// The right password was given: what the person mistyped is forgiven.
    pub fn forgive(&mut self, name: &str) {
        let name = name.to_lowercase();
        self.0.retain(|whose, _| !matches!(whose, Whose::Both(of, _) if *of == name));
    }

    /// The try that was counted before its password was looked at was none: else a whole office behind one address
    /// would be kept out by signing in.
    pub fn passed(&mut self, name: &str, from: IpAddr) {
        for whose in Whose::all(name, from) {
            if let Some(failed) = self.0.get_mut(&whose) {
                failed.pop();
            }
        }
        self.0.retain(|_, failed| !failed.is_empty());
    }

    /// How many names and addresses are remembered.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn forget(&mut self, now: Instant) {
        if self.0.len() <= REMEMBERED_MAX {
            return;
        }
        self.0.retain(|_, failed| failed.last().is_some_and(|newest| now < *newest + WINDOW));
        let newest = |(whose, failed): (&Whose, &Vec<Instant>)| (failed.last().copied(), whose.clone());
        let mut by_newest: Vec<_> = self.0.iter().map(newest).collect();
        by_newest.sort_unstable();
        by_newest.truncate(self.0.len().saturating_sub(KEPT_WHEN_FULL));
        for (_, oldest) in by_newest {
            self.0.remove(&oldest);
        }
    }
}

/// One customer's network: a whole /64 of IPv6, since one machine has as many addresses there as it likes.
pub(super) fn network_of(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}
