//! Receives telemetry and reports, applies the gate, issues keys.
//!
//! Its truth is a journal of facts; its state is rebuilt from it in memory. Every change is one entry, durable before
//! the answer leaves.

mod contract;
mod decision;
mod facts;
mod intake;
mod operator;
mod operator_routes;
mod routes;
mod signing_key;
mod state;
mod unit;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::domain::Instant;
use crate::domain::gate::Tolerance;
use crate::doors::{FileLock, Files};
use crate::protocol::{self, Message};
use crate::seal::keys::{SigningKey, VerifyingKey};
use crate::store::journal::{Entry, Journal, JournalError, NewEntry};

pub use contract::{Contract, ContractState, Term};
pub use decision::{Decision, decide};
pub use facts::{Fact, Grant, Note, RefusedEnrolment};
pub use intake::Reply;
pub use operator::{AgentRow, ContractSum, InstallationRow, Order, Refused, ReportRow, ReportView};
pub use operator_routes::{Obeyed, SignedOrder, operator_router};
pub use routes::router;
pub use signing_key::{NoSigningKey, new_signing_key};
pub use state::{AgentOnFile, ConflictOnFile, MessageOnFile, State, TokenOnFile};
pub use unit::{CheckOnFile, DayOnFile, ReportOnFile, UnitOnFile};

/// What the operator's settings decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub tolerance: Tolerance,
    /// The day of the following month, 2 to 28, at whose 00:00 GMT a report is due.
    pub deadline_day: u32,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { tolerance: Tolerance::default(), deadline_day: 11 }
    }
}

/// Why the server cannot open or record.
#[derive(Debug, thiserror::Error)]
pub enum LicenseServerError {
    #[error(transparent)]
    Key(#[from] NoSigningKey),
    #[error("the license server's journal: {0}")]
    Journal(#[from] JournalError),
    #[error("another process serves {}; give it the order through its control socket, or stop it", .0.display())]
    Busy(PathBuf),
    #[error("cannot lock {}: {source}", folder.display())]
    Lock { folder: PathBuf, source: std::io::Error },
}

/// The License Update Server on one folder. One process, one server per folder.
pub struct LicenseServer {
    files: Arc<dyn Files>,
    journal_folder: PathBuf,
    key: SigningKey,
    policy: Mutex<Policy>,
    inner: Mutex<Inner>,
    _lock: FileLock,
}

struct Inner {
    journal: Journal,
    state: State,
    reach: Reach,
}

/// Whether the state is that of the journal on the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Same,
    /// An append failed: what reached the disk is read again before anything else is done.
    Unknown,
}

impl LicenseServer {
    /// Opens the folder: signing key, journal, state.
    ///
    /// # Errors
    /// No signing key yet (`license-server key new` makes one), another process on the folder, or a journal that cannot
    /// be read.
    pub fn open(files: Arc<dyn Files>, folder: &Path, policy: Policy) -> Result<LicenseServer, LicenseServerError> {
        let key = signing_key::read_signing_key(&*files, folder)?;
        let lock = files.lock(&folder.join("lock"));
        let lock = lock.map_err(|source| LicenseServerError::Lock { folder: folder.to_owned(), source })?;
        let lock = lock.ok_or_else(|| LicenseServerError::Busy(folder.to_owned()))?;
        let journal_folder = folder.join("journal");
        let inner = Mutex::new(replay(files.clone(), &journal_folder)?);
        Ok(LicenseServer { files, journal_folder, key, policy: Mutex::new(policy), inner, _lock: lock })
    }

    /// Opens the folder with the policy that was kept by [`LicenseServer::keep_policy`]: for the operator, offline.
    ///
    /// # Errors
    /// As [`LicenseServer::open`].
    pub fn open_as_kept(files: Arc<dyn Files>, folder: &Path) -> Result<LicenseServer, LicenseServerError> {
        let mut server = LicenseServer::open(files, folder, Policy::default())?;
        let kept = server.lock().state.policy;
        server.policy = Mutex::new(kept.unwrap_or_default());
        Ok(server)
    }

    /// Judges by this policy from now on, and keeps it for the operator's commands when no server runs.
    ///
    /// # Errors
    /// The disk fails.
    pub fn keep_policy(&self, policy: Policy, now: Instant) -> Result<(), LicenseServerError> {
        let mut inner = self.lock_to_change()?;
        if inner.state.policy.unwrap_or_default() != policy {
            inner.record(Fact::PolicySet { policy }, "settings", now)?;
        }
        drop(inner);
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = policy;
        Ok(())
    }

    /// What it judges by.
    pub fn policy(&self) -> Policy {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that signs answers and license keys.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying()
    }

    /// Everything the server knows, as it stands.
    pub fn state(&self) -> State {
        self.lock().state.clone()
    }

    /// Number of the newest journal entry.
    pub fn journal_seq(&self) -> u64 {
        self.lock().journal.head().seq
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere cannot leave the state half changed: it changes only in `Inner::record`, after the journal.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks for a change, reading the journal again when an append had failed.
    fn lock_to_change(&self) -> Result<MutexGuard<'_, Inner>, LicenseServerError> {
        let mut inner = self.lock();
        if inner.reach == Reach::Unknown {
            *inner = replay(self.files.clone(), &self.journal_folder)?;
        }
        Ok(inner)
    }

    fn signed<M: Message>(&self, message: &M) -> String {
        protocol::signed(message, &self.key)
    }
}

impl Inner {
    /// One journal entry, then the state. The fact must be true of the state.
    fn record(&mut self, fact: Fact, actor: &str, now: Instant) -> Result<(), LicenseServerError> {
        let payload = serde_json::to_vec(&fact).expect("facts have text keys and no binary floats");
        self.reach = Reach::Unknown;
        let head = self.journal.append(NewEntry { recorded_at: now, now, actor, payload: &payload })?;
        self.state.apply(fact).map_err(|why| JournalError::NotUnderstood { seq: head.seq, why })?;
        self.reach = Reach::Same;
        Ok(())
    }
}

fn replay(files: Arc<dyn Files>, folder: &Path) -> Result<Inner, LicenseServerError> {
    let mut state = State::default();
    let (journal, _) = Journal::open(files, folder, &mut |entry: &Entry| {
        let not_understood = |why: String| JournalError::NotUnderstood { seq: entry.seq, why };
        let fact: Fact = serde_json::from_slice(&entry.payload).map_err(|error| not_understood(error.to_string()))?;
        state.apply(fact).map_err(not_understood)
    })?;
    Ok(Inner { journal, state, reach: Reach::Same })
}
