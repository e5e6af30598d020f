//! `/api/v1`: the agent's questions and orders over HTTP, on the control socket and beside the console.
//!
//! Knows no store and no rule: whoever owns the agent answers at the [`Desk`].

mod body;
mod courtesy;
mod desk;
pub mod entry;
mod give;
mod link;
pub mod metrics;
pub mod once;
pub mod openapi;
mod problem;
pub mod reference;
mod routes;

pub use desk::{Desk, Errand, ON_DESK_MAX, Wish, desk};
pub use problem::{PROBLEM_TYPE, problem};
pub use routes::{By, House, router};
