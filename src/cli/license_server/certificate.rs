//! SIGHUP at the License Update Server: its certificate is read again, and shown when it is good.

#[cfg(unix)]
use tracing::{info, warn};

use crate::agent::Refused;
use crate::ports::serve::{Shown, TlsFiles};

/// The certificate's files, and what the listener shows; `None` for plain HTTP, where SIGHUP changes nothing.
pub type Showing = Option<(TlsFiles, Shown)>;

/// Reads the files again at each SIGHUP from now on, which would end the process otherwise.
///
/// # Errors
/// 1 when signals cannot be heard.
#[cfg(unix)]
pub fn reread_on_hangup(showing: Showing) -> Result<(), Refused> {
    use tokio::signal::unix::{SignalKind, signal};
    let hangups = signal(SignalKind::hangup());
    let mut hangups = hangups.map_err(|error| Refused::new(1, format!("cannot listen for SIGHUP: {error}")))?;
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            reread(showing.as_ref());
        }
    });
    Ok(())
}

/// There is no SIGHUP.
#[cfg(not(unix))]
pub fn reread_on_hangup(_: Showing) -> Result<(), Refused> {
    Ok(())
}

#[cfg(unix)]
fn reread(showing: Option<&(TlsFiles, Shown)>) {
    let Some((files, shown)) = showing else {
        info!(event = "certificate.none", "there is no certificate to read again; options change with a restart");
        return;
    };
    match Shown::read(files) {
        Ok(fresh) => {
            shown.become_as(&fresh);
            info!(event = "certificate.taken", "the certificate was read again and is shown");
        }
        Err(error) => {
            let why = "the certificate was read again and is refused; the one before is shown";
            warn!(event = "certificate.refused", error = %error, "{why}");
        }
    }
}
