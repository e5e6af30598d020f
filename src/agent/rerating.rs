//! Settings by which samples are rated and reports built: when they change, days since the first sample concerned follow
//! them, and so do open reports.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::agent::Trouble;
use crate::config::{MonthEnd, Settings};
use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::notice::News;
use crate::domain::report::{CountedBy, ServerCoverage};
use crate::domain::watermark::Coverage;
use crate::rules::finality;
use crate::rules::rating::Rating;
use crate::rules::reporting::BasisSample;
use crate::rules::review::{self, CarriedOver};
use crate::seal::digest::sha256_hex;
use crate::store::fact::{Fact, ReportCause, key};

use super::generate::{kept, same_figures};
use super::{Agent, Hour};

/// The settings that decide what a report of given samples says.
#[derive(Serialize)]
struct BuiltBy<'a> {
    rating: &'a Rating,
    basis_max_age_seconds: i64,
    /// By server, where it is not the default.
    month_end: BTreeMap<&'a str, String>,
}

impl BuiltBy<'_> {
    fn of(settings: &Settings) -> BuiltBy<'_> {
        let own = settings.servers.iter().filter(|server| server.month_end != MonthEnd::default());
        BuiltBy {
            rating: &settings.rating,
            basis_max_age_seconds: settings.basis_max_age.num_seconds(),
            month_end: own.map(|server| (server.name.as_str(), server.month_end.to_string())).collect(),
        }
    }

    fn digest(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("settings are plain data"))
    }
}

impl Agent {
    /// Rates what is kept by the settings as they are. Reports that are not sent are built again with their
    /// adjustments kept; sent ones stand as they were sent.
    pub(super) fn rate_by_settings(&mut self, hour: Hour) -> Result<(), Trouble> {
        self.store.set_rating(&self.settings.rating)?;
        let by = BuiltBy::of(&self.settings).digest();
        let known: Option<String> = self.store.row(key::REPORTS_BUILT_BY)?;
        if known.unwrap_or_else(|| BuiltBy::of(&Settings::default()).digest()) == by {
            return Ok(());
        }
        for unit in self.units()? {
            for (month, _) in self.report_months(&unit.id)? {
                self.renew_open_report(&unit, month, hour)?;
            }
        }
        // Last, so that a start that breaks off before it is followed by one that renews the rest.
        self.record(hour, "settings", vec![Fact::ReportsBuiltBy { digest: by }])
    }

    fn renew_open_report(&mut self, unit: &Unit, month: Month, hour: Hour) -> Result<(), Trouble> {
        let Some(old) = self.newest_report(&unit.id, month)?.filter(finality::may_change) else { return Ok(()) };
        let mut fresh = self.build_report(unit, month, old.revision, hour)?;
        fresh.basis.late = old.basis.late;
        let CarriedOver { report: mut fresh, dropped } = review::carry_over(&old, fresh);
        if same_figures(&old, &fresh) {
            return Ok(());
        }
        fresh.stage = old.stage;
        let fresh = self.completed(unit, self.rested(fresh, unit)?)?;
        let news = News::ReportRenewed { month, was: old.total_points, total: fresh.total_points, dropped };
        let mut facts = self.news(Some(&unit.id), &format!("{month} {}", fresh.digest), news, hour)?;
        facts.push(kept(ReportCause::Renewed, fresh));
        self.record(hour, "settings", facts)
    }

    /// What is done with a server that has no fresh sample at a month's end.
    pub(super) fn month_end_of(&self, server: &str) -> MonthEnd {
        self.settings.server(server).map(|server| server.month_end).unwrap_or_default()
    }

    /// How a server was covered in a month, and by what its policy lets it be counted.
    pub(super) fn server_coverage(
        &self,
        unit: &Unit,
        server: &str,
        month: Month,
        basis: Option<&BasisSample>,
        hour: Hour,
    ) -> Result<ServerCoverage, Trouble> {
        let by_server = self.coverage_by_server(unit, month.first_day(), month.next().first_day(), hour.now)?;
        let Coverage { expected, complete } = by_server.get(server).copied().unwrap_or_default();
        let counted_by = match basis {
            Some(basis) if basis.stale => CountedBy::Carried,
            Some(_) => CountedBy::Fresh,
            None if self.store.newest_sample_at(server, month.ends_at())?.is_some() => CountedBy::Excluded,
            None => CountedBy::Nothing,
        };
        Ok(ServerCoverage {
            server: server.to_owned(),
            expected,
            complete,
            month_end: self.month_end_of(server).to_string(),
            counted_by,
            sample_at: basis.map(|basis| basis.sample.taken_at),
        })
    }
}
