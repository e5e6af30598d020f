//! What a source can be asked to do with its far side's newest monthly report: finalize it, which sends it from there.

use uuid::Uuid;

use super::Brief;
use crate::ask::Conversation;
use crate::domain::console_report::ConsoleReport;

/// What is to be finalized.
#[derive(Clone, Debug)]
pub struct Errand {
    pub brief: Brief,
    /// The report that a person saw: another one is not finalized.
    pub compared: ConsoleReport,
    /// Names the deed at the far side, which does it once.
    pub request_id: Uuid,
}

/// The exchange: reads the report's state, and asks only while it waits for approval.
pub type Talk = Box<dyn Conversation<Done = Heard>>;

/// What came of it; a setback that may pass leaves open whether it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Finalized, or about to be; in the far side's words.
    Taken { words: String },
    /// It was finalized before it was asked.
    WasDone { status: String },
    /// The far side refused.
    Refused { why: String },
    /// It was not asked: the report is not the one that was seen.
    NotAsked { why: String },
}
