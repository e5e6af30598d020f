//! The API beside the console's pages, and the listener that they share.

use std::io;

use axum::{Router, middleware};

use crate::api::entry::{self, Entry};
use crate::api::metrics;
use crate::cli::stopping::{Stop, told};
use crate::config::{ConsoleSettings, ServingTls};
use crate::ports::serve::{self, Served, Shown, TlsFiles};

/// `/api/v1` and `/metrics`. Monitoring on this machine needs no token; from elsewhere it shows one.
pub fn api(console: &ConsoleSettings, entry: Entry) -> Router {
    let is_here = console.listen.ip().is_loopback() && !console.behind_proxy;
    let metrics = if is_here { metrics::router(entry.house.desk.clone()) } else { entry::metrics(entry.clone()) };
    entry::router(entry).merge(metrics)
}

/// Behind a proxy requests come from whom it names.
pub fn told_of_peers(console: &ConsoleSettings, router: Router) -> Router {
    if console.behind_proxy { router.layer(middleware::from_fn(entry::told_by_proxy)) } else { router }
}

/// The certificate of the settings as it stands in its files now.
pub fn shown(console: &ConsoleSettings) -> io::Result<Option<Shown>> {
    let files = |tls: &ServingTls| TlsFiles { certificates: tls.certificate_file.clone(), key: tls.key_file.clone() };
    console.tls.as_ref().map(|tls| Shown::read(&files(tls))).transpose()
}

/// Listens as the settings say: with TLS, or plainly.
pub async fn listen(
    console: &ConsoleSettings,
    shown: Option<Shown>,
    router: Router,
    stop: &Stop,
) -> io::Result<Served> {
    match shown {
        Some(shown) => serve::tls_showing(console.listen, shown, router, told(stop.clone())).await,
        None => serve::plain(console.listen, router, told(stop.clone())).await,
    }
}
