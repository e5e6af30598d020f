//! A clock that the world sets.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;

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

    /// Lets so many seconds pass; a clock that follows another one waits for nobody.
    pub fn pass(&self, seconds: u32) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Hands::Set(now) = &mut *hands {
            *now += TimeDelta::seconds(i64::from(seconds));
        }
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
