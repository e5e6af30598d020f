//! A month's report beside the one that a console makes itself. What the console says is shown and never kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::ask::Setback;
use crate::domain::Month;
use crate::domain::console_report::ConsoleReport;
use crate::domain::installation::{ServerName, Unit};
use crate::domain::report::UsageReport;
use crate::rules::report_comparison::{self, Ours};
use crate::rules::schedule::Duty;
use crate::sources::{Brief, MonthlyReports, Sweep};

use super::orders::Target;
use super::run::ending;
use super::{Agent, Hour, Obeyed, Outcome, Query, Refused, Trouble};

/// Both reports side by side, and as they are shown.
pub(super) struct Compared {
    pub compared: report_comparison::Comparison,
    pub shown: Value,
}

impl Agent {
    /// Asks the console of this entry for its report of the month that the target's report is of.
    pub(super) fn order_compare(&mut self, target: &Target, with: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        let then = Query::ConsoleCompared { unit: unit.id, month: report.month, with: with.to_owned() };
        self.ask_console(with, report.month, hour, then)
    }

    /// Reads the console's report of the month, then answers the question.
    pub(super) fn ask_console(&mut self, with: &str, month: Month, hour: Hour, then: Query) -> Result<Obeyed, Refused> {
        let (brief, reports) = self.console(with, hour)?;
        let server = brief.server.clone();
        let talk = ending((reports.read)(brief, month), |read| Outcome::ConsoleReport(read.map(Box::new)));
        self.carry(Duty::ReadConsole { server }, talk, then)
    }

    /// What a console of the settings is told, and what can be done with its reports.
    pub(super) fn console(&self, with: &str, hour: Hour) -> Result<(Brief, MonthlyReports), Refused> {
        let Some(settings) = self.settings.server(with).filter(|settings| settings.name == with) else {
            return Err(Refused::new(78, format!("the settings name no server '{with}'")));
        };
        let Some(reports) = settings.source_row().monthly_reports else {
            let source = settings.source_row().name;
            return Err(Refused::new(78, format!("{with} is of source {source}, which makes no report of its own")));
        };
        let brief = Brief {
            server: settings.name.clone(),
            now: hour.now,
            previous: None,
            sweep: Sweep::Since,
            settings: settings.source.clone(),
            known: Vec::new(),
            remembered: Default::default(),
        };
        Ok((brief, reports))
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
        let compared = self.compared(&unit, &report, with)?;
        Ok(compared.shown)
    }

    /// What the console answered a moment ago.
    pub(super) fn read_of_console(&self, with: &str, month: Month) -> Result<&ConsoleReport, Refused> {
        match self.console_reports.get(with) {
            Some(Some(theirs)) if theirs.month == month => Ok(theirs),
            Some(None) => Err(Refused::new(66, format!("{with} has no report of {month}; it builds one on the 1st"))),
            Some(Some(_)) | None => {
                Err(Refused::new(75, format!("{with} was not asked for {month}; order `report compare`")))
            }
        }
    }

    /// A unit's report beside the console's.
    pub(super) fn compared(&self, unit: &Unit, report: &UsageReport, with: &str) -> Result<Compared, Refused> {
        let month = report.month;
        let theirs = self.read_of_console(with, month)?;
        let mut elsewhere = BTreeSet::new();
        for other in self.units()?.iter().filter(|other| other.id != unit.id) {
            elsewhere.extend(other.license_id.clone());
            elsewhere.extend(self.license_ids(other, month)?.into_values());
        }
        let ours = Ours { report, licenses: self.license_ids(unit, month)?, elsewhere };
        let compared = report_comparison::compare(&ours, theirs);
        let mut shown = serde_json::to_value(&compared).map_err(|error| Refused::new(1, error.to_string()))?;
        shown["schema"] = json!("tidegauge.report-comparison/1");
        shown["unit"] = json!(unit.id);
        shown["month"] = json!(month);
        shown["revision"] = json!(report.revision);
        shown["with"] = json!(with);
        shown["their_statuses"] = json!(theirs.statuses);
        shown["their_interval"] = json!(theirs.interval.map(|(first, last)| json!({"first": first, "last": last})));
        shown["left_out_there"] = json!(theirs.left_out);
        shown["notes"] = json!(theirs.notes);
        Ok(Compared { compared, shown })
    }

    /// License ids of a unit's servers as of the month's end.
    pub(super) fn license_ids(&self, unit: &Unit, month: Month) -> Result<BTreeMap<ServerName, String>, Trouble> {
        let mut ids = BTreeMap::new();
        for server in &self.unit_as_of(unit, month)?.servers {
            let sample = self.store.newest_sample(server, month.ends_at())?.map(|found| found.sample);
            if let Some(id) = sample.and_then(|sample| sample.license.license_id.clone()) {
                ids.insert(server.clone(), id);
            }
        }
        Ok(ids)
    }
}
