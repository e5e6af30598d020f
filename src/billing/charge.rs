//! What the month's reports amount to by the price book.
//!
//! Reports of all reporting units are charged together, because tiers and minimums look at a tenant's month. Exact
//! decimals throughout: only what [`Rounding`] names is rounded, and a total is always the sum of the lines above it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::exact::{rounded, times};
use super::line::{Amounts, LineKey, Per, Rate, Source, Usage, What};
use super::price_book::{Cost, Mode, Price, PriceBook, Rounding, Scale, Volume};
use super::settle::settle;
use super::usage::{Use, Used, used};
use crate::domain::report::UsageReport;
use crate::domain::{Month, Points};

/// A line's amounts, and its source when it is for usage.
pub type Item = (Amounts, Option<Source>);

/// The money of a month's reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub lines: BTreeMap<LineKey, Item>,
    /// Each is the sum of the tenant's lines, in whole coins.
    pub tenants: BTreeMap<String, Amounts>,
    /// The sum of the tenants.
    pub total: Amounts,
}

/// Why reports cannot be charged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCharged {
    #[error("the price book has no price for {0}: its first one begins later")]
    NoPrice(Month),
    #[error("an amount of {0} is larger than can be counted exactly")]
    TooLarge(Month),
    #[error(
        "documents of {month} were issued in {issued}, and the price book is in {book}; keep one price book a currency"
    )]
    OtherCurrency { month: Month, issued: String, book: String },
}

/// Charges the month's reports, one of each reporting unit.
///
/// # Errors
/// [`NotCharged`] when no price is in force yet, or an amount is beyond exact decimals.
pub fn charge(book: &PriceBook, month: Month, reports: &[&UsageReport]) -> Result<Charge, NotCharged> {
    let used = used(book, reports);
    let mut charging = Charging { book, month, volumes: volumes(book, month, &used)?, filled: BTreeMap::new() };
    let mut lines = BTreeMap::new();
    for (of, used) in &used {
        for (key, amounts) in charging.lines_of(of, used)? {
            lines.insert(key, (amounts, Some(used.source.clone())));
        }
    }
    settle(book, month, lines).ok_or(NotCharged::TooLarge(month))
}

/// The month's points that are priced by the point.
struct Volumes {
    everybody: Decimal,
    tenants: BTreeMap<String, Decimal>,
}

fn volumes(book: &PriceBook, month: Month, used: &BTreeMap<Use, Used>) -> Result<Volumes, NotCharged> {
    let mut volumes = Volumes { everybody: Decimal::ZERO, tenants: BTreeMap::new() };
    for (of, used) in used {
        match book.price_of(month, &of.tenant, &of.kind).ok_or(NotCharged::NoPrice(month))? {
            Price::PerPoint(_) => {
                volumes.everybody += used.points.amount();
                *volumes.tenants.entry(of.tenant.clone()).or_default() += used.points.amount();
            }
            Price::PerWorkload(_) => {}
        }
    }
    Ok(volumes)
}

struct Charging<'a> {
    book: &'a PriceBook,
    month: Month,
    volumes: Volumes,
    /// Points of a tenant that stand in its graduated tiers already.
    filled: BTreeMap<String, Decimal>,
}

impl Charging<'_> {
    fn lines_of(&mut self, of: &Use, used: &Used) -> Result<Vec<(LineKey, Amounts)>, NotCharged> {
        let book = self.book;
        let price = book.price_of(self.month, &of.tenant, &of.kind).ok_or(NotCharged::NoPrice(self.month))?;
        let mut left = i64::try_from(used.workloads).map_err(|_| NotCharged::TooLarge(self.month))?;
        let rates = match price {
            Price::PerPoint(scale) => self.parts(scale, &of.tenant, used.points.amount()),
            Price::PerWorkload(unit_price) => {
                vec![(used.points.amount(), Rate { per: Per::Workload, unit_price, above: None })]
            }
        };
        let mut lines = Vec::new();
        for (points, rate) in rates {
            let workloads = std::mem::take(&mut left);
            let amounts = self.amounts(of, rate, workloads, points).ok_or(NotCharged::TooLarge(self.month))?;
            let Use { tenant, unit, server, kind, weight } = of.clone();
            lines.push((LineKey { tenant, what: What::Usage(Usage { unit, server, kind, weight, rate }) }, amounts));
        }
        Ok(lines)
    }

    /// The points by the tier they stand in.
    fn parts(&mut self, scale: &Scale, tenant: &str, points: Decimal) -> Vec<(Decimal, Rate)> {
        let volume = self.volumes.tenants.get(tenant).copied().unwrap_or_default();
        let parts = match scale.tiers.as_ref().map(|tiers| (tiers.mode, tiers.volume)) {
            None => vec![scale.whole(Decimal::ZERO, points)],
            Some((Mode::WholeVolume, Volume::Tenant)) => vec![scale.whole(volume, points)],
            // The book refuses graduated tiers over everybody's points.
            Some((Mode::WholeVolume | Mode::Graduated, Volume::Everybody)) => {
                vec![scale.whole(self.volumes.everybody, points)]
            }
            Some((Mode::Graduated, Volume::Tenant)) => {
                let filled = self.filled.entry(tenant.to_owned()).or_default();
                let start = *filled;
                *filled += points;
                scale.graduated(start, points)
            }
        };
        let rate = |per_point, above| Rate { per: Per::Point, unit_price: per_point, above };
        parts.into_iter().map(|part| (part.points, rate(part.per_point, part.above))).collect()
    }

    fn amounts(&self, of: &Use, rate: Rate, workloads: i64, points: Decimal) -> Option<Amounts> {
        let each = |per, price| match per {
            Per::Point => times(points, price),
            Per::Workload => times(Decimal::from(workloads), price),
        };
        let cost = self.book.cost_of(self.month, &of.kind).map(|cost| match cost {
            Cost::PerPoint(price) => each(Per::Point, price),
            Cost::PerWorkload(price) => each(Per::Workload, price),
        });
        let rounded = |amount| match self.book.rounding {
            Rounding::Line => rounded(amount, self.book.decimals()),
            Rounding::Invoice => amount,
        };
        let cost = match cost {
            Some(cost) => Some(rounded(cost?)),
            None => None,
        };
        let amount = rounded(each(rate.per, rate.unit_price)?);
        Some(Amounts { workloads, points: Points::new(points), amount, cost })
    }
}
