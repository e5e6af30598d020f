//! Licenses of the reporting units: which key governs, and the checks that renew it.

mod by_server;
mod check;
mod keys;
mod session;

mod limit;
mod watch;

use crate::domain::installation::Unit;
use crate::rules::schedule::Duty;

pub use by_server::{Round, Wish};
pub(in crate::agent) use limit::CountedOnce;
pub(in crate::agent) use session::Session;
pub(in crate::agent) use watch::WatchGiven;

/// The duty of asking for a unit's license.
fn check_of(unit: &Unit) -> Duty {
    Duty::CheckLicense { unit: unit.id.clone() }
}
