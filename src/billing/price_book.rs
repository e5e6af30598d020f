//! The price book: what a point or a workload costs, for whom, and from which month on.
//!
//! The TOML file that `[billing] price_book` names, read by the shell and given here as text:
//!
//! ```toml
//! currency = "EUR"               # ISO 4217
//! rounding = "line"              # or "invoice": each tenant's sum is rounded once
//! tax_note = "plus VAT"          # optional, printed as it is
//!
//! [[price]]                      # in force from valid_from until a later one is; a month is priced by its first day
//! valid_from = 2026-01-01
//! per_point = "0.95"             # decimals in quotes: a binary float is not exact
//! cost_per_point = "0.60"        # optional: what the supplier asks
//! per_workload = { CloudConnectVM = "6.50" }   # optional: this type costs so much each, whatever its points
//!
//! [[tenant]]                     # optional: what one tenant pays; what it leaves out is as for everybody
//! name = "Tenant A"
//! [[tenant.price]]
//! valid_from = 2026-03-01
//! per_point = "0.80"
//! ```

use std::collections::BTreeMap;

use chrono::NaiveDate;
use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};

use crate::domain::Month;
use crate::domain::workload::WorkloadType;

/// The largest price of a point or a workload.
const PRICE_MAX: i64 = 1_000_000_000;
/// Most digits after the point of a price.
const SCALE_MAX: u32 = 9;

/// What is rounded to the currency's smallest coin, half away from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Each line; sums add rounded lines.
    Line,
    /// Each tenant's sum of exact lines.
    Invoice,
}

impl Rounding {
    pub fn as_str(self) -> &'static str {
        match self {
            Rounding::Line => "line",
            Rounding::Invoice => "invoice",
        }
    }
}

/// How a line is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    PerPoint(Decimal),
    PerWorkload(Decimal),
}

/// A price book without contradictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceBook {
    pub currency: Currency,
    pub rounding: Rounding,
    pub tax_note: Option<String>,
    /// By the day they begin; each has a price per point.
    everybody: BTreeMap<NaiveDate, PriceList>,
    tenants: BTreeMap<String, BTreeMap<NaiveDate, PriceList>>,
}

/// Why a text is no price book: file, line, what and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("price book {file}: {why}")]
pub struct NotAPriceBook {
    pub file: String,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceList {
    #[serde(deserialize_with = "day")]
    valid_from: NaiveDate,
    #[serde(default, deserialize_with = "price")]
    per_point: Option<Decimal>,
    #[serde(default, deserialize_with = "price")]
    cost_per_point: Option<Decimal>,
    #[serde(default, deserialize_with = "prices")]
    per_workload: BTreeMap<WorkloadType, Decimal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    currency: String,
    rounding: Rounding,
    tax_note: Option<String>,
    #[serde(default)]
    price: Vec<PriceList>,
    #[serde(default)]
    tenant: Vec<WrittenTenant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTenant {
    name: String,
    #[serde(default)]
    price: Vec<PriceList>,
}

impl PriceBook {
    /// Reads the text of the file; unknown keys are refused.
    ///
    /// # Errors
    /// [`NotAPriceBook`] in one line that names the file, and the line and key where they are known.
    pub fn parse(file: &str, text: &str) -> Result<PriceBook, NotAPriceBook> {
        let refused = |why: String| NotAPriceBook { file: file.to_owned(), why };
        let written: Written = toml::from_str(text).map_err(|error| refused(told(&error, text)))?;
        let currency = Currency::from_code(&written.currency)
            .ok_or_else(|| refused(format!("currency '{}' is not of ISO 4217; write EUR, say", written.currency)))?;
        let everybody = by_day("[[price]]", written.price).map_err(&refused)?;
        if everybody.is_empty() {
            return Err(refused("it has no [[price]]; add one with valid_from and per_point".to_owned()));
        }
        if let Some(list) = everybody.values().find(|list| list.per_point.is_none()) {
            return Err(refused(format!("[[price]] from {} has no per_point", list.valid_from)));
        }
        let mut tenants = BTreeMap::new();
        for WrittenTenant { name, price } in written.tenant {
            let place = format!("[[tenant.price]] of '{name}'");
            let lists = by_day(&place, price).map_err(&refused)?;
            if let Some(list) = lists.values().find(|list| list.cost_per_point.is_some()) {
                let why = "has cost_per_point, which is the same for every tenant and stands in [[price]]";
                return Err(refused(format!("{place} from {} {why}", list.valid_from)));
            }
            if tenants.insert(name.clone(), lists).is_some() {
                return Err(refused(format!("[[tenant]] '{name}' stands twice; write its prices under one")));
            }
        }
        Ok(PriceBook { currency, rounding: written.rounding, tax_note: written.tax_note, everybody, tenants })
    }

    /// The price in force for the tenant and type on the month's first day; `None` before the first price.
    ///
    /// The tenant's own list is asked first, and in each list the type before the point.
    pub fn price_of(&self, month: Month, tenant: Option<&str>, kind: &WorkloadType) -> Option<Price> {
        let own = tenant.and_then(|name| self.tenants.get(name)).and_then(|lists| in_force(lists, month));
        own.and_then(|list| list.price_of(kind)).or_else(|| in_force(&self.everybody, month)?.price_of(kind))
    }

    /// What the supplier asks for a point in the month, when the book says.
    pub fn cost_per_point(&self, month: Month) -> Option<Decimal> {
        in_force(&self.everybody, month)?.cost_per_point
    }

    /// Digits after the point of the currency's smallest coin.
    pub fn decimals(&self) -> u32 {
        self.currency.exponent().map_or(2, u32::from)
    }
}

impl PriceList {
    fn price_of(&self, kind: &WorkloadType) -> Option<Price> {
        let each = self.per_workload.get(kind).copied().map(Price::PerWorkload);
        each.or(self.per_point.map(Price::PerPoint))
    }
}

fn in_force(lists: &BTreeMap<NaiveDate, PriceList>, month: Month) -> Option<&PriceList> {
    lists.range(..=month.first_day()).next_back().map(|(_, list)| list)
}

fn by_day(place: &str, lists: Vec<PriceList>) -> Result<BTreeMap<NaiveDate, PriceList>, String> {
    let mut by_day = BTreeMap::new();
    for list in lists {
        let from = list.valid_from;
        if list.per_point.is_none() && list.per_workload.is_empty() && list.cost_per_point.is_none() {
            return Err(format!("{place} from {from} has no price; write per_point or per_workload"));
        }
        if by_day.insert(from, list).is_some() {
            return Err(format!("two {place} are valid from {from}; take one out"));
        }
    }
    Ok(by_day)
}

/// The parser's objection in one line, with the line and key it is about.
fn told(error: &toml::de::Error, text: &str) -> String {
    let what = error.message().lines().collect::<Vec<_>>().join(" ");
    let Some(start) = error.span().map(|span| span.start.min(text.len())) else { return what };
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count();
    let key = text.lines().nth(line).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
    match key {
        Some(key) if !what.contains(key) => format!("line {}: {key}: {what}", line + 1),
        Some(_) | None => format!("line {}: {what}", line + 1),
    }
}

/// A decimal in quotes, or a whole number.
struct Stated(Decimal);

impl<'de> Deserialize<'de> for Stated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Stated, D::Error> {
        deserializer.deserialize_any(StatedVisitor)
    }
}

struct StatedVisitor;

impl de::Visitor<'_> for StatedVisitor {
    type Value = Stated;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a price in quotes, such as \"0.95\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Stated, E> {
        let plain = text.chars().all(|sign| sign.is_ascii_digit() || sign == '.');
        let amount = Decimal::from_str_exact(text).ok().filter(|_| plain).map(|amount| amount.normalize());
        let fits = |amount: &Decimal| *amount <= Decimal::from(PRICE_MAX) && amount.scale() <= SCALE_MAX;
        amount.filter(fits).map(Stated).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            E::custom(format!("'{shown}' is no price: write zero to {PRICE_MAX} with at most {SCALE_MAX} decimals"))
        })
    }

    fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Stated, E> {
        self.visit_str(&whole.to_string())
    }
}

fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    Stated::deserialize(deserializer).map(|Stated(amount)| Some(amount))
}

fn prices<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<WorkloadType, Decimal>, D::Error> {
    let stated = BTreeMap::<String, Stated>::deserialize(deserializer)?;
    let typed = |(name, Stated(amount)): (String, Stated)| {
        let Ok(kind) = name.parse();
        (kind, amount)
    };
    Ok(stated.into_iter().map(typed).collect())
}

/// A TOML date, written without quotes.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    let toml::value::Datetime { date: Some(date), time: None, offset: None } = written else {
        return Err(de::Error::custom("write a day without an hour, such as 2026-01-01"));
    };
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
        .ok_or_else(|| de::Error::custom("no such day"))
}
