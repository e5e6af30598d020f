//! What people are shown: every number on a page, a table or in JSON is computed here.

pub(in crate::agent) mod billing;
mod billing_month;
mod coverage;
mod difference;
mod duties;
mod forecast;
mod gate;
mod identity;
mod journal;
mod license;
mod license_state;
pub(in crate::agent) mod looks;
mod messages;
mod money;
mod notification;
mod proof;
mod proposed;
mod rates;
mod readings;
mod reconciliation;
mod report_head;
mod report_history;
mod reports;
mod servers;
mod settings;
mod status;
mod typefaces;
pub(in crate::agent) mod usage;
mod usage_over;
mod waiting;
mod watermark;
mod what_if;
mod workloads;

use chrono::NaiveDate;

use crate::agent::Refused;
use crate::domain::calendar::is_reckoned;

pub use journal::{JOURNAL_KINDS, JournalKind, JournalSearch};
pub use proof::ProofAsked;
pub use settings::settings_shown;
pub(in crate::agent) use what_if::made_of;

/// Days that somebody asks for, before they are reckoned with.
///
/// # Errors
/// 2 for a day of another year than [`is_reckoned`] takes.
fn refuse_unreckoned<const DAYS: usize>(days: [Option<NaiveDate>; DAYS]) -> Result<(), Refused> {
    if days.into_iter().flatten().all(is_reckoned) {
        return Ok(());
    }
    Err(Refused::new(2, "a day lies in the years 1970 to 9998; name another one"))
}
