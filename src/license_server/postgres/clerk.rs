//! A clerk: takes what waits, carries it out as one batch on a connection of his own, and goes on.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use tracing::{error, warn};

use super::batch::{Failed, carry_out};
use super::question::Waiting;
use super::session::Session;
use crate::ports::postgres::{Database, in_words};

/// Questions decided together.
const BATCH_QUESTIONS_MAX: usize = 128;
/// Bytes of bodies decided together, unless one alone has more.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Longest wait for a batch: what became of it is unknown then, and whoever asked asks again.
const BATCH_SECONDS_MAX: u64 = 10;
/// Times a batch is begun when the connection turns out to be gone before anything was written.
const TRIES_MAX: usize = 2;

/// The questions of all clerks.
pub type Queue = Arc<Mutex<Receiver<Waiting>>>;

pub struct Clerk {
    pub database: Database,
    pub queue: Queue,
    pub session: Option<Session>,
}

impl Clerk {
    /// Works until nobody can ask any more.
    pub async fn work(mut self) {
        while let Some(batch) = self.next().await {
            self.answer(batch).await;
        }
    }

    /// What waits, in its order; waits for the first.
    async fn next(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue.lock().await;
        let first = queue.recv().await?;
        let mut bytes = first.bytes;
        let mut batch = vec![first];
        while batch.len() < BATCH_QUESTIONS_MAX && bytes < BATCH_BYTES_MAX {
            let Ok(waiting) = queue.try_recv() else { break };
            bytes += waiting.bytes;
            batch.push(waiting);
        }
        Some(batch)
    }

    async fn answer(&mut self, mut batch: Vec<Waiting>) {
        match self.record(&mut batch).await {
            Ok(()) => settle(batch, &Ok(())),
            // One of them may be what the database refuses: each by itself.
            Err(Trouble { is_refusal: true, .. }) if batch.len() > 1 => {
                for waiting in batch {
                    let mut alone = [waiting];
                    let recorded = self.record(&mut alone).await.map_err(|trouble| trouble.said(1));
                    settle(alone, &recorded);
                }
            }
            Err(trouble) => {
                let why = trouble.said(batch.len());
                settle(batch, &Err(why));
            }
        }
    }

    async fn record(&mut self, batch: &mut [Waiting]) -> Result<(), Trouble> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut session = match self.session.take().filter(|session| !session.client.is_closed()) {
                Some(session) => session,
                None => Session::open(&self.database).await.map_err(|error| Trouble::outage(error.to_string()))?,
            };
            // A session that is dropped ends its transaction: a batch that takes too long or breaks off leaves it so.
            let carried_out = timeout(Duration::from_secs(BATCH_SECONDS_MAX), carry_out(&mut session, batch));
            let carried_out = match caught(carried_out).await {
                Ok(Ok(carried_out)) => carried_out,
                Ok(Err(_)) => {
                    return Err(Trouble::outage(format!("no answer of the database within {BATCH_SECONDS_MAX} s")));
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
    /// Whether what was asked was refused or not understood, and not the connection or the server failed.
    is_refusal: bool,
}

impl Trouble {
    fn outage(why: String) -> Trouble {
        Trouble { why, is_refusal: false }
    }

    fn broke_off(questions: usize) -> Trouble {
        let what = "a decision broke off: please report it with the lines above";
        error!(event = "license_server.question_broken", questions, "{what}");
        Trouble { why: "a decision broke off".to_owned(), is_refusal: true }
    }

    fn of(failed: &Failed) -> Trouble {
        match failed {
            Failed::NotUnderstood(why) => Trouble { why: why.clone(), is_refusal: true },
            Failed::Nothing(error) | Failed::Unknown(error) => {
                // Classes 22, 23 and 40 are about the rows: bad values, broken uniqueness, deadlocks.
                let class = error.code().map(|code| code.code().get(..2).unwrap_or_default().to_owned());
                let is_refusal = class.is_some_and(|class| ["22", "23", "40"].contains(&class.as_str()));
                Trouble { why: in_words(error), is_refusal }
            }
        }
    }

    /// Says it in the log, once a batch.
    fn said(self, questions: usize) -> String {
        warn!(event = "license_server.not_recorded", questions, why = %self.why, "the database did not record a batch");
        self.why
    }
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
