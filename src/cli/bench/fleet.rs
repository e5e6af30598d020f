//! `bench serve --servers N`: many backup servers at once, the settings of an agent that reads them, and how far it is.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::routing::get;
use serde_json::json;

use super::serve::Served;
use crate::agent::Refused;
use crate::cli::session::{Session, absolute};

/// Writes `tidegauge.toml` for an agent that samples these ports of this machine every five minutes and tells nobody.
///
/// # Errors
/// The folder cannot be written.
pub fn write_settings(
    session: &mut Session<'_>,
    folder: &Path,
    console: SocketAddr,
    ports: &[u16],
) -> Result<(), Refused> {
    let folder = absolute(folder);
    let shown = folder.display();
    let mut text = format!(
        "state_dir = \"{shown}/state\"\nreports_dir = \"{shown}/reports\"\nsample_interval = \"5m\"\n\n[console]\n\
         listen = \"{console}\"\n"
    );
    for (number, port) in ports.iter().enumerate() {
        let _ = write!(
            text,
            "\n[[server]]\nname = \"vbr{number:04}\"\nsource = \"vbr\"\nurl = \"http://127.0.0.1:{port}\"\nusername = \"bench\"\n\
             password_file = \"{shown}/vbr.password\"\n"
        );
    }
    session.write(&folder.join("vbr.password"), b"bench")?;
    session.write(&folder.join("tidegauge.toml"), text.as_bytes())
}

/// How often the least read server was read to its end, and the points of all at first.
pub fn progress(servers: Vec<Arc<Served>>) -> Router {
    let servers = Arc::new(servers);
    Router::new().fallback(get(move || {
        let reads = servers.iter().map(|server| server.ended.load(Ordering::Relaxed)).min();
        let tenths: u64 = servers.iter().map(|server| server.points_at_first()).sum();
        let line = json!({"reads": reads, "points": format!("{}.{}", tenths / 10, tenths % 10)});
        async move { line.to_string() }
    }))
}
