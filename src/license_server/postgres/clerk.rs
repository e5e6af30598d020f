//! A clerk: takes what waits, carries it out as one batch on a connection of his own, and goes on.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout};
use tokio_postgres::error::SqlState;
use tracing::{error, warn};

use super::batch::{Failed, carry_out};
use super::question::Waiting;
use super::rows::RowKey;
use super::session::{LOCK_SECONDS_MAX, Session};
use crate::ports::postgres::{Database, in_words};

/// Questions decided together.
const BATCH_QUESTIONS_MAX: usize = 128;
/// Bytes of bodies decided together, unless one alone has more.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Longest wait for a batch: what became of it is unknown then.
const BATCH_SECONDS_MAX: u64 = 10;
/// Longest wait for a lock by a question that is asked by itself after its batch failed.
const ALONE_LOCK_SECONDS_MAX: u64 = 1;
/// How long the questions of a batch that failed are asked by themselves: whoever is left is to ask again.
const ALONE_SECONDS_MAX: u64 = 5;
/// Times a batch is begun when the connection turns out to be gone before anything was written.
const TRIES_MAX: usize = 2;

/// The questions of all clerks.
pub struct Queue {
    receiver: Receiver<Waiting>,
    /// What the last batch had no room for.
    held_over: Option<Waiting>,
}

pub struct Clerk {
    pub database: Database,
    pub queue: Arc<Mutex<Queue>>,
    pub session: Option<Session>,
}

impl Queue {
    pub fn of(receiver: Receiver<Waiting>) -> Queue {
        Queue { receiver, held_over: None }
    }

    /// What waits, in its order; waits for the first. `None`: nobody can ask any more.
    async fn next(&mut self) -> Option<Vec<Waiting>> {
        let first = match self.held_over.take() {
            Some(waiting) => waiting,
            None => self.receiver.recv().await?,
        };
        let mut bytes = first.bytes;
        let mut batch = vec![first];
        while batch.len() < BATCH_QUESTIONS_MAX {
            let Ok(waiting) = self.receiver.try_recv() else { break };
            bytes += waiting.bytes;
            if bytes > BATCH_BYTES_MAX {
                self.held_over = Some(waiting);
                break;
            }
            batch.push(waiting);
        }
        Some(batch)
    }
}

impl Clerk {
    /// Works until nobody can ask any more.
    pub async fn work(mut self) {
        while let Some(batch) = self.next().await {
            self.answer(batch).await;
        }
    }

    async fn next(&self) -> Option<Vec<Waiting>> {
        self.queue.lock().await.next().await
    }

    async fn answer(&mut self, mut batch: Vec<Waiting>) {
        match self.record(&mut batch, LOCK_SECONDS_MAX).await {
            Ok(()) => settle(batch, &Ok(())),
            Err(Trouble { cause: Cause::Asked | Cause::Locked, .. }) if batch.len() > 1 => {
                self.answer_each(batch).await;
            }
            Err(trouble) => {
                let why = trouble.said(batch.len());
                settle(batch, &Err(why));
            }
        }
    }

    /// Each by itself, because it may be one of them; the rest at once when it is none of them. Who needs a lock that one of
    /// them did not get waits for it no second time.
    async fn answer_each(&mut self, batch: Vec<Waiting>) {
        let until = Instant::now() + Duration::from_secs(ALONE_SECONDS_MAX);
        let (mut locked, mut put_off) = (BTreeSet::new(), Vec::new());
        let mut left = batch.into_iter();
        while let Some(waiting) = left.next() {
            let locks = locks_of(&waiting);
            if until <= Instant::now() || !locks.is_disjoint(&locked) {
                put_off.push(waiting);
                continue;
            }
            let mut alone = [waiting];
            let Err(trouble) = self.record(&mut alone, ALONE_LOCK_SECONDS_MAX).await else {
                settle(alone, &Ok(()));
                continue;
            };
            let sent_away = match trouble.cause {
                Cause::Asked => 0,
                Cause::Locked => {
                    locked.extend(locks);
                    0
                }
                Cause::Outage => left.len(),
            };
            let why = trouble.said(1 + sent_away);
            settle(alone.into_iter().chain(left.by_ref().take(sent_away)), &Err(why));
        }
        if !put_off.is_empty() {
            let why = "what it needs is locked by another transaction, or the database is slow; ask again".to_owned();
            let why = Trouble { why, cause: Cause::Locked }.said(put_off.len());
            settle(put_off, &Err(why));
        }
    }

    async fn record(&mut self, batch: &mut [Waiting], lock_seconds_max: u64) -> Result<(), Trouble> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut session = match self.session.take().filter(|session| !session.client.is_closed()) {
                Some(session) => session,
                None => Session::open(&self.database)
                    .await
                    .map_err(|error| Trouble { why: error.to_string(), cause: Cause::Outage })?,
            };
            // A session that is dropped ends its transaction: a batch that takes too long or breaks off leaves it so.
            let carried_out = timeout(Duration::from_secs(BATCH_SECONDS_MAX), async {
                session.wait_for_locks(lock_seconds_max).await.map_err(Failed::Nothing)?;
                carry_out(&mut session, batch).await
            });
            let carried_out = match caught(carried_out).await {
                Ok(Ok(carried_out)) => carried_out,
                Ok(Err(_)) => {
                    let why = format!("no answer of the database within {BATCH_SECONDS_MAX} s");
                    return Err(Trouble { why, cause: Cause::Outage });
                }
                Err(BrokeOff) => return Err(Trouble::broke_off(batch.len())),
            };
            let Err(failed) = carried_out else {
                self.session = Some(session);
                return Ok(());
            };
            match &failed {
                Failed::Nothing(error) if error.as_db_error().is_none() && tries < TRIES_MAX => continue,
                Failed::Nothing(_) | Failed::Unknown(_) | Failed::NotUnderstood(_) => return Err(Trouble::of(&failed)),
            }
        }
    }
}

/// Why a batch is not known to be recorded.
struct Trouble {
    why: String,
    cause: Cause,
}

/// Whose trouble it is.
#[derive(Clone, Copy)]
enum Cause {
    /// What was asked: it was refused or not understood, or its decision broke off.
    Asked,
    /// Another transaction's, which held a lock for too long: nothing was written, and only who needs that lock is held up.
    Locked,
    /// The connection's or the server's; also when it took too long, since what became of the batch is unknown then, and
    /// an operator's order may not be decided twice.
    Outage,
}

impl Trouble {
    fn broke_off(questions: usize) -> Trouble {
        let what = "a decision broke off: please report it with the lines above";
        error!(event = "license_server.question_broken", questions, "{what}");
        Trouble { why: "a decision broke off".to_owned(), cause: Cause::Asked }
    }

    fn of(failed: &Failed) -> Trouble {
        match failed {
            Failed::NotUnderstood(why) => Trouble { why: why.clone(), cause: Cause::Asked },
            Failed::Nothing(error) | Failed::Unknown(error) => {
                if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
                    return Trouble { why: in_words(error), cause: Cause::Locked };
                }
                // Classes 22, 23 and 40 are about the rows: bad values, broken uniqueness, deadlocks.
                let class = error.code().map(|code| code.code().get(..2).unwrap_or_default().to_owned());
                let is_refusal = class.is_some_and(|class| ["22", "23", "40"].contains(&class.as_str()));
                Trouble { why: in_words(error), cause: if is_refusal { Cause::Asked } else { Cause::Outage } }
            }
        }
    }

    /// Says it in the log, once for all whose answer it is.
    fn said(self, questions: usize) -> String {
        warn!(event = "license_server.not_recorded", questions, why = %self.why, "the database did not record what was asked");
        self.why
    }
}

/// The numbers of the locks that a question takes.
fn locks_of(waiting: &Waiting) -> BTreeSet<i64> {
    waiting.needs.changes.iter().filter_map(RowKey::lock).collect()
}

/// A panic took it.
struct BrokeOff;

/// Carries something out that may panic: the clerk goes on.
async fn caught<T>(work: impl Future<Output = T>) -> Result<T, BrokeOff> {
    let mut work = pin!(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(polled) => polled.map(Ok),
        Err(_) => Poll::Ready(Err(BrokeOff)),
    })
    .await
}

fn settle(batch: impl IntoIterator<Item = Waiting>, recorded: &Result<(), String>) {
    for Waiting { question, .. } in batch {
        question.settle(recorded.clone());
    }
}
