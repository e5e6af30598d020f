//! For how long processes are killed, and at which moments.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tidegauge::doors::Chance;
use tidegauge::simulation::chance::SeededChance;

/// Seconds of killing; without it, [`ROUNDS_DEFAULT`] rounds.
const SECONDS: &str = "TIDEGAUGE_SIGKILL_SECONDS";
const ROUNDS_DEFAULT: u64 = 3;
const ROUNDS_MAX: u64 = 100_000;

/// Rounds of a killing, with the chance that says when.
pub struct Killing {
    pub chance: SeededChance,
    seconds: Option<u64>,
    begun: std::time::Instant,
    rounds: u64,
    what: &'static str,
}

impl Killing {
    pub fn new(what: &'static str, seed: u64) -> Killing {
        let seconds = std::env::var(SECONDS).ok().map(|text| text.parse().expect("a number of seconds"));
        println!("{what}: seed {seed}");
        Killing { chance: SeededChance::new(seed), seconds, begun: real_clock(), rounds: 0, what }
    }

    /// Whether another round begins.
    pub fn goes_on(&mut self) -> bool {
        let spent = self.begun.elapsed();
        let goes_on = match self.seconds {
            Some(seconds) => self.rounds < ROUNDS_MAX && spent < Duration::from_secs(seconds),
            None => self.rounds < ROUNDS_DEFAULT,
        };
        if goes_on {
            self.rounds += 1;
        } else {
            println!("{}: killed {} times in {spent:?}", self.what, self.rounds);
        }
        goes_on
    }

    /// Lets so many acknowledgements come and then a moment more, at most a quarter of a second.
    pub fn wait<T>(&mut self, acknowledged: &Receiver<T>) -> Vec<T> {
        let mut heard = Vec::new();
        for _ in 0..self.chance.below(20) {
            match acknowledged.recv_timeout(Duration::from_secs(20)) {
                Ok(one) => heard.push(one),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let moment = Duration::from_micros(self.chance.below(250_000));
        let until = real_clock() + moment;
        while let Ok(one) = acknowledged.recv_timeout(until.saturating_duration_since(real_clock())) {
            heard.push(one);
        }
        heard
    }
}

#[expect(clippy::disallowed_methods, reason = "real processes are killed for so many real seconds")]
fn real_clock() -> std::time::Instant {
    std::time::Instant::now()
}
