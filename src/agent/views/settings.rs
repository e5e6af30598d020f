//! What the settings say, as they are in force.

use serde_json::{Value, json};

use crate::config::Settings;

/// `config check --json`: the lines as they are read, and each setting with where its value was given; secrets are named
/// by their place.
pub fn settings_shown(settings: &Settings) -> Value {
    let lines: Vec<String> = settings.explain().lines().map(str::to_owned).collect();
    json!({"schema": "tidegauge.settings/1", "lines": lines, "settings": settings.in_force()})
}
