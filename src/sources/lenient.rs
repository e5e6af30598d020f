//! Field types that take what real servers send: null, numbers as texts, one object for a list, dates without a zone.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use rust_decimal::Decimal;

use crate::domain::points::NotPoints;
use crate::domain::{Instant, Points};

/// A text, or nothing when it is absent, null, empty or no text at all.
#[derive(Clone, Debug, Default)]
pub struct Text<'a>(Option<Cow<'a, str>>);

impl Text<'_> {
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub fn owned(&self) -> Option<String> {
        self.get().map(str::to_owned)
    }
}

/// A number, zero or more, as JSON number or text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Number {
    #[default]
    Absent,
    Stated(Points),
    /// Negative, absurd or no number; the words it came with.
    Wrong(String),
}

impl Number {
    fn read(text: &str) -> Number {
        match Points::stated(text) {
            Ok(points) => Number::Stated(points),
            // Doubles come with noise behind the digits that anybody meant.
            Err(NotPoints::TooFine(_)) => text.trim().parse().map_or_else(
                |_| Number::Wrong(format!("{text} has too many digits")),
                |amount: Decimal| Number::Stated(Points::new(amount.round_dp(6))),
            ),
            Err(why) => Number::Wrong(why.to_string()),
        }
    }

    pub fn points(&self) -> Option<Points> {
        match self {
            Number::Stated(points) => Some(*points),
            Number::Absent | Number::Wrong(_) => None,
        }
    }

    /// A whole number of things.
    pub fn count(&self) -> Option<u64> {
        self.points().and_then(|points| u64::try_from(points.amount()).ok())
    }
}

/// A list; one object stands for a list of one, null for none.
#[derive(Clone, Debug)]
pub struct Rows<T>(pub Vec<T>);

/// The time zone of a server, for dates that name none.
#[derive(Clone, Copy, Debug)]
pub enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Zone {
    /// By the IANA name, else by the offset of the server's own time, else GMT.
    pub fn of(iana: Option<&str>, server_time: Option<&str>) -> Zone {
        let named = iana.and_then(|name| name.parse().ok()).map(Zone::Named);
        let fixed =
            || server_time.and_then(|text| DateTime::parse_from_rfc3339(text).ok()).map(|at| Zone::Fixed(*at.offset()));
        named.or_else(fixed).unwrap_or(Zone::Named(Tz::UTC))
    }

    /// The instant of a date-time, with any number of fraction digits, with or without a zone.
    pub fn instant(self, text: &str) -> Option<Instant> {
        let text = text.trim();
        let at = match DateTime::parse_from_rfc3339(text) {
            Ok(at) => at.to_utc(),
            Err(_) => self.local(NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?)?,
        };
        is_plausible(at.year()).then_some(at)
    }

    fn local(self, wall: NaiveDateTime) -> Option<Instant> {
        match self {
            Zone::Named(zone) => match zone.from_local_datetime(&wall) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
                // An hour that the clock skipped: the same minute of the next hour.
                LocalResult::None => {
                    zone.from_local_datetime(&(wall + TimeDelta::hours(1))).earliest().map(|at| at.to_utc())
                }
            },
            Zone::Fixed(offset) => offset.from_local_datetime(&wall).single().map(|at| at.to_utc()),
        }
    }
}

/// The civil date of a date or date-time, as it is written.
pub fn written_date(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text.trim().get(..10)?, "%Y-%m-%d").ok()?;
    is_plausible(day.year()).then_some(day)
}

fn is_plausible(year: i32) -> bool {
    (1970..=9998).contains(&year)
}

macro_rules! ignore_other_shapes {
    ($nothing:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($nothing)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($nothing)
        }
    };
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        struct TextVisitor<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
            type Value = Text<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
                Ok(Text((!text.is_empty()).then_some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text((!text.is_empty()).then(|| Cow::Owned(text.to_owned()))))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text<'a>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text<'a>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Text<'a>, E> {
                Ok(Text(None))
            }

            ignore_other_shapes!(Text(None));
        }
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct NumberVisitor;
        impl<'de> Visitor<'de> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Number, E> {
                Ok(if text.trim().is_empty() { Number::Absent } else { Number::read(text) })
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                match i64::try_from(number) {
                    Ok(whole) if whole <= 1_000_000 => Ok(Number::Stated(Points::whole(whole))),
                    Ok(_) | Err(_) => Ok(Number::read(&number.to_string())),
                }
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number::read(&number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number::read(&number.to_string()))
            }

            ignore_other_shapes!(Number::Absent);
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rows<T>, D::Error> {
        struct RowsVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for RowsVisitor<T> {
            type Value = Rows<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<Rows<T>, E> {
                Ok(Rows(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Rows<T>, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = seq.next_element()? {
                    rows.push(row);
                }
                Ok(Rows(rows))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rows<T>, A::Error> {
                Ok(Rows(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
            }
        }
        deserializer.deserialize_any(RowsVisitor(PhantomData))
    }
}
