//! What people are shown: every number on a page, a table or in JSON is computed here.

pub(in crate::agent) mod billing;
mod difference;
mod forecast;
mod gate;
mod identity;
mod license;
mod license_state;
mod money;
mod notification;
mod proposed;
mod rates;
mod readings;
mod reconciliation;
mod reports;
mod status;
mod typefaces;
pub(in crate::agent) mod usage;
mod watermark;
