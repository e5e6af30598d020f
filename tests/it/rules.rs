//! The rules, one module a file of `src/rules/`.

pub mod gate; // open, held, undetermined; causes
mod license_results; // every message of the table
mod renewal; // cadence, retry window, switch, acceptable keys
