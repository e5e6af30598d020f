//! What a report amounts to by the price book; without one, or with a broken one, why not.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::agent::{Agent, Trouble};
use crate::billing::charge::{self, Charge};
use crate::billing::price_book::PriceBook;
use crate::domain::Month;
use crate::domain::report::UsageReport;

/// A report's money as it is shown.
pub(in crate::agent) struct Money {
    /// Null when it is not known.
    pub shown: Value,
    /// Why it is not known.
    pub why: Option<String>,
    /// The whole month's amount.
    pub amount: Option<Decimal>,
}

impl Agent {
    /// The price book of the settings, read each time it is asked for, so that a change needs no restart. A broken one
    /// keeps nothing else from going on.
    ///
    /// # Errors
    /// One line that names the file and what is wrong in it.
    pub(in crate::agent) fn price_book(&self) -> Result<Option<PriceBook>, String> {
        let Some(path) = &self.settings.price_book else { return Ok(None) };
        let name = path.display().to_string();
        let read = self.files.read(path).map_err(|error| format!("price book {name} cannot be read: {error}"))?;
        let bytes = read.ok_or_else(|| format!("price book {name} is not there; correct [billing] price_book"))?;
        let text = String::from_utf8(bytes).map_err(|_| format!("price book {name} is not UTF-8 text"))?;
        PriceBook::parse(&name, &text).map(Some).map_err(|why| why.to_string())
    }

    /// What the month's reports amount to with this one in force for its unit: tiers and minimums look at a tenant's
    /// whole month, so a report alone has no amount.
    pub(in crate::agent) fn money(&self, report: &UsageReport) -> Result<Money, Trouble> {
        Ok(match self.till(&report.unit, report.month)? {
            Ok(till) => till.money(report),
            Err(why) => Money::unknown(why),
        })
    }

    /// What charges this unit's report of a month beside those of the others; without a price book, why not.
    pub(in crate::agent) fn till(&self, unit: &str, month: Month) -> Result<Result<Till, String>, Trouble> {
        let book = match self.price_book() {
            Ok(Some(book)) => book,
            Ok(None) => return Ok(Err("no price book in the settings".to_owned())),
            Err(why) => return Ok(Err(why)),
        };
        let mut others = Vec::new();
        for other in self.units()?.into_iter().filter(|other| other.id != unit) {
            // Amounts come from lines alone.
            let head = self.newest_head(&other.id, month)?;
            others.extend(head.map(|head| self.with_lines(head)).transpose()?);
        }
        Ok(Ok(Till { book, month, others }))
    }
}

/// The price book and the other units' reports of a month: charges one report again and again.
pub(in crate::agent) struct Till {
    book: PriceBook,
    month: Month,
    others: Vec<UsageReport>,
}

impl Till {
    /// What the month amounts to with this report.
    pub fn money(&self, report: &UsageReport) -> Money {
        let all: Vec<&UsageReport> = self.others.iter().chain([report]).collect();
        match charge::charge(&self.book, self.month, &all) {
            Ok(charge) => {
                let shown = shown(&self.book, &charge, self.others.len());
                Money { shown, why: None, amount: Some(charge.total.amount) }
            }
            Err(why) => Money::unknown(why.to_string()),
        }
    }
}

impl Money {
    pub fn unknown(why: String) -> Money {
        Money { shown: Value::Null, why: Some(why), amount: None }
    }
}

/// The report as it is charged, when nobody asks which machines stand behind a line.
pub(in crate::agent) fn without_workloads(report: UsageReport) -> UsageReport {
    UsageReport { workloads: Vec::new(), ..report }
}

fn shown(book: &PriceBook, charge: &Charge, other_units: usize) -> Value {
    json!({
        "currency": book.currency.code(),
        "amount": charge.total.amount.to_string(),
        "cost": charge.total.cost.map(|cost| cost.to_string()),
        "margin": charge.total.margin().map(|margin| margin.to_string()),
        "rounding": book.rounding.as_str(),
        "tax_note": book.tax_note,
        "other_units": other_units,
    })
}
