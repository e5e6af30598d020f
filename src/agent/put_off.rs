//! Tries that were put off by a clock that was ahead: they are made by the clock that is right.

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::domain::report::Stage;
use crate::rules::schedule::Duty;
use crate::store::fact::{Fact, MessageKind, SetbackRow, key};

use super::{Agent, Hour};

/// Where setbacks stand in the state.
const SETBACKS: &str = "setback/";
/// Weeks that a clock which was further ahead than that has sealed are not found.
const LOOKED_AHEAD: TimeDelta = TimeDelta::weeks(60);

impl Agent {
    /// Setbacks that were recorded later than it is, which no true clock does, and messages that were sealed later than
    /// it is and never tried: each is due at once.
    pub(super) fn put_off_by_another_clock(&self, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let rows = self.store.rows::<SetbackRow>(SETBACKS)?;
        let later = rows.into_iter().filter(|(_, setback)| hour.now < setback.at);
        let due = later.map(|(row, setback)| Fact::Setback {
            about: row.trim_start_matches(SETBACKS).to_owned(),
            setback: SetbackRow { at: hour.now, next_try_at: hour.now, ..setback },
        });
        let mut due: Vec<Fact> = due.collect();
        for duty in self.sealed_by_another_clock(hour)? {
            let why = "it was sealed by a clock that was ahead".to_owned();
            let setback = SetbackRow { at: hour.now, why, tries: 0, next_try_at: hour.now, needs_person: false };
            due.push(Fact::Setback { about: duty.key(), setback });
        }
        Ok(due)
    }

    /// Messages that were sealed later than it is, of which no try is on record.
    fn sealed_by_another_clock(&self, hour: Hour) -> Result<Vec<Duty>, Trouble> {
        let mut sealed = Vec::new();
        for unit in self.units()? {
            for (month, revision) in self.report_months(&unit.id)? {
                let Some(report) = self.report_state_kept(&unit, month, revision)? else { continue };
                let is_later = matches!(report.stage, Stage::Sending { sealed_at } if hour.now < sealed_at);
                if is_later && report.retry_at.is_none() {
                    sealed.push(Duty::Submit { unit: unit.id.clone(), month });
                }
            }
        }
        for unit in self.units()? {
            let (through, ahead) = (self.telemetry_through(&unit.id)?, hour.now + LOOKED_AHEAD);
            let Some(week) = self.telemetry_unanswered(&unit, through, ahead)? else { continue };
            let kept = self.sealed(&unit.id, MessageKind::Telemetry, &week.to_string(), 1)?;
            let duty = Duty::SendTelemetry { unit: unit.id, week };
            let is_tried = self.store.row::<SetbackRow>(&key::setback(&duty.key()))?.is_some();
            if !is_tried && kept.is_some_and(|(message, _)| hour.now < message.sealed_at) {
                sealed.push(duty);
            }
        }
        Ok(sealed)
    }
}
