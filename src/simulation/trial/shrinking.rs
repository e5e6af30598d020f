//! Making a failing trial small: events are left out as long as the same goes wrong.

use super::{Played, Trial};
use crate::simulation::weather::Event;

/// Most times that a trial is played again while it is made small.
const REPLAYS_MAX: u32 = 80;

/// What is left of a failing trial.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// As the trial plays in what is left of its weather.
    pub played: Played,
    pub replays: u32,
}

impl Played {
    /// Leaves out halves of the weather, then smaller parts, then single events, while the first objection is of the
    /// same kind. `None`: there is nothing to object to.
    pub fn shrunk(&self, trial: &Trial) -> Option<Shrunk> {
        let plan = trial.drawn().0;
        self.shrunk_by(&mut |weather| trial.play_in(plan.clone(), weather))
    }

    /// The same with another way of playing.
    pub fn shrunk_by(&self, play: &mut dyn FnMut(Vec<Event>) -> Played) -> Option<Shrunk> {
        let kind = kind_of(self.objections.first()?);
        let mut best = self.clone();
        let (mut replays, mut part) = (0, best.weather.len().div_ceil(2));
        while part > 0 && replays < REPLAYS_MAX {
            let mut from = 0;
            let mut is_smaller = false;
            while from < best.weather.len() && replays < REPLAYS_MAX {
                let mut left = best.weather.clone();
                left.drain(from..(from + part).min(left.len()));
                let played = play(left);
                replays += 1;
                if played.objections.first().is_some_and(|objection| kind_of(objection) == kind) {
                    best = played;
                    is_smaller = true;
                } else {
                    from += part;
                }
            }
            if part == 1 && !is_smaller {
                break;
            }
            part = if part == 1 { 1 } else { part.div_ceil(2) };
        }
        Some(Shrunk { played: best, replays })
    }
}

/// An objection without its hours, numbers and ids: two of a kind are the same mistake.
pub fn kind_of(objection: &str) -> String {
    let words = objection.split_whitespace().filter(|word| !word.chars().any(|sign| sign.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}
