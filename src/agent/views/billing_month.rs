//! A month's billing on one page, and its files as downloads.

use std::collections::BTreeMap;

use base64::Engine;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::agent::asked::BillingFileAsked;
use crate::agent::orders::{BillingWish, Target, WhichInvoice};
use crate::agent::{Agent, Hour, Refused};
use crate::billing::charge::{Charge, charge};
use crate::billing::invoice::{Bill, Invoice, Standing, TenantSum};
use crate::billing::line::Amounts;
use crate::billing::price_book::PriceBook;
use crate::domain::Month;
use crate::domain::pseudonym::Names;
use crate::domain::report::UsageReport;
use crate::evidence::archive;
use crate::seal::digest;

use super::billing::{Reports, Revision};
use super::money::without_workloads;

/// The month at the book's prices, and the document that would be next.
struct Priced {
    charge: Charge,
    /// `None`: everything is issued, or a report of the month was forgotten.
    next: Option<Invoice>,
}

impl Agent {
    /// `tidegauge.billing-month/1`: without a price book, or with reports missing, it says so and shows what is known.
    pub(in crate::agent) fn billing_month(&self, month: Option<Month>) -> Result<Value, Refused> {
        let month = match month {
            Some(month) => month,
            None => self.newest_month()?,
        };
        let mut found = self.reports_to_charge(month, Revision::Newest)?;
        // Amounts come from lines alone.
        found.reports = found.reports.into_iter().map(without_workloads).collect();
        let issued = self.invoices(month)?;
        let mut missing: Vec<String> =
            found.without.iter().map(|servers| format!("{servers} has no report of the month")).collect();
        if found.reports.is_empty() {
            missing.push(format!("there is no report of {month}"));
        }
        let book = self.price_book_needed().map_err(|refused| missing.push(refused.why)).ok();
        let priced =
            book.as_ref().filter(|_| !found.reports.is_empty()).map(|book| self.priced(month, book, &found, &issued));
        let mut priced = priced.and_then(|priced| priced.map_err(|why| missing.push(why)).ok());
        if let Err(refused) = self.whole_month(month) {
            missing.push(refused.why);
            priced.iter_mut().for_each(|priced| priced.next = None);
        }
        let mut shown =
            priced.as_ref().map_or_else(|| json!({"tenants": []}), |priced| priced.shown(book.as_ref(), &issued));
        shown["schema"] = json!("tidegauge.billing-month/1");
        shown["month"] = json!(month);
        shown["missing"] = json!(missing);
        shown["reports"] = found.reports.iter().map(report_shown).collect();
        shown["not_final"] = json!(found.open);
        shown["documents"] = self.invoices_shown(Some(month))?["documents"].take();
        shown["exports"] = json!(self.exports_shown());
        Ok(shown)
    }

    fn priced(&self, month: Month, book: &PriceBook, found: &Reports, issued: &[Invoice]) -> Result<Priced, String> {
        let reports: Vec<&UsageReport> = found.reports.iter().collect();
        let charge = charge(book, month, &reports).map_err(|why| why.to_string())?;
        let bill = Bill { agent: self.identity().agent, book, month, reports: &reports, issued };
        let next = bill.draw_up(found.draft()).map_err(|why| why.to_string())?;
        Ok(Priced { charge, next })
    }

    /// A draft or an issued document as one file; several files come as a zip. Nothing is recorded.
    pub(in crate::agent) fn billing_file(&self, asked: &BillingFileAsked, hour: Hour) -> Result<Value, Refused> {
        let target = Target { unit: asked.unit.clone(), server: asked.server.clone(), month: asked.month };
        let ending = match &asked.ending {
            Some(ending) => Some(ending.clone()),
            None => self.ending_of(&asked.format)?,
        };
        let which = asked.document.map_or(WhichInvoice::Next, WhichInvoice::Issued);
        let wish = BillingWish {
            format: asked.format.clone(),
            out: String::new(),
            ending,
            which,
            names: Names::default(),
            seen: None,
        };
        let exported = self.exported(&target, &wish, asked.tenant.as_deref(), ("", hour))?;
        let (answer, mut files) = (exported.answer, exported.files);
        let (name, media_type, bytes) = match files.len() {
            0 => return Err(Refused::new(66, format!("document {} has no files", answer["document"]))),
            1 => {
                let one = files.remove(0);
                (one.name, one.media_type, one.bytes)
            }
            _ => {
                let month = answer["month"].as_str().unwrap_or_default();
                let files: archive::Files = files.into_iter().map(|file| (file.name, file.bytes)).collect();
                let packed = archive::pack(&files).map_err(|why| Refused::new(65, format!("{why}; name a tenant")))?;
                (format!("{month}-{}.zip", asked.format), "application/zip", packed)
            }
        };
        Ok(json!({
            "schema": "tidegauge.billing-file/1",
            "month": answer["month"],
            "document": answer["document"],
            "standing": answer["standing"],
            "name": name,
            "media_type": media_type,
            "bytes": bytes.len(),
            "sha256": digest::sha256_hex(&bytes),
            "base64": base64::engine::general_purpose::STANDARD.encode(bytes),
        }))
    }
}

impl Priced {
    fn shown(&self, book: Option<&PriceBook>, issued: &[Invoice]) -> Value {
        let due: BTreeMap<&str, &TenantSum> =
            self.next.iter().flat_map(|next| &next.tenants).map(|sum| (sum.tenant.as_str(), sum)).collect();
        let mut billed: BTreeMap<&str, (Decimal, Vec<u32>)> = BTreeMap::new();
        for (sequence, sum) in
            issued.iter().flat_map(|invoice| invoice.tenants.iter().map(|sum| (invoice.sequence, sum)))
        {
            let (amount, documents) = billed.entry(&sum.tenant).or_default();
            *amount += sum.owed.amount;
            documents.push(sequence);
        }
        let mut names: Vec<&str> = self.charge.tenants.keys().map(String::as_str).collect();
        names.extend(due.keys().chain(billed.keys()));
        names.sort_unstable();
        names.dedup();
        let nothing = Amounts::default();
        let tenant = |name: &&str| {
            let mut shown = amounts_shown(self.charge.tenants.get(*name).unwrap_or(&nothing));
            shown["tenant"] = json!(name);
            shown["customer_number"] = json!(book.and_then(|book| book.customer_number(name)));
            let (amount, documents) = billed.get(name).cloned().unwrap_or_default();
            shown["issued_amount"] = json!(amount);
            shown["documents"] = json!(documents);
            shown["open_amount"] = json!(due.get(name).map(|sum| sum.owed.amount).unwrap_or_default());
            shown["in_next"] = json!(due.contains_key(name));
            shown
        };
        let next = self.next.as_ref().map(|next| {
            let why = match &next.standing {
                Standing::Draft { why } => why.as_slice(),
                Standing::Issued { .. } => &[],
            };
            json!({
                "document": next.number, "corrects": next.corrects, "why_draft": why, "lines": next.lines.len(),
                "content": next.content(),
                "total": amounts_shown(&next.total),
            })
        });
        json!({
            "currency": book.map(|book| book.currency.code()),
            "tax_note": book.and_then(|book| book.tax_note.clone()),
            "rounding": book.map(|book| book.rounding.as_str()),
            "tenants": names.iter().map(tenant).collect::<Vec<Value>>(),
            "total": amounts_shown(&self.charge.total),
            "issued_amount": billed.values().map(|(amount, _)| *amount).sum::<Decimal>(),
            "next": next,
        })
    }
}

fn amounts_shown(amounts: &Amounts) -> Value {
    let mut shown = json!(amounts);
    shown["margin"] = json!(amounts.margin());
    shown
}

fn report_shown(report: &UsageReport) -> Value {
    json!({
        "unit": report.unit, "id": report.id, "revision": report.revision, "stage": report.stage.as_str(),
        "total_points": report.total_points, "external_at": report.external.at, "digest": report.digest,
    })
}
