//! The state of a license at an instant: notice, expiration, grace, and when people are told (domain.md 5.1, 5.2).
//!
//! Pure. A date is valid through the end of its GMT day (design.md section 4, "Time").

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::calendar::midnight;
use crate::domain::license::{License, LicenseType, Measure};
use crate::domain::{Instant, Points};

/// Within the notice and the first month of grace people are told so often, in days.
const WEEKLY_DAYS: usize = 7;
/// The last day of grace that is told weekly; later ones daily (domain.md 5.2, recommended reading).
const WEEKLY_GRACE_DAYS: u64 = 30;

/// The date by which a type of license ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// The license's own expiration.
    License,
    /// The license never expires; its support does.
    Support,
    Never,
}

/// Notice and grace of one type of license.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub kind: LicenseType,
    pub ends: Ends,
    /// Days of notice before the last valid day.
    pub notice_days: u64,
    /// Days after the last valid day on which everything is still processed; 0: none.
    pub grace_days: u64,
}

const fn expiring(kind: LicenseType, notice_days: u64, grace_days: u64) -> Terms {
    Terms { kind, ends: Ends::License, notice_days, grace_days }
}

/// One row a type (domain.md 5.1). An unknown type is given the longest notice, and no grace is promised for it.
pub const TERMS: [Terms; 9] = [
    expiring(LicenseType::Rental, 7, 60),
    expiring(LicenseType::Subscription, 30, 30),
    Terms { kind: LicenseType::Perpetual, ends: Ends::Support, notice_days: 14, grace_days: 0 },
    expiring(LicenseType::Evaluation, 30, 0),
    expiring(LicenseType::Nfr, 30, 0),
    expiring(LicenseType::Promo, 7, 0),
    Terms { kind: LicenseType::Free, ends: Ends::Never, notice_days: 0, grace_days: 0 },
    Terms { kind: LicenseType::Empty, ends: Ends::Never, notice_days: 0, grace_days: 0 },
    expiring(LicenseType::Unknown, 30, 0),
];

/// The row of the type.
pub fn terms_of(kind: LicenseType) -> Terms {
    TERMS.into_iter().find(|terms| terms.kind == kind).expect("TERMS has a row for every type")
}

/// The dated life of one license.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    pub kind: LicenseType,
    /// What the dates are about.
    pub ends: Ends,
    /// The first day of the notice.
    pub notice_from: NaiveDate,
    /// The last valid day.
    pub last_day: NaiveDate,
    /// The first and last day of grace, both processed; `None`: there is none.
    pub grace: Option<(NaiveDate, NaiveDate)>,
    /// The first instant at which nothing is processed; `None`: processing never stops.
    pub stops_at: Option<Instant>,
}

/// The life of a license; `None` when it has no date that ends it.
pub fn life(license: &License) -> Option<Life> {
    let terms = terms_of(license.kind);
    let last_day = match terms.ends {
        Ends::License => license.expires_on,
        Ends::Support => license.support_expires_on,
        Ends::Never => None,
    }?;
    let grace = (0 < terms.grace_days).then(|| (later(last_day, 1), later(last_day, terms.grace_days)));
    Some(Life {
        kind: terms.kind,
        ends: terms.ends,
        notice_from: last_day.checked_sub_days(Days::new(terms.notice_days)).unwrap_or(NaiveDate::MIN),
        last_day,
        grace,
        stops_at: (terms.ends == Ends::License).then(|| midnight(later(last_day, terms.grace_days + 1))),
    })
}

/// So many days later; the calendar's last day when there is no such day.
fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// Where a dated license stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "standing")]
pub enum Standing {
    Valid,
    /// Within the notice; 0 on the last valid day.
    Notice {
        days_left: i64,
    },
    /// The support is over; the license itself goes on.
    SupportOver,
    /// Expired and still processed: the day of grace, 1 to `of`.
    Grace {
        day: i64,
        of: i64,
    },
    /// Nothing is processed any more.
    Stopped,
}

impl Standing {
    /// Whether the other is the same but for its day.
    pub fn is_of_the_kind_of(self, other: Standing) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

impl Life {
    /// Where it stands at the instant.
    pub fn standing(&self, at: Instant) -> Standing {
        let today = at.date_naive();
        let days_left = (self.last_day - today).num_days();
        match self.grace {
            _ if today < self.notice_from => Standing::Valid,
            _ if 0 <= days_left => Standing::Notice { days_left },
            _ if self.ends == Ends::Support => Standing::SupportOver,
            Some((_, to)) if today <= to => Standing::Grace { day: -days_left, of: (to - self.last_day).num_days() },
            Some(_) | None => Standing::Stopped,
        }
    }

    /// The days on which people are told, oldest first: in the notice and the first 30 days of grace weekly, then daily to
    /// its end, and once on the first day after it (domain.md 5.2; a mail stands for the opening of a console).
    pub fn telling_days(&self) -> Vec<NaiveDate> {
        let days = |from: NaiveDate, to: NaiveDate| from.iter_days().take_while(move |day| *day <= to);
        let mut told: Vec<NaiveDate> = days(self.notice_from, self.last_day).step_by(WEEKLY_DAYS).collect();
        if let Some((from, to)) = self.grace {
            let weekly_to = later(self.last_day, WEEKLY_GRACE_DAYS).min(to);
            told.extend(days(from, weekly_to).step_by(WEEKLY_DAYS));
            told.extend(days(weekly_to, to).skip(1));
        }
        told.push(later(self.grace.map_or(self.last_day, |(_, to)| to), 1));
        told
    }

    /// The first instant at which something is to be told that was not told at `told_at`.
    ///
    /// A telling stands for all that were missed before it.
    pub fn next_telling_at(&self, told_at: Option<Instant>) -> Option<Instant> {
        let untold = |at: &Instant| told_at.is_none_or(|told_at| told_at < *at);
        self.telling_days().into_iter().map(midnight).find(untold)
    }
}

/// What is known of a unit's key.
#[derive(Clone, Copy, Debug)]
pub enum Key<'a> {
    None,
    /// Its issuer or its server calls it invalid or revoked.
    Invalid,
    Known(&'a License),
}

/// The status of a license, as the field names it (domain.md 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Valid,
    /// Within the notice, or the support is over.
    Warning,
    /// In grace, or of a type without one.
    Expired,
    /// Grace is over: jobs fail with status Error, restores still work.
    Error,
    Invalid,
    NotInstalled,
}

impl State {
    /// The field's words.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Valid => "Valid",
            State::Warning => "Warning",
            State::Expired => "Expired",
            State::Error => "Error",
            State::Invalid => "Invalid",
            State::NotInstalled => "Not Installed",
        }
    }
}

/// The state of a unit's key at the instant.
pub fn state(key: Key<'_>, at: Instant) -> State {
    let license = match key {
        Key::None => return State::NotInstalled,
        Key::Invalid => return State::Invalid,
        Key::Known(license) if license.kind == LicenseType::Empty => return State::NotInstalled,
        Key::Known(license) => license,
    };
    let Some(life) = life(license) else { return State::Valid };
    match life.standing(at) {
        Standing::Valid => State::Valid,
        Standing::Notice { .. } | Standing::SupportOver => State::Warning,
        Standing::Grace { .. } => State::Expired,
        Standing::Stopped if life.grace.is_some() => State::Error,
        Standing::Stopped => State::Expired,
    }
}

/// `Points: 100 (74 used + 0 new)`, as the field writes it (domain.md 5.1); `None` when the license states no limit.
pub fn usage_text(license: &License, used: Points, new: Points) -> Option<String> {
    let licensed = license.licensed_points?;
    let name = match license.kind.measure() {
        Measure::Points => "Points",
        Measure::Instances => "Instances",
    };
    Some(format!("{name}: {licensed} ({used} used + {new} new)"))
}

/// `Expiration date: 12/12/2026 (388 days left)`, as the field writes it (domain.md 5.1); `None` for a license without
/// dates.
pub fn expiration_text(license: &License, at: Instant) -> Option<String> {
    let life = life(license)?;
    let name = match life.ends {
        Ends::License | Ends::Never => "Expiration date",
        Ends::Support => "Support expiration date",
    };
    let left = match (life.last_day - at.date_naive()).num_days() {
        1 => "1 day left".to_owned(),
        -1 => "expired 1 day ago".to_owned(),
        days @ 0.. => format!("{days} days left"),
        days => format!("expired {} days ago", -days),
    };
    Some(format!("{name}: {} ({left})", life.last_day.format("%m/%d/%Y")))
}
