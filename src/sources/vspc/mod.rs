//! The source `vspc`: the REST API v3 of VSPC 8.1 to 9.3, one request at a time.
//!
//! A console knows companies, the backup servers and Cloud Connect sites they use, and what each counts there. It gives
//! one sample a server, counts only, named `<server>@<name in the settings>`. Its own report of a month is read for comparing.
//! Everything is read-only but `finalize`, which only a person's order begins.

mod answers;
mod finalize;
mod kinds;
mod license;
mod list;
mod names;
mod reading;
mod report;
mod report_answers;
mod report_usage;
mod revision;
mod samples;
mod session;
mod talk;
mod trouble;
mod usage;

use finalize::FinalizeReading;
use reading::UsageReading;
use report::ReportReading;
use talk::VspcTalk;

use super::{Brief, MonthlyReportTalk, MonthlyReports, Names, Reach, SourceRow, Talk, finalizing};
use crate::domain::Month;

pub use kinds::{TYPES, kind_of};
pub use revision::{REVISIONS, Revision};
pub use talk::ASKS_MAX;

pub const ROW: SourceRow = SourceRow {
    name: "vspc",
    open,
    reach: Reach::LoginOrKey,
    names: Names::ItsServers,
    renew: None,
    monthly_reports: Some(MonthlyReports { read: open_report, finalize: open_finalizing }),
};

fn open(brief: Brief) -> Talk {
    Box::new(VspcTalk::new(&brief.clone(), UsageReading::new(brief)))
}

fn open_report(brief: Brief, month: Month) -> MonthlyReportTalk {
    Box::new(VspcTalk::new(&brief, ReportReading::new(brief.server.clone(), month)))
}

fn open_finalizing(errand: finalizing::Errand) -> finalizing::Talk {
    let brief = errand.brief.clone();
    Box::new(VspcTalk::new(&brief, FinalizeReading::new(errand)))
}
