//! A monthly report as it is sent: lines, counts, daily marks and the document's digest.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{BODY_BYTES_MAX, Message, check_daily, check_length, check_text, signed};
use crate::domain::gate::{Cause, Justification};
use crate::domain::installation::UnitId;
use crate::domain::report::{Line, ReportedWorkload, UsageReport, report_id};
use crate::domain::watermark::{Coverage, Daily};
use crate::domain::{Instant, Month, Points};
use crate::seal::keys::SigningKey;

/// Lines of one report: tenants × types × weights × servers.
const LINES_MAX: usize = 100_000;
/// Workload rows and causes of one report.
const WORKLOADS_MAX: usize = 500_000;

/// The setting `report_detail`: whether machine names leave the house.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportDetail {
    #[default]
    Lines,
    Workloads,
}

/// One revision of one month's report (design.md section 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    pub schema: String,
    /// UUIDv5 of unit, month and revision.
    pub id: String,
    pub unit: UnitId,
    pub license_id: Option<String>,
    pub contract_id: Option<String>,
    pub installations: Vec<String>,
    pub month: Month,
    /// 1 for the first.
    pub revision: u32,
    pub generated_at: Instant,
    pub late: bool,
    /// The sum of the lines.
    pub total_points: Points,
    pub new_count: u64,
    pub rental_count: u64,
    pub lines: Vec<Line>,
    /// Days of the month in order.
    pub daily: Vec<Daily>,
    pub coverage: Coverage,
    /// Digest of the whole document, `sha256:…`.
    pub digest: String,
    pub justification: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justified_at: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justified_by: Option<String>,
    /// Why this revision was made, when it is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Justification>,
    /// Why the report is lower than the watermark; workloads are named only with [`ReportDetail::Workloads`].
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// Empty unless [`ReportDetail::Workloads`].
    #[serde(default)]
    pub workloads: Vec<ReportedWorkload>,
}

/// A report as the signed body that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReport {
    pub body: String,
    /// Bytes of the body with its workloads, when it is longer than a License Update Server takes: they stay here then.
    pub too_long_with_workloads: Option<usize>,
}

impl SignedReport {
    /// With its workloads when `detail` says so, they are no more than a server takes and the body stays within
    /// [`BODY_BYTES_MAX`], else by its lines alone:
    /// counts, points and digest are the same.
    ///
    /// # Errors
    /// One line: no License Update Server takes this report.
    pub fn of(
        report: &UsageReport,
        causes: &[Cause],
        detail: ReportDetail,
        key: &SigningKey,
    ) -> Result<SignedReport, String> {
        let whole = Submission::of(report, causes, detail);
        match (within_bounds(&whole, key), detail) {
            (Ok(body), _) => Ok(SignedReport { body, too_long_with_workloads: None }),
            (Err(beyond), ReportDetail::Workloads) => {
                let lines = Submission::of(report, causes, ReportDetail::Lines);
                let body = within_bounds(&lines, key).map_err(|beyond| beyond.of(report))?;
                let bytes = match beyond {
                    Beyond::Bytes(bytes) => bytes,
                    Beyond::Bound(_) => signed(&whole, key).len(),
                };
                Ok(SignedReport { body, too_long_with_workloads: Some(bytes) })
            }
            (Err(beyond), ReportDetail::Lines) => Err(beyond.of(report)),
        }
    }
}

/// What no License Update Server takes.
enum Beyond {
    /// The length of the signed body.
    Bytes(usize),
    /// A bound of the message.
    Bound(String),
}

impl Beyond {
    fn of(self, report: &UsageReport) -> String {
        let why = match self {
            Beyond::Bytes(bytes) => format!("its body has {bytes} bytes, and at most {BODY_BYTES_MAX} are taken"),
            Beyond::Bound(why) => why,
        };
        format!(
            "the report of {} ({} lines) cannot be sent to a License Update Server: {why}; split its servers among more \
             license keys, and enter this month by hand",
            report.month,
            report.lines.len()
        )
    }
}

fn within_bounds(submission: &Submission, key: &SigningKey) -> Result<String, Beyond> {
    submission.check().map_err(Beyond::Bound)?;
    let body = signed(submission, key);
    if body.len() as u64 <= BODY_BYTES_MAX { Ok(body) } else { Err(Beyond::Bytes(body.len())) }
}

impl Submission {
    /// The report as it is sent.
    pub fn of(report: &UsageReport, causes: &[Cause], detail: ReportDetail) -> Submission {
        let (causes, workloads) = match detail {
            ReportDetail::Lines => (without_names(causes), Vec::new()),
            ReportDetail::Workloads => (causes.to_vec(), report.workloads.clone()),
        };
        Submission {
            schema: Submission::SCHEMA.to_owned(),
            id: report.id.clone(),
            unit: report.unit.clone(),
            license_id: report.license_id.clone(),
            contract_id: report.contract_id.clone(),
            installations: report.installations.clone(),
            month: report.month,
            revision: report.revision,
            generated_at: report.generated_at,
            late: report.basis.late,
            total_points: report.total_points,
            new_count: report.lines.iter().map(|line| line.new_count).sum(),
            rental_count: report.lines.iter().map(|line| line.rental_count).sum(),
            lines: report.lines.clone(),
            daily: report.daily.clone(),
            coverage: report.coverage,
            digest: report.digest.clone(),
            justification: report.justification.clone(),
            justified_at: report.justified_at,
            justified_by: report.justified_by.clone(),
            correction: report.correction.clone(),
            causes,
            workloads,
        }
    }
}

impl Message for Submission {
    const SCHEMA: &'static str = "tidegauge.submission/1";

    fn schema(&self) -> &str {
        &self.schema
    }

    fn check(&self) -> Result<(), String> {
        check_text("unit", &self.unit)?;
        check_text("digest", &self.digest)?;
        self.justification.as_deref().map_or(Ok(()), |text| check_text("justification", text))?;
        self.correction.as_ref().map_or(Ok(()), |why| check_text("correction", &why.reason))?;
        check_length("installations", self.installations.len(), WORKLOADS_MAX)?;
        check_length("lines", self.lines.len(), LINES_MAX)?;
        check_length("causes", self.causes.len(), WORKLOADS_MAX)?;
        check_length("workloads", self.workloads.len(), WORKLOADS_MAX)?;
        if self.revision == 0 || self.id != report_id(&self.unit, self.month, self.revision) {
            return Err("id is not that of its unit, month and revision".to_owned());
        }
        check_daily(&self.daily, |one| Month::of(crate::domain::calendar::midnight(one.day)) == self.month)?;
        check_lines(&self.lines)?;
        let sum: Points = self.lines.iter().map(|line| line.points).sum();
        if sum == self.total_points { Ok(()) } else { Err(format!("total_points is not the sum of its lines, {sum}")) }
    }
}

/// The causes without machine names: those that say the same otherwise become one.
fn without_names(causes: &[Cause]) -> Vec<Cause> {
    let mut merged: Vec<Cause> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for cause in causes {
        let of_none = Cause { workload: None, at: None, points: Points::ZERO, ..cause.clone() };
        let says = serde_json::to_string(&of_none).unwrap_or_default();
        let place = *known.entry(says).or_insert_with(|| {
            merged.push(of_none);
            merged.len() - 1
        });
        merged[place].points += cause.points;
    }
    merged
}

/// Refuses a line that says something else than its count and weight, or stands twice.
fn check_lines(lines: &[Line]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (n, line) in lines.iter().enumerate() {
        let number = n + 1;
        // Bounds that keep every product and sum exact.
        if line.reported_count > u64::from(u32::MAX) || line.weight.is_negative() {
            return Err(format!("line {number}: a count or weight that no provider has"));
        }
        if line.points != line.weight * line.reported_count {
            return Err(format!("line {number}: points are not its count times its weight"));
        }
        if line.reported_count > line.initial_count {
            return Err(format!("line {number}: reports more than was counted"));
        }
        if !seen.insert((&line.server, &line.tenant, &line.kind, line.weight)) {
            return Err(format!("line {number}: stands twice"));
        }
    }
    Ok(())
}
