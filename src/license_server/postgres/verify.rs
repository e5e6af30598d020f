//! Whether the entries are whole and the rows follow from them.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio_postgres::{Client, Error, Row};

use super::super::facts::Fact;
use super::super::state::{MessageOnFile, State};
use super::batch::hash;
use super::session::Chain;
use super::{Unopened, put_row};
use crate::domain::Instant;
use crate::domain::report::Receipt;
use crate::seal::chain::GENESIS;

/// Entries fetched at once.
const FETCH: &str = "FETCH 500 FROM entries";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub entries: u64,
    pub chains: usize,
    /// What does not hold, in words and in its order; empty when all does.
    pub wrong: Vec<String>,
}

/// Follows each chain to its head, and compares what all facts in their order say with the rows: all as of one instant,
/// whatever is recorded meanwhile. The connection is used up.
pub async fn verify(client: &Client) -> Result<Verified, Unopened> {
    let refused = |error: Error| Unopened::refused(&error);
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(refused)?;
    let mut walk = Walk::default();
    walk.follow(client).await.map_err(refused)?;
    let mut replayed = walk.replay(client).await.map_err(refused)?;
    let rows = client.query(include_str!("read_all.sql"), &[]).await.map_err(refused)?;
    let mut kept = State::default();
    for row in &rows {
        // A row that cannot be read is no worse than one that is missing: both are findings.
        walk.wrong.extend(put_row(&mut kept, row).err());
    }
    forget_told(&mut replayed, &kept);
    differences(&replayed, &kept, &mut walk.wrong);
    let Walk { entries, chains, wrong } = walk;
    Ok(Verified { entries, chains, wrong })
}

#[derive(Default)]
struct Walk {
    entries: u64,
    chains: usize,
    wrong: Vec<String>,
}

impl Walk {
    /// Each chain from its first entry to its last, and its head.
    async fn follow(&mut self, client: &Client) -> Result<(), Error> {
        let entries = "DECLARE entries CURSOR FOR SELECT chain, link, recorded_at, actor, fact::text, hash FROM entry \
                       ORDER BY chain, link";
        client.batch_execute(entries).await?;
        let mut ends: BTreeMap<i64, Chain> = BTreeMap::new();
        loop {
            let rows = client.query(FETCH, &[]).await?;
            for row in &rows {
                let id = row.get(0);
                let chain = ends.entry(id).or_insert(Chain { id, links: 0, head: GENESIS });
                self.step(chain, row);
            }
            if rows.is_empty() {
                break;
            }
        }
        client.batch_execute("CLOSE entries").await?;
        for row in client.query("SELECT id, links, head FROM chain ORDER BY id", &[]).await? {
            let (id, links, head): (i64, i64, &[u8]) = (row.get(0), row.get(1), row.get(2));
            let end = ends.remove(&id).unwrap_or(Chain { id, links: 0, head: GENESIS });
            if end.links != links || end.head != head {
                self.wrong.push(format!("chain {id} ends with entry {}, its head says {links}", end.links));
            }
            self.chains += 1;
        }
        self.wrong.extend(ends.keys().map(|id| format!("chain {id} has no head")));
        Ok(())
    }

    fn step(&mut self, chain: &mut Chain, row: &Row) {
        let (link, recorded_at, kept): (i64, Instant, &[u8]) = (row.get(1), row.get(2), row.get(5));
        if link != chain.links + 1 {
            self.wrong.push(format!("chain {} has no entry {}", chain.id, chain.links + 1));
        }
        chain.links = link;
        if hash(chain, recorded_at, row.get(3), row.get(4)) != kept {
            self.wrong.push(format!("entry {link} of chain {} is not what was recorded", chain.id));
        }
        chain.head = kept.try_into().unwrap_or(GENESIS);
        self.entries += 1;
    }

    /// What all facts say, in the order in which they were recorded.
    async fn replay(&mut self, client: &Client) -> Result<State, Error> {
        let entries = "DECLARE entries CURSOR FOR SELECT number, fact::text FROM entry ORDER BY number";
        client.batch_execute(entries).await?;
        let mut state = State::default();
        loop {
            let rows = client.query(FETCH, &[]).await?;
            for row in &rows {
                let (number, fact): (i64, Result<Fact, _>) = (row.get(0), serde_json::from_str(row.get(1)));
                let applied = fact.map_err(|error| error.to_string()).and_then(|fact| state.apply(fact));
                self.wrong.extend(applied.err().map(|why| format!("entry {number}: {why}")));
            }
            if rows.is_empty() {
                return Ok(state);
            }
        }
    }
}

/// Names the rows that the facts do not say.
fn differences(replayed: &State, rows: &State, wrong: &mut Vec<String>) {
    if replayed.policy != rows.policy {
        wrong.push("the policy is not what was recorded".to_owned());
    }
    differing("contract", &replayed.contracts, &rows.contracts, wrong);
    differing("token", &replayed.tokens, &rows.tokens, wrong);
    differing("agent", &replayed.agents, &rows.agents, wrong);
    differing("unit", &replayed.units, &rows.units, wrong);
    differing("message", &receipts(replayed), &receipts(rows), wrong);
}

/// Units without what telemetry told where the row was written before there was a place for it.
fn forget_told(replayed: &mut State, rows: &State) {
    for (id, unit) in &mut replayed.units {
        if rows.units.get(id).is_some_and(|row| row.told.is_none()) {
            unit.told = None;
        }
    }
}

/// Messages without the bodies of their conflicts, which no row repeats.
fn receipts(state: &State) -> BTreeMap<String, (&str, &Receipt, Vec<&str>)> {
    let mut receipts = BTreeMap::new();
    for (id, MessageOnFile { body, receipt, conflicts }) in &state.messages {
        let conflicts = conflicts.iter().map(|conflict| conflict.sha256.as_str()).collect();
        receipts.insert(id.clone(), (body.as_str(), receipt, conflicts));
    }
    receipts
}

fn differing<T: PartialEq>(
    what: &str,
    said: &BTreeMap<String, T>,
    there: &BTreeMap<String, T>,
    wrong: &mut Vec<String>,
) {
    for id in said.keys().chain(there.keys().filter(|id| !said.contains_key(*id))) {
        if said.get(id) != there.get(id) {
            wrong.push(format!("the row of {what} {id} is not what its entries say"));
        }
    }
}
