//! Drives a conversation to its end with answers from a closure, and refuses endless ones.

use tidegauge::ask::{Answer, Ask, Conversation, Setback, Step};
use tidegauge::domain::Instant;
use tidegauge::sources::{Brief, SourceSettings, Sweep};

/// More asks than any conversation may make.
pub const ASKS_MAX: usize = 20_000;

pub fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

pub fn brief(server: &str, now: Instant) -> Brief {
    Brief { server: server.to_owned(), now, previous: None, sweep: Sweep::Since, settings: SourceSettings::default() }
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
