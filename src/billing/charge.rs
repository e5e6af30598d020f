//! What a report's lines amount to by the price book.
//!
//! Exact decimals throughout. Only what [`Rounding`] names is rounded, and totals are sums of rounded amounts, so that a
//! total is always the sum of what stands above it.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::price_book::{Price, PriceBook, Rounding};
use crate::domain::Month;
use crate::domain::report::Line;

/// A line with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargedLine {
    pub line: Line,
    pub price: Price,
    /// Rounded when lines are rounded, else exact.
    pub amount: Decimal,
    /// What the supplier asks, when the book says; rounded alike.
    pub cost: Option<Decimal>,
}

/// An amount and what the supplier asks for the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub amount: Decimal,
    pub cost: Option<Decimal>,
}

impl Sum {
    /// Selling price less cost; negative when sold below cost.
    pub fn margin(self) -> Option<Decimal> {
        self.cost.map(|cost| self.amount - cost)
    }
}

/// The money of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub lines: Vec<ChargedLine>,
    /// `None`: workloads of no tenant.
    pub tenants: BTreeMap<Option<String>, Sum>,
    pub total: Sum,
}

/// Why lines cannot be charged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCharged {
    #[error("the price book has no price for {0}: its first one begins later")]
    NoPrice(Month),
    #[error("the amount of a line of {0} is larger than can be counted exactly")]
    TooLarge(Month),
}

/// Charges the lines of a month's report.
///
/// # Errors
/// [`NotCharged`] when no price is in force yet, or an amount is beyond exact decimals.
pub fn charge(book: &PriceBook, month: Month, lines: &[Line]) -> Result<Charge, NotCharged> {
    let cost_per_point = book.cost_per_point(month);
    let mut charged = Vec::new();
    let mut sums: BTreeMap<Option<String>, Sum> = BTreeMap::new();
    for line in lines {
        let price = book.price_of(month, line.tenant.as_deref(), &line.kind).ok_or(NotCharged::NoPrice(month))?;
        let exact = match price {
            Price::PerPoint(price) => times(line.points.amount(), price),
            Price::PerWorkload(price) => times(Decimal::from(line.reported_count), price),
        };
        let exact = exact.ok_or(NotCharged::TooLarge(month))?;
        let cost = cost_per_point.map(|cost| times(line.points.amount(), cost).ok_or(NotCharged::TooLarge(month)));
        let cost = cost.transpose()?;
        let rounded = |amount| round_line(book, amount);
        let (amount, cost) = (rounded(exact), cost.map(rounded));
        let sum = sums
            .entry(line.tenant.clone())
            .or_insert(Sum { amount: Decimal::ZERO, cost: cost_per_point.map(|_| Decimal::ZERO) });
        *sum = plus(*sum, Sum { amount, cost }).ok_or(NotCharged::TooLarge(month))?;
        charged.push(ChargedLine { line: line.clone(), price, amount, cost });
    }
    let mut total = Sum { amount: to_coins(book, Decimal::ZERO), cost: cost_per_point.map(|_| Decimal::ZERO) };
    for sum in sums.values_mut() {
        *sum = Sum { amount: to_coins(book, sum.amount), cost: sum.cost.map(|cost| to_coins(book, cost)) };
        total = plus(total, *sum).ok_or(NotCharged::TooLarge(month))?;
    }
    Ok(Charge { lines: charged, tenants: sums, total })
}

fn round_line(book: &PriceBook, amount: Decimal) -> Decimal {
    match book.rounding {
        Rounding::Line => to_coins(book, amount),
        Rounding::Invoice => amount,
    }
}

/// Rounded to the smallest coin, half away from zero, and written with all its digits.
fn to_coins(book: &PriceBook, amount: Decimal) -> Decimal {
    let mut rounded = amount.round_dp_with_strategy(book.decimals(), RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(book.decimals());
    rounded
}

/// The product, unless digits would be lost.
fn times(one: Decimal, other: Decimal) -> Option<Decimal> {
    let product = one.checked_mul(other)?;
    let (one, other) = (one.normalize(), other.normalize());
    (product.is_zero() || product.normalize().scale() <= one.scale() + other.scale() && fits(one, other))
        .then_some(product)
}

/// Whether a product of these has at most the digits of a decimal.
fn fits(one: Decimal, other: Decimal) -> bool {
    one.mantissa().checked_mul(other.mantissa()).is_some_and(|product| product.unsigned_abs() >> 96 == 0)
}

fn plus(one: Sum, other: Sum) -> Option<Sum> {
    let cost = match (one.cost, other.cost) {
        (Some(one), Some(other)) => Some(one.checked_add(other)?),
        (_, _) => None,
    };
    Some(Sum { amount: one.amount.checked_add(other.amount)?, cost })
}
