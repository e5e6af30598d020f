//! Opening: the lock, sled or a fresh one, and the journal applied to its end.

use std::fmt;
use std::sync::Arc;

use super::fact::{Fact, JournalThinned, LettingGo};
use super::folder::{Held, NOTHING_THERE, Place};
use super::journal::{Cut, Entry, Head, Journal, JournalError, Left, Opened};
use super::kept::RecordedIn;
use super::payload;
use super::state::State;
use super::{Store, StoreError};
use crate::doors::Files;

/// Rows gathered from journal entries before they are committed.
const GATHERED_MAX: usize = 700;

/// What opening found and did; displayed as one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// A torn tail of the journal that was cut.
    pub cut: Option<Cut>,
    /// Journal entries that were applied to the state.
    pub applied: u64,
    /// Why the state was built anew from the journal, if it was.
    pub rebuilt: Option<String>,
}

impl Opening {
    /// What an operator should hear of, a sentence each; empty after an ordinary stop.
    pub fn repairs(&self) -> Vec<String> {
        let cut = self.cut.iter().map(|cut| format!("the journal's end was cut: {cut}"));
        let why = self.rebuilt.iter();
        let rebuilt = why.map(|why| format!("the state was rebuilt from {} journal entries: {why}", self.applied));
        cut.chain(rebuilt).collect()
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.repairs() {
            repairs if !repairs.is_empty() => f.write_str(&repairs.join("; ")),
            _ => write!(f, "the store is in order; {} journal entries were applied", self.applied),
        }
    }
}

pub(super) fn open(place: &Place, files: Arc<dyn Files>) -> Result<(Store, Opening), StoreError> {
    let held = place.hold(&files)?;
    let mut cut = None;
    let why = match open_state(&held) {
        Ok((state, known)) => match catch_up(place, &files, state, known) {
            Ok((state, journal, opened)) => {
                let opening = Opening { cut: opened.cut, applied: opened.given, rebuilt: None };
                return Ok((store(place, files, held, state, journal), opening));
            }
            Err(behind) => {
                cut = behind.cut;
                match behind.error {
                    StoreError::Journal(JournalError::Apart { what, .. }) => {
                        format!("the state is of another journal or of more than this one: {what}")
                    }
                    error @ StoreError::Journal(_) => return Err(error),
                    error => error.to_string(),
                }
            }
        },
        Err(why) => why,
    };
    let (state, journal, opened) =
        catch_up(place, &files, State::new(held.anew()?)?, Head::EMPTY).map_err(|behind| behind.error)?;
    // A first opening finds nothing, and builds nothing worth telling.
    let is_first = opened.given == 0 && why == NOTHING_THERE;
    let rebuilt = match place {
        Place::Folder(_) => (!is_first).then_some(why),
        Place::Temporary { .. } | Place::Surviving { .. } => None,
    };
    let opening = Opening { cut: cut.or(opened.cut), applied: opened.given, rebuilt };
    Ok((store(place, files, held, state, journal), opening))
}

fn store(place: &Place, files: Arc<dyn Files>, held: Held, state: State, journal: Journal) -> Store {
    Store { state, journal, files, journal_folder: place.journal(), held }
}

/// The state as it stands, and up to where it is applied.
fn open_state(held: &Held) -> Result<(State, Head), String> {
    let kv = held.found()?;
    let known = kv.applied().map_err(|error| error.to_string())?;
    let known = known.ok_or("its last commit was broken off, or another version of this program made it")?;
    Ok((State::new(kv).map_err(|error| error.to_string())?, known))
}

struct Behind {
    error: StoreError,
    /// What was already cut off the journal.
    cut: Option<Cut>,
}

/// Applies the journal's entries after `known`.
fn catch_up(
    place: &Place,
    files: &Arc<dyn Files>,
    state: State,
    known: Head,
) -> Result<(State, Journal, Opened), Box<Behind>> {
    let mut replay = Replay::after(known, state);
    let opened = Journal::open_after(Arc::clone(files), &place.journal(), known, &mut |entry| replay.take(entry));
    let (journal, opened) = match (opened, replay.failure.take()) {
        (_, Some(error)) => return Err(Box::new(Behind { error, cut: None })),
        (Err(error), None) => return Err(Box::new(Behind { error: error.into(), cut: None })),
        (Ok(both), None) => both,
    };
    match replay.finish(journal.head()) {
        Ok(state) => Ok((state, journal, opened)),
        Err(error) => Err(Box::new(Behind { error, cut: opened.cut })),
    }
}

/// Applies entries one after another, committing many at once.
pub(super) struct Replay {
    pub state: State,
    pub last: Head,
    /// Why applying stopped; the journal's walk is only told that it did.
    pub failure: Option<StoreError>,
    /// It began with the first entry.
    is_whole: bool,
    thinnings: Thinnings,
}

/// What is left of thinned entries, and what it must be; nothing while thinning is under way.
#[derive(Default)]
pub(super) struct Thinnings {
    left: Left,
    thinned: Option<JournalThinned>,
}

impl Thinnings {
    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        if entry.thinned_from.is_some() {
            self.left = self.left.with(entry.seq, &entry.payload);
        }
    }

    /// Takes a fact of it.
    pub fn note(&mut self, fact: &Fact) {
        match fact {
            Fact::LetGo { deed: LettingGo::Checkpoint { .. } | LettingGo::Forgotten { .. } } => self.thinned = None,
            Fact::LetGo { deed: LettingGo::JournalThinned { thinned } } => self.thinned = Some(thinned.clone()),
            _ => {}
        }
    }

    /// Whether what is left is what was left, when the whole journal was taken.
    pub fn check(&self) -> Result<(), StoreError> {
        match self.thinned.as_ref().filter(|thinned| !thinned.is_of(&self.left)) {
            Some(thinned) => {
                let entries = thinned.entries;
                let what = format!("what is left of {entries} thinned entries is not what was left of them");
                Err(StoreError::NotVerified { what })
            }
            None => Ok(()),
        }
    }
}

impl Replay {
    /// Entries after `known` follow.
    pub fn after(known: Head, state: State) -> Replay {
        let is_whole = known == Head::EMPTY;
        Replay { state, last: known, failure: None, is_whole, thinnings: Thinnings::default() }
    }

    pub fn take(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let head = Head { seq: entry.seq, hash: entry.hash };
        self.apply(entry, head).map_err(|error| {
            let why = error.to_string();
            self.failure = Some(error);
            JournalError::NotUnderstood { seq: entry.seq, why }
        })
    }

    fn apply(&mut self, entry: &Entry, head: Head) -> Result<(), StoreError> {
        let recorded = RecordedIn { seq: entry.seq, payload: entry.payload_digest() };
        self.thinnings.take(entry);
        let facts = payload::decode(&entry.payload)?;
        facts.iter().for_each(|fact| self.thinnings.note(fact));
        self.state.apply(&facts, recorded)?;
        self.last = head;
        if self.state.kv.pending() >= GATHERED_MAX {
            self.state.settle()?;
            self.state.commit(head)?;
        }
        Ok(())
    }

    /// Commits the rest.
    pub fn finish(mut self, head: Head) -> Result<State, StoreError> {
        if self.is_whole {
            self.thinnings.check()?;
        }
        self.state.settle()?;
        if self.state.kv.pending() > 0 || self.state.kv.applied()? != Some(head) {
            self.state.commit(head)?;
        }
        Ok(self.state)
    }
}
