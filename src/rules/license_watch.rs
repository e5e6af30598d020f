//! When people are told of a license that ends and of a limit that is exceeded; told once each, never doubled.
//!
//! Pure. The cadence of the dates stands in [`Life`], the bands of a limit in [`overage`](super::overage).

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::license_state::{Life, Standing};
use super::overage::{Band, Overage};
use crate::domain::Instant;
use crate::domain::calendar::midnight;

/// What is to be watched of one unit.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// `None`: the license has no dates.
    pub life: Option<Life>,
    /// What is used, and the instant of the sample that shows it; `None`: the license has no limit, or nothing is known.
    pub limit: Option<(Overage, Instant)>,
}

/// What was told already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// The dates that were told of, and when; other dates begin anew.
    pub life: Option<(Life, Instant)>,
    /// The band that was told last, and when; [`Band::Within`]: that it is over.
    pub band: Option<(Band, Instant)>,
    /// Since when more than what is licensed was seen in use.
    pub exceeded_since: Option<Instant>,
}

/// What is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// The license ends, or has ended.
    Dates { life: Life, standing: Standing, is_first_of_standing: bool },
    /// The limit is exceeded so far that people hear of it.
    Exceeded { overage: Overage, since: Instant },
    /// It no longer is.
    Back { overage: Overage },
}

impl Told {
    /// The instant from which [`Told::tell`] has something to tell or to note; it may be past. `None`: nothing to watch.
    pub fn due_at(&self, watched: &Watched) -> Option<Instant> {
        let dates = watched.life.and_then(|life| life.next_telling_at(self.of_life(&life)));
        let limit = watched.limit.and_then(|(overage, seen_at)| {
            let told = self.limit_due_at(overage.band, seen_at);
            let noted = (self.exceeded_since.is_some() != (Band::Within < overage.band)).then_some(seen_at);
            [told, noted].into_iter().flatten().min()
        });
        [dates, limit].into_iter().flatten().min()
    }

    /// What is told at the instant, and what then was told; a telling stands for all that were missed before it.
    pub fn tell(&self, watched: &Watched, now: Instant) -> (Told, Vec<Telling>) {
        let (mut told, mut tellings) = (*self, Vec::new());
        if let Some(life) = watched.life
            && life.next_telling_at(self.of_life(&life)).is_some_and(|at| at <= now)
        {
            let standing = life.standing(now);
            let before = self.of_life(&life).map(|at| life.standing(at));
            let is_first_of_standing = before.is_none_or(|before| !before.is_of_the_kind_of(standing));
            tellings.push(Telling::Dates { life, standing, is_first_of_standing });
            told.life = Some((life, now));
        }
        if let Some((overage, seen_at)) = watched.limit {
            let exceeded = Band::Within < overage.band;
            told.exceeded_since = exceeded.then(|| self.exceeded_since.unwrap_or(seen_at));
            if self.limit_due_at(overage.band, seen_at).is_some_and(|at| at <= now) {
                let since = told.exceeded_since.unwrap_or(seen_at);
                let is_told = Band::Weekly <= overage.band;
                tellings.push(if is_told { Telling::Exceeded { overage, since } } else { Telling::Back { overage } });
                told.band = Some((if is_told { overage.band } else { Band::Within }, now));
            }
        }
        (told, tellings)
    }

    /// When these very dates were told of.
    fn of_life(&self, life: &Life) -> Option<Instant> {
        self.life.filter(|(told, _)| told == life).map(|(_, at)| at)
    }

    /// When the band is told: a worse one at once, the same one at its pace, and that it is over not on the day of the
    /// last telling, so that a limit that is crossed to and fro is told once a day.
    fn limit_due_at(&self, band: Band, seen_at: Instant) -> Option<Instant> {
        let is_told = Band::Weekly <= band;
        let Some((told, told_at)) = self.band else { return is_told.then_some(seen_at) };
        let days_later = |days: i64| midnight((told_at + TimeDelta::days(days)).date_naive()).max(seen_at);
        match band {
            Band::Within | Band::Silent => (told != Band::Within).then(|| days_later(1)),
            Band::Over if told != Band::Over => Some(seen_at),
            Band::Weekly if told != Band::Within => Some(midnight((told_at + TimeDelta::days(7)).date_naive())),
            Band::Weekly => Some(days_later(1)),
            Band::Over => Some(midnight((told_at + TimeDelta::days(1)).date_naive())),
        }
    }
}
