//! The source `vbr`: the REST API of VBR 12.3.1 to 13.1, read-only, one request at a time.
//!
//! Log in, read clock, license, workloads and restore points, log out. The list of license workloads is what counts;
//! restore points only date it, so trouble with them is noted on the sample and does not cost it.

mod answers;
mod dating;
mod instances;
mod join;
mod kinds;
mod license;
mod pages;
mod reading;
mod renewing;
mod revision;
mod session;
pub(super) mod trouble;
mod weights;

use reading::Reading;
use session::Session;

use super::tenants_from::NamingTenants;
use super::{Brief, Collected, Names, Reach, SourceRow, Talk};
use crate::ask::{Answer, Ask, Conversation, HttpAsk, Setback, Step};

pub use kinds::{PLATFORMS, PlatformRow, kind_displayed_as};
pub use pages::KnownList;
pub use renewing::RenewTalk;
pub use revision::{REVISIONS, Revision};

pub const ROW: SourceRow = SourceRow {
    name: "vbr",
    open,
    reach: Reach::Login,
    names: Names::OneServer,
    renew: Some(renewing::open),
    monthly_reports: None,
};

/// Asks of one conversation, logins and logout included.
pub const ASKS_MAX: u32 = 5_000;

fn open(brief: Brief) -> Talk {
    let names_tenants = brief.settings.tenants_from.is_some();
    let talk: Talk = Box::new(VbrTalk::new(brief.clone()));
    if names_tenants { Box::new(NamingTenants::new(talk, &brief)) } else { talk }
}

/// The conversation with one VBR server.
pub struct VbrTalk {
    server: String,
    session: Session,
    reading: Reading,
    awaiting: Awaiting,
    /// The path of the ask under way, without its query.
    path: String,
    asks: u32,
    /// The ask under way was refused with a 401 once, and is asked again after a login.
    is_second_try: bool,
    setback: Option<Setback>,
}

enum Awaiting {
    Session,
    Reading,
    Farewell,
}

impl VbrTalk {
    pub fn new(brief: Brief) -> VbrTalk {
        VbrTalk {
            server: brief.server.clone(),
            session: Session::new(brief.server.clone(), brief.settings.revision.as_deref()),
            reading: Reading::new(brief),
            awaiting: Awaiting::Session,
            path: String::new(),
            asks: 0,
            is_second_try: false,
            setback: None,
        }
    }

    fn hear(&mut self, answer: &Answer) -> Result<(), Setback> {
        if let Answer::Http(http) = answer {
            self.session.note_date(http);
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
                self.reading.hear(&self.path, answer)?;
                if let Some(build) = self.reading.build() {
                    self.session.settle(build);
                }
                Ok(())
            }
        }
    }

    fn speak(&mut self) -> Step<Collected> {
        if self.asks >= ASKS_MAX && self.setback.is_none() {
            let why = format!("{}: not read to the end within {ASKS_MAX} requests", self.server);
            self.setback = Some(Setback::TryAgain { why });
        }
        if self.setback.is_none() && !self.reading.is_done() {
            if let Some(ask) = self.session.wants() {
                return self.ask(Awaiting::Session, ask);
            }
            if let Some(path) = self.reading.wants() {
                let ask = self.session.dress(path.ask(&self.server));
                return self.ask(Awaiting::Reading, ask);
            }
        }
        match (self.session.logout(), self.setback.take()) {
            (Some(farewell), setback) => {
                self.setback = setback;
                self.ask(Awaiting::Farewell, farewell)
            }
            (None, Some(setback)) => Step::Setback(setback),
            (None, None) => Step::Done(self.reading.collected(self.session.revision())),
        }
    }

    fn ask(&mut self, awaiting: Awaiting, ask: HttpAsk) -> Step<Collected> {
        self.awaiting = awaiting;
        self.asks += 1;
        self.path = ask.path.split('?').next().unwrap_or_default().to_owned();
        Step::Ask(Ask::Http(ask))
    }
}

impl Conversation for VbrTalk {
    type Done = Collected;

    fn next(&mut self, heard: Option<Answer>) -> Step<Collected> {
        if let Some(Err(setback)) = heard.map(|answer| self.hear(&answer)) {
            self.setback = Some(setback);
        }
        self.speak()
    }
}
