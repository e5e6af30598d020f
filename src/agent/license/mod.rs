//! Licenses of the reporting units: which key governs, and the checks that renew it.

mod check;
mod keys;
