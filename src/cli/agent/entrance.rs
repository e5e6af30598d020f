//! The API beside the console's pages, and the listener that they share.

use std::io;

use axum::{Router, middleware};

use crate::api::entry::{self, Entry};
use crate::api::metrics;
use crate::cli::stopping::{Stop, told};
use crate::config::ConsoleSettings;
use crate::ports::serve::{self, Served, TlsFiles};

/// `/api/v1` and `/metrics`. Monitoring on this machine needs no token; from elsewhere it shows one.
pub fn api(console: &ConsoleSettings, entry: Entry) -> Router {
    let is_here = console.listen.ip().is_loopback() && !console.behind_proxy;
    let metrics = if is_here { metrics::router(entry.house.desk.clone()) } else { entry::metrics(entry.clone()) };
    entry::router(entry).merge(metrics)
}

/// Listens as the settings say: with TLS, plainly, or behind a proxy that says who asks.
pub async fn listen(console: &ConsoleSettings, router: Router, stop: &Stop) -> io::Result<Served> {
    let router = if console.behind_proxy { router.layer(middleware::from_fn(entry::told_by_proxy)) } else { router };
    match &console.tls {
        Some(tls) => {
            let files = TlsFiles { certificates: tls.certificate_file.clone(), key: tls.key_file.clone() };
            serve::tls(console.listen, &files, router, told(stop.clone())).await
        }
        None => serve::plain(console.listen, router, told(stop.clone())).await,
    }
}
