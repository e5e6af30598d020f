//! The days on which a report falls due, and the vendor's own days by name (domain.md 3.8).

use chrono::{Days, NaiveDate};

use crate::domain::calendar::midnight;
use crate::domain::{Instant, Month};

/// The days of the month after the reported one on which things fall due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// 2 to 28, default 11: an unsent report goes at 00:00 GMT of this day.
    pub auto_submit_day: u32,
    /// 1 to 28, default 10: by the end of it a person has entered elsewhere what is never sent from here.
    pub manual_deadline_day: u32,
    /// 1 to 28, default the manual one: by the end of it a sent report is entered in Pulse or the aggregator's portal.
    pub portal_deadline_day: u32,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines { auto_submit_day: 11, manual_deadline_day: 10, portal_deadline_day: 10 }
    }
}

/// Which of the deadlines a report is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// It goes by itself.
    AutoSubmit,
    /// Nothing sends it but a person.
    Manual,
    /// It was sent; the second step is open.
    Portal,
}

impl Due {
    /// One word, for JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Due::AutoSubmit => "auto_submit",
            Due::Manual => "manual",
            Due::Portal => "portal",
        }
    }
}

impl Deadlines {
    /// The civil day that people are told.
    pub fn day(self, due: Due, month: Month) -> NaiveDate {
        month.next().day(match due {
            Due::AutoSubmit => self.auto_submit_day,
            Due::Manual => self.manual_deadline_day,
            Due::Portal => self.portal_deadline_day,
        })
    }

    /// The first instant that is too late: the begin of the auto-submit day, the end of the others.
    pub fn ends_at(self, due: Due, month: Month) -> Instant {
        let day = self.day(due, month);
        match due {
            Due::AutoSubmit => midnight(day),
            Due::Manual | Due::Portal => midnight(day + Days::new(1)),
        }
    }

    /// 00:00 GMT of the auto-submit day.
    pub fn auto_submit_at(self, month: Month) -> Instant {
        self.ends_at(Due::AutoSubmit, month)
    }

    /// Days left = the deadline's day − today; may be negative (domain.md 3.9).
    pub fn days_left(self, due: Due, month: Month, now: Instant) -> i64 {
        (self.day(due, month) - now.date_naive()).num_days()
    }
}

/// One of the vendor's auto-submit days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlinePreset {
    /// As the settings name it: the year in which the vendor's documents last said so.
    pub name: &'static str,
    pub day: u32,
    /// Which of them (domain.md 3.8).
    pub mirrors: &'static str,
}

/// The vendor's days, newest first: 11, then 6, then 3 (domain.md 3.8; 9, Q1).
pub const DEADLINE_PRESETS: [DeadlinePreset; 3] = [
    DeadlinePreset { name: VENDOR_NOW, day: 3, mirrors: "VBR and Enterprise Manager 13 from January 2026, VSPC 9" },
    DeadlinePreset { name: "2025", day: 11, mirrors: "VBR 9.5 to 13, documents up to November 2025; the default" },
    DeadlinePreset { name: "2021", day: 6, mirrors: "Veeam ONE 11 and screens of Enterprise Manager of that time" },
];

/// The name of the day that the vendor's servers hold to in their present versions.
const VENDOR_NOW: &str = "2026";

/// The preset of a name.
pub fn preset(name: &str) -> Option<DeadlinePreset> {
    DEADLINE_PRESETS.into_iter().find(|preset| preset.name == name)
}

/// The preset with this day.
pub fn preset_of_day(day: u32) -> Option<DeadlinePreset> {
    DEADLINE_PRESETS.into_iter().find(|preset| preset.day == day)
}

/// The vendor's own day when it lies before ours: by our day such a server has reported itself. Samples do not keep a
/// server's build, so the present versions' day is taken for it.
pub fn vendor_is_earlier(deadlines: Deadlines) -> Option<DeadlinePreset> {
    preset(VENDOR_NOW).filter(|vendor| vendor.day < deadlines.auto_submit_day)
}
