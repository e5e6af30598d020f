//! The real doors: clock, chance, wire, files; and serve.

pub mod files;
