//! The real clock, and the check that it does not jump.

use chrono::{TimeDelta, Utc};

use crate::domain::Instant;
use crate::doors::Clock;

/// The operating system's clock, in whole milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door to the clock")]
    fn now(&self) -> Instant {
        let now = Utc::now();
        Instant::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
    }
}

/// The time since some fixed moment of this boot; no one can set it.
#[derive(Clone, Copy, Debug)]
pub struct Monotonic(std::time::Instant);

impl Monotonic {
    #[expect(clippy::disallowed_methods, reason = "this is the door to the clock")]
    pub fn started() -> Monotonic {
        Monotonic(std::time::Instant::now())
    }

    pub fn elapsed(self) -> TimeDelta {
        TimeDelta::from_std(self.0.elapsed()).unwrap_or(TimeDelta::MAX)
    }
}

/// How far the wall clock may move against the monotonic one before it is doubted (design.md section 4, "Time").
pub const JUMP: TimeDelta = TimeDelta::hours(1);

/// Compares the wall clock with the monotonic one.
#[derive(Clone, Copy, Debug)]
pub struct ClockWatch {
    wall: Instant,
    elapsed: TimeDelta,
}

impl ClockWatch {
    /// Begins with a pair of readings taken together.
    pub fn new(wall: Instant, elapsed: TimeDelta) -> ClockWatch {
        ClockWatch { wall, elapsed }
    }

    /// How far the wall clock jumped since the last look, when that is more than [`JUMP`]; positive is forward.
    ///
    /// The monotonic clock stands still while a machine sleeps, so waking up after hours looks like a jump forward.
    pub fn look(&mut self, wall: Instant, elapsed: TimeDelta) -> Option<TimeDelta> {
        let jump = (wall - self.wall) - (elapsed - self.elapsed);
        *self = ClockWatch { wall, elapsed };
        (jump.abs() > JUMP).then_some(jump)
    }
}
