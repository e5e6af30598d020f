//! The embedded store: one journal, its state in memory, and a queue of questions that are decided and recorded together.
//!
//! Whoever finds nobody at it leads: he decides what is queued on the state that is durable, records all of it with one
//! sync, applies it, and only then lets the answers go. What would be decided by a change of the same group waits for the
//! next one. So the state never holds what may still be lost, and nobody is told of it.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tracing::warn;

use super::LicenseServerError;
use super::facts::Fact;
use super::hearing::Concern;
use super::intake::{Decided, NewFact};
use super::state::State;
use crate::doors::Files;
use crate::store::journal::{Entry, Journal, JournalError, NewEntry};

/// Questions decided together.
const GROUP_QUESTIONS_MAX: usize = 512;
/// Bytes of bodies decided together, unless one alone has more.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// The journal and what it says.
pub struct Ledger {
    files: Arc<dyn Files>,
    folder: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    /// What is durable, and nothing else.
    state: State,
    /// Number of the newest entry.
    seq: u64,
    /// `None` while somebody writes; also after an append failed: what reached the disk is read again before anything
    /// else is done.
    journal: Option<Journal>,
    queue: VecDeque<Waiting>,
    /// Whether somebody leads.
    led: Led,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Led {
    ByNobody,
    BySomebody,
}

struct Waiting {
    concern: Concern,
    bytes: usize,
    question: Box<dyn Question>,
}

/// What is asked, once; dropped without a word, it was not recorded.
trait Question: Send {
    fn decide(&mut self, state: &State) -> Option<NewFact>;
    fn settle(self: Box<Self>, recorded: Result<(), Arc<JournalError>>);
}

struct Asked<T, F> {
    decide: Option<F>,
    answer: Option<T>,
    sender: oneshot::Sender<Recorded<T>>,
}

type Recorded<T> = Result<T, Arc<JournalError>>;

/// An answer that is not durable yet.
pub struct Pending<T>(oneshot::Receiver<Recorded<T>>);

impl<T: Send, F: FnOnce(&State) -> Decided<T> + Send> Question for Asked<T, F> {
    fn decide(&mut self, state: &State) -> Option<NewFact> {
        let decide = self.decide.take()?;
        let Decided { entry, answer } = decide(state);
        self.answer = Some(answer);
        entry
    }

    fn settle(self: Box<Self>, recorded: Result<(), Arc<JournalError>>) {
        let Asked { answer, sender, .. } = *self;
        if let Some(said) = recorded.map(|()| answer).transpose() {
            // Whoever asked may have gone.
            let _ = sender.send(said);
        }
    }
}

impl<T> Pending<T> {
    /// Waits until it is durable; within a runtime only when nobody else leads.
    pub fn wait(mut self) -> Result<T, LicenseServerError> {
        match self.0.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => settled(self.0.blocking_recv()),
            Err(oneshot::error::TryRecvError::Closed) => Err(LicenseServerError::Stopped),
            Ok(recorded) => settled(Ok(recorded)),
        }
    }

    /// Waits until it is durable.
    pub async fn settled(self) -> Result<T, LicenseServerError> {
        settled(self.0.await)
    }
}

fn settled<T>(heard: Result<Recorded<T>, oneshot::error::RecvError>) -> Result<T, LicenseServerError> {
    match heard {
        Ok(recorded) => recorded.map_err(LicenseServerError::Journal),
        Err(_) => Err(LicenseServerError::Stopped),
    }
}

impl Ledger {
    /// Reads the journal in the folder.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub fn open(files: Arc<dyn Files>, folder: PathBuf) -> Result<Ledger, JournalError> {
        let (journal, state) = replay(&files, &folder)?;
        let seq = journal.head().seq;
        let inner = Inner { state, seq, journal: Some(journal), queue: VecDeque::new(), led: Led::ByNobody };
        Ok(Ledger { files, folder, inner: Mutex::new(inner) })
    }

    /// Looks at what is durable.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.inner().state)
    }

    /// Number of the newest entry.
    pub fn seq(&self) -> u64 {
        self.inner().seq
    }

    /// Queues a question about this part of the state; somebody has to [`Ledger::lead`].
    pub fn ask<T: Send + 'static>(
        &self,
        concern: Concern,
        bytes: usize,
        decide: impl FnOnce(&State) -> Decided<T> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = oneshot::channel();
        let question = Box::new(Asked { decide: Some(decide), answer: None, sender });
        self.inner().queue.push_back(Waiting { concern, bytes, question });
        Pending(receiver)
    }

    /// Whether questions wait and nobody leads.
    pub fn is_left_alone(&self) -> bool {
        let inner = self.inner();
        inner.led == Led::ByNobody && !inner.queue.is_empty()
    }

    /// Decides and records what is queued, group by group, until nothing is, unless somebody does already.
    pub fn lead(&self) {
        {
            let mut inner = self.inner();
            if inner.led == Led::BySomebody {
                return;
            }
            inner.led = Led::BySomebody;
        }
        let leading = Leading(self);
        while let Some(group) = self.next_group() {
            self.carry_out(group);
        }
        std::mem::forget(leading);
    }

    /// The next group; when there is none, nobody leads.
    fn next_group(&self) -> Option<Vec<Waiting>> {
        let mut inner = self.inner();
        let group = inner.take_group();
        if group.is_empty() {
            inner.led = Led::ByNobody;
            None
        } else {
            Some(group)
        }
    }

    fn carry_out(&self, mut group: Vec<Waiting>) {
        let recorded = self.record(&mut group).map_err(Arc::new);
        for Waiting { question, .. } in group {
            question.settle(recorded.clone());
        }
    }

    /// Decides, makes durable, applies.
    fn record(&self, group: &mut [Waiting]) -> Result<(), JournalError> {
        let mut inner = self.inner();
        let mut journal = match inner.journal.take() {
            Some(journal) => journal,
            None => self.read_again(&mut inner)?,
        };
        let state = &inner.state;
        let facts: Vec<NewFact> = group.iter_mut().filter_map(|waiting| waiting.question.decide(state)).collect();
        if facts.is_empty() {
            inner.journal = Some(journal);
            return Ok(());
        }
        drop(inner);
        let head = append(&mut journal, &facts)?;
        let mut inner = self.inner();
        for fact in facts {
            let not_understood = |why| JournalError::NotUnderstood { seq: head, why };
            inner.state.take(fact).map_err(not_understood)?;
        }
        inner.seq = head;
        inner.journal = Some(journal);
        Ok(())
    }

    fn read_again(&self, inner: &mut Inner) -> Result<Journal, JournalError> {
        let (journal, state) = replay(&self.files, &self.folder)?;
        (inner.seq, inner.state) = (journal.head().seq, state);
        Ok(journal)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // The state changes only in `record`, which gives the journal back when it is whole; otherwise it is read again.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Questions in the order in which they came, none of which concerns what another one may change.
    fn take_group(&mut self) -> Vec<Waiting> {
        let mut group = Group::default();
        let mut left = VecDeque::new();
        while let Some(waiting) = self.queue.pop_front() {
            match group.place_of(&waiting) {
                Place::Within => group.waiting.push(waiting),
                Place::Later => left.push_back(waiting),
                Place::Behind => {
                    left.push_back(waiting);
                    break;
                }
            }
        }
        left.append(&mut self.queue);
        self.queue = left;
        group.waiting
    }
}

#[derive(Default)]
struct Group {
    waiting: Vec<Waiting>,
    bytes: usize,
    /// Units that it concerns.
    units: BTreeSet<String>,
    is_closed: bool,
}

enum Place {
    Within,
    /// Its unit's turn comes after that of another question of this unit.
    Later,
    /// The group ends before it.
    Behind,
}

impl Group {
    fn place_of(&mut self, waiting: &Waiting) -> Place {
        let is_full = self.waiting.len() == GROUP_QUESTIONS_MAX || self.bytes + waiting.bytes > GROUP_BYTES_MAX;
        if self.is_closed || (is_full && !self.waiting.is_empty()) {
            return Place::Behind;
        }
        match &waiting.concern {
            Concern::Unit { unit, .. } if !self.units.insert(unit.clone()) => return Place::Later,
            Concern::Unit { .. } => {}
            // What may change anything is decided alone.
            Concern::Token { .. } | Concern::Whole if self.waiting.is_empty() => self.is_closed = true,
            Concern::Token { .. } | Concern::Whole => return Place::Behind,
        }
        self.bytes += waiting.bytes;
        Place::Within
    }
}

/// Ends the lead of whom a panic took.
struct Leading<'a>(&'a Ledger);

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        self.0.inner().led = Led::ByNobody;
    }
}

/// One entry a fact, all with one sync; returns the number of the last.
fn append(journal: &mut Journal, facts: &[NewFact]) -> Result<u64, JournalError> {
    let payload = |new: &NewFact| serde_json::to_vec(&new.fact).expect("facts have text keys and no binary floats");
    let payloads: Vec<Vec<u8>> = facts.iter().map(payload).collect();
    let entries = facts.iter().zip(&payloads);
    let entries: Vec<NewEntry<'_>> = entries
        .map(|(NewFact { at, actor, .. }, payload)| NewEntry { recorded_at: *at, now: *at, actor, payload })
        .collect();
    Ok(journal.append_together(&entries)?.seq)
}

/// The journal and the state it says. A cut end is logged: after a kill or a loss of power nobody has an answer to it,
/// after damage to the last group everybody in it has.
fn replay(files: &Arc<dyn Files>, folder: &Path) -> Result<(Journal, State), JournalError> {
    let mut state = State::default();
    let (journal, opened) = Journal::open(files.clone(), folder, &mut |entry: &Entry| {
        let not_understood = |why: String| JournalError::NotUnderstood { seq: entry.seq, why };
        let fact: Fact = serde_json::from_slice(&entry.payload).map_err(|error| not_understood(error.to_string()))?;
        state.apply(fact).map_err(not_understood)
    })?;
    if let Some(cut) = &opened.cut {
        let (seq, bytes, file) = (cut.seq, cut.bytes, cut.file.display());
        let what = "the journal's end was not whole and is cut off; those whose answers stood there ask again";
        warn!(event = "license_server.journal_cut", seq, bytes, %file, why = %cut.what, "{what}");
    }
    Ok((journal, state))
}
