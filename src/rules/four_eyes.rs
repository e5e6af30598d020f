//! Four eyes: who lowers a report by more than the settings let one person needs a second one.
//!
//! No source of the field asks for it; it is a rule of the house. Counted are the adjustments of one person since the
//! report was generated that nobody approved, the new ones among them. When together they lower the report by more
//! points than the limit, the new ones are proposed and change nothing until another person approves them.

use crate::domain::adjustment::Adjustment;
use crate::domain::people::is_same_person;
use crate::domain::proposed::ProposedAdjustment;
use crate::domain::report::UsageReport;
use crate::domain::{Instant, Points};

use super::review::{self, Refusal};

/// What becomes of adjustments that a person ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Keep,
    /// A second person is needed; they would lower the report by so much.
    Propose {
        lowers_by: Points,
    },
}

/// Judges the step from a report to its adjusted self, ordered by a person; without a limit everything is kept.
pub fn judge(report: &UsageReport, adjusted: &UsageReport, by: &str, limit: Option<Points>) -> Verdict {
    let lowers_by = report.total_points - adjusted.total_points;
    match limit {
        Some(limit) if limit < lowered_alone(report, by) + lowers_by => Verdict::Propose { lowers_by },
        Some(_) | None => Verdict::Keep,
    }
}

/// By how much a person lowered the report so far without anybody's approval.
pub fn lowered_alone(report: &UsageReport, by: &str) -> Points {
    let own = |change: &&Adjustment| is_same_person(&change.by, by) && change.approved_by.is_none();
    report.adjustments.iter().filter(own).map(|change| lowered_by(report, change)).sum()
}

/// The report after what was proposed, as its proposer's work and the approver's.
///
/// # Errors
/// As [`review::adjust_all`]: the report may have changed since, or be sealed.
pub fn approved(
    report: &UsageReport,
    proposal: &ProposedAdjustment,
    approver: &str,
    at: Instant,
) -> Result<UsageReport, Refusal> {
    let mut adjusted = review::adjust_all(report, &proposal.adjustments, &proposal.by, at)?;
    for change in adjusted.adjustments.iter_mut().skip(report.adjustments.len()) {
        change.approved_by = Some(approver.to_owned());
    }
    // The digest covers who approved.
    super::reporting::total(&mut adjusted);
    Ok(adjusted)
}

/// A removed workload's points, or a lowered count's machines at their weight.
fn lowered_by(report: &UsageReport, change: &Adjustment) -> Points {
    if change.workload.is_some() {
        let points = |text: &str| Points::stated(text).unwrap_or(Points::ZERO);
        return points(&change.before) - points(&change.after);
    }
    let count = |text: &str| text.parse::<u64>().unwrap_or(0);
    let is_its =
        |line: &&crate::domain::report::Line| line.tenant == change.tenant && Some(&line.kind) == change.kind.as_ref();
    let weight = change.weight.or_else(|| report.lines.iter().find(is_its).map(|line| line.weight));
    weight.unwrap_or(Points::ZERO) * count(&change.before).saturating_sub(count(&change.after))
}
