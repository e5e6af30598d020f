//! Monthly reports as people look at them: lists, one report, what an adjustment would change, files.

use std::collections::BTreeMap;

use base64::Engine;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::agent::orders::Target;
use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::pseudonym::{HandedOut, Names};
use crate::domain::report::UsageReport;
use crate::domain::watermark::Coverage;
use crate::formats::{self, FORMATS};
use crate::rules::adjust_grid::adjust_grid;
use crate::rules::month_difference;
use crate::rules::reporting::{self, BasisSample, ReportFacts};

use super::usage::one_or_all;

/// Months shown in a chart.
const CHART_MONTHS: usize = 13;

impl Agent {
    /// `report list --json`: every month's newest revision, without its tables.
    pub(in crate::agent) fn reports(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let mut reports = Vec::new();
        for unit in self.units_named(unit, server)? {
            for (month, revision) in self.report_months(&unit.id)? {
                let head = crate::store::fact::key::report("head", &unit.id, month, revision);
                let Some(report) = self.store.row::<UsageReport>(&head)? else { continue };
                reports.push(self.in_short(&unit, &self.as_it_stands(report)?, hour)?);
            }
        }
        Ok(Value::Array(reports))
    }

    pub(in crate::agent) fn in_short(&self, unit: &Unit, report: &UsageReport, hour: Hour) -> Result<Value, Trouble> {
        let (deadlines, due) = (self.settings.deadlines, self.due_of(unit, report)?);
        let in_words =
            report.difference.as_ref().map(|difference| month_difference::sentence(report.month, difference));
        Ok(json!({
            "schema": "tidegauge.report-summary/1",
            "id": report.id,
            "unit": report.unit,
            "month": report.month,
            "revision": report.revision,
            "stage": report.stage.as_str(),
            "total_points": report.total_points,
            "total_points_rounded": report.total_points_rounded,
            "generated_at": report.generated_at,
            "late": report.basis.late,
            "due": due.as_str(),
            "due_on": deadlines.day(due, report.month),
            "days_left": deadlines.days_left(due, report.month, hour.now),
            "external": report.external,
            "not_collected": report.not_collected,
            "coverage": report.coverage,
            "digest": report.digest,
            "difference_in_words": in_words,
            "notification": self.notification_of(unit, report, due, hour),
        }))
    }

    /// `report show --json`: the whole report as it stands.
    pub(in crate::agent) fn report_shown(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        month: Option<Month>,
    ) -> Result<Value, Refused> {
        let (mut answers, mut missing) = (Vec::new(), None);
        for unit in self.units_named(unit, server)? {
            let target = Target { unit: Some(unit.id), server: None, month };
            match self.one_report(&target) {
                Ok((_, report)) => answers.push(self.with_proposals(&report)?),
                Err(refused) => missing = Some(refused),
            }
        }
        match missing {
            Some(refused) if answers.is_empty() => Err(refused),
            Some(_) | None => one_or_all(answers),
        }
    }

    /// The report with its grid, and what was proposed for it when anything was.
    pub(in crate::agent) fn with_proposals(&self, report: &UsageReport) -> Result<Value, Trouble> {
        let (mut shown, proposals) = (Agent::with_grid(report), self.proposals_of(report)?);
        if !proposals.is_empty() {
            shown["proposed_adjustments"] = json!(proposals);
        }
        Ok(shown)
    }

    /// The report as it stands, and the grid that a Cloud Connect report is adjusted by.
    pub(in crate::agent) fn with_grid(report: &UsageReport) -> Value {
        let mut shown = serde_json::to_value(report).unwrap_or_default();
        let grid = adjust_grid(report);
        if let Some(fields) = shown.as_object_mut().filter(|_| !grid.is_empty()) {
            fields.insert("adjust_grid".to_owned(), json!(grid));
        }
        shown
    }

    /// The report of the trailing 31 days up to now: for looking only.
    pub(in crate::agent) fn on_demand(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let mut answers = Vec::new();
        for unit in self.units_named(unit, server)? {
            answers.push(serde_json::to_value(self.trailing_report(&unit, hour)?).unwrap_or_default());
        }
        one_or_all(answers)
    }

    fn trailing_report(&self, unit: &Unit, hour: Hour) -> Result<UsageReport, Refused> {
        let mut samples = Vec::new();
        for server in &unit.servers {
            if self.is_gone_by(server, Month::of(hour.now).starts_at(), hour.now)? {
                continue;
            }
            samples.extend(self.store.newest_sample(server, hour.now)?.map(|found| BasisSample {
                first_processed_at: found.counted.iter().map(|counted| counted.first_processed_at).collect(),
                stale: found.sample.stale.is_some() || found.sample.taken_at < hour.now - self.policy().basis_max_age,
                sample: found.sample,
            }));
        }
        let first = (hour.now - TimeDelta::days(31)).date_naive();
        let month = Month::of(hour.now);
        let mut report = reporting::generate_as_of(
            ReportFacts {
                unit: unit.clone(),
                month,
                revision: 0,
                contract_id: None,
                license: self.installed_key(unit)?.map(|installed| installed.license),
                samples,
                not_collected: Vec::new(),
                daily: self.daily(unit, first, hour.now.date_naive().succ_opt().unwrap_or(first), hour.now)?,
                coverage: Coverage::default(),
                generated_at: hour.now,
                late: false,
                servers: Vec::new(),
                rating: self.store.rating().clone(),
            },
            crate::rules::counting::AsOf { at: hour.now, month },
        );
        report.on_demand = true;
        reporting::total(&mut report);
        Ok(report)
    }

    /// A report as a file of one format: byte for byte as in the Reports folder, or a document of its own under pseudonyms.
    pub(in crate::agent) fn report_file(&self, target: &Target, format: &str, names: Names) -> Result<Value, Refused> {
        let (_, report) = self.one_report(target)?;
        let Some(row) = formats::by_extension(format) else {
            let known: Vec<&str> = FORMATS.iter().map(|row| row.extension).collect();
            return Err(Refused::new(2, format!("there is no format '{format}'; known are {}", known.join(", "))));
        };
        let names = self.names_for(HandedOut::ReportSave, names);
        let report = self.report_with_names(report, names)?;
        let bytes = self.file_of(&report, row);
        Ok(json!({
            "name": crate::agent::write_files::file_name(&report, row.extension),
            "media_type": row.media_type,
            "names": names,
            "digest": report.digest,
            "base64": base64::engine::general_purpose::STANDARD.encode(bytes),
        }))
    }

    /// Highest watermark and reported points of the last thirteen months.
    pub(in crate::agent) fn months(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let mut answers = Vec::new();
        for unit in self.units_named(unit, server)? {
            let mut months = vec![Month::of(hour.now)];
            while months.len() < CHART_MONTHS {
                months.push(months[months.len() - 1].previous());
            }
            let newest: BTreeMap<Month, u32> = self.report_months(&unit.id)?.into_iter().collect();
            let mut rows = Vec::new();
            for month in months.into_iter().rev() {
                let mark = self.watermark_of_month(&unit, month, hour.now)?;
                let head = newest.get(&month).map(|revision| self.head_of(&unit.id, month, *revision)).transpose()?;
                rows.push(json!({
                    "month": month,
                    "highest_watermark": mark.points,
                    "reported": head.flatten().map(|report| report.total_points),
                }));
            }
            answers.push(json!({"schema": "tidegauge.months/1", "unit": unit.id, "months": rows}));
        }
        one_or_all(answers)
    }
}
