//! The real doors on loopback: files, wire, TLS and pins, mail, folders, serve, control socket.

pub mod far_side;
mod files;
mod fleet; // five hundred servers, a third of them in trouble
mod fleet_console; // as many behind one console
mod folder;
mod hook;
mod http;
mod mail;
pub mod mail_server;
mod outside;
mod outside_hooks;
mod outside_report;
mod serve;
mod tls;

use std::collections::BTreeMap;
use std::path::Path;

use tidegauge::ask::{Answer, Ask, Failure, HttpAnswer};
use tidegauge::doors::Wire;
use tidegauge::doors::peer::PeerSettings;
use tidegauge::ports::wire::RealWire;

/// A wire that knows one peer.
pub fn wire_to(name: &str, peer: PeerSettings) -> RealWire {
    RealWire::new(BTreeMap::from([(name.to_owned(), peer)]))
}

pub async fn carried(wire: &RealWire, ask: Ask) -> Result<HttpAnswer, Failure> {
    match wire.carry(ask).await {
        Answer::Http(answer) => Ok(answer),
        Answer::Failed(failure) => Err(failure),
        Answer::Mail(_) | Answer::Folder(_) => panic!("an HTTP ask has an HTTP answer"),
    }
}

/// A file of the password kind: nobody else may read it.
fn write_private(path: &Path, text: &str) {
    use tidegauge::doors::Files;
    tidegauge::ports::files::RealFiles.write(path, text.as_bytes()).expect("a temporary file");
}
