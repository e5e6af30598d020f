//! The duties ahead with their reasons, as a page or a calendar lists them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::agent::paging;
use crate::agent::{Agent, Hour, Refused};
use crate::domain::calendar::minute_local;
use crate::rules::schedule::{self, Duty, Planned};

impl Agent {
    /// What is planned, in the order of its hours; of samples and of news not told only the earliest, with how many there
    /// are.
    pub(in crate::agent) fn duties(&self, limit: Option<u16>, hour: Hour) -> Result<Value, Refused> {
        let plan = schedule::plan(&self.facts(hour.now)?, &self.policy());
        let mut crowds: BTreeMap<&'static str, usize> = BTreeMap::new();
        for planned in plan.iter().filter(|planned| is_one_of_many(&planned.duty)) {
            *crowds.entry(planned.duty.kind()).or_default() += 1;
        }
        let mut shown = Vec::new();
        for planned in &plan {
            let of_kind = if is_one_of_many(&planned.duty) { crowds.remove(planned.duty.kind()) } else { Some(1) };
            shown.extend(of_kind.map(|count| self.duty_shown(planned, count, hour)));
        }
        let more = shown.len().saturating_sub(paging::rows(limit));
        shown.truncate(paging::rows(limit));
        Ok(json!({"schema": "tidegauge.duties/1", "now": hour.now, "duties": shown, "more": more}))
    }

    fn duty_shown(&self, planned: &Planned, count: usize, hour: Hour) -> Value {
        let at = planned.at.max(hour.now);
        let mut shown = subject(&planned.duty);
        shown["at"] = json!(at);
        shown["at_local"] = json!(minute_local(at, self.settings.time_zone));
        shown["kind"] = json!(planned.duty.kind());
        shown["duty"] = json!(planned.duty.key());
        shown["why"] = json!(planned.why);
        shown["count"] = json!(count);
        shown
    }
}

/// There may be hundreds at a time, and the next one stands for them.
fn is_one_of_many(duty: &Duty) -> bool {
    matches!(duty, Duty::Collect { .. } | Duty::Tell { .. })
}

/// Whom and what it is about.
fn subject(duty: &Duty) -> Value {
    match duty {
        Duty::Collect { server } | Duty::ReadConsole { server } => json!({"server": server}),
        Duty::GenerateReport { unit, month } | Duty::Submit { unit, month } | Duty::Remind { unit, month, .. } => {
            json!({"unit": unit, "period": month})
        }
        Duty::WriteFiles { unit, month, revision } => json!({"unit": unit, "period": month, "revision": revision}),
        Duty::DrawSlot { unit, week } | Duty::SendTelemetry { unit, week } => json!({"unit": unit, "period": week}),
        Duty::SendUsage { sink, unit, period, revision } => {
            json!({"to": sink, "unit": unit, "period": period, "revision": revision})
        }
        Duty::SendAgain { unit, message } => json!({"unit": unit, "message": message}),
        Duty::CheckLicense { unit } | Duty::WatchLicense { unit } => json!({"unit": unit}),
        Duty::FinalizeConsole { server, month } => json!({"server": server, "period": month}),
        Duty::Tell { notice, to } => json!({"notice": notice, "to": to}),
        Duty::LetGo | Duty::ThinJournal | Duty::Enrol => json!({}),
    }
}
