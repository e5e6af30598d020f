//! The real wire: carries asks to the peers of the settings, and makes every failure an [`Answer`].

mod folder;
mod hidden;
mod hook;
mod http;
mod login;
mod mail;
mod mail_clear;
mod mail_reach;
mod public_only;
mod trust;

use std::collections::BTreeMap;

use crate::ask::{Answer, Ask, Failure, FolderAsk, Peer};
use crate::doors::peer::{FolderPeer, HookPeer, HttpPeer, MAIL, MailPeer, PeerSettings};
use crate::doors::{Pending, Wire};

use http::HttpClients;

pub use login::readable;
pub use mail_reach::{ADDRESSES_MAX, first_reached, in_turn};

pub(super) use http::{Cut, body_of};
pub(super) use trust::{believing_nobody, causes, client_config, provider};

/// Carries asks over real sockets and to real folders.
pub struct RealWire {
    peers: BTreeMap<Peer, PeerSettings>,
    clients: HttpClients,
}

impl RealWire {
    /// Nothing is opened or read before the first ask.
    pub fn new(peers: BTreeMap<Peer, PeerSettings>) -> RealWire {
        RealWire { peers, clients: HttpClients::default() }
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Failure> {
        match ask {
            Ask::Http(ask) => {
                let peer = self.http_peer(&ask.peer)?;
                http::carry(&self.clients, peer, ask).await.map(Answer::Http)
            }
            Ask::Mail(ask) => Ok(Answer::Mail(mail::carry(self.mail_peer()?, ask).await)),
            Ask::Hook(ask) => {
                let peer = self.hook_peer(&ask.peer)?;
                hook::carry(&self.clients, peer, ask).await.map(Answer::Http)
            }
            Ask::Folder(ask) => {
                let peer = self.folder_peer(&ask)?.clone();
                folder::carry(peer, ask).await.map(Answer::Folder)
            }
        }
    }

    fn http_peer(&self, name: &str) -> Result<&HttpPeer, Failure> {
        match self.peers.get(name) {
            Some(PeerSettings::Http(peer)) => Ok(peer),
            Some(PeerSettings::Mail(_) | PeerSettings::Hook(_) | PeerSettings::Folder(_)) | None => {
                Err(unknown(name, "url"))
            }
        }
    }

    fn mail_peer(&self) -> Result<&MailPeer, Failure> {
        match self.peers.get(MAIL) {
            Some(PeerSettings::Mail(peer)) => Ok(peer),
            Some(PeerSettings::Http(_) | PeerSettings::Hook(_) | PeerSettings::Folder(_)) | None => {
                Err(unknown(MAIL, "host"))
            }
        }
    }

    fn hook_peer(&self, name: &str) -> Result<&HookPeer, Failure> {
        match self.peers.get(name) {
            Some(PeerSettings::Hook(peer)) => Ok(peer),
            Some(PeerSettings::Http(_) | PeerSettings::Mail(_) | PeerSettings::Folder(_)) | None => {
                Err(unknown(name, "url"))
            }
        }
    }

    fn folder_peer(&self, ask: &FolderAsk) -> Result<&FolderPeer, Failure> {
        let (FolderAsk::List { peer: name, .. }
        | FolderAsk::Read { peer: name, .. }
        | FolderAsk::Move { peer: name, .. }
        | FolderAsk::Write { peer: name, .. }) = ask;
        match self.peers.get(name) {
            Some(PeerSettings::Folder(peer)) => Ok(peer),
            Some(PeerSettings::Http(_) | PeerSettings::Mail(_) | PeerSettings::Hook(_)) | None => {
                Err(unknown(name, "path"))
            }
        }
    }
}

fn unknown(name: &str, key: &str) -> Failure {
    Failure::Settings { why: format!("the settings give {name} no {key}") }
}

impl Wire for RealWire {
    fn carry(&self, ask: Ask) -> Pending<'_> {
        Box::pin(async move { self.answer(ask).await.unwrap_or_else(Answer::Failed) })
    }
}
