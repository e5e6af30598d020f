//! One connection: how it is set up, and the statements on it.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, Error, Statement};

use super::Unopened;
use crate::ports::postgres::{Database, in_words};
use crate::seal::chain::{GENESIS, Hash};

/// Longest wait for a connection to be set up once it is there, and for what is only read.
pub const SECONDS_MAX: u64 = 10;

/// Longest wait for one lock, unless less is asked for; stands in `SET_UP`.
pub const LOCK_SECONDS_MAX: u64 = 8;

/// What a session works under.
///
/// A commit is durable, and on the standbys if there are synchronous ones. A transaction whose server is gone or stands still lets its locks go; none is
/// cancelled by time, because a commit that waits for its standby would end as if it had succeeded.
const SET_UP: &str = "
SET TIME ZONE 'UTC';
SET default_transaction_isolation = 'read committed';
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET statement_timeout = 0;
SET lock_timeout = '8s';
SET idle_in_transaction_session_timeout = '15s';
SET client_connection_check_interval = '5s';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local');
";

/// A batch finds its rows by their keys, whatever the planner believes of tables that just grew.
const BY_KEY: &str = "
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
";

/// A connection on which batches are written; each has its own hash chain.
pub struct Session {
    pub client: Client,
    pub lock: Statement,
    pub read: Statement,
    pub write: Statement,
    pub chain: Chain,
    lock_seconds_max: u64,
}

/// The entries of one session.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    pub id: i64,
    pub links: i64,
    pub head: Hash,
}

/// Dials and sets the connection up.
///
/// # Errors
/// One line: no server takes writes, or it is too old.
pub async fn connect(database: &Database) -> Result<Client, Unopened> {
    let client = database.dial().await.map_err(Unopened::Unreachable)?;
    in_time(async {
        client.batch_execute(SET_UP).await.map_err(|error| Unopened::refused(&error))?;
        Ok(client)
    })
    .await
}

/// A server that stands still takes connections and never answers.
async fn in_time<T>(opening: impl Future<Output = Result<T, Unopened>>) -> Result<T, Unopened> {
    let late = |_| Unopened::Unreachable(format!("no answer within {SECONDS_MAX} s"));
    timeout(Duration::from_secs(SECONDS_MAX), opening).await.map_err(late)?
}

impl Session {
    /// Connects, begins a chain and prepares the statements of a batch.
    ///
    /// # Errors
    /// One line: no server takes writes, or the schema is not there.
    pub async fn open(database: &Database) -> Result<Session, Unopened> {
        let client = connect(database).await?;
        in_time(async {
            client.batch_execute(BY_KEY).await.map_err(|error| Unopened::refused(&error))?;
            Session::prepared(client).await.map_err(|error| Unopened::Unreachable(in_words(&error)))
        })
        .await
    }

    async fn prepared(client: Client) -> Result<Session, Error> {
        let lock = "SELECT pg_advisory_xact_lock(number) FROM unnest($1::bigint[]) AS number";
        let (lock, read, write) = tokio::try_join!(
            client.prepare(lock),
            client.prepare(include_str!("read.sql")),
            client.prepare(include_str!("write.sql")),
        )?;
        // The first batch that writes the row makes it durable; until then it says nothing.
        client.batch_execute("BEGIN; SET LOCAL synchronous_commit = off").await?;
        let row = client.query_one("INSERT INTO chain (head) VALUES ($1) RETURNING id", &[&GENESIS.as_slice()]).await?;
        client.batch_execute("COMMIT").await?;
        let chain = Chain { id: row.get(0), links: 0, head: GENESIS };
        Ok(Session { client, lock, read, write, chain, lock_seconds_max: LOCK_SECONDS_MAX })
    }

    /// Waits for a lock so long from now on.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn wait_for_locks(&mut self, seconds_max: u64) -> Result<(), Error> {
        if self.lock_seconds_max != seconds_max {
            self.client.batch_execute(&format!("SET lock_timeout = '{seconds_max}s'")).await?;
            self.lock_seconds_max = seconds_max;
        }
        Ok(())
    }
}
