//! Whether the clock is believed: compared with the servers' clocks and with its own steady running.

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::domain::notice::News;
use crate::sources::Collected;
use crate::store::fact::Fact;

use super::collect::CLOCK_TOLERANCE;
use super::{Agent, Hour, Refused};

/// A jump against the monotonic clock of more than this is doubted (design.md section 4, "Time").
pub const JUMP_MAX: TimeDelta = TimeDelta::hours(1);

impl Agent {
    /// Compares the hour with a server's. Returns why the sample is not believed, when the clocks disagree.
    pub(super) fn judge_clock(&mut self, collected: &Collected, hour: Hour) -> Result<Option<String>, Trouble> {
        let Some(theirs) = collected.server_time else { return Ok(None) };
        let read_at = collected.samples.first().map_or(hour.now, |sample| sample.taken_at);
        let apart = theirs - read_at;
        if apart.abs() <= CLOCK_TOLERANCE {
            self.clock_agreed(hour)?;
            return Ok(None);
        }
        let why = format!(
            "this machine's clock ({}) and the server's ({}) are {} minutes apart; set them right",
            crate::domain::calendar::rfc3339(read_at),
            crate::domain::calendar::rfc3339(theirs),
            apart.num_minutes().abs(),
        );
        self.clock_doubted(&why, hour)?;
        Ok(Some(why))
    }

    /// The wall clock jumped against the monotonic one: nothing is generated or sent until a server's clock agrees.
    ///
    /// # Errors
    /// [`Trouble`] when the store cannot keep it.
    pub fn clock_jumped(&mut self, by: TimeDelta, hour: Hour) -> Result<(), Trouble> {
        if by.abs() <= JUMP_MAX {
            return Ok(());
        }
        let due = self.put_off_by_another_clock(hour)?;
        self.record(hour, "duty", due)?;
        let why =
            format!("the clock jumped by {} minutes; it is believed again when a server agrees", by.num_minutes());
        self.clock_doubted(&why, hour)
    }

    /// A person vouches for the clock, or a server's clock agrees.
    pub(super) fn clock_agreed(&mut self, hour: Hour) -> Result<(), Trouble> {
        if self.clock_suspect()?.is_none() {
            return Ok(());
        }
        self.record(hour, "duty", vec![Fact::ClockJudged { suspect: None, at: hour.now }])
    }

    /// Refuses, by a person's order too, to generate or send while the clock is doubted.
    pub(super) fn clock_believed(&self) -> Result<(), Refused> {
        match self.clock_suspect()? {
            None => Ok(()),
            Some(why) => Err(Refused::new(75, format!("nothing is generated or sent: {why}"))),
        }
    }

    fn clock_doubted(&mut self, why: &str, hour: Hour) -> Result<(), Trouble> {
        if self.clock_suspect()?.is_some() {
            return Ok(());
        }
        let mut facts = vec![Fact::ClockJudged { suspect: Some(why.to_owned()), at: hour.now }];
        let about = crate::domain::calendar::rfc3339(hour.now);
        facts.extend(self.news(None, &about, News::ClockSuspect { why: why.to_owned() }, hour)?);
        self.record(hour, "duty", facts)
    }
}
