//! Settings for an agent that runs with others already: what of them it can take, what stays until it starts again.

use std::collections::BTreeSet;

use super::{ConsoleSettings, Settings};

impl Settings {
    /// These settings as far as a program that runs with `running` can take them. Its state directory stays, and so does the
    /// whole of `[console]` when it would listen elsewhere, differently, or no more: half of it would be settings
    /// that nobody wrote and nothing checked.
    pub fn for_running(&self, running: &Settings) -> Settings {
        let mut taken = self.clone();
        if self.state_dir != running.state_dir {
            // The Reports folder stands in it unless it is said, and moves with it.
            taken.state_dir.clone_from(&running.state_dir);
            taken.reports_dir.clone_from(&running.reports_dir);
        }
        if entrance(self.console.as_ref()) != entrance(running.console.as_ref()) {
            taken.console.clone_from(&running.console);
        }
        taken
    }

    /// Names of the settings that differ, as [`Settings::explain`] writes them, each once.
    pub fn differing(&self, other: &Settings) -> Vec<String> {
        let (these, those) = (self.explain(), other.explain());
        let (these, those): (BTreeSet<&str>, BTreeSet<&str>) = (these.lines().collect(), those.lines().collect());
        let name = |line: &&str| line.split_once(" = ").map_or(*line, |(name, _)| name).to_owned();
        let names: BTreeSet<String> = these.symmetric_difference(&those).map(name).collect();
        names.into_iter().collect()
    }
}

/// What a listener is made of; the certificate that it shows can change.
fn entrance(console: Option<&ConsoleSettings>) -> Option<(std::net::SocketAddr, bool, bool)> {
    console.map(|console| (console.listen, console.tls.is_some(), console.behind_proxy))
}
