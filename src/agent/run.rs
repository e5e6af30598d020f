//! Carrying a conversation out over the wire.

use crate::ask::{Answer, Ask, Conversation, Failure, MailAnswer, Setback, Step};
use crate::doors::Wire;

use super::{Outcome, Talk};

/// Most asks of one conversation; beyond it something answers in circles.
const ASKS_MAX: usize = 20_000;

/// Asks and hears until the conversation ends.
///
/// # Errors
/// Its setback, or one of our own when it does not end within `ASKS_MAX` asks.
pub async fn converse<D>(mut talk: Box<dyn Conversation<Done = D>>, wire: &dyn Wire) -> Result<D, Setback> {
    let mut heard: Option<Answer> = None;
    for _ in 0..ASKS_MAX {
        match talk.next(heard.take()) {
            Step::Ask(ask) => heard = Some(wire.carry(ask).await),
            Step::Done(done) => return Ok(done),
            Step::Setback(setback) => return Err(setback),
        }
    }
    Err(Setback::TryAgain { why: format!("the exchange did not end after {ASKS_MAX} requests") })
}

/// Carries a duty's conversation out.
///
/// # Errors
/// As [`converse`].
pub async fn carry_out(talk: Talk, wire: &dyn Wire) -> Result<Outcome, Setback> {
    converse(talk, wire).await
}

/// A conversation of another room, its end turned into an [`Outcome`].
pub(super) struct Ending<D: Send> {
    talk: Box<dyn Conversation<Done = D>>,
    end: fn(D) -> Outcome,
}

/// Boxes a conversation with the outcome that its end means.
pub(super) fn ending<D: Send + 'static>(talk: Box<dyn Conversation<Done = D>>, end: fn(D) -> Outcome) -> Talk {
    Box::new(Ending { talk, end })
}

impl<D: Send> Conversation for Ending<D> {
    type Done = Outcome;

    fn next(&mut self, heard: Option<Answer>) -> Step<Outcome> {
        match self.talk.next(heard) {
            Step::Ask(ask) => Step::Ask(ask),
            Step::Done(done) => Step::Done((self.end)(done)),
            Step::Setback(setback) => Step::Setback(setback),
        }
    }
}

/// One message to one recipient, as its channel writes it, and the far side's words.
pub(super) struct Message {
    pub ask: Option<Ask>,
    /// The channel's name, for telling people what failed.
    pub channel: &'static str,
}

impl Conversation for Message {
    type Done = Outcome;

    fn next(&mut self, heard: Option<Answer>) -> Step<Outcome> {
        match (heard, self.ask.take()) {
            (None, Some(ask)) => Step::Ask(ask),
            (Some(Answer::Mail(MailAnswer { end: Ok(words), .. })), _) => Step::Done(Outcome::Told(words)),
            (Some(Answer::Mail(MailAnswer { end: Err(failure), .. }) | Answer::Failed(failure)), _) => {
                Step::Setback(refusal(self.channel, &failure))
            }
            (Some(Answer::Http(answer)), _) => Step::Done(Outcome::Answered(answer)),
            (heard, _) => {
                Step::Setback(Setback::TryAgain { why: format!("{}: an odd answer: {heard:?}", self.channel) })
            }
        }
    }
}

/// Only a refusal of this recipient or this mail ends the trying: a login that fails says nothing of the letter.
fn refusal(channel: &str, failure: &Failure) -> Setback {
    let why = format!("{channel}: {failure}");
    match failure {
        Failure::RefusedForGood { .. } => Setback::AskAPerson { why },
        Failure::Settings { .. }
        | Failure::NotLetIn { .. }
        | Failure::Unreachable { .. }
        | Failure::TimedOut { .. }
        | Failure::TooLarge { .. }
        | Failure::Untrusted { .. }
        | Failure::Broken { .. }
        | Failure::RefusedForNow { .. }
        | Failure::File { .. } => Setback::TryAgain { why },
    }
}
