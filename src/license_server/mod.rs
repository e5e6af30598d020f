//! Receives telemetry and reports, applies the gate, issues keys.
//!
//! Its truth is a journal of facts in its folder, whose state is rebuilt in memory, or the entries of a database that any
//! number of servers share ([`postgres`]). Every change is one entry, durable before the answer leaves. What is heard ([`hearing`]) is decided on a state ([`intake`]) without knowing how a fact becomes
//! durable, which is the [`ledger`]'s affair.

mod answer;
mod contract;
mod decision;
mod facts;
mod fleet;
mod hearing;
mod intake;
mod keeping;
mod ledger;
mod metrics;
mod operator;
mod operator_routes;
mod operator_rows;
mod policy;
mod postgres;
mod routes;
mod signing_key;
mod state;
mod unit;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::domain::Instant;
use crate::doors::Files;
use crate::ports::postgres::Database;
use crate::protocol::Kind;
use crate::seal::keys::{SigningKey, VerifyingKey};
use crate::store::journal::JournalError;
use keeping::Keeping;
use ledger::{Ledger, Pending};
use postgres::{Needs, Postgres};

pub use answer::{Answer, NotTaken, Reply};
pub use contract::{Contract, ContractState, Term};
pub use decision::{Decision, decide};
pub use facts::{Fact, Grant, Note, RefusedEnrolment};
pub use fleet::{
    Care, Contact, Fleet, FleetPage, FleetPick, FleetRow, FleetSum, KeyEnd, PAGES_MAX, ReportStanding, readings,
};
pub use hearing::{Claim, Concern, Heard, Said};
pub use intake::{Decided, Judging, NewFact, decided};
pub use metrics::metrics_router;
pub use operator::{Order, Refused};
pub use operator_routes::{Obeyed, SignedOrder, operator_router};
pub use operator_rows::{AgentRow, ContractSum, InstallationRow, ReportRow, ReportView};
pub use policy::{Policy, PolicyChange, PolicyKept};
pub use postgres::{Unopened, Verified};
pub use routes::router;
pub use signing_key::{NoSigningKey, new_signing_key};
pub use state::{AgentOnFile, ConflictOnFile, MessageOnFile, State, TokenOnFile};
pub use unit::{CheckOnFile, DayOnFile, ReportOnFile, Told, UnitOnFile};

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
    #[error(transparent)]
    Database(#[from] Unopened),
}

impl From<JournalError> for LicenseServerError {
    fn from(error: JournalError) -> LicenseServerError {
        LicenseServerError::Journal(Arc::new(error))
    }
}

/// The License Update Server: alone on a folder, or one of any number on a database.
pub struct LicenseServer {
    key: Arc<SigningKey>,
    policy: Mutex<Policy>,
    keeping: Keeping,
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
        Ok(LicenseServer { key, policy: Mutex::new(policy), keeping: Keeping::Folder { ledger, _lock: lock } })
    }

    /// Opens the folder with the policy that was kept by [`LicenseServer::keep_policy`].
    ///
    /// # Errors
    /// As [`LicenseServer::open`].
    pub fn open_as_kept(files: Arc<dyn Files>, folder: &Path) -> Result<LicenseServer, LicenseServerError> {
        LicenseServer::open(files, folder, Policy::default())?.by_kept_policy()
    }

    /// Serves the database with the signing key of the folder, by the policy that is kept there. Not within a runtime.
    ///
    /// # Errors
    /// No signing key in the folder, or a database that is not reached, is of a newer version, or belongs to another key.
    pub fn open_on_database(
        files: &dyn Files,
        folder: &Path,
        database: Database,
    ) -> Result<LicenseServer, LicenseServerError> {
        let key = Arc::new(signing_key::read_signing_key(files, folder)?);
        let database = Postgres::open(database, &key.fingerprint())?;
        let policy = Mutex::new(Policy::default());
        LicenseServer { key, policy, keeping: Keeping::Database(Box::new(database)) }.by_kept_policy()
    }

    fn by_kept_policy(mut self) -> Result<LicenseServer, LicenseServerError> {
        self.policy = Mutex::new(self.keeping.policy()?.unwrap_or_default());
        Ok(self)
    }

    /// Judges by the kept policy with this change from now on, and keeps it for later starts and the operator's commands;
    /// on a database all servers judge by it.
    ///
    /// # Errors
    /// The disk or the database fails.
    pub fn keep_policy(&self, change: PolicyChange, now: Instant) -> Result<PolicyKept, LicenseServerError> {
        let kept = self.asked(Needs::of_policy(), move |state| {
            let before = state.policy.unwrap_or_default();
            let policy = change.made_to(before);
            let entry = (policy != before).then(|| {
                let fact = Fact::PolicySet { policy };
                NewFact { fact, said: None, actor: "settings".to_owned(), at: now }
            });
            Decided { entry, answer: PolicyKept { before, policy } }
        })?;
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = kept.policy;
        Ok(kept)
    }

    /// What it judges by.
    pub fn policy(&self) -> Policy {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that signs answers and license keys.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying()
    }

    /// Everything the server knows, as it stands: for the simulated world and tests, whose database answers.
    pub fn state(&self) -> State {
        self.keeping.whole().expect("a folder's state is in memory")
    }

    /// Number of the newest entry, as [`LicenseServer::state`].
    pub fn journal_seq(&self) -> u64 {
        match &self.keeping {
            Keeping::Folder { ledger, .. } => ledger.seq(),
            Keeping::Database(database) => database.wait(database.newest_entry()).expect("the tests' database answers"),
        }
    }

    /// Number of the newest entry.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn newest_entry(&self) -> Result<u64, LicenseServerError> {
        self.keeping.newest_entry().await
    }

    /// Follows the chains of all entries and compares what they say with what is kept. Not within a runtime.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn verify(&self) -> Result<Verified, LicenseServerError> {
        self.keeping.verify()
    }

    /// Takes one body of this kind and answers; the change is durable before this returns. Not within a runtime.
    pub fn take(&self, kind: Kind, body: &[u8], now: Instant) -> Reply {
        let answer = match &self.keeping {
            Keeping::Folder { ledger, .. } => self.begin(ledger, kind, body, now).and_then(|pending| {
                ledger.lead();
                Ok(pending.wait()?)
            }),
            Keeping::Database(database) => database.wait(self.put(database, kind, body, now)),
        };
        self.signed(answer)
    }

    /// The same for many at once: they are recorded together, beside the threads that hear and answer, or by this one
    /// when the runtime has no other.
    pub async fn receive(&self, kind: Kind, body: &[u8], now: Instant) -> Reply {
        let answer = match &self.keeping {
            Keeping::Folder { ledger, .. } => match self.begin(ledger, kind, body, now) {
                Ok(pending) => {
                    lead_beside(ledger);
                    pending.settled().await.map_err(NotTaken::from)
                }
                Err(not_taken) => Err(not_taken),
            },
            Keeping::Database(database) => self.put(database, kind, body, now).await,
        };
        self.signed(answer)
    }

    /// Hears a body and lets it wait for its decision.
    fn begin(&self, ledger: &Ledger, kind: Kind, body: &[u8], now: Instant) -> Result<Pending<Answer>, NotTaken> {
        let claim = Claim::of(kind, body)?;
        let on_file = ledger.look(|state| state.heard_agent(claim.agent()).map(|agent| agent.key.clone()));
        let heard = claim.heard(on_file.as_ref())?;
        let (policy, key, concern) = (self.policy(), Arc::clone(&self.key), heard.concern());
        let decide = move |state: &State| decided(state, heard, Judging { policy, key: &key, now });
        Ok(ledger.ask(concern, body.len(), decide))
    }

    /// Hears a body and has it decided on the database, by the policy that is kept there.
    async fn put(&self, database: &Postgres, kind: Kind, body: &[u8], now: Instant) -> Result<Answer, NotTaken> {
        let claim = Claim::of(kind, body)?;
        let on_file = match kind {
            Kind::Enrol => None,
            Kind::Telemetry | Kind::Report | Kind::LicenseCheck => {
                database.agent_key(claim.agent()).await.map_err(LicenseServerError::from)?
            }
        };
        let heard = claim.heard(on_file.as_ref())?;
        let needs = Needs::of_message(&heard, now);
        if !needs.can_be_asked() {
            return Err(NotTaken::wrong("an id or a name in it holds a NUL"));
        }
        let key = Arc::clone(&self.key);
        let decide = move |state: &State| {
            let policy = state.policy.unwrap_or_default();
            decided(state, heard.clone(), Judging { policy, key: &key, now })
        };
        Ok(database.ask(needs, body.len(), decide).await.map_err(LicenseServerError::from)?)
    }

    fn signed(&self, answer: Result<Answer, NotTaken>) -> Reply {
        answer.unwrap_or_else(Answer::NotTaken).signed(&self.key)
    }

    /// Asks, and waits until the answer is durable. Not within a runtime.
    fn asked<T: Send + 'static>(
        &self,
        needs: Needs,
        decide: impl Fn(&State) -> Decided<T> + Send + 'static,
    ) -> Result<T, LicenseServerError> {
        match &self.keeping {
            Keeping::Folder { ledger, .. } => {
                let pending = ledger.ask(Concern::Whole, 0, decide);
                ledger.lead();
                pending.wait()
            }
            Keeping::Database(database) => Ok(database.wait(database.ask(needs, 0, decide))?),
        }
    }
}

/// Has somebody record what waits: a thread of its own, or this one when the runtime has no other.
fn lead_beside(ledger: &Arc<Ledger>) {
    if !ledger.is_left_alone() {
        return;
    }
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        ledger.lead();
    } else {
        let ledger = Arc::clone(ledger);
        tokio::task::spawn_blocking(move || ledger.lead());
    }
}
