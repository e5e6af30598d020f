//! The letter for each kind of news: a subject and a text (domain.md 3.9), drawn from `templates/mail`.

use askama::Template;
use chrono::{NaiveDate, TimeDelta};

use super::Telling;
use crate::domain::calendar::{Instant, minute_beside, minute_text};
use crate::domain::notice::{News, Notice, Workdays};
use crate::domain::{Month, Points};

/// Most signs of a foreign text in a letter.
const FOREIGN_MAX: usize = 400;

/// A letter without sender and recipient.
pub struct Letter {
    /// One line.
    pub subject: String,
    /// Lines end in LF.
    pub text: String,
}

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
        month: Month, total: Points, due: String, day: NaiveDate, automatic: bool, late: bool,
        workdays: &'static str, difference: Option<String>
    }
    Reminder = "mail/reminder.txt" {
        month: Month, total: Points, due: String, day: NaiveDate, automatic: bool, workdays: &'static str
    }
    Overdue = "mail/overdue.txt" { month: Month, total: Points }
    ReportSent = "mail/report_sent.txt" { month: Month, total: Points, by: String, external_due: bool, by_day: String }
    SendFailing = "mail/send_failing.txt" { month: Month, why: String }
    ExternalDue = "mail/external_due.txt" { month: Month, total: Points, by_day: String, overdue: bool }
    WaitsForPerson = "mail/waits_for_person.txt" { month: Month, why: String }
    LateSample = "mail/late_sample.txt" { month: Month, sent: bool }
    ReportRenewed = "mail/report_renewed.txt" { month: Month, was: Points, total: Points }
    License = "mail/license.txt" { result: String, message: String, to_do: String }
    LicenseRecovered = "mail/license_recovered.txt" { result: String, message: String, since: String }
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
    CorrectionAsked = "mail/correction_asked.txt" { month: Month, by: String, why: String }
    AutoUpdateOff = "mail/auto_update_off.txt" { why: String }
    SourceLost = "mail/source_lost.txt" { server: String, why: String }
    SourceRecovered = "mail/source_recovered.txt" { server: String, missed: u32 }
    ClockSuspect = "mail/clock_suspect.txt" { why: String }
}

#[derive(Template)]
#[template(path = "mail/foot.txt", escape = "none")]
struct Foot<'a> {
    about: String,
    event: &'static str,
    at: String,
    id: String,
    files_at: &'a str,
    left_out: &'a [String],
}

/// Writes the letter of a notice; `left_out` names the files that were too large to go with it.
pub fn letter(notice: &Notice, telling: &Telling, left_out: &[String]) -> Letter {
    let drawn = drawn(&notice.news, notice.at).expect("a letter is drawn to memory");
    let (subject, text) = drawn.split_once("\n\n").expect("each template starts with its subject and an empty line");
    let foot = Foot {
        about: one_line(telling.about),
        event: notice.news.event(),
        at: minute_beside(notice.at, telling.time_zone),
        id: one_line(&notice.id),
        files_at: telling.files_at,
        left_out,
    };
    let foot = foot.render().expect("a letter is drawn to memory");
    Letter { subject: one_line(subject), text: format!("{}\n\n{}\n", text.trim_end(), foot.trim()) }
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
        News::ReportReady { month, total, days_left, automatic, late, workdays, difference } => {
            let (due, day, workdays) = (until(days_left), deadline(at, days_left), workdays_left(workdays));
            let difference = difference.as_deref().map(one_line);
            ReportReady { month, total, due, day, automatic, late, workdays, difference }.render()
        }
        News::Reminder { month, total, days_left, automatic, workdays } => {
            let (due, day, workdays) = (until(days_left), deadline(at, days_left), workdays_left(workdays));
            Reminder { month, total, due, day, automatic, workdays }.render()
        }
        News::Overdue { month, total } => Overdue { month, total }.render(),
        News::ReportSent { month, total, by, external_due, due_on } => {
            let by_day = by_day(at, due_on);
            ReportSent { month, total, by: one_line(&by), external_due, by_day }.render()
        }
        News::SendFailing { month, why } => SendFailing { month, why: one_line(&why) }.render(),
        News::ExternalDue { month, total, due_on } => {
            let overdue = due_on.is_some_and(|day| day < at.date_naive());
            ExternalDue { month, total, by_day: by_day(at, due_on), overdue }.render()
        }
        News::WaitsForPerson { month, why } => WaitsForPerson { month, why: one_line(&why) }.render(),
        News::LateSample { month, sent } => LateSample { month, sent }.render(),
        News::ReportRenewed { month, was, total } => ReportRenewed { month, was, total }.render(),
        News::License { result, message, to_do } => {
            let (result, message, to_do) = (one_line(&result), one_line(&message), one_line(&to_do));
            License { result, message, to_do }.render()
        }
        News::LicenseRecovered { result, message, failing_since } => {
            let (result, message) = (one_line(&result), one_line(&message));
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
        News::CorrectionAsked { month, by, why } => CorrectionAsked { month, by, why }.render(),
        News::GateOpened { month } => GateOpened { month }.render(),
        News::AutoUpdateOff { why } => AutoUpdateOff { why: one_line(&why) }.render(),
        News::SourceLost { server, why } => SourceLost { server: one_line(&server), why: one_line(&why) }.render(),
        News::SourceRecovered { server, missed_samples } => {
            SourceRecovered { server: one_line(&server), missed: missed_samples }.render()
        }
        News::ClockSuspect { why } => ClockSuspect { why: one_line(&why) }.render(),
    }
}

/// A sentence of its own, or nothing.
fn workdays_left(workdays: Workdays) -> &'static str {
    match workdays {
        Workdays::Enough => "",
        Workdays::TodayIsLast => "Today is the last working day before the deadline.",
        Workdays::NoneLeft => "No working day is left before the deadline.",
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

/// The civil day of the deadline, GMT.
fn deadline(at: Instant, days_left: i64) -> NaiveDate {
    at.date_naive() + TimeDelta::days(days_left.clamp(-3660, 3660))
}

/// A foreign text on one line: control signs as blanks, and not endless.
fn one_line(text: &str) -> String {
    let plain =
        text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(FOREIGN_MAX).collect::<String>();
    plain.trim().to_owned()
}
