//! A clock that the world sets.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::Instant;
use crate::doors::Clock;

/// Virtual time; clones show the same hour.
#[derive(Clone)]
pub struct SimulatedClock(Arc<Mutex<Instant>>);

impl SimulatedClock {
    pub fn at(now: Instant) -> SimulatedClock {
        SimulatedClock(Arc::new(Mutex::new(now)))
    }

    /// Sets the hour, forward or back.
    pub fn set(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
