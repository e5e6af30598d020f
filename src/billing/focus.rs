//! A document as FOCUS 1.2 Cost and Usage rows (https://focus.finops.org; docs/FOCUS.md says what each column holds).
//!
//! Costs that FOCUS defines as price times quantity are exact; `BilledCost` and `EffectiveCost` are what the document
//! charges, so that their sum is its total. Every decimal has a point: readers tell types by it.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::json;

use super::exact::times;
use super::export::{Beside, Content, NotExported, Sheet, made, stem_of};
use super::invoice::{Invoice, InvoiceLine, Standing};
use super::line::{Per, Usage, What};
use super::lines_file::text;
use super::price_book::{PriceBook, Seller};
use super::profile::description;
use crate::document::Cell;
use crate::document::delimited::{Delimited, Dialect};
use crate::domain::Month;
use crate::domain::calendar::rfc3339;
use crate::seal::digest;

/// Hex digits of a name's SHA-256 that stand for a tenant without a customer number.
const MARK: usize = 12;
const SERVICE_NAME: &str = "Backup and replication, rental points";

pub(super) fn sheets(invoice: &Invoice, beside: &Beside) -> Result<Vec<Sheet>, NotExported> {
    let book = beside.book.as_ref().ok_or(NotExported::NoSeller)?;
    let seller = book.focus.as_ref().ok_or(NotExported::NoSeller)?;
    let row = |line: &InvoiceLine| {
        let row = Row { invoice, line, prices: prices(invoice, line, book), seller, book, beside };
        COLUMNS.iter().map(|(_, cell)| cell(&row)).collect()
    };
    let fields = Delimited {
        dialect: Dialect::PLAIN,
        heads: Some(COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect()),
        rows: invoice.lines.iter().map(row).collect(),
    };
    Ok(vec![Sheet { stem: format!("{}-focus-1.2", stem_of(invoice)), content: Content::Fields(fields) }])
}

struct Row<'a> {
    invoice: &'a Invoice,
    line: &'a InvoiceLine,
    prices: Prices,
    seller: &'a Seller,
    book: &'a PriceBook,
    beside: &'a Beside,
}

/// What one unit costs, before the provider's discounts and after; nothing for what has no quantity.
struct Prices {
    each: Option<Each>,
    list_cost: Decimal,
    contracted_cost: Decimal,
}

struct Each {
    quantity: Decimal,
    list: Decimal,
    contracted: Decimal,
}

fn prices(invoice: &Invoice, line: &InvoiceLine, book: &PriceBook) -> Prices {
    let amount = line.amounts.amount;
    let What::Usage(usage) = &line.key.what else {
        return Prices { each: None, list_cost: amount, contracted_cost: amount };
    };
    let quantity = match usage.rate.per {
        Per::Point => line.amounts.points.amount(),
        Per::Workload => Decimal::from(line.amounts.workloads),
    };
    let contracted = usage.rate.unit_price;
    // A tenant that pays by the workload what others pay by the point has no list price in its own unit.
    let of_list = book.list_price(invoice.month, &usage.kind).filter(|(per, _)| *per == usage.rate.per);
    let list = of_list.map_or(contracted, |(_, price)| price);
    let cost = |price| times(quantity, price).unwrap_or(amount);
    Prices { list_cost: cost(list), contracted_cost: cost(contracted), each: Some(Each { quantity, list, contracted }) }
}

impl Row<'_> {
    fn usage(&self) -> Option<&Usage> {
        match &self.line.key.what {
            What::Usage(usage) => Some(usage),
            What::Minimum { .. } | What::MinimumTotal { .. } | What::Rounding => None,
        }
    }

    fn of_usage(&self, cell: impl Fn(&Usage) -> Cell) -> Cell {
        self.usage().map_or(Cell::Empty, cell)
    }

    fn each(&self, of: impl Fn(&Each) -> Decimal) -> Cell {
        self.prices.each.as_ref().map_or(Cell::Empty, |each| decimal(of(each)))
    }

    fn corrects_a_closed_month(&self) -> bool {
        self.invoice.sequence > 1
    }

    /// A correction is billed in the month in which it was made.
    fn billed_in(&self) -> Month {
        let month = self.invoice.month;
        if self.corrects_a_closed_month() { month.next().max(Month::of(made(self.invoice))) } else { month }
    }

    fn customer_number(&self) -> Option<&str> {
        let of = self.invoice.tenants.iter().find(|sum| sum.tenant == self.line.key.tenant)?;
        of.customer_number.as_deref()
    }

    /// Plain signs that no reader takes for a number, and the same in every month.
    fn sub_account(&self) -> String {
        match self.customer_number().filter(|number| number.is_ascii()) {
            Some(number) => format!("customer-{number}"),
            None => format!("tenant-{}", &digest::sha256_hex(self.line.key.tenant.as_bytes())[..MARK]),
        }
    }

    /// Why the report says less than was counted, of the lines behind this one.
    fn reasons(&self) -> Cell {
        let (Some(usage), Some(facts)) = (self.usage(), self.report()) else { return Cell::Empty };
        let behind = facts.adjustments.iter().filter(|one| {
            let server = one.server.as_deref().unwrap_or(&usage.server);
            one.kind.as_ref() == Some(&usage.kind)
                && one.weight.is_none_or(|weight| weight == usage.weight)
                && server == usage.server
                && self.book.tenant_of(one.tenant.as_deref(), server) == self.line.key.tenant
        });
        let reasons: BTreeSet<&str> = behind.map(|one| one.reason.as_str()).collect();
        text(&Vec::from_iter(reasons).join("; "))
    }

    fn report(&self) -> Option<&super::export::ReportFacts> {
        self.beside.reports.get(&self.line.source.as_ref()?.report)
    }

    fn description(&self) -> String {
        let words = description(self.line);
        let more = |usage: &Usage| format!("{words}, {} points each, on {}", usage.weight, usage.server);
        self.usage().map_or(words.clone(), more)
    }
}

/// With a point even when it is whole.
fn decimal(amount: Decimal) -> Cell {
    let mut amount = amount.normalize();
    if amount.scale() == 0 {
        amount.rescale(1);
    }
    Cell::Number(amount.to_string())
}

fn at(instant: crate::domain::Instant) -> Cell {
    Cell::Date(rfc3339(instant))
}

fn price_id(usage: &Usage) -> String {
    let tier = usage.rate.above.map_or(String::new(), |above| format!("-above-{above}"));
    format!("{}-per-{}{tier}", usage.kind, usage.rate.per.as_str())
}

type Filled = fn(&Row<'_>) -> Cell;

/// Columns by name; their order says nothing.
const COLUMNS: [(&str, Filled); 54] = [
    ("BilledCost", |row| decimal(row.line.amounts.amount)),
    ("BillingAccountId", |row| text(&row.seller.billing_account_id)),
    ("BillingAccountName", |row| row.seller.billing_account_name.as_deref().map_or(Cell::Empty, text)),
    ("BillingCurrency", |row| text(&row.invoice.currency)),
    ("BillingPeriodStart", |row| at(row.billed_in().starts_at())),
    ("BillingPeriodEnd", |row| at(row.billed_in().ends_at())),
    ("ChargeCategory", |row| text(if row.usage().is_some() { "Usage" } else { "Adjustment" })),
    ("ChargeClass", |row| if row.corrects_a_closed_month() { text("Correction") } else { Cell::Empty }),
    ("ChargeDescription", |row| text(&row.description())),
    ("ChargeFrequency", |row| text(if row.usage().is_some() { "Usage-Based" } else { "One-Time" })),
    ("ChargePeriodStart", |row| at(row.invoice.month.starts_at())),
    ("ChargePeriodEnd", |row| at(row.invoice.month.ends_at())),
    ("CommitmentDiscountStatus", |_| Cell::Empty),
    ("ConsumedQuantity", |row| row.of_usage(|_| decimal(Decimal::from(row.line.amounts.workloads)))),
    ("ConsumedUnit", |row| row.of_usage(|_| text("Workloads"))),
    ("ContractedCost", |row| decimal(row.prices.contracted_cost)),
    ("ContractedUnitPrice", |row| row.each(|each| each.contracted)),
    ("EffectiveCost", |row| decimal(row.line.amounts.amount)),
    ("InvoiceId", |row| match row.invoice.standing {
        Standing::Issued { .. } => text(&row.invoice.number),
        Standing::Draft { .. } => Cell::Empty,
    }),
    ("InvoiceIssuerName", |row| text(&row.seller.provider)),
    ("ListCost", |row| decimal(row.prices.list_cost)),
    ("ListUnitPrice", |row| row.each(|each| each.list)),
    ("PricingCategory", |row| row.of_usage(|_| text("Standard"))),
    ("PricingCurrency", |row| text(&row.invoice.currency)),
    ("PricingCurrencyContractedUnitPrice", |row| row.each(|each| each.contracted)),
    ("PricingCurrencyEffectiveCost", |row| decimal(row.line.amounts.amount)),
    ("PricingCurrencyListUnitPrice", |row| row.each(|each| each.list)),
    ("PricingQuantity", |row| row.each(|each| each.quantity)),
    ("PricingUnit", |row| {
        row.of_usage(|usage| match usage.rate.per {
            Per::Point => text("Points"),
            Per::Workload => text("Workloads"),
        })
    }),
    ("ProviderName", |row| text(&row.seller.provider)),
    ("PublisherName", |row| text(&row.seller.publisher)),
    ("ResourceId", |row| row.of_usage(|usage| text(&usage.server))),
    ("ResourceName", |row| row.of_usage(|usage| text(&usage.server))),
    ("ResourceType", |row| row.of_usage(|_| text("Backup Server"))),
    ("ServiceCategory", |_| text("Storage")),
    ("ServiceName", |_| text(SERVICE_NAME)),
    ("ServiceSubcategory", |_| text("Backup Storage")),
    ("SkuId", |row| row.of_usage(|usage| text(usage.kind.as_str()))),
    ("SkuMeter", |row| row.of_usage(|_| text("Protected workloads"))),
    ("SkuPriceDetails", |row| {
        row.of_usage(|usage| text(&json!({"x_PointsPerWorkload": usage.weight.to_string()}).to_string()))
    }),
    ("SkuPriceId", |row| row.of_usage(|usage| text(&price_id(usage)))),
    ("SubAccountId", |row| text(&row.sub_account())),
    ("SubAccountName", |row| text(&row.line.key.tenant)),
    ("Tags", |_| text("{}")),
    ("x_Document", |row| text(&row.invoice.number)),
    ("x_LineId", |row| text(&row.line.id)),
    ("x_CorrectsDocument", |row| row.line.corrects.as_ref().map_or(Cell::Empty, |of| text(&of.document))),
    ("x_CorrectsLine", |row| row.line.corrects.as_ref().map_or(Cell::Empty, |of| text(&of.line))),
    ("x_CustomerNumber", |row| row.customer_number().map_or(Cell::Empty, text)),
    ("x_ReportId", |row| row.line.source.as_ref().map_or(Cell::Empty, |source| text(&source.report))),
    ("x_ReportVersion", |row| {
        row.line.source.as_ref().map_or(Cell::Empty, |source| Cell::Number(source.revision.to_string()))
    }),
    ("x_WatermarkPoints", |row| {
        row.report().and_then(|facts| facts.watermark).map_or(Cell::Empty, |points| decimal(points.amount()))
    }),
    ("x_AdjustmentReason", |row| row.reasons()),
    ("x_Coverage", |row| {
        let shown = |facts: &super::export::ReportFacts| {
            text(&format!("{} of {}", facts.coverage.complete, facts.coverage.expected))
        };
        row.report().map_or(Cell::Empty, shown)
    }),
];
