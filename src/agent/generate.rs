//! Building the monthly report, and building it again when a late sample changes it.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::domain::calendar::rfc3339;
use crate::domain::installation::Unit;
use crate::domain::notice::News;
use crate::domain::report::{ServerCoverage, Stage, UsageReport};
use crate::domain::watermark::Coverage;
use crate::domain::{Instant, Month};
use crate::rules::deadlines::Due;
use crate::rules::finality;
use crate::rules::month_difference;
use crate::rules::reporting::{self, BasisSample, ReportFacts};
use crate::rules::review::{self, CarriedOver};
use crate::store::ClassifiedSample;
use crate::store::fact::{Fact, ReportCause};

use super::views::usage::discrepancies_of;
use super::{Agent, Hour};

/// A report built later than this after the month's end says that it is late.
const LATE_AFTER: TimeDelta = TimeDelta::hours(1);

impl Agent {
    /// Generates the report of a month and queues its news; the files are a duty of their own.
    pub(super) fn generate_report(&mut self, id: &str, month: Month, hour: Hour) -> Result<(), Trouble> {
        let Some(unit) = self.unit(id)? else { return Ok(()) };
        if self.newest_report(id, month)?.is_some() || self.forgotten(id, month)?.is_some() {
            return Ok(());
        }
        let report = self.build_report(&unit, month, 1, hour)?;
        let report = self.completed(&unit, self.rested(report, &unit)?)?;
        let due = self.due_of(&unit, &report)?;
        let discrepancies = self.discrepancies_behind(&report)?;
        let news = News::ReportReady {
            month,
            total: report.total_points,
            days_left: self.settings.deadlines.days_left(due, month, hour.now),
            automatic: due == Due::AutoSubmit,
            late: report.basis.late,
            workdays: self.workdays_to(due, month, hour),
            difference: report.difference.as_ref().map(|difference| month_difference::sentence(month, difference)),
            discrepancies,
        };
        let mut facts = vec![kept(ReportCause::Generated, report)];
        facts.extend(self.news(Some(id), &format!("{month} r1"), news, hour)?);
        self.record(hour, "duty", facts)
    }

    /// Where the samples that a report stands on differ from what their servers say themselves.
    fn discrepancies_behind(&self, report: &UsageReport) -> Result<Vec<String>, Trouble> {
        let mut all = Vec::new();
        for ServerCoverage { server, sample_at, .. } in &report.provenance.servers {
            let Some(at) = sample_at else { continue };
            all.extend(self.newest_still_kept(server, *at)?.iter().flat_map(discrepancies_of));
        }
        Ok(all)
    }

    /// The report of a month as its samples stand now.
    pub(super) fn build_report(
        &self,
        unit: &Unit,
        month: Month,
        revision: u32,
        hour: Hour,
    ) -> Result<UsageReport, Trouble> {
        let unit = &self.unit_as_of(unit, month)?;
        let (mut samples, mut not_collected, mut servers) = (Vec::new(), Vec::new(), Vec::new());
        for server in &unit.servers {
            if self.is_gone_by(server, month.starts_at(), month.ends_at())?
                || self.took_over_after(unit, server, month)?
            {
                continue;
            }
            let basis = self.basis(server, month)?;
            servers.push(self.server_coverage(unit, server, month, basis.as_ref(), hour)?);
            match basis {
                Some(basis) => samples.push(basis),
                None => not_collected.push(server.clone()),
            }
        }
        let daily = self.daily(unit, month.first_day(), month.next().first_day(), hour.now)?;
        let mut coverage = Coverage::default();
        for day in &daily {
            coverage.add(Coverage { expected: day.expected, complete: day.complete });
        }
        Ok(reporting::generate(ReportFacts {
            unit: unit.clone(),
            month,
            revision,
            contract_id: self.enrolment()?.map(|enrolment| enrolment.contract_id),
            license: self.installed_key(unit)?.map(|installed| installed.license),
            samples,
            not_collected,
            daily,
            coverage,
            generated_at: hour.now,
            late: month.ends_at() + LATE_AFTER < hour.now,
            servers,
            rating: self.store.rating().clone(),
        }))
    }

    /// The sample that stands for a server at the month's end (design.md section 4, "Report of M"): the newest fresh one
    /// not older than `basis_max_age`; else one taken within that span after it, or for as long as `wait` says; else what
    /// the server's policy says.
    pub(super) fn basis(&self, server: &str, month: Month) -> Result<Option<BasisSample>, Trouble> {
        let (ends_at, max_age) = (month.ends_at(), self.policy().basis_max_age);
        let before = self.store.newest_sample(server, ends_at)?;
        let in_time = before.as_ref().filter(|found| ends_at - max_age <= found.sample.taken_at);
        if let Some(fresh) = in_time.filter(|found| found.sample.stale.is_none()) {
            return Ok(Some(basis_of(fresh, Age::Fresh)));
        }
        let earlier = self.fresh_times(server, ends_at - max_age, ends_at)?.pop();
        let later = self.fresh_times(server, ends_at, ends_at + self.span_after(server))?;
        for at in earlier.into_iter().chain(later) {
            let found = self.store.newest_sample(server, at)?;
            // Where another name took over, the empty sample says nothing of the month before.
            let Some(found) = found.filter(|found| found.sample.stale.is_none()) else { continue };
            // Counts of the next month say nothing of the closed one: what was new in it is used by then.
            if found.sample.taken_at < ends_at || found.sample.counts.is_empty() {
                return Ok(Some(basis_of(&found, Age::Fresh)));
            }
            break;
        }
        let carries = self.settings.server(server).is_none_or(|server| server.month_end.carries());
        Ok(before.filter(|_| carries).map(|found| basis_of(&found, Age::Stale)))
    }

    /// How long after a month's end a sample of the server may stand for it.
    pub(super) fn span_after(&self, server: &str) -> TimeDelta {
        let waits = self.settings.server(server).and_then(|server| server.month_end.waits());
        self.policy().basis_max_age.max(waits.unwrap_or_default())
    }

    /// Instants in `[from, to)` of the server's samples that were no old numbers.
    fn fresh_times(&self, server: &str, from: Instant, to: Instant) -> Result<Vec<Instant>, Trouble> {
        let spans = self.stale_spans(server)?;
        let mut times = self.store.sample_times(server, from..to)?;
        times.retain(|at| spans.iter().all(|span| !span.contains(*at)));
        Ok(times)
    }

    /// Until when the report of the month before `now` waits for a basis, if it does.
    pub(super) fn basis_waits_until(&self, unit: &Unit, month: Month) -> Result<Option<Instant>, Trouble> {
        let policy = self.policy();
        let mut waits_until = None;
        for server in &unit.servers {
            let Some(settings) = self.settings.server(server) else { continue };
            let (ends_at, max_age) = (month.ends_at(), policy.basis_max_age);
            if self.is_gone_by(server, ends_at, ends_at)? {
                continue;
            }
            let fresh = !self.fresh_times(server, ends_at - max_age, ends_at + self.span_after(server))?.is_empty();
            waits_until = waits_until.max(crate::rules::schedule::basis_ready_at(
                month,
                fresh,
                settings.month_end.waits(),
                &policy,
            ));
        }
        Ok(waits_until)
    }

    /// A sample that belongs to a reported month builds an unsent report again, adjustments kept; a final one is named.
    /// One from soon after a month's end may belong to that month, too.
    pub(super) fn late_for_report(&mut self, server: &str, taken_at: Instant, hour: Hour) -> Result<(), Trouble> {
        let month = Month::of(taken_at);
        if taken_at < month.starts_at() + self.span_after(server) {
            self.late_for_month(server, month.previous(), taken_at, hour)?;
        }
        self.late_for_month(server, month, taken_at, hour)?;
        // What it shows for the first time, or as older than it was thought, counts otherwise in the months after it, too.
        let mut later = month.next();
        while later < Month::of(hour.now) {
            if let Some(unit) = self.unit_id_as_of(server, later)?
                && self.newest_report(&unit, later)?.is_some_and(|report| finality::may_change(&report))
            {
                self.late_for_month(server, later, taken_at, hour)?;
            }
            later = later.next();
        }
        Ok(())
    }

    fn late_for_month(&mut self, server: &str, month: Month, taken_at: Instant, hour: Hour) -> Result<(), Trouble> {
        if Month::of(hour.now) <= month {
            return Ok(());
        }
        let units = self.units()?;
        let id = self.unit_id_as_of(server, month)?;
        let Some(unit) = units.into_iter().find(|unit| Some(&unit.id) == id.as_ref()) else { return Ok(()) };
        let Some(old) = self.newest_report(&unit.id, month)? else { return Ok(()) };
        let mut fresh = self.build_report(&unit, month, old.revision, hour)?;
        // Late is a report whose month had long ended when it was first built, not one that a late sample mended.
        fresh.basis.late = old.basis.late;
        let CarriedOver { report: mut fresh, dropped } = review::carry_over(&old, fresh);
        if same_figures(&old, &fresh) {
            return Ok(());
        }
        let sent = !finality::may_change(&old);
        let about = format!("{month} {server} {}", rfc3339(taken_at));
        let dropped = if sent { Vec::new() } else { dropped };
        let mut facts = self.news(Some(&unit.id), &about, News::LateSample { month, sent, dropped }, hour)?;
        if !sent {
            fresh.stage = old.stage;
            let fresh = self.completed(&unit, self.rested(fresh, &unit)?)?;
            facts.push(kept(ReportCause::Regenerated, fresh));
        }
        self.record(hour, "duty", facts)
    }

    /// The newest revision of a month's report, with its stage and second step as they stand.
    pub(super) fn newest_report(&self, unit: &str, month: Month) -> Result<Option<UsageReport>, Trouble> {
        let keys = self.store.keys(&format!("report/{unit}/{month}/"))?;
        let Some(newest) = keys.last() else { return Ok(None) };
        self.store.row::<UsageReport>(newest)?.map(|report| self.as_it_stands(report)).transpose()
    }

    /// One revision of a month's report as it stands.
    pub(super) fn report_revision(
        &self,
        unit: &str,
        month: Month,
        revision: u32,
    ) -> Result<Option<UsageReport>, Trouble> {
        let kept = self.store.row::<UsageReport>(&crate::store::fact::key::report("report", unit, month, revision))?;
        kept.map(|report| self.as_it_stands(report)).transpose()
    }

    /// The report with what happened to it since it was kept.
    pub(super) fn as_it_stands(&self, mut report: UsageReport) -> Result<UsageReport, Trouble> {
        use crate::store::fact::key;
        let of = |what: &str| key::report(what, &report.unit, report.month, report.revision);
        let (stage, external) = (self.store.row::<Stage>(&of("stage"))?, self.store.row(&of("external"))?);
        if let Some(stage) = stage {
            if let Stage::Submitted { receipt, .. } = &stage {
                report.server_verdict.clone_from(&receipt.verdict);
            }
            report.stage = stage;
        }
        if let Some(external) = external {
            report.external = external;
        }
        Ok(report)
    }
}

pub(super) fn kept(cause: ReportCause, report: UsageReport) -> Fact {
    Fact::ReportKept { cause, report: Box::new(report) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Fresh,
    Stale,
}

fn basis_of(found: &ClassifiedSample, age: Age) -> BasisSample {
    BasisSample {
        sample: Arc::clone(&found.sample),
        first_processed_at: found.counted.iter().map(|counted| counted.first_processed_at).collect(),
        stale: age == Age::Stale,
    }
}

/// Whether two builds of a report say the same, the hour of building aside.
pub(super) fn same_figures(old: &UsageReport, fresh: &UsageReport) -> bool {
    old.lines == fresh.lines
        && old.workloads == fresh.workloads
        && old.not_collected == fresh.not_collected
        && old.basis.stale == fresh.basis.stale
        && old.daily == fresh.daily
}
