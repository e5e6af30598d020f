//! Whether the clock is believed: compared with the servers' clocks and with its own steady running.

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::domain::Instant;
use crate::domain::calendar::rfc3339;
use crate::domain::notice::News;
use crate::sources::Collected;
use crate::store::fact::Fact;

use super::{Agent, Hour, Refused};

/// How far our clock and a server's may differ before nothing is believed (design.md section 4, "Time").
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// A jump against the monotonic clock of more than this is doubted (design.md section 4, "Time").
pub const JUMP_MAX: TimeDelta = TimeDelta::hours(1);

/// Says what is wrong with two clocks; `None`: they are near enough for samples to be believed.
pub fn clocks_apart(theirs: Instant, ours: Instant) -> Option<String> {
    let apart = theirs - ours;
    (CLOCK_TOLERANCE < apart.abs()).then(|| {
        format!(
            "this machine's clock ({}) and the server's ({}) are {} minutes apart; set them right",
            rfc3339(ours),
            rfc3339(theirs),
            apart.num_minutes().abs(),
        )
    })
}

impl Agent {
    /// Compares the hour with a server's. Returns why the sample is not believed, when the clocks disagree.
    pub(super) fn judge_clock(&mut self, collected: &Collected, hour: Hour) -> Result<Option<String>, Trouble> {
        let Some(theirs) = collected.server_time else { return Ok(None) };
        let read_at = collected.samples.first().map_or(hour.now, |sample| sample.taken_at);
        let Some(why) = clocks_apart(theirs, read_at) else {
            self.clock_agreed(hour)?;
            return Ok(None);
        };
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
        let about = rfc3339(hour.now);
        facts.extend(self.news(None, &about, News::ClockSuspect { why: why.to_owned() }, hour)?);
        self.record(hour, "duty", facts)
    }
}
