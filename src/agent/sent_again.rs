//! Messages that the License Update Server gave a receipt for and lost: sent again, byte for byte.

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::domain::installation::{Unit, UnitId};
use crate::domain::report::{message_id, report_id};
use crate::protocol::{Kind, Receipted, Sent};
use crate::rules::schedule::{Duty, LostMessage};
use crate::seal::jws;
use crate::seal::keys::VerifyingKey;
use crate::store::fact::{Fact, LostFact, LostRow, MessageKind, SealedMessage, key};

use super::{Agent, Hour, Outcome, Work};

/// Pause between tries.
const PAUSE: TimeDelta = TimeDelta::hours(1);
/// The newest weeks and months that a license check names.
const WEEKS_NAMED: usize = 6;
const MONTHS_NAMED: usize = 12;

impl Agent {
    /// The unit's newest messages that have a receipt of this server, for it to say which of them it lost.
    pub(super) fn receipted(&self, unit: &Unit, server: &VerifyingKey) -> Result<Vec<Receipted>, Trouble> {
        let mut found = Vec::new();
        let mut next = self.telemetry_through(&unit.id)?;
        for _ in 0..WEEKS_NAMED {
            let Some(week) = next.filter(|week| unit.since.is_some_and(|since| since < week.ends_at())) else { break };
            let id = message_id(&unit.id, MessageKind::Telemetry.as_str(), &week.to_string(), 1);
            if self.has_receipt(&id, server)? {
                found.push(Receipted::Telemetry { week });
            }
            next = Some(week.previous());
        }
        for (month, newest) in self.report_months(&unit.id)?.into_iter().rev().take(MONTHS_NAMED) {
            for revision in (1..=newest).rev() {
                if self.has_receipt(&report_id(&unit.id, month, revision), server)? {
                    found.push(Receipted::Report { month, revision });
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Whether this server gave the message a receipt: what another one took is none of its business.
    fn has_receipt(&self, id: &str, server: &VerifyingKey) -> Result<bool, Trouble> {
        let answered: Option<serde_json::Value> = self.store.row(&key::receipt(id))?;
        let answer = answered.as_ref().and_then(|answered| answered["answer"].as_str());
        Ok(answer.and_then(|answer| jws::unverified_kid(answer).ok()).is_some_and(|by| by == server.fingerprint()))
    }

    /// The facts of messages that the server says it has no more, of those that have a receipt.
    pub(super) fn lost_there(&self, unit: &Unit, lost: &[Receipted], hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let mut facts = Vec::new();
        let Some((_, server)) = self.issuer()? else { return Ok(facts) };
        for message in lost {
            let (kind, period, revision) = match message {
                Receipted::Telemetry { week } => (MessageKind::Telemetry, week.to_string(), 1),
                Receipted::Report { month, revision } => (MessageKind::Report, month.to_string(), *revision),
            };
            let id = message_id(&unit.id, kind.as_str(), &period, revision);
            // One that was noted by a clock that was ahead is of now.
            let known: Option<LostRow> = self.store.row(&LostRow::key(&unit.id, &id))?;
            let is_known = known.is_some_and(|known| known.at <= hour.now);
            if !is_known && self.has_receipt(&id, &server)? {
                let what = LostFact::Told(LostRow { at: hour.now, kind, period });
                facts.push(Fact::MessageLost { unit: unit.id.clone(), id, what });
            }
        }
        Ok(facts)
    }

    /// What is to be sent again, for the schedule.
    pub(super) fn lost(&self, unit: &UnitId) -> Result<Vec<LostMessage>, Trouble> {
        let prefix = LostRow::keys(unit);
        let mut found = Vec::new();
        for (row, LostRow { at, kind, period }) in self.store.rows::<LostRow>(&prefix)? {
            let id = row.trim_start_matches(&prefix).to_owned();
            let retry_at = self.retry_at(&Duty::SendAgain { unit: unit.clone(), message: id.clone() })?;
            let what = format!("{} {period}", kind.as_str());
            let at = retry_at.unwrap_or(at);
            found.push(LostMessage { id, what, at });
        }
        Ok(found)
    }

    /// Sends what stood at the server before: our bytes, or those that it had instead and that were adopted.
    /// Only to the server that lost it: the agent may have enrolled elsewhere since.
    pub(super) fn begin_again(&mut self, unit: &str, id: &str, hour: Hour) -> Result<Work, Trouble> {
        let Some((enrolment, server)) = self.issuer()? else { return Ok(Work::Over) };
        let kept = self.store.row::<SealedMessage>(&key::sealed(id))?;
        let Some(message) = kept.filter(|_| matches!(self.has_receipt(id, &server), Ok(true))) else {
            let (unit, id) = (unit.to_owned(), id.to_owned());
            let gone = Fact::MessageLost { unit, id, what: LostFact::NotKept };
            return self.record(hour, "duty", vec![gone]).map(|()| Work::Over);
        };
        let answered: Option<serde_json::Value> = self.store.row(&key::receipt(id))?;
        let stood = answered.as_ref().and_then(|answered| answered["conflict"]["stored_body"].as_str());
        let body = stood.unwrap_or(&message.body).to_owned();
        let kind = match message.kind {
            MessageKind::Telemetry => Kind::Telemetry,
            MessageKind::Report => Kind::Report,
        };
        self.send(kind, &SealedMessage { body, ..message }, &enrolment)
    }

    pub(super) fn finish_again(
        &mut self,
        unit: &str,
        id: &str,
        outcome: Result<Outcome, Setback>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let duty = Duty::SendAgain { unit: unit.to_owned(), message: id.to_owned() };
        match outcome {
            Ok(Outcome::Sent(sent)) => {
                let (receipt, tolerance, decisions, differs) = match sent {
                    Sent::Accepted { receipt, tolerance, decisions, .. } => (receipt, tolerance, decisions, false),
                    Sent::Conflict { receipt, tolerance, .. } => (receipt, tolerance, Vec::new(), true),
                };
                let (unit, id) = (unit.to_owned(), id.to_owned());
                let mut facts: Vec<Fact> = self.tolerance_told(&tolerance)?.into_iter().collect();
                facts.extend(self.rulings_told(&unit, &decisions, hour)?);
                facts.push(Fact::SetbackOver { about: duty.key() });
                facts.push(Fact::SetbackOver { about: Duty::CheckLicense { unit: unit.clone() }.key() });
                facts.push(Fact::MessageLost { unit, id, what: LostFact::TakenAgain { receipt, differs } });
                self.record(hour, "duty", facts)
            }
            Err(setback) => self.set_back(&duty, &setback, PAUSE, hour),
            Ok(other) => unreachable!("sending again does not end in {other:?}"),
        }
    }
}
