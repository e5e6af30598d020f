//! Memory: the journal that is the truth, and its state in sled.

pub mod fact;
pub mod journal;
mod rows;
