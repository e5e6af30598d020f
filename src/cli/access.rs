//! The way to the agent: in this process when nobody holds the state directory, else through its control socket.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::patience::Patience;
use super::session::{Session, absolute};
use crate::agent::{Agent, Care, Obeyed, Order, Outcome, Place, Query, Refused, Talk, Work, carry_out};
use crate::api::PROBLEM_TYPE;
use crate::ask::{Method, Setback};
use crate::config::Settings;
use crate::ports::control;

/// The socket's name in the state directory.
pub const SOCKET: &str = "control.sock";
/// What is logged where there can be none.
pub const NO_CONTROL: &str =
    "this system has no control sockets: while this process runs, commands that need its state directory are refused";
/// Most conversations that one order makes.
pub const FOLLOW_UPS_MAX: usize = 16;

/// A store that somebody holds without listening is tried so often again.
const OPENINGS_MAX: u32 = 20;
const OPENS_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Both ways answer the same questions and take the same orders.
pub enum Access {
    Direct { agent: Box<Agent>, settings: Box<Settings> },
    Remote { socket: PathBuf },
}

impl Access {
    /// Takes the state directory, or finds the agent that has it.
    pub fn open(session: &mut Session<'_>) -> Result<Access, Refused> {
        let settings = session.settings()?;
        let socket = absolute(&settings.state_dir).join(SOCKET);
        let _patience = Patience::with("opening the store");
        let mut opened = open_store(session, &settings);
        for _ in 0..OPENINGS_MAX {
            // Held, and nobody listens: its holder is about to start, or to end.
            let is_passing = opened.as_ref().is_err_and(|refused| refused.code == IN_USE)
                && matches!(session.doors.files.read(&socket), Ok(None));
            if !is_passing {
                break;
            }
            // Made inside the runtime: outside of it a timer panics.
            runtime()?.block_on(async { tokio::time::sleep(OPENS_AGAIN_AFTER).await });
            opened = open_store(session, &settings);
        }
        match opened {
            Ok((agent, repairs)) => {
                repairs.iter().for_each(|what| session.remark(what));
                Ok(Access::Direct { agent: Box::new(agent), settings: Box::new(settings) })
            }
            Err(refused) if refused.code == IN_USE => {
                if session.global.now.is_some() {
                    return Err(Refused::new(2, format!("--now cannot be used while an agent runs: {}", refused.why)));
                }
                Ok(Access::Remote { socket })
            }
            Err(refused) => Err(refused),
        }
    }

    /// Answers a question.
    pub fn ask(&mut self, session: &Session<'_>, query: &Query) -> Result<Value, Refused> {
        match self {
            Access::Direct { agent, .. } => agent.answer(query, session.hour()),
            Access::Remote { socket } => over_socket(socket, session, "/api/v1/queries", query),
        }
    }

    /// Gives an order, and carries out what it takes.
    pub fn order(&mut self, session: &Session<'_>, order: Order) -> Result<Value, Refused> {
        match self {
            Access::Direct { agent, settings } => {
                let _patience = Patience::with("at work");
                match agent.obey(order, &session.doors.user(), session.hour())? {
                    Obeyed::Done(answer) => Ok(answer),
                    Obeyed::Carry { duty, talk, then } => {
                        let wire = (session.doors.wire)(settings);
                        let runtime = runtime()?;
                        let carry = |talk: Talk| runtime.block_on(carry_out(talk, wire.as_ref()));
                        let finish = |outcome| agent.finish(&duty, outcome, session.hour()).map_err(Refused::from);
                        carried(talk, carry, finish)?;
                        agent.answer(&then, session.hour())
                    }
                }
            }
            Access::Remote { socket } => over_socket(socket, session, "/api/v1/orders", &order),
        }
    }

    /// Cares for the store's files.
    pub fn care(&mut self, session: &Session<'_>, care: &Care) -> Result<Value, Refused> {
        let _patience = Patience::with("reading the journal");
        match self {
            Access::Direct { agent, .. } => agent.care(care),
            Access::Remote { socket } => over_socket(socket, session, "/api/v1/care", care),
        }
    }
}

/// The agent, and what was repaired at opening.
fn open_store(session: &Session<'_>, settings: &Settings) -> Result<(Agent, Vec<String>), Refused> {
    let place = Place::Folder(settings.state_dir.clone());
    let doors = crate::agent::Doors { files: Arc::clone(&session.doors.files), chance: (session.doors.chance)() };
    let (agent, opening) = Agent::open(settings.clone(), place, doors, session.hour())?;
    Ok((agent, opening.repairs()))
}

/// What [`Refused`] says when another process holds the store.
const IN_USE: u8 = 75;

/// One conversation after another until the order is over; the first setback is the refusal.
fn carried(
    talk: Talk,
    mut carry: impl FnMut(Talk) -> Result<Outcome, Setback>,
    mut finish: impl FnMut(Result<Outcome, Setback>) -> Result<Work, Refused>,
) -> Result<(), Refused> {
    let mut talk = talk;
    let mut first = None;
    for _ in 0..FOLLOW_UPS_MAX {
        let outcome = carry(talk);
        first = first.or_else(|| outcome.as_ref().err().map(set_back));
        match finish(outcome)? {
            Work::Talk(next) => talk = next,
            Work::Over => return first.map_or(Ok(()), Err),
        }
    }
    Err(Refused::new(1, format!("the order did not end after {FOLLOW_UPS_MAX} exchanges")))
}

/// What a setback means for whoever gave the order.
pub fn set_back(setback: &Setback) -> Refused {
    match setback {
        Setback::TryAgain { why } => Refused::new(69, why.clone()),
        Setback::AskAPerson { why } => Refused::new(77, why.clone()),
    }
}

/// A runtime for one exchange.
pub fn runtime() -> Result<tokio::runtime::Runtime, Refused> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refused::new(1, format!("cannot start: {error}")))
}

/// Posts to a control socket and reads the answer or the refusal.
pub fn over_socket(
    socket: &std::path::Path,
    session: &Session<'_>,
    path: &str,
    body: &impl Serialize,
) -> Result<Value, Refused> {
    let _patience = Patience::with("the agent is at work");
    let body = serde_json::to_vec(body).map_err(|error| Refused::new(1, error.to_string()))?;
    let by: String =
        session.doors.user().chars().filter(|sign| sign.is_ascii_alphanumeric() || "._-".contains(*sign)).collect();
    let path = format!("{path}?by={by}");
    let asked = control::ask(socket, Method::Post, &path, Some(body));
    let answered = runtime()?.block_on(asked).map_err(|failure| {
        let why = format!("another process holds the state directory: {failure}; try again when it has ended");
        Refused::new(75, why)
    })?;
    let value: Value = serde_json::from_slice(&answered.body)
        .map_err(|_| Refused::new(76, format!("{} answered something else than JSON", socket.display())))?;
    if answered.status == 200 {
        return Ok(value);
    }
    Err(refused(&value)
        .unwrap_or_else(|| Refused::new(76, format!("{} answered {}", socket.display(), answered.status))))
}

fn refused(problem: &Value) -> Option<Refused> {
    let code = problem["type"].as_str()?.strip_prefix(PROBLEM_TYPE)?.parse().ok()?;
    Some(Refused::new(code, problem["detail"].as_str()?))
}
