//! What people order. One file for each thing that orders are about.

pub(in crate::agent) mod billing;
mod licenses;
mod proposals;
mod reports;
mod samples;
mod unchanged;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::adjustment::AdjustmentOrder;
use crate::domain::installation::Unit;
use crate::domain::people::{Person, Role, SecretHash};
use crate::domain::pseudonym::Names;
use crate::domain::report::External;
use crate::domain::{Instant, Month};
use crate::rules::review::Refusal;
use crate::rules::schedule::Duty;
use crate::store::fact::key;

use super::finalize::Plea;
use super::forget;
use super::people::{NewToken, NewUser, UserChange};
use super::{Again, Agent, Hour, Query, Refused, Talk};

/// Which reporting unit, when there are several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Target {
    #[serde(default)]
    pub unit: Option<String>,
    #[serde(default)]
    pub server: Option<String>,
    /// The month; `None`: the newest with a report.
    #[serde(default)]
    pub month: Option<Month>,
}

/// A person's order. Not `Debug`: an enrolment token is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    ImportSamples {
        file: String,
        text: String,
    },
    SampleNow {
        server: String,
    },
    Generate {
        target: Target,
    },
    /// All of them or none.
    Adjust {
        target: Target,
        adjustments: Vec<AdjustmentOrder>,
    },
    /// Another person's adjustments, which waited for it, are made.
    Approve {
        target: Target,
        /// The proposal's id, or the beginning of it.
        proposal: String,
    },
    /// They are not made.
    Reject {
        target: Target,
        proposal: String,
        reason: Option<String>,
    },
    Reset {
        target: Target,
    },
    /// The report beside the one of a console of the settings; nothing is recorded.
    CompareReport {
        target: Target,
        with: String,
    },
    /// Every report here that the console's own has a part of, beside it: what finalizing would send. Nothing is recorded.
    CompareConsole {
        with: String,
        month: Month,
    },
    /// Finalizes what was compared just before; `confirmed` is the month once more.
    FinalizeConsole {
        with: String,
        month: Month,
        confirmed: Month,
        despite: Option<String>,
    },
    Postpone {
        target: Target,
        #[schema(value_type = Option<String>, format = DateTime)]
        until: Option<Instant>,
    },
    Send {
        target: Target,
    },
    Correct {
        target: Target,
        reason: String,
    },
    MarkExternal {
        target: Target,
        portal: String,
        document: String,
    },
    Justify {
        target: Target,
        reason: String,
    },
    /// Deletes the reports of a month with their files and what was sent of them; `confirmed` is the month once more.
    Forget {
        target: Target,
        month: Month,
        confirmed: Month,
        reason: String,
    },
    /// Billing files of a month's document.
    ExportBilling {
        target: Target,
        wish: BillingWish,
    },
    /// Makes the key for pseudonyms unless it is there.
    MakePseudonymKey,
    AutoUpdate {
        target: Target,
        on: bool,
    },
    LicenseUpdate {
        target: Target,
    },
    LicenseInstall {
        target: Target,
        file: String,
    },
    /// Webhook endpoints are told again.
    TellAgain {
        to: Option<String>,
        what: Again,
    },
    /// Makes a user, with a password's hash or with that of a code that lets him set one.
    AddUser {
        name: String,
        role: Role,
        password: Option<SecretHash>,
        invitation: Option<SecretHash>,
    },
    /// Changes what is given of a user; an invitation lets him set another password.
    ChangeUser {
        name: String,
        role: Option<Role>,
        active: Option<bool>,
        password: Option<SecretHash>,
        invitation: Option<SecretHash>,
    },
    /// A person's own password; with a code's hash the invitation is used up.
    SetPassword {
        name: String,
        password: SecretHash,
        invitation: Option<SecretHash>,
    },
    AddToken {
        name: String,
        role: Role,
        #[schema(value_type = Option<String>, format = DateTime)]
        expires_at: Option<Instant>,
        hash: SecretHash,
    },
    RevokeToken {
        name: String,
    },
    Enrol {
        token: String,
    },
    ConfirmClock,
}

/// Which billing files are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BillingWish {
    /// A row of `billing::export::EXPORTS`.
    pub format: String,
    /// Where it goes: one file is written as its path ends.
    pub out: String,
    /// Says the ending of files itself.
    pub ending: Option<String>,
    pub which: WhichInvoice,
    #[serde(default)]
    pub names: Names,
    /// What a person saw that the document to be issued holds (`Invoice::content`): nothing else is issued.
    #[serde(default)]
    pub seen: Option<String>,
}

/// Which document of the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhichInvoice {
    /// The next one as it would be, a draft; the newest issued one when nothing changed since.
    Next,
    /// Issues the next one; refused while a report is not final. The newest one when nothing changed since.
    Issue,
    /// An issued one, by its place in the month.
    Issued(u32),
}

/// What came of an order.
pub enum Obeyed {
    /// Done and recorded; what to print.
    Done(Value),
    /// To be carried out; its outcome goes to [`Agent::finish`], then the question is answered.
    Carry { duty: Duty, talk: Talk, then: Query },
}

impl Agent {
    /// Obeys the owner of the machine, who is an administrator; other people go through [`Agent::obey_for`].
    ///
    /// # Errors
    /// [`Refused`] with the exit code and one line that says what to do.
    pub fn obey(&mut self, order: Order, by: &str, hour: Hour) -> Result<Obeyed, Refused> {
        self.obey_person(order, &Person::owner(by), hour)
    }

    pub(super) fn obey_person(&mut self, order: Order, person: &Person, hour: Hour) -> Result<Obeyed, Refused> {
        let actor = person.actor();
        self.acting_for = Some(actor.clone());
        let obeyed = self.carry_order(order, person, &actor, hour);
        self.acting_for = None;
        if let Ok(Obeyed::Carry { duty, .. }) = &obeyed {
            self.ordered_by.insert(duty.clone(), actor);
        }
        obeyed
    }

    fn carry_order(&mut self, order: Order, person: &Person, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        match order {
            Order::ImportSamples { file, text } => self.order_import(&file, &text, hour, &person.name),
            Order::SampleNow { server } => self.order_sample(&server, hour),
            Order::Generate { target } => self.order_generate(&target, hour),
            Order::Adjust { target, adjustments } => self.order_adjust(&target, &adjustments, actor, hour),
            Order::Approve { target, proposal } => self.order_approve(&target, &proposal, actor, hour),
            Order::Reject { target, proposal, reason } => {
                self.order_reject(&target, &proposal, reason.as_deref(), person, hour)
            }
            Order::Reset { target } => self.order_reset(&target, actor, hour),
            Order::CompareReport { target, with } => self.order_compare(&target, &with, hour),
            Order::CompareConsole { with, month } => self.order_compare_console(&with, month, hour),
            Order::FinalizeConsole { with, month, confirmed, despite } => {
                let plea = Plea { month, confirmed, despite: despite.as_deref() };
                self.order_finalize(&with, plea, actor, hour)
            }
            Order::Postpone { target, until } => self.order_postpone(&target, until, actor, hour),
            Order::Send { target } => self.order_send(&target, actor, hour),
            Order::Correct { target, reason } => self.order_correct(&target, &reason, actor, hour),
            Order::MarkExternal { target, portal, document } => {
                let external =
                    External { portal: Some(portal), document: Some(document), at: Some(hour.now), by: None };
                self.order_mark(&target, external, actor, hour)
            }
            Order::Justify { target, reason } => self.order_justify(&target, &reason, actor, hour),
            Order::Forget { target, month, confirmed, reason } => {
                let plea = forget::Plea { month, confirmed, reason: &reason };
                self.order_forget(&target, plea, actor, hour)
            }
            Order::ExportBilling { target, wish } => self.order_export(&target, &wish, actor, hour),
            Order::MakePseudonymKey => self.order_pseudonym_key(),
            Order::AutoUpdate { target, on } => self.order_auto_update(&target, on, actor, hour),
            Order::LicenseUpdate { target } => self.order_license_update(&target, actor, hour),
            Order::LicenseInstall { target, file } => self.order_license_install(&target, &file, actor, hour),
            Order::TellAgain { to, what } => self.order_replay(to.as_deref(), &what, actor, hour).map(Obeyed::Done),
            Order::AddUser { name, role, password, invitation } => {
                self.order_add_user(NewUser { name, role, password, invitation }, actor, hour)
            }
            Order::ChangeUser { name, role, active, password, invitation } => {
                self.order_change_user(&name, UserChange { role, active, password, invitation }, actor, hour)
            }
            Order::SetPassword { name, password, invitation } => {
                self.order_set_password(&name, password, invitation.as_ref(), person, hour)
            }
            Order::AddToken { name, role, expires_at, hash } => {
                self.order_add_token(NewToken { name, role, expires_at, hash }, person, hour)
            }
            Order::RevokeToken { name } => self.order_revoke_token(&name, actor, hour),
            Order::Enrol { token } => {
                let talk = self.begin_enrol(&token, hour)?;
                self.carry(Duty::Enrol, talk, Query::Status {})
            }
            Order::ConfirmClock => {
                self.clock_agreed(hour)?;
                Ok(Obeyed::Done(json!({"confirmed": true})))
            }
        }
    }

    pub(super) fn carry(&mut self, duty: Duty, talk: Talk, then: Query) -> Result<Obeyed, Refused> {
        self.not_under_way(&duty)?;
        self.flights.insert(duty.clone());
        Ok(Obeyed::Carry { duty, talk, then })
    }

    pub(super) fn not_under_way(&self, duty: &Duty) -> Result<(), Refused> {
        if self.flights.contains(duty) {
            return Err(Refused::new(75, "that is being done right now; try again in a moment"));
        }
        Ok(())
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        let code = match refusal {
            Refusal::NotOpen(..) | Refusal::Entered(..) | Refusal::OnDemand => 8,
            Refusal::NoReason | Refusal::ReasonTooLong(_) | Refusal::NothingNamed => 2,
            Refusal::NotCounted(..)
            | Refusal::Ambiguous(..)
            | Refusal::TypeNotAdjustable(_)
            | Refusal::NoSuchCount(..)
            | Refusal::SeveralWeights(..)
            | Refusal::NotLower(..)
            | Refusal::AlreadyLowered(..)
            | Refusal::PostponedTooFar(..) => 65,
        };
        Refused::new(code, refusal.to_string())
    }
}

/// The key of a unit's switch, for views.
pub(super) fn switch_key(unit: &Unit) -> String {
    key::of_unit("auto_update", &unit.id)
}
