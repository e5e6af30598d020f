//! What should happen, given facts and the hour. Pure.

pub mod counting;
pub mod points_table;
pub mod report_document;
