//! `report`: the life of a monthly report.

mod acts;
mod adjusting;
mod approving;
mod compare;
mod explain;
mod finalize;
mod forget;
mod proposals;
mod pseudonyms;
mod text;

use std::path::PathBuf;

use base64::Engine;
use clap::Subcommand;
use serde_json::Value;

use super::arguments::{ReportArgs, UnitArgs, instant};
use super::session::Session;
use super::table::word;
use crate::agent::{Order, Query, Refused};
use crate::domain::Instant;
use crate::domain::report::SCHEMA;
use crate::formats::schemas::SCHEMAS;
use adjusting::Adjusting;

pub use acts::{Generate, MarkExternal};

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Every month's newest revision, and the months that were forgotten
    ///
    /// Example: tidegauge report list
    List(UnitArgs),
    /// One report: lines, workloads, adjustments, days
    ///
    /// Exit codes: 66 there is no report of that month, or it was forgotten.
    ///
    /// Example: tidegauge report show --month 2026-10
    Show(ReportArgs),
    /// Builds a month's report by hand, or a look at the trailing 31 days
    ///
    /// The agent builds it on the 1st at 00:00 GMT; this is for importing by hand and for catching up. An on-demand
    /// report is only looked at: it is not kept and cannot be sent.
    ///
    /// Exit codes: 2 the month has not ended, or several units and none named; 3 the report stands already; 66 it was
    /// forgotten.
    ///
    /// Example: tidegauge report generate --month 2026-10
    Generate(Generate),
    /// Takes workloads out, or lowers a tenant's count; always with a reason
    ///
    /// Rental keys: name workloads by id, or by name when only one has it. Cloud Connect keys: lower a tenant's VM or
    /// replica count. Several of both go in one order, all or none. `report what-if` with the same words shows the effect
    /// before; it is printed again once kept. Reports that are sealed, sent or entered elsewhere cannot be adjusted: `report
    /// correct` begins a revision that can.
    ///
    /// Exit codes: 8 the report is not open any more; 65 no such workload, or it does not count; 66 no such report.
    ///
    /// Example: tidegauge report adjust --remove test-vm-7 --reason "test machine, deleted on the 3rd"
    Adjust(Adjusting),
    /// Machines that seem to count twice, each with the adjustment prepared; and adjustments that wait for a second person
    ///
    /// A machine that several servers of yours count, one that came back under another id after a reinstall or a
    /// migration, and servers that show one installation id. Nothing is changed: accept what you agree with. With
    /// console.four_eyes_points in the settings, what somebody may not lower alone waits here for `report approve`.
    ///
    /// Example: tidegauge report proposals --month 2026-10
    Proposals(ReportArgs),
    /// Accepts a proposal: takes the machine out of the open report, with the prepared reason
    ///
    /// Exit codes: 3 nothing counts twice any more; 8 the report is not open; 66 no such proposal.
    ///
    /// Example: tidegauge report accept 5f3a91c2
    Accept(proposals::Accept),
    /// Makes another person's adjustments, which lower the report by more than one person may alone
    ///
    /// Exit codes: 3 they were approved, rejected or lapsed already; 8 the report is not open; 65 they fit the report no
    /// more; 66 no such proposal; 77 you proposed them yourself.
    ///
    /// Example: tidegauge report approve 5f3a91c2
    Approve(approving::Approve),
    /// Leaves the report as it is: what was proposed is not made
    ///
    /// Exit codes: 3 it was approved, rejected or lapsed already; 66 no such proposal.
    ///
    /// Example: tidegauge report reject 5f3a91c2 --reason "these machines are in use"
    Reject(approving::Reject),
    /// What adjustments would change: points, money and the gate; nothing is kept
    ///
    /// Exit codes: 8 the report is not open any more; 65 no such workload, or it does not count; 66 no such report.
    ///
    /// Example: tidegauge report what-if --remove test-vm-7 test-vm-8 --lower "Tenant A:CloudConnectVM:8"
    WhatIf(adjusting::WhatIf),
    /// Takes all adjustments back
    ///
    /// Exit codes: 3 there are none; 8 the report is not open any more, or was entered elsewhere.
    Reset(ReportArgs),
    /// Puts the report aside; with auto update on it is sent on the auto-submit day all the same, which --until never passes
    ///
    /// Exit codes: 8 the report is not open any more; 65 later than allowed.
    Postpone(acts::Postpone),
    /// Seals and sends the report to the License Update Server
    ///
    /// What leaves is sealed first and never changed afterwards. Sending again after a broken connection is safe: the
    /// server keeps one. Exit codes: 3 it was sent already; 69 the server does not answer, the agent goes on trying;
    /// 77 not enrolled, or auto update is off; 78 no [license_server] in the settings.
    Send(ReportArgs),
    /// Begins the next revision of a report that was sent or entered elsewhere, always with a reason
    ///
    /// It is built again from the samples as they are known today, so it may be higher than the one before. It is open
    /// for adjusting and goes only when somebody sends it, or, without a License Update Server, stands when it is entered
    /// anew (`report mark-external`); keys issued stay. The reason travels with it. Billing documents and usage sinks
    /// follow once it is final.
    ///
    /// Exit codes: 2 it is neither sent nor entered: adjust or reset it instead.
    ///
    /// Example: tidegauge report correct --month 2026-10 --reason "two servers were missing"
    Correct(acts::Reasoned),
    /// Writes the report as a file of one format
    ///
    /// Byte for byte as in the Reports folder. With --pseudonyms it is a document of its own, with its own digest: tenants,
    /// servers, machines, ids of workloads, jobs and what people wrote are pseudonyms, the same in every month and export;
    /// lines and totals are the report's, whose digest it names.
    ///
    /// Exit codes: 2 there is no such format; 73 the file cannot be written.
    ///
    /// Example: tidegauge report save --format pdf --out october.pdf
    Save(acts::Save),
    /// Which name is which pseudonym, of the month's report and billing documents
    ///
    /// The table is computed from the key (keys/pseudonyms.key) each time and kept nowhere: give it to nobody who gets the
    /// documents. --out writes it as CSV, readable by its owner alone.
    ///
    /// Exit codes: 66 there is no report of that month; 73 the file cannot be written.
    ///
    /// Example: tidegauge report pseudonyms --month 2026-10 --out names.csv
    Pseudonyms(pseudonyms::Pseudonyms),
    /// Prints the JSON Schema of the report, as its JSON file and `report show --json` have it
    ///
    /// Example: tidegauge report schema > usage-report-1.schema.json
    Schema,
    /// Why the report differs from last month's, and why it is lower than the highest watermark; with what it amounts to
    ///
    /// The difference is kept in the report: its causes sum to it exactly, for each tenant and in total. With --json it
    /// stands in the field `difference` (tidegauge.month-difference/1) beside the gate's.
    ///
    /// Exit codes: 66 no such unit or server.
    ///
    /// Example: tidegauge report explain --month 2026-10 --by tenant
    Explain(explain::Explain),
    /// Lays the report beside the console's own of the same month, with the differences and their known reasons
    ///
    /// Reads the monthly report of a [[server]] of source vspc and keeps nothing of it. Approving it stays a step in the
    /// console; `report finalize` finalizes it where the settings allow that. Licenses and products that this unit does not count are named outside the sums.
    ///
    /// Exit codes: 0 counts and points are the same; 8 they differ (everything is printed all the same); 66 there is no
    /// report of that month, here or there; 69 the console does not answer; 77 it refuses; 78 no such console in the
    /// settings.
    ///
    /// Example: tidegauge report compare --with vspc01 --month 2026-10
    Compare(compare::Compare),
    /// Finalizes a console's own report, after comparing it and asking twice; off unless the settings switch it on
    ///
    /// Prints every report here beside the console's, as `report compare` does, then asks two questions; the second wants
    /// the month typed. Only a console's newest report can be finalized, and it leaves the console for good. Who did it,
    /// when and why is kept. After a lost answer repeat it: it looks before it asks.
    ///
    /// Exit codes: 2 not confirmed, or nobody is at a terminal and --yes with --yes-finalize is not given; 3 it is finalized
    /// already; 8 the reports differ and no --despite-differences is given, or the console's changed meanwhile; 66 there is
    /// no report of that month, here or there; 69 the console does not answer; 77 it refuses; 78 finalize_reports is not
    /// true for this [[server]].
    ///
    /// Example: tidegauge report finalize --with vspc01 --month 2026-10
    Finalize(finalize::Finalize),
    /// Records that the report was also entered in Pulse or the aggregator's portal
    ///
    /// Sending never replaces that step, and it has its own reminder. What was entered is final: it is charged, and changed
    /// only by `report correct`.
    ///
    /// Example: tidegauge report mark-external --portal Pulse --document 2026-10-4711
    MarkExternal(MarkExternal),
    /// Records why the report may be below the watermark; opens this agent's gate and travels with the report
    ///
    /// Recorded after sending it reaches the License Update Server with the next license check. There it is shown to the
    /// operator, who decides.
    ///
    /// Example: tidegauge report justify --reason "customer left on the 12th, see ticket 4711"
    Justify(acts::Reasoned),
    /// Deletes a month's reports, their files and what proves them, after asking twice; always with a reason
    ///
    /// All revisions leave state, journal and Reports folder, with what was sent of them and the news about them. Who did
    /// it, when, why and the digests stay for good, and the journal's chain holds. Not touched: raw samples and their sums,
    /// which go by age (keep_raw), watermarks, billing documents, exported archives, copies by `store backup`, states in
    /// quarantine/, what others were sent, and what the next report says of the difference. Refused while somebody needs it: an open report, the month the gate judges, one
    /// whose following month is not final, usage that a sink has not taken, and, until ten years after the year of the
    /// newest one, a month with issued billing documents.
    ///
    /// Exit codes: 2 not confirmed, or nobody is at a terminal and --yes with --yes-forget is not given; 8 somebody still
    /// needs it; 66 there is no report of that month; 73 its files could not be removed, and the agent goes on trying; 75 it
    /// is being told or sent right now.
    ///
    /// Example: tidegauge report forget --month 2016-10 --reason "kept for ten years"
    Forget(forget::Forget),
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::List(UnitArgs { unit, server }) => list(session, unit.clone(), server.clone()),
        Act::Show(which) => session.ask_and_show(&report_query(which), text::report),
        Act::Generate(how) => generate(session, how),
        Act::Adjust(how) => {
            let order = Order::Adjust { target: how.which.target(), adjustments: how.adjustments()? };
            session.order_and_show(order, text::adjusted)
        }
        Act::Proposals(which) => proposals::show(session, which),
        Act::Accept(how) => proposals::accept(session, how),
        Act::Approve(how) => approving::approve(session, how),
        Act::Reject(how) => approving::reject(session, how),
        Act::WhatIf(how) => {
            let query = Query::WhatIf { target: how.which.target(), adjustments: how.adjustments()? };
            session.ask_and_show(&query, super::gate::what_if)
        }
        Act::Reset(which) => session.order_and_show(Order::Reset { target: which.target() }, text::changed),
        Act::Postpone(how) => {
            let order = Order::Postpone { target: how.which.target(), until: how.until };
            session.order_and_show(order, text::changed)
        }
        Act::Send(which) => {
            session.refuse_now("report send")?;
            session.order_and_show(Order::Send { target: which.target() }, text::changed)
        }
        Act::Correct(how) => {
            session.refuse_now("report correct")?;
            let order = Order::Correct { target: how.which.target(), reason: how.reason.clone() };
            session.order_and_show(order, text::changed)
        }
        Act::Save(how) => save(session, how),
        Act::Pseudonyms(how) => pseudonyms::run(session, how),
        Act::Schema => schema(session),
        Act::Explain(asked) => explain::run(session, asked),
        Act::Compare(how) => compare::run(session, how),
        Act::Finalize(how) => finalize::run(session, how),
        Act::MarkExternal(how) => {
            let (portal, document) = (how.portal.clone(), how.document.clone());
            session.order_and_show(Order::MarkExternal { target: how.which.target(), portal, document }, text::changed)
        }
        Act::Forget(how) => forget::run(session, how),
        Act::Justify(how) => {
            let order = Order::Justify { target: how.which.target(), reason: how.reason.clone() };
            session.order_and_show(order, text::changed)
        }
    }
}

fn report_query(which: &ReportArgs) -> Query {
    Query::Report { unit: which.unit.unit.clone(), server: which.unit.server.clone(), month: which.month }
}

/// A list is one table, also when there are several units.
fn list(session: &mut Session<'_>, unit: Option<String>, server: Option<String>) -> Result<(), Refused> {
    let mut reports = session.ask(&Query::Reports { unit: unit.clone(), server: server.clone() })?;
    let mut forgotten = session.ask(&Query::Forgotten { unit, server })?;
    if session.global.json {
        if let (Some(reports), Some(forgotten)) = (reports.as_array_mut(), forgotten.as_array_mut()) {
            reports.append(forgotten);
        }
        return session.show(&reports, text::changed);
    }
    let rows = |answer: &Value| answer.as_array().cloned().unwrap_or_default();
    session.print(&text::list(&rows(&reports)))?;
    let hour = session.hour().now;
    rows(&forgotten).iter().try_for_each(|one| session.print(&forget::text(one, hour)))
}

fn generate(session: &mut Session<'_>, how: &Generate) -> Result<(), Refused> {
    let UnitArgs { unit, server } = how.which.unit.clone();
    if how.on_demand {
        return session.ask_and_show(&Query::OnDemand { unit, server }, text::report);
    }
    session.order_and_show(Order::Generate { target: how.which.target() }, text::changed)
}

fn save(session: &mut Session<'_>, how: &acts::Save) -> Result<(), Refused> {
    let (UnitArgs { unit, server }, names, out) = (how.which.unit.clone(), how.names.names(), &how.out);
    let query = Query::ReportFile { unit, server, month: how.which.month, format: how.format.clone(), names };
    let file = session.ask_under(names, &query)?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(word(&file, "base64"))
        .map_err(|error| Refused::new(76, format!("the agent's answer is no file: {error}")))?;
    session.write(out, &bytes)?;
    let saved = serde_json::json!({
        "schema": "tidegauge.saved/1",
        "path": out.display().to_string(),
        "bytes": bytes.len(),
        "media_type": file["media_type"],
        "names": file["names"],
        "digest": file["digest"],
    });
    session.show(&saved, saved_text)
}

/// The published schema of reports.
fn schema(session: &mut Session<'_>) -> Result<(), Refused> {
    let published = SCHEMAS.iter().find(|schema| schema.name == SCHEMA).expect("the report's schema is published");
    session.print(published.text)
}

fn saved_text(saved: &Value, _: Instant) -> String {
    let names = if saved["names"] == "pseudonyms" { ", names are pseudonyms" } else { "" };
    format!("{} ({} bytes{names})\n", word(saved, "path"), word(saved, "bytes"))
}
