//! The gate as people look at it: the verdict, the money, what the License Update Server says, and what comes next.

use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::Month;
use crate::domain::gate::{GateVerdict, OperatorDecision, Ruling, Verdict};
use crate::domain::installation::Unit;
use crate::domain::report::{Stage, UsageReport};
use crate::rules::schedule::Duty;
use crate::store::fact::{GateRow, ServerJudgement, SetbackRow, key};

impl Agent {
    /// `license gate --json`: the verdict on the named month, else on the judged one, and what explains it.
    pub(in crate::agent) fn gates(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        month: Option<Month>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        self.of_each_unit(unit, server, |unit| {
            let month = month.map_or_else(|| self.judged_month(unit, hour.now), Ok)?;
            self.gate_shown(unit, month, hour)
        })
    }

    /// `report explain --json`: the same of the newest report, which may be open yet, and its difference to last month's.
    pub(in crate::agent) fn explained(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        month: Option<Month>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        self.of_each_unit(unit, server, |unit| {
            let newest = self.report_months(&unit.id)?.last().map(|(month, _)| *month);
            let month = month.or(newest).map_or_else(|| self.judged_month(unit, hour.now), Ok)?;
            let report = self.newest_report(&unit.id, month)?;
            let mut shown = self.gate_shown(unit, month, hour)?;
            shown["difference"] = json!(report.map(|report| self.difference_shown(unit, &report)).transpose()?);
            Ok(shown)
        })
    }

    fn gate_shown(&self, unit: &Unit, month: Month, hour: Hour) -> Result<Value, Trouble> {
        let report = self.judged_head(unit, month)?;
        let verdict = self.judge_head(unit, month, report.as_ref())?;
        let ruling = report.as_ref().map(|report| self.ruling_on(unit, report)).transpose()?.flatten();
        let judged: Option<ServerJudgement> = self.store.row(&key::of_unit("server_gate", &unit.id))?;
        let judged = judged.filter(|judged| judged.gate.month == month && judged.gate.reported == verdict.reported);
        let held_by = held_by(&verdict, judged.as_ref(), ruling.as_ref());
        let about = Duty::CheckLicense { unit: unit.id.clone() }.key();
        let waits: Option<SetbackRow> = self.store.row(&key::setback(&about))?;
        let waits = waits.filter(|_| self.judged_month(unit, hour.now).is_ok_and(|judged| judged == month));
        let mut shown = verdict_shown(&verdict);
        let charged = report.clone().map(|head| self.with_lines(head)).transpose()?;
        let money = charged.as_ref().map(|report| self.money(report)).transpose()?;
        shown["money"] = money.as_ref().map_or(Value::Null, |money| money.shown.clone());
        shown["money_why"] = json!(money.and_then(|money| money.why));
        shown["held_by"] = json!(held_by);
        shown["looked_at_again_at"] = json!(waits.map(|waits| waits.next_try_at));
        shown["server"] = judged.map_or(Value::Null, |judged| {
            json!({
                "at": judged.at, "message": judged.message, "detail": judged.detail,
                "verdict": judged.gate.verdict, "shortfall": judged.gate.shortfall, "tolerance": judged.gate.tolerance,
            })
        });
        shown["ruling"] = json!(ruling);
        shown["conflicting_days"] = self.conflicting_days(report.as_ref())?;
        Ok(shown)
    }

    /// Days on which the License Update Server has other marks by telemetry than by the sent report.
    fn conflicting_days(&self, report: Option<&UsageReport>) -> Result<Value, Trouble> {
        let sent = report.filter(|report| matches!(report.stage, Stage::Submitted { .. }));
        let Some(report) = sent else { return Ok(json!([])) };
        let receipt: Option<Value> = self.store.row(&key::receipt(&report.id))?;
        Ok(receipt.map(|row| row["conflicting_days"].clone()).filter(Value::is_array).unwrap_or_else(|| json!([])))
    }

    /// Each change of the gate's verdict, for the history.
    pub(in crate::agent) fn gate_changes(&self, unit: &Unit) -> Result<Vec<Value>, Trouble> {
        let rows = self.store.rows::<GateRow>(&format!("gate_session/{}/", unit.id))?;
        let session = |(_, seen): (String, GateRow)| {
            let short = match seen.verdict.as_str() {
                "held" => format!(
                    ", {} points below the highest watermark; no license is asked for before the day before it ends",
                    seen.shortfall
                ),
                _ => String::new(),
            };
            json!({
                "at": seen.at, "month": seen.month, "verdict": seen.verdict, "shortfall": seen.shortfall,
                "message": format!("gate of {}: {}{short}", seen.month, seen.verdict),
            })
        };
        Ok(rows.into_iter().map(session).collect())
    }
}

/// The verdict with the share of the watermark that is missing, in percent with one decimal.
pub(super) fn verdict_shown(verdict: &GateVerdict) -> Value {
    let mut shown = serde_json::to_value(verdict).unwrap_or_default();
    shown["shortfall_percent"] = json!(verdict.shortfall_percent());
    shown
}

/// Who keeps the license from being renewed, if anybody does.
fn held_by(
    verdict: &GateVerdict,
    judged: Option<&ServerJudgement>,
    ruling: Option<&OperatorDecision>,
) -> Option<&'static str> {
    let approved_since = |judged: &ServerJudgement| {
        ruling.is_some_and(|ruling| ruling.ruling == Ruling::Approved && judged.at <= ruling.at)
    };
    let by_server = judged.is_some_and(|judged| judged.gate.verdict == Verdict::Held && !approved_since(judged));
    match verdict.verdict {
        Verdict::Held => Some("agent"),
        Verdict::Open | Verdict::Undetermined => by_server.then_some("license_server"),
    }
}
