//! The page's words for states, days and duties.

use chrono::NaiveDate;

use super::answers::{DueName, LicenseState, Report, ServerState, StageName};
use crate::domain::gate::{CauseKind, Verdict};

/// How a state looks: its colour in the style sheet. The words beside it say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone(pub &'static str);

const GOOD: Tone = Tone("good");
const CALM: Tone = Tone("calm");
const CARE: Tone = Tone("care");
const BAD: Tone = Tone("bad");

impl ServerState {
    pub fn words(self) -> (&'static str, Tone) {
        match self {
            ServerState::Fresh => ("fresh", GOOD),
            ServerState::Late => ("late", CARE),
            ServerState::Unreachable => ("unreachable", BAD),
        }
    }
}

impl StageName {
    pub fn words(self) -> (&'static str, Tone) {
        match self {
            StageName::AwaitingReview => ("awaits review", CARE),
            StageName::Postponed => ("postponed", CARE),
            StageName::Sending => ("being sent", CALM),
            StageName::Submitted => ("submitted", GOOD),
        }
    }
}

impl LicenseState {
    pub fn words(self) -> (&'static str, Tone) {
        match self {
            LicenseState::NotInstalled => ("not installed", CARE),
            LicenseState::Valid => ("valid", GOOD),
            LicenseState::Warning => ("expires soon", CARE),
            LicenseState::Expired => ("expired", BAD),
            LicenseState::Error => ("grace is over", BAD),
            LicenseState::Invalid => ("invalid", BAD),
        }
    }
}

/// The gate's verdict in words.
pub fn verdict(verdict: Verdict) -> (&'static str, Tone) {
    match verdict {
        Verdict::Open => ("open", GOOD),
        Verdict::Held => ("held", BAD),
        Verdict::Undetermined => ("undetermined", CARE),
    }
}

/// What the verdict means for the license.
pub fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Open => "Report and high watermark agree within the tolerance; the license can be renewed.",
        Verdict::Held => "The report lies further below the high watermark than is tolerated; no renewal is asked for.",
        Verdict::Undetermined => "No complete sample of the month is kept, so nothing can be compared.",
    }
}

/// Why a report is lower than its watermark, for people.
pub fn cause(cause: CauseKind) -> &'static str {
    match cause {
        CauseKind::AgedOut => "no restore point within 31 days",
        CauseKind::Gone => "gone: revoked, reset or deleted",
        CauseKind::Removed => "removed from the report",
        CauseKind::Lowered => "count lowered in the report",
        CauseKind::WeightChanged => "weighs otherwise",
        CauseKind::LeftServer => "reported by another server",
        CauseKind::Returned => "came back",
    }
}

/// `31 January 2027`.
pub fn day(on: &NaiveDate) -> String {
    on.format("%-d %B %Y").to_string()
}

/// `10 days left`.
pub fn days_left(days: &i64) -> String {
    match *days {
        ..=-2 => format!("{} days overdue", days.unsigned_abs()),
        -1 => "1 day overdue".to_owned(),
        0 => "Due today".to_owned(),
        1 => "1 day left".to_owned(),
        2.. => format!("{days} days left"),
    }
}

/// What happens to an open report if nobody acts.
pub fn unattended(report: &Report) -> &'static str {
    match (report.stage, report.due) {
        (StageName::Sending, _) => "It is sealed, and sent again until it is answered.",
        (StageName::Submitted, _) => "It was taken by the License Update Server.",
        (StageName::AwaitingReview | StageName::Postponed, DueName::AutoSubmit) if report.days_left > 0 => {
            "If nobody acts, it is sent as it stands when no day is left."
        }
        (StageName::AwaitingReview | StageName::Postponed, DueName::AutoSubmit) => {
            "Its day has come; what keeps it stands among the next duties and the warnings."
        }
        (StageName::AwaitingReview | StageName::Postponed, DueName::Manual | DueName::Portal) => {
            "Nothing is sent on its own. Enter it in Pulse or your aggregator’s portal, then record that \
             with “tidegauge report mark-external”."
        }
    }
}

/// Kinds of duty and their words; what follows the unit in the duty's name is appended.
const DUTIES: [(&str, &str); 10] = [
    ("generate", "Build the usage report of"),
    ("write", "Write the report files of"),
    ("tell", "Mail"),
    ("draw", "Draw the hour of telemetry for"),
    ("telemetry", "Send the high watermark of"),
    ("remind", "Remind of the usage report of"),
    ("submit", "Send the usage report of"),
    ("license", "Ask for a license update"),
    ("watch", "Tell of the license's end or limit"),
    ("enrol", "Enrol"),
];

/// A duty's name for people: without the ids that only the machine needs.
pub fn duty(name: &str) -> String {
    let (kind, rest) = name.split_once(' ').unwrap_or((name, ""));
    if kind == "collect" {
        return format!("Sample {rest}");
    }
    match DUTIES.iter().find(|(known, _)| *known == kind) {
        Some((_, words)) => match rest.split(' ').nth(1) {
            Some(of) => format!("{words} {of}"),
            None => (*words).to_owned(),
        },
        None => name.to_owned(),
    }
}

/// Somebody as the journal names him, for people: `user:anna` is anna, and a duty is the agent's own.
pub fn person(actor: &str) -> &str {
    match actor {
        "duty" => "the agent",
        other => other.strip_prefix("user:").unwrap_or(other),
    }
}
