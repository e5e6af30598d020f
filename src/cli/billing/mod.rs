//! `billing`: files for those who bill, and what they rest on.

mod export;
mod rates;

use clap::{Args, Subcommand};

use super::session::Session;
use crate::agent::{Query, Refused};
use crate::domain::Month;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Writes a month's invoice lines or tenant statements, by the price book
    ///
    /// `lines` is one file for a billing system, CSV or JSON, with ids that stay and lead back to report lines and
    /// workloads. `statements` is a folder with a PDF and a CSV for each tenant, without what the supplier asks. Files are
    /// readable by their owner alone; repeating the command writes the same bytes.
    ///
    /// Without --final it is a draft and says so on every page and line. --final issues a document, which is never changed:
    /// once a report is corrected, or prices are, the next document holds the differences and names the one before.
    /// Each export is recorded in the journal with who, when and what.
    ///
    /// Exit codes: 2 no such format; 8 --final, and a report of the month is neither sent nor marked as entered elsewhere;
    /// 66 no report of the month, or no such document; 73 a file cannot be written; 78 no price book, or a wrong one.
    ///
    /// Example: tidegauge billing export --month 2026-10 --format lines --out october.csv
    Export(export::Export),
    /// The documents that were issued: number, month, amount, when and by whom
    ///
    /// Example: tidegauge billing documents --month 2026-10
    Documents(Documents),
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
        Act::Rates(act) => rates::run(session, act),
    }
}
