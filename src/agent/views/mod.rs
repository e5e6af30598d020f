//! What people are shown: every number on a page, a table or in JSON is computed here.

mod license;
mod readings;
mod reports;
mod status;
mod usage;
mod watermark;
