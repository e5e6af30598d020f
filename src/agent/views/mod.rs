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

pub use journal::{JOURNAL_KINDS, JournalKind, JournalSearch};
pub use settings::settings_shown;
pub(in crate::agent) use what_if::made_of;
