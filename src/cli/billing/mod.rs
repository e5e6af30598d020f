//! `billing`: files for those who bill, and what they rest on.

mod export;
mod rates;
mod reconcile;

use clap::{Args, Subcommand};

use super::session::Session;
use crate::agent::{Query, Refused};
use crate::domain::Month;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Writes a month's invoice lines, tenant statements or FOCUS rows, by the price book
    ///
    /// `lines` is one file for a billing system, CSV or JSON, with ids that stay and lead back to report lines and
    /// workloads. `statements` is a folder with a PDF and a CSV for each tenant, without what the supplier asks. `focus` is
    /// a FOCUS 1.2 CSV; the price book's [focus] says who sells. The name of a [[billing.profile]] of the settings writes
    /// its columns for an accounting program. Files are readable by their owner alone; repeating the command writes the
    /// same bytes.
    ///
    /// Without --final it is a draft and says so on every page and line, of a profile where it has {document} or {status}.
    /// --final issues a document, which is never changed: once a report is corrected, or prices are, the next document
    /// holds the differences and names the one before.
    /// Each export is recorded in the journal with who, when and what.
    ///
    /// With --pseudonyms tenants, customer numbers, servers, machines and ids of lines are pseudonyms, the same in every
    /// export; money and points are the document's, whose digest the file names.
    ///
    /// Exit codes: 2 no such format; 8 --final, and a report of the month is neither sent nor marked as entered elsewhere;
    /// 65 a name has signs that the profile's encoding lacks; 66 no report of the month, or no such document; 73 a file
    /// cannot be written; 78 no price book, or a wrong one, or for `focus` one without [focus].
    ///
    /// Example: tidegauge billing export --month 2026-10 --format lines --out october.csv
    Export(export::Export),
    /// The documents that were issued: number, month, amount, when and by whom
    ///
    /// Exit codes: 0 also when none was issued yet; 2 --month is no month.
    ///
    /// Example: tidegauge billing documents --month 2026-10
    Documents(Documents),
    /// Holds the supplier's invoice against the sent report and the tenants' lines
    ///
    /// FILE is a CSV with a header. Its columns are found by name (type, quantity, points, amount, tenant) or named in
    /// [billing.supplier] of the settings, which also says what the supplier's articles are here. Workloads and points are
    /// held against the report, the report against the lines, and money against what the lines say that the supplier asks.
    ///
    /// Exit codes: 0 equal; 8 differences, each named by type and tenant; 65 the file is no such invoice: line and column
    /// are named; 66 no file, or no report of the month; 78 no price book, or a wrong one.
    ///
    /// Example: tidegauge billing reconcile --supplier-invoice supplier.csv --month 2026-10 --tolerance 0.05
    Reconcile(reconcile::Reconcile),
    /// The points tables: what a workload weighs where its server states nothing
    #[command(subcommand)]
    Rates(rates::Act),
}

#[derive(Debug, Args)]
pub struct Documents {
    /// Of this month; without it of all
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::Export(how) => export::run(session, how),
        Act::Documents(Documents { month }) => {
            session.ask_and_show(&Query::Invoices { month: *month }, export::documents)
        }
        Act::Reconcile(how) => reconcile::run(session, how),
        Act::Rates(act) => rates::run(session, act),
    }
}
