//! Servers that do not answer: each miss, the loss that people are told of, and its end; days with too few samples.

use chrono::Days;

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::domain::calendar::{midnight, rfc3339};
use crate::domain::notice::{News, ToldLoss};
use crate::domain::sample::Sample;
use crate::store::fact::{Fact, Miss, key};

use super::{Agent, Hour};

/// A server that missed this many samples in a row is told about.
const LOST_AFTER: u32 = 3;

impl Agent {
    /// An hour without a sample is recorded with its reason. The loss is told once: when it needs a person, else with
    /// the third miss in a row.
    pub(super) fn miss_sample(&mut self, server: &str, setback: &Setback, hour: Hour) -> Result<(), Trouble> {
        let before: Option<Miss> = self.store.row(&key::miss(server))?;
        let mut miss = Miss {
            due_at: hour.now,
            at: hour.now,
            why: setback.why().to_owned(),
            needs_person: matches!(setback, Setback::AskAPerson { .. }),
            in_a_row: before.as_ref().map_or(0, |miss| miss.in_a_row).saturating_add(1),
            told: before.and_then(|miss| miss.told),
        };
        let mut facts = Vec::new();
        if miss.told.is_none() && (miss.in_a_row >= LOST_AFTER || miss.needs_person) {
            let (told, news) = self.loss(server, miss.why.clone(), hour)?;
            miss.told = Some(told);
            facts = news;
        }
        facts.push(Fact::SampleMissed { server: server.to_owned(), miss });
        self.record(hour, "duty", facts)
    }

    /// Samples that were not taken are a miss for a person: other samples of the same read are no recovery.
    pub(super) fn miss_conflicts(&mut self, server: &str, conflicts: &[String], hour: Hour) -> Result<(), Trouble> {
        let Some(first) = conflicts.first() else { return Ok(()) };
        let more = if conflicts.len() > 1 { format!(" (and of {} more)", conflicts.len() - 1) } else { String::new() };
        let why = format!(
            "another sample of {first}{more} is kept already; this one was not taken; correct or remove its file"
        );
        self.miss_sample(server, &Setback::AskAPerson { why }, hour)
    }

    /// The server answers again, when it did not; told when the loss was.
    pub(super) fn recovered(&self, server: &str, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let Some(miss) = self.store.row::<Miss>(&key::miss(server))? else { return Ok(Vec::new()) };
        let mut facts = vec![Fact::ServerRecovered { server: server.to_owned() }];
        match miss.told {
            Some(loss) => facts.extend(self.end_of_loss(server, miss.in_a_row, loss, hour)?),
            // Journals of before tell losses without naming them in the miss.
            None if miss.in_a_row >= LOST_AFTER => {
                let about = format!("{server} {}", rfc3339(miss.at));
                let news =
                    News::SourceRecovered { server: server.to_owned(), missed_samples: miss.in_a_row, loss: None };
                facts.extend(self.news(None, &about, news, hour)?);
            }
            None => {}
        }
        Ok(facts)
    }

    /// The news that a server is lost, and what its end will name.
    pub(super) fn loss(&self, server: &str, why: String, hour: Hour) -> Result<(ToldLoss, Vec<Fact>), Trouble> {
        let about = format!("{server} {}", rfc3339(hour.now));
        let news = News::SourceLost { server: server.to_owned(), why: why.clone() };
        let told = ToldLoss { id: self.notice_id(None, &about, &news), at: hour.now, why };
        Ok((told, self.news(None, &about, news, hour)?))
    }

    /// The news that a loss is over.
    pub(super) fn end_of_loss(
        &self,
        server: &str,
        missed_samples: u32,
        loss: ToldLoss,
        hour: Hour,
    ) -> Result<Vec<Fact>, Trouble> {
        let about = format!("{server} {}", rfc3339(loss.at));
        let news = News::SourceRecovered { server: server.to_owned(), missed_samples, loss: Some(loss) };
        self.news(None, &about, news, hour)
    }

    /// The first sample of a day looks back at the day before: one with too few samples is told, once. A server's first
    /// day is none: it was not watched from its beginning.
    pub(super) fn day_before(&self, sample: &Sample, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let (server, today) = (sample.server.as_str(), sample.taken_at.date_naive());
        let day = today - Days::new(1);
        let newest = self.store.newest_sample_at(server, sample.taken_at)?.map(|at| at.date_naive());
        let is_first_of_day = newest.is_some_and(|newest| newest < today);
        let was_watched = self.store.newest_sample_at(server, midnight(day))?.is_some();
        let Some(unit) = self.store.unit_of(server)?.filter(|_| is_first_of_day && was_watched) else {
            return Ok(Vec::new());
        };
        let Some(unit) = self.unit(&unit)? else { return Ok(Vec::new()) };
        let coverage = self.coverage_by_server(&unit, day, today, hour.now)?.remove(server).unwrap_or_default();
        if !coverage.is_below(self.settings.coverage_percent_min) {
            return Ok(Vec::new());
        }
        let news = News::CoverageLow { server: server.to_owned(), day, coverage };
        self.news(None, &format!("{server} {day}"), news, hour)
    }
}
