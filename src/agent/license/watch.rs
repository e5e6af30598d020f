//! Telling people of a license that ends and of a limit that is exceeded, whoever renews it.

use crate::agent::{Agent, Hour, Trouble};
use crate::domain::installation::{ServerName, Unit};
use crate::domain::license::LicenseType;
use crate::domain::notice::News;
use crate::domain::{Instant, Month};
use crate::rules::license_state::{self, Ends, Standing};
use crate::rules::license_watch::{Telling, Told, Watched};
use crate::rules::overage::{self, Band, Overage};
use crate::store::Edition;
use crate::store::fact::{Fact, key};

use super::limit::Seen;

/// What a unit's license is watched by, beside rows.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::agent) struct WatchGiven {
    unit: Unit,
    month: Month,
    newest: Vec<Option<Edition>>,
}

impl Agent {
    /// When there is something to tell of the unit's license; it may be past. `None`: no dates and no limit, or no server
    /// of the unit is sampled by this agent any more.
    pub(in crate::agent) fn license_watch_at(&self, unit: &Unit, now: Instant) -> Result<Option<Instant>, Trouble> {
        let sampled = unit.since.is_some() && unit.servers.iter().any(|name| self.settings.server(name).is_some());
        if !sampled {
            return Ok(None);
        }
        let given = self.watch_given(unit, now)?;
        self.kept.license_watches.get(
            &self.store,
            unit.id.clone(),
            |known| *known == given,
            || {
                let due_at = self.license_told(unit)?.due_at(&self.license_watched(unit, now)?);
                Ok((Some(given.clone()), due_at))
            },
        )
    }

    fn watch_given(&self, unit: &Unit, now: Instant) -> Result<WatchGiven, Trouble> {
        let edition = |server: &ServerName| self.store.newest_edition(server, now);
        let newest = unit.servers.iter().map(edition).collect::<Result<_, _>>()?;
        Ok(WatchGiven { unit: unit.clone(), month: Month::of(now), newest })
    }

    pub(in crate::agent) fn license_told(&self, unit: &Unit) -> Result<Told, Trouble> {
        Ok(self.store.row(&key::of_unit("license_watch", &unit.id))?.unwrap_or_default())
    }

    fn license_watched(&self, unit: &Unit, now: Instant) -> Result<Watched, Trouble> {
        let Some(license) = self.unit_license(unit)? else { return Ok(Watched { life: None, limit: None }) };
        let usage = if license.licensed_points.is_some() { self.license_usage(unit, now)? } else { None };
        // What a silent server uses is missing, so the limit can only be exceeded further: nobody says that it is kept.
        let is_sure = |seen: &Seen, overage: &Overage| seen.silent == 0 || Band::Weekly <= overage.band;
        let limit = usage.and_then(|seen| {
            let overage = seen.usage.overage(&license).filter(|overage| is_sure(&seen, overage))?;
            Some((overage, seen.at))
        });
        Ok(Watched { life: license_state::life(&license), limit })
    }

    /// Queues what is to be told and remembers that it was, in one entry.
    pub(in crate::agent) fn watch_license(&mut self, id: &str, hour: Hour) -> Result<(), Trouble> {
        let Some(unit) = self.unit(id)? else { return Ok(()) };
        let watched = self.license_watched(&unit, hour.now)?;
        let (told, tellings) = self.license_told(&unit)?.tell(&watched, hour.now);
        let kind = self.unit_license(&unit)?.unwrap_or_default().kind;
        let mut facts = vec![Fact::LicenseWatched { unit: unit.id.clone(), told }];
        for telling in tellings {
            // No stage and no band is told twice on one day.
            let about = match telling {
                Telling::Exceeded { overage, .. } => format!("{} {:?}", hour.now.date_naive(), overage.band),
                Telling::Dates { .. } | Telling::Back { .. } => hour.now.date_naive().to_string(),
            };
            if let Some(news) = news_of(telling, kind) {
                facts.extend(self.news(Some(&unit.id), &about, news, hour)?);
            }
        }
        self.record(hour, "duty", facts)
    }
}

fn news_of(telling: Telling, kind: LicenseType) -> Option<News> {
    match telling {
        Telling::Dates { life, standing, is_first_of_standing } => {
            let last_day = life.last_day;
            let grace_ends_on = life.grace.map(|(_, to)| to);
            match standing {
                Standing::Valid => None,
                Standing::Notice { days_left } => {
                    Some(News::LicenseExpiring { support: life.ends == Ends::Support, last_day, days_left })
                }
                Standing::SupportOver => Some(News::SupportExpired { last_day }),
                Standing::Grace { .. } if is_first_of_standing => {
                    grace_ends_on.map(|grace_ends_on| News::GraceStarted { last_day, grace_ends_on })
                }
                Standing::Grace { day, of } => {
                    grace_ends_on.map(|grace_ends_on| News::InGrace { grace_ends_on, day, of })
                }
                Standing::Stopped => Some(News::ProcessingStopped { last_day, grace_ended_on: grace_ends_on }),
            }
        }
        Telling::Exceeded { overage, since } => Some(News::LimitExceeded {
            licensed: overage.licensed,
            used: overage.used,
            exceeded_by: overage.exceeded_by,
            more_possible: overage.more_possible,
            not_processed: overage.not_processed,
            tolerated_through: (kind == LicenseType::Rental).then(|| overage::tolerated_through(since)),
        }),
        Telling::Back { overage } => Some(News::LimitKept { licensed: overage.licensed, used: overage.used }),
    }
}
