//! How people come in: sessions, failed tries, passwords, tokens, a provider. Pure: hour and random bytes are parameters.
//!
//! Knows nobody: who exists and what he may do is the agent's to say.

mod doorkeeper;
pub mod openid;
pub mod password;
pub mod token;
mod tries;

pub use doorkeeper::{Doorkeeper, Opened, OwnSession, Session, SessionRules, Under};
pub use tries::TooMany;
