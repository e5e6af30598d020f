//! What questions and orders answer: a summary and the shape of the answer, one row each.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::formats::schemas::SCHEMAS;

/// How an answer is made of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// One object of this schema.
    One(&'static str),
    /// About each reporting unit: one object, or a list of them when there are several units.
    EachUnit(&'static str),
    /// A list, maybe empty.
    List(&'static str),
    /// JSON without a published shape.
    Free,
}

/// What stands in the document about one question or order.
pub struct Row {
    pub name: &'static str,
    pub summary: &'static str,
    pub answer: Answer,
}

const fn row(name: &'static str, summary: &'static str, answer: Answer) -> Row {
    Row { name, summary, answer }
}

const REPORT: &str = "tidegauge.usage-report/1";
const LICENSE: &str = "tidegauge.license/1";

/// Every question. One without a row is documented by what its type says.
pub const QUESTIONS: [Row; 52] = [
    row("status", "What is known now", Answer::One("tidegauge.status/1")),
    row("waiting", "The units, and the reports that wait for somebody", Answer::One("tidegauge.waiting/1")),
    row("usage", "Points in groups", Answer::EachUnit("tidegauge.usage/1")),
    row("usage_forecast", "Points on the next 1st", Answer::EachUnit("tidegauge.usage-forecast/1")),
    row("sampled", "Usage after a sample was ordered", Answer::EachUnit("tidegauge.usage/1")),
    row("watermark", "The high watermark of a week or a month", Answer::EachUnit("tidegauge.watermark/1")),
    row("reports", "Every report in short", Answer::List("tidegauge.report-summary/1")),
    row("report", "A report with its workloads", Answer::EachUnit(REPORT)),
    row("console_compared", "A report beside the console's", Answer::One("tidegauge.report-comparison/1")),
    row("all_compared", "Every report of a month beside the console's", Answer::One("tidegauge.console-comparison/1")),
    row("finalized", "What came of finalizing", Answer::One("tidegauge.console-finalization/1")),
    row("what_if", "What adjustments would change", Answer::One("tidegauge.what-if/1")),
    row("on_demand", "The trailing 31 days as a report", Answer::EachUnit(REPORT)),
    row("report_file", "A report as a file", Answer::One("file")),
    row("gate", "The gate's verdict", Answer::EachUnit("tidegauge.gate/1")),
    row("explain", "The gate's verdict with its causes", Answer::EachUnit("tidegauge.gate/1")),
    row("license", "License, its dates and its state", Answer::EachUnit(LICENSE)),
    row("license_history", "License sessions and changes of the gate", Answer::EachUnit("tidegauge.license-history/1")),
    row("license_forecast", "Points, verdicts and days ahead", Answer::EachUnit("tidegauge.license-forecast/1")),
    row("license_calendar", "The days ahead", Answer::EachUnit("tidegauge.license-calendar/1")),
    row("calendar_file", "The days ahead as a calendar file", Answer::One("file")),
    row("proposals", "Machines that may be the same", Answer::One("tidegauge.proposals/1")),
    row("proposed_adjustments", "Adjustments that wait for a second person", Answer::Free),
    row("users", "Everybody who may sign in", Answer::One("tidegauge.users/1")),
    row("tokens", "Every API token", Answer::One("tidegauge.tokens/1")),
    row("servers", "Every server and what was found of it", Answer::One("tidegauge.servers/1")),
    row("coverage", "Hour by hour when servers were sampled", Answer::One("tidegauge.coverage/1")),
    row("duties", "The duties ahead with their reasons", Answer::One("tidegauge.duties/1")),
    row("settings", "What is in force, and where it was given", Answer::One("tidegauge.settings/1")),
    row("telemetry", "What was sealed and sent, and what leaves next", Answer::EachUnit("tidegauge.telemetry/1")),
    row("message", "One sealed message with its exact bytes", Answer::One("tidegauge.message/1")),
    row("journal", "Entries of the journal that fit, newest first", Answer::One("tidegauge.journal/1")),
    row("forgotten", "Months whose reports were forgotten", Answer::List("tidegauge.report-forgotten/1")),
    row("report_head", "A report without its workloads", Answer::One("tidegauge.report-head/1")),
    row("workloads", "A page of a report's workloads", Answer::One("tidegauge.workloads/1")),
    row("what_if_reset", "What taking adjustments back would change", Answer::One("tidegauge.what-if/1")),
    row("report_history", "What happened to a report", Answer::One("tidegauge.report-history/1")),
    row("usage_over", "Usage of any period", Answer::EachUnit("tidegauge.usage-over/1")),
    row("billing_month", "A month's statements with their sums", Answer::One("tidegauge.billing-month/1")),
    row("billing_file", "A billing document as a file", Answer::One("file")),
    row("pseudonyms", "Which name is which in documents with pseudonyms", Answer::One("tidegauge.pseudonyms/1")),
    row("rates", "Points tables in force", Answer::One("tidegauge.rates/1")),
    row("invoices", "Billing documents that were issued", Answer::One("tidegauge.billing-documents/1")),
    row("reconcile", "The supplier's invoice against reports and lines", Answer::One("tidegauge.reconciliation/1")),
    row("typefaces", "Names that no typeface shows", Answer::One("tidegauge.typefaces/1")),
    row("evidence", "The audit snapshot of a month", Answer::One("tidegauge.evidence-file/1")),
    row("evidence_key", "The public key that signs", Answer::One("tidegauge.evidence-key/1")),
    row("webhook_log", "What webhook endpoints were told", Answer::One("tidegauge.webhook-log/1")),
    row("readings", "What monitoring reads", Answer::One("tidegauge.readings/1")),
    row("support", "What a supporter needs, without secrets and names", Answer::Free),
    row("servers_asked", "The license after backup servers were asked", Answer::EachUnit(LICENSE)),
    row("months", "Watermark and reported points by month", Answer::EachUnit("tidegauge.months/1")),
];

/// Every order.
pub const ORDERS: [Row; 29] = [
    row("import_samples", "Load samples from the text of a snapshot file", Answer::Free),
    row("sample_now", "Take a sample", Answer::EachUnit("tidegauge.usage/1")),
    row("generate", "Build the report of a month", Answer::One(REPORT)),
    row("adjust", "Lower a report", Answer::One(REPORT)),
    row("approve", "Make adjustments that waited for you", Answer::Free),
    row("reject", "Refuse adjustments that wait", Answer::Free),
    row("reset", "Take every adjustment back", Answer::One(REPORT)),
    row("compare_report", "Compare a report with the console's", Answer::One("tidegauge.report-comparison/1")),
    row("compare_console", "Compare a month with the console's", Answer::One("tidegauge.console-comparison/1")),
    row("finalize_console", "Finalize the console's reports", Answer::One("tidegauge.console-finalization/1")),
    row("postpone", "Hide the reminder until later", Answer::One(REPORT)),
    row("send", "Send a report", Answer::One(REPORT)),
    row("correct", "Make the next revision of a sent report", Answer::One(REPORT)),
    row("mark_external", "Mark a report as entered in a portal", Answer::One(REPORT)),
    row("justify", "Say why a report is lower than the watermark", Answer::Free),
    row("forget", "Delete the reports of a month", Answer::One("tidegauge.report-forgotten/1")),
    row("make_pseudonym_key", "Draw the key of pseudonyms", Answer::One("tidegauge.pseudonym-key/1")),
    row("export_billing", "Write billing files of a month", Answer::One("tidegauge.billing-export/1")),
    row("auto_update", "Switch auto update on or off", Answer::One("tidegauge.auto-update/1")),
    row("license_update", "Ask for a license", Answer::EachUnit(LICENSE)),
    row("license_install", "Install a license key", Answer::Free),
    row("tell_again", "Tell webhook endpoints again", Answer::One("tidegauge.webhook-replay/1")),
    row("add_user", "Make a user", Answer::One("tidegauge.user/1")),
    row("change_user", "Change a user", Answer::One("tidegauge.user/1")),
    row("set_password", "Set a password", Answer::Free),
    row("add_token", "Make an API token", Answer::Free),
    row("revoke_token", "End an API token", Answer::Free),
    row("enrol", "Bind the agent to a contract", Answer::One("tidegauge.status/1")),
    row("confirm_clock", "Vouch for this machine's clock", Answer::Free),
];

/// The published shapes by the name in their `schema` member.
pub static SHAPES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let text = include_str!("shapes.json");
    serde_json::from_str(text).expect("shapes.json is JSON, which a test reads")
});

/// The report's published schema as parts of one document: its definitions become components.
pub fn report_parts() -> Vec<(String, Value)> {
    let found = SCHEMAS.iter().find(|schema| schema.name == REPORT);
    let mut schema: Value = found.and_then(|found| serde_json::from_str(found.text).ok()).unwrap_or_default();
    let Some(members) = schema.as_object_mut() else { return Vec::new() };
    members.remove("$schema");
    members.remove("$id");
    let parts = members.remove("$defs").and_then(|parts| parts.as_object().cloned()).unwrap_or_default();
    let parts = parts.into_iter().map(|(name, part)| (format!("report.{name}"), part));
    let named = parts.chain([(component(REPORT), schema)]);
    named.map(|(name, part)| (name, repointed(part))).collect()
}

/// References to definitions of the schema itself, as references to components.
fn repointed(part: Value) -> Value {
    match part {
        Value::Object(members) => {
            let to = |(name, value): (String, Value)| match (name.as_str(), value.as_str()) {
                ("$ref", Some(to)) => {
                    let to = to.replace("#/$defs/", "#/components/schemas/report.");
                    (name, Value::String(to))
                }
                _ => (name, repointed(value)),
            };
            members.into_iter().map(to).collect()
        }
        Value::Array(items) => items.into_iter().map(repointed).collect(),
        plain => plain,
    }
}

/// A schema's name as a component: `tidegauge.usage/1` is `usage.1`.
pub fn component(schema: &str) -> String {
    schema.trim_start_matches("tidegauge.").replace('/', ".")
}
