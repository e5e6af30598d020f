//! The real doors: clock, chance, wire, files; and serve, control, alarm. The only room that sees the operating system.

pub mod alarm;
pub mod certificate;
pub mod chance;
pub mod clock;
pub mod control;
pub mod files;
pub mod lines;
pub mod load;
pub mod machine;
pub mod meter;
pub mod postgres;
pub mod serve;
mod serving;
mod shown;
pub mod sizes;
pub mod supervisor;
mod taking;
pub mod terminal;
pub mod wire;
