//! Reads around a month's end.

use tidegauge::agent::{Hour, Outcome};
use tidegauge::sources::Collected;

use super::reload::{brought, reading};
use super::*;

/// What is kept when a read from October 31 on ends so, and what is said of it.
fn kept_of(collected: Collected, ended_at: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (mut agent, duty) = reading(folder.path());
    let hour = Hour::at(at(ended_at));
    assert!(agent.finish(&duty, Ok(Outcome::Collected(collected)), hour).is_ok());
    let status = agent.answer(&Query::Status {}, hour).expect("a status");
    (!status["servers"][0]["last_sample_at"].is_null(), status["servers"][0]["error"].to_string())
}

#[test]
fn a_read_beyond_the_months_end_is_done_again() {
    let over_rest = || Collected { server_time: Some(at("2026-10-31T10:00:00Z")), ..brought() };
    let (kept, said) = kept_of(over_rest(), "2026-11-01T00:00:05Z");
    assert!(!kept && said.contains("beyond the month's end; it is read again"), "{said}");
    assert_eq!(kept_of(over_rest(), "2026-10-31T23:59:59Z"), (true, "null".to_owned()));
    assert_eq!(kept_of(brought(), "2026-11-01T00:00:05Z"), (true, "null".to_owned()), "a file states its instant");
}
