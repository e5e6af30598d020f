//! What the command line stands on; `main` makes the real ones.

use std::sync::Arc;

use crate::config::Settings;
use crate::doors::{Chance, Clock, Files, Wire};

/// Makes the wire to the peers of some settings.
pub type WireFor = Arc<dyn Fn(&Settings) -> Arc<dyn Wire> + Send + Sync>;

/// Asks a person one question.
pub type Ask = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The four doors, and the process's environment.
#[derive(Clone)]
pub struct Doors {
    pub files: Arc<dyn Files>,
    pub clock: Arc<dyn Clock>,
    pub chance: fn() -> Box<dyn Chance>,
    /// The wire to the peers of these settings.
    pub wire: WireFor,
    /// Asks the person at the terminal and reads one line; `None`: nobody sits there.
    pub ask: Ask,
    /// Environment variables.
    pub variables: Vec<(String, String)>,
}

impl Doors {
    /// An environment variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Who gives orders here: the login name.
    pub fn user(&self) -> String {
        let names = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"];
        names.iter().find_map(|name| self.variable(name)).unwrap_or("somebody").to_owned()
    }
}
