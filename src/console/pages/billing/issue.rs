//! Issuing a month's next document: what it holds is shown before, and nothing else is issued after.

use askama::Template;

use super::answers::{BillingMonth, Next};
use crate::agent::orders::{BillingWish, Target, WhichInvoice};
use crate::agent::{Order, Query, Refused};
use crate::console::forms::Fields;
use crate::console::frame::{Frame, Visit};
use crate::console::pages::{Shown, html};
use crate::domain::Month;
use crate::domain::pseudonym::Names;

#[derive(Template)]
#[template(path = "console/billing_issue.html")]
struct Issue {
    frame: Frame,
    billing: BillingMonth,
}

pub async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    visit.asked.needed("month")?;
    let billing = visit.ask(Query::BillingMonth { month: visit.asked.read("month")? }).await?;
    let frame = visit.frame(super::PAGE.path, "Issue a billing document").await?;
    Ok(Shown::Page(html(&Issue { frame, billing })))
}

pub async fn issue(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let (asked, seen) = (fields.needed("month")?, fields.needed("content")?);
    let month: Option<Month> = fields.read("month")?;
    // Issuing hands out its lines; each file can be downloaded again.
    let wish = BillingWish {
        format: "lines".to_owned(),
        out: String::new(),
        ending: Some("csv".to_owned()),
        which: WhichInvoice::Issue,
        names: Names::default(),
        seen: Some(seen.to_owned()),
    };
    let target = Target { unit: None, server: None, month };
    let answer = visit.order(Order::ExportBilling { target, wish }).await?;
    let number = answer["document"].as_str().unwrap_or_default();
    let said = format!("Document {number} is issued. It stays as it is; what changes later is a document of its own.");
    Ok(Shown::Onward { to: format!("{}?month={}", super::PAGE.path, asked), said })
}

impl Issue {
    /// The number that it gets.
    fn number<'a>(&self, next: &'a Next) -> &'a str {
        next.document.strip_suffix(" draft").unwrap_or(&next.document)
    }

    /// The agent issues only what is final.
    fn is_ready(&self) -> bool {
        self.billing.not_final.is_empty()
    }
}
