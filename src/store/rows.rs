//! What a fact sets in the state: keyed rows.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};

use super::fact::{Conflict, Fact, LicenseCheckRow, Members, StageRow, StageSetBy};
use crate::domain::Instant;
use crate::domain::Month;
use crate::domain::month_difference::MonthDifference;
use crate::domain::notice::Notice;
use crate::domain::report::{Receipt, Stage, UsageReport};
use crate::rules::month_difference;

/// A row of the state: its key, and its value or `None` to delete it.
pub type Row = (String, Option<Value>);

impl Fact {
    /// The rows that the fact sets. Samples set theirs in `store::samples`.
    pub fn rows(&self) -> Vec<Row> {
        match self {
            Fact::AgentNamed { agent } => one("agent".into(), agent),
            Fact::UnitFormed { unit } => one(key::unit(&unit.id), unit),
            Fact::Enrolled { enrolment } => one("enrolment".into(), enrolment),
            Fact::SampleTaken { .. } | Fact::Repaired { .. } => Vec::new(),
            Fact::LicenseSeen { server, license } => one(key::license_seen(server), license),
            Fact::AutoUpdateSeen { server, since } => vec![(key::auto_update_seen(server), since.map(|at| json!(at)))],
            Fact::SampleMissed { server, miss } => one(key::miss(server), miss),
            Fact::ServerRecovered { server } => vec![(key::miss(server), None)],
            Fact::SourceRead { source, at } => one(key::source_read(source), at),
            Fact::MembersSeen { source, members } => rows_of_members(source, members),
            Fact::EntrySeen { entry, seen } => one(key::entry(entry), seen),
            Fact::StaleSeen { server, span } => one(key::stale_span(server, span.since), span),
            Fact::SlotDrawn { unit, week, at } => one(key::slot(unit, *week), at),
            Fact::ReportKept { report, .. } => rows_of_report(report),
            Fact::ProposalKept { proposal } => one(key::proposal(proposal), proposal),
            Fact::StageSet { unit, month, revision, stage, set } => {
                rows_of_stage((unit, *month, *revision), stage, set.as_ref())
            }
            Fact::Billed { deed } => deed.rows(),
            Fact::MarkedExternal { unit, month, revision, external } => {
                of_report("external", unit, *month, *revision, external)
            }
            Fact::ConsoleFinalization { console, month, attempt } => one(key::finalization(*month, console), attempt),
            Fact::FilesWritten { unit, month, revision, digest } => of_report("files", unit, *month, *revision, digest),
            Fact::Sealed { message } => one(key::sealed(&message.id), message),
            Fact::Receipted { id, receipt, conflict, conflicting_days, answer } => {
                one(key::receipt(id), &receipt_row(receipt, conflict.as_ref(), conflicting_days, answer.as_deref()))
            }
            Fact::MessageLost { unit, id, what } => what.rows(unit, id),
            Fact::TelemetryThrough { unit, week } => one(key::of_unit("telemetry_through", unit), week),
            Fact::Setback { about, setback } => one(key::setback(about), setback),
            Fact::SetbackOver { about } => vec![(key::setback(about), None)],
            Fact::NoticeQueued { notice } => rows_of_notice(notice),
            Fact::NoticeDelivered { id, to, at, words } => one(key::told(id, to), &delivered(*at, words)),
            Fact::NoticeDropped { id, to, at, why } => one(key::told(id, to), &dropped(*at, why)),
            Fact::NoticeSettled { id } => vec![(key::pending(id), None)],
            Fact::Endpoint { to, what } => what.rows(to),
            Fact::AutoUpdateSet { unit, switch } => one(key::of_unit("auto_update", unit), switch),
            Fact::LicenseChecked { unit, check } => rows_of_check(unit, check),
            Fact::LicenseInstalled { unit, license } => one(key::of_unit("license", unit), license),
            Fact::LicenseWatched { unit, told } => one(key::of_unit("license_watch", unit), told),
            Fact::GateSeen { unit, seen } => one(key::of_unit("gate", unit), seen),
            Fact::GateChanged { unit, seen } => one(key::gate_session(unit, seen.at), seen),
            Fact::ServerJudged { unit, judged } => one(key::of_unit("server_gate", unit), judged),
            Fact::OperatorRuled { unit, decision } => one(key::ruled(unit, decision.month), decision),
            Fact::Justified { unit, month, by, reason, at } => {
                one(key::justified(unit, *month), &json!({"by": by, "reason": reason, "at": at}))
            }
            Fact::UserChanged { user } => one(key::user(&user.name), user),
            Fact::TokenChanged { token } => one(key::token(&token.hash), token),
            Fact::SettingsSeen { digest, summary } => {
                one("settings".into(), &json!({"digest": digest, "summary": summary}))
            }
            Fact::LetGo { deed } => deed.rows(),
            Fact::ReportsBuiltBy { digest } => one(key::REPORTS_BUILT_BY.into(), digest),
            Fact::ClockJudged { suspect, at } => one("clock".into(), &json!({"suspect": suspect, "at": at})),
        }
    }
}

fn delivered(at: Instant, words: &str) -> Value {
    json!({"at": at, "words": words, "delivered": true})
}

fn dropped(at: Instant, why: &str) -> Value {
    json!({"at": at, "words": why, "delivered": false})
}

fn receipt_row(
    receipt: &Receipt,
    conflict: Option<&Conflict>,
    conflicting_days: &[NaiveDate],
    answer: Option<&str>,
) -> Value {
    let mut row = json!({"receipt": receipt, "conflict": conflict});
    if !conflicting_days.is_empty() {
        row["conflicting_days"] = json!(conflicting_days);
    }
    if let Some(answer) = answer {
        row["answer"] = json!(answer);
    }
    row
}

fn rows_of_report(report: &UsageReport) -> Vec<Row> {
    let of = |what: &str| key::report(what, &report.unit, report.month, report.revision);
    let mut rows = one(of("report"), report);
    rows.extend(one(of("head"), &head_of(report)));
    rows.extend(one(of("lines"), &report.lines));
    // Whatever is in the Reports folder now, it is not known to be this one: a try may have ended between two files.
    rows.push((of("files"), None));
    rows
}

/// The stage as it stands, and as a line of the history.
fn rows_of_stage((unit, month, revision): (&str, Month, u32), stage: &Stage, set: Option<&StageSetBy>) -> Vec<Row> {
    let mut rows = of_report("stage", unit, month, revision, stage);
    rows.extend(set.iter().flat_map(|set| {
        let row = StageRow { stage: stage.clone(), by: set.by.clone() };
        one(key::stage_set(unit, month, revision, set.at), &row)
    }));
    rows
}

fn rows_of_check(unit: &str, check: &LicenseCheckRow) -> Vec<Row> {
    let mut rows = one(key::of_unit("license_check", unit), check);
    rows.extend(one(key::license_session(unit, check.at, check.server.as_deref()), check));
    rows.extend(check.server.iter().flat_map(|server| one(key::server_check(unit, server), check)));
    rows
}

fn rows_of_members(source: &str, members: &Members) -> Vec<Row> {
    let mut rows = one(key::source_notes(source), &members.notes);
    rows.extend(members.members.iter().flat_map(|(server, member)| one(key::member(source, server), member)));
    rows
}

fn rows_of_notice(notice: &Notice) -> Vec<Row> {
    let mut rows = one(key::notice(&notice.id), notice);
    rows.extend(one(key::pending(&notice.id), &true));
    if let (Some(unit), Some(month)) = (&notice.unit, notice.news.month_told()) {
        rows.extend(one(key::last_told(unit, month), &notice.at));
    }
    rows
}

/// The report without its tables, its difference by cause alone: what the schedule reads every minute.
fn head_of(report: &UsageReport) -> UsageReport {
    let difference = report.difference.as_ref().map(|difference| MonthDifference {
        previous: difference.previous.clone(),
        rows: month_difference::by_cause(difference),
    });
    UsageReport { workloads: Vec::new(), lines: Vec::new(), adjustments: Vec::new(), difference, ..report.clone() }
}

fn of_report<T: Serialize>(what: &str, unit: &str, month: Month, revision: u32, value: &T) -> Vec<Row> {
    one(key::report(what, unit, month, revision), value)
}

pub(super) fn one<T: Serialize>(key: String, value: &T) -> Vec<Row> {
    vec![(key, Some(serde_json::to_value(value).expect("facts are plain data")))]
}

/// The keys of rows. Parts are joined by `/`; units are UUIDs, so no part holds one but server names, which come last.
pub mod key {
    use crate::domain::calendar::rfc3339;
    use crate::domain::people::SecretHash;
    use crate::domain::proposed::ProposedAdjustment;
    use crate::domain::{Instant, IsoWeek, Month};

    /// By which settings every open report was built.
    pub const REPORTS_BUILT_BY: &str = "reports_built_by";

    /// The newest checkpoint, without its lists.
    pub const CHECKPOINT: &str = "checkpoint";

    /// What the keys of forgotten months begin with.
    pub const FORGOTTEN: &str = "forgotten/";

    /// How far the journal is thinned.
    pub const JOURNAL_THINNED: &str = "journal_thinned";

    pub fn unit(id: &str) -> String {
        format!("unit/{id}")
    }

    /// Since when the server's own auto update was seen on.
    pub fn auto_update_seen(server: &str) -> String {
        format!("auto_update_seen/{server}")
    }

    pub fn license_seen(server: &str) -> String {
        format!("license_seen/{server}")
    }

    /// When a source that names servers was last read to its end.
    pub fn source_read(source: &str) -> String {
        format!("source_read/{source}")
    }

    /// What a source said beside its servers' numbers.
    pub fn source_notes(source: &str) -> String {
        format!("source_notes/{source}")
    }

    /// A server that a source named; an empty name stands for all of them.
    pub fn member(source: &str, server: &str) -> String {
        format!("member/{source}/{server}")
    }

    /// Every span of a server; the server's name has no `/`, because its source's cleaning leaves none.
    pub fn entry(entry: &str) -> String {
        format!("entry/{entry}")
    }

    pub fn stale_spans(server: &str) -> String {
        format!("stale/{server}/")
    }

    pub fn stale_span(server: &str, since: Instant) -> String {
        format!("stale/{server}/{}", rfc3339(since))
    }

    pub fn miss(server: &str) -> String {
        format!("miss/{server}")
    }

    /// What the keys of a unit's drawn instants begin with.
    pub fn slots(unit: &str) -> String {
        format!("slot/{unit}/")
    }

    pub fn slot(unit: &str, week: IsoWeek) -> String {
        format!("{}{week}", slots(unit))
    }

    /// `what` is `report`, `head`, `lines`, `proposal`, `stage`, `external` or `files`.
    pub fn report(what: &str, unit: &str, month: Month, revision: u32) -> String {
        format!("{what}/{unit}/{month}/{revision:04}")
    }

    /// What the keys of a revision's proposed adjustments begin with.
    pub fn proposals(unit: &str, month: Month, revision: u32) -> String {
        format!("{}/", report("proposal", unit, month, revision))
    }

    /// In the order in which they were proposed.
    pub fn proposal(proposal: &ProposedAdjustment) -> String {
        let ProposedAdjustment { id, unit, month, revision, at, .. } = proposal;
        format!("{}{}/{id}", proposals(unit, *month, *revision), rfc3339(*at))
    }

    /// What the keys of users begin with.
    pub const USERS: &str = "user/";

    pub fn user(name: &str) -> String {
        format!("{USERS}{name}")
    }

    /// What the keys of API tokens begin with.
    pub const TOKENS: &str = "token/";

    pub fn token(hash: &SecretHash) -> String {
        format!("{TOKENS}{}", hash.expose())
    }

    /// What is left of a month's reports after they were forgotten.
    pub fn forgotten(unit: &str, month: Month) -> String {
        format!("{FORGOTTEN}{unit}/{month}")
    }

    /// What the keys of a report's stages begin with, in all revisions.
    pub fn stages_set(unit: &str, month: Month) -> String {
        format!("stage_set/{unit}/{month}/")
    }

    /// A stage that a report had from then on.
    pub fn stage_set(unit: &str, month: Month, revision: u32, at: Instant) -> String {
        format!("{}{revision:04}/{}", stages_set(unit, month), rfc3339(at))
    }

    /// What a console was asked about its own report of a month.
    pub fn finalization(month: Month, console: &str) -> String {
        format!("finalization/{month}/{console}")
    }

    /// What the keys of a month's documents begin with.
    pub fn invoices(month: Month) -> String {
        format!("invoice/{month}/")
    }

    pub fn invoice(month: Month, sequence: u32) -> String {
        format!("{}{sequence:04}", invoices(month))
    }

    /// What the keys of the files of a month's documents begin with.
    pub fn billing_exports(month: Month) -> String {
        format!("billing_export/{month}/")
    }

    /// The newest files of a document in one format; the document's number holds a `/`.
    pub fn billing_export(month: Month, document: &str, format: &str) -> String {
        format!("{}{format}/{document}", billing_exports(month))
    }

    pub fn sealed(id: &str) -> String {
        format!("sealed/{id}")
    }

    pub fn receipt(id: &str) -> String {
        format!("receipt/{id}")
    }

    pub fn setback(about: &str) -> String {
        format!("setback/{about}")
    }

    pub fn notice(id: &str) -> String {
        format!("notice/{id}")
    }

    /// News that some recipient still has to hear.
    pub fn pending(id: &str) -> String {
        format!("pending/{id}")
    }

    /// When people were last told of the month's report.
    pub fn last_told(unit: &str, month: Month) -> String {
        format!("last_told/{unit}/{month}")
    }

    pub fn told(id: &str, to: &str) -> String {
        format!("told/{id}/{to}")
    }

    /// Every try to tell a webhook endpoint.
    pub fn tries(to: &str) -> String {
        format!("tried/{to}/")
    }

    pub fn tried(to: &str, at: Instant, id: &str) -> String {
        format!("{}{}/{id}", tries(to), rfc3339(at))
    }

    /// Since when an endpoint wants no more messages.
    pub fn gone(to: &str) -> String {
        format!("gone/{to}")
    }

    /// The newest day whose usage a sink took, or is not sent any more.
    pub fn usage_through(sink: &str, unit: &str) -> String {
        format!("usage_through/{sink}/{unit}")
    }

    pub fn usage_taken(sink: &str, unit: &str, period: &str, revision: u32) -> String {
        format!("usage_taken/{sink}/{unit}/{period}/{revision:04}")
    }

    /// `what` is `auto_update`, `license_check`, `license`, `license_watch`, `gate` or `server_gate`.
    pub fn of_unit(what: &str, unit: &str) -> String {
        format!("{what}/{unit}")
    }

    /// What the keys of a unit's sessions begin with.
    pub fn license_sessions(unit: &str) -> String {
        format!("license_session/{unit}/")
    }

    pub fn license_session(unit: &str, at: Instant, server: Option<&str>) -> String {
        let asked = server.map_or(String::new(), |server| format!("/{server}"));
        format!("{}{}{asked}", license_sessions(unit), rfc3339(at))
    }

    /// The newest check of one backup server's license.
    pub fn server_check(unit: &str, server: &str) -> String {
        format!("license_check/{unit}/{server}")
    }

    /// What the gate was seen to say, each time it changed.
    pub fn gate_session(unit: &str, at: Instant) -> String {
        format!("gate_session/{unit}/{}", rfc3339(at))
    }

    /// The operator's ruling on the month's report.
    pub fn ruled(unit: &str, month: Month) -> String {
        format!("ruled/{unit}/{month}")
    }

    pub fn justified(unit: &str, month: Month) -> String {
        format!("justified/{unit}/{month}")
    }
}
