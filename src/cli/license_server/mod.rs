//! `license-server`: the License Update Server, and its operator's commands.

mod certificate;
mod contract;
mod database;
mod fleet;
mod serve;
mod text;
mod way;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::session::Session;
use crate::agent::Refused;
use crate::domain::Month;
use crate::license_server::{Order, new_signing_key};
use way::Way;

pub use contract::ContractAct;
pub use database::DatabaseAt;
pub use fleet::Looked;
pub use serve::Serve;

#[derive(Debug, Args)]
pub struct Asked {
    #[command(flatten)]
    database: DatabaseAt,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Serves agents until it is told to stop: HTTPS, or plain HTTP on loopback
    ///
    /// The state directory holds its signing key and its journal (`--state`, by default
    /// /var/lib/tidegauge-license-server). Operator commands work while it runs. With --database the journal is kept in
    /// PostgreSQL, and any number of servers answer behind one address, each with a state directory of its own in which
    /// the same signing key stands. SIGHUP reads the certificate again; options change with a restart.
    ///
    /// Exit codes: 2 plain HTTP beyond loopback, or a database in the clear; 69 the database does not answer; 75 another
    /// process serves the directory; 78 no signing key yet, a certificate that cannot be read, or a database of another
    /// signing key or a newer version.
    ///
    /// Example: tidegauge license-server run --listen 0.0.0.0:8421 --certificates chain.pem --key key.pem
    ///
    /// Example: tidegauge license-server run --database postgresql://tidegauge@db1,db2/tidegauge --database-password-file pw
    Run(Serve),
    /// The key that signs answers and license keys
    #[command(subcommand)]
    Key(KeyAct),
    /// Contracts: add one, list them, set their state, points and dates, hand out a token
    #[command(subcommand)]
    Contract(ContractAct),
    /// Agents by their key: who enrolled with which token, and who tried it after him
    #[command(subcommand)]
    Agent(AgentAct),
    /// Reporting units that speak to this server
    #[command(subcommand)]
    Installation(InstallationAct),
    /// Reports that came in, and what the gate says of them
    #[command(subcommand)]
    Report(ReportAct),
    /// Every reporting unit with what needs care first: last contact, version, coverage, report, key
    ///
    /// A row is a unit, an agent that speaks for none yet, or a contract without an agent. Care, the most pressing first:
    /// a token shown twice, a key that ended, a report of the month that is missing or held, a key that ends within 7
    /// days, silence for more than 14 days, conflicts, less than 90 % of the newest week's samples. The agent's version is
    /// that of its newest telemetry, else "unknown". --json prints all of it, --csv writes it for a spreadsheet.
    ///
    /// Exit codes: 69 the database does not answer; 73 the file cannot be written; 75 the server does not answer.
    ///
    /// Example: tidegauge license-server fleet --needs-care
    ///
    /// Example: tidegauge license-server fleet --csv fleet.csv
    Fleet(Looked),
    /// Follows the hash chains of everything recorded, and compares it with what is kept
    ///
    /// A folder's journal is followed whenever it is opened. In a database every entry is read, and every row that lists
    /// and answers are made of is worked out again; it needs memory for all of it.
    ///
    /// Exit codes: 7 something was changed or is lost.
    ///
    /// Example: tidegauge license-server verify --database postgresql://tidegauge@db1,db2/tidegauge
    Verify,
}

#[derive(Debug, Subcommand)]
pub enum KeyAct {
    /// Makes the signing key, once, and prints its fingerprint
    ///
    /// Exit codes: 8 there is one already: agents and license keys depend on it, so it is never replaced.
    New,
}

#[derive(Debug, Subcommand)]
pub enum InstallationAct {
    /// Every unit: contract, key, last telemetry, last check
    List,
    /// No more keys for this unit
    Revoke(Reasoned),
}

#[derive(Debug, Subcommand)]
pub enum AgentAct {
    /// Every agent: contract, key, when it enrolled, and other keys that showed its token
    List,
    /// Hears an agent no more, as when its enrolment token was stolen
    ///
    /// Exit codes: 2 no reason; 66 no such key.
    ///
    /// Example: tidegauge license-server agent remove sha256:ab12… --why "token stolen, ticket 4711"
    Remove(RemovedAgent),
}

#[derive(Debug, Args)]
pub struct RemovedAgent {
    /// Fingerprint of its key, as `agent list` shows it
    #[arg(value_name = "KEY")]
    key: String,
    /// Why; it is kept
    #[arg(long, alias = "reason", value_name = "TEXT")]
    why: String,
}

#[derive(Debug, Subcommand)]
pub enum ReportAct {
    /// Newest revisions by unit and month, with the gate as it stands
    List,
    /// One month of one unit, with causes and conflicts
    Show(OneReport),
    /// Opens the gate for the newest revision
    ///
    /// The agent learns it with the next answer it gets. A later revision needs its own approval.
    ///
    /// Exit codes: 2 no reason; 8 a newer revision than --revision came; 66 no such report.
    ///
    /// Example: tidegauge license-server report approve UNIT 2026-10 --why "customer left, ticket 4711"
    Approve(ReasonedReport),
    /// Sends the newest revision back: a correction is asked for
    ///
    /// The agent tells its people with the next answer it gets, in these words. An approval given before is taken back.
    ///
    /// Exit codes: 2 no reason; 8 a newer revision than --revision came; 66 no such report.
    ///
    /// Example: tidegauge license-server report reject UNIT 2026-10 --why "where are the VMs of tenant A?"
    #[command(alias = "correct")]
    Reject(ReasonedReport),
}

#[derive(Debug, Args)]
pub struct Reasoned {
    #[arg(value_name = "UNIT")]
    unit: String,
    /// Why; it is kept and told
    #[arg(long, alias = "reason", value_name = "TEXT")]
    why: String,
}

#[derive(Clone, Debug, Args)]
pub struct OneReport {
    #[arg(value_name = "UNIT")]
    unit: String,
    #[arg(value_name = "MONTH")]
    month: Month,
}

#[derive(Debug, Args)]
pub struct ReasonedReport {
    #[command(flatten)]
    which: OneReport,
    /// The revision you looked at; refused when a newer one came
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// Why; it is kept and told
    #[arg(long, alias = "reason", value_name = "TEXT")]
    why: String,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    session.refuse_now("license-server")?;
    let at = &asked.database;
    match &asked.act {
        Act::Run(how) => serve::run(session, at, how),
        Act::Key(KeyAct::New) => new_key(session),
        Act::Contract(act) => contract::run(session, at, act),
        Act::Agent(AgentAct::List) => list(session, at, "agents", text::agents),
        Act::Agent(AgentAct::Remove(RemovedAgent { key, why })) => {
            order(session, at, Order::RemoveAgent { agent: key.clone(), why: why.clone() })
        }
        Act::Installation(InstallationAct::List) => list(session, at, "installations", text::installations),
        Act::Installation(InstallationAct::Revoke(Reasoned { unit, why })) => {
            order(session, at, Order::RevokeKey { unit: unit.clone(), why: why.clone() })
        }
        Act::Fleet(looked) => fleet::run(session, at, looked),
        Act::Verify => verify(session, at),
        Act::Report(ReportAct::List) => list(session, at, "reports", text::reports),
        Act::Report(ReportAct::Show(OneReport { unit, month })) => {
            let report = Way::open(session, at)?.list(&format!("reports/{unit}/{month}"))?;
            session.show(&report, text::report)
        }
        Act::Report(ReportAct::Approve(ReasonedReport { which: OneReport { unit, month }, revision, why })) => {
            let (unit, month, revision, why) = (unit.clone(), *month, *revision, why.clone());
            order(session, at, Order::ApproveReport { unit, month, revision, why })
        }
        Act::Report(ReportAct::Reject(ReasonedReport { which: OneReport { unit, month }, revision, why })) => {
            let (unit, month, revision, why) = (unit.clone(), *month, *revision, why.clone());
            order(session, at, Order::AskForCorrection { unit, month, revision, why })
        }
    }
}

fn new_key(session: &mut Session<'_>) -> Result<(), Refused> {
    let mut chance = (session.doors.chance)();
    let fingerprint = new_signing_key(&*session.doors.files, &way::state_dir(session), chance.as_mut())
        .map_err(|why| way::no_key(&why))?;
    let made = json!({"schema": "tidegauge.signing-key/1", "fingerprint": fingerprint});
    session.show(&made, |made, _| format!("{}\n", made["fingerprint"].as_str().unwrap_or_default()))
}

/// Rows of the server, as a JSON object or a table.
fn list(session: &mut Session<'_>, at: &DatabaseAt, what: &str, table: fn(&[Value]) -> String) -> Result<(), Refused> {
    let rows = Way::open(session, at)?.list(what)?;
    if session.global.json {
        let listed = json!({"schema": format!("tidegauge.license-server-{what}/1"), what: rows});
        return session.print(&format!("{listed:#}\n"));
    }
    session.print(&table(rows.as_array().map_or(&[], Vec::as_slice)))
}

fn verify(session: &mut Session<'_>, at: &DatabaseAt) -> Result<(), Refused> {
    let verified = Way::open(session, at)?.list("verified")?;
    let count = |field: &str| verified[field].as_u64().unwrap_or_default();
    let wrong: Vec<&str> = verified["wrong"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(first) = wrong.first() {
        return Err(Refused::new(7, format!("{first} ({} findings in {} entries)", wrong.len(), count("entries"))));
    }
    let shown = json!({"schema": "tidegauge.license-server-verified/1", "entries": verified["entries"], "chains": verified["chains"]});
    session.show(&shown, |shown, _| format!("{} entries in {} chains hold\n", shown["entries"], shown["chains"]))
}

/// An order that leaves nothing to print but that it is done.
fn order(session: &mut Session<'_>, at: &DatabaseAt, order: Order) -> Result<(), Refused> {
    Way::open(session, at)?.order(session, order)?;
    session.show(&json!({"schema": "tidegauge.license-server-done/1"}), |_, _| "done\n".to_owned())
}
