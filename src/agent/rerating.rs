//! Other points tables or another mapping: days since the first sample concerned follow them, and so do open reports.

use crate::agent::Trouble;
use crate::config::MonthEnd;
use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::report::{CountedBy, ServerCoverage};
use crate::domain::watermark::Coverage;
use crate::rules::reporting::BasisSample;
use crate::rules::review;
use crate::store::fact::ReportCause;

use super::generate::{kept, same_figures};
use super::{Agent, Hour};

impl Agent {
    /// Rates what is kept by the settings as they are. Reports that are not sent are built again with their
    /// adjustments kept; sent ones stand as they were sent.
    pub(super) fn rate_by_settings(&mut self, hour: Hour) -> Result<(), Trouble> {
        let rating = self.settings.rating.clone();
        if !self.store.set_rating(&rating)? {
            return Ok(());
        }
        for unit in self.units()? {
            for (month, _) in self.report_months(&unit.id)? {
                self.renew_open_report(&unit, month, hour)?;
            }
        }
        Ok(())
    }

    fn renew_open_report(&mut self, unit: &Unit, month: Month, hour: Hour) -> Result<(), Trouble> {
        let Some(old) = self.newest_report(&unit.id, month)?.filter(|old| old.stage.is_open()) else { return Ok(()) };
        let mut fresh = self.build_report(unit, month, old.revision, hour)?;
        fresh.basis.late = old.basis.late;
        let mut fresh = review::carry_over(&old, fresh);
        if same_figures(&old, &fresh) {
            return Ok(());
        }
        fresh.stage = old.stage;
        self.record(hour, "settings", vec![kept(ReportCause::Regenerated, fresh)])
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
