//! A week's high watermark: sealed first, then sent until taken, in order.

use chrono::{Days, TimeDelta};

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::domain::report::{Receipt, message_id};
use crate::domain::watermark::{Daily, Watermark};
use crate::domain::{IsoWeek, Points};
use crate::protocol::{self, InstallationCoverage, Kind, Message, Sent, Telemetry};
use crate::rules::schedule::Duty;
use crate::seal::digest::sha256_hex;
use crate::seal::keys::VerifyingKey;
use crate::store::fact::{Conflict, Enrolment, Fact, MessageKind, SealedMessage, SetbackRow, key};

use super::run::ending;
use super::{Agent, Hour, Outcome, Work};

/// Pause between tries of telemetry (design.md section 4: hourly until taken).
const PAUSE: TimeDelta = TimeDelta::hours(1);
/// How many sent weeks are looked at for days that changed since.
const AMENDED_WEEKS: u64 = 9;

impl Agent {
    pub(super) fn begin_telemetry(&mut self, id: &str, week: IsoWeek, hour: Hour) -> Result<Work, Trouble> {
        let Some(enrolment) = self.enrolment()? else { return Ok(Work::Over) };
        let period = week.to_string();
        let message = match self.sealed(id, MessageKind::Telemetry, &period, 1)? {
            Some((_, Some(_))) => return self.telemetry_taken(id, week, hour).map(|()| Work::Over),
            Some((message, None)) if !self.is_sealed_ahead(id, week, &message)? => message,
            // Sealed by a clock that was ahead, the week may not have been over: no server whose clock is right took it, and
            // one whose clock was wrong, too, answers with what it took.
            before @ (Some((_, None)) | None) => {
                let Some(telemetry) = self.telemetry_of(id, week, &enrolment, hour)? else { return Ok(Work::Over) };
                let body = protocol::signed(&telemetry, &self.identity.key);
                let message =
                    Unsealed { kind: MessageKind::Telemetry, unit: id, period, revision: 1 }.sealed(body, "duty", hour);
                let mut facts = vec![Fact::Sealed { message: message.clone() }];
                let about = || Duty::SendTelemetry { unit: id.to_owned(), week }.key();
                facts.extend(before.is_some().then(|| Fact::SetbackOver { about: about() }));
                self.record(hour, "duty", facts)?;
                message
            }
        };
        self.send(Kind::Telemetry, &message, &enrolment)
    }

    /// Whether the clock went back after the week was sealed: its setback stands before it then, and nothing else does.
    fn is_sealed_ahead(&self, id: &str, week: IsoWeek, message: &SealedMessage) -> Result<bool, Trouble> {
        let duty = Duty::SendTelemetry { unit: id.to_owned(), week };
        let setback: Option<SetbackRow> = self.store.row(&key::setback(&duty.key()))?;
        Ok(setback.is_some_and(|setback| setback.at < message.sealed_at))
    }

    /// Sends a sealed message, byte for byte.
    pub(super) fn send(&self, kind: Kind, message: &SealedMessage, enrolment: &Enrolment) -> Result<Work, Trouble> {
        let server = VerifyingKey::from_text(&enrolment.server_key)
            .map_err(|why| Trouble::Odd(format!("the kept key of the License Update Server: {why}")))?;
        let talk = protocol::send_sealed(kind, message.body.as_bytes(), &message.id, &server);
        Ok(Work::Talk(ending(Box::new(talk), Outcome::Sent)))
    }

    pub(super) fn finish_telemetry(
        &mut self,
        id: &str,
        week: IsoWeek,
        outcome: Result<Outcome, Setback>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let duty = Duty::SendTelemetry { unit: id.to_owned(), week };
        match outcome {
            Ok(Outcome::Sent(sent)) => {
                let message = message_id(id, MessageKind::Telemetry.as_str(), &week.to_string(), 1);
                let mut facts = self.receipt_facts(id, &message, sent, hour)?.1;
                facts.push(Fact::SetbackOver { about: duty.key() });
                facts.push(Fact::TelemetryThrough { unit: id.to_owned(), week });
                self.record(hour, "duty", facts)
            }
            Err(setback) => self.set_back(&duty, &setback, PAUSE, hour),
            Ok(other) => unreachable!("telemetry does not end in {other:?}"),
        }
    }

    /// The facts of an answer to a unit's sealed message: its receipt, an adopted conflict, the tolerance, rulings.
    pub(super) fn receipt_facts(
        &self,
        unit: &str,
        message: &str,
        sent: Sent,
        hour: Hour,
    ) -> Result<(Receipt, Vec<Fact>), Trouble> {
        let (receipt, conflict, tolerance, days, decisions, answer) = match sent {
            Sent::Accepted { receipt, tolerance, conflicting_days, decisions, answer } => {
                (receipt, None, tolerance, conflicting_days, decisions, answer)
            }
            Sent::Conflict { body, receipt, tolerance, answer } => {
                (receipt, Some(Conflict { stored_body: body }), tolerance, Vec::new(), Vec::new(), answer)
            }
        };
        let (id, of, answer) = (message.to_owned(), receipt.clone(), Some(answer));
        let mut facts = vec![Fact::Receipted { id, receipt: of, conflict, conflicting_days: days, answer }];
        facts.extend(self.tolerance_told(&tolerance)?);
        facts.extend(self.rulings_told(unit, &decisions, hour)?);
        Ok((receipt, facts))
    }

    /// The server's tolerance replaces the one known, when it changed.
    pub(super) fn tolerance_told(&self, tolerance: &crate::domain::gate::Tolerance) -> Result<Option<Fact>, Trouble> {
        let Some(mut enrolment) = self.enrolment()? else { return Ok(None) };
        let told = Some((tolerance.points, Points::new(tolerance.percent)));
        if enrolment.tolerance == told {
            return Ok(None);
        }
        enrolment.tolerance = told;
        Ok(Some(Fact::Enrolled { enrolment }))
    }

    fn telemetry_taken(&mut self, id: &str, week: IsoWeek, hour: Hour) -> Result<(), Trouble> {
        self.record(hour, "duty", vec![Fact::TelemetryThrough { unit: id.to_owned(), week }])
    }

    /// What the week's telemetry would say, were it sealed at this hour; `None`: there is no such unit.
    pub(super) fn telemetry_of(
        &self,
        id: &str,
        week: IsoWeek,
        enrolment: &Enrolment,
        hour: Hour,
    ) -> Result<Option<Telemetry>, Trouble> {
        let Some(unit) = self.unit(id)? else { return Ok(None) };
        let mark: Watermark = self.watermark_of_week(&unit, week, hour.now)?;
        let license = self.unit_license(&unit)?.unwrap_or_default();
        Ok(Some(Telemetry {
            schema: Telemetry::SCHEMA.to_owned(),
            id: Telemetry::id_of(id, week),
            unit: id.to_owned(),
            license_id: license.license_id.clone(),
            contract_id: Some(enrolment.contract_id.clone()),
            installations: self.installations(&unit)?,
            week,
            points: mark.points,
            at: mark.at,
            daily: mark.daily,
            by_type: mark.by_type,
            coverage: mark.coverage,
            amended_days: self.amended_days(&unit, week, hour)?,
            counted_in: license.kind.measure(),
            agent_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            coverage_by_installation: self.coverage_by_installation(&unit, week, hour)?,
        }))
    }

    /// Each server's coverage of the week under its installation id: no names leave the machine.
    fn coverage_by_installation(
        &self,
        unit: &crate::domain::installation::Unit,
        week: IsoWeek,
        hour: Hour,
    ) -> Result<Vec<InstallationCoverage>, Trouble> {
        let by_server = self.coverage_by_server(unit, week.first_day(), week.next().first_day(), hour.now)?;
        let mut found = Vec::new();
        for (server, coverage) in by_server {
            let newest = self.store.newest_sample(&server, hour.now)?;
            let stated = newest.and_then(|found| found.sample.license.installation_id.clone());
            let own = || crate::domain::installation::installation_id_of(self.identity.agent, &server);
            found.push(InstallationCoverage {
                installation: stated.unwrap_or_else(own),
                expected: coverage.expected,
                complete: coverage.complete,
                month_end: self.month_end_of(&server).to_string(),
            });
        }
        Ok(found)
    }

    /// Days of weeks already sent whose marks are others by now, as after an import.
    fn amended_days(
        &self,
        unit: &crate::domain::installation::Unit,
        week: IsoWeek,
        hour: Hour,
    ) -> Result<Vec<Daily>, Trouble> {
        let mut amended = Vec::new();
        let mut known: std::collections::BTreeMap<chrono::NaiveDate, Daily> = std::collections::BTreeMap::new();
        let first = IsoWeek::of_day(week.first_day() - Days::new(7 * AMENDED_WEEKS));
        let mut sent = first;
        while sent < week {
            if let Some((message, Some(_))) = self.sealed(&unit.id, MessageKind::Telemetry, &sent.to_string(), 1)? {
                // What stands at the server may be another one that this agent sealed once.
                let answered: Option<serde_json::Value> = self.store.row(&key::receipt(&message.id))?;
                let stands = answered.as_ref().and_then(|answered| answered["conflict"]["stored_body"].as_str());
                let told: Option<Telemetry> = protocol::unverified(stands.unwrap_or(&message.body));
                for day in told.into_iter().flat_map(|told| told.amended_days.into_iter().chain(told.daily)) {
                    known.insert(day.day, day);
                }
            }
            sent = sent.next();
        }
        for day in self.daily(unit, first.first_day(), week.first_day(), hour.now)? {
            if known.get(&day.day).is_some_and(|told| told.points != day.points) {
                amended.push(day);
            }
        }
        Ok(amended)
    }
}

/// A message before it is sealed: its id is made of kind, unit, period and revision.
pub(super) struct Unsealed<'a> {
    pub kind: MessageKind,
    pub unit: &'a str,
    pub period: String,
    pub revision: u32,
}

impl Unsealed<'_> {
    /// Exact bytes with their id and digest, made before the first try.
    pub fn sealed(self, body: String, by: &str, hour: Hour) -> SealedMessage {
        SealedMessage {
            id: message_id(self.unit, self.kind.as_str(), &self.period, self.revision),
            kind: self.kind,
            unit: self.unit.to_owned(),
            period: self.period,
            revision: self.revision,
            sealed_at: hour.now,
            by: by.to_owned(),
            sha256: sha256_hex(body.as_bytes()),
            body,
            too_long_with_workloads: None,
        }
    }
}
