//! The settings file, read into the settings of each room (design.md section 9).

mod billing;
mod console;
mod explain;
mod far;
mod hook;
mod in_force;
mod mail;
mod managed;
mod openid;
mod overlay;
mod policy;
mod read;
mod refusal;
mod running;
mod section;
mod server;
mod start;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::ask::Peer;
use crate::billing::profile::Profile;
use crate::billing::supplier_invoice::Reading;
use crate::domain::Points;
use crate::domain::events::EVENTS;
use crate::domain::gate::Tolerance;
use crate::domain::installation::entry_of;
use crate::domain::pseudonym::HandedOut;
use crate::doors::peer::{HttpPeer, LICENSE_SERVER, MAIL, PeerSettings};
use crate::protocol::ReportDetail;
use crate::rules::deadlines::Deadlines;
use crate::rules::points_table::{self, NotATable};
use crate::rules::rating::Rating;
use crate::rules::retention::Keep;
use crate::rules::schedule::Policy;
use crate::rules::working_days::WorkingDays;
use crate::sources::Names;

pub use console::{CONSOLE_LISTEN, ConsoleSettings, ServingTls};
pub use hook::{SinkSettings, Span, WebhookSettings};
pub use in_force::InForce;
pub use mail::{MailRoute, MailSettings};
pub use openid::OpenIdSettings;
pub use read::{Flags, Written};
pub use refusal::{Refusal, Refusals};
pub use server::{LicenseBy, ManagedBy, MonthEnd, ServerSettings};
pub use start::STARTING_FILE;
pub use tree::Origin;

/// Everything the settings say. Without a file the defaults hold.
#[derive(Clone, Debug)]
pub struct Settings {
    pub state_dir: PathBuf,
    pub reports_dir: PathBuf,
    /// For showing times only; every period is GMT.
    pub time_zone: Tz,
    /// Whole minutes, 1 minute to 24 hours.
    pub sample_interval: TimeDelta,
    /// How old a sample may be and still stand for its server.
    pub basis_max_age: TimeDelta,
    /// How long raw samples and told news are kept; aggregates and reports never go.
    pub keep: Keep,
    pub count_duplicates_once: bool,
    pub report_detail: ReportDetail,
    /// Documents whose names are always pseudonyms.
    pub pseudonyms: BTreeSet<HandedOut>,
    /// Font files for what the built-in typeface lacks, asked before those in the usual places.
    pub fonts: Vec<PathBuf>,
    pub deadlines: Deadlines,
    /// On which days people are reminded.
    pub working_days: WorkingDays,
    /// Auto-submit needs at least this share of the month's expected samples, 0 to 100.
    pub coverage_percent_min: u8,
    pub tolerance: Tolerance,
    /// Whether a license key with another package may be installed by itself.
    pub allow_package_change: bool,
    /// In the file's order; names differ.
    pub servers: Vec<ServerSettings>,
    /// Enterprise Managers that only name tenants of other servers (`tenants_from`): not sampled themselves.
    pub managers: Vec<ServerSettings>,
    pub license_server: Option<HttpPeer>,
    pub mail: Option<MailSettings>,
    /// Endpoints that are told news; names differ.
    pub webhooks: Vec<WebhookSettings>,
    /// Endpoints that are sent usage; names differ.
    pub usage_sinks: Vec<SinkSettings>,
    /// Where the console listens; `None`: nowhere.
    pub console: Option<ConsoleSettings>,
    pub price_book: Option<PathBuf>,
    /// Files for accounting programs; names differ, and none is a row of `billing::export::EXPORTS`.
    pub billing_profiles: Vec<Profile>,
    /// How the supplier writes its invoice.
    pub supplier: Reading,
    /// Own points tables, which win over those of the program; a later file wins over an earlier one.
    pub points_tables: Vec<PathBuf>,
    /// What the tables say, once they are read, and what unknown types are mapped to.
    pub rating: Rating,
    /// Where each value was given, by its name as [`Settings::explain`] writes it; what is not there is a default.
    pub given: BTreeMap<String, Origin>,
}

impl Default for Settings {
    fn default() -> Settings {
        let base = PathBuf::from(if cfg!(windows) { r"C:\ProgramData\Tidegauge" } else { "/var/lib/tidegauge" });
        Settings {
            reports_dir: base.join(if cfg!(windows) { "Reports" } else { "reports" }),
            state_dir: base,
            time_zone: Tz::UTC,
            sample_interval: TimeDelta::hours(1),
            basis_max_age: TimeDelta::hours(2),
            keep: Keep { raw: TimeDelta::days(400), mail: TimeDelta::days(400) },
            count_duplicates_once: false,
            report_detail: ReportDetail::default(),
            pseudonyms: BTreeSet::new(),
            fonts: Vec::new(),
            deadlines: Deadlines::default(),
            working_days: WorkingDays::default(),
            coverage_percent_min: 50,
            tolerance: Tolerance::default(),
            allow_package_change: false,
            servers: Vec::new(),
            managers: Vec::new(),
            license_server: None,
            mail: None,
            webhooks: Vec::new(),
            usage_sinks: Vec::new(),
            console: Some(ConsoleSettings::default()),
            price_book: None,
            billing_profiles: Vec::new(),
            supplier: Reading::default(),
            points_tables: Vec::new(),
            rating: Rating::default(),
            given: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// By how many points a person may lower a report alone; `None`: by any.
    pub fn four_eyes(&self) -> Option<Points> {
        self.console.as_ref().and_then(|console| console.four_eyes)
    }

    /// The settings of a server: its own, or those of the source that names it.
    pub fn server(&self, name: &str) -> Option<&ServerSettings> {
        let names_it =
            |server: &&ServerSettings| server.name == entry_of(name) && server.source_row().names == Names::ItsServers;
        let own = self.servers.iter().find(|server| server.name == name);
        own.or_else(|| self.servers.iter().find(names_it))
    }

    /// Takes what stands in one of [`Settings::points_tables`], in their order.
    ///
    /// # Errors
    /// [`NotATable`] names the line and what is wrong.
    pub fn take_points_table(&mut self, name: &str, text: &str) -> Result<(), NotATable> {
        let rows = points_table::read(name, text)?;
        self.rating.rows.retain(|known| !rows.iter().any(|row| row.is_about(known)));
        self.rating.rows.extend(rows);
        Ok(())
    }

    /// What the schedule obeys.
    pub fn policy(&self) -> Policy {
        Policy {
            sample_interval: self.sample_interval,
            basis_max_age: self.basis_max_age,
            deadlines: self.deadlines,
            working_days: self.working_days.clone(),
            keep: self.keep,
        }
    }

    /// Whether our License Update Server renews the license of these servers.
    pub fn renews_by_license_server(&self, servers: &[String]) -> bool {
        let by = |name: &String| self.server(name).map_or(LicenseBy::LicenseServer, |server| server.license);
        servers.iter().map(by).all(|by| by == LicenseBy::LicenseServer)
    }

    /// Those of the servers that renew their license themselves when they are asked.
    pub fn asked_to_renew(&self, servers: &[String]) -> Vec<String> {
        let is_asked =
            |name: &&String| self.server(name).is_some_and(|server| server.license == LicenseBy::BackupServer);
        servers.iter().filter(is_asked).cloned().collect()
    }

    /// Who is told news of this kind, as duties name them: a mail address, or `CHANNEL:NAME`.
    pub fn recipients(&self, event: &str) -> Vec<String> {
        let webhooks = self.webhooks.iter().filter(|webhook| webhook.events.has(event)).map(WebhookSettings::peer);
        self.mail.iter().flat_map(|mail| mail.recipients(event)).chain(webhooks).collect()
    }

    /// Whether this recipient is told anything.
    pub fn tells(&self, recipient: &str) -> bool {
        EVENTS.iter().any(|event| self.recipients(event).iter().any(|told| told == recipient))
    }

    /// How each far side is reached: what the wire is built from.
    pub fn peers(&self) -> BTreeMap<Peer, PeerSettings> {
        let servers =
            self.servers.iter().chain(&self.managers).map(|server| (server.name.clone(), server.reach.clone()));
        let license_server = self.license_server.iter().cloned().map(PeerSettings::Http);
        let mail = self.mail.iter().map(|mail| PeerSettings::Mail(mail.server.clone()));
        let webhooks = self.webhooks.iter().map(|one| (one.peer(), PeerSettings::Hook(one.endpoint.clone())));
        let sinks = self.usage_sinks.iter().map(|one| (one.peer(), PeerSettings::Hook(one.endpoint.clone())));
        let openid = self.console.iter().filter_map(|console| console.openid.as_ref()).flat_map(OpenIdSettings::peers);
        servers
            .chain(webhooks)
            .chain(openid)
            .chain(sinks)
            .chain(license_server.map(|peer| (LICENSE_SERVER.to_owned(), peer)))
            .chain(mail.map(|peer| (MAIL.to_owned(), peer)))
            .collect()
    }
}
