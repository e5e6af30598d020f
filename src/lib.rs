//! Tidegauge samples rental-license points of backup servers, keeps the high watermark and reports it.
//!
//! The rooms by floor, in reading order. A room uses rooms on lower floors only (`tests/it/tidy.rs`).

// Floor 0: what things are. No I/O, no clock, no chance, no async.
pub mod ask;
pub mod document;
pub mod domain;
pub mod doors;
pub mod seal;

// Floor 1: what should happen, given facts and the hour; and the languages spoken outside. Pure.
pub mod billing;
pub mod channels;
pub mod evidence;
pub mod formats;
pub mod people;
pub mod protocol;
pub mod rules;
pub mod sources;

// Floor 2: the real doors, memory, settings.
pub mod config;
pub mod ports;
pub mod store;

// Floor 3: load, decide, act, record.
pub mod agent;
pub mod license_server;

// Floor 4: ways in, and the simulated world.
pub mod api;
pub mod console;
pub mod simulation;

// Floor 5: the command line.
pub mod cli;
