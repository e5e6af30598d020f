//! The log on standard error: lines for people at a terminal, JSON lines for machines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::doors::Doors;

/// Says what is logged, such as `debug` or `tidegauge=debug,info`.
const VARIABLE: &str = "TIDEGAUGE_LOG";
const WITHOUT: &str = "info,tokio_cron_scheduler=warn";

/// Begins logging; a second beginning in one process changes nothing.
pub fn begin(doors: &Doors) {
    let filter =
        EnvFilter::try_new(doors.variable(VARIABLE).unwrap_or(WITHOUT)).unwrap_or_else(|_| EnvFilter::new(WITHOUT));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = if std::io::stderr().is_terminal() {
        lines.with_target(false).try_init()
    } else {
        lines.json().flatten_event(true).try_init()
    };
}
