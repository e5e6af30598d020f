//! Contracts of the operator, and the dates of the keys they are renewed with.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::Points;
use crate::domain::calendar::{Month, midnight};
use crate::domain::license::LicenseType;

/// A rental agreement, as the operator entered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    pub id: String,
    pub licensed_to: String,
    pub support_id: String,
    #[serde(rename = "type")]
    pub kind: LicenseType,
    pub product: String,
    pub edition: String,
    pub package: Option<String>,
    pub cloud_connect: bool,
    /// The counter of the keys.
    pub points: Points,
    pub term: Term,
    /// The contract's last GMT day; no key outlives it.
    pub ends_on: Option<NaiveDate>,
    pub support_expires_on: Option<NaiveDate>,
    pub state: ContractState,
}

/// How long a renewed key lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// To the last day of the month after the current expiration.
    #[default]
    Monthly,
    /// As long as the contract; monthly while the contract has no end.
    WholeContract,
}

/// What the operator says of the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractState {
    #[default]
    Active,
    /// No keys for now.
    Suspended,
    /// No keys until it is renewed; also when `ends_on` has passed.
    Expired,
    /// Over: the agents switch auto update off.
    Terminated,
}

impl ContractState {
    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            ContractState::Active => "active",
            ContractState::Suspended => "suspended",
            ContractState::Expired => "expired",
            ContractState::Terminated => "terminated",
        }
    }
}

impl Contract {
    /// The state on a day: an active contract past its end is expired.
    pub fn state_on(&self, today: NaiveDate) -> ContractState {
        let over = self.ends_on.is_some_and(|ends_on| ends_on < today);
        if over && self.state == ContractState::Active { ContractState::Expired } else { self.state }
    }

    /// The last day of a key renewed today, when the current one ends, or ended, on `current`.
    pub fn next_expiry(&self, current: Option<NaiveDate>, today: NaiveDate) -> NaiveDate {
        let from = current.unwrap_or(today).max(today);
        let monthly = Month::of(midnight(from)).next().next().first_day() - Days::new(1);
        match (self.term, self.ends_on) {
            (Term::WholeContract, Some(ends_on)) => ends_on,
            (Term::Monthly, Some(ends_on)) => monthly.min(ends_on),
            (Term::Monthly | Term::WholeContract, None) => monthly,
        }
    }
}
