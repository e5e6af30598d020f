//! The days ahead of one unit: reports, their deadlines, and the turns of its license.
//!
//! Pure. What the vendor's rules and the settings fix is listed; what depends on a lost connection is not.

use chrono::{Days, NaiveDate, TimeDelta};

use crate::document::agenda::{Agenda, AgendaEntry, When};
use crate::domain::calendar::midnight;
use crate::domain::license::License;
use crate::domain::report::ID_NAMESPACE;
use crate::domain::{Instant, Month, Points};

use super::deadlines::{Deadlines, Due};
use super::license_state;
use super::overage::{self, Ahead, Turn, Usage};
use super::renewal::{self, Window};
use super::working_days::WorkingDays;

/// How far ahead is looked.
pub const DAYS_AHEAD: i64 = 90;
/// The hour of a working day at which calendars remind.
const ALARM_HOUR: TimeDelta = TimeDelta::hours(9);

/// What happens on a day ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    ReportBuilt,
    AutoSubmit,
    ManualDeadline,
    PortalDeadline,
    ChecksDaily,
    NoticeBegins,
    SupportEnds,
    LicenseEnds,
    RetryWindow,
    AutoUpdateOff,
    GraceEnds,
    LimitExceeded,
    ToleranceEnds,
}

impl Kind {
    /// One word, for JSON and ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::ReportBuilt => "report_built",
            Kind::AutoSubmit => "auto_submit",
            Kind::ManualDeadline => "manual_deadline",
            Kind::PortalDeadline => "portal_deadline",
            Kind::ChecksDaily => "checks_daily",
            Kind::NoticeBegins => "notice_begins",
            Kind::SupportEnds => "support_ends",
            Kind::LicenseEnds => "license_ends",
            Kind::RetryWindow => "retry_window",
            Kind::AutoUpdateOff => "auto_update_off",
            Kind::GraceEnds => "grace_ends",
            Kind::LimitExceeded => "limit_exceeded",
            Kind::ToleranceEnds => "tolerance_ends",
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub when: When,
    pub kind: Kind,
    /// The month of the report that it is about.
    pub month: Option<Month>,
    pub what: String,
    pub why: String,
}

impl Entry {
    /// Its first instant.
    pub fn begins_at(&self) -> Instant {
        match self.when {
            When::At(at) => at,
            When::Days { first, .. } => midnight(first),
        }
    }
}

/// A month's report that something is still owed on, and its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    pub month: Month,
    pub due: Due,
}

/// What the calendar is drawn from.
#[derive(Clone, Debug)]
pub struct CalendarFacts {
    pub now: Instant,
    /// Only rental keys are reported monthly: the way that reports to come go out, or `None`.
    pub reports_go: Option<Due>,
    pub owed: Vec<Owed>,
    pub deadlines: Deadlines,
    /// Auto update is on and there is somebody to ask.
    pub asks: Option<Window>,
    /// Auto update is on and does not renew such a key: nobody is asked, and it goes off with the window all the same.
    pub unasked: Option<Window>,
    pub license: License,
    /// `None` while no sample is known.
    pub usage: Option<Usage>,
    /// Since when more than what is licensed was seen in use.
    pub exceeded_since: Option<Instant>,
}

/// What lies ahead within [`DAYS_AHEAD`], in the order of time.
pub fn calendar(facts: &CalendarFacts) -> Vec<Entry> {
    let until = facts.now + TimeDelta::days(DAYS_AHEAD);
    let mut entries: Vec<Entry> = facts.owed.iter().map(|owed| deadline(*owed, facts)).collect();
    if let Some(due) = facts.reports_go {
        entries.extend(reports_to_come(due, until, facts));
    }
    entries.extend(facts.asks.iter().flat_map(asking));
    entries.extend(facts.asks.iter().chain(&facts.unasked).map(going_off));
    entries.extend(turns(facts));
    let ends_at = |entry: &Entry| match entry.when {
        When::At(at) => at,
        When::Days { last, .. } => midnight(last + Days::new(1)),
    };
    entries.retain(|entry| facts.now <= ends_at(entry) && entry.begins_at() <= until);
    entries.sort_by_key(|entry| (entry.begins_at(), entry.kind, entry.month));
    entries
}

fn reports_to_come(due: Due, until: Instant, facts: &CalendarFacts) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut month = Month::of(facts.now);
    while month.ends_at() <= until {
        entries.push(Entry {
            when: When::At(month.ends_at()),
            kind: Kind::ReportBuilt,
            month: Some(month),
            what: format!("Usage report of {month} is built"),
            why: "at 00:00 GMT on the 1st, from the newest samples".to_owned(),
        });
        entries.push(deadline(Owed { month, due }, facts));
        if due == Due::AutoSubmit {
            entries.push(deadline(Owed { month, due: Due::Portal }, facts));
        }
        month = month.next();
    }
    entries
}

fn deadline(owed: Owed, facts: &CalendarFacts) -> Entry {
    let Owed { month, due } = owed;
    let day = facts.deadlines.day(due, month);
    let whole = When::Days { first: day, last: day };
    let (when, kind, what, why) = match due {
        Due::AutoSubmit => (
            When::At(facts.deadlines.auto_submit_at(month)),
            Kind::AutoSubmit,
            format!("Usage report of {month} is sent as it stands"),
            format!("policy.auto_submit_day = {}; review it before", facts.deadlines.auto_submit_day),
        ),
        Due::Manual => (
            whole,
            Kind::ManualDeadline,
            format!("Last day to enter the usage report of {month} in Pulse or the portal"),
            format!("policy.manual_deadline_day = {}; nothing sends it by itself", facts.deadlines.manual_deadline_day),
        ),
        Due::Portal => (
            whole,
            Kind::PortalDeadline,
            format!("Last day to enter the sent usage report of {month} in Pulse or the portal"),
            format!("policy.portal_deadline_day = {}; sending never replaces it", facts.deadlines.portal_deadline_day),
        ),
    };
    Entry { when, kind, month: Some(month), what, why }
}

/// Daily checks and the retry window (domain.md 4.5): each comes only if no key was installed before.
fn asking(window: &Window) -> [Entry; 2] {
    let entry = |when, kind, what: String, why: String| Entry { when, kind, month: None, what, why };
    let anchor = window.anchor;
    [
        entry(
            When::At(renewal::daily_from(window)),
            Kind::ChecksDaily,
            "License checks become daily".to_owned(),
            format!("from 7 days before {anchor}, when license or support ends"),
        ),
        entry(
            When::Days { first: anchor + Days::new(1), last: window.ends_on },
            Kind::RetryWindow,
            format!("Renewal is tried again, day 1 to {}, unless a key has come", window.days),
            format!("{} days after {anchor}, as many as its month has", window.days),
        ),
    ]
}

fn going_off(window: &Window) -> Entry {
    Entry {
        when: When::At(window.off_at()),
        kind: Kind::AutoUpdateOff,
        month: None,
        what: "Auto update switches itself off unless a key has come".to_owned(),
        why: format!("the retry window ends on {}; reporting is manual from then on", window.ends_on),
    }
}

/// What the license does by itself: notice, expiry, grace, overage.
fn turns(facts: &CalendarFacts) -> Vec<Entry> {
    let license = &facts.license;
    let usage = facts.usage.unwrap_or(Usage {
        used: Points::ZERO,
        new: Points::ZERO,
        new_last_month: Points::ZERO,
        auto_update: renewal::Switch::Off,
    });
    let ahead = overage::ahead(license, &usage, facts.exceeded_since, facts.now);
    let mut entries: Vec<Entry> = ahead.iter().filter_map(|ahead| turn(ahead, license, facts)).collect();
    let ends = license_state::terms_of(license.kind).ends;
    if let Some(day) = license.support_expires_on.filter(|_| ends == license_state::Ends::License) {
        entries.push(Entry {
            when: When::Days { first: day, last: day },
            kind: Kind::SupportEnds,
            month: None,
            what: "Last day of the license's support".to_owned(),
            why: "the earlier of license and support expiration begins the retry window".to_owned(),
        });
    }
    entries
}

fn turn(ahead: &Ahead, license: &License, facts: &CalendarFacts) -> Option<Entry> {
    let last_day = license_state::life(license).map(|life| life.last_day);
    let entry = |when, kind, what: String, why: String| Some(Entry { when, kind, month: None, what, why });
    let day = |day: NaiveDate| When::Days { first: day, last: day };
    match ahead.turn {
        Turn::NoticeBegins => entry(
            day(ahead.at.date_naive()),
            Kind::NoticeBegins,
            "Notice of the license's end begins".to_owned(),
            format!("its last day is {}", last_day?),
        ),
        Turn::Expires => {
            let why = match license_state::life(license)?.grace {
                Some((_, to)) => format!("then everything is still processed for its grace, to {to}"),
                None => "there is no grace for this type of license".to_owned(),
            };
            entry(day(last_day?), Kind::LicenseEnds, format!("Last day of the {} license", license.kind.as_str()), why)
        }
        // Without a grace processing stops with the license, which its own entry says.
        Turn::ProcessingStops => {
            let (_, to) = license_state::life(license)?.grace?;
            let what = "Last day of grace: without a new key nothing is processed after it".to_owned();
            entry(day(to), Kind::GraceEnds, what, format!("the license ended on {}", last_day?))
        }
        Turn::ToleranceEnds => entry(
            day(ahead.at.date_naive().pred_opt()?),
            Kind::ToleranceEnds,
            "Last day on which the exceeded limit is tolerated".to_owned(),
            "after it all above what is licensed may be left out at any time".to_owned(),
        ),
        Turn::LimitExceeded { overage } => {
            let what = format!("{} points of {} licensed are used", overage.used, overage.licensed);
            let why = if overage.not_processed.is_zero() {
                format!("exceeded by {}; all is processed up to {}", overage.exceeded_by, overage.cap)
            } else {
                format!(
                    "exceeded by {}; {} above the cap of {} are not processed",
                    overage.exceeded_by, overage.not_processed, overage.cap
                )
            };
            entry(When::At(ahead.at.max(facts.now)), Kind::LimitExceeded, what, why)
        }
    }
}

/// The entries as people keep them: with an alarm on the morning of the working day before, and ids that stay when a date
/// moves. A limit that is exceeded now is no date and stays out.
pub fn agenda_entries(
    unit: &str,
    about: &str,
    entries: &[Entry],
    days: &WorkingDays,
    now: Instant,
) -> Vec<AgendaEntry> {
    let dated = entries.iter().filter(|entry| now < entry.begins_at() || entry.kind != Kind::LimitExceeded);
    dated
        .map(|entry| {
            let subject = entry.month.map_or(String::new(), |month| format!(" {month}"));
            let id = format!("calendar {unit} {}{subject}", entry.kind.as_str());
            let begins_at = entry.begins_at();
            let alarm_on = days.last_before(midnight(begins_at.date_naive()));
            AgendaEntry {
                uid: uuid::Uuid::new_v5(&ID_NAMESPACE, id.as_bytes()).to_string(),
                when: entry.when,
                title: entry.what.clone(),
                text: format!("{}.\n{about}", entry.why),
                alarm_before: alarm_on.map_or(TimeDelta::days(1), |day| begins_at - (midnight(day) + ALARM_HOUR)),
            }
        })
        .collect()
}

/// The file's data.
pub fn agenda(entries: Vec<AgendaEntry>, now: Instant) -> Agenda {
    Agenda { name: "Tidegauge: usage reports and licenses".to_owned(), stamped_at: now, entries }
}
