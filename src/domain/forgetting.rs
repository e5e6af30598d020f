//! A month's reports that were forgotten by order: who had it done, why, and the digests by which they are known again.

use serde::{Deserialize, Serialize};

use super::installation::UnitId;
use super::{Instant, Month};

/// What is left of a month's reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    pub unit: UnitId,
    pub month: Month,
    pub at: Instant,
    pub by: String,
    pub reason: String,
    /// Every revision, the first one first.
    pub revisions: Vec<ForgottenRevision>,
    /// Ids of the news about them, which went too.
    pub notices: Vec<String>,
}

/// Proves nothing by itself; whoever holds the document can show that it is the one that stood here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenRevision {
    pub revision: u32,
    pub id: String,
    /// `sha256:` over its record, which every format of it carries.
    pub digest: String,
    /// SHA-256 of the exact bytes that were sent, hex; `None`: it was not sent.
    pub sent_sha256: Option<String>,
    /// Its files in the Reports folder, as they stood.
    pub files: Vec<ForgottenFile>,
}

/// A file of the Reports folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenFile {
    pub name: String,
    /// Hex.
    pub sha256: String,
}
