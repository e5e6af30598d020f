//! The database's schema, brought to this version by one server at a time.

use chrono::{DateTime, Utc};
use tokio_postgres::{Client, Error};

use crate::domain::Month;

/// What brings a schema from each version to the next, from an empty one on.
const MIGRATIONS: [&str; 2] =
    [include_str!("migrations/0001_ledger.sql"), include_str!("migrations/0002_by_contract.sql")];

/// The newest version known.
pub const VERSION: usize = MIGRATIONS.len();

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_version \
                        (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())";

/// Taken while the schema changes; the same number in every version.
const SCHEMA_LOCK: i64 = 0x7469_6465_6761_7567;

/// Months for which a partition is made before they begin.
const MONTHS_AHEAD: usize = 2;

/// Brings the schema to this version; another server that does so is waited for.
///
/// Returns the version found, which is more than [`VERSION`] when a newer server has been here: nothing was changed then.
///
/// # Errors
/// The database's own.
pub async fn migrate(client: &Client) -> Result<usize, Error> {
    if version(client).await? == VERSION {
        return Ok(VERSION);
    }
    // Before the transaction begins, which then knows what others have made; its end of the connection frees it too.
    client.execute("SELECT pg_advisory_lock($1)", &[&SCHEMA_LOCK]).await?;
    client.batch_execute("BEGIN").await?;
    let found = version(client).await?;
    if found == 0 {
        client.batch_execute(VERSIONS).await?;
    }
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(found) {
        client.batch_execute(migration).await?;
        let number = i32::try_from(number + 1).expect("migrations are few");
        client.execute("INSERT INTO schema_version (version) VALUES ($1)", &[&number]).await?;
    }
    client.batch_execute("COMMIT").await?;
    client.execute("SELECT pg_advisory_unlock($1)", &[&SCHEMA_LOCK]).await?;
    Ok(found.max(VERSION))
}

/// The newest migration that was carried out; 0 where nothing is.
async fn version(client: &Client) -> Result<usize, Error> {
    let is_there: bool = client.query_one("SELECT to_regclass('schema_version') IS NOT NULL", &[]).await?.get(0);
    if !is_there {
        return Ok(0);
    }
    let row = client.query_one("SELECT coalesce(max(version), 0) FROM schema_version", &[]).await?;
    Ok(usize::try_from(row.get::<_, i32>(0)).unwrap_or_default())
}

/// Makes the partitions of this month, by the database's clock, and of those to come.
///
/// # Errors
/// The database's own; what has no partition goes into the default one meanwhile.
pub async fn make_partitions(client: &Client) -> Result<(), Error> {
    let at: DateTime<Utc> = client.query_one("SELECT now()", &[]).await?.get(0);
    let mut month = Month::of(at);
    for _ in 0..=MONTHS_AHEAD {
        let table = format!("entry_{}", month.to_string().replace('-', "_"));
        let exists: bool = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await?.get(0);
        if !exists {
            let (from, to) = (month.first_day(), month.next().first_day());
            // Both in one transaction, as statements that are sent together are.
            client
                .batch_execute(&format!(
                    "SELECT pg_advisory_xact_lock({SCHEMA_LOCK}); \
                     CREATE TABLE IF NOT EXISTS {table} PARTITION OF entry \
                     FOR VALUES FROM ('{from} 00:00+00') TO ('{to} 00:00+00')"
                ))
                .await?;
        }
        month = month.next();
    }
    Ok(())
}
