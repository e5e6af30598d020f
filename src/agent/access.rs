//! What can be asked of the agent: the same questions over command line, control socket and pages.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::adjustment::AdjustmentOrder;
use crate::domain::people::SecretHash;
use crate::domain::pseudonym::Names;
use crate::domain::{IsoWeek, Month};

use super::asked::{BillingFileAsked, ReportAsked, UsageOverAsked, WorkloadsAsked};
use super::license::Wish;
use super::orders::Target;
use super::paging;
use super::views::{JournalSearch, settings_shown};
use super::{Agent, Hour, Refused};

/// A question. Its answer is one of the JSON shapes of design.md section 9.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Query {
    Status {},
    /// The units, and the reports that wait for somebody: what stands around every page.
    Waiting {},
    Usage {
        unit: Option<String>,
        server: Option<String>,
        month: Option<Month>,
        #[serde(default)]
        by: By,
    },
    /// Usage of any period, by day, week or month.
    UsageOver(Box<UsageOverAsked>),
    /// Points on the next 1st, and what changes them until then.
    UsageForecast {
        unit: Option<String>,
        server: Option<String>,
    },
    /// The usage after a sample was asked for; refused with the reason when there was none.
    Sampled {
        server: String,
    },
    Watermark {
        unit: Option<String>,
        server: Option<String>,
        week: Option<IsoWeek>,
        month: Option<Month>,
    },
    Reports {
        unit: Option<String>,
        server: Option<String>,
    },
    Report {
        unit: Option<String>,
        server: Option<String>,
        month: Option<Month>,
    },
    /// What is left of reports that were forgotten.
    Forgotten {
        unit: Option<String>,
        server: Option<String>,
    },
    /// The report beside what the console of this entry answered a moment ago; refused when it was not asked.
    ConsoleCompared {
        unit: String,
        month: Month,
        with: String,
    },
    /// Every report of the month here beside what the console of this entry answered a moment ago.
    AllCompared {
        month: Month,
        with: String,
    },
    /// What came of finalizing the console's report; refused when it was not finalized.
    Finalized {
        month: Month,
        with: String,
    },
    /// What adjustments would change: total, money and gate, nothing kept.
    WhatIf {
        target: Target,
        adjustments: Vec<AdjustmentOrder>,
    },
    /// What taking every adjustment back would change, nothing kept.
    WhatIfReset(Target),
    /// A report without its workloads, with its sums, its days and who may act.
    ReportHead(ReportAsked),
    /// A page of a report's workloads.
    Workloads(Box<WorkloadsAsked>),
    /// What happened to a report, in order.
    ReportHistory(Target),
    /// The trailing 31 days up to now; it can never be sent (domain.md 3.5).
    OnDemand {
        unit: Option<String>,
        server: Option<String>,
    },
    /// A report as a file: base64 text and its media type.
    ReportFile {
        unit: Option<String>,
        server: Option<String>,
        month: Option<Month>,
        format: String,
        #[serde(default)]
        names: Names,
    },
    Gate {
        unit: Option<String>,
        server: Option<String>,
        month: Option<Month>,
    },
    /// The gate over the newest report, unless a month is named.
    Explain {
        unit: Option<String>,
        server: Option<String>,
        month: Option<Month>,
    },
    License {
        unit: Option<String>,
        server: Option<String>,
    },
    LicenseHistory {
        unit: Option<String>,
        server: Option<String>,
    },
    /// Points, expected verdicts and the days ahead.
    LicenseForecast {
        unit: Option<String>,
        server: Option<String>,
    },
    /// The days ahead alone: what the forecast says of them, without its cost.
    LicenseCalendar {
        unit: Option<String>,
        server: Option<String>,
    },
    /// The days ahead as a file for calendars: base64 text and its media type.
    CalendarFile {
        unit: Option<String>,
        server: Option<String>,
    },
    /// Machines that may be the same, each with the adjustment prepared.
    Proposals {
        unit: Option<String>,
        server: Option<String>,
        month: Option<Month>,
    },
    /// Adjustments that wait for a second person, and what became of those that did.
    ProposedAdjustments {
        unit: Option<String>,
        server: Option<String>,
        month: Option<Month>,
    },
    /// Everybody who may sign in, without anything secret.
    Users {},
    /// Every API token, without anything secret.
    Tokens {},
    /// What the program itself asks when somebody wants to come in; no socket can.
    #[serde(skip)]
    Knock(Knock),
    /// The points tables in force on a day, and the sampled types without a row.
    Rates {
        on: Option<chrono::NaiveDate>,
    },
    /// Documents that were issued, of one month or of all.
    Invoices {
        month: Option<Month>,
    },
    /// A month's statements with their sums, what was issued, and what is missing.
    BillingMonth {
        month: Option<Month>,
    },
    /// A draft or an issued document as a file; issuing is an order.
    BillingFile(Box<BillingFileAsked>),
    /// The supplier's invoice, a CSV text, against sent reports and tenants' lines.
    Reconcile {
        month: Month,
        file: String,
        text: String,
        /// By how much money may differ.
        #[schema(format = "decimal", examples("0"))]
        tolerance: rust_decimal::Decimal,
    },
    /// Names in the newest reports that no typeface shows, a warning each.
    Typefaces {},
    /// Which name is which in the month's documents under pseudonyms.
    Pseudonyms {
        unit: Option<String>,
        server: Option<String>,
        month: Option<Month>,
    },
    /// The audit snapshot of a month as an archive: base64 text.
    Evidence {
        unit: Option<String>,
        server: Option<String>,
        month: Option<Month>,
        #[serde(default)]
        names: Names,
    },
    /// The public key that signs reports and evidence.
    EvidenceKey {},
    /// What webhook endpoints were told, the newest so many tries.
    WebhookLog {
        to: Option<String>,
        last: u16,
    },
    /// Every server: how it stands, its source and license, what was found of it.
    Servers {},
    /// Hour by hour when servers were sampled; without days of the running month.
    Coverage {
        server: Option<String>,
        /// The first day.
        from: Option<chrono::NaiveDate>,
        /// The last day.
        until: Option<chrono::NaiveDate>,
    },
    /// The duties ahead with their reasons.
    Duties {
        #[serde(default, deserialize_with = "paging::number")]
        limit: Option<u16>,
    },
    /// What is in force, and where each value was given.
    Settings {},
    /// What was sealed and sent, newest period first, and what leaves next.
    Telemetry {
        unit: Option<String>,
        server: Option<String>,
        /// The `next` of the answer before, of a unit that is named.
        after: Option<String>,
        #[serde(default, deserialize_with = "paging::number")]
        limit: Option<u16>,
    },
    /// One sealed message with its exact bytes.
    Message {
        id: String,
    },
    /// Entries of the journal that fit, newest first.
    Journal(JournalSearch),
    /// What monitoring reads.
    Readings {},
    /// What a supporter needs, without secrets and names; `texts` come back without them, and without `names`.
    Support {
        #[serde(default)]
        names: Vec<String>,
        #[serde(default)]
        texts: Vec<String>,
    },
    /// The license after backup servers were asked to renew it or to install a key; refused when that failed.
    ServersAsked {
        unit: String,
        servers: Vec<String>,
        wish: Wish,
    },
    /// Highest watermark and reported points of the last months, for a chart.
    Months {
        unit: Option<String>,
        server: Option<String>,
    },
}

/// Who somebody is that wants to come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knock {
    /// The active user of a name with his password's hash.
    SignIn { name: String },
    /// The person for whom a token acts.
    Token { hash: SecretHash },
    /// Whom a link lets in.
    Invitation { hash: SecretHash },
}

/// How usage is grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Tenant,
    #[default]
    Type,
    Server,
    Workload,
}

impl Agent {
    /// Answers a question as of the hour, for the owner of the machine; other people go through [`Agent::answer_for`].
    ///
    /// # Errors
    /// [`Refused`] with the exit code and one line that says what to do.
    pub fn answer(&self, query: &Query, hour: Hour) -> Result<Value, Refused> {
        match query {
            Query::Status {} => self.status(hour),
            Query::Waiting {} => self.waiting(hour),
            Query::Sampled { server } => self.sampled(server, hour),
            Query::Usage { unit, server, month, by } => self.usage(said(unit), said(server), *month, *by, hour),
            Query::Watermark { unit, server, week, month } => self.marks(said(unit), said(server), *week, *month, hour),
            Query::Reports { unit, server } => self.reports(said(unit), said(server), hour),
            Query::Report { unit, server, month } => self.report_shown(said(unit), said(server), *month),
            Query::Forgotten { unit, server } => self.forgotten_shown(said(unit), said(server)),
            Query::ConsoleCompared { unit, month, with } => self.console_compared(unit, *month, with),
            Query::AllCompared { month, with } => self.all_compared(*month, with),
            Query::Finalized { month, with } => self.finalized(*month, with),
            Query::WhatIf { target, adjustments } => self.what_if(target, adjustments, None, hour),
            Query::WhatIfReset(target) => self.what_if_reset(target, hour),
            Query::ReportHead(asked) => self.report_head(asked, hour),
            Query::Workloads(asked) => self.workloads(asked, hour),
            Query::ReportHistory(target) => self.report_history(target, hour),
            Query::OnDemand { unit, server } => self.on_demand(said(unit), said(server), hour),
            Query::ReportFile { unit, server, month, format, names } => {
                self.report_file(&target(unit, server, *month), format, *names)
            }
            Query::Gate { unit, server, month } => self.gates(said(unit), said(server), *month, hour),
            Query::Explain { unit, server, month } => self.explained(said(unit), said(server), *month, hour),
            Query::License { unit, server } => self.licenses(said(unit), said(server), hour),
            Query::LicenseHistory { unit, server } => self.license_history(said(unit), said(server)),
            Query::Proposals { unit, server, month } => self.proposals(said(unit), said(server), *month, hour),
            Query::ProposedAdjustments { unit, server, month } => self.proposed(said(unit), said(server), *month, hour),
            Query::Users {} => self.users_shown(),
            Query::Tokens {} => self.tokens_shown(hour),
            Query::Knock(knock) => self.knocked(knock, hour),
            Query::Rates { on } => self.rates(*on, hour),
            Query::Invoices { month } => self.invoices_shown(*month),
            Query::BillingMonth { month } => self.billing_month(*month),
            Query::BillingFile(asked) => self.billing_file(asked, hour),
            Query::UsageOver(asked) => self.usage_over(asked, hour),
            Query::Reconcile { month, file, text, tolerance } => self.reconciled(*month, (file, text), *tolerance),
            Query::Typefaces {} => self.typefaces(),
            Query::Pseudonyms { unit, server, month } => self.pseudonyms_shown(&target(unit, server, *month), hour),
            Query::Evidence { unit, server, month, names } => self.evidence_file(&target(unit, server, *month), *names),
            Query::EvidenceKey {} => Ok(self.evidence_key()),
            Query::WebhookLog { to, last } => self.hook_log(said(to), usize::from(*last), hour.now),
            Query::Servers {} => self.servers(hour),
            Query::Coverage { server, from, until } => self.coverage(said(server), *from, *until, hour),
            Query::Duties { limit } => self.duties(*limit, hour),
            Query::Settings {} => Ok(settings_shown(&self.settings)),
            Query::Telemetry { unit, server, after, limit } => {
                self.telemetry_shown(said(unit), said(server), said(after), *limit, hour)
            }
            Query::Message { id } => self.message_shown(id),
            Query::Journal(search) => self.journal(search),
            Query::Readings {} => self.readings(hour),
            Query::Support { names, texts } => self.support(names, texts, hour),
            Query::ServersAsked { unit, servers, wish } => self.servers_asked(unit, servers, *wish, hour),
            Query::UsageForecast { unit, server } => self.usage_forecast(said(unit), said(server), hour),
            Query::LicenseForecast { unit, server } => self.license_forecast(said(unit), said(server), hour),
            Query::LicenseCalendar { unit, server } => self.license_calendar(said(unit), said(server), hour),
            Query::CalendarFile { unit, server } => self.calendar_file(said(unit), said(server), hour),
            Query::Months { unit, server } => self.months(said(unit), said(server), hour),
        }
    }
}

/// What was said of a name.
fn said(name: &Option<String>) -> Option<&str> {
    name.as_deref()
}

fn target(unit: &Option<String>, server: &Option<String>, month: Option<Month>) -> Target {
    Target { unit: unit.clone(), server: server.clone(), month }
}
