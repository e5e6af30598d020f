//! The glass box: what left the machine, when, byte for byte, and what leaves next.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::agent::paging;
use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::calendar::minute_local;
use crate::domain::installation::Unit;
use crate::domain::report::message_id;
use crate::domain::{Instant, IsoWeek, Month};
use crate::rules::schedule::{self, Duty, Facts, Planned};
use crate::seal::{canonical, jws};
use crate::store::fact::{LostRow, MessageKind, SealedMessage, SetbackRow, key};

/// How long after its end a week's telemetry leaves at the latest: at a minute drawn of the week after.
const SLOTS: TimeDelta = TimeDelta::days(7);

/// A period that a message may have been sealed for.
struct Slip {
    id: String,
    kind: MessageKind,
    revision: u32,
    /// When the period had ended.
    ended_at: Instant,
}

impl Slip {
    fn telemetry(unit: &str, week: IsoWeek) -> Slip {
        Slip::of(unit, MessageKind::Telemetry, &week.to_string(), 1, week.ends_at())
    }

    fn report(unit: &str, month: Month, revision: u32) -> Slip {
        Slip::of(unit, MessageKind::Report, &month.to_string(), revision, month.ends_at())
    }

    fn of(unit: &str, kind: MessageKind, period: &str, revision: u32, ended_at: Instant) -> Slip {
        let id = message_id(unit, kind.as_str(), period, revision);
        Slip { id, kind, revision, ended_at }
    }
}

impl Agent {
    /// `telemetry list --json`: of each unit what was sealed, newest period first, and what leaves next. `after`: the
    /// `next` of the answer before.
    pub(in crate::agent) fn telemetry_shown(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        after: Option<&str>,
        limit: Option<u16>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        self.of_each_unit(unit, server, |unit| {
            let slips = self.slips(unit)?;
            let begins = after.and_then(|after| slips.iter().position(|slip| slip.id == after));
            let mut page = slips.iter().skip(begins.map_or(0, |at| at + 1));
            let shown: Vec<&Slip> = page.by_ref().take(paging::rows(limit)).collect();
            let next = page.next().and(shown.last()).map(|slip| slip.id.clone());
            let mut messages = Vec::new();
            for slip in shown {
                if let Some(message) = self.store.row::<SealedMessage>(&key::sealed(&slip.id))? {
                    messages.push(self.message_in_short(&message)?);
                }
            }
            Ok(json!({
                "schema": "tidegauge.telemetry/1",
                "unit": unit.id,
                "servers": unit.servers,
                "messages": messages,
                "next": next,
                "upcoming": self.upcoming(unit, hour)?,
            }))
        })
    }

    /// `telemetry show ID --json`: one sealed message with its exact bytes, and the answer to it as it was signed.
    pub(in crate::agent) fn message_shown(&self, id: &str) -> Result<Value, Refused> {
        let message: Option<SealedMessage> = self.store.row(&key::sealed(id)).map_err(Trouble::from)?;
        let message = message.ok_or_else(|| {
            Refused::new(66, format!("no message with the id {id} was sealed; `telemetry list` lists them"))
        })?;
        let answered: Option<Value> = self.store.row(&key::receipt(id)).map_err(Trouble::from)?;
        let answered = answered.unwrap_or_default();
        let answer = answered["answer"].as_str();
        let mut shown = self.message_in_short(&message)?;
        shown["schema"] = json!("tidegauge.message/1");
        shown["body"] = json!(message.body);
        shown["payload"] = json!(payload_of(&message.body));
        shown["answer"] = json!(answer);
        shown["answer_payload"] = json!(answer.and_then(payload_of));
        shown["adopted_body"] = answered["conflict"]["stored_body"].clone();
        Ok(shown)
    }

    /// Every message that was sealed for the unit, the newest period first; a week before its month.
    fn slips(&self, unit: &Unit) -> Result<Vec<Slip>, Trouble> {
        let mut slips = Vec::new();
        let slots = key::slots(&unit.id);
        for slot in self.store.keys(&slots)? {
            let week = slot.strip_prefix(&slots).and_then(|week| week.parse().ok());
            slips.extend(week.map(|week| Slip::telemetry(&unit.id, week)));
        }
        for (month, newest) in self.report_months(&unit.id)? {
            slips.extend((1..=newest).map(|revision| Slip::report(&unit.id, month, revision)));
        }
        slips.sort_by(|one, other| {
            (other.ended_at, other.kind, other.revision).cmp(&(one.ended_at, one.kind, one.revision))
        });
        // Only keys are looked at: bodies may be long.
        let sealed = self.store.keys(&key::sealed(""))?;
        slips.retain(|slip| sealed.binary_search(&key::sealed(&slip.id)).is_ok());
        Ok(slips)
    }

    /// What is known of a message beside its bytes.
    fn message_in_short(&self, message: &SealedMessage) -> Result<Value, Trouble> {
        let SealedMessage { id, kind, unit, period, revision, sealed_at, by, body, sha256, too_long_with_workloads } =
            message;
        let answered: Option<Value> = self.store.row(&key::receipt(id))?;
        let (slot, duty) = match (kind, period.parse::<IsoWeek>(), period.parse::<Month>()) {
            (MessageKind::Telemetry, Ok(week), _) => {
                let slot: Option<Instant> = self.store.row(&key::slot(unit, week))?;
                (slot, Some(Duty::SendTelemetry { unit: unit.clone(), week }))
            }
            (MessageKind::Report, _, Ok(month)) => (None, Some(Duty::Submit { unit: unit.clone(), month })),
            (MessageKind::Telemetry | MessageKind::Report, ..) => (None, None),
        };
        let is_lost = self.store.row::<LostRow>(&LostRow::key(unit, id))?.is_some();
        let again = is_lost.then(|| Duty::SendAgain { unit: unit.clone(), message: id.clone() });
        let setback = match again.or(duty.filter(|_| answered.is_none())) {
            Some(duty) => self.store.row::<SetbackRow>(&key::setback(&duty.key()))?,
            None => None,
        };
        let row = answered.unwrap_or_default();
        let state = match (row["receipt"].is_null(), row["conflict"].is_null()) {
            _ if is_lost => "lost",
            (true, _) => "waiting",
            (false, true) => "taken",
            (false, false) => "conflict",
        };
        Ok(json!({
            "id": id,
            "kind": kind,
            "unit": unit,
            "period": period,
            "revision": revision,
            "slot": slot,
            "sealed_at": sealed_at,
            "sealed_at_local": minute_local(*sealed_at, self.settings.time_zone),
            "by": by,
            "bytes": body.len(),
            "too_long_with_workloads": too_long_with_workloads,
            "sha256": sha256,
            "state": state,
            "receipt": row["receipt"],
            "conflicting_days": row["conflicting_days"],
            "setback": setback.map(|setback| {
                json!({"why": setback.why, "tries": setback.tries, "next_try_at": setback.next_try_at})
            }),
        }))
    }

    /// What leaves next, in order, and why nothing does.
    fn upcoming(&self, unit: &Unit, hour: Hour) -> Result<Value, Trouble> {
        let state = self.unit_state(unit, hour.now)?;
        let week = schedule::first_week_owed(&state);
        let facts = Facts { units: vec![state], ..Facts::default() };
        let plan = schedule::plan(&facts, &self.policy());
        let planned: Vec<Value> = plan.iter().filter_map(|planned| leaving(planned, hour.now)).collect();
        let preview = match week {
            Some(week) => self.preview(unit, week, hour)?,
            None => Value::Null,
        };
        let held = self.clock_suspect()?.or(week.is_none().then(|| self.no_telemetry()).transpose()?);
        Ok(json!({"planned": planned, "nothing_because": held, "telemetry": preview}))
    }

    /// What the week's telemetry holds: as it is sealed, else as it would be sealed now.
    fn preview(&self, unit: &Unit, week: IsoWeek, hour: Hour) -> Result<Value, Trouble> {
        if let Some((message, _)) = self.sealed(&unit.id, MessageKind::Telemetry, &week.to_string(), 1)? {
            let payload = payload_of(&message.body);
            return Ok(
                json!({"period": week, "sealed_as": message.id, "as_of": message.sealed_at, "payload": payload}),
            );
        }
        let Some(enrolment) = self.enrolment()? else { return Ok(Value::Null) };
        let Some(telemetry) = self.telemetry_of(&unit.id, week, &enrolment, hour)? else { return Ok(Value::Null) };
        let payload = serde_json::to_value(&telemetry).unwrap_or_default();
        let payload = String::from_utf8_lossy(&canonical::bytes(&payload)).into_owned();
        Ok(json!({"period": week, "sealed_as": null, "as_of": hour.now, "payload": payload}))
    }

    /// Why a unit sends no telemetry.
    fn no_telemetry(&self) -> Result<String, Trouble> {
        Ok(match (&self.settings.license_server, self.enrolment()?) {
            (None, _) => "there is no [license_server] in the settings, so nothing is sent",
            (Some(_), None) => "no License Update Server knows this agent: `enrol`",
            (Some(_), Some(_)) => {
                "telemetry is sent only while auto update is on, from the agent's first own sample on"
            }
        }
        .to_owned())
    }
}

/// The duty as what leaves by it; `None`: nothing does that is sealed.
fn leaving(planned: &Planned, now: Instant) -> Option<Value> {
    let (at, why) = (planned.at.max(now), &planned.why);
    let of_week = |week: &IsoWeek, at: Option<Instant>, why: &str| {
        json!({
            "kind": MessageKind::Telemetry, "period": week, "at": at,
            "from": week.ends_at(), "until": week.ends_at() + SLOTS, "why": why,
        })
    };
    if let Duty::DrawSlot { week, .. } = &planned.duty {
        return Some(of_week(week, None, "its minute is drawn when the week has ended"));
    }
    if let Duty::SendTelemetry { week, .. } = &planned.duty {
        return Some(of_week(week, Some(at), why));
    }
    let Duty::Submit { month, .. } = &planned.duty else { return None };
    Some(json!({"kind": MessageKind::Report, "period": month, "at": at, "why": why}))
}

/// The signed text of a message, as it was written into it.
fn payload_of(body: &str) -> Option<String> {
    String::from_utf8(jws::unverified_payload(body).ok()?).ok()
}
