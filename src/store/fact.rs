//! Everything that can happen. What each fact sets in the state stands in `rows`.
//!
//! A fact carries results, never recipes: what was decided then is not computed again by later rules. So each small
//! fact is an upsert of rows, and replaying the journal is applying these upserts in order.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::finalization::Finalization;
use crate::domain::gate::OperatorDecision;
use crate::domain::installation::{ServerName, Unit, UnitId};
use crate::domain::license::License;
use crate::domain::notice::{Notice, ToldLoss};
use crate::domain::people::{Token, User};
use crate::domain::proposed::ProposedAdjustment;
use crate::domain::report::{External, Receipt, Stage, UsageReport};
use crate::domain::{Instant, IsoWeek, Month, Points};
use crate::rules::license_watch::Told;

pub use super::billing::{BillingDeed, BillingExport};
pub use super::endpoint::{EndpointFact, HookTry, UsagePassedOver, UsageTaken};
pub use super::letting_go::{Checkpoint, JournalThinned, LastTold, LettingGo, ThinnedSample};
pub use super::licensing::{AutoUpdate, GateRow, InstalledKey, LicenseCheckRow, ServerJudgement};
pub use super::lost::{LostFact, LostRow};
pub use super::members::{Absence, Absent, Entry, Member, Members, StaleSpan};
pub use super::rows::{Row, key};

/// One thing that happened. Closed set; facts of samples carry packed bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The store was made for this agent.
    AgentNamed {
        agent: Uuid,
    },
    /// A reporting unit was formed, or servers or license of one changed.
    UnitFormed {
        unit: Unit,
    },
    Enrolled {
        enrolment: Enrolment,
    },
    SampleTaken {
        sample: PackedSample,
    },
    /// The license block of the server's newest sample, when it changed.
    LicenseSeen {
        server: ServerName,
        license: License,
    },
    /// The server's own auto update was seen on (`Some`, since when) or off.
    AutoUpdateSeen {
        server: ServerName,
        since: Option<Instant>,
    },
    /// An hour without a complete sample of the server.
    SampleMissed {
        server: ServerName,
        miss: Miss,
    },
    /// The server answers again.
    ServerRecovered {
        server: ServerName,
    },
    /// A source that names several servers was read to its end.
    SourceRead {
        source: ServerName,
        at: Instant,
    },
    /// What a source says of its servers changed: those that differ, and all its notes.
    MembersSeen {
        source: ServerName,
        members: Members,
    },
    /// A server of the settings is sampled here, or the settings no longer name it.
    EntrySeen {
        entry: ServerName,
        seen: Entry,
    },
    /// A source had nothing fresh of a server since then, or has again.
    StaleSeen {
        server: ServerName,
        span: StaleSpan,
    },
    /// The instant at which the week's telemetry is to be sent, drawn once.
    SlotDrawn {
        unit: UnitId,
        week: IsoWeek,
        at: Instant,
    },
    /// A report as it now stands: generated, adjusted, reset or corrected. Its stage is a fact of its own.
    ReportKept {
        cause: ReportCause,
        report: Box<UsageReport>,
    },
    /// An adjustment that needs a second person was proposed, or what became of it.
    ProposalKept {
        proposal: ProposedAdjustment,
    },
    /// The stage of a report: postponed, sending, submitted, or open again.
    StageSet {
        unit: UnitId,
        month: Month,
        revision: u32,
        stage: Stage,
        /// When and by whom; journals of earlier versions do not say it here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        set: Option<StageSetBy>,
    },
    /// A month's document was issued, or files of one were handed out.
    Billed {
        deed: BillingDeed,
    },
    /// The second step was done.
    MarkedExternal {
        unit: UnitId,
        month: Month,
        revision: u32,
        external: External,
    },
    /// A console was asked to finalize its own report of a month, or what came of that.
    ConsoleFinalization {
        console: ServerName,
        month: Month,
        attempt: Finalization,
    },
    /// The report's files stand in the Reports folder with this digest.
    FilesWritten {
        unit: UnitId,
        month: Month,
        revision: u32,
        digest: String,
    },
    /// Exact bytes that will leave the machine, kept before the first try.
    Sealed {
        message: SealedMessage,
    },
    /// The far side took a sealed message.
    Receipted {
        id: String,
        receipt: Receipt,
        conflict: Option<Conflict>,
        /// Days on which the far side has other marks by telemetry than by report.
        #[serde(default)]
        conflicting_days: Vec<NaiveDate>,
        /// The answer that holds the receipt, as the server signed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// The far side has a message no more that it gave a receipt for, or has it again.
    MessageLost {
        unit: UnitId,
        id: String,
        what: LostFact,
    },
    /// Telemetry up to this week was taken; weeks are sent in order.
    TelemetryThrough {
        unit: UnitId,
        week: IsoWeek,
    },
    /// A deed came to nothing; it is tried again at `next_try_at`, or waits for a person.
    Setback {
        about: String,
        setback: SetbackRow,
    },
    /// The deed is done or no longer owed: its setback is forgotten.
    SetbackOver {
        about: String,
    },
    NoticeQueued {
        notice: Notice,
    },
    /// Delivered to one recipient; `words` are the mail server's.
    NoticeDelivered {
        id: String,
        to: String,
        at: Instant,
        words: String,
    },
    /// Given up for one recipient.
    NoticeDropped {
        id: String,
        to: String,
        at: Instant,
        why: String,
    },
    /// Every recipient was told or given up, or there is none.
    NoticeSettled {
        id: String,
    },
    /// Something happened with a webhook endpoint or a usage sink.
    Endpoint {
        to: String,
        what: EndpointFact,
    },
    AutoUpdateSet {
        unit: UnitId,
        switch: AutoUpdate,
    },
    LicenseChecked {
        unit: UnitId,
        check: LicenseCheckRow,
    },
    /// A key was installed in the state directory.
    LicenseInstalled {
        unit: UnitId,
        license: InstalledKey,
    },
    /// What was told of a license's dates and limit.
    LicenseWatched {
        unit: UnitId,
        told: Told,
    },
    /// The gate was judged and differs from what was seen before.
    GateSeen {
        unit: UnitId,
        seen: GateRow,
    },
    /// The gate's verdict changed: a line of the history.
    GateChanged {
        unit: UnitId,
        seen: GateRow,
    },
    /// What the License Update Server said of the gate in its newest license answer.
    ServerJudged {
        unit: UnitId,
        judged: ServerJudgement,
    },
    /// The License Update Server's operator ruled on a report, and an answer told it.
    OperatorRuled {
        unit: UnitId,
        decision: OperatorDecision,
    },
    /// A person's justification for a month.
    Justified {
        unit: UnitId,
        month: Month,
        by: String,
        reason: String,
        at: Instant,
    },
    /// A user was made or changed. Holds hashes: never shown, never in an evidence archive.
    UserChanged {
        user: User,
    },
    /// An API token was made or revoked. Holds its hash, as [`Fact::UserChanged`] does.
    TokenChanged {
        token: Token,
    },
    /// The settings that the agent started with, secrets left out.
    SettingsSeen {
        digest: String,
        summary: String,
    },
    /// Every open report was built by settings with this digest.
    ReportsBuiltBy {
        digest: String,
    },
    /// The clock became suspect (`Some`) or was agreed again (`None`).
    ClockJudged {
        suspect: Option<String>,
        at: Instant,
    },
    /// Something was let go because of its age, or is what is left of it.
    LetGo {
        deed: LettingGo,
    },
    /// Something was repaired at opening, in words.
    Repaired {
        what: String,
    },
}

/// Who set a report's stage, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSetBy {
    pub at: Instant,
    /// `duty` or `user:NAME`.
    pub by: String,
}

/// A stage that a report had, for its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRow {
    #[serde(flatten)]
    pub stage: Stage,
    pub by: String,
}

/// Why a report stands as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportCause {
    Generated,
    /// A late sample changed it.
    Regenerated,
    /// Other settings changed it.
    Renewed,
    Adjusted,
    Reset,
    /// A revision after sending.
    Corrected,
}

/// A sample as it is kept: full, or what changed since `base_at`. The bytes are made by `store::packing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedSample {
    pub server: ServerName,
    pub taken_at: Instant,
    /// The instant of the sample it differs from; `None`: full.
    pub base_at: Option<Instant>,
    /// SHA-256 over the whole sample's content, of one that is full; else it follows from the base and the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<[u8; 32]>,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    pub contract_id: String,
    /// The license server's signing key, 32 bytes as base64url.
    pub server_key: String,
    pub at: Instant,
    /// What the server tolerates: points and percent.
    pub tolerance: Option<(Points, Points)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    pub due_at: Instant,
    pub at: Instant,
    pub why: String,
    /// Nothing changes until a person acts.
    pub needs_person: bool,
    /// Misses in a row, this one included.
    pub in_a_row: u32,
    /// What people were told of the loss; `None`: nothing yet.
    #[serde(default)]
    pub told: Option<ToldLoss>,
}

/// The kinds of messages that leave the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    Telemetry,
    Report,
}

impl MessageKind {
    /// Its name in message ids.
    pub fn as_str(self) -> &'static str {
        match self {
            MessageKind::Telemetry => "telemetry",
            MessageKind::Report => "report",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedMessage {
    /// UUIDv5 of unit, kind, period and revision.
    pub id: String,
    pub kind: MessageKind,
    pub unit: UnitId,
    /// An ISO week or a month.
    pub period: String,
    pub revision: u32,
    pub sealed_at: Instant,
    /// Who caused it: `duty` or `user:NAME`.
    pub by: String,
    /// The exact text that is sent.
    pub body: String,
    pub sha256: String,
    /// Of a report whose workloads stayed here: the bytes that the body would have with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub too_long_with_workloads: Option<usize>,
}

/// The far side had other bytes under the same id; they were adopted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub stored_body: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetbackRow {
    pub at: Instant,
    pub why: String,
    pub tries: u32,
    pub next_try_at: Instant,
    pub needs_person: bool,
}
