//! What happened to a month's documents.

use serde::{Deserialize, Serialize};

use super::rows::{Row, key, one};
use crate::billing::invoice::Invoice;
use crate::domain::pseudonym::Names;
use crate::domain::{Instant, Month};

/// A deed of billing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum BillingDeed {
    /// A document was issued; it is never changed.
    Issued { invoice: Box<Invoice> },
    /// Files were handed to somebody.
    Exported { export: BillingExport },
}

/// Which files were handed out, of which document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingExport {
    pub month: Month,
    /// The document's number.
    pub document: String,
    /// The row of `billing::export::EXPORTS`.
    pub format: String,
    pub at: Instant,
    pub by: String,
    pub files: u32,
    /// `sha256:` over the files' names and bytes.
    pub digest: String,
    /// What the files called things.
    #[serde(default, skip_serializing_if = "Names::is_plain")]
    pub names: Names,
}

impl BillingDeed {
    pub(super) fn rows(&self) -> Vec<Row> {
        match self {
            BillingDeed::Issued { invoice } => one(key::invoice(invoice.month, invoice.sequence), invoice),
            BillingDeed::Exported { export } => {
                one(key::billing_export(export.month, &export.document, &export.format), export)
            }
        }
    }
}
