//! What people are shown: every number on a page, a table or in JSON is computed here.

mod identity;
mod license;
mod readings;
mod reports;
mod status;
mod usage;
mod watermark;
