//! A batch of questions as one transaction: their rows are locked and read, all is decided, written and committed at once.

use std::collections::BTreeSet;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::super::intake::NewFact;
use super::super::state::State;
use super::put_row;
use super::question::Waiting;
use super::rows::{self, Needs, RowKey, Shelf, Written};
use super::session::{Chain, Session};
use crate::domain::Instant;
use crate::seal::chain::{Hash, link};

/// Why a batch is not recorded, or not known to be.
#[derive(Debug)]
pub enum Failed {
    /// Nothing was written: it may be tried again.
    Nothing(Error),
    /// The commit was asked for and not confirmed; what became of it, only the database knows.
    Unknown(Error),
    /// A row or entry that this version does not understand.
    NotUnderstood(String),
}

/// Decides the questions on the rows they need and commits what comes of it; the answers may leave then.
///
/// # Errors
/// [`Failed`]; the transaction may still be open.
pub async fn carry_out(session: &mut Session, questions: &mut [Waiting]) -> Result<(), Failed> {
    let wanted = Wanted::of(questions.iter().map(|waiting| &waiting.needs));
    let read = read(session, &wanted).await.map_err(Failed::Nothing)?;
    let mut state = State::default();
    for row in &read {
        put_row(&mut state, row).map_err(Failed::NotUnderstood)?;
    }
    let mut batch = Batch { on_file: state.messages.keys().cloned().collect(), ..Batch::after(session.chain) };
    for Waiting { needs, question, .. } in questions {
        if let Some(fact) = question.decide(&state) {
            batch.enter(&mut state, fact, needs).map_err(Failed::NotUnderstood)?;
        }
    }
    batch.gather(&state);
    batch.write(session).await.map_err(Failed::Unknown)?;
    session.chain = batch.chain;
    Ok(())
}

/// The keys of a batch, by statement.
#[derive(Default)]
struct Wanted {
    locks: Vec<i64>,
    contracts: Vec<String>,
    contracts_of: Vec<String>,
    tokens: Vec<String>,
    agents: Vec<String>,
    units: Vec<String>,
    reports: Vec<String>,
    checks: Vec<String>,
    days: Vec<String>,
    messages: Vec<String>,
}

impl Wanted {
    fn of<'a>(needs: impl Iterator<Item = &'a Needs>) -> Wanted {
        let (mut locks, mut all, mut contracts_of) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for Needs { changes, reads, contract_of } in needs {
            // In the order of their numbers, whoever asks: two batches never wait for each other.
            locks.extend(changes.iter().filter_map(RowKey::lock));
            all.extend(changes.iter().chain(reads));
            contracts_of.extend(contract_of.iter().cloned());
        }
        let mut wanted = Wanted {
            locks: locks.into_iter().collect(),
            contracts_of: contracts_of.into_iter().collect(),
            ..Wanted::default()
        };
        for RowKey { shelf, id } in all {
            let of_shelf = match shelf {
                // It is read each time.
                Shelf::Policy => continue,
                Shelf::Contract => &mut wanted.contracts,
                Shelf::Token => &mut wanted.tokens,
                Shelf::Agent => &mut wanted.agents,
                Shelf::Unit => &mut wanted.units,
                Shelf::Reports => &mut wanted.reports,
                Shelf::Checks => &mut wanted.checks,
                Shelf::Days => &mut wanted.days,
                Shelf::Message => &mut wanted.messages,
            };
            of_shelf.push(id.clone());
        }
        wanted
    }
}

/// One round trip: each statement sees what was committed before it began, so the rows are those under the locks.
async fn read(session: &Session, wanted: &Wanted) -> Result<Vec<Row>, Error> {
    let Session { client, lock, read, .. } = session;
    let locks: [&(dyn ToSql + Sync); 1] = [&wanted.locks];
    let Wanted { contracts, contracts_of, tokens, agents, units, reports, checks, days, messages, .. } = wanted;
    let keys: [&(dyn ToSql + Sync); 9] =
        [contracts, contracts_of, tokens, agents, units, reports, checks, days, messages];
    let begun = client.batch_execute("BEGIN");
    let (_, _, rows) = tokio::try_join!(biased; begun, client.execute(lock, &locks), client.query(read, &keys))?;
    Ok(rows)
}

/// What a batch writes.
struct Batch {
    chain: Chain,
    links_before: i64,
    /// Messages that were taken before.
    on_file: BTreeSet<String>,
    changed: BTreeSet<RowKey>,
    entries: Entries,
    rows: Rows,
    messages: Messages,
}

/// Columns of the entries.
#[derive(Default)]
struct Entries {
    recorded_at: Vec<Instant>,
    link: Vec<i64>,
    actor: Vec<String>,
    fact: Vec<String>,
    hash: Vec<Vec<u8>>,
}

/// Columns of the rows.
#[derive(Default)]
struct Rows {
    shelf: Vec<&'static str>,
    id: Vec<String>,
    contract_id: Vec<String>,
    value: Vec<String>,
}

/// Columns of the messages that are taken; where their entries stand goes along.
#[derive(Default)]
struct Messages {
    id: Vec<String>,
    recorded_at: Vec<Instant>,
    link: Vec<i64>,
    value: Vec<String>,
}

impl Batch {
    fn after(chain: Chain) -> Batch {
        Batch {
            chain,
            links_before: chain.links,
            on_file: BTreeSet::new(),
            changed: BTreeSet::new(),
            entries: Entries::default(),
            rows: Rows::default(),
            messages: Messages::default(),
        }
    }

    /// Takes a fact into the state, and as the chain's next entry.
    fn enter(&mut self, state: &mut State, fact: NewFact, needs: &Needs) -> Result<(), String> {
        let text = serde_json::to_string(&fact.fact).expect("facts have text keys and no binary floats");
        let (actor, recorded_at) = (without_nul(&fact.actor), fact.at);
        state.take(fact)?;
        self.chain.links += 1;
        self.chain.head = hash(&self.chain, recorded_at, &actor, &text);
        for row in &needs.changes {
            let is_taken = row.shelf == Shelf::Message && self.on_file.insert(row.id.clone());
            if is_taken && state.messages.contains_key(&row.id) {
                self.messages.id.push(row.id.clone());
                self.messages.recorded_at.push(recorded_at);
                self.messages.link.push(self.chain.links);
            }
        }
        self.changed.extend(needs.changes.iter().cloned());
        self.entries.recorded_at.push(recorded_at);
        self.entries.link.push(self.chain.links);
        self.entries.actor.push(actor);
        self.entries.fact.push(text);
        self.entries.hash.push(self.chain.head.to_vec());
        Ok(())
    }

    /// The changed rows as they stand after all that was decided.
    fn gather(&mut self, state: &State) {
        let message = |id: &String| RowKey { shelf: Shelf::Message, id: id.clone() };
        for key in self.messages.id.iter().map(message) {
            self.changed.remove(&key);
            self.messages.value.extend(rows::written(state, &key).map(|row| row.value));
        }
        for key in std::mem::take(&mut self.changed) {
            if let Some(Written { contract_id, value }) = rows::written(state, &key) {
                self.rows.shelf.push(key.shelf.name());
                self.rows.id.push(key.id);
                self.rows.contract_id.push(contract_id);
                self.rows.value.push(value);
            }
        }
    }

    /// One round trip: all rows in one statement, and the commit.
    async fn write(&self, session: &Session) -> Result<(), Error> {
        let Batch { chain, links_before, entries, rows, messages, .. } = self;
        let head = chain.head.as_slice();
        let parameters: [&(dyn ToSql + Sync); 17] = [
            &rows.shelf,
            &rows.id,
            &rows.contract_id,
            &rows.value,
            &messages.id,
            &messages.recorded_at,
            &messages.link,
            &messages.value,
            &entries.recorded_at,
            &entries.link,
            &entries.actor,
            &entries.fact,
            &entries.hash,
            &chain.id,
            links_before,
            &chain.links,
            &head,
        ];
        let written = session.client.execute(&session.write, &parameters);
        let (_, ()) = tokio::try_join!(biased; written, session.client.batch_execute("COMMIT"))?;
        Ok(())
    }
}

/// The hash of the chain's newest entry: over the one before it, where it stands, who did it, and the fact's exact bytes.
pub fn hash(chain: &Chain, recorded_at: Instant, actor: &str, fact: &str) -> Hash {
    let header = format!("{}\n{}\n{}\n{actor}", chain.id, chain.links, recorded_at.timestamp_micros());
    link(&chain.head, header.as_bytes(), fact.as_bytes())
}

/// As the database's texts can hold it.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
