//! The supplier's invoice beside what was reported and what tenants are charged. Nothing of it is kept.

use axum::http::StatusCode;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::agent::{Query, Refused};
use crate::console::forms::Fields;
use crate::console::frame::Visit;
use crate::console::pages::Shown;
use crate::console::shown::Amount;
use crate::domain::Month;

/// Differences that are shown; the sums are of all.
const DIFFERENCES_MAX: usize = 300;

/// The form as it was filled in, and what came of it.
#[derive(Default)]
pub struct Reconciling {
    pub file: String,
    pub text: String,
    pub tolerance: String,
    pub refused: Option<String>,
    pub found: Option<Found>,
}

/// Where the three differ.
pub struct Found {
    pub file: String,
    pub equal: bool,
    pub remarks: Vec<String>,
    pub sums: [(&'static str, Figures); 3],
    pub differences: Vec<Difference>,
    pub left_out: usize,
}

pub struct Difference {
    /// `None`: all tenants together.
    pub tenant: Option<String>,
    pub kind: String,
    pub measure: &'static str,
    /// The supplier's, the report's, the lines'.
    pub sides: [Option<Amount>; 3],
    pub said: String,
}

/// `tidegauge.reconciliation/1`, as far as it is shown.
#[derive(Deserialize)]
struct Answer {
    file: String,
    equal: bool,
    rows: Vec<Row>,
    total: Total,
    remarks: Vec<String>,
}

#[derive(Deserialize)]
struct Total {
    supplier_invoice: Figures,
    report: Figures,
    tenant_lines: Figures,
}

#[derive(Deserialize)]
struct Row {
    tenant: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    supplier_invoice: Option<Figures>,
    report: Figures,
    tenant_lines: Figures,
    differences: Vec<Differs>,
}

#[derive(Clone, Deserialize)]
pub struct Figures {
    workloads: Option<Decimal>,
    points: Option<Decimal>,
    amount: Option<Decimal>,
}

#[derive(Deserialize)]
struct Differs {
    measure: Measure,
    between: [Side; 2],
    by: Decimal,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Measure {
    Workloads,
    Points,
    Amount,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    SupplierInvoice,
    Report,
    TenantLines,
}

pub async fn reconcile(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let month: Option<Month> = fields.read("month")?;
    let mut reconciling = Reconciling {
        file: fields.text("file").unwrap_or("as pasted").to_owned(),
        text: fields.all("text").next().unwrap_or_default().to_owned(),
        tolerance: fields.text("tolerance").unwrap_or_default().to_owned(),
        refused: None,
        found: None,
    };
    match compared(&visit, month, &fields, &reconciling).await {
        Ok(found) => reconciling.found = Some(found),
        // Said on the form, with what was typed.
        Err(why) if matches!(why.code, 2 | 65 | 66 | 78) => reconciling.refused = Some(why.why),
        Err(why) => return Err(why),
    }
    let is_refused = reconciling.refused.is_some();
    let page = super::page(visit, month, ("", 0), reconciling).await?;
    Ok(if is_refused { Shown::Refused(StatusCode::UNPROCESSABLE_ENTITY, page) } else { Shown::Page(page) })
}

async fn compared(
    visit: &Visit,
    month: Option<Month>,
    fields: &Fields,
    reconciling: &Reconciling,
) -> Result<Found, Refused> {
    let month = month.ok_or_else(|| Refused::new(2, "no month is named; choose one first"))?;
    if reconciling.text.trim().is_empty() {
        return Err(Refused::new(2, "there is no invoice: choose its CSV file, or paste its lines with the header"));
    }
    let tolerance = fields.read::<Decimal>("tolerance")?.unwrap_or_default();
    if tolerance.is_sign_negative() {
        return Err(Refused::new(65, "the tolerance is an amount from zero on, such as 0.05"));
    }
    let (file, text) = (reconciling.file.clone(), reconciling.text.clone());
    Ok(found(visit.ask(Query::Reconcile { month, file, text, tolerance }).await?))
}

fn found(answer: Answer) -> Found {
    let Total { supplier_invoice, report, tenant_lines } = answer.total;
    let mut differences: Vec<Difference> = answer.rows.iter().flat_map(differing).collect();
    let left_out = differences.len().saturating_sub(DIFFERENCES_MAX);
    differences.truncate(DIFFERENCES_MAX);
    Found {
        file: answer.file,
        equal: answer.equal,
        remarks: answer.remarks,
        sums: [("Supplier’s invoice", supplier_invoice), ("Report", report), ("Tenants’ lines", tenant_lines)],
        differences,
        left_out,
    }
}

fn differing(row: &Row) -> impl Iterator<Item = Difference> + '_ {
    let sides = |measure: Measure| {
        let supplier = row.supplier_invoice.as_ref().and_then(|figures| figures.of(measure));
        [supplier, row.report.of(measure), row.tenant_lines.of(measure)]
    };
    row.differences.iter().map(move |differs| {
        let [one, other] = differs.between.map(Side::words);
        let more = if differs.by.is_sign_negative() { "less" } else { "more" };
        Difference {
            tenant: row.tenant.clone(),
            kind: row.kind.clone(),
            measure: differs.measure.words(),
            sides: sides(differs.measure),
            said: format!("{one} has {} {more} than {other}", differs.by.abs()),
        }
    })
}

impl Figures {
    fn of(&self, measure: Measure) -> Option<Amount> {
        let figure = match measure {
            Measure::Workloads => self.workloads,
            Measure::Points => self.points,
            Measure::Amount => self.amount,
        };
        figure.map(Amount::of)
    }

    /// Workloads, points and money.
    pub fn each(&self) -> [Option<Amount>; 3] {
        [self.of(Measure::Workloads), self.of(Measure::Points), self.of(Measure::Amount)]
    }
}

impl Measure {
    fn words(self) -> &'static str {
        match self {
            Measure::Workloads => "workloads",
            Measure::Points => "points",
            Measure::Amount => "money",
        }
    }
}

impl Side {
    fn words(self) -> &'static str {
        match self {
            Side::SupplierInvoice => "the invoice",
            Side::Report => "the report",
            Side::TenantLines => "the lines",
        }
    }
}
