//! Using more than is licensed: what is tolerated, told and no longer processed (domain.md 5.3, 5.4).
//!
//! Pure. In the field's letters L is what is licensed, U what is used, P the new points of the previous calendar month.

use std::cmp::Ordering;

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::instances::Sharing;
use super::license_state::{self, Standing};
use super::renewal::Switch;
use crate::domain::calendar::midnight;
use crate::domain::license::{License, LicenseType};
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Month, Points};

/// Rental overage is tolerated for so many days (domain.md 5.3).
const TOLERATED_DAYS: u64 = 60;

/// The rule by which a type of license may be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// Cloud Connect and Rental (domain.md 5.3): max(20, 20 %) and the new points of the previous calendar month.
    Rental { new_last_month: Points },
    /// Subscription and Perpetual instances (domain.md 5.4): max(20, 20 %), half of it without auto update.
    Universal { auto_update: Switch },
    /// Sockets, capacity, and types that the field names no rule for: none.
    Nothing,
}

impl Allowance {
    /// The rule for a license that counts points or instances; `None` when its type is not known.
    pub fn of(kind: LicenseType, new_last_month: Points, auto_update: Switch) -> Option<Allowance> {
        match kind {
            LicenseType::Rental => Some(Allowance::Rental { new_last_month }),
            LicenseType::Subscription | LicenseType::Perpetual => Some(Allowance::Universal { auto_update }),
            LicenseType::Evaluation | LicenseType::Nfr | LicenseType::Promo | LicenseType::Free => {
                Some(Allowance::Nothing)
            }
            LicenseType::Empty | LicenseType::Unknown => None,
        }
    }

    /// Up to which excess nobody is told.
    fn silent(self, licensed: Points) -> Points {
        match self {
            Allowance::Rental { .. } | Allowance::Universal { auto_update: Switch::On } => at_least(10, licensed),
            Allowance::Universal { auto_update: Switch::Off } => at_least(5, licensed),
            Allowance::Nothing => Points::ZERO,
        }
    }

    /// Up to which excess everything is processed.
    fn processed(self, licensed: Points) -> Points {
        match self {
            Allowance::Rental { new_last_month } => at_least(20, licensed) + new_last_month.at_least_zero(),
            Allowance::Universal { auto_update: Switch::On } => at_least(20, licensed),
            Allowance::Universal { auto_update: Switch::Off } => at_least(10, licensed),
            Allowance::Nothing => Points::ZERO,
        }
    }

    /// Rental stays silent at its threshold, instances only below it (domain.md 5.3 `≤`, 5.4 `<`).
    fn is_silent(self, exceeded_by: Points, licensed: Points) -> bool {
        match (self, exceeded_by.cmp(&self.silent(licensed))) {
            (_, Ordering::Less) | (Allowance::Rental { .. }, Ordering::Equal) => true,
            (_, Ordering::Equal | Ordering::Greater) => false,
        }
    }
}

/// max(N points, N % of what is licensed).
fn at_least(n: i64, licensed: Points) -> Points {
    Points::whole(n).max(licensed.percent(Decimal::from(n)))
}

/// How far a limit is exceeded. A later one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Not exceeded.
    Within,
    /// Exceeded, and nobody is told.
    Silent,
    /// Everything is processed; people are told weekly.
    Weekly,
    /// What is above the cap is not processed; people are told whenever they look, by mail daily.
    Over,
}

/// A limit and what is used of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overage {
    pub band: Band,
    pub licensed: Points,
    pub used: Points,
    /// Used above what is licensed, zero or more.
    pub exceeded_by: Points,
    /// The most that is processed.
    pub cap: Points,
    /// What can still be added and is processed, zero or more.
    pub more_possible: Points,
    /// Used above the cap, zero or more.
    pub not_processed: Points,
}

/// Measures what is used against what is licensed.
pub fn overage(licensed: Points, used: Points, allowance: Allowance) -> Overage {
    let exceeded_by = (used - licensed).at_least_zero();
    let cap = licensed + allowance.processed(licensed);
    let band = if exceeded_by.is_zero() {
        Band::Within
    } else if cap < used {
        Band::Over
    } else if allowance.is_silent(exceeded_by, licensed) {
        Band::Silent
    } else {
        Band::Weekly
    };
    Overage {
        band,
        licensed,
        used,
        exceeded_by,
        cap,
        more_possible: (cap - used).at_least_zero(),
        not_processed: (used - cap).at_least_zero(),
    }
}

/// The last day on which a rental limit's overage is tolerated that was first seen at this instant (domain.md 5.3).
pub fn tolerated_through(exceeded_since: Instant) -> NaiveDate {
    exceeded_since.date_naive() + Days::new(TOLERATED_DAYS)
}

/// A workload that wants a slot under the cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub id: String,
    pub first_processed_at: Instant,
    pub points: Points,
    /// The type with whose other objects it shares instances, which `points` are without.
    pub shares: Option<WorkloadType>,
}

/// The workloads above the cap: slots go first in, first out, and nobody overtakes (domain.md 5.3).
pub fn not_processed(mut claims: Vec<Claim>, cap: Points) -> Vec<Claim> {
    claims.sort_by(|one, other| (one.first_processed_at, &one.id).cmp(&(other.first_processed_at, &other.id)));
    let (mut taken, mut sharing) = (Points::ZERO, Sharing::default());
    claims.retain(|claim| {
        taken += claim.points;
        taken += claim.shares.as_ref().map(|kind| sharing.take(kind, 1)).unwrap_or_default();
        cap < taken
    });
    claims
}

/// What a license's limit is measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub used: Points,
    /// Of workloads first processed in the current calendar month: used from the next 1st on.
    pub new: Points,
    /// P: the new points of the previous calendar month.
    pub new_last_month: Points,
    pub auto_update: Switch,
}

impl Usage {
    /// The limit as it stands; `None` when the license states none, or its type is not known.
    pub fn overage(&self, license: &License) -> Option<Overage> {
        let allowance = Allowance::of(license.kind, self.new_last_month, self.auto_update)?;
        Some(overage(license.licensed_points?, self.used, allowance))
    }

    /// The usage on the next 1st if nothing else changes: new workloads are used, and they are P.
    pub fn on_the_first(&self) -> Usage {
        Usage { used: self.used + self.new, new: Points::ZERO, new_last_month: self.new, ..*self }
    }
}

/// A turn that a license takes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "turn")]
pub enum Turn {
    /// The notice begins.
    NoticeBegins,
    /// The license (or for perpetual keys its support) is no longer valid.
    Expires,
    /// Nothing is processed: grace is over, or there was none.
    ProcessingStops,
    /// The limit is exceeded so far that people are told or workloads are not processed.
    LimitExceeded { overage: Overage },
    /// A rental limit's overage was tolerated through the day before.
    ToleranceEnds,
}

/// A turn with the instant from which it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    pub at: Instant,
    #[serde(flatten)]
    pub turn: Turn,
}

/// What comes of a license by itself after `now`, in the order of time: its dates, and its limit now and on the next 1st.
///
/// A limit that is exceeded already stands first with the instant `now`, and so does processing that has stopped; the 1st
/// is named when the limit is exceeded then and stands otherwise than today. `exceeded_since` is when more than what is
/// licensed was first seen in use; of a rental limit that is exceeded today the end of its tolerance is named while it is
/// to come.
pub fn ahead(license: &License, usage: &Usage, exceeded_since: Option<Instant>, now: Instant) -> Vec<Ahead> {
    let mut ahead = Vec::new();
    let today = usage.overage(license);
    let then = usage.on_the_first().overage(license);
    let told = |overage: &Overage| Band::Weekly <= overage.band;
    if let Some(overage) = today.filter(told) {
        ahead.push(Ahead { at: now, turn: Turn::LimitExceeded { overage } });
    }
    let is_rental = license.kind == LicenseType::Rental && today.is_some_and(|today| Band::Within < today.band);
    let tolerated_to = exceeded_since.filter(|_| is_rental).map(tolerated_through).and_then(|day| day.succ_opt());
    if let Some(at) = tolerated_to.map(midnight).filter(|at| now < *at) {
        ahead.push(Ahead { at, turn: Turn::ToleranceEnds });
    }
    if let Some(overage) = then.filter(told)
        && today != then
    {
        ahead.push(Ahead { at: Month::of(now).ends_at(), turn: Turn::LimitExceeded { overage } });
    }
    if let Some(life) = license_state::life(license) {
        ahead.extend(dates_ahead(&life, now));
    }
    ahead.sort_by_key(|ahead| ahead.at);
    ahead
}

fn dates_ahead(life: &license_state::Life, now: Instant) -> Vec<Ahead> {
    let expires_at = life.last_day.succ_opt().map(midnight);
    let dated = [
        (Some(midnight(life.notice_from)), Turn::NoticeBegins),
        (expires_at, Turn::Expires),
        (life.stops_at, Turn::ProcessingStops),
    ];
    let stopped = life.standing(now) == Standing::Stopped;
    let coming = dated.into_iter().filter_map(|(at, turn)| at.map(|at| Ahead { at, turn }));
    coming.filter(|ahead| now < ahead.at || (stopped && ahead.turn == Turn::ProcessingStops)).collect()
}
