//! What happens at each limit of docs/LIMITS.md and just past it, and that the page says what the source says.

mod at_the_server; // what the License Update Server takes, and what an agent sends instead
mod capacity; // docs/CAPACITY.md against messages, source and arithmetic
mod edges; // constants whose edge is tried alone
mod from_outside; // samples, folders, settings
mod page; // docs/LIMITS.md against the constants and the tests it names

use tidegauge::domain::Instant;

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}
