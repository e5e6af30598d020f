//! A question to the database: what it needs, how it is decided, and who waits for the answer.

use tokio::sync::oneshot;

use super::super::intake::{Decided, NewFact};
use super::super::state::State;
use super::rows::Needs;

/// A question in the queue.
pub struct Waiting {
    pub needs: Needs,
    /// Of the bodies that are written with it.
    pub bytes: usize,
    pub question: Box<dyn Question>,
}

/// What is decided by a state, again when the transaction has to be repeated, and answered once.
pub trait Question: Send {
    fn decide(&mut self, state: &State) -> Option<NewFact>;

    /// Lets the answer go; an error says why it is not known to be durable.
    fn settle(self: Box<Self>, recorded: Result<(), String>);
}

struct Asked<T, F> {
    decide: F,
    answer: Option<T>,
    sender: oneshot::Sender<Result<T, String>>,
}

impl<T: Send, F: Fn(&State) -> Decided<T> + Send> Question for Asked<T, F> {
    fn decide(&mut self, state: &State) -> Option<NewFact> {
        let Decided { entry, answer } = (self.decide)(state);
        self.answer = Some(answer);
        entry
    }

    fn settle(self: Box<Self>, recorded: Result<(), String>) {
        let Asked { answer, sender, .. } = *self;
        if let Some(said) = recorded.map(|()| answer).transpose() {
            // Whoever asked may have gone.
            let _ = sender.send(said);
        }
    }
}

/// A question, and where its answer comes.
pub fn asked<T: Send + 'static>(
    needs: Needs,
    bytes: usize,
    decide: impl Fn(&State) -> Decided<T> + Send + 'static,
) -> (Waiting, oneshot::Receiver<Result<T, String>>) {
    let (sender, receiver) = oneshot::channel();
    (Waiting { needs, bytes, question: Box::new(Asked { decide, answer: None, sender }) }, receiver)
}
