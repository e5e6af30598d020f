//! A month's report beside the one that a console makes itself. What the console says is shown and never kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::ask::Setback;
use crate::domain::Month;
use crate::domain::installation::{ServerName, Unit};
use crate::rules::report_comparison::{self, Ours};
use crate::rules::schedule::Duty;
use crate::sources::{Brief, Sweep};

use super::orders::Target;
use super::run::ending;
use super::{Agent, Hour, Obeyed, Outcome, Query, Refused, Trouble};

impl Agent {
    /// Asks the console of this entry for its report of the month that the target's report is of.
    pub(super) fn order_compare(&mut self, target: &Target, with: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        let Some(settings) = self.settings.server(with) else {
            return Err(Refused::new(78, format!("the settings name no server '{with}'")));
        };
        let Some(open) = settings.source_row().monthly_report else {
            let source = settings.source_row().name;
            return Err(Refused::new(78, format!("{with} is of source {source}, which makes no report of its own")));
        };
        let (server, source) = (settings.name.clone(), settings.source.clone());
        let brief = Brief {
            server: server.clone(),
            now: hour.now,
            previous: None,
            sweep: Sweep::Since,
            settings: source,
            known: Vec::new(),
        };
        let month = report.month;
        let talk = ending(open(brief, month), |read| Outcome::ConsoleReport(read.map(Box::new)));
        let then = Query::ConsoleCompared { unit: unit.id, month, with: server.clone() };
        self.carry(Duty::ReadConsole { server }, talk, then)
    }

    /// Holds what a console answered until the question behind it is.
    pub(super) fn console_read(&mut self, server: &str, outcome: Result<Outcome, Setback>) {
        match outcome {
            Ok(Outcome::ConsoleReport(read)) => {
                self.console_reports.insert(server.to_owned(), read);
            }
            Ok(_) | Err(_) => {
                self.console_reports.remove(server);
            }
        }
    }

    /// `report compare --json`.
    pub(super) fn console_compared(&self, unit: &str, month: Month, with: &str) -> Result<Value, Refused> {
        let of_month = Target { unit: Some(unit.to_owned()), server: None, month: Some(month) };
        let (unit, report) = self.one_report(&of_month)?;
        let theirs = match self.console_reports.get(with) {
            Some(Some(theirs)) if theirs.month == month => theirs,
            Some(None) => {
                return Err(Refused::new(66, format!("{with} has no report of {month}; it builds one on the 1st")));
            }
            Some(Some(_)) | None => {
                return Err(Refused::new(75, format!("{with} was not asked for {month}; order `report compare`")));
            }
        };
        let mut elsewhere = BTreeSet::new();
        for other in self.units()?.iter().filter(|other| other.id != unit.id) {
            elsewhere.extend(other.license_id.clone());
            elsewhere.extend(self.license_ids(other, month)?.into_values());
        }
        let ours = Ours { report: &report, licenses: self.license_ids(&unit, month)?, elsewhere };
        let compared = report_comparison::compare(&ours, theirs);
        let mut shown = serde_json::to_value(compared).map_err(|error| Refused::new(1, error.to_string()))?;
        shown["schema"] = json!("tidegauge.report-comparison/1");
        shown["unit"] = json!(unit.id);
        shown["month"] = json!(month);
        shown["revision"] = json!(report.revision);
        shown["with"] = json!(with);
        shown["their_statuses"] = json!(theirs.statuses);
        shown["their_interval"] = json!(theirs.interval.map(|(first, last)| json!({"first": first, "last": last})));
        shown["left_out_there"] = json!(theirs.left_out);
        shown["notes"] = json!(theirs.notes);
        Ok(shown)
    }

    /// License ids of a unit's servers as of the month's end.
    fn license_ids(&self, unit: &Unit, month: Month) -> Result<BTreeMap<ServerName, String>, Trouble> {
        let mut ids = BTreeMap::new();
        for server in &unit.servers {
            let sample = self.store.newest_sample(server, month.ends_at())?.map(|found| found.sample);
            if let Some(id) = sample.and_then(|sample| sample.license.license_id) {
                ids.insert(server.clone(), id);
            }
        }
        Ok(ids)
    }
}
