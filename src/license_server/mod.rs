//! Receives telemetry and reports, applies the gate, issues keys.
//!
//! Its truth is a journal of facts; its state is rebuilt from it in memory. Every change is one entry, durable before
//! the answer leaves. What is heard ([`hearing`]) is decided on a state ([`intake`]) without knowing how a fact becomes
//! durable, which is the [`ledger`]'s affair.

mod answer;
mod contract;
mod decision;
mod facts;
mod hearing;
mod intake;
mod ledger;
mod operator;
mod operator_routes;
mod operator_rows;
mod routes;
mod signing_key;
mod state;
mod unit;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::domain::Instant;
use crate::domain::gate::Tolerance;
use crate::doors::{FileLock, Files};
use crate::protocol::Kind;
use crate::seal::keys::{SigningKey, VerifyingKey};
use crate::store::journal::JournalError;
use ledger::{Ledger, Pending};

pub use answer::{Answer, NotTaken, Reply};
pub use contract::{Contract, ContractState, Term};
pub use decision::{Decision, decide};
pub use facts::{Fact, Grant, Note, RefusedEnrolment};
pub use hearing::{Claim, Concern, Heard, Said};
pub use intake::{Decided, Judging, NewFact, decided};
pub use operator::{Order, Refused};
pub use operator_routes::{Obeyed, SignedOrder, operator_router};
pub use operator_rows::{AgentRow, ContractSum, InstallationRow, ReportRow, ReportView};
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
    Journal(Arc<JournalError>),
    #[error("the server ended before this was recorded; send it again")]
    Stopped,
    #[error("another process serves {}; give it the order through its control socket, or stop it", .0.display())]
    Busy(PathBuf),
    #[error("cannot lock {}: {source}", folder.display())]
    Lock { folder: PathBuf, source: std::io::Error },
}

impl From<JournalError> for LicenseServerError {
    fn from(error: JournalError) -> LicenseServerError {
        LicenseServerError::Journal(Arc::new(error))
    }
}

/// The License Update Server on one folder. One process, one server per folder.
pub struct LicenseServer {
    key: Arc<SigningKey>,
    policy: Mutex<Policy>,
    ledger: Arc<Ledger>,
    _lock: FileLock,
}

impl LicenseServer {
    /// Opens the folder: signing key, journal, state.
    ///
    /// # Errors
    /// No signing key yet (`license-server key new` makes one), another process on the folder, or a journal that cannot
    /// be read.
    pub fn open(files: Arc<dyn Files>, folder: &Path, policy: Policy) -> Result<LicenseServer, LicenseServerError> {
        let key = Arc::new(signing_key::read_signing_key(&*files, folder)?);
        let lock = files.lock(&folder.join("lock"));
        let lock = lock.map_err(|source| LicenseServerError::Lock { folder: folder.to_owned(), source })?;
        let lock = lock.ok_or_else(|| LicenseServerError::Busy(folder.to_owned()))?;
        let ledger = Arc::new(Ledger::open(files, folder.join("journal"))?);
        Ok(LicenseServer { key, policy: Mutex::new(policy), ledger, _lock: lock })
    }

    /// Opens the folder with the policy that was kept by [`LicenseServer::keep_policy`]: for the operator, offline.
    ///
    /// # Errors
    /// As [`LicenseServer::open`].
    pub fn open_as_kept(files: Arc<dyn Files>, folder: &Path) -> Result<LicenseServer, LicenseServerError> {
        let mut server = LicenseServer::open(files, folder, Policy::default())?;
        server.policy = Mutex::new(server.ledger.look(|state| state.policy).unwrap_or_default());
        Ok(server)
    }

    /// Judges by this policy from now on, and keeps it for the operator's commands when no server runs.
    ///
    /// # Errors
    /// The disk fails.
    pub fn keep_policy(&self, policy: Policy, now: Instant) -> Result<(), LicenseServerError> {
        self.asked(Concern::Whole, move |state| {
            let is_kept = state.policy.unwrap_or_default() == policy;
            let actor = "settings".to_owned();
            let entry = (!is_kept).then_some(NewFact { fact: Fact::PolicySet { policy }, said: None, actor, at: now });
            Decided { entry, answer: () }
        })?;
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
        self.ledger.look(State::clone)
    }

    /// Number of the newest journal entry.
    pub fn journal_seq(&self) -> u64 {
        self.ledger.seq()
    }

    /// Takes one body of this kind and answers; the change is durable before this returns. Not within a runtime.
    pub fn take(&self, kind: Kind, body: &[u8], now: Instant) -> Reply {
        let answer = self.begin(kind, body, now).and_then(|pending| {
            self.ledger.lead();
            Ok(pending.wait()?)
        });
        self.signed(answer)
    }

    /// The same for many at once: they are recorded together, beside the threads that hear and answer, or by this one
    /// when the runtime has no other.
    pub async fn receive(&self, kind: Kind, body: &[u8], now: Instant) -> Reply {
        let pending = match self.begin(kind, body, now) {
            Ok(pending) => pending,
            Err(not_taken) => return self.signed(Err(not_taken)),
        };
        if self.ledger.is_left_alone() {
            if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
                self.ledger.lead();
            } else {
                let ledger = Arc::clone(&self.ledger);
                tokio::task::spawn_blocking(move || ledger.lead());
            }
        }
        self.signed(pending.settled().await.map_err(NotTaken::from))
    }

    /// Hears a body and lets it wait for its decision.
    fn begin(&self, kind: Kind, body: &[u8], now: Instant) -> Result<Pending<Answer>, NotTaken> {
        let claim = Claim::of(kind, body)?;
        let on_file = self.ledger.look(|state| state.heard_agent(claim.agent()).map(|agent| agent.key.clone()));
        let heard = claim.heard(on_file.as_ref())?;
        let (policy, key, concern) = (self.policy(), Arc::clone(&self.key), heard.concern());
        let decide = move |state: &State| decided(state, heard, Judging { policy, key: &key, now });
        Ok(self.ledger.ask(concern, body.len(), decide))
    }

    fn signed(&self, answer: Result<Answer, NotTaken>) -> Reply {
        answer.unwrap_or_else(Answer::NotTaken).signed(&self.key)
    }

    /// Asks, and waits until the answer is durable.
    fn asked<T: Send + 'static>(
        &self,
        concern: Concern,
        decide: impl FnOnce(&State) -> Decided<T> + Send + 'static,
    ) -> Result<T, LicenseServerError> {
        let pending = self.ledger.ask(concern, 0, decide);
        self.ledger.lead();
        pending.wait()
    }
}
