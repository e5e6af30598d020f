//! `/api/v1`: the agent's questions and orders over HTTP, on the control socket.
//!
//! Knows no store and no rule: whoever owns the agent answers at the [`Desk`].

mod desk;
pub mod metrics;
mod problem;
mod routes;

pub use desk::{Desk, Errand, ON_DESK_MAX, Wish, desk};
pub use problem::PROBLEM_TYPE;
pub use routes::{By, router};
