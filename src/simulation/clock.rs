//! A clock that the world sets.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::Instant;
use crate::doors::Clock;

/// Virtual time; clones show the same hour.
#[derive(Clone)]
pub struct SimulatedClock(Arc<Mutex<Hands>>);

enum Hands {
    /// Where the world put them.
    Set(Instant),
    /// They follow another clock.
    Following(Arc<dyn Clock>),
}

impl SimulatedClock {
    pub fn at(now: Instant) -> SimulatedClock {
        SimulatedClock(Arc::new(Mutex::new(Hands::Set(now))))
    }

    /// Sets the hour, forward or back.
    pub fn set(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Hands::Set(now);
    }

    /// Shows another clock's hour from here on, as when a played world goes live.
    pub fn follow(&self, clock: Arc<dyn Clock>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Hands::Following(clock);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Instant {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Hands::Set(now) => *now,
            Hands::Following(clock) => clock.now(),
        }
    }
}
