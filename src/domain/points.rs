//! Rental points as exact decimals.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The largest amount a foreign text may state of one workload, license or count.
const STATED_MAX: i64 = 1_000_000_000;
/// The largest amount that is read back at all: sums of a billion stated amounts.
const SUM_MAX: i64 = 1_000_000_000_000_000_000;
/// So many of the largest sums are read back from what was kept.
const KEPT_SUMS_MAX: i64 = 1_000_000;
/// Most digits after the point in a foreign text.
const SCALE_MAX: u32 = 9;

/// An exact amount of rental points; differences may be negative, stated amounts never are.
///
/// Never goes through a binary float. Points may be fractional (domain.md 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Points(Decimal);

/// Why a text is no amount of points.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPoints {
    #[error("'{0}' is not a decimal number")]
    NotANumber(String),
    #[error("{0} is negative; points are never negative")]
    Negative(String),
    #[error("{0} is larger than any provider's points (limit {STATED_MAX})")]
    Absurd(String),
    #[error("{0} has more than {SCALE_MAX} digits after the point")]
    TooFine(String),
}

impl Points {
    pub const ZERO: Points = Points(Decimal::ZERO);

    /// Wraps a decimal that our own arithmetic made.
    pub fn new(amount: Decimal) -> Points {
        Points(amount)
    }

    /// An amount that was kept; `None`: larger than any sum of ours, of which thousands would still be added up exactly.
    pub fn kept(amount: Decimal) -> Option<Points> {
        (amount.abs() <= Decimal::from(SUM_MAX) * Decimal::from(KEPT_SUMS_MAX)).then_some(Points(amount))
    }

    /// A whole amount.
    pub fn whole(amount: i64) -> Points {
        Points(Decimal::from(amount))
    }

    /// The exact amount.
    pub fn amount(self) -> Decimal {
        self.0
    }

    /// Rounded up to whole points, as totals are presented (domain.md 2.2, recommended reading).
    pub fn rounded_up(self) -> Points {
        Points(self.0.round_dp_with_strategy(0, RoundingStrategy::ToPositiveInfinity))
    }

    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Zero when negative.
    pub fn at_least_zero(self) -> Points {
        self.max(Points::ZERO)
    }

    /// This share of the amount, in percent.
    pub fn percent(self, percent: Decimal) -> Points {
        Points(self.0 * percent / Decimal::ONE_HUNDRED)
    }

    /// Parses what a person or a foreign system stated: a plain decimal, zero or more.
    ///
    /// # Errors
    /// [`NotPoints`] for anything else: a sign, an exponent that makes it absurd, letters.
    pub fn stated(text: &str) -> Result<Points, NotPoints> {
        let points = Points::not_negative(text)?;
        if points.0 > Decimal::from(STATED_MAX) { Err(NotPoints::Absurd(shortened(text))) } else { Ok(points) }
    }

    fn not_negative(text: &str) -> Result<Points, NotPoints> {
        let text = text.trim();
        let plain = |sign: char| sign.is_ascii_digit() || "+-.eE".contains(sign);
        if text.starts_with('+') || !text.chars().all(plain) {
            return Err(NotPoints::NotANumber(shortened(text)));
        }
        let amount = Decimal::from_str_exact(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map_err(|_| NotPoints::NotANumber(shortened(text)))?
            .normalize();
        if amount.is_sign_negative() && !amount.is_zero() {
            return Err(NotPoints::Negative(shortened(text)));
        }
        if amount > Decimal::from(SUM_MAX) {
            return Err(NotPoints::Absurd(shortened(text)));
        }
        if amount.scale() > SCALE_MAX {
            return Err(NotPoints::TooFine(shortened(text)));
        }
        Ok(Points(amount))
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

impl FromStr for Points {
    type Err = NotPoints;

    fn from_str(text: &str) -> Result<Points, NotPoints> {
        match text.strip_prefix('-') {
            Some(rest) => Points::not_negative(rest).map(Neg::neg),
            None => Points::not_negative(text),
        }
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most amounts are whole, and a report has many of them.
        if let (0, Ok(whole)) = (self.0.scale(), i64::try_from(self.0.mantissa())) {
            return whole.fmt(f);
        }
        let plain = self.0.normalize();
        if plain.is_zero() { f.write_str("0") } else { plain.fmt(f) }
    }
}

impl Add for Points {
    type Output = Points;
    fn add(self, other: Points) -> Points {
        Points(self.0 + other.0)
    }
}

impl Sub for Points {
    type Output = Points;
    fn sub(self, other: Points) -> Points {
        Points(self.0 - other.0)
    }
}

impl Neg for Points {
    type Output = Points;
    fn neg(self) -> Points {
        Points(-self.0)
    }
}

impl AddAssign for Points {
    fn add_assign(&mut self, other: Points) {
        self.0 += other.0;
    }
}

/// Points of so many workloads of this weight.
impl Mul<u64> for Points {
    type Output = Points;
    fn mul(self, count: u64) -> Points {
        Points(self.0 * Decimal::from(count))
    }
}

impl std::iter::Sum for Points {
    fn sum<I: Iterator<Item = Points>>(items: I) -> Points {
        items.fold(Points::ZERO, Add::add)
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads back what was written, sums and differences too; foreign amounts go through [`Points::stated`].
///
/// Accepts a decimal string or a JSON number. A JSON number is read by its shortest decimal text, so `0.7` is 0.7.
impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Points, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(PointsVisitor)
        } else {
            deserializer.deserialize_str(PointsVisitor)
        }
    }
}

struct PointsVisitor;

impl de::Visitor<'_> for PointsVisitor {
    type Value = Points;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("points as a decimal number or string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Points, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, whole: u64) -> Result<Points, E> {
        self.visit_str(&whole.to_string())
    }

    fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Points, E> {
        self.visit_str(&whole.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Points, E> {
        self.visit_str(&number.to_string())
    }
}
