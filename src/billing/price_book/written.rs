//! The file as it is written, and what it becomes.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::NaiveDate;
use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::Deserialize;
use toml::Spanned;

use super::contradictions::{self, Whose};
use super::{NO_TENANT, PriceBook, PriceList, Rounding, Scale, Seller, Tenant, Tiers, stated};
use crate::domain::workload::WorkloadType;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    currency: Spanned<String>,
    rounding: Rounding,
    tax_note: Option<String>,
    no_tenant: Option<String>,
    focus: Option<Spanned<Seller>>,
    #[serde(default)]
    price: Vec<Spanned<WrittenList>>,
    #[serde(default)]
    tenant: Vec<Spanned<WrittenTenant>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTenant {
    name: String,
    customer_number: Option<String>,
    #[serde(default)]
    servers: Vec<Spanned<String>>,
    #[serde(default)]
    price: Vec<Spanned<WrittenList>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenList {
    #[serde(deserialize_with = "stated::day")]
    pub valid_from: NaiveDate,
    #[serde(default, deserialize_with = "stated::some_price")]
    pub per_point: Option<Decimal>,
    #[serde(default, deserialize_with = "stated::prices")]
    pub per_workload: BTreeMap<WorkloadType, Decimal>,
    #[serde(default, deserialize_with = "stated::some_price")]
    pub cost_per_point: Option<Decimal>,
    #[serde(default, deserialize_with = "stated::prices")]
    pub cost_per_workload: BTreeMap<WorkloadType, Decimal>,
    #[serde(default, deserialize_with = "stated::some_price")]
    pub minimum: Option<Decimal>,
    #[serde(default, deserialize_with = "stated::some_price")]
    pub minimum_total: Option<Decimal>,
    pub tiers: Option<Tiers>,
}

/// What is wrong and where in the text.
pub(super) struct Wrong {
    pub at: Range<usize>,
    pub what: String,
}

/// Reads the text; why not in one line.
pub(super) fn read(text: &str) -> Result<PriceBook, String> {
    let written: Written = toml::from_str(text).map_err(|error| told(&error, text))?;
    let placed = |wrong: Wrong| format!("line {}: {}", line_of(text, wrong.at.start), wrong.what);
    let code = written.currency.get_ref();
    let currency = Currency::from_code(code).ok_or_else(|| {
        let what = format!("currency: '{code}' is not of ISO 4217; write EUR, say");
        placed(Wrong { at: written.currency.span(), what })
    })?;
    let mut book = PriceBook {
        currency,
        rounding: written.rounding,
        tax_note: written.tax_note,
        no_tenant: written.no_tenant.unwrap_or_else(|| NO_TENANT.to_owned()),
        focus: None,
        everybody: BTreeMap::new(),
        tenants: BTreeMap::new(),
        servers: BTreeMap::new(),
    };
    if book.no_tenant.trim().is_empty() {
        return Err("no_tenant: is empty; write a name, or leave it out".to_owned());
    }
    book.focus = written.focus.map(seller).transpose().map_err(placed)?;
    book.everybody = by_day(written.price, Whose::Everybody, book.decimals()).map_err(placed)?;
    if book.everybody.is_empty() {
        return Err("it has no [[price]]; add one with valid_from and per_point".to_owned());
    }
    for tenant in written.tenant {
        enter(&mut book, tenant).map_err(placed)?;
    }
    Ok(book)
}

/// FOCUS wants the three as words.
fn seller(written: Spanned<Seller>) -> Result<Seller, Wrong> {
    let (at, seller) = (written.span(), written.into_inner());
    let Seller { provider, publisher, billing_account_id, .. } = &seller;
    let stated = [("provider", provider), ("publisher", publisher), ("billing_account_id", billing_account_id)];
    let empty = stated.into_iter().find(|(_, text)| text.trim().is_empty()).map(|(key, _)| key);
    match empty {
        Some(key) => Err(Wrong { at, what: format!("[focus] {key}: is empty; write it as your invoices do") }),
        None => Ok(seller),
    }
}

fn enter(book: &mut PriceBook, written: Spanned<WrittenTenant>) -> Result<(), Wrong> {
    let (at, tenant) = (written.span(), written.into_inner());
    let wrong = |what: String| Wrong { at: at.clone(), what };
    let name = tenant.name;
    if name.trim().is_empty() {
        return Err(wrong("name: is empty; write the tenant's name as reports show it".to_owned()));
    }
    if book.tenants.contains_key(&name) {
        return Err(wrong(format!("name: [[tenant]] '{name}' stands twice; write its prices under one")));
    }
    for server in tenant.servers {
        let at = server.span();
        if let Some(other) = book.servers.insert(server.get_ref().clone(), name.clone()) {
            let what = format!("servers: '{}' stands at '{other}' too; a server is one tenant's", server.get_ref());
            return Err(Wrong { at, what });
        }
    }
    let lists = by_day(tenant.price, Whose::Tenant(&name), book.decimals())?;
    book.tenants.insert(name, Tenant { customer_number: tenant.customer_number, lists });
    Ok(())
}

fn by_day(
    lists: Vec<Spanned<WrittenList>>,
    whose: Whose<'_>,
    decimals: u32,
) -> Result<BTreeMap<NaiveDate, PriceList>, Wrong> {
    let mut by_day = BTreeMap::new();
    for written in lists {
        let (at, list) = (written.span(), written.into_inner());
        let from = list.valid_from;
        let wrong = |what: String| Wrong { at: at.clone(), what: format!("{} from {from}: {what}", whose.place()) };
        if let Some(what) = contradictions::find(&list, whose, decimals) {
            return Err(wrong(what));
        }
        if by_day.insert(from, list.into()).is_some() {
            return Err(wrong("valid_from: two lists begin on this day; take one out".to_owned()));
        }
    }
    Ok(by_day)
}

impl From<WrittenList> for PriceList {
    fn from(list: WrittenList) -> PriceList {
        PriceList {
            per_point: list.per_point.map(|base| Scale { base, tiers: list.tiers }),
            per_workload: list.per_workload,
            cost_per_point: list.cost_per_point,
            cost_per_workload: list.cost_per_workload,
            minimum: list.minimum,
            minimum_total: list.minimum_total,
        }
    }
}

/// The parser's objection in one line, with the line and key it is about.
fn told(error: &toml::de::Error, text: &str) -> String {
    let what = error.message().lines().collect::<Vec<_>>().join(" ");
    let Some(start) = error.span().map(|span| span.start) else { return what };
    let line = line_of(text, start);
    let key = text.lines().nth(line - 1).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
    match key {
        Some(key) if !what.contains(key) => format!("line {line}: {key}: {what}"),
        Some(_) | None => format!("line {line}: {what}"),
    }
}

/// Counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.get(..at.min(text.len())).unwrap_or_default().matches('\n').count() + 1
}
