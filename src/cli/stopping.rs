//! Being told to stop: by a signal, by a person, by the system.

use tokio::sync::watch;

use crate::agent::Refused;

/// Becomes true once, and stays so.
pub type Stop = watch::Receiver<bool>;

/// Listens for SIGINT and SIGTERM from now on.
pub fn on_signal() -> Result<(watch::Sender<bool>, Stop), Refused> {
    let (sender, stop) = watch::channel(false);
    let told = sender.clone();
    let signalled = signals().map_err(|error| Refused::new(1, format!("cannot listen for signals: {error}")))?;
    tokio::spawn(async move {
        signalled.await;
        let _ = told.send(true);
    });
    Ok((sender, stop))
}

#[cfg(unix)]
fn signals() -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals() -> std::io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Waits for the stop; also over when whoever could tell has gone.
pub async fn told(mut stop: Stop) {
    let _ = stop.wait_for(|stopping| *stopping).await;
}
