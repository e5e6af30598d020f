//! The owner: one thread that decides and records, while acts run outside it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant as Moment;
use tracing::{debug, error, info, warn};

use super::keeper::Keeper;
use crate::agent::{Agent, Duty, Hour, Obeyed, Outcome, Query, Refused, Talk, Trouble, Work, carry_out};
use crate::api::{Errand, Wish};
use crate::ask::Setback;
use crate::cli::access::{FOLLOW_UPS_MAX, set_back};
use crate::cli::stopping::{Stop, told};
use crate::config::Settings;
use crate::doors::{Clock, Wire};
use crate::ports::supervisor::{self, Tidings};

/// Duties begun before the desk is looked at again.
const DUTIES_AT_ONCE_MAX: usize = 64;
/// Notes heard before it is looked again at what is due.
const NOTES_AT_ONCE_MAX: usize = 32;
/// The pause after so many, so that the desk is never left alone.
const BREATH: Duration = Duration::from_millis(100);
/// How long one act may take, however many answers it waits for: a server that trickles holds no place for hours.
const FLIGHT_WITHIN: Duration = Duration::from_secs(30 * 60);
/// Longest time in which the owner looks at nothing; the alarm rings more often.
const ALONE_MAX: Duration = Duration::from_secs(10 * 60);
/// How long acts in flight may go on after the stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

fn too_slow() -> String {
    format!("not done within {} minutes; it is tried again", FLIGHT_WITHIN.as_secs() / 60)
}

/// What the owner hears.
pub enum Note {
    /// Something may be due.
    Look,
    /// The wall clock jumped by so much.
    Jumped(TimeDelta),
    /// Other settings, read and found good.
    Settings(Box<Fresh>),
    /// Settings that were read and are not taken, and why.
    SettingsRefused(String),
    /// An act came to its end.
    Ended { flight: u64, outcome: Box<Result<Outcome, Setback>> },
}

/// Settings for the agent to take, the wire to the peers that they name, and where the end of it goes.
pub struct Fresh {
    pub settings: Settings,
    pub wire: Arc<dyn Wire>,
    pub taken: oneshot::Sender<Result<(), Refused>>,
}

/// Where the answer to an order goes.
type Reply = oneshot::Sender<Result<Value, Refused>>;

/// An act under way outside the owner.
struct Flight {
    duty: Duty,
    /// Who ordered it, and the question whose answer he gets.
    ordered: Option<(Query, Reply)>,
    /// Conversations begun for it.
    talks: usize,
    /// The first setback of an order.
    setback: Option<Refused>,
}

/// The one who holds the agent.
pub struct Owner {
    agent: Agent,
    wire: Arc<dyn Wire>,
    clock: Arc<dyn Clock>,
    runtime: Handle,
    notes: mpsc::UnboundedSender<Note>,
    stop: Stop,
    /// How often the system's watchdog hears of the owner at least: from this thread alone, so that it hears nothing of
    /// one that hangs.
    fed_within: Duration,
    flights: BTreeMap<u64, Flight>,
    /// The number of the newest flight; those of an owner before are not ours.
    last: u64,
}

impl Owner {
    pub fn new(agent: Agent, keeper: &Keeper, flights: u64) -> Owner {
        Owner {
            agent,
            wire: (keeper.doors.wire)(&keeper.settings),
            clock: Arc::clone(&keeper.doors.clock),
            runtime: keeper.runtime.clone(),
            notes: keeper.notes.clone(),
            stop: keeper.stop.clone(),
            fed_within: supervisor::watches_within().map_or(ALONE_MAX, |within| within / 2),
            flights: BTreeMap::new(),
            last: flights,
        }
    }

    /// How many flights were ever begun, also by owners before.
    pub fn flights_ever(&self) -> u64 {
        self.last
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        self.agent.settings()
    }

    /// Decides and records until the stop.
    ///
    /// # Errors
    /// The store's trouble; the agent then has to be opened again.
    pub fn work(
        &mut self,
        errands: &mut mpsc::Receiver<Errand>,
        heard: &mut mpsc::UnboundedReceiver<Note>,
    ) -> Result<(), Trouble> {
        loop {
            self.begin_due()?;
            self.tell_story();
            supervisor::tell(Tidings::Alive);
            let runtime = self.runtime.clone();
            let (stop, fed_within) = (self.stop.clone(), self.fed_within);
            let next = runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = told(stop) => Next::Stop,
                    note = heard.recv() => note.map_or(Next::Stop, Next::Note),
                    errand = errands.recv() => errand.map_or(Next::Stop, |errand| Next::Errand(Box::new(errand))),
                    () = tokio::time::sleep(fed_within) => Next::Note(Note::Look),
                }
            });
            match next {
                Next::Stop => return self.land(heard),
                Next::Note(note) => self.hear_all(note, heard)?,
                Next::Errand(errand) => self.serve(*errand)?,
            }
        }
    }

    fn hour(&self) -> Hour {
        Hour::at(self.clock.now())
    }

    /// Hears the note and what came with it: many acts that end at once are followed by one look at what is due.
    fn hear_all(&mut self, first: Note, heard: &mut mpsc::UnboundedReceiver<Note>) -> Result<(), Trouble> {
        self.hear(first)?;
        for _ in 1..NOTES_AT_ONCE_MAX {
            match heard.try_recv() {
                Ok(note) => self.hear(note)?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn begin_due(&mut self) -> Result<(), Trouble> {
        for _ in 0..DUTIES_AT_ONCE_MAX {
            let hour = self.hour();
            let Some(planned) = self.agent.next(hour.now)?.filter(|planned| planned.at <= hour.now) else {
                return Ok(());
            };
            debug!(event = "duty.begun", duty = %planned.duty.key(), why = %planned.why);
            if let Work::Talk(talk) = self.agent.begin(&planned.duty, hour)? {
                self.fly(planned.duty, talk, None);
            }
        }
        let notes = self.notes.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep(BREATH).await;
            let _ = notes.send(Note::Look);
        });
        Ok(())
    }

    fn fly(&mut self, duty: Duty, talk: Talk, ordered: Option<(Query, Reply)>) {
        self.last += 1;
        self.flights.insert(self.last, Flight { duty, ordered, talks: 0, setback: None });
        self.carry(self.last, talk);
    }

    fn carry(&mut self, flight: u64, talk: Talk) {
        let (notes, wire) = (self.notes.clone(), Arc::clone(&self.wire));
        self.runtime.spawn(async move {
            let carried = tokio::time::timeout(FLIGHT_WITHIN, carry_out(talk, wire.as_ref())).await;
            let outcome = Box::new(carried.unwrap_or_else(|_| Err(Setback::TryAgain { why: too_slow() })));
            let _ = notes.send(Note::Ended { flight, outcome });
        });
    }

    fn hear(&mut self, note: Note) -> Result<(), Trouble> {
        match note {
            Note::Look => Ok(()),
            Note::Jumped(by) => {
                warn!(event = "clock.suspect", minutes = by.num_minutes(), "the clock jumped");
                self.agent.clock_jumped(by, self.hour())
            }
            Note::Settings(fresh) => self.take_settings(*fresh),
            Note::SettingsRefused(why) => {
                self.agent.refuse_settings(&why, self.hour());
                Ok(())
            }
            Note::Ended { flight, outcome } => self.end(flight, *outcome),
        }
    }

    /// Acts in flight go on over the wire that they began with, and their ends are recorded, but for reads of entries
    /// that are something else now.
    fn take_settings(&mut self, fresh: Fresh) -> Result<(), Trouble> {
        let Fresh { settings, wire, taken } = fresh;
        let obeyed = self.agent.take_settings(settings, self.hour());
        let answer = match &obeyed {
            Ok(_) => Ok(()),
            Err(trouble) => Err(Refused::new(73, format!("the settings are not taken: {trouble}"))),
        };
        // Who asked may have gone.
        let _ = taken.send(answer);
        let vain = obeyed?;
        self.wire = wire;
        self.flights.retain(|_, flight| !vain.contains(&flight.duty));
        Ok(())
    }

    /// Records an act's end, and answers whoever ordered it. Ends of an owner before are not recorded: what they
    /// began is due again.
    fn end(&mut self, number: u64, outcome: Result<Outcome, Setback>) -> Result<(), Trouble> {
        let Some(mut flight) = self.flights.remove(&number) else { return Ok(()) };
        if let Err(setback) = &outcome {
            warn!(event = "duty.setback", duty = %flight.duty.key(), error = setback.why());
            flight.setback.get_or_insert_with(|| set_back(setback));
        }
        flight.talks += 1;
        match self.agent.finish(&flight.duty, outcome, self.hour())? {
            Work::Talk(talk) if flight.talks < FOLLOW_UPS_MAX => {
                self.flights.insert(number, flight);
                self.carry(number, talk);
            }
            Work::Talk(_) | Work::Over => {
                if let Some((then, reply)) = flight.ordered {
                    let answer =
                        flight.setback.map_or_else(|| self.asked(|agent| agent.answer(&then, self.hour())), Err);
                    // Who ordered it may have gone.
                    let _ = reply.send(answer);
                }
            }
        }
        Ok(())
    }

    /// A question changes nothing that is kept, so one that panics is refused and the owner goes on: what the agent
    /// remembers between questions is let go of by the unwinding, and each memory is written in one step.
    fn asked(&self, ask: impl FnOnce(&Agent) -> Result<Value, Refused>) -> Result<Value, Refused> {
        catch_unwind(AssertUnwindSafe(|| ask(&self.agent))).unwrap_or_else(|_| {
            error!(event = "question.broken", "a question was not answered: the line before says where it broke off");
            Err(Refused::new(1, "the agent broke off while answering; its log says where"))
        })
    }

    fn serve(&mut self, errand: Errand) -> Result<(), Trouble> {
        let Errand { wish, by, answer } = errand;
        let mut failed = None;
        let answered = match wish {
            Wish::Ping => Ok(json!({"ready": true})),
            Wish::Query(query) => self.asked(|agent| agent.answer_for(&query, &by, self.hour())),
            Wish::Care(care) => self.asked(|agent| agent.care(&care)),
            Wish::OrderIf(order, digest) => match self.agent.unchanged(&order, &digest) {
                Ok(()) => return self.serve(Errand { wish: Wish::Order(order), by, answer }),
                Err(refused) => Err(refused),
            },
            Wish::Order(order) => match self.agent.obey_for(order, &by, self.hour()) {
                Ok(Obeyed::Done(done)) => Ok(done),
                Ok(Obeyed::Carry { duty, talk, then }) => {
                    self.fly(duty, talk, Some((then, answer)));
                    return Ok(());
                }
                Err(refused) => {
                    failed = NEEDS_REOPENING.contains(&refused.code).then(|| refused.why.clone());
                    Err(refused)
                }
            },
        };
        let _ = answer.send(answered);
        failed.map_or(Ok(()), |why| Err(Trouble::Odd(why)))
    }

    /// Takes no more work, and lets acts in flight end for a while; what does not is due again at the next start.
    fn land(&mut self, heard: &mut mpsc::UnboundedReceiver<Note>) -> Result<(), Trouble> {
        info!(event = "agent.stopping", in_flight = self.flights.len(), "no more work is taken");
        let deadline = Moment::now() + STOP_WITHIN;
        while !self.flights.is_empty() {
            let runtime = self.runtime.clone();
            // Made inside the runtime: outside of it a timer panics.
            match runtime.block_on(async { tokio::time::timeout_at(deadline, heard.recv()).await }) {
                Ok(Some(note)) => self.hear(note)?,
                Ok(None) | Err(_) => break,
            }
        }
        self.tell_story();
        Ok(())
    }

    fn tell_story(&mut self) {
        for line in self.agent.take_story() {
            info!(event = line.event, news = line.news, "{}", line.text);
        }
    }
}

/// Refusals that come from a store or a disk that failed.
const NEEDS_REOPENING: [u8; 2] = [1, 73];

/// What comes next to the owner.
enum Next {
    Stop,
    Note(Note),
    Errand(Box<Errand>),
}
