//! Tenants and billing: a month's statements with margin, its documents, and what the supplier charges beside them.

mod answers;
mod file;
mod issue;
mod rates;
mod reconcile;

use askama::Template;

use super::{Deed, Page, Shown, html};
use crate::agent::{Query, Refused};
use crate::console::answers::Report;
use crate::console::frame::{Frame, Visit};
use crate::console::shown::{Amount, When, encoded};
use crate::domain::Month;
use crate::domain::people::Role;
use answers::{BillingMonth, Document, Export, Tenant};
use reconcile::Reconciling;

pub const PAGE: Page =
    Page { path: "/billing", name: Some("Billing"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const FILE: Page =
    Page { path: "/billing/file", name: None, needs: Role::Viewer, draw: |visit| Box::pin(file::drawn(visit)) };
pub const ISSUE: Page =
    Page { path: "/billing/issue", name: None, needs: Role::Approver, draw: |visit| Box::pin(issue::drawn(visit)) };
pub const RATES: Page =
    Page { path: "/billing/rates", name: None, needs: Role::Viewer, draw: |visit| Box::pin(rates::drawn(visit)) };
pub const DEEDS: &[Deed] = &[
    Deed { path: "/billing/issue", needs: Role::Approver, act: |visit, fields| Box::pin(issue::issue(visit, fields)) },
    Deed {
        path: "/billing/reconcile",
        needs: Role::Viewer,
        act: |visit, fields| Box::pin(reconcile::reconcile(visit, fields)),
    },
];

/// Statements of one page.
const STATEMENTS_MAX: usize = 50;

#[derive(Template)]
#[template(path = "console/billing.html")]
struct Billing {
    frame: Frame,
    /// With a report, the newest first.
    months: Vec<Month>,
    shown: Option<Box<MonthShown>>,
    reconciling: Reconciling,
    may_draft: bool,
    may_issue: bool,
}

/// One month.
struct MonthShown {
    billing: BillingMonth,
    documents: Vec<DocumentShown>,
    /// Of the tenants that are searched, those of this page.
    tenants: Vec<Tenant>,
    found: usize,
    search: String,
    previous: Option<String>,
    next_page: Option<String>,
}

struct DocumentShown {
    of: Document,
    issued_at: When,
}

async fn drawn(visit: Visit) -> Result<Shown, Refused> {
    let (month, search) = (visit.asked.read("month")?, visit.asked.text("search").unwrap_or_default().to_owned());
    let after = visit.asked.read("after")?.unwrap_or(0);
    let page = page(visit, month, (&search, after), Reconciling::default()).await?;
    Ok(Shown::Page(page))
}

/// The page of a month, the newest with a report when none is named.
async fn page(
    mut visit: Visit,
    month: Option<Month>,
    part: (&str, usize),
    reconciling: Reconciling,
) -> Result<String, Refused> {
    let reports: Vec<Report> = visit.each(Query::Reports { unit: None, server: None }).await?;
    let mut months: Vec<Month> = reports.iter().map(|report| report.month).chain(month).collect();
    months.sort_unstable_by(|one, other| other.cmp(one));
    months.dedup();
    let shown = match month.or(months.first().copied()) {
        Some(month) => {
            let billing: BillingMonth = visit.ask(Query::BillingMonth { month: Some(month) }).await?;
            Some(Box::new(MonthShown::of(&visit, billing, part)))
        }
        None => None,
    };
    let (may_draft, may_issue) = (visit.may(Role::Reviewer), visit.may(Role::Approver));
    let frame = visit.frame(PAGE.path, "Billing").await?;
    Ok(html(&Billing { frame, months, shown, reconciling, may_draft, may_issue }))
}

impl MonthShown {
    fn of(visit: &Visit, mut billing: BillingMonth, (search, after): (&str, usize)) -> MonthShown {
        let wanted = search.to_lowercase();
        let mut found = std::mem::take(&mut billing.tenants);
        found.retain(|tenant| tenant.tenant.to_lowercase().contains(&wanted));
        let address = |after: usize| {
            format!("/billing?month={}&search={}&after={after}#statements", billing.month, encoded(search))
        };
        let previous = (after > 0).then(|| address(after.saturating_sub(STATEMENTS_MAX)));
        let behind = after.saturating_add(STATEMENTS_MAX);
        let documents = std::mem::take(&mut billing.documents).into_iter();
        MonthShown {
            documents: documents.map(|of| DocumentShown { issued_at: visit.when(of.issued.at), of }).collect(),
            previous,
            next_page: (behind < found.len()).then(|| address(behind)),
            found: found.len(),
            tenants: found.into_iter().skip(after).take(STATEMENTS_MAX).collect(),
            search: search.to_owned(),
            billing,
        }
    }

    /// What the columns of money are headed with.
    fn currency(&self) -> &str {
        self.billing.currency.as_deref().unwrap_or("no currency")
    }

    /// Where a file is downloaded, with its name: of an issued document, or of the next one.
    fn files(&self, document: Option<&u32>) -> Vec<(String, String)> {
        let exports = self.billing.exports.iter();
        let each = exports.flat_map(|export| {
            export.endings.iter().map(|ending| (export.file_name(ending), self.address(document, export, ending)))
        });
        each.collect()
    }

    /// One tenant's files, with their name.
    fn statement(&self, tenant: &str, document: Option<&u32>) -> Vec<(String, String)> {
        let exports = self.billing.exports.iter().filter(|export| export.by_tenant);
        let each = exports.flat_map(|export| {
            export.endings.iter().map(|ending| {
                let address = self.address(document, export, ending);
                (ending.to_uppercase(), format!("{address}&tenant={}", encoded(tenant)))
            })
        });
        each.collect()
    }

    fn address(&self, document: Option<&u32>, export: &Export, ending: &str) -> String {
        let document = document.map(|sequence| format!("&document={sequence}")).unwrap_or_default();
        let (month, format) = (self.billing.month, encoded(&export.format));
        format!("/billing/file?month={month}&format={format}&as={ending}{document}")
    }
}
