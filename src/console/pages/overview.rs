//! Overview: the open report, high watermarks by month, the gate, the license, servers and what comes next.

use askama::Template;
use chrono_tz::Tz;

use super::{Deed, Shown, html};
use crate::agent::{Query, Refused};
use crate::console::answers::{Licensed, MonthMarks, Months, Next, Report, StageName, Status};
use crate::console::frame::{Frame, Visit};
use crate::console::shown::{When, encoded};
use crate::console::words;
use crate::document::{Chart, ChartPoint};
use crate::domain::Instant;
use crate::domain::gate::{GateVerdict, Verdict};
use crate::domain::people::Role;
use crate::formats::FORMATS;
use crate::formats::charts::watermark_chart;

/// Open reports with a banner of their own; all stand in the list of reports.
const BANNERS_MAX: usize = 3;
/// Reports in the list.
const REPORTS_MAX: usize = 13;

/// Where signing in leads.
pub const PAGE: super::Page =
    super::Page { path: "/", name: Some("Overview"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

/// What the page shows; the template lays it out.
#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    frame: Frame,
    zone: Tz,
    status: Status,
    banners: Vec<Banner>,
    units: Vec<Panel>,
    /// Newest first.
    reports: Vec<Report>,
}

/// An open report.
struct Banner {
    report: Report,
    unattended: &'static str,
}

/// One reporting unit.
struct Panel {
    name: String,
    /// Inline SVG.
    chart: Option<String>,
    months: Vec<MonthMarks>,
    gate: Option<GateVerdict>,
    license: Licensed,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let mut status: Status = visit.ask(Query::Status {}).await?;
    let months = visit.each(Query::Months { unit: None, server: None }).await?;
    let gates = visit.each(Query::Gate { unit: None, server: None, month: None }).await?;
    let mut reports: Vec<Report> = visit.each(Query::Reports { unit: None, server: None }).await?;
    reports.sort_by(|one, other| other.month.cmp(&one.month).then_with(|| one.unit.cmp(&other.unit)));
    reports.truncate(REPORTS_MAX);
    let licenses = std::mem::take(&mut status.licenses);
    let banners = banners(std::mem::take(&mut status.open_reports));
    let units = panels(licenses, months, gates);
    let (frame, zone) = (visit.frame(PAGE.path, "Overview").await?, visit.zone());
    Ok(Shown::Page(html(&Overview { frame, zone, status, banners, units, reports })))
}

/// A report that was entered elsewhere waits for nobody, also when it is never sent from here.
fn banners(mut open: Vec<Report>) -> Vec<Banner> {
    open.retain(|report| report.external.at.is_none());
    open.sort_by_key(|report| std::cmp::Reverse(report.month));
    let banner = |report: Report| Banner { unattended: words::unattended(&report), report };
    open.into_iter().take(BANNERS_MAX).map(banner).collect()
}

fn panels(licenses: Vec<Licensed>, mut months: Vec<Months>, mut gates: Vec<GateVerdict>) -> Vec<Panel> {
    let panel = |license: Licensed| {
        let months = months.iter().position(|months| months.unit == license.unit).map(|n| months.swap_remove(n).months);
        let months = months.unwrap_or_default();
        let gate = gates.iter().position(|gate| gate.unit == license.unit).map(|n| gates.swap_remove(n));
        let chart = months.iter().any(|month| month.highest_watermark.is_some()).then(|| chart(&months));
        Panel { name: license.servers.join(", "), chart, months, gate, license }
    };
    licenses.into_iter().map(panel).collect()
}

fn chart(months: &[MonthMarks]) -> String {
    let point = |marks: &MonthMarks| ChartPoint {
        label: marks.month.to_string(),
        mark: marks.highest_watermark.map(|points| points.amount()),
        reported: marks.reported.map(|points| points.amount()),
    };
    watermark_chart(&Chart {
        title: "Highest watermark and reported points by month".to_owned(),
        mark_name: "Highest watermark".to_owned(),
        reported_name: "Reported".to_owned(),
        points: months.iter().map(point).collect(),
        level: None,
    })
}

impl Overview {
    fn when(&self, at: &Instant) -> When {
        When::minute(*at, self.zone)
    }

    /// Reports, licenses and gates name their unit only when there are several.
    fn has_several_units(&self) -> bool {
        self.units.len() > 1
    }

    /// The servers that a duty is for, when there are several units and it is for one of them.
    fn whose<'a>(&'a self, next: &'a Next) -> Option<&'a str> {
        let unit = next.unit().filter(|_| self.has_several_units())?;
        self.units.iter().find(|panel| panel.license.unit == unit).map(|panel| panel.name.as_str())
    }

    /// The servers of a unit.
    fn unit_name<'a>(&'a self, unit: &'a str) -> &'a str {
        self.units.iter().find(|panel| panel.license.unit == unit).map_or(unit, |panel| &panel.name)
    }
}

impl Next {
    /// The unit that the duty is for, by its id: the word after the duty's kind.
    fn unit(&self) -> Option<&str> {
        self.duty.split(' ').nth(1)
    }
}

impl Banner {
    /// Within three days of the end, and after it.
    fn is_urgent(&self) -> bool {
        self.report.days_left <= 3
    }
}

impl Report {
    /// Each format: its name for people, and where it is downloaded.
    fn files(&self) -> Vec<(String, String)> {
        let unit = encoded(&self.unit);
        let file =
            |extension: &str| (extension.to_uppercase(), format!("/reports/{}.{extension}?unit={unit}", self.month));
        FORMATS.iter().rev().map(|format| file(format.extension)).collect()
    }
}
