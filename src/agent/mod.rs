//! Load, decide, act, record: the one owner of the store.
//!
//! [`Agent::next`] says what is due, [`Agent::begin`] turns it into a conversation that runs outside the owner,
//! [`Agent::finish`] records what came of it. People's orders go through [`Agent::obey`], questions through
//! [`Agent::answer`].

pub mod access;
pub mod asked;
mod clock;
mod collect;
mod compare;
mod difference;
mod enrol;
mod entries;
mod events;
mod evidence;
mod facts;
mod finalize;
mod forget;
mod gate;
mod generate;
mod held_reports;
mod hooks;
mod identity;
mod keeping;
mod kept;
mod license;
mod losses;
mod members;
mod metering;
mod notices;
mod on_file;
pub mod orders;
mod paging;
mod peak;
mod people;
mod permission;
mod pseudonyms;
mod put_off;
mod reload;
mod remind;
mod rerating;
mod retention;
mod rulings;
mod run;
mod sent_again;
mod slot;
pub mod story;
mod submit;
mod support;
mod telemetry;
mod trial_read;
mod trouble;
mod typefaces;
mod units;
mod views;
mod write_files;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ask::{Conversation, HttpAnswer, Setback};
use crate::config::Settings;
use crate::domain::Instant;
use crate::domain::console_report::ConsoleReport;
use crate::domain::installation::{ServerName, UnitId};
use crate::doors::{Chance, Files};
use crate::rules::schedule::{self, Planned, Policy};
use crate::sources::{Collected, Remembered};
use crate::store::fact::Fact;
use crate::store::{Opening, Store, StoreError};
use kept::KeptRows;

pub use crate::rules::schedule::Duty;
pub use access::{Knock, Query};
pub use clock::clocks_apart;
pub use evidence::verify_evidence;
pub use hooks::Again;
pub use identity::Identity;
pub use keeping::{Care, Place, Window, restore, window};
pub use orders::{Obeyed, Order};
pub use people::{FirstSignIn, INVITATION_HOURS};
pub use run::{carry_out, converse};
pub use support::support_of_settings;
pub use trial_read::{TrialRead, trial_read};
pub use trouble::{Refused, Trouble};
pub use views::{JOURNAL_KINDS, JournalKind, JournalSearch, ProofAsked, settings_shown};

/// The hour of a deed: by the clock in force, and by the true clock (they differ in rehearsals and with `--now`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    pub now: Instant,
    pub recorded_at: Instant,
}

impl Hour {
    /// Both clocks agree.
    pub fn at(now: Instant) -> Hour {
        Hour { now, recorded_at: now }
    }
}

/// Most duties in flight at once.
pub const FLIGHTS_MAX: usize = 32;
/// Of them, most samples: however many servers hang, reports, letters and license checks go their way.
pub const SAMPLES_AT_ONCE_MAX: usize = 24;

/// The owner of the store: decides and records, never waits for anybody.
pub struct Agent {
    store: Store,
    settings: Settings,
    identity: Identity,
    files: Arc<dyn Files>,
    chance: Box<dyn Chance>,
    flights: BTreeSet<Duty>,
    /// What the newest read of each server left behind for the next.
    lists: BTreeMap<ServerName, Remembered>,
    /// License checks in flight.
    license_sessions: BTreeMap<UnitId, license::Session>,
    /// What consoles reported when a person last asked for it, by entry of the settings; never kept.
    console_reports: BTreeMap<String, Option<Box<ConsoleReport>>>,
    /// What the schedule knows of rows.
    kept: KeptRows,
    counted_once: RefCell<license::CountedOnce>,
    /// What newest samples come to.
    looks: RefCell<views::looks::Looks>,
    /// What explains shortfalls of reports that are kept.
    explained: RefCell<peak::Explained>,
    /// Reports that people look at.
    held: RefCell<held_reports::HeldReports>,
    /// What the newest look gathered: nothing was recorded since, and it is not older than [`GATHERED_FOR`].
    gathered: RefCell<Option<Gathered>>,
    /// Who ordered what is being done now; the journal names them.
    acting_for: Option<String>,
    /// Why the newest settings were not taken, for `status`.
    settings_refused: Option<String>,
    /// Who ordered duties that are in flight.
    ordered_by: BTreeMap<Duty, String>,
    /// What happened since the last [`Agent::take_story`], a line each.
    story: Vec<story::StoryLine>,
}

/// What the schedule knows, as of an entry of the journal and an instant.
struct Gathered {
    head: u64,
    at: Instant,
    facts: schedule::Facts,
}

/// Facts stand for so long while nothing is recorded: a round of many servers begins on one look.
const GATHERED_FOR: chrono::TimeDelta = chrono::TimeDelta::seconds(1);

/// What an [`Agent`] stands on.
pub struct Doors {
    pub files: Arc<dyn Files>,
    pub chance: Box<dyn Chance>,
}

/// A deed under way outside the owner.
pub type Talk = Box<dyn Conversation<Done = Outcome>>;

/// What [`Agent::begin`] gives back.
pub enum Work {
    /// To be carried out; its outcome goes to [`Agent::finish`].
    Talk(Talk),
    /// Done and recorded already.
    Over,
}

/// What came of a conversation.
#[derive(Debug)]
pub enum Outcome {
    Collected(Collected),
    /// Files of a snapshot folder were put away.
    PutAway,
    Sent(crate::protocol::Sent),
    Told(String),
    /// The status of an endpoint or a sink.
    Answered(HttpAnswer),
    /// So many usage events were taken.
    UsageSent(usize),
    License(crate::protocol::LicenseAnswer),
    /// Backup servers were asked to renew their license, or to install a key.
    ServersAsked(license::Round),
    /// A console's own report of a month; `None`: it has none.
    ConsoleReport(Option<Box<ConsoleReport>>),
    /// A console was asked to finalize its report.
    Finalizing(crate::sources::finalizing::Heard),
    Enrolled(crate::protocol::Enrolled),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        Trouble::from(error).into()
    }
}

impl Agent {
    /// Opens the store in `settings.state_dir` and makes the agent's identity at the first start.
    ///
    /// # Errors
    /// [`Trouble`] when another process holds the store or the journal is damaged.
    pub fn open(settings: Settings, place: Place, doors: Doors, hour: Hour) -> Result<(Agent, Opening), Trouble> {
        let Doors { files, mut chance } = doors;
        let (mut store, opening) = Store::open(&place, Arc::clone(&files))?;
        let identity = Identity::load_or_make(&mut store, &settings, files.as_ref(), chance.as_mut(), hour)?;
        store.set_basis_max_age(settings.basis_max_age)?;
        let mut agent = Agent {
            store,
            settings,
            identity,
            files,
            chance,
            flights: BTreeSet::new(),
            lists: BTreeMap::new(),
            license_sessions: BTreeMap::new(),
            console_reports: BTreeMap::new(),
            kept: KeptRows::default(),
            counted_once: RefCell::default(),
            looks: RefCell::default(),
            explained: RefCell::default(),
            held: RefCell::default(),
            gathered: RefCell::default(),
            acting_for: None,
            settings_refused: None,
            ordered_by: BTreeMap::new(),
            story: Vec::new(),
        };
        let repaired = opening.repairs().into_iter().map(|what| Fact::Repaired { what });
        let mut facts: Vec<Fact> = repaired.collect();
        facts.extend(agent.settings_seen()?);
        facts.extend(agent.settled_for_nobody()?);
        facts.extend(agent.unmetered()?);
        facts.extend(agent.entries_dropped(hour)?);
        facts.extend(agent.put_off_by_another_clock(hour)?);
        agent.record(hour, "duty", facts)?;
        if !agent.settings.pseudonyms.is_empty() {
            agent.make_pseudonym_key()?;
        }
        agent.heal_key_files(hour)?;
        agent.rate_by_settings(hour)?;
        Ok((agent, opening))
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether a License Update Server knows this agent.
    pub fn enrolment_known(&self) -> bool {
        matches!(self.enrolment(), Ok(Some(_)))
    }

    /// The settings that the schedule obeys.
    pub fn policy(&self) -> Policy {
        self.settings.policy()
    }

    /// The earliest duty not in flight; it is due when its hour is not after `now`.
    ///
    /// # Errors
    /// [`Trouble`] when the state cannot be read.
    pub fn next(&self, now: Instant) -> Result<Option<Planned>, Trouble> {
        self.held.borrow_mut().let_go(now);
        if self.flights.len() >= FLIGHTS_MAX {
            return Ok(None);
        }
        let samples = self.flights.iter().filter(|duty| matches!(duty, Duty::Collect { .. })).count();
        let mut gathered = self.gathered.borrow_mut();
        let head = self.store.head().seq;
        let is_fresh = |known: &Gathered| known.head == head && (known.at..known.at + GATHERED_FOR).contains(&now);
        let known = match gathered.take().filter(is_fresh) {
            Some(known) => known,
            None => Gathered { head, at: now, facts: self.facts(now)? },
        };
        let known = gathered.insert(known);
        known.facts.samples_wait = samples >= SAMPLES_AT_ONCE_MAX;
        Ok(schedule::next_duty(&known.facts, &self.policy(), &|duty| self.flights.contains(duty)))
    }

    /// Begins a duty. What must stand before anything leaves the machine is recorded here.
    ///
    /// # Errors
    /// [`Trouble`] when the store cannot keep what must stand; the agent then has to be opened again.
    pub fn begin(&mut self, duty: &Duty, hour: Hour) -> Result<Work, Trouble> {
        let work = match duty {
            Duty::Collect { server } => self.begin_collect(server, hour),
            Duty::GenerateReport { unit, month } => self.generate_report(unit, *month, hour).map(over),
            Duty::WriteFiles { unit, month, revision } => {
                self.begin_write_files(unit, *month, *revision, hour).map(over)
            }
            Duty::Tell { notice, to } => self.begin_tell(notice, to, hour),
            Duty::DrawSlot { unit, week } => self.draw_slot(unit, *week, hour).map(over),
            Duty::SendTelemetry { unit, week } => self.begin_telemetry(unit, *week, hour),
            Duty::Remind { unit, month, about } => self.remind(unit, *month, *about, hour).map(over),
            Duty::Submit { unit, month } => self.begin_submit(unit, *month, hour),
            Duty::SendAgain { unit, message } => self.begin_again(unit, message, hour),
            Duty::SendUsage { .. } => self.begin_usage(duty, hour),
            Duty::CheckLicense { unit } => self.begin_license_check(unit, hour),
            Duty::WatchLicense { unit } => self.watch_license(unit, hour).map(over),
            Duty::LetGo => self.let_go(hour).map(over),
            Duty::ThinJournal => self.thin_journal(hour).map(over),
            Duty::ReadConsole { .. } | Duty::FinalizeConsole { .. } | Duty::Enrol => Ok(Work::Over),
        }?;
        if let Work::Talk(_) = work {
            self.flights.insert(duty.clone());
        }
        Ok(work)
    }

    /// Records what came of a duty begun by [`Agent::begin`]. Returns work that follows at once, if any.
    ///
    /// # Errors
    /// [`Trouble`] when the store cannot keep it.
    pub fn finish(&mut self, duty: &Duty, outcome: Result<Outcome, Setback>, hour: Hour) -> Result<Work, Trouble> {
        self.flights.remove(duty);
        self.acting_for = self.ordered_by.remove(duty);
        let finished = self.finish_duty(duty, outcome, hour);
        let orderer = self.acting_for.take();
        if let Ok(Work::Talk(_)) = finished {
            self.ordered_by.extend(orderer.map(|orderer| (duty.clone(), orderer)));
        }
        finished
    }

    fn finish_duty(&mut self, duty: &Duty, outcome: Result<Outcome, Setback>, hour: Hour) -> Result<Work, Trouble> {
        match (duty, outcome) {
            (Duty::Collect { server }, Ok(Outcome::Collected(collected))) => {
                self.finish_collect(server, collected, hour)
            }
            (Duty::Collect { .. }, Ok(Outcome::PutAway)) => Ok(Work::Over),
            (Duty::Collect { server }, Err(setback)) => self.miss_sample(server, &setback, hour).map(over),
            (Duty::Tell { notice, to }, Ok(Outcome::Told(words))) => self.told(notice, to, words, hour).map(over),
            (Duty::Tell { notice, to }, Ok(Outcome::Answered(answer))) => {
                self.hook_heard(notice, to, &answer, hour).map(over)
            }
            (Duty::Tell { notice, to }, Err(setback)) => self.not_told(notice, to, &setback, hour).map(over),
            (Duty::SendTelemetry { unit, week }, outcome) => {
                self.finish_telemetry(unit, *week, outcome, hour).map(over)
            }
            (Duty::Submit { unit, month }, outcome) => self.finish_submit(unit, *month, outcome, hour).map(over),
            (Duty::SendAgain { unit, message }, outcome) => self.finish_again(unit, message, outcome, hour).map(over),
            (Duty::SendUsage { .. }, outcome) => self.finish_usage(duty, outcome, hour).map(over),
            (Duty::CheckLicense { unit }, Ok(Outcome::ServersAsked(round))) => {
                self.finish_server_check(unit, round, hour).map(over)
            }
            (Duty::CheckLicense { unit }, outcome) => self.finish_license_check(unit, outcome, hour).map(over),
            (Duty::ReadConsole { server }, outcome) => {
                self.console_read(server, outcome);
                Ok(Work::Over)
            }
            (Duty::FinalizeConsole { server, month }, outcome) => {
                self.finish_finalize(server, *month, outcome, hour).map(over)
            }
            (Duty::Enrol, Ok(Outcome::Enrolled(enrolled))) => self.enrolled(&enrolled, hour).map(over),
            (Duty::Enrol, Err(_)) => Ok(Work::Over),
            (duty, outcome) => unreachable!("{} does not end in {outcome:?}", duty.key()),
        }
    }

    /// What happened since the last call, a line each: what a story, the log and `demo` show.
    pub fn take_story(&mut self) -> Vec<story::StoryLine> {
        std::mem::take(&mut self.story)
    }

    /// One journal entry, one commit; nothing for no facts. What a duty does because somebody ordered it names them.
    fn record(&mut self, hour: Hour, actor: &str, facts: Vec<Fact>) -> Result<(), Trouble> {
        if facts.is_empty() {
            return Ok(());
        }
        self.story.extend(facts.iter().filter_map(|fact| story::line(hour.now, fact)));
        let actor = self.acting_for.as_deref().filter(|_| actor == "duty").unwrap_or(actor);
        self.store.record(hour.recorded_at, hour.now, actor, &facts)?;
        Ok(())
    }

    fn settings_seen(&self) -> Result<Option<Fact>, Trouble> {
        let summary = self.settings.explain();
        let digest = crate::seal::digest::sha256_hex(summary.as_bytes());
        let seen: Option<serde_json::Value> = self.store.row("settings")?;
        let same = seen.is_some_and(|seen| seen["digest"] == digest.as_str());
        Ok((!same).then_some(Fact::SettingsSeen { digest, summary }))
    }
}

fn over(_: ()) -> Work {
    Work::Over
}
