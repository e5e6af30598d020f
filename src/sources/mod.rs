//! How usage sources speak: pure conversations. A source is one file (or folder) and one row of [`SOURCES`].

pub mod enterprise_manager;
pub mod finalizing;
pub mod renewing;
pub mod snapshot_file;
pub mod snapshot_folder;
pub mod tenants_from;
pub mod vbr;
pub mod vspc;

mod json_field;
mod json_place;
mod lenient;
mod reply;
mod snapshot_sections;
mod trouble;

use std::sync::Arc;

use crate::ask::Conversation;
use crate::domain::console_report::ConsoleReport;
use crate::domain::installation::ServerName;
use crate::domain::sample::Sample;
use crate::domain::{Instant, Month};

pub use tenants_from::TenantsFrom;

/// What a source conversation is told: no clock is read.
#[derive(Clone, Debug)]
pub struct Brief {
    /// The server in the settings; also the peer of every ask.
    pub server: ServerName,
    /// The start of the read.
    pub now: Instant,
    /// The server's newest complete sample, when there is one.
    pub previous: Option<Arc<Sample>>,
    pub sweep: Sweep,
    pub settings: SourceSettings,
    /// Servers that this source named before, for sources that name several.
    pub known: Vec<KnownServer>,
    /// What the read before left behind ([`Collected::remembered`]).
    pub remembered: Remembered,
}

/// What a read leaves behind so that the next one need not read again what comes again; it changes no sample. Only in
/// memory, and only of use while the sample made of it is the server's newest.
#[derive(Clone, Debug, Default)]
pub struct Remembered(Option<Arc<vbr::KnownList>>);

/// It says nothing of what was collected.
impl PartialEq for Remembered {
    fn eq(&self, _: &Remembered) -> bool {
        true
    }
}

impl Eq for Remembered {}

/// A server that a source named before, and the installation behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownServer {
    pub server: ServerName,
    pub installation_id: Option<String>,
}

/// How far back restore points are asked for, by sources that read them bit by bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Since the newest one known, less two hours.
    Since,
    /// All that can matter: the last 32 days.
    Full,
}

/// Settings of one source that are neither address nor login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceSettings {
    /// The REST revision to begin with, such as `1.3-rev1`: set by a person or remembered from [`Collected::revision`].
    pub revision: Option<String>,
    /// Who names the tenants of this server, when another source does.
    pub tenants_from: Option<TenantsFrom>,
    pub signs_in: SignsIn,
}

/// What a source shows to be let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignsIn {
    /// User name and password.
    #[default]
    Password,
    /// The peer's API key.
    ApiKey,
}

/// What came of a source conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Oldest first.
    pub samples: Vec<Sample>,
    /// Servers that one sample counts together, as the source calls them; none for a sample of one server.
    pub sums: Vec<String>,
    /// Files that were refused and moved aside.
    pub rejected: Vec<Rejected>,
    /// Files to put away once their samples are recorded.
    pub taken: Vec<String>,
    /// The server's clock near [`Brief::now`], for the clock check.
    pub server_time: Option<Instant>,
    /// The REST revision that was spoken.
    pub revision: Option<String>,
    /// What was seen and belongs to no sample, in words.
    pub notes: Vec<String>,
    /// For the next [`Brief`].
    pub remembered: Remembered,
}

/// A refused file and why, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub file: String,
    pub why: String,
}

/// A source's conversation.
pub type Talk = Box<dyn Conversation<Done = Collected>>;

/// The conversation that reads a month's report; `None`: the far side has none of that month.
pub type MonthlyReportTalk = Box<dyn Conversation<Done = Option<ConsoleReport>>>;

/// One source of the settings' `source = "…"`.
pub struct SourceRow {
    pub name: &'static str,
    pub open: fn(Brief) -> Talk,
    pub reach: Reach,
    /// Opens the exchange about the server's license key; `None`: its servers cannot be asked for that.
    pub renew: Option<fn(renewing::Errand) -> renewing::Talk>,
    /// What can be done with the far side's own monthly reports; `None`: it makes none.
    pub monthly_reports: Option<MonthlyReports>,
    pub names: Names,
}

/// What can be done with monthly reports that the far side makes itself.
#[derive(Clone, Copy)]
pub struct MonthlyReports {
    /// Reads that of a month.
    pub read: fn(Brief, Month) -> MonthlyReportTalk,
    /// Finalizes the newest.
    pub finalize: fn(finalizing::Errand) -> finalizing::Talk,
}

/// Whose samples a source gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Those of the one server of its settings.
    OneServer,
    /// Those of each server that it names, as `<server>@<name in the settings>`.
    ItsServers,
}

/// How a source's far side is reached, and what it wants to let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A folder of this machine.
    Folder,
    /// HTTP and a login with a password.
    Login,
    /// HTTP, and an API key or a login with a password.
    LoginOrKey,
}

/// Every source.
pub const SOURCES: [SourceRow; 4] = [vbr::ROW, vspc::ROW, enterprise_manager::ROW, snapshot_folder::ROW];

/// The source of this name.
pub fn source_named(name: &str) -> Option<&'static SourceRow> {
    const ROWS: &[SourceRow] = &SOURCES;
    ROWS.iter().find(|row| row.name == name)
}
