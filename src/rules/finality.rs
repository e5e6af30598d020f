//! When a report is final: sent, or entered elsewhere. What is final stands; a correction is a revision of its own.

use crate::domain::Instant;
use crate::domain::report::{External, Stage, UsageReport};

/// When a revision became final, by its stage and its second step; `None`: it is not. Where it was both sent and entered
/// elsewhere, the first of the two counts, because nothing changes it after that.
pub fn final_at(stage: &Stage, external: &External) -> Option<Instant> {
    let sent_at = match stage {
        Stage::Submitted { at, .. } => Some(*at),
        Stage::AwaitingReview | Stage::Postponed { .. } | Stage::Sending { .. } => None,
    };
    [sent_at, external.at].into_iter().flatten().min()
}

/// Whether the revision is final: charged, metered, and let go by age.
pub fn is_final(report: &UsageReport) -> bool {
    final_at(&report.stage, &report.external).is_some()
}

/// Whether its figures may still change, by a person or by a late sample: neither sealed nor final.
pub fn may_change(report: &UsageReport) -> bool {
    report.stage.is_open() && !is_final(report)
}
