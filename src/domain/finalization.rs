//! Finalizing a console's own monthly report: what was asked of it from here, by whom, and what came of it (domain.md 3.10).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Instant, Points};

/// The newest attempt to finalize a console's report of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalization {
    /// Names the attempt at the console; kept before it is asked.
    pub request_id: Uuid,
    /// 1 for the first; another one has an id of its own.
    pub attempt: u32,
    /// How often it was asked under this id: more than once after a lost answer.
    pub asks: u32,
    pub by: String,
    /// When it was asked last.
    pub at: Instant,
    /// Points of the reports here, and of the same licenses in the console's.
    pub ours_points: Points,
    pub theirs_points: Points,
    /// Why it was finalized although the reports differ; `None`: they were equal.
    #[serde(default)]
    pub despite: Option<String>,
    pub stage: Stage,
}

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Asked, and no answer is recorded: it may have arrived.
    Asking,
    /// The console finalized it, or is about to.
    Taken { at: Instant, words: String },
    /// The console refused.
    Refused { at: Instant, why: String },
    /// It was not asked after all.
    NotAsked { at: Instant, why: String },
}
