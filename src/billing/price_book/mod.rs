//! The price book: what a point or a workload costs, for whom, and from which month on (docs/PRICE_BOOK.md).
//!
//! `[billing] price_book` names the TOML file; the shell reads it and gives its text here. A month is priced by what is in
//! force on its first day. A tenant's own list is asked before everybody's, a type before the point.

mod contradictions;
mod scale;
mod stated;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::line::Per;
use crate::domain::Month;
use crate::domain::installation::{ServerName, answers_to};
use crate::domain::workload::WorkloadType;

pub use scale::{Band, Mode, Scale, Tiers, Volume};

/// Who is charged for lines that name no tenant, unless the book names one.
pub const NO_TENANT: &str = "(no tenant)";

/// What is rounded to the currency's smallest coin, half away from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Each line; sums add rounded lines.
    Line,
    /// Each tenant's sum of exact lines.
    Invoice,
}

impl Rounding {
    pub fn as_str(self) -> &'static str {
        match self {
            Rounding::Line => "line",
            Rounding::Invoice => "invoice",
        }
    }
}

/// Who sells to whom, as FOCUS names it (conventions.md 1.11).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seller {
    /// The service provider, who also issues the invoices.
    pub provider: String,
    /// Who makes the backup software.
    pub publisher: String,
    pub billing_account_id: String,
    pub billing_account_name: Option<String>,
}

/// How a type is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price<'a> {
    PerPoint(&'a Scale),
    PerWorkload(Decimal),
}

/// What the supplier asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    PerPoint(Decimal),
    PerWorkload(Decimal),
}

/// A price book without contradictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceBook {
    pub currency: Currency,
    pub rounding: Rounding,
    pub tax_note: Option<String>,
    /// Who is charged for lines that name no tenant.
    pub no_tenant: String,
    /// What FOCUS files say of the two sides.
    pub focus: Option<Seller>,
    /// By the day they begin; each has a price per point.
    everybody: BTreeMap<NaiveDate, PriceList>,
    tenants: BTreeMap<String, Tenant>,
    /// Servers that stand at one tenant.
    servers: BTreeMap<ServerName, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tenant {
    customer_number: Option<String>,
    lists: BTreeMap<NaiveDate, PriceList>,
}

/// What is in force from a day on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct PriceList {
    per_point: Option<Scale>,
    per_workload: BTreeMap<WorkloadType, Decimal>,
    cost_per_point: Option<Decimal>,
    cost_per_workload: BTreeMap<WorkloadType, Decimal>,
    /// The least that a tenant pays for a month.
    minimum: Option<Decimal>,
    /// The least that all tenants pay together.
    minimum_total: Option<Decimal>,
}

/// Why a text is no price book: file, line, what and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("price book {file}: {why}")]
pub struct NotAPriceBook {
    pub file: String,
    pub why: String,
}

impl PriceBook {
    /// Reads the text of the file; unknown keys and contradictions are refused.
    ///
    /// # Errors
    /// [`NotAPriceBook`] in one line that names the file, the line, and the key where it is known.
    pub fn parse(file: &str, text: &str) -> Result<PriceBook, NotAPriceBook> {
        written::read(text).map_err(|why| NotAPriceBook { file: file.to_owned(), why })
    }

    /// Who pays for a report's line: its tenant, else who the server stands at, else [`PriceBook::no_tenant`].
    pub fn tenant_of<'a>(&'a self, tenant: Option<&'a str>, server: &str) -> &'a str {
        let by_entry = || self.servers.iter().find(|(name, _)| answers_to(server, name)).map(|(_, of)| of);
        let stands_at = || self.servers.get(server).or_else(by_entry).map(String::as_str);
        tenant.or_else(stands_at).unwrap_or(&self.no_tenant)
    }

    /// The number that the provider's own accounts know the tenant by.
    pub fn customer_number(&self, tenant: &str) -> Option<&str> {
        self.tenants.get(tenant)?.customer_number.as_deref()
    }

    /// The price in force for the tenant and type; `None` before the first price.
    pub fn price_of(&self, month: Month, tenant: &str, kind: &WorkloadType) -> Option<Price<'_>> {
        self.own(month, tenant).and_then(|list| list.price_of(kind)).or_else(|| self.all(month)?.price_of(kind))
    }

    /// What everybody pays for the type, without discounts of tenants and volumes; `None` before the first price.
    pub fn list_price(&self, month: Month, kind: &WorkloadType) -> Option<(Per, Decimal)> {
        match self.all(month)?.price_of(kind)? {
            Price::PerPoint(scale) => Some((Per::Point, scale.base)),
            Price::PerWorkload(each) => Some((Per::Workload, each)),
        }
    }

    /// What the supplier asks for a type; `None` when the book does not say, then for no type.
    pub fn cost_of(&self, month: Month, kind: &WorkloadType) -> Option<Cost> {
        let list = self.all(month)?;
        let per_point = list.cost_per_point.map(Cost::PerPoint)?;
        Some(list.cost_per_workload.get(kind).copied().map_or(per_point, Cost::PerWorkload))
    }

    /// The least that the tenant pays for the month: its own, else everybody's, which is not for lines without a tenant.
    pub fn minimum_of(&self, month: Month, tenant: &str) -> Option<Decimal> {
        let everybody = || self.all(month)?.minimum.filter(|_| tenant != self.no_tenant);
        self.own(month, tenant).and_then(|list| list.minimum).or_else(everybody)
    }

    /// The least that all tenants pay together for the month.
    pub fn minimum_total(&self, month: Month) -> Option<Decimal> {
        self.all(month)?.minimum_total
    }

    /// Tenants that pay for the month whether they used anything or not: those with a minimum of their own.
    pub fn committed(&self, month: Month) -> BTreeSet<&str> {
        let own = |tenant: &&String| self.own(month, tenant).is_some_and(|list| list.minimum.is_some());
        self.tenants.keys().filter(own).map(String::as_str).collect()
    }

    /// Digits after the point of the currency's smallest coin.
    pub fn decimals(&self) -> u32 {
        self.currency.exponent().map_or(2, u32::from)
    }

    fn all(&self, month: Month) -> Option<&PriceList> {
        in_force(&self.everybody, month)
    }

    fn own(&self, month: Month, tenant: &str) -> Option<&PriceList> {
        in_force(&self.tenants.get(tenant)?.lists, month)
    }
}

impl PriceList {
    fn price_of(&self, kind: &WorkloadType) -> Option<Price<'_>> {
        let each = self.per_workload.get(kind).copied().map(Price::PerWorkload);
        each.or(self.per_point.as_ref().map(Price::PerPoint))
    }
}

fn in_force(lists: &BTreeMap<NaiveDate, PriceList>, month: Month) -> Option<&PriceList> {
    lists.range(..=month.first_day()).next_back().map(|(_, list)| list)
}
