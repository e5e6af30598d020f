//! A report without its workloads: what stands above the table, and what may be done.

use serde_json::{Value, json};

use crate::agent::asked::ReportAsked;
use crate::agent::held_reports::Looked;
use crate::agent::write_files::{SIGNATURE, file_name};
use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::report::{Reason, ReportedWorkload, Stage, UsageReport};
use crate::formats::FORMATS;
use crate::rules::adjust_grid::adjust_grid;
use crate::rules::report_totals::totals;
use crate::rules::{finality, month_difference};
use crate::store::fact::key;

use super::what_if::in_sums;

impl Agent {
    /// `tidegauge.report-head/1`: every field of the report but its workloads, and beside them its sums, days and acts.
    pub(in crate::agent) fn report_head(&self, asked: &ReportAsked, hour: Hour) -> Result<Value, Refused> {
        let looked = self.looked_at(&asked.target(), asked.revision, hour.now)?;
        let report = looked.lean();
        let mut shown = serde_json::to_value(&report).unwrap_or_default();
        let (due, deadlines) = (self.due_of(&looked.unit, &report)?, self.settings.deadlines);
        let grid = adjust_grid(&report);
        let in_words = report.difference.as_ref();
        let beside = json!({
            "report_schema": report.schema,
            "schema": "tidegauge.report-head/1",
            "servers": looked.unit.servers,
            "workloads": workloads_counted(&looked),
            "totals": totals(&report),
            "difference_in_words": in_words.map(|found| month_difference::sentence(report.month, found)),
            "adjust_grid": grid,
            "due": due.as_str(),
            "due_on": deadlines.day(due, report.month),
            "due_at": deadlines.ends_at(due, report.month),
            "days_left": deadlines.days_left(due, report.month, hour.now),
            "gate": in_sums(&self.judge_sums(&looked.unit, &report)?),
            "notification": self.notification_of(&looked.unit, &report, due, hour),
            "acts": self.acts(&looked, hour)?,
            "revisions": self.revisions(&report)?,
            "files": self.files_shown(&report)?,
        });
        if let (Value::Object(fields), Value::Object(beside)) = (&mut shown, beside) {
            fields.extend(beside);
        }
        Ok(shown)
    }

    /// What a person may do with the report, whoever it is; what is null or false is refused.
    fn acts(&self, looked: &Looked, hour: Hour) -> Result<Value, Trouble> {
        let Looked { unit, head, .. } = looked;
        let newest = self.report_months(&unit.id)?.into_iter().find(|(month, _)| *month == head.month);
        let is_newest = newest.is_some_and(|(_, revision)| revision == head.revision);
        let is_current = is_newest && !head.on_demand;
        let is_open = is_current && finality::may_change(head);
        let is_sent = matches!(head.stage, Stage::Submitted { .. });
        let refused = match self.may_send(unit) {
            _ if !is_newest => Some(format!("revision {} is not the newest", head.revision)),
            _ if is_sent => Some(format!("the report of {} was sent already", head.month)),
            Ok(()) => None,
            Err(refused) => Some(refused.why),
        };
        let deadline = self.settings.deadlines.ends_at(self.due_of(unit, head)?, head.month);
        Ok(json!({
            "adjust": is_open,
            "reset": is_open && !looked.table.report().adjustments.is_empty(),
            "send": refused.is_none(),
            "send_why_not": refused,
            "postpone_until": (is_current && head.stage.is_open() && hour.now < deadline).then_some(deadline),
            "justify": is_newest,
            "correct": is_newest && finality::is_final(head) && !matches!(head.stage, Stage::Sending { .. }),
            "mark_external": is_newest,
        }))
    }

    fn revisions(&self, report: &UsageReport) -> Result<Vec<Value>, Trouble> {
        let heads = self.heads_of(&report.unit, report.month)?;
        let shown = |head: &UsageReport| {
            json!({
                "revision": head.revision, "stage": head.stage.as_str(), "generated_at": head.generated_at,
                "total_points": head.total_points, "digest": head.digest, "correction": head.correction,
            })
        };
        Ok(heads.iter().map(shown).collect())
    }

    /// The files of the Reports folder, and whether they and the signature beside them are of this report.
    fn files_shown(&self, report: &UsageReport) -> Result<Value, Trouble> {
        let written: Option<String> =
            self.store.row(&key::report("files", &report.unit, report.month, report.revision))?;
        let formats = FORMATS.iter().map(|format| {
            json!({"format": format.extension, "media_type": format.media_type, "name": file_name(report, format.extension)})
        });
        Ok(json!({
            "written": written.as_deref() == Some(report.digest.as_str()),
            "formats": formats.collect::<Vec<Value>>(),
            "signature": file_name(report, SIGNATURE),
        }))
    }
}

/// How many workloads the report names, by why they stand in it.
fn workloads_counted(looked: &Looked) -> Value {
    let workloads = &looked.table.report().workloads;
    let of = |reason: Reason| workloads.iter().filter(|workload: &&ReportedWorkload| workload.reason == reason).count();
    json!({
        "all": workloads.len(),
        "protected": of(Reason::Protected),
        "new": of(Reason::New),
        "rental": of(Reason::Rental),
        "removed": of(Reason::Removed),
        "counted_on_several_servers": looked.table.counted_on_several_servers(),
    })
}
