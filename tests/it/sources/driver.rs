//! Drives a conversation to its end with answers from a closure, and refuses endless ones.

use std::sync::{Arc, Mutex};

use tidegauge::ask::{Answer, Ask, Conversation, Setback, Step};
use tidegauge::domain::Instant;
use tidegauge::doors::Clock;
use tidegauge::simulation::wire::carry_to;
use tidegauge::sources::{Brief, SourceSettings, Sweep};

/// More asks than any conversation may make.
pub const ASKS_MAX: usize = 20_000;

pub fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

pub fn brief(server: &str, now: Instant) -> Brief {
    Brief {
        server: server.to_owned(),
        now,
        previous: None,
        sweep: Sweep::Since,
        settings: SourceSettings::default(),
        known: Vec::new(),
        remembered: Default::default(),
    }
}

/// What came of the conversation.
pub fn drive<C: Conversation + ?Sized>(
    talk: &mut C,
    mut answer: impl FnMut(Ask) -> Answer,
) -> Result<C::Done, Setback> {
    let mut heard = None;
    for _ in 0..ASKS_MAX {
        match talk.next(heard.take()) {
            Step::Ask(ask) => heard = Some(answer(ask)),
            Step::Done(done) => return Ok(done),
            Step::Setback(setback) => return Err(setback),
        }
    }
    panic!("the conversation did not end after {ASKS_MAX} asks");
}

/// Carries HTTP asks to a router in process, with the login of the simulated servers.
pub struct InProcess {
    router: axum::Router,
    runtime: tokio::runtime::Runtime,
}

impl InProcess {
    pub fn new(router: axum::Router) -> InProcess {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
        InProcess { router, runtime }
    }

    pub fn carry(&self, ask: Ask) -> Answer {
        let Ask::Http(ask) = ask else { panic!("a VBR server is asked over HTTP") };
        self.runtime.block_on(carry_to(self.router.clone(), &ask))
    }
}

/// A clock that tests set.
pub struct SetClock(Mutex<Instant>);

impl SetClock {
    pub fn at(now: Instant) -> Arc<SetClock> {
        Arc::new(SetClock(Mutex::new(now)))
    }

    pub fn set(&self, now: Instant) {
        *self.0.lock().expect("tests do not panic with the clock in hand") = now;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        *self.0.lock().expect("tests do not panic with the clock in hand")
    }
}
