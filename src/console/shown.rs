//! Instants, numbers and links as templates write them: exact for machines, readable without a script.

use std::fmt;

use askama::filters::HtmlSafe;
use chrono_tz::Tz;

use crate::domain::Instant;
use crate::domain::calendar::{minute_text, rfc3339};

/// An instant in the console's time zone, with GMT on hover; a script writes it in the viewer's own manner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    at: Instant,
    zone: Tz,
}

impl When {
    /// To the minute.
    pub fn minute(at: Instant, zone: Tz) -> When {
        When { at, zone }
    }

    /// The zone's name, for the script.
    pub fn zone(self) -> &'static str {
        self.zone.name()
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (exact, gmt) = (rfc3339(self.at), minute_text(self.at));
        let local = self.at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M");
        write!(f, "<time datetime=\"{exact}\" title=\"{gmt} GMT\">{local}</time>")
    }
}

// Digits, letters and signs of dates only.
impl HtmlSafe for When {}

/// An amount that a script may group in the viewer's own manner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount(String);

impl Amount {
    /// Of a decimal, as it is printed.
    pub fn of(amount: impl fmt::Display) -> Amount {
        Amount(amount.to_string().chars().filter(|sign| sign.is_ascii_digit() || "-.".contains(*sign)).collect())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<data value=\"{0}\">{0}</data>", self.0)
    }
}

// Only digits, a minus and a point are let in.
impl HtmlSafe for Amount {}

/// A name as part of an address: it begins its life on a backup server, so it may hold any sign.
pub fn encoded(name: &str) -> String {
    name.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}
