//! Licenses of the reporting units: which key governs, and the checks that renew it.

mod by_server;
mod check;
mod keys;

pub use by_server::{Round, Wish};
pub use check::Asked;
