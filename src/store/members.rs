//! What is kept of the servers that a source names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::Instant;
use crate::domain::installation::ServerName;
use crate::domain::notice::ToldLoss;

/// The servers that a source names, with what it says beside their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Members {
    pub members: BTreeMap<ServerName, Member>,
    /// What belongs to none of them, in words.
    pub notes: Vec<String>,
}

/// One server that a source named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// In lower case.
    pub installation_id: Option<String>,
    pub first_seen_at: Instant,
    /// Why it is not sampled through its source any more.
    #[serde(default)]
    pub absent: Option<Absent>,
}

/// A server of the settings that was sampled here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its first own sample.
    pub since: Instant,
    /// Why it is not sampled any more.
    pub absent: Option<Absent>,
}

/// Why a server is not sampled any more, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    pub since: Instant,
    pub why: Absence,
    /// What people were told of it.
    #[serde(default)]
    pub told: Option<ToldLoss>,
}

/// Why a server is not sampled as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// The source does not name it any more, or the settings do not.
    Left,
    /// The same installation is an entry of the settings itself.
    SampledDirectly { as_server: ServerName },
}

/// A span in which a source had nothing fresh of a server: `[since, until)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleSpan {
    pub since: Instant,
    #[serde(default)]
    pub until: Option<Instant>,
    pub why: String,
}

impl StaleSpan {
    pub fn contains(&self, at: Instant) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}
