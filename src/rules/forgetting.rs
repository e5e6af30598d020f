//! Whether a month's reports may be forgotten: nobody may still need them.

use chrono::{Datelike, NaiveDate};

use crate::domain::calendar::midnight;
use crate::domain::report::{Stage, UsageReport};
use crate::domain::{Instant, Month};

use super::finality;

/// Years for which a month with issued billing documents keeps what they rest on, after the year in which the newest of
/// them was issued: the longest span that tax law of EU states asks of invoices and of what explains them.
pub const BILLED_YEARS_KEPT: i32 = 10;

/// What is known when somebody wants a month forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The month's newest revision.
    pub report: &'a UsageReport,
    pub next: Next,
    /// The month that the license gate judges.
    pub judged: Month,
    /// When the month's newest billing document was issued.
    pub billed_at: Option<Instant>,
    /// A usage sink that has not taken a final revision of it.
    pub untaken_by: Option<&'a str>,
    pub now: Instant,
}

/// Where the following month stands: its difference is drawn from this one for as long as it may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Missing,
    Open,
    Final,
    Forgotten,
    /// The unit's last server has left, and owes no report of it.
    NeverComes,
}

/// Why it stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the report of {0} is {1}; send it, or record where it was entered, before it is forgotten")]
    Open(Month, &'static str),
    #[error(
        "the report of {0} is what that of {next} is compared with, and that one is not final; send or mark it first",
        next = .0.next()
    )]
    NeededByNext(Month),
    #[error("the license gate judges by the report of {0}; forget it once that of {next} was sent", next = .0.next())]
    Judged(Month),
    #[error("billing documents of {0} were issued, and what they rest on is kept by law; forget it from {1} on")]
    Billed(Month, NaiveDate),
    #[error("usage sink {1} has not taken the usage of {0} yet; wait until it has, or take it out of the settings")]
    Untaken(Month, String),
}

/// Judges one month.
///
/// # Errors
/// [`Refusal`] names who still needs it.
pub fn judge(case: Case<'_>) -> Result<(), Refusal> {
    let month = case.report.month;
    if !finality::is_final(case.report) || matches!(case.report.stage, Stage::Sending { .. }) {
        return Err(Refusal::Open(month, case.report.stage.as_str()));
    }
    match case.next {
        Next::Missing | Next::Open => return Err(Refusal::NeededByNext(month)),
        Next::Final | Next::Forgotten if case.judged <= month => return Err(Refusal::Judged(month)),
        Next::Final | Next::Forgotten | Next::NeverComes => {}
    }
    if let Some(until) = case.billed_at.map(kept_until).filter(|until| case.now < midnight(*until)) {
        return Err(Refusal::Billed(month, until));
    }
    match case.untaken_by {
        Some(sink) => Err(Refusal::Untaken(month, sink.to_owned())),
        None => Ok(()),
    }
}

/// The first day on which a month billed then may be forgotten.
fn kept_until(billed_at: Instant) -> NaiveDate {
    let year = billed_at.year().saturating_add(BILLED_YEARS_KEPT).saturating_add(1);
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(NaiveDate::MAX)
}
