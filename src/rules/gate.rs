//! The deviation gate: does the report fall so far short of the highest watermark that a renewal would be refused?
//!
//! Pure. Agent and License Update Server judge by this file (design.md section 4, "Gate"; domain.md 6).

use crate::domain::calendar::midnight;
use crate::domain::gate::{Cause, GateVerdict, Justification, SCHEMA, Tolerance, Verdict};
use crate::domain::installation::UnitId;
use crate::domain::watermark::HighWatermark;
use crate::domain::{Instant, Month, Points};

/// Everything the verdict depends on.
#[derive(Clone, Debug)]
pub struct GateFacts {
    pub unit: UnitId,
    pub month: Month,
    /// The highest daily mark of the unit in the judged month.
    pub highest: Option<HighWatermark>,
    /// Points of the newest sent revision, else of the open report.
    pub reported: Option<Points>,
    /// The report is not sent yet.
    pub forecast: bool,
    pub tolerance: Tolerance,
    pub justification: Option<Justification>,
    /// What [`super::causes::explain`] found; left out when the report does not fall short.
    pub causes: Vec<Cause>,
}

/// The verdict. A recorded justification opens a gate that would be held.
pub fn judge(facts: &GateFacts) -> GateVerdict {
    let (highest, reported) = (facts.highest.map(|mark| mark.points), facts.reported);
    let shortfall = match (highest, reported) {
        (Some(highest), Some(reported)) => (highest - reported).at_least_zero(),
        (None, _) | (_, None) => Points::ZERO,
    };
    let tolerance = facts.tolerance.at(highest.unwrap_or_default());
    let verdict = if highest.is_none() || reported.is_none() {
        Verdict::Undetermined
    } else if shortfall <= tolerance || facts.justification.is_some() {
        Verdict::Open
    } else {
        Verdict::Held
    };
    let causes = if shortfall.is_zero() { Vec::new() } else { facts.causes.clone() };
    let explained: Points = causes.iter().map(|cause| cause.points).sum();
    GateVerdict {
        schema: SCHEMA.to_owned(),
        unit: facts.unit.clone(),
        month: facts.month,
        verdict,
        forecast: facts.forecast,
        highest_watermark: highest,
        stood_at: facts.highest.map(|mark| mark.at),
        reported,
        shortfall,
        tolerance,
        justification: facts.justification.as_ref().map(|given| given.reason.clone()),
        justified_at: facts.justification.as_ref().map(|given| given.at),
        justified_by: facts.justification.as_ref().map(|given| given.by.clone()),
        causes,
        unexplained: shortfall - explained,
        over_reported: highest.zip(reported).is_some_and(|(highest, reported)| reported - highest > tolerance),
        servers: Vec::new(),
    }
}

/// The month that is judged: the newest whose report is sent or whose deadline has passed.
///
/// `deadline_day` is the day of the following month (1 to 28) at whose 00:00 GMT the deadline has passed.
pub fn judged_month(now: Instant, deadline_day: u32, newest_sent: Option<Month>) -> Month {
    let current = Month::of(now);
    let due =
        if midnight(current.day(deadline_day)) <= now { current.previous() } else { current.previous().previous() };
    newest_sent.map_or(due, |sent| sent.max(due))
}
