//! A month's documents: what they are drawn up from, and what was issued.

use serde_json::{Value, json};

use crate::agent::orders::WhichInvoice;
use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::billing::charge::NotCharged;
use crate::billing::export::{Beside, ReportFacts};
use crate::billing::invoice::{Bill, Invoice, Standing};
use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::report::{ReportedWorkload, UsageReport};
use crate::rules::finality::is_final;
use crate::store::fact::{BillingExport, key};

/// The document that somebody wants.
pub(in crate::agent) struct Wanted {
    pub invoice: Invoice,
    /// It is issued by this, and was not before.
    pub is_issued_now: bool,
    /// Units that are reported monthly and have no report of the month.
    pub without: Vec<String>,
}

/// The reports of a month, and what keeps them from being final.
pub(super) struct Reports {
    pub reports: Vec<UsageReport>,
    /// What of them is not final.
    pub open: Vec<String>,
    /// Units that are reported monthly and have none.
    pub without: Vec<String>,
}

/// Which revision of a unit's report is charged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Revision {
    Newest,
    /// The newest that was sent, or entered elsewhere.
    Final,
}

impl Agent {
    /// The document that is wanted.
    ///
    /// # Errors
    /// 8 when a report is not final, 66 without a report or such a document, 78 when the price book cannot charge it.
    pub(in crate::agent) fn wanted_invoice(
        &self,
        month: Month,
        which: WhichInvoice,
        actor: &str,
        hour: Hour,
    ) -> Result<Wanted, Refused> {
        let mut issued = self.invoices(month)?;
        if let WhichInvoice::Issued(sequence) = which {
            let found = issued.into_iter().find(|invoice| invoice.sequence == sequence);
            let why =
                || Refused::new(66, format!("no document {month}/{sequence} was issued; see `billing documents`"));
            return Ok(Wanted { invoice: found.ok_or_else(why)?, is_issued_now: false, without: Vec::new() });
        }
        let (revision, standing) = match which {
            WhichInvoice::Issue => (Revision::Final, Some(Standing::Issued { at: hour.now, by: actor.to_owned() })),
            WhichInvoice::Next | WhichInvoice::Issued(_) => (Revision::Newest, None),
        };
        self.whole_month(month)?;
        let found = self.reports_to_charge(month, revision)?;
        if revision == Revision::Final && !found.open.is_empty() {
            let open = found.open.join("; ");
            let what = "send it (`report send`) or record where it was entered (`report mark-external`)";
            return Err(Refused::new(8, format!("{month} is not final: {open}; {what}")));
        }
        let reports: Vec<&UsageReport> = found.reports.iter().collect();
        if reports.is_empty() {
            return Err(Refused::new(66, format!("there is no report of {month}")));
        }
        let standing = standing.unwrap_or_else(|| found.draft());
        let book = self.price_book_needed()?;
        let bill = Bill { agent: self.identity.agent, book: &book, month, reports: &reports, issued: &issued };
        let drawn = bill.draw_up(standing).map_err(|why: NotCharged| Refused::new(78, why.to_string()))?;
        let is_issued_now = drawn.is_some() && revision == Revision::Final;
        let odd = || Refused::new(1, format!("no document of {month} could be drawn up"));
        let invoice = drawn.or_else(|| issued.pop()).ok_or_else(odd)?;
        Ok(Wanted { invoice, is_issued_now, without: found.without })
    }

    /// A document that leaves out a report would credit what that was charged for.
    pub(super) fn whole_month(&self, month: Month) -> Result<(), Refused> {
        for unit in self.units()? {
            self.not_forgotten(&unit, month)?;
        }
        Ok(())
    }

    /// The documents of a month, in order.
    pub(in crate::agent) fn invoices(&self, month: Month) -> Result<Vec<Invoice>, Trouble> {
        Ok(self.store.rows::<Invoice>(&key::invoices(month))?.into_iter().map(|(_, invoice)| invoice).collect())
    }

    /// `billing documents --json`: what was issued, without lines.
    pub(in crate::agent) fn invoices_shown(&self, month: Option<Month>) -> Result<Value, Refused> {
        let prefix = month.map_or_else(|| "invoice/".to_owned(), key::invoices);
        let mut documents = Vec::new();
        for (_, invoice) in self.store.rows::<Invoice>(&prefix).map_err(Trouble::from)? {
            let exports =
                self.store.rows::<BillingExport>(&key::billing_exports(invoice.month)).map_err(Trouble::from)?;
            let exports = exports.into_iter().map(|(_, export)| export);
            documents.push(json!({
                "number": invoice.number,
                "id": invoice.id,
                "month": invoice.month,
                "corrects": invoice.corrects,
                "issued": invoice.standing,
                "currency": invoice.currency,
                "tenants": invoice.tenants.len(),
                "lines": invoice.lines.len(),
                "amount": invoice.total.amount,
                "digest": invoice.digest,
                "exports": exports.filter(|export| export.document == invoice.number).collect::<Vec<BillingExport>>(),
            }));
        }
        Ok(json!({"schema": "tidegauge.billing-documents/1", "documents": documents}))
    }

    /// What the month's reports say beside the document, those of earlier revisions too: a correction names who went.
    pub(in crate::agent) fn beside_invoices(&self, month: Month) -> Result<Beside, Trouble> {
        // An issued document is written without the book too; exports that need it say so.
        let mut beside = Beside { book: self.price_book().ok().flatten(), ..Beside::default() };
        for unit in self.units()? {
            let prefix = format!("report/{}/{month}/", unit.id);
            for (_, report) in self.store.rows::<UsageReport>(&prefix)? {
                beside.reports.insert(report.id.clone(), ReportFacts::of(&report));
                let named = |of: ReportedWorkload| ((of.server, of.id), of.name);
                beside.names.extend(report.workloads.into_iter().map(named));
            }
        }
        Ok(beside)
    }

    pub(super) fn reports_to_charge(&self, month: Month, wanted: Revision) -> Result<Reports, Trouble> {
        let mut found = Reports { reports: Vec::new(), open: Vec::new(), without: Vec::new() };
        for unit in self.units()? {
            let Some(newest) = self.newest_report(&unit.id, month)? else {
                let sampled = unit.since.is_some_and(|since| since < month.ends_at());
                if sampled && self.is_reported_monthly(&unit)? {
                    found.without.push(unit.servers.join(", "));
                }
                continue;
            };
            let charged = match wanted {
                Revision::Newest => None,
                Revision::Final => self.final_report(&unit, &newest)?,
            };
            if charged.is_none() && !is_final(&newest) {
                found.open.push(stands(&unit, &newest));
            }
            found.reports.push(charged.unwrap_or(newest));
        }
        Ok(found)
    }

    /// The newest revision that is final.
    fn final_report(&self, unit: &Unit, newest: &UsageReport) -> Result<Option<UsageReport>, Trouble> {
        for revision in (1..=newest.revision).rev() {
            let report = self.report_revision(&unit.id, newest.month, revision)?;
            if let Some(report) = report.filter(is_final) {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }
}

impl Reports {
    pub(super) fn draft(&self) -> Standing {
        let without = self.without.iter().map(|servers| format!("{servers} has no report of the month"));
        let mut why: Vec<String> = self.open.iter().cloned().chain(without).collect();
        if why.is_empty() {
            why.push("its reports are final, and nobody issued it yet (--final)".to_owned());
        }
        Standing::Draft { why }
    }
}

fn stands(unit: &Unit, report: &UsageReport) -> String {
    let stage = report.stage.as_str().replace('_', " ");
    format!("report revision {} of {} is {stage}", report.revision, unit.servers.join(", "))
}
