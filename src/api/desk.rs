//! The desk of the agent's owner: wishes are laid on it, answers come back.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::agent::{Care, Order, Query, Refused};
use crate::domain::people::Person;

/// Wishes that may lie on the desk before the next has to wait.
pub const ON_DESK_MAX: usize = 64;
/// How long an answer may take: shorter than the command line waits.
const ANSWER_WITHIN: Duration = Duration::from_secs(280);

/// What somebody wants of the agent.
pub enum Wish {
    Query(Query),
    Order(Order),
    /// The order, if its report still has this digest.
    OrderIf(Order, String),
    Care(Care),
    /// Whether the owner is at the desk.
    Ping,
}

/// A wish, whose it is, and where the answer goes.
pub struct Errand {
    pub wish: Wish,
    pub by: Person,
    pub answer: oneshot::Sender<Result<Value, Refused>>,
}

/// The front of the desk; clones share it.
#[derive(Clone)]
pub struct Desk(mpsc::Sender<Errand>);

/// A desk: its front for those who ask, its back for the owner.
pub fn desk() -> (Desk, mpsc::Receiver<Errand>) {
    let (front, back) = mpsc::channel(ON_DESK_MAX);
    (Desk(front), back)
}

impl Desk {
    /// Answers a question of the program itself or of the machine's owner.
    ///
    /// # Errors
    /// The agent's refusal; 75 when its owner has gone or does not answer.
    pub async fn ask(&self, query: Query) -> Result<Value, Refused> {
        self.bring(Wish::Query(query), "").await
    }

    /// Gives an order in the name of the machine's owner.
    ///
    /// # Errors
    /// As [`Desk::ask`].
    pub async fn order(&self, order: Order, by: &str) -> Result<Value, Refused> {
        self.bring(Wish::Order(order), by).await
    }

    /// Answers a person's question.
    ///
    /// # Errors
    /// As [`Desk::ask`]; 77 when the person's role does not allow it.
    pub async fn ask_as(&self, query: Query, person: &Person) -> Result<Value, Refused> {
        self.lay(Wish::Query(query), person.clone()).await
    }

    /// Gives a person's order.
    ///
    /// # Errors
    /// As [`Desk::ask_as`].
    pub async fn order_as(&self, order: Order, person: &Person) -> Result<Value, Refused> {
        self.lay(Wish::Order(order), person.clone()).await
    }

    /// Gives a person's order if its report still has the digest that the person saw.
    ///
    /// # Errors
    /// As [`Desk::order_as`]; 8 when the report was changed meanwhile.
    pub async fn order_if(&self, order: Order, person: &Person, digest: &str) -> Result<Value, Refused> {
        self.lay(Wish::OrderIf(order, digest.to_owned()), person.clone()).await
    }

    /// Lays any wish of the machine's owner on the desk and waits for the answer.
    ///
    /// # Errors
    /// As [`Desk::ask`].
    pub async fn bring(&self, wish: Wish, by: &str) -> Result<Value, Refused> {
        self.lay(wish, Person::owner(by)).await
    }

    async fn lay(&self, wish: Wish, by: Person) -> Result<Value, Refused> {
        let gone = || Refused::new(75, "the agent is stopping; try again when it runs");
        let (answer, answered) = oneshot::channel();
        let errand = Errand { wish, by, answer };
        let exchange = async {
            self.0.send(errand).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        };
        match tokio::time::timeout(ANSWER_WITHIN, exchange).await {
            Ok(answer) => answer,
            Err(_) => {
                let why = format!("the agent did not answer within {} s; see its log", ANSWER_WITHIN.as_secs());
                Err(Refused::new(75, why))
            }
        }
    }
}
