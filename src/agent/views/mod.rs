//! What people are shown: every number on a page, a table or in JSON is computed here.

pub(in crate::agent) mod billing;
mod coverage;
mod difference;
mod duties;
mod forecast;
mod gate;
mod identity;
mod journal;
mod license;
mod license_state;
mod messages;
mod money;
mod notification;
mod proposed;
mod rates;
mod readings;
mod reconciliation;
mod reports;
mod servers;
mod settings;
mod status;
mod typefaces;
pub(in crate::agent) mod usage;
mod watermark;

pub use journal::{JOURNAL_KINDS, JournalKind, JournalSearch};
pub use settings::settings_shown;
