//! Tries that were put off by a clock that was ahead: they are made by the clock that is right.

use crate::agent::Trouble;
use crate::store::fact::{Fact, SetbackRow};

use super::{Agent, Hour};

/// Where setbacks stand in the state.
const SETBACKS: &str = "setback/";

impl Agent {
    /// Setbacks that were recorded later than it is, which no true clock does: each is due at once.
    pub(super) fn put_off_by_another_clock(&self, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let rows = self.store.rows::<SetbackRow>(SETBACKS)?;
        let later = rows.into_iter().filter(|(_, setback)| hour.now < setback.at);
        let due = later.map(|(row, setback)| Fact::Setback {
            about: row.trim_start_matches(SETBACKS).to_owned(),
            setback: SetbackRow { at: hour.now, next_try_at: hour.now, ..setback },
        });
        Ok(due.collect())
    }
}
