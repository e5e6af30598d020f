//! The License Update Server on PostgreSQL: told only where `TIDEGAUGE_POSTGRES` names one; `tests/outside/postgres` does.

mod clerks; // a decision that breaks off, a batch that takes too long
mod fleet; // agents that send until they have a receipt, to whichever server answers
mod outages; // a server killed, a primary that dies
pub mod shared; // two servers on the same rows
mod unreached; // what is refused before any database is asked
mod whole; // versions, keys, changed entries

use std::sync::atomic::{AtomicU32, Ordering};

use tidegauge::doors::peer::Trust;
use tidegauge::ports::postgres::Database;

/// `postgresql://` URL of a database in which schemas may be made; the file with its password, and the authority of its
/// certificate stand beside it.
const VARIABLE: &str = "TIDEGAUGE_POSTGRES";

static MADE: AtomicU32 = AtomicU32::new(0);

/// A schema of its own in the database of the tests; `None`: there is no database, and the test ends.
pub fn fresh() -> Option<Database> {
    Some(at(&fresh_url()?))
}

/// The URL of a schema of its own.
pub fn fresh_url() -> Option<String> {
    let url = std::env::var(VARIABLE).ok()?;
    let schema = format!("of_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    run(&at(&url), &format!("CREATE SCHEMA {schema}"));
    // `tests/outside/postgres` counts the tests that came so far.
    println!("on PostgreSQL: {}", std::thread::current().name().unwrap_or_default());
    let joined = if url.contains('?') { '&' } else { '?' };
    Some(format!("{url}{joined}options=-c%20search_path%3D{schema}"))
}

/// The database of a URL without a password.
pub fn at(url: &str) -> Database {
    Database::at(url, None, &Trust::System).expect("the tests' database is on this machine")
}

/// Runs statements as a person with `psql` would.
pub fn run(database: &Database, statements: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = database.dial().await.expect("the tests' database answers");
        client.batch_execute(statements).await.expect("statements");
    });
}

/// A transaction in which these statements were carried out; it ends when this is dropped.
pub struct Begun {
    _client: tokio_postgres::Client,
    _runtime: tokio::runtime::Runtime,
}

/// Begins one.
pub fn begun(database: &Database, statements: &str) -> Begun {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let client = runtime.block_on(async {
        let client = database.dial().await.expect("the tests' database answers");
        client.batch_execute(&format!("BEGIN; {statements}")).await.expect("statements");
        client
    });
    Begun { _client: client, _runtime: runtime }
}

/// The one number that a query gives.
pub fn count(database: &Database, query: &str) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = database.dial().await.expect("the tests' database answers");
        client
            .query_one(&format!("SELECT number::bigint FROM ({query}) AS one (number)"), &[])
            .await
            .expect("a query")
            .get(0)
    })
}
