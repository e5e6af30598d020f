//! The names of kinds of news, and choosing among them.

use std::fmt;

/// The event of every kind of news, as `News::event` says it.
pub const EVENTS: [&str; 28] = [
    "report.generated",
    "report.deadline_near",
    "report.overdue",
    "report.adjusted",
    "report.submitted",
    "report.auto_submitted",
    "report.send_failing",
    "report.external_due",
    "report.waits_for_person",
    "report.late_sample",
    "report.renewed",
    "report.correction_asked",
    "license.result",
    "license.recovered",
    "license.expiring",
    "license.support_expired",
    "license.grace_started",
    "license.in_grace",
    "license.processing_stopped",
    "license.limit_exceeded",
    "license.limit_kept",
    "license.auto_update_disabled",
    "gate.held",
    "gate.opened",
    "server.unreachable",
    "server.recovered",
    "server.coverage_low",
    "clock.suspect",
];

/// Kinds of news: whole names such as `report.generated`, or all of a family as `license.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events(Vec<String>);

/// A name that no kind of news has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" is no event")]
pub struct NoEvent {
    pub name: String,
}

impl Events {
    /// Every kind of news.
    pub fn all() -> Events {
        Events(vec!["*".to_owned()])
    }

    /// No kind of news.
    pub fn none() -> Events {
        Events(Vec::new())
    }

    /// Reads names and families; `*` is everything.
    ///
    /// # Errors
    /// [`NoEvent`] with the first one that chooses nothing.
    pub fn read(names: &[String]) -> Result<Events, NoEvent> {
        let chooses = |name: &&String| EVENTS.iter().any(|event| is_chosen(name, event));
        match names.iter().find(|name| !chooses(name)) {
            Some(name) => Err(NoEvent { name: name.clone() }),
            None => Ok(Events(names.to_vec())),
        }
    }

    /// Whether this kind of news is among them.
    pub fn has(&self, event: &str) -> bool {
        self.0.iter().any(|name| is_chosen(name, event))
    }
}

/// As the settings write it.
impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

fn is_chosen(name: &str, event: &str) -> bool {
    match name.strip_suffix('*') {
        Some("") => true,
        Some(family) => family.ends_with('.') && event.starts_with(family),
        None => name == event,
    }
}
