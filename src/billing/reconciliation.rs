//! The supplier's invoice against the sent reports against the tenants' lines: what differs, by type and tenant.
//!
//! Counts and points of the invoice are held against the reports, those of the reports against the lines, and the
//! invoice's money against what the lines say that the supplier asks. Minimums and roundings are between provider and
//! tenant and stay out.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::invoice::InvoiceLine;
use super::line::What;
use super::price_book::PriceBook;
use super::supplier_invoice::{Figures, States, SupplierInvoice};
use super::usage::used;
use crate::domain::report::UsageReport;
use crate::domain::workload::WorkloadType;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Workloads,
    Points,
    Amount,
}

impl Measure {
    pub fn as_str(self) -> &'static str {
        match self {
            Measure::Workloads => "workloads",
            Measure::Points => "points",
            Measure::Amount => "amount",
        }
    }

    fn of(self, figures: &Figures) -> Option<Decimal> {
        match self {
            Measure::Workloads => figures.workloads,
            Measure::Points => figures.points,
            Measure::Amount => figures.amount,
        }
    }
}

/// Whose figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    SupplierInvoice,
    Report,
    TenantLines,
}

impl Side {
    pub fn as_str(self) -> &'static str {
        match self {
            Side::SupplierInvoice => "supplier_invoice",
            Side::Report => "report",
            Side::TenantLines => "tenant_lines",
        }
    }
}

/// Two sides that say something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub measure: Measure,
    pub one: Side,
    pub other: Side,
    /// What the first says more than the other.
    pub by: Decimal,
}

/// One type, of one tenant or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// `None`: all tenants together, for an invoice that names none.
    pub tenant: Option<String>,
    pub kind: WorkloadType,
    /// `None`: the invoice says nothing by tenant.
    pub supplier: Option<Figures>,
    pub report: Figures,
    pub lines: Figures,
    pub differences: Vec<Difference>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// By tenant and type; those of all tenants together first.
    pub rows: Vec<Compared>,
    pub supplier: Figures,
    pub report: Figures,
    pub lines: Figures,
    /// Why the money of the two sides was not compared.
    pub money_not_compared: Option<&'static str>,
}

impl Reconciliation {
    pub fn is_equal(&self) -> bool {
        self.rows.iter().all(|row| row.differences.is_empty())
    }
}

type Sums = BTreeMap<(Option<String>, WorkloadType), Figures>;

/// Compares the three; money that differs by at most `tolerance` is equal. `None`: a sum is beyond exact decimals.
pub fn reconcile<'a>(
    invoice: &SupplierInvoice,
    book: &PriceBook,
    reports: &[&UsageReport],
    lines: impl Iterator<Item = &'a InvoiceLine>,
    tolerance: Decimal,
) -> Option<Reconciliation> {
    let report = of_reports(book, reports)?;
    let mut lines = of_lines(lines)?;
    // Without lines the supplier asks nothing, and that is known.
    let costs_known = lines.values().all(|figures| figures.amount.is_some());
    if !costs_known {
        lines.values_mut().for_each(|figures| figures.amount = None);
    }
    let stated = States { workloads: true, points: true, amount: costs_known };
    let mut rows = Vec::new();
    if invoice.names_tenants {
        compare(&mut rows, Some(invoice), &report, (&lines, stated), tolerance);
    } else {
        compare(&mut rows, Some(invoice), &of_all(&report)?, (&of_all(&lines)?, stated), tolerance);
        compare(&mut rows, None, &report, (&lines, stated), tolerance);
    }
    Some(Reconciliation {
        rows,
        supplier: total(&invoice.charged)?,
        report: total(&report)?,
        lines: total(&lines)?,
        money_not_compared: match (invoice.states.amount, costs_known) {
            (true, true) => None,
            (false, _) => Some("the supplier's invoice has no column of amounts"),
            (true, false) => Some("the price book does not say what the supplier asks (cost_per_point)"),
        },
    })
}

fn of_reports(book: &PriceBook, reports: &[&UsageReport]) -> Option<Sums> {
    let mut sums = Sums::new();
    for (of, used) in used(book, reports) {
        let figures = Figures {
            workloads: Some(Decimal::from(used.workloads)),
            points: Some(used.points.amount()),
            amount: None,
        };
        add(&mut sums, (Some(of.tenant), of.kind), &figures)?;
    }
    Some(sums)
}

fn of_lines<'a>(lines: impl Iterator<Item = &'a InvoiceLine>) -> Option<Sums> {
    let mut sums = Sums::new();
    for line in lines {
        let What::Usage(usage) = &line.key.what else { continue };
        let figures = Figures {
            workloads: Some(Decimal::from(line.amounts.workloads)),
            points: Some(line.amounts.points.amount()),
            amount: line.amounts.cost,
        };
        add(&mut sums, (Some(line.key.tenant.clone()), usage.kind.clone()), &figures)?;
    }
    Some(sums)
}

fn of_all(sums: &Sums) -> Option<Sums> {
    let mut all = Sums::new();
    for ((_, kind), figures) in sums {
        add(&mut all, (None, kind.clone()), figures)?;
    }
    Some(all)
}

fn add(sums: &mut Sums, of: (Option<String>, WorkloadType), figures: &Figures) -> Option<()> {
    let sum = sums.entry(of).or_default();
    *sum = sum.plus(figures)?;
    Some(())
}

fn total(sums: &Sums) -> Option<Figures> {
    sums.values().try_fold(Figures::default(), |sum, figures| sum.plus(figures))
}

/// Who has nothing of a type says zero of it.
fn compare(
    rows: &mut Vec<Compared>,
    invoice: Option<&SupplierInvoice>,
    report: &Sums,
    (lines, stated): (&Sums, States),
    tolerance: Decimal,
) {
    let supplier = invoice.map(|invoice| &invoice.charged);
    let keys = supplier.into_iter().chain([report, lines]).flat_map(Sums::keys);
    for key in std::collections::BTreeSet::from_iter(keys) {
        let of_supplier =
            invoice.map(|invoice| invoice.charged.get(key).cloned().unwrap_or_else(|| nothing(invoice.states)));
        let counts = States { workloads: true, points: true, amount: false };
        let of_report = report.get(key).cloned().unwrap_or_else(|| nothing(counts));
        let of_lines = lines.get(key).cloned().unwrap_or_else(|| nothing(stated));
        let sides = [
            (Side::SupplierInvoice, of_supplier.as_ref()),
            (Side::Report, Some(&of_report)),
            (Side::TenantLines, Some(&of_lines)),
        ];
        let differences = differences(&sides, tolerance);
        let (tenant, kind) = key.clone();
        rows.push(Compared { tenant, kind, supplier: of_supplier, report: of_report, lines: of_lines, differences });
    }
}

fn nothing(states: States) -> Figures {
    let zero = |stated: bool| stated.then_some(Decimal::ZERO);
    Figures { workloads: zero(states.workloads), points: zero(states.points), amount: zero(states.amount) }
}

/// Each side against the next one that states the measure.
fn differences(sides: &[(Side, Option<&Figures>)], tolerance: Decimal) -> Vec<Difference> {
    let mut found = Vec::new();
    for measure in [Measure::Workloads, Measure::Points, Measure::Amount] {
        let allowed = match measure {
            Measure::Amount => tolerance,
            Measure::Workloads | Measure::Points => Decimal::ZERO,
        };
        let shown = |by: Decimal| match measure {
            Measure::Amount => by,
            Measure::Workloads | Measure::Points => by.normalize(),
        };
        let stated: Vec<(Side, Decimal)> =
            sides.iter().filter_map(|(side, figures)| Some((*side, measure.of((*figures)?)?))).collect();
        for pair in stated.windows(2) {
            let [(one, says), (other, and)] = pair else { continue };
            let by = *says - *and;
            if by.abs() > allowed {
                found.push(Difference { measure, one: *one, other: *other, by: shown(by) });
            }
        }
    }
    found
}
