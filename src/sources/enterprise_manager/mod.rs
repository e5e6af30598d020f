//! The source `enterprise_manager`: the REST API of Veeam Backup Enterprise Manager, read-only.
//!
//! Log in, read the cloud tenants with their counters, log out. It has no license resource and no machines: it gives
//! counts per tenant and type, for a Cloud Connect server that is reached by no other way, or beside one that is
//! ([`super::tenants_from`]).

mod answers;
mod counters;
mod reading;
mod session;
mod trouble;

use std::collections::BTreeMap;

use reading::Reading;
use session::Session;

use super::reply::date_of;
use super::{Brief, Collected, Names, Reach, SourceRow, Talk};
use crate::ask::{Answer, Ask, Conversation, HttpAsk, Setback, Step};
use crate::domain::Instant;
use crate::domain::installation::ServerName;
use crate::domain::license::{License, LicenseType};
use crate::domain::sample::Sample;
use crate::domain::tenant::TenantCount;
use crate::domain::workloads::Workloads;

pub use counters::{COUNTERS, CounterRow, Numbers, Part};

/// Asks of one conversation, logins and logout included.
pub const ASKS_MAX: u32 = 12_000;
/// Longest wait for one answer: the samples of other servers may wait for it.
const SECONDS_MAX: u32 = 30;

/// What Enterprise Manager counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    /// The counts of each backup server's tenants, by the name Enterprise Manager has for it; empty: it named none.
    pub servers: BTreeMap<String, Vec<TenantCount>>,
    /// What is strange about it.
    pub notes: Vec<String>,
}

/// The conversation with one Enterprise Manager.
pub struct ManagerTalk {
    manager: ServerName,
    session: Session,
    reading: Reading,
    awaiting: Awaiting,
    /// The path of the ask under way.
    path: String,
    asks: u32,
    /// The ask under way was refused with a 401 once, and is asked again after a login.
    is_second_try: bool,
    /// The first `Date` of the server: a read may take longer than clocks may differ from the instant of its start.
    heard_at: Option<Instant>,
    setback: Option<Setback>,
}

#[derive(Clone, Copy)]
enum Awaiting {
    Session,
    Reading,
    Farewell,
}

impl ManagerTalk {
    pub fn new(manager: ServerName) -> ManagerTalk {
        ManagerTalk {
            session: Session::new(manager.clone()),
            reading: Reading::new(manager.clone()),
            manager,
            awaiting: Awaiting::Session,
            path: String::new(),
            asks: 0,
            is_second_try: false,
            heard_at: None,
            setback: None,
        }
    }

    /// Its clock, by its first answer.
    pub fn server_time(&self) -> Option<Instant> {
        self.heard_at
    }

    fn hear(&mut self, answer: &Answer) -> Result<(), Setback> {
        if let Answer::Http(http) = answer {
            self.heard_at = self.heard_at.or_else(|| date_of(http));
        }
        match self.awaiting {
            Awaiting::Farewell => Ok(()),
            Awaiting::Session => self.session.hear(answer),
            Awaiting::Reading => {
                let is_refused = matches!(answer, Answer::Http(http) if http.status == 401);
                if is_refused && !self.is_second_try {
                    self.is_second_try = true;
                    self.session.lost();
                    return Ok(());
                }
                self.is_second_try = false;
                self.reading.hear(&self.path, answer)
            }
        }
    }

    fn speak(&mut self) -> Step<Managed> {
        if self.asks >= ASKS_MAX && self.setback.is_none() {
            let why = format!("{}: not read to the end within {ASKS_MAX} requests", self.manager);
            self.setback = Some(Setback::TryAgain { why });
        }
        if self.setback.is_none() && !self.reading.is_done() {
            if let Some(ask) = self.session.wants() {
                return self.ask(Awaiting::Session, ask);
            }
            if let Some(path) = self.reading.wants() {
                let ask = self.session.dress(HttpAsk::get(&self.manager, path));
                return self.ask(Awaiting::Reading, ask);
            }
        }
        match (self.session.logout(), self.setback.take()) {
            (Some(farewell), setback) => {
                self.setback = setback;
                self.ask(Awaiting::Farewell, farewell)
            }
            (None, Some(setback)) => Step::Setback(setback),
            (None, None) => Step::Done(self.reading.managed()),
        }
    }

    fn ask(&mut self, awaiting: Awaiting, ask: HttpAsk) -> Step<Managed> {
        self.awaiting = awaiting;
        self.asks += 1;
        self.path = ask.path.split('?').next().unwrap_or_default().to_owned();
        Step::Ask(Ask::Http(HttpAsk { seconds_max: ask.seconds_max.min(SECONDS_MAX), ..ask }))
    }
}

impl Conversation for ManagerTalk {
    type Done = Managed;

    fn next(&mut self, heard: Option<Answer>) -> Step<Managed> {
        if let Some(Err(setback)) = heard.map(|answer| self.hear(&answer)) {
            self.setback = Some(setback);
        }
        self.speak()
    }
}

pub const ROW: SourceRow = SourceRow {
    name: "enterprise_manager",
    open,
    reach: Reach::Login,
    names: Names::OneServer,
    renew: None,
    monthly_reports: None,
};

fn open(brief: Brief) -> Talk {
    Box::new(Alone { talk: ManagerTalk::new(brief.server.clone()), brief })
}

/// Its counts as the sample of a server that nothing else reaches.
struct Alone {
    brief: Brief,
    talk: ManagerTalk,
}

impl Alone {
    fn had_counts(&self) -> bool {
        self.brief.previous.as_ref().is_some_and(|previous| !previous.counts.is_empty())
    }
}

impl Conversation for Alone {
    type Done = Collected;

    fn next(&mut self, heard: Option<Answer>) -> Step<Collected> {
        match self.talk.next(heard) {
            Step::Ask(ask) => Step::Ask(ask),
            Step::Setback(setback) => Step::Setback(setback),
            Step::Done(managed) if managed.servers.is_empty() && self.had_counts() => {
                let why = "it names no tenant at all, while the sample before counted some and nothing confirms that \
                           they are gone: look at its tenants and at the rights of the account";
                Step::Setback(trouble::unreadable(&self.brief.server, "/api/cloud/tenants", why))
            }
            Step::Done(managed) => Step::Done(Collected {
                sums: managed.servers.keys().filter(|name| !name.is_empty()).cloned().collect(),
                samples: vec![sample(&self.brief, managed)],
                server_time: self.talk.server_time(),
                ..Collected::default()
            }),
        }
    }
}

/// Tenants are on Cloud Connect servers only, and those have rental keys (domain.md 1, "VCC license").
fn sample(brief: &Brief, managed: Managed) -> Sample {
    Sample {
        server: brief.server.clone(),
        taken_at: brief.now,
        license: License { kind: LicenseType::Rental, cloud_connect: true, ..License::default() },
        workloads: Workloads::default(),
        counts: managed.servers.into_values().flatten().collect(),
        vouched: false,
        restore_points_swept_at: None,
        discrepancies: managed.notes,
        stale: None,
    }
}
