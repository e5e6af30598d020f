//! The words for each kind of news (domain.md 3.9), from `templates/mail`.

use std::fmt;

use askama::Template;
use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;

use super::Telling;
use super::sheet::{Foot, Letter};
use crate::domain::calendar::{Instant, midnight, minute_beside, minute_text};
use crate::domain::notice::{News, Notice, ToldLoss, Workdays};
use crate::domain::watermark::Coverage;
use crate::domain::{Month, Points};

/// Most signs of a foreign text in a letter.
const FOREIGN_MAX: usize = 400;

/// Declares one letter each: its name, its template and what the template is given.
macro_rules! letters {
    ($($name:ident = $path:literal { $($field:ident: $kind:ty),* })*) => {
        $(#[derive(Template)]
        #[template(path = $path, escape = "none")]
        struct $name { $($field: $kind),* })*
    };
}

letters! {
    ReportReady = "mail/report_ready.txt" {
        month: Month, total: Points, due: Due, automatic: bool, late: bool, difference: Option<Foreign>,
        discrepancies: Listed
    }
    Reminder = "mail/reminder.txt" {
        month: Month, total: Points, due: Due, automatic: bool
    }
    Overdue = "mail/overdue.txt" { month: Month, total: Points }
    ReportAdjusted = "mail/report_adjusted.txt" {
        month: Month, by: Foreign, before: Points, after: Points, adjustments: usize, reason: Foreign
    }
    ReportAutoSent = "mail/report_auto_sent.txt" { month: Month, total: Points, external_due: bool, by_day: String }
    ReportSent = "mail/report_sent.txt" { month: Month, total: Points, by: Foreign, external_due: bool, by_day: String }
    SendFailing = "mail/send_failing.txt" { month: Month, why: Foreign }
    ExternalDue = "mail/external_due.txt" { month: Month, total: Points, by_day: String, overdue: bool }
    WaitsForPerson = "mail/waits_for_person.txt" { month: Month, why: Foreign }
    LateSample = "mail/late_sample.txt" { month: Month, sent: bool, dropped: Listed }
    ReportRenewed = "mail/report_renewed.txt" { month: Month, was: Points, total: Points, dropped: Listed }
    License = "mail/license.txt" { result: Foreign, message: Foreign, to_do: Foreign }
    LicenseRecovered = "mail/license_recovered.txt" { result: Foreign, message: Foreign, since: String }
    LicenseExpiring = "mail/license_expiring.txt" { support: bool, last_day: NaiveDate, left: String }
    SupportExpired = "mail/support_expired.txt" { last_day: NaiveDate }
    GraceStarted = "mail/grace_started.txt" { last_day: NaiveDate, grace_ends_on: NaiveDate }
    InGrace = "mail/in_grace.txt" { grace_ends_on: NaiveDate, day: i64, of: i64 }
    ProcessingStopped = "mail/processing_stopped.txt" { last_day: NaiveDate, grace_ended_on: Option<NaiveDate> }
    LimitExceeded = "mail/limit_exceeded.txt" {
        licensed: Points, used: Points, exceeded_by: Points, more_possible: Points, not_processed: Points,
        tolerated_through: Option<NaiveDate>, today: NaiveDate
    }
    LimitKept = "mail/limit_kept.txt" { licensed: Points, used: Points }
    GateHeld = "mail/gate_held.txt" { month: Month, shortfall: Points, tolerance: Points }
    GateOpened = "mail/gate_opened.txt" { month: Month }
    CorrectionAsked = "mail/correction_asked.txt" { month: Month, by: Foreign, why: Foreign }
    AutoUpdateOff = "mail/auto_update_off.txt" { why: Foreign }
    SourceLost = "mail/source_lost.txt" { server: Foreign, why: Foreign }
    SourceRecovered = "mail/source_recovered.txt" { server: Foreign, missed: u32, since: Option<String>, why: Foreign }
    CoverageLow = "mail/coverage_low.txt" { server: Foreign, day: NaiveDate, month: Month, complete: u32, expected: u32 }
    Trial = "mail/trial.txt" { about: Foreign }
    ClockSuspect = "mail/clock_suspect.txt" { why: Foreign }
}

/// The letter of a notice, as its template words it; `files_out` names the files that were too large to go with it.
pub fn letter(notice: &Notice, telling: &Telling, files_out: &[String]) -> Letter {
    let drawn = drawn(&notice.news, notice.at).expect("a letter is drawn to memory");
    let foot = Foot {
        about: one_line(telling.about),
        event: notice.news.event(),
        at: minute_beside(notice.at, telling.time_zone),
        id: one_line(&notice.id),
        files_at: one_line(telling.files_at),
        files_out: files_out.to_vec(),
    };
    Letter::new(&drawn, foot)
}

/// The letter of `mail test`.
pub fn trial_letter(about: &str, id: &str, at: Instant) -> Letter {
    let drawn = Trial { about: Foreign(about.to_owned()) }.render().expect("a letter is drawn to memory");
    let (at, id, files_at) = (minute_beside(at, Tz::UTC), id.to_owned(), String::new());
    Letter::new(&drawn, Foot { about: String::new(), event: "mail.test", at, id, files_at, files_out: Vec::new() })
}

/// `within the next 6 days`, `until tomorrow`, `today`, as the field words it (domain.md 3.9).
pub fn until(days_left: i64) -> String {
    match days_left {
        2.. => format!("within the next {days_left} days"),
        1 => "until tomorrow".to_owned(),
        0 => "today".to_owned(),
        ..0 => "at once, its day has passed".to_owned(),
    }
}

/// `6 days left`, `1 day left`, `due today`, `2 days overdue`.
pub fn left_or_overdue(days_left: i64) -> String {
    match days_left {
        ..=-2 => format!("{} days overdue", days_left.unsigned_abs()),
        -1 => "1 day overdue".to_owned(),
        0 => "due today".to_owned(),
        1 => "1 day left".to_owned(),
        2.. => format!("{days_left} days left"),
    }
}

/// `30 days left`, `1 day left`, `today is its last day`.
fn left(days: i64) -> String {
    match days {
        ..=0 => "today is its last day".to_owned(),
        1 => "1 day left".to_owned(),
        2.. => format!("{days} days left"),
    }
}

fn drawn(news: &News, at: Instant) -> askama::Result<String> {
    match news.clone() {
        News::ReportReady { month, total, days_left, automatic, late, workdays, difference, discrepancies } => {
            let (due, difference) = (Due::of(at, days_left, workdays), difference.map(Foreign));
            let discrepancies = discrepancies.into();
            ReportReady { month, total, due, automatic, late, difference, discrepancies }.render()
        }
        News::Reminder { month, total, days_left, automatic, workdays } => {
            Reminder { month, total, due: Due::of(at, days_left, workdays), automatic }.render()
        }
        News::Overdue { month, total } => Overdue { month, total }.render(),
        News::ReportAdjusted { month, by, before, after, adjustments, reason } => {
            ReportAdjusted { month, by: Foreign(by), before, after, adjustments, reason: Foreign(reason) }.render()
        }
        News::ReportSent { month, total, by, external_due, due_on } => {
            ReportSent { month, total, by: Foreign(by), external_due, by_day: by_day(at, due_on) }.render()
        }
        News::ReportAutoSent { month, total, external_due, due_on } => {
            ReportAutoSent { month, total, external_due, by_day: by_day(at, due_on) }.render()
        }
        News::SendFailing { month, why } => SendFailing { month, why: Foreign(why) }.render(),
        News::ExternalDue { month, total, due_on } => {
            let overdue = due_on.is_some_and(|day| day < at.date_naive());
            ExternalDue { month, total, by_day: by_day(at, due_on), overdue }.render()
        }
        News::WaitsForPerson { month, why } => WaitsForPerson { month, why: Foreign(why) }.render(),
        News::LateSample { month, sent, dropped } => LateSample { month, sent, dropped: dropped.into() }.render(),
        News::ReportRenewed { month, was, total, dropped } => renewed(month, was, total, dropped).render(),
        News::License { result, message, to_do } => {
            License { result: Foreign(result), message: Foreign(message), to_do: Foreign(to_do) }.render()
        }
        News::LicenseRecovered { result, message, failing_since } => {
            let (result, message) = (Foreign(result), Foreign(message));
            LicenseRecovered { result, message, since: minute_text(failing_since) }.render()
        }
        News::LicenseExpiring { support, last_day, days_left } => {
            LicenseExpiring { support, last_day, left: left(days_left) }.render()
        }
        News::SupportExpired { last_day } => SupportExpired { last_day }.render(),
        News::GraceStarted { last_day, grace_ends_on } => GraceStarted { last_day, grace_ends_on }.render(),
        News::InGrace { grace_ends_on, day, of } => InGrace { grace_ends_on, day, of }.render(),
        News::ProcessingStopped { last_day, grace_ended_on } => ProcessingStopped { last_day, grace_ended_on }.render(),
        News::LimitExceeded { licensed, used, exceeded_by, more_possible, not_processed, tolerated_through } => {
            let today = at.date_naive();
            LimitExceeded { licensed, used, exceeded_by, more_possible, not_processed, tolerated_through, today }
                .render()
        }
        News::LimitKept { licensed, used } => LimitKept { licensed, used }.render(),
        News::GateHeld { month, shortfall, tolerance } => GateHeld { month, shortfall, tolerance }.render(),
        News::CorrectionAsked { month, by, why } => {
            CorrectionAsked { month, by: Foreign(by), why: Foreign(why) }.render()
        }
        News::GateOpened { month } => GateOpened { month }.render(),
        News::AutoUpdateOff { why } => AutoUpdateOff { why: Foreign(why) }.render(),
        News::SourceLost { server, why } => SourceLost { server: Foreign(server), why: Foreign(why) }.render(),
        News::SourceRecovered { server, missed_samples, loss } => recovered(server, missed_samples, loss).render(),
        News::CoverageLow { server, day, coverage } => low(server, day, coverage).render(),
        News::ClockSuspect { why } => ClockSuspect { why: Foreign(why) }.render(),
    }
}

fn recovered(server: String, missed: u32, loss: Option<ToldLoss>) -> SourceRecovered {
    let since = loss.as_ref().map(|loss| minute_text(loss.at));
    let why = Foreign(loss.map_or_else(String::new, |loss| loss.why));
    SourceRecovered { server: Foreign(server), missed, since, why }
}

fn low(server: String, day: NaiveDate, Coverage { expected, complete }: Coverage) -> CoverageLow {
    CoverageLow { server: Foreign(server), day, month: Month::of(midnight(day)), complete, expected }
}

/// Until when something is to be done.
struct Due {
    /// As the field words it.
    words: String,
    /// The civil day of the deadline, GMT.
    day: NaiveDate,
    /// A sentence of its own, or nothing.
    workdays: &'static str,
}

impl Due {
    fn of(at: Instant, days_left: i64, workdays: Workdays) -> Due {
        let day = at.date_naive() + TimeDelta::days(days_left.clamp(-3660, 3660));
        let workdays = match workdays {
            Workdays::Enough => "",
            Workdays::TodayIsLast => "Today is the last working day before the deadline.",
            Workdays::NoneLeft => "No working day is left before the deadline.",
        };
        Due { words: until(days_left), day, workdays }
    }
}

/// ` by 2026-11-10`; ` at once` when that day has passed; nothing when none is known.
fn by_day(at: Instant, due_on: Option<NaiveDate>) -> String {
    match due_on {
        Some(day) if at.date_naive() <= day => format!(" by {day}"),
        Some(_) => " at once".to_owned(),
        None => String::new(),
    }
}

fn renewed(month: Month, was: Points, total: Points, dropped: Vec<String>) -> ReportRenewed {
    ReportRenewed { month, was, total, dropped: dropped.into() }
}

/// Most lines of a kind in one letter.
const LISTED_MAX: usize = 20;

/// The first of many lines, and how many more there are.
struct Listed {
    shown: Vec<Foreign>,
    more: usize,
}

impl From<Vec<String>> for Listed {
    fn from(lines: Vec<String>) -> Listed {
        let more = lines.len().saturating_sub(LISTED_MAX);
        Listed { shown: lines.into_iter().take(LISTED_MAX).map(Foreign).collect(), more }
    }
}

/// A text from outside: a template can show it as [`one_line`] only.
struct Foreign(String);

impl Foreign {
    fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.0))
    }
}

/// A foreign text on one line and not endless: control signs as blanks, and nothing that turns the direction of others.
fn one_line(text: &str) -> String {
    let turns = |sign: &char| matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = text.chars().filter(|sign| !turns(sign)).map(|sign| if sign.is_control() { ' ' } else { sign });
    plain.take(FOREIGN_MAX).collect::<String>().trim().to_owned()
}
