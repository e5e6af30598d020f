//! Who may do what: the role that each order and each question needs, asked for in one place.

use serde_json::Value;

use super::access::Query;
use super::orders::{Order, WhichInvoice};
use super::{Agent, Hour, Obeyed, Refused};
use crate::domain::people::{Person, Role};

impl Order {
    /// The least role that may give it.
    pub fn needs(&self) -> Role {
        match self {
            // Only his own: the order looks whose it is.
            Order::SetPassword { .. } => Role::Viewer,
            Order::SampleNow { .. }
            | Order::Generate { .. }
            | Order::Adjust { .. }
            | Order::Reset { .. }
            | Order::CompareReport { .. }
            | Order::CompareConsole { .. }
            | Order::Reject { .. }
            | Order::Postpone { .. }
            | Order::MarkExternal { .. } => Role::Reviewer,
            Order::ExportBilling { wish, .. } => match wish.which {
                WhichInvoice::Next | WhichInvoice::Issued(_) => Role::Reviewer,
                WhichInvoice::Issue => Role::Approver,
            },
            Order::FinalizeConsole { .. }
            | Order::Approve { .. }
            | Order::Send { .. }
            | Order::Correct { .. }
            | Order::Justify { .. }
            | Order::AutoUpdate { .. }
            | Order::LicenseUpdate { .. } => Role::Approver,
            Order::ImportSamples { .. }
            | Order::Forget { .. }
            | Order::MakePseudonymKey
            | Order::LicenseInstall { .. }
            | Order::TellAgain { .. }
            | Order::AddUser { .. }
            | Order::ChangeUser { .. }
            | Order::AddToken { .. }
            | Order::RevokeToken { .. }
            | Order::Enrol { .. }
            | Order::ConfirmClock => Role::Administrator,
        }
    }

    /// What it does, as a refusal says it.
    fn deed(&self) -> &'static str {
        match self {
            Order::ImportSamples { .. } => "import samples",
            Order::SampleNow { .. } => "take a sample",
            Order::Generate { .. } => "generate a report",
            Order::Adjust { .. } => "adjust a report",
            Order::Reset { .. } => "reset a report",
            Order::CompareReport { .. } | Order::CompareConsole { .. } => "compare with a console",
            Order::FinalizeConsole { .. } => "finalize a console's report",
            Order::Approve { .. } => "approve an adjustment",
            Order::Reject { .. } => "reject an adjustment",
            Order::Postpone { .. } => "postpone a report",
            Order::Send { .. } => "send a report",
            Order::Correct { .. } => "correct a report",
            Order::MarkExternal { .. } => "mark a report as entered elsewhere",
            Order::Justify { .. } => "justify a report",
            Order::Forget { .. } => "forget reports",
            Order::MakePseudonymKey => "make the key of pseudonyms",
            Order::ExportBilling { wish, .. } => match wish.which {
                WhichInvoice::Next | WhichInvoice::Issued(_) => "export billing documents",
                WhichInvoice::Issue => "issue billing documents",
            },
            Order::AutoUpdate { .. } => "switch auto update",
            Order::LicenseUpdate { .. } => "update a license",
            Order::LicenseInstall { .. } => "install a license",
            Order::TellAgain { .. } => "tell webhooks again",
            Order::AddUser { .. } | Order::ChangeUser { .. } => "keep users",
            Order::SetPassword { .. } => "set a password",
            Order::AddToken { .. } | Order::RevokeToken { .. } => "keep tokens",
            Order::Enrol { .. } => "enrol the agent",
            Order::ConfirmClock => "vouch for the clock",
        }
    }
}

impl Query {
    /// The least role that may ask it.
    pub fn needs(&self) -> Role {
        match self {
            Query::Status {}
            | Query::Waiting {}
            | Query::Usage { .. }
            | Query::UsageForecast { .. }
            | Query::Sampled { .. }
            | Query::Watermark { .. }
            | Query::Reports { .. }
            | Query::Report { .. }
            | Query::Forgotten { .. }
            | Query::ReportHead(_)
            | Query::Workloads(_)
            | Query::WhatIfReset(_)
            | Query::ReportHistory(_)
            | Query::UsageOver(_)
            | Query::BillingMonth { .. }
            | Query::Servers {}
            | Query::Coverage { .. }
            | Query::Duties { .. }
            | Query::Settings {}
            | Query::Telemetry { .. }
            | Query::Message { .. }
            | Query::Journal(_)
            | Query::ConsoleCompared { .. }
            | Query::AllCompared { .. }
            | Query::Finalized { .. }
            | Query::WhatIf { .. }
            | Query::OnDemand { .. }
            | Query::ReportFile { .. }
            | Query::Gate { .. }
            | Query::Explain { .. }
            | Query::License { .. }
            | Query::LicenseHistory { .. }
            | Query::LicenseForecast { .. }
            | Query::LicenseCalendar { .. }
            | Query::CalendarFile { .. }
            | Query::Proposals { .. }
            | Query::Rates { .. }
            | Query::Invoices { .. }
            | Query::Reconcile { .. }
            | Query::Typefaces {}
            | Query::Evidence { .. }
            | Query::EvidenceKey {}
            | Query::WebhookLog { .. }
            | Query::Readings {}
            | Query::ServersAsked { .. }
            | Query::ProposedAdjustments { .. }
            | Query::Months { .. } => Role::Viewer,
            Query::BillingFile(asked) => match asked.document {
                Some(_) => Role::Viewer,
                // A draft, as of the order.
                None => Role::Reviewer,
            },
            Query::Users {} | Query::Pseudonyms { .. } | Query::Support { .. } | Query::Tokens {} | Query::Knock(_) => {
                Role::Administrator
            }
        }
    }
}

impl Agent {
    /// Obeys a person's order when his role allows it.
    ///
    /// # Errors
    /// [`Refused`] with 77 when it does not; else as [`Agent::obey`].
    pub fn obey_for(&mut self, order: Order, person: &Person, hour: Hour) -> Result<Obeyed, Refused> {
        must_be(person, order.needs(), order.deed())?;
        self.obey_person(order, person, hour)
    }

    /// Answers a person's question when his role allows it.
    ///
    /// # Errors
    /// [`Refused`] with 77 when it does not; else as [`Agent::answer`].
    pub fn answer_for(&self, query: &Query, person: &Person, hour: Hour) -> Result<Value, Refused> {
        must_be(person, query.needs(), "see that")?;
        // Whether a second person is needed depends on who the first one is.
        if let Query::WhatIf { target, adjustments } = query {
            return self.what_if(target, adjustments, Some(person), hour);
        }
        self.answer(query, hour)
    }
}

fn must_be(person: &Person, needed: Role, deed: &str) -> Result<(), Refused> {
    if needed <= person.role {
        return Ok(());
    }
    let Person { name, role, .. } = person;
    let why = format!("{name} is {role} here, and to {deed} takes {needed}: ask an administrator, or somebody who is");
    Err(Refused::new(77, why))
}
