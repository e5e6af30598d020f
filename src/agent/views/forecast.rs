//! What the running month comes to, and the days ahead of reports and licenses.

use base64::Engine;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::document::agenda::When;
use crate::domain::calendar::rfc3339;
use crate::domain::gate::GateVerdict;
use crate::domain::installation::Unit;
use crate::domain::watermark::Coverage;
use crate::domain::{Instant, Month, Points};
use crate::formats::ics;
use crate::rules::deadline_calendar::{self, CalendarFacts, Entry, Owed};
use crate::rules::deadlines::Due;
use crate::rules::forecast::{self, Change, Forecast, Machines};
use crate::rules::renewal;
use crate::rules::reporting::{self, BasisSample, ReportFacts};

use super::usage::one_or_all;

/// Changes that are named beside their sum.
const CHANGES_MAX: usize = 20;

/// The samples that a forecast stands on, and who is missing.
struct Ground {
    samples: Vec<BasisSample>,
    not_collected: Vec<String>,
}

impl Agent {
    /// `usage forecast --json`, per unit.
    pub(in crate::agent) fn usage_forecast(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        self.of_each_unit(unit, server, |unit| {
            let ground = self.ground(unit, server, hour.now)?;
            let forecast = self.forecast_on(unit, &ground, hour.now);
            Ok(shown(unit, &ground, &forecast, hour.now))
        })
    }

    /// What counts from each day after today on if nothing else changes, until that day; no further than the next 1st.
    pub(super) fn forecast_days(
        &self,
        unit: &Unit,
        server: Option<&str>,
        until: NaiveDate,
        now: Instant,
    ) -> Result<Value, Trouble> {
        let forecast = self.forecast_on(unit, &self.ground(unit, server, now)?, now);
        let last = until.min(Month::of(now).ends_at().date_naive());
        let by = |changes: &[Change], day: NaiveDate| -> Points {
            changes.iter().filter(|change| change.at.date_naive() <= day).map(|change| change.points).sum()
        };
        let tomorrow = now.date_naive() + Days::new(1);
        let days = tomorrow.iter_days().take_while(|day| *day <= last).map(|day| {
            let points = forecast.points + by(&forecast.starting, day) - by(&forecast.aging_out, day);
            json!({"day": day, "points": points})
        });
        Ok(json!({
            "days": days.collect::<Vec<Value>>(),
            "report_points": forecast.report_points,
            "points_on_first": forecast.points_on_first,
            "starting": in_short(&forecast.starting),
            "aging_out": in_short(&forecast.aging_out),
        }))
    }

    /// Each server's newest sample; one without a fresh sample is carried or left out, as its `month_end` says.
    fn ground(&self, unit: &Unit, server: Option<&str>, now: Instant) -> Result<Ground, Trouble> {
        let mut ground = Ground { samples: Vec::new(), not_collected: Vec::new() };
        let oldest = now - self.policy().basis_max_age;
        for name in unit.servers.iter().filter(|name| server.is_none_or(|server| server == name.as_str())) {
            if self.is_gone_by(name, Month::of(now).starts_at(), now)? {
                continue;
            }
            let found = self.store.newest_sample(name, now)?;
            let carries = self.settings.server(name).is_none_or(|server| server.month_end.carries());
            match found.filter(|found| carries || oldest <= found.sample.taken_at) {
                Some(found) => ground.samples.push(BasisSample {
                    first_processed_at: found.counted.iter().map(|counted| counted.first_processed_at).collect(),
                    stale: found.sample.taken_at < oldest,
                    sample: found.sample,
                }),
                None => ground.not_collected.push(name.clone()),
            }
        }
        Ok(ground)
    }

    fn forecast_on(&self, unit: &Unit, ground: &Ground, now: Instant) -> Forecast {
        let machines = if unit.counts_once_at(now) { Machines::Once } else { Machines::OnEachServer };
        forecast::forecast(&ground.samples, machines, self.store.rating(), now)
    }

    /// `license forecast --json`, per unit.
    pub(in crate::agent) fn license_forecast(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let mut answers = Vec::new();
        for unit in self.units_named(unit, server)? {
            let ground = self.ground(&unit, None, hour.now)?;
            let forecast = self.forecast_on(&unit, &ground, hour.now);
            let entries = deadline_calendar::calendar(&self.calendar_facts(&unit, hour)?);
            let month = Month::of(hour.now);
            answers.push(json!({
                "schema": "tidegauge.license-forecast/1",
                "unit": unit.id,
                "servers": unit.servers,
                "now": rfc3339(hour.now),
                "licensed_points": self.unit_license(&unit)?.and_then(|license| license.licensed_points),
                "points": forecast.points,
                "month": month,
                "report_points": forecast.report_points,
                "points_on_first": forecast.points_on_first,
                "gate": self.forecast_gate(&unit, ground, hour.now)?,
                "open_reports": self.open_verdicts(&unit)?,
                "until": rfc3339(hour.now + chrono::TimeDelta::days(deadline_calendar::DAYS_AHEAD)),
                "calendar": entries.iter().map(entry_shown).collect::<Vec<Value>>(),
            }));
        }
        one_or_all(answers)
    }

    /// The days of [`Agent::license_forecast`] alone.
    pub(in crate::agent) fn license_calendar(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        self.of_each_unit(unit, server, |unit| {
            let entries = deadline_calendar::calendar(&self.calendar_facts(unit, hour)?);
            Ok(json!({
                "schema": "tidegauge.license-calendar/1",
                "unit": unit.id,
                "servers": unit.servers,
                "calendar": entries.iter().map(entry_shown).collect::<Vec<Value>>(),
            }))
        })
    }

    /// `license forecast --ics`: the same days as a file for calendars.
    pub(in crate::agent) fn calendar_file(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let (mut entries, days) = (Vec::new(), &self.settings.working_days);
        for unit in self.units_named(unit, server)? {
            let found = deadline_calendar::calendar(&self.calendar_facts(&unit, hour)?);
            let about = format!("Servers: {}", unit.servers.join(", "));
            entries.extend(deadline_calendar::agenda_entries(&unit.id, &about, &found, days, hour.now));
        }
        let count = entries.len();
        let bytes = ics::write(&deadline_calendar::agenda(entries, hour.now));
        Ok(json!({
            "name": "tidegauge.ics",
            "media_type": ics::MEDIA_TYPE,
            "entries": count,
            "base64": base64::engine::general_purpose::STANDARD.encode(bytes),
        }))
    }

    /// The running month's gate: its highest mark so far against the report as it would be built on the 1st.
    fn forecast_gate(&self, unit: &Unit, ground: Ground, now: Instant) -> Result<GateVerdict, Trouble> {
        let month = Month::of(now);
        let report = reporting::generate(ReportFacts {
            unit: unit.clone(),
            month,
            revision: 0,
            contract_id: None,
            license: None,
            samples: ground.samples,
            not_collected: ground.not_collected,
            daily: Vec::new(),
            coverage: Coverage::default(),
            generated_at: now,
            late: false,
            servers: Vec::new(),
            rating: self.store.rating().clone(),
        });
        self.judge_report(unit, month, Some(&report))
    }

    fn open_verdicts(&self, unit: &Unit) -> Result<Vec<GateVerdict>, Trouble> {
        let open = self.open_heads(unit)?;
        open.iter().map(|report| self.judge(unit, report.month)).collect()
    }

    fn calendar_facts(&self, unit: &Unit, hour: Hour) -> Result<CalendarFacts, Trouble> {
        let license = self.unit_license(unit)?.unwrap_or_default();
        let automatic = self.is_automatic(unit)?;
        let window = renewal::window(license.expires_on, license.support_expires_on);
        let window = window.filter(|_| self.license_steps(unit, hour.now).is_ok_and(|steps| !steps.is_empty()));
        let is_eligible = self.eligible(unit)?.is_ok();
        let way = if automatic { Due::AutoSubmit } else { Due::Manual };
        Ok(CalendarFacts {
            now: hour.now,
            reports_go: license.kind.is_reported_monthly().then_some(way),
            owed: self.owed(unit)?,
            deadlines: self.settings.deadlines,
            asks: window.filter(|_| is_eligible),
            unasked: window.filter(|_| !is_eligible),
            usage: self.license_usage(unit, hour.now)?.map(|seen| seen.usage),
            exceeded_since: self.license_told(unit)?.exceeded_since,
            license,
        })
    }

    /// Reports that wait for a person, for their day, or for the second step.
    fn owed(&self, unit: &Unit) -> Result<Vec<Owed>, Trouble> {
        let mut owed = Vec::new();
        for (month, _) in self.report_months(&unit.id)? {
            let Some(report) = self.newest_report(&unit.id, month)? else { continue };
            let due = self.due_of(unit, &report)?;
            if report.external.at.is_none() {
                owed.push(Owed { month, due });
                if due == Due::AutoSubmit {
                    owed.push(Owed { month, due: Due::Portal });
                }
            } else if due == Due::AutoSubmit {
                owed.push(Owed { month, due });
            }
        }
        Ok(owed)
    }
}

fn shown(unit: &Unit, ground: &Ground, forecast: &Forecast, now: Instant) -> Value {
    let month = Month::of(now);
    let as_of = ground.samples.iter().map(|basis| basis.sample.taken_at).max();
    let stale = ground.samples.iter().filter(|basis| basis.stale);
    let stale = stale.map(|basis| json!({"server": basis.sample.server, "sample_at": rfc3339(basis.sample.taken_at)}));
    json!({
        "schema": "tidegauge.usage-forecast/1",
        "unit": unit.id,
        "servers": ground.samples.iter().map(|basis| &basis.sample.server).collect::<Vec<_>>(),
        "as_of": as_of.map(rfc3339),
        "month": month,
        "points": forecast.points,
        "new_points": forecast.new_points,
        "first": rfc3339(month.ends_at()),
        "report_points": forecast.report_points,
        "points_on_first": forecast.points_on_first,
        "starting": forecast.starting.iter().map(change_shown).collect::<Vec<Value>>(),
        "aging_out": forecast.aging_out.iter().map(change_shown).collect::<Vec<Value>>(),
        "stale": stale.collect::<Vec<Value>>(),
        "not_collected": ground.not_collected,
    })
}

/// How many change, by how much, and the first of them.
fn in_short(changes: &[Change]) -> Value {
    json!({
        "count": changes.iter().map(|change| change.count).sum::<u64>(),
        "points": changes.iter().map(|change| change.points).sum::<Points>(),
        "first": changes.iter().take(CHANGES_MAX).map(change_shown).collect::<Vec<Value>>(),
    })
}

fn change_shown(change: &Change) -> Value {
    let (id, name) = change.workload.as_ref().map_or((None, None), |(id, name)| (Some(id), Some(name)));
    json!({
        "workload": id,
        "name": name,
        "server": change.server,
        "tenant": change.tenant,
        "type": change.kind,
        "count": change.count,
        "points": change.points,
        "at": rfc3339(change.at),
    })
}

/// Whole days have their last one beside the first instant.
fn entry_shown(entry: &Entry) -> Value {
    let last_day = match entry.when {
        When::At(_) => None,
        When::Days { last, .. } => Some(last),
    };
    json!({
        "at": rfc3339(entry.begins_at()),
        "last_day": last_day,
        "kind": entry.kind.as_str(),
        "month": entry.month,
        "what": entry.what,
        "why": entry.why,
    })
}
