//! Amounts and days as a price book states them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};

use crate::domain::workload::WorkloadType;

/// The largest amount of a book.
const AMOUNT_MAX: i64 = 1_000_000_000;
/// Most digits after the point.
const SCALE_MAX: u32 = 9;

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
        let fits = |amount: &Decimal| *amount <= Decimal::from(AMOUNT_MAX) && amount.scale() <= SCALE_MAX;
        amount.filter(fits).map(Stated).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            E::custom(format!("'{shown}' is no price: write zero to {AMOUNT_MAX} with at most {SCALE_MAX} decimals"))
        })
    }

    fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Stated, E> {
        self.visit_str(&whole.to_string())
    }
}

pub(super) fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    Stated::deserialize(deserializer).map(|Stated(amount)| amount)
}

pub(super) fn some_price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    price(deserializer).map(Some)
}

/// Prices by type.
pub(super) fn prices<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<WorkloadType, Decimal>, D::Error> {
    let stated = BTreeMap::<String, Stated>::deserialize(deserializer)?;
    let typed = |(name, Stated(amount)): (String, Stated)| {
        let Ok(kind) = name.parse();
        (kind, amount)
    };
    Ok(stated.into_iter().map(typed).collect())
}

/// A TOML date, written without quotes.
pub(super) fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    let toml::value::Datetime { date: Some(date), time: None, offset: None } = written else {
        return Err(de::Error::custom("write a day without an hour, such as 2026-01-01"));
    };
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
        .ok_or_else(|| de::Error::custom("no such day"))
}
