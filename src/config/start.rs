//! The settings file to begin with, as `config init` prints it.

/// Every setting, commented; as it stands only the defaults hold.
pub const STARTING_FILE: &str = include_str!("../../packaging/tidegauge.toml");
