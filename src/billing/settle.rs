//! What comes after usage: rounding to coins, minimums, sums.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::charge::{Charge, Item};
use super::exact::{plus, rounded};
use super::line::{Amounts, LineKey, What};
use super::price_book::PriceBook;
use crate::domain::Month;

type Lines = BTreeMap<LineKey, Item>;

/// Adds what each tenant and all together owe beside usage; `None` when an amount is beyond exact decimals.
pub(super) fn settle(book: &PriceBook, month: Month, mut lines: Lines) -> Option<Charge> {
    let mut tenants: BTreeSet<String> = lines.keys().map(|key| key.tenant.clone()).collect();
    tenants.extend(book.committed(month).into_iter().map(str::to_owned));
    // Without usage a supplier asks nothing: the cost of a commitment alone is known to be zero when costs are.
    let known = lines.values().any(|(amounts, _)| amounts.cost.is_some());
    let mut sums = BTreeMap::new();
    for tenant in tenants {
        let of_tenant = lines.iter().filter(|(key, _)| key.tenant == tenant).map(|(_, (amounts, _))| amounts);
        let exact = sum(of_tenant)?;
        let coins = in_coins(book.decimals(), &exact);
        let off = coins.plus(&exact.negated())?;
        add(&mut lines, &tenant, What::Rounding, off);
        let mut owed = coins;
        if let Some((minimum, short)) = missing(book.minimum_of(month, &tenant), owed.amount) {
            let line = short_by(book, short, known);
            owed = in_coins(book.decimals(), &owed.plus(&line)?);
            add(&mut lines, &tenant, What::Minimum { minimum }, line);
        }
        sums.insert(tenant, owed);
    }
    let mut total = in_coins(book.decimals(), &sum(sums.values())?);
    if let Some((minimum, short)) = missing(book.minimum_total(month), total.amount) {
        let line = short_by(book, short, known);
        total = in_coins(book.decimals(), &total.plus(&line)?);
        let owed = sums.entry(book.no_tenant.clone()).or_default();
        *owed = in_coins(book.decimals(), &owed.plus(&line)?);
        add(&mut lines, &book.no_tenant, What::MinimumTotal { minimum }, line);
    }
    Some(Charge { lines, tenants: sums, total })
}

fn short_by(book: &PriceBook, amount: Decimal, known: bool) -> Amounts {
    let cost = known.then_some(rounded(Decimal::ZERO, book.decimals()));
    Amounts { amount: rounded(amount, book.decimals()), cost, ..Amounts::default() }
}

fn add(lines: &mut Lines, tenant: &str, what: What, amounts: Amounts) {
    if !amounts.is_zero() {
        lines.insert(LineKey { tenant: tenant.to_owned(), what }, (amounts, None));
    }
}

/// The sum of lines, unless digits would be lost.
pub(super) fn sum<'a>(lines: impl Iterator<Item = &'a Amounts>) -> Option<Amounts> {
    lines.into_iter().try_fold(Amounts::default(), |sum, line| sum.plus(line))
}

/// The sum in whole coins.
pub(super) fn in_coins(decimals: u32, sum: &Amounts) -> Amounts {
    let coins = |amount| rounded(amount, decimals);
    Amounts { amount: coins(sum.amount), cost: sum.cost.map(coins), ..sum.clone() }
}

/// What is missing to the least amount; `None`: nothing.
fn missing(minimum: Option<Decimal>, paid: Decimal) -> Option<(Decimal, Decimal)> {
    let minimum = minimum?;
    Some((minimum, plus(minimum, -paid)?)).filter(|(_, shortfall)| *shortfall > Decimal::ZERO)
}
