//! `billing reconcile`: what the supplier charges against what was reported and what tenants are charged.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::billing::Revision;
use crate::agent::{Agent, Refused};
use crate::billing::invoice::{Bill, Invoice, Standing};
use crate::billing::price_book::PriceBook;
use crate::billing::reconciliation::{Compared, Reconciliation, reconcile};
use crate::billing::supplier_invoice::{self, Figures};
use crate::domain::Month;
use crate::domain::report::UsageReport;

impl Agent {
    /// The three, and where they differ. Reports that are not sent and lines that are not issued are compared as they
    /// are, and said.
    ///
    /// # Errors
    /// 65 when the file is no invoice, 66 without a report, 78 without a price book that can charge it.
    pub(in crate::agent) fn reconciled(
        &self,
        month: Month,
        (file, text): (&str, &str),
        tolerance: Decimal,
    ) -> Result<Value, Refused> {
        let book = self.price_book_needed()?;
        let reading = &self.settings.supplier;
        let invoice =
            supplier_invoice::read(file, text, reading, &book).map_err(|why| Refused::new(65, why.to_string()))?;
        let found = self.reports_to_charge(month, Revision::Final)?;
        let reports: Vec<&UsageReport> = found.reports.iter().collect();
        if reports.is_empty() {
            return Err(Refused::new(66, format!("there is no report of {month}")));
        }
        let mut remarks: Vec<String> = found.open.iter().map(|open| format!("{open}: compared as it is")).collect();
        remarks.extend(found.without.iter().map(|servers| format!("{servers} has no report of {month}")));
        let documents = self.documents_or_draft(month, &book, &reports)?;
        if documents.iter().any(|document| matches!(document.standing, Standing::Draft { .. })) {
            remarks.push(format!("no document of {month} was issued: the lines are a draft's"));
        }
        let lines = documents.iter().flat_map(|document| &document.lines);
        let too_large = || Refused::new(65, format!("supplier's invoice {file}: its sums are beyond exact decimals"));
        let found = reconcile(&invoice, &book, &reports, lines, tolerance).ok_or_else(too_large)?;
        remarks.extend(found.money_not_compared.map(|why| format!("money is not compared: {why}")));
        let numbers: Vec<&str> = documents.iter().map(|document| document.number.as_str()).collect();
        let mut shown = shown(&found);
        shown["schema"] = json!("tidegauge.reconciliation/1");
        shown["month"] = json!(month);
        shown["file"] = json!(file);
        shown["currency"] = json!(book.currency.code());
        shown["tolerance"] = json!(tolerance);
        shown["names_tenants"] = json!(invoice.names_tenants);
        shown["reports"] = reports.iter().map(|report| json!({"id": report.id, "revision": report.revision})).collect();
        shown["documents"] = json!(numbers);
        shown["remarks"] = json!(remarks);
        Ok(shown)
    }

    /// What was issued, which adds up; else what would be.
    fn documents_or_draft(
        &self,
        month: Month,
        book: &PriceBook,
        reports: &[&UsageReport],
    ) -> Result<Vec<Invoice>, Refused> {
        let issued: Vec<Invoice> = self.invoices(month)?;
        let bill = Bill { agent: self.identity.agent, book, month, reports, issued: &issued };
        if !issued.is_empty() {
            bill.in_one_currency().map_err(|why| Refused::new(78, why.to_string()))?;
            return Ok(issued);
        }
        let drawn = bill.draw_up(Standing::Draft { why: Vec::new() });
        Ok(drawn.map_err(|why| Refused::new(78, why.to_string()))?.into_iter().collect())
    }
}

fn shown(found: &Reconciliation) -> Value {
    json!({
        "equal": found.is_equal(),
        "rows": found.rows.iter().map(row).collect::<Vec<Value>>(),
        "total": {
            "supplier_invoice": figures(&found.supplier),
            "report": figures(&found.report),
            "tenant_lines": figures(&found.lines),
        },
    })
}

fn row(row: &Compared) -> Value {
    let differences = row.differences.iter().map(|difference| {
        json!({
            "measure": difference.measure.as_str(),
            "between": [difference.one.as_str(), difference.other.as_str()],
            "by": difference.by,
        })
    });
    json!({
        "tenant": row.tenant,
        "type": row.kind,
        "supplier_invoice": row.supplier.as_ref().map(figures),
        "report": figures(&row.report),
        "tenant_lines": figures(&row.lines),
        "differences": differences.collect::<Vec<Value>>(),
    })
}

fn figures(of: &Figures) -> Value {
    json!({"workloads": of.workloads, "points": of.points, "amount": of.amount})
}
