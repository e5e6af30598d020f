//! What people are shown: every number on a page, a table or in JSON is computed here.

pub(in crate::agent) mod billing;
mod billing_month;
mod difference;
mod forecast;
mod gate;
mod identity;
mod license;
mod license_state;
mod money;
mod notification_window;
mod rates;
mod readings;
mod reconciliation;
mod report_head;
mod report_history;
mod reports;
mod status;
mod typefaces;
pub(in crate::agent) mod usage;
mod usage_over;
mod watermark;
mod what_if;
mod workloads;
