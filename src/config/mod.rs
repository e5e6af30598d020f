//! The settings file, read into the settings of each room.

pub mod settings;

pub use settings::Settings;
