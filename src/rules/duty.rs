//! What the agent does by itself, and the names of it.

use crate::domain::{IsoWeek, Month};

/// A deed of the agent. Among duties of the same instant the earlier variant comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// Take a sample of a server.
    Collect { server: String },
    /// Build the report of a month.
    GenerateReport { unit: String, month: Month },
    /// Put the report's files into the Reports folder.
    WriteFiles { unit: String, month: Month, revision: u32 },
    /// Tell one recipient one piece of news.
    Tell { notice: String, to: String },
    /// Draw the instant of a week's telemetry.
    DrawSlot { unit: String, week: IsoWeek },
    /// Seal and send a week's telemetry.
    SendTelemetry { unit: String, week: IsoWeek },
    /// Remind of an open report, an overdue one, or an open second step.
    Remind { unit: String, month: Month, about: Reminder },
    /// Seal and send a report, or go on sending a sealed one.
    Submit { unit: String, month: Month },
    /// Send a message again that the License Update Server lost.
    SendAgain { unit: String, message: String },
    /// Send the usage of a day (`2026-10-31`) or of a final report (`2026-10` and its revision) to a sink.
    SendUsage { sink: String, unit: String, period: String, revision: u32 },
    /// Ask for a license.
    CheckLicense { unit: String },
    /// Tell of a license that ends, or of a limit that is exceeded.
    WatchLicense { unit: String },
    /// Let go of raw samples and told news by age: record what stays of them.
    LetGo,
    /// Rewrite the journal without what was let go.
    ThinJournal,
    /// Read a console's own report of a month: a person's order, never planned.
    ReadConsole { server: String },
    /// Finalize a console's own report: a person's order, never planned.
    FinalizeConsole { server: String, month: Month },
    /// Bind this agent to a contract: a person's order, never planned.
    Enrol,
}

/// What a reminder is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reminder {
    /// The report waits for review.
    Review,
    /// The deadline passed and nothing sends it: manual mode, or coverage keeps it for a person.
    Overdue,
    /// It was sent, but not yet entered in Pulse or the aggregator's portal.
    External,
}

impl Duty {
    /// The kind of the duty, one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Duty::Collect { .. } => "collect",
            Duty::GenerateReport { .. } => "generate",
            Duty::WriteFiles { .. } => "write",
            Duty::Tell { .. } => "tell",
            Duty::DrawSlot { .. } => "draw",
            Duty::SendTelemetry { .. } => "telemetry",
            Duty::Remind { .. } => "remind",
            Duty::Submit { .. } => "submit",
            Duty::SendAgain { .. } => "again",
            Duty::SendUsage { .. } => "usage",
            Duty::CheckLicense { .. } => "license",
            Duty::WatchLicense { .. } => "watch",
            Duty::LetGo => "let-go",
            Duty::ThinJournal => "thin",
            Duty::ReadConsole { .. } => "compare",
            Duty::FinalizeConsole { .. } => "finalize",
            Duty::Enrol => "enrol",
        }
    }

    /// A stable text: names the duty in setbacks, stories and logs.
    pub fn key(&self) -> String {
        match self {
            Duty::Collect { server } => format!("collect {server}"),
            Duty::GenerateReport { unit, month } => format!("generate {unit} {month}"),
            Duty::WriteFiles { unit, month, revision } => format!("write {unit} {month} r{revision}"),
            Duty::Tell { notice, to } => format!("tell {notice} {to}"),
            Duty::DrawSlot { unit, week } => format!("draw {unit} {week}"),
            Duty::SendTelemetry { unit, week } => format!("telemetry {unit} {week}"),
            Duty::Remind { unit, month, about } => format!("remind {unit} {month} {about:?}"),
            Duty::Submit { unit, month } => format!("submit {unit} {month}"),
            Duty::SendAgain { unit, message } => format!("again {unit} {message}"),
            Duty::SendUsage { sink, unit, period, revision } => format!("usage {sink} {unit} {period} r{revision}"),
            Duty::CheckLicense { unit } => format!("license {unit}"),
            Duty::WatchLicense { unit } => format!("watch {unit}"),
            Duty::LetGo => "let-go".to_owned(),
            Duty::ThinJournal => "thin".to_owned(),
            Duty::ReadConsole { server } => format!("compare {server}"),
            Duty::FinalizeConsole { server, month } => format!("finalize {server} {month}"),
            Duty::Enrol => "enrol".to_owned(),
        }
    }
}
