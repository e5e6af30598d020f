//! How long raw samples and told news are kept: when some are let go, and what is still owed.

use chrono::TimeDelta;

use super::duty::Duty;
use super::schedule::{Planned, Policy, UnitFacts, first_month_owed};
use crate::domain::{Instant, IsoWeek};

/// The settings `keep_raw` and `keep_mail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// At least 62 days: a month and the one before it can always be built again.
    pub raw: TimeDelta,
    /// At least 62 days.
    pub mail: TimeDelta,
}

/// What the schedule knows of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionFacts {
    /// The oldest sample; `None`: there is none, or a checkpoint stands.
    pub oldest_at: Option<Instant>,
    pub checkpoint: Option<CheckpointFacts>,
    /// Since when, or from when on again, something of a forgotten month is to leave the journal and the Reports folder.
    pub forgotten_at: Option<Instant>,
}

/// The newest checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointFacts {
    pub at: Instant,
    /// It could not take everything.
    pub more: bool,
    /// The journal holds nothing any more of what it let go.
    pub is_journal_thinned: bool,
}

/// The next step: once a week; at once when the journal still holds what was let go, or there was too much at once.
pub fn planned(facts: &RetentionFacts, policy: &Policy) -> Option<Planned> {
    if let Some(at) = facts.forgotten_at {
        let why = "the journal or the Reports folder still holds a forgotten month".to_owned();
        return Some(Planned { at, duty: Duty::ThinJournal, why });
    }
    let (at, duty, why) = match facts.checkpoint {
        Some(last) if !last.is_journal_thinned => {
            (last.at, Duty::ThinJournal, "the journal still holds what was let go")
        }
        Some(last) if last.more => (last.at, Duty::LetGo, "there is more to let go"),
        Some(last) => (IsoWeek::of(last.at).ends_at(), Duty::LetGo, "raw samples and news are let go by age"),
        None => {
            let oldest_goes_at = facts.oldest_at? + policy.keep.raw.min(policy.keep.mail);
            (IsoWeek::of(oldest_goes_at).ends_at(), Duty::LetGo, "raw samples and news are let go by age")
        }
    };
    Some(Planned { at, duty, why: why.to_owned() })
}

/// Before which instant raw samples may be let go: whole weeks, and no month whose report is not sent or marked.
pub fn raw_before(now: Instant, keep: Keep, units: &[UnitFacts]) -> Instant {
    let by_age = IsoWeek::of(now - keep.raw).starts_at();
    units.iter().filter_map(oldest_owed).fold(by_age, Instant::min)
}

/// Since when a unit's samples are still needed by a report.
fn oldest_owed(unit: &UnitFacts) -> Option<Instant> {
    let open = unit.reports.iter().filter(|report| report.final_at.is_none() || !report.files_written);
    let without = unit.since.filter(|_| unit.monthly).map(|since| first_month_owed(unit, since));
    open.map(|report| report.month).chain(without).min().map(|month| month.starts_at())
}
