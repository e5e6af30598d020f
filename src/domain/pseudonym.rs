//! Names, and what stands for them where a document goes to somebody who must not read them.

use serde::{Deserialize, Serialize};

/// Whether a document calls things by their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    #[default]
    Plain,
    Pseudonyms,
}

impl Names {
    pub fn is_plain(&self) -> bool {
        *self == Names::Plain
    }
}

/// What a name is the name of: equal names of two kinds have two pseudonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    Tenant,
    /// The number that the provider's own accounts know a tenant by.
    Customer,
    Server,
    Machine,
    /// A workload's id at its server: it joins with the inventory as a name does.
    Workload,
    Job,
    /// Somebody who signs in or logs in.
    Person,
    /// A machine by its address.
    Host,
    /// A mail address.
    Mailbox,
    /// Where something stands on a disk.
    Path,
    /// An id of a license, an installation, a unit, a company.
    Id,
    /// What somebody wrote in their own words, which may name anything.
    Text,
    /// An invoice line's id, which is made from names.
    Line,
}

impl NameKind {
    /// What its pseudonyms begin with.
    pub fn as_str(self) -> &'static str {
        match self {
            NameKind::Tenant => "tenant",
            NameKind::Customer => "account",
            NameKind::Server => "server",
            NameKind::Machine => "machine",
            NameKind::Workload => "workload",
            NameKind::Job => "job",
            NameKind::Person => "person",
            NameKind::Host => "host",
            NameKind::Mailbox => "mailbox",
            NameKind::Path => "path",
            NameKind::Id => "id",
            NameKind::Text => "text",
            NameKind::Line => "line",
        }
    }
}

/// Says what stands for a name.
pub type Naming<'a> = dyn FnMut(NameKind, &str) -> String + 'a;

/// What stands for a name that may be absent.
pub fn named(naming: &mut Naming<'_>, kind: NameKind, name: Option<&str>) -> Option<String> {
    name.map(|name| naming(kind, name))
}

/// A document that people hand out by order; the settings may want pseudonyms in it always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HandedOut {
    ReportSave,
    Evidence,
    Billing,
}

/// Names of these documents in the settings.
pub const HANDED_OUT: [(&str, HandedOut); 3] =
    [("report_save", HandedOut::ReportSave), ("evidence", HandedOut::Evidence), ("billing", HandedOut::Billing)];
