//! Licenses of the reporting units: which key governs, and the checks that renew it.

mod by_server;
mod check;
mod keys;
mod session;

mod limit;
mod watch;

pub use by_server::{Round, Wish};
pub(in crate::agent) use limit::Total;
pub(in crate::agent) use session::Session;
