//! A line of money: what it is for, how much, and where it comes from.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::exact::plus;
use crate::domain::Points;
use crate::domain::installation::{ServerName, UnitId};
use crate::domain::workload::WorkloadType;

/// What a line is for. Two lines of one key in two documents are the same line, corrected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineKey {
    /// Who pays.
    pub tenant: String,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "charge", rename_all = "snake_case")]
pub enum What {
    Usage(Usage),
    /// What is missing to the tenant's minimum.
    Minimum {
        minimum: Decimal,
    },
    /// What is missing to the minimum of all tenants together.
    MinimumTotal {
        minimum: Decimal,
    },
    /// From the exact sum of the tenant's lines to whole coins, when invoices are rounded and not lines.
    Rounding,
}

impl What {
    /// Its name in files: `usage`, `minimum`, `minimum_total` or `rounding`.
    pub fn as_str(&self) -> &'static str {
        match self {
            What::Usage(_) => "usage",
            What::Minimum { .. } => "minimum",
            What::MinimumTotal { .. } => "minimum_total",
            What::Rounding => "rounding",
        }
    }
}

/// Workloads of one type and weight on one server, at one price.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Usage {
    pub unit: UnitId,
    pub server: ServerName,
    #[serde(rename = "type")]
    pub kind: WorkloadType,
    pub weight: Points,
    #[serde(flatten)]
    pub rate: Rate,
}

/// What one point or one workload costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rate {
    pub per: Per,
    /// The tier: the volume of points above which this price is for; `None`: below the first one, or without tiers.
    pub above: Option<Decimal>,
    pub unit_price: Decimal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    Point,
    Workload,
}

impl Per {
    pub fn as_str(self) -> &'static str {
        match self {
            Per::Point => "point",
            Per::Workload => "workload",
        }
    }
}

/// How much of it. In a correction the difference, which may be negative.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Of a usage that spans several tiers all stand in its first line.
    pub workloads: i64,
    pub points: Points,
    /// Rounded when lines are rounded, else exact.
    pub amount: Decimal,
    /// What the supplier asks, when the book says; rounded alike.
    pub cost: Option<Decimal>,
}

/// The report's lines and workloads behind a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub report: String,
    pub revision: u32,
    /// Places among the report's lines, counted from 1; none when a correction takes a line away.
    pub lines: BTreeSet<u32>,
    /// Ids of workloads that count in the line; in a correction those that came or went. Reports of counts have none.
    pub workloads: BTreeSet<String>,
}

impl Amounts {
    /// The sum, unless digits would be lost. Cost is known when either is.
    pub(super) fn plus(&self, other: &Amounts) -> Option<Amounts> {
        let cost = match (self.cost, other.cost) {
            (Some(one), Some(other)) => Some(plus(one, other)?),
            (one, other) => one.or(other),
        };
        Some(Amounts {
            workloads: self.workloads + other.workloads,
            points: self.points + other.points,
            amount: plus(self.amount, other.amount)?,
            cost,
        })
    }

    pub(super) fn negated(&self) -> Amounts {
        Amounts {
            workloads: -self.workloads,
            points: -self.points,
            amount: -self.amount,
            cost: self.cost.map(|cost| -cost),
        }
    }

    pub fn is_zero(&self) -> bool {
        !self.is_something() && self.cost.is_none_or(|cost| cost.is_zero())
    }

    /// Whether anything but what the supplier asks is there.
    pub(super) fn is_something(&self) -> bool {
        self.workloads != 0 || !self.points.is_zero() || !self.amount.is_zero()
    }

    /// Selling price less cost; negative when sold below cost.
    pub fn margin(&self) -> Option<Decimal> {
        self.cost.map(|cost| self.amount - cost)
    }
}
