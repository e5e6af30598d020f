//! The ledger in PostgreSQL: any number of servers decide on the same rows, each batch one transaction.
//!
//! `entry` is the truth, as the journal is in a folder. The rows that a batch's facts change are locked before they are
//! read, so that what is decided on them is decided once, whichever server is asked. Answers leave after the commit.

mod batch;
mod clerk;
mod fleet;
mod migrations;
mod question;
mod rows;
mod session;
mod verify;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::sleep;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row};
use tracing::warn;

use super::intake::Decided;
use super::state::{AgentOnFile, State};
use crate::ports::postgres::{Database, in_words};
use crate::seal::keys::VerifyingKey;
use clerk::{Clerk, Queue};
use question::asked;
pub use rows::Needs;
pub use verify::Verified;

/// Batches that are carried out at once: while one is committed, the next is decided.
const CLERKS: usize = 2;
/// Questions that wait; more are told to come back.
const QUESTIONS_MAX: usize = 4096;
/// Agents' keys that are remembered; a key never changes under its fingerprint.
const KEYS_MAX: usize = 200_000;
/// Longest wait for a list of everything.
const LIST_SECONDS_MAX: u64 = 300;
/// How often the partitions of the coming months are looked after.
const PARTITIONS_EVERY: Duration = Duration::from_secs(12 * 3600);

/// Why the database does not answer, or may not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    #[error("no database takes writes: {0}")]
    Unreachable(String),
    #[error("the database cannot be used: {0}; PostgreSQL 14 or newer is needed, and a role that owns the schema")]
    Refused(String),
    #[error("the database's schema is of version {found}, this program knows {known}: update it", known = migrations::VERSION)]
    Newer { found: usize },
    #[error("the database belongs to the signing key {0}; give every server on it that key's file")]
    OtherKey(String),
    #[error("it was not recorded, or nobody knows: {0}")]
    NotRecorded(String),
    #[error("too much is waiting for the database")]
    Busy,
    #[error("nobody records any more in this process: start it again")]
    NoClerk,
    #[error("the database's rows are not understood: {0}")]
    NotUnderstood(String),
}

impl Unopened {
    fn refused(error: &Error) -> Unopened {
        match error.as_db_error() {
            Some(_) => Unopened::Refused(in_words(error)),
            None => Unopened::Unreachable(in_words(error)),
        }
    }
}

/// The database as the License Update Server uses it; carries its connections on threads of its own.
pub struct Postgres {
    database: Database,
    questions: Sender<question::Waiting>,
    /// For what is only read.
    reader: tokio::sync::Mutex<Option<Arc<Client>>>,
    keys: Mutex<BTreeMap<String, VerifyingKey>>,
    runtime: Option<Runtime>,
}

impl Postgres {
    /// Brings the schema to this version, claims the database for the signing key, and begins to take questions.
    ///
    /// # Errors
    /// [`Unopened`].
    pub fn open(database: Database, signing_key: &str) -> Result<Postgres, Unopened> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("postgres").enable_all().build();
        let runtime = runtime.map_err(|error| Unopened::Unreachable(error.to_string()))?;
        let client = runtime.block_on(ready(&database, signing_key))?;
        let (questions, queue) = channel(QUESTIONS_MAX);
        let queue = Arc::new(tokio::sync::Mutex::new(Queue::of(queue)));
        for _ in 0..CLERKS {
            let clerk = Clerk { database: database.clone(), queue: Arc::clone(&queue), session: None };
            runtime.spawn(clerk.work());
        }
        runtime.spawn(look_after_partitions(database.clone()));
        let reader = tokio::sync::Mutex::new(Some(Arc::new(client)));
        Ok(Postgres { database, questions, reader, keys: Mutex::default(), runtime: Some(runtime) })
    }

    /// Decides a question on the rows it needs, and returns when what came of it is durable.
    ///
    /// # Errors
    /// It is not recorded, or nobody knows: the same question may be asked again.
    pub async fn ask<T: Send + 'static>(
        &self,
        needs: Needs,
        bytes: usize,
        decide: impl Fn(&State) -> Decided<T> + Send + 'static,
    ) -> Result<T, Unopened> {
        let (waiting, answer) = asked(needs, bytes, decide);
        self.questions.try_send(waiting).map_err(|refused| match refused {
            TrySendError::Full(_) => Unopened::Busy,
            TrySendError::Closed(_) => Unopened::NoClerk,
        })?;
        let lost = |_| Unopened::NotRecorded("the server is stopping".to_owned());
        answer.await.map_err(lost)?.map_err(Unopened::NotRecorded)
    }

    /// Waits for something of this database where nothing else waits: not within a runtime.
    pub fn wait<T>(&self, something: impl Future<Output = T>) -> T {
        self.carrier().block_on(something)
    }

    /// The key of an agent on file.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn agent_key(&self, agent: &str) -> Result<Option<VerifyingKey>, Unopened> {
        if let Some(key) = self.keys().get(agent) {
            return Ok(Some(key.clone()));
        }
        if agent.contains('\0') {
            return Ok(None);
        }
        let rows = self.rows("SELECT value::text FROM agent WHERE id = $1", &[&agent]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let on_file: AgentOnFile =
            serde_json::from_str(row.get(0)).map_err(|error| Unopened::NotUnderstood(error.to_string()))?;
        let mut keys = self.keys();
        if keys.len() >= KEYS_MAX {
            keys.clear();
        }
        keys.insert(agent.to_owned(), on_file.key.clone());
        Ok(Some(on_file.key))
    }

    /// Number of the newest entry, of a server that still records.
    ///
    /// # Errors
    /// The database does not answer, or no clerk lives.
    pub async fn newest_entry(&self) -> Result<u64, Unopened> {
        // The queue's other end is the clerks' alone.
        if self.questions.is_closed() {
            return Err(Unopened::NoClerk);
        }
        let rows = self.rows("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM entry_number", &[]).await?;
        Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0)).unsigned_abs())
    }

    /// Contracts, tokens, agents and units: what lists are made of.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn accounts(&self) -> Result<State, Unopened> {
        state_of(&self.rows_within(LIST_SECONDS_MAX, include_str!("read_accounts.sql"), &[]).await?)
    }

    /// One unit without its checks, and one message.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn part(&self, unit: &str, message: Option<&str>) -> Result<State, Unopened> {
        if unit.contains('\0') {
            return Ok(State::default());
        }
        // UNIT/MONTH: longer ones are of units whose names begin with this one's and a stroke.
        let months = "SELECT id FROM unit_days \
                      WHERE id >= $1::text || '/' AND id < $1 || '0' AND length(id) = length($1) + 8";
        let days: Vec<String> = self.rows(months, &[&unit]).await?.iter().map(|row| row.get(0)).collect();
        let (none, units): (&[&str], &[&str]) = (&[], &[unit]);
        let messages = message.as_slice();
        let keys: [&(dyn ToSql + Sync); 9] = [&none, &none, &none, &none, &units, &units, &none, &days, &messages];
        state_of(&self.rows(include_str!("read.sql"), &keys).await?)
    }

    /// Everything; only for what is small.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn whole(&self) -> Result<State, Unopened> {
        state_of(&self.rows_within(LIST_SECONDS_MAX, include_str!("read_all.sql"), &[]).await?)
    }

    /// Follows every chain, and replays all entries beside the rows.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn verify(&self) -> Result<Verified, Unopened> {
        let database = self.database.clone();
        let verifying = self.carrier().spawn(async move { verify::verify(&session::connect(&database).await?).await });
        verifying.await.map_err(|error| Unopened::Unreachable(error.to_string()))?
    }

    async fn rows(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Unopened> {
        self.rows_within(session::SECONDS_MAX, query, parameters).await
    }

    async fn rows_within(
        &self,
        seconds_max: u64,
        query: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Unopened> {
        let client = self.client().await?;
        // The caller's runtime need not have timers.
        let late = self.carrier().spawn(async move { sleep(Duration::from_secs(seconds_max)).await });
        let late_ends = late.abort_handle();
        let read = tokio::select! {
            read = client.query(query, parameters) => read.map_err(|error| Unopened::refused(&error)),
            _ = late => {
                // Whoever stands still is not asked again.
                self.reader.lock().await.take();
                Err(Unopened::Unreachable("it does not answer".to_owned()))
            }
        };
        late_ends.abort();
        read
    }

    fn carrier(&self) -> &Runtime {
        self.runtime.as_ref().expect("it ends when this is dropped")
    }

    /// The connection for reading, dialled again when it is gone.
    async fn client(&self) -> Result<Arc<Client>, Unopened> {
        let mut reader = self.reader.lock().await;
        if let Some(client) = reader.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let database = self.database.clone();
        // On this runtime, which outlives the caller's.
        let dialled = self.carrier().spawn(async move { session::connect(&database).await }).await;
        let client = Arc::new(dialled.map_err(|error| Unopened::Unreachable(error.to_string()))??);
        *reader = Some(Arc::clone(&client));
        Ok(client)
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, VerifyingKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not waited for: this may be dropped within another runtime.
            runtime.shutdown_background();
        }
    }
}

async fn ready(database: &Database, signing_key: &str) -> Result<Client, Unopened> {
    let client = session::connect(database).await?;
    let refused = |error: Error| Unopened::refused(&error);
    let found = migrations::migrate(&client).await.map_err(refused)?;
    if found > migrations::VERSION {
        return Err(Unopened::Newer { found });
    }
    if let Err(error) = migrations::make_partitions(&client).await {
        no_partition(&in_words(&error));
    }
    let claim = "INSERT INTO server (signing_key) VALUES ($1) ON CONFLICT DO NOTHING";
    client.execute(claim, &[&signing_key]).await.map_err(refused)?;
    let owner: String = client.query_one("SELECT signing_key FROM server", &[]).await.map_err(refused)?.get(0);
    if owner == signing_key { Ok(client) } else { Err(Unopened::OtherKey(owner)) }
}

async fn look_after_partitions(database: Database) {
    loop {
        sleep(PARTITIONS_EVERY).await;
        let made = match session::connect(&database).await {
            Ok(client) => migrations::make_partitions(&client).await.map_err(|error| in_words(&error)),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = made {
            no_partition(&why);
        }
    }
}

fn no_partition(why: &str) {
    warn!(event = "license_server.no_partition", why, "entries without a month go into entry_default");
}

fn state_of(read: &[Row]) -> Result<State, Unopened> {
    let mut state = State::default();
    for row in read {
        put_row(&mut state, row).map_err(Unopened::NotUnderstood)?;
    }
    Ok(state)
}

/// Puts a row of any of the reading statements into the state.
fn put_row(state: &mut State, row: &Row) -> Result<(), String> {
    rows::put(state, (row.get(0), row.get(1)), row.get(2), row.get(3))
}
