//! `tidegauge.billing-month/1`, as far as it is shown.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::Amount;
use crate::domain::{Instant, Month, Points};

#[derive(Deserialize)]
pub struct BillingMonth {
    pub month: Month,
    /// What keeps the month from being charged or whole, each with what to do.
    pub missing: Vec<String>,
    /// Reports that may still change.
    pub not_final: Vec<String>,
    pub documents: Vec<Document>,
    pub exports: Vec<Export>,
    #[serde(default)]
    pub tenants: Vec<Tenant>,
    /// The other fields are there when the month is charged.
    pub currency: Option<String>,
    pub tax_note: Option<String>,
    pub total: Option<Amounts>,
    pub issued_amount: Option<Decimal>,
    pub next: Option<Next>,
}

/// Sums, and what remains of them.
#[derive(Deserialize)]
pub struct Amounts {
    pub workloads: i64,
    pub points: Points,
    amount: Decimal,
    cost: Option<Decimal>,
    margin: Option<Decimal>,
}

#[derive(Deserialize)]
pub struct Tenant {
    pub tenant: String,
    pub customer_number: Option<String>,
    #[serde(flatten)]
    pub amounts: Amounts,
    issued_amount: Decimal,
    open_amount: Decimal,
    /// Issued documents that charge it, by their place in the month.
    pub documents: Vec<u32>,
    /// Whether the next document charges it.
    pub in_next: bool,
}

/// The document that would be issued next.
#[derive(Deserialize)]
pub struct Next {
    pub document: String,
    pub corrects: Option<String>,
    pub why_draft: Vec<String>,
    pub lines: u64,
    /// What it holds, as a digest.
    pub content: String,
    pub total: Amounts,
}

/// A document that was issued.
#[derive(Deserialize)]
pub struct Document {
    pub number: String,
    pub corrects: Option<String>,
    pub issued: Issued,
    pub currency: String,
    pub tenants: u64,
    pub lines: u64,
    amount: Decimal,
}

#[derive(Deserialize)]
pub struct Issued {
    pub at: Instant,
    by: String,
}

/// A format of files.
#[derive(Deserialize)]
pub struct Export {
    pub format: String,
    pub endings: Vec<String>,
    pub by_tenant: bool,
}

impl BillingMonth {
    pub fn issued_amount(&self) -> Amount {
        Amount::of(self.issued_amount.unwrap_or_default())
    }
}

impl Amounts {
    pub fn points(&self) -> Amount {
        Amount::of(self.points)
    }

    pub fn amount(&self) -> Amount {
        Amount::of(self.amount)
    }

    pub fn cost(&self) -> Option<Amount> {
        self.cost.map(Amount::of)
    }

    pub fn margin(&self) -> Option<Amount> {
        self.margin.map(Amount::of)
    }
}

impl Tenant {
    pub fn issued(&self) -> Amount {
        Amount::of(self.issued_amount)
    }

    pub fn open(&self) -> Amount {
        Amount::of(self.open_amount)
    }
}

impl Document {
    pub fn amount(&self) -> Amount {
        Amount::of(self.amount)
    }

    /// Its place in the month, which ends its number: `2026-10/1`.
    pub fn sequence(&self) -> Option<u32> {
        self.number.rsplit_once('/').and_then(|(_, sequence)| sequence.parse().ok())
    }
}

impl Issued {
    /// Who issued it; people of this console stand in the journal as `user:anna`.
    pub fn name(&self) -> &str {
        self.by.strip_prefix("user:").unwrap_or(&self.by)
    }
}

impl Export {
    /// `lines CSV`; several files come in one.
    pub fn file_name(&self, ending: &str) -> String {
        let packed = if self.by_tenant { " (ZIP)" } else { "" };
        format!("{} {}{packed}", self.format, ending.to_uppercase())
    }
}
