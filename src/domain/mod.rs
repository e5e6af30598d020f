//! What things are: points, samples, watermarks, reports, licenses. No I/O, no clock, no chance.
//!
//! Every type here can be made from foreign bytes only through a parser that refuses what cannot be true.

pub mod adjustment;
pub mod calendar;
pub mod console_report;
pub mod events;
pub mod finalization;
pub mod forgetting;
pub mod gate;
pub mod installation;
pub mod license;
pub mod license_key;
pub mod license_sections;
pub mod month_difference;
pub mod notice;
pub mod people;
pub mod points;
pub mod proposed;
pub mod pseudonym;
pub mod report;
pub mod sample;
mod schema;
pub mod tenant;
pub mod watermark;
pub mod workload;
pub mod workload_changes;
pub mod workloads;

pub use calendar::{Instant, IsoWeek, Month};
pub use points::Points;
