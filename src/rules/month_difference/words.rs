//! A difference in words: one sentence for the cover, the letter and the page.

use crate::domain::month_difference::{DifferenceCause, DifferenceRow, MonthDifference};
use crate::domain::{Month, Points};

use super::by_cause;

/// Causes that the sentence names; the others are summed.
const NAMED_CAUSES_MAX: usize = 3;

/// What a cause is called in a table, and how a sentence counts its workloads.
struct Words {
    name: &'static str,
    counted: &'static str,
}

const fn words(name: &'static str, counted: &'static str) -> Words {
    Words { name, counted }
}

fn words_of(cause: DifferenceCause) -> Words {
    match cause {
        DifferenceCause::Added => words("Added", "added"),
        DifferenceCause::LeftFreeMonth => words("Left the free month", "past the free month"),
        DifferenceCause::NoLongerRental => words("No longer rental machines", "no longer rental"),
        DifferenceCause::AdjustmentEnded => words("No longer taken out by a person", "no longer taken out by a person"),
        DifferenceCause::CollectedAgain => words("Server collected again", "on servers collected again"),
        DifferenceCause::ServerJoined => words("Server joined", "on servers that joined"),
        DifferenceCause::MovedHere => words("Moved here", "moved here"),
        DifferenceCause::MovedAway => words("Moved away", "moved away"),
        DifferenceCause::Reweighted => words("Weight changed", "weighed differently"),
        DifferenceCause::TypeChanged => words("Type changed", "of another type"),
        DifferenceCause::CountedOnce => words("On several servers, counted once or not", "on several servers"),
        DifferenceCause::AgedOut => words("Aged out (31 days)", "aged out"),
        DifferenceCause::Gone => words("Gone at the source", "gone at the source"),
        DifferenceCause::BecameNew => words("In the free month again", "in the free month again"),
        DifferenceCause::BecameRental => words("Became rental machines", "turned rental"),
        DifferenceCause::Removed => words("Removed by a person", "removed by a person"),
        DifferenceCause::Lowered => words("Lowered by a person", "lowered by a person"),
        DifferenceCause::NotCollected => words("Server not collected", "on servers not collected"),
        DifferenceCause::ServerLeft => words("Server left", "on servers that left"),
        DifferenceCause::MoreCounted => words("More counted (the source names none)", "more counted"),
        DifferenceCause::FewerCounted => words("Fewer counted (the source names none)", "fewer counted"),
        DifferenceCause::Unexplained => words("Not explained", "not explained"),
    }
}

/// What a cause is called in tables.
pub fn cause_name(cause: DifferenceCause) -> &'static str {
    words_of(cause).name
}

/// One sentence: the difference, and its two or three largest causes with workloads and points.
pub fn sentence(month: Month, difference: &MonthDifference) -> String {
    let Some(previous) = &difference.previous else {
        return format!("There is no report of {} to compare with.", month.previous().name());
    };
    let points = difference.points();
    let than = format!("{} ({})", previous.month.name(), previous.total_points);
    let opening = if points.is_zero() {
        format!("As many points as in {than}")
    } else if points.is_negative() {
        format!("{} points fewer than in {than}", -points)
    } else {
        format!("{points} points more than in {than}")
    };
    let causes = causes(difference);
    if causes.is_empty() { format!("{opening}.") } else { format!("{opening}: {causes}.") }
}

fn causes(difference: &MonthDifference) -> String {
    // Points that only went from one place to another change no total.
    let moved = |row: &DifferenceRow| {
        matches!(row.cause, DifferenceCause::MovedAway | DifferenceCause::MovedHere | DifferenceCause::TypeChanged)
    };
    let rows: Vec<DifferenceRow> = by_cause(difference).into_iter().filter(|row| !moved(row)).collect();
    let named = rows.iter().take(NAMED_CAUSES_MAX).map(phrase);
    let others: Vec<&DifferenceRow> = rows.iter().skip(NAMED_CAUSES_MAX).collect();
    let rest =
        (!others.is_empty()).then(|| format!("other causes {}", signed(others.iter().map(|row| row.points).sum())));
    named.chain(rest).collect::<Vec<String>>().join(", ")
}

fn phrase(row: &DifferenceRow) -> String {
    let (points, counted) = (signed(row.points), words_of(row.cause).counted);
    if row.workloads == 0 { format!("{counted} ({points})") } else { format!("{} {counted} ({points})", row.workloads) }
}

/// `+33`, `-11`, `0`.
pub fn signed(points: Points) -> String {
    if points.is_zero() || points.is_negative() { points.to_string() } else { format!("+{points}") }
}
