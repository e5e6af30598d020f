//! Whoever started this process and watches over it: systemd on Linux; elsewhere nobody, and telling does nothing.

use std::time::Duration;

/// What it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tidings {
    /// Started, or done with reading the settings again.
    Ready,
    /// Reads its settings again, from this moment on.
    Reloading,
    /// Ends, by itself or because it was told to.
    Stopping,
    /// Lives: what a watchdog waits for.
    Alive,
}

/// Tells it. Nobody listens outside systemd, which is no trouble.
#[cfg(unix)]
pub fn tell(tidings: Tidings) {
    use sd_notify::NotifyState;
    let told = match tidings {
        Tidings::Ready => vec![NotifyState::Ready],
        Tidings::Reloading => {
            std::iter::once(NotifyState::Reloading).chain(NotifyState::monotonic_usec_now().ok()).collect()
        }
        Tidings::Stopping => vec![NotifyState::Stopping],
        Tidings::Alive => vec![NotifyState::Watchdog],
    };
    let _ = sd_notify::notify(&told);
}

/// There is nobody to tell.
#[cfg(not(unix))]
pub fn tell(_: Tidings) {}

/// Within which time its watchdog must hear that this process lives; `None` without one.
#[cfg(unix)]
pub fn watches_within() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// Nobody watches.
#[cfg(not(unix))]
pub fn watches_within() -> Option<Duration> {
    None
}
