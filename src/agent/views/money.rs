//! What a report amounts to by the price book; without one, or with a broken one, why not.

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
        let unknown = |why: String| Ok(Money { shown: Value::Null, why: Some(why) });
        let book = match self.price_book() {
            Ok(Some(book)) => book,
            Ok(None) => return unknown("no price book in the settings".to_owned()),
            Err(why) => return unknown(why),
        };
        let mut reports = self.reports_in_force(report.month)?;
        reports.retain(|other| other.unit != report.unit);
        let others = reports.len();
        let all: Vec<&UsageReport> = reports.iter().chain([report]).collect();
        match charge::charge(&book, report.month, &all) {
            Ok(charge) => Ok(Money { shown: shown(&book, &charge, others), why: None }),
            Err(why) => unknown(why.to_string()),
        }
    }

    /// The newest revision of each unit's report of the month, by unit.
    pub(in crate::agent) fn reports_in_force(&self, month: Month) -> Result<Vec<UsageReport>, Trouble> {
        let mut reports = Vec::new();
        for unit in self.units()? {
            reports.extend(self.newest_report(&unit.id, month)?);
        }
        Ok(reports)
    }
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
