//! What should happen, given facts and the hour. Pure.

pub mod adjust_grid;
pub mod causes;
pub mod consent;
pub mod counting;
pub mod deadline_calendar;
pub mod deadlines;
pub mod duplicates;
mod duty;
pub mod eligibility;
pub mod forecast;
pub mod gate;
pub mod identity;
pub mod instances;
pub mod license_results;
pub mod license_state;
pub mod license_watch;
pub mod overage;
pub mod points_table;
pub mod rating;
pub mod reminding;
pub mod renewal;
pub mod report_document;
pub mod reporting;
pub mod review;
pub mod schedule;
pub mod server_update;
pub mod working_days;
