//! A month's documents: the first charges it, each later one holds what changed since, and none is ever changed.
//!
//! What is to be paid is charged from the reports in force; a document is that less everything issued before it. So the
//! documents of a month always add up to its newest reports at the book's prices, whatever was corrected in between.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::charge::{Charge, Item, NotCharged, charge};
use super::exact::written;
use super::line::{Amounts, LineKey, Source, What};
use super::price_book::PriceBook;
use super::settle::{in_coins, sum};
use crate::domain::installation::UnitId;
use crate::domain::report::{ID_NAMESPACE, UsageReport};
use crate::domain::{Instant, Month, Points};
use crate::seal::{canonical, digest};

pub const SCHEMA: &str = "tidegauge.invoice-lines/1";

/// One document of a month, for all tenants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub schema: String,
    /// UUIDv5 of agent, month, sequence and whether it is a draft.
    pub id: String,
    /// `2026-10/1`; a draft says so.
    pub number: String,
    pub month: Month,
    /// 1: the month; from 2 on corrections.
    pub sequence: u32,
    #[serde(flatten)]
    pub standing: Standing,
    /// The number of the document before it, which it corrects.
    pub corrects: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Digits after the point of the currency's smallest coin.
    pub decimals: u32,
    pub rounding: String,
    pub tax_note: Option<String>,
    /// The reports in force, by unit.
    pub reports: Vec<Basis>,
    pub lines: Vec<InvoiceLine>,
    /// By name.
    pub tenants: Vec<TenantSum>,
    /// The sum of the tenants.
    pub total: Amounts,
    /// `sha256:` over the canonical JSON of all this without the digest, as it was drawn up for all units.
    pub digest: String,
    /// The units that this is narrowed to; none: it is the whole document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_units: Vec<UnitId>,
    /// The digest of the document that this one is, when its names are pseudonyms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonyms_of: Option<String>,
}

impl Invoice {
    /// `sha256:` over what it charges whom by which reports. A draft and the document issued from it say the same, though
    /// their ids and numbers differ.
    pub fn content(&self) -> String {
        let line = |line: &InvoiceLine| json!([line.key, line.amounts, line.corrects]);
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        let content = json!([self.month, self.currency, self.reports, lines, self.tenants]);
        format!("sha256:{}", digest::sha256_hex(content.to_string().as_bytes()))
    }
}

/// Whether the document holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Standing {
    /// Provisional: nothing to bill by, with the reasons.
    Draft {
        why: Vec<String>,
    },
    Issued {
        at: Instant,
        by: String,
    },
}

impl Standing {
    /// `None`: it is a draft.
    pub fn issued_at(&self) -> Option<Instant> {
        match self {
            Standing::Draft { .. } => None,
            Standing::Issued { at, .. } => Some(*at),
        }
    }

    /// `draft` or `issued`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Standing::Draft { .. } => "draft",
            Standing::Issued { .. } => "issued",
        }
    }
}

/// A report that the document charges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    pub unit: UnitId,
    pub report: String,
    pub revision: u32,
    pub total_points: Points,
    pub generated_at: Instant,
    pub digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// UUIDv5 of document and key.
    pub id: String,
    #[serde(flatten)]
    pub key: LineKey,
    #[serde(flatten)]
    pub amounts: Amounts,
    /// `None`: not for usage.
    pub source: Option<Source>,
    /// The line of an earlier document that this one corrects.
    pub corrects: Option<Corrected>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// Its document's number.
    pub document: String,
    pub line: String,
}

/// What a tenant owes by the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSum {
    pub tenant: String,
    pub customer_number: Option<String>,
    #[serde(flatten)]
    pub owed: Amounts,
    /// By all documents of the month up to this one.
    pub month: Amounts,
}

/// What a document is drawn up from.
#[derive(Clone, Copy, Debug)]
pub struct Bill<'a> {
    /// The agent's id: documents of two agents differ.
    pub agent: Uuid,
    pub book: &'a PriceBook,
    pub month: Month,
    /// The report in force of each reporting unit.
    pub reports: &'a [&'a UsageReport],
    /// The month's documents so far, in order.
    pub issued: &'a [Invoice],
}

impl Bill<'_> {
    /// Documents and price book speak of the same money.
    ///
    /// # Errors
    /// [`NotCharged::OtherCurrency`].
    pub fn in_one_currency(&self) -> Result<(), NotCharged> {
        let book = self.book.currency.code();
        match self.issued.iter().find(|invoice| invoice.currency != book) {
            None => Ok(()),
            Some(other) => {
                let (issued, book) = (other.currency.clone(), book.to_owned());
                Err(NotCharged::OtherCurrency { month: self.month, issued, book })
            }
        }
    }

    /// The next document of the month; `None` when one was issued and nothing changed since.
    ///
    /// # Errors
    /// [`NotCharged`] when the reports cannot be charged, or the documents so far are in another currency.
    pub fn draw_up(&self, standing: Standing) -> Result<Option<Invoice>, NotCharged> {
        self.in_one_currency()?;
        let month = self.month;
        let charge = charge(self.book, month, self.reports)?;
        let head = self.head(standing);
        let lines = self.lines(&head, &charge).ok_or(NotCharged::TooLarge(month))?;
        if lines.is_empty() && !self.issued.is_empty() {
            return Ok(None);
        }
        self.complete(Invoice { lines, ..head }, &charge).map(Some).ok_or(NotCharged::TooLarge(month))
    }

    fn head(&self, standing: Standing) -> Invoice {
        let sequence = u32::try_from(self.issued.len()).unwrap_or(u32::MAX).saturating_add(1);
        let suffix = match standing {
            Standing::Draft { .. } => " draft",
            Standing::Issued { .. } => "",
        };
        let basis = self.reports.iter().map(|report| Basis {
            unit: report.unit.clone(),
            report: report.id.clone(),
            revision: report.revision,
            total_points: report.total_points,
            generated_at: report.generated_at,
            digest: report.digest.clone(),
        });
        Invoice {
            schema: SCHEMA.to_owned(),
            id: id_of(&json!(["invoice", self.agent, self.month, sequence, standing.as_str()])),
            number: format!("{}/{sequence}{suffix}", self.month),
            month: self.month,
            sequence,
            standing,
            corrects: self.issued.last().map(|invoice| invoice.number.clone()),
            currency: self.book.currency.code().to_owned(),
            decimals: self.book.decimals(),
            rounding: self.book.rounding.as_str().to_owned(),
            tax_note: self.book.tax_note.clone(),
            reports: basis.collect(),
            lines: Vec::new(),
            tenants: Vec::new(),
            total: Amounts::default(),
            digest: String::new(),
            only_units: Vec::new(),
            pseudonyms_of: None,
        }
    }

    /// What is charged less what was issued, key by key; nothing for what stayed the same.
    fn lines(&self, head: &Invoice, charge: &Charge) -> Option<Vec<InvoiceLine>> {
        let mut open: BTreeMap<LineKey, Item> = charge.lines.clone();
        let mut corrected = BTreeMap::new();
        for invoice in self.issued {
            for line in &invoice.lines {
                let (amounts, source) = open.entry(line.key.clone()).or_default();
                *amounts = amounts.plus(&line.amounts.negated())?;
                *source = less(source.take(), line.source.as_ref());
                let of = Corrected { document: invoice.number.clone(), line: line.id.clone() };
                corrected.insert(line.key.clone(), of);
            }
        }
        let line = |(key, (amounts, source)): (LineKey, Item)| InvoiceLine {
            id: id_of(&json!(["invoice-line", head.id, key])),
            source: source.map(|source| self.in_force(&key, source)),
            corrects: corrected.get(&key).cloned(),
            amounts: written_out(amounts, head.decimals),
            key,
        };
        Some(open.into_iter().filter(|(_, (amounts, _))| !amounts.is_zero()).map(line).collect())
    }

    /// A line that is gone comes from the report in which it is gone.
    fn in_force(&self, key: &LineKey, source: Source) -> Source {
        let What::Usage(usage) = &key.what else { return source };
        match self.reports.iter().find(|report| report.unit == usage.unit) {
            Some(report) => Source { report: report.id.clone(), revision: report.revision, ..source },
            None => source,
        }
    }

    fn complete(&self, mut invoice: Invoice, charge: &Charge) -> Option<Invoice> {
        let mut owed: BTreeMap<&str, Vec<&Amounts>> = BTreeMap::new();
        for line in &invoice.lines {
            owed.entry(&line.key.tenant).or_default().push(&line.amounts);
        }
        let mut tenants = Vec::new();
        for (tenant, lines) in owed {
            let month = charge.tenants.get(tenant).cloned().unwrap_or_default();
            tenants.push(TenantSum {
                tenant: tenant.to_owned(),
                customer_number: self.book.customer_number(tenant).map(str::to_owned),
                owed: in_coins(invoice.decimals, &sum(lines.into_iter())?),
                month: in_coins(invoice.decimals, &month),
            });
        }
        invoice.total = in_coins(invoice.decimals, &sum(tenants.iter().map(|tenant| &tenant.owed))?);
        invoice.tenants = tenants;
        invoice.seal();
        Some(invoice)
    }
}

impl Invoice {
    /// Sets the digest after anything changed.
    pub(super) fn seal(&mut self) {
        self.digest = String::new();
        let record = serde_json::to_value(&*self).expect("an invoice has text keys only");
        self.digest = format!("sha256:{}", digest::sha256_hex(&canonical::bytes(&record)));
    }

    /// Whether it is narrowed to some units.
    pub fn is_part(&self) -> bool {
        !self.only_units.is_empty()
    }

    /// The usage of some units, its sums in whole coins; minimums and roundings are of a tenant's whole month and are left
    /// out.
    pub fn of_units(&self, units: &[UnitId]) -> Invoice {
        let of_units = |line: &&InvoiceLine| match &line.key.what {
            What::Usage(usage) => units.contains(&usage.unit),
            What::Minimum { .. } | What::MinimumTotal { .. } | What::Rounding => false,
        };
        let lines: Vec<InvoiceLine> = self.lines.iter().filter(of_units).cloned().collect();
        let owed = |tenant: &str| {
            let of_tenant = lines.iter().filter(|line| line.key.tenant == tenant).map(|line| &line.amounts);
            let mut of_tenant = of_tenant.peekable();
            of_tenant.peek()?;
            sum(of_tenant).map(|exact| in_coins(self.decimals, &exact))
        };
        let narrowed = |of: &TenantSum| Some(TenantSum { owed: owed(&of.tenant)?, ..of.clone() });
        let tenants: Vec<TenantSum> = self.tenants.iter().filter_map(narrowed).collect();
        let total = sum(tenants.iter().map(|tenant| &tenant.owed)).unwrap_or_default();
        let total = in_coins(self.decimals, &total);
        let reports = self.reports.iter().filter(|report| units.contains(&report.unit)).cloned().collect();
        Invoice { lines, tenants, total, reports, only_units: units.to_vec(), ..self.clone() }
    }
}

/// A workload that stands in both was charged and still is; what is left came or went.
fn less(now: Option<Source>, before: Option<&Source>) -> Option<Source> {
    let Some(before) = before else { return now };
    let now =
        now.unwrap_or_else(|| Source { workloads: Default::default(), lines: Default::default(), ..before.clone() });
    let workloads = now.workloads.symmetric_difference(&before.workloads).cloned().collect();
    Some(Source { workloads, ..now })
}

/// Amounts of coins are written with all their digits, exact ones as they are.
fn written_out(amounts: Amounts, decimals: u32) -> Amounts {
    let written = |amount| written(amount, decimals);
    Amounts { amount: written(amounts.amount), cost: amounts.cost.map(written), ..amounts }
}

fn id_of(parts: &serde_json::Value) -> String {
    Uuid::new_v5(&ID_NAMESPACE, &canonical::bytes(parts)).to_string()
}
