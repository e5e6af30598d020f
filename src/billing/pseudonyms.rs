//! A month's document under pseudonyms: the same money, lines and places, and no name.
//!
//! Units, reports, amounts and the currency stay, and so do the provider's own words (tax note, seller). Ids of lines are
//! made from names, so they are pseudonyms too: the same line has the same one in every export.

use super::export::{Beside, ReportFacts};
use super::invoice::{Corrected, Invoice, InvoiceLine, Standing, TenantSum};
use super::line::{LineKey, Source, Usage, What};
use super::price_book::PriceBook;
use crate::domain::adjustment::Adjustment;
use crate::domain::pseudonym::{NameKind, Naming, named};

/// What stands for the reasons of a draft, which name servers.
const REASONS: &str = "reports or servers of the month are not final; what names them is left out";

/// The document under pseudonyms, with a digest of its own.
pub fn pseudonymised(invoice: &Invoice, naming: &mut Naming<'_>) -> Invoice {
    let tenant = |sum: &TenantSum, naming: &mut Naming<'_>| TenantSum {
        tenant: naming(NameKind::Tenant, &sum.tenant),
        customer_number: named(naming, NameKind::Customer, sum.customer_number.as_deref()),
        ..sum.clone()
    };
    let mut pseudonymised = Invoice {
        standing: match &invoice.standing {
            Standing::Draft { .. } => Standing::Draft { why: vec![REASONS.to_owned()] },
            issued @ Standing::Issued { .. } => issued.clone(),
        },
        lines: invoice.lines.iter().map(|line| line_of(line, naming)).collect(),
        tenants: invoice.tenants.iter().map(|sum| tenant(sum, naming)).collect(),
        pseudonyms_of: Some(invoice.digest.clone()),
        ..invoice.clone()
    };
    pseudonymised.seal();
    pseudonymised
}

fn line_of(line: &InvoiceLine, naming: &mut Naming<'_>) -> InvoiceLine {
    InvoiceLine {
        id: naming(NameKind::Line, &line.id),
        key: LineKey { tenant: naming(NameKind::Tenant, &line.key.tenant), what: what_of(&line.key.what, naming) },
        amounts: line.amounts.clone(),
        source: line.source.as_ref().map(|source| Source {
            workloads: source.workloads.iter().map(|id| naming(NameKind::Workload, id)).collect(),
            ..source.clone()
        }),
        corrects: line
            .corrects
            .as_ref()
            .map(|of| Corrected { document: of.document.clone(), line: naming(NameKind::Line, &of.line) }),
    }
}

fn what_of(what: &What, naming: &mut Naming<'_>) -> What {
    match what {
        What::Usage(usage) => What::Usage(Usage { server: naming(NameKind::Server, &usage.server), ..usage.clone() }),
        What::Minimum { .. } | What::MinimumTotal { .. } | What::Rounding => what.clone(),
    }
}

/// What stands beside the document, under the same pseudonyms.
pub fn beside_pseudonymised(beside: &Beside, naming: &mut Naming<'_>) -> Beside {
    let name = |((server, id), name): (&(String, String), &String), naming: &mut Naming<'_>| {
        let of = (naming(NameKind::Server, server), naming(NameKind::Workload, id));
        (of, naming(NameKind::Machine, name))
    };
    let book = beside.book.as_ref();
    let facts = |facts: &ReportFacts, naming: &mut Naming<'_>| ReportFacts {
        adjustments: facts.adjustments.iter().map(|one| adjustment_of(one, book, naming)).collect(),
        ..facts.clone()
    };
    Beside {
        names: beside.names.iter().map(|one| name(one, naming)).collect(),
        reports: beside.reports.iter().map(|(id, of)| (id.clone(), facts(of, naming))).collect(),
        book: beside.book.clone(),
    }
}

/// With who pays as its tenant: the book does not know the server by its pseudonym.
fn adjustment_of(adjustment: &Adjustment, book: Option<&PriceBook>, naming: &mut Naming<'_>) -> Adjustment {
    let payer = book.zip(adjustment.server.as_deref());
    let payer = payer.map(|(book, server)| book.tenant_of(adjustment.tenant.as_deref(), server).to_owned());
    let tenant = payer.or_else(|| adjustment.tenant.clone());
    Adjustment { tenant, ..adjustment.clone() }.under_pseudonyms(naming)
}
