//! Far sides on loopback: routers behind TLS, and servers that say exactly what they are told to.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use axum::Router;
use tempfile::TempDir;
use tidegauge::doors::peer::{HttpPeer, PeerSettings, Trust};
use tidegauge::ports::certificate::{self, Made};
use tidegauge::ports::serve::{self, TlsFiles};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A router behind TLS, with its certificate's files.
pub struct FarSide {
    pub address: SocketAddr,
    pub made: Made,
    pub folder: TempDir,
}

/// Serves the router with a certificate for these names.
pub async fn behind_tls(router: Router, names: &[&str]) -> FarSide {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = certificate::make(names).expect("good names");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a temporary file");
        path
    };
    let files =
        TlsFiles { certificates: file("certificate.pem", &made.certificate_pem), key: file("key.pem", &made.key_pem) };
    file("ca.pem", &made.ca_pem);
    let served = serve::tls(ANYWHERE, &files, router, pending()).await.expect("a free port");
    FarSide { address: served.address, made, folder }
}

impl FarSide {
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn peer(&self, trust: Trust) -> PeerSettings {
        https(self.address, trust)
    }
}

pub fn https(address: SocketAddr, trust: Trust) -> PeerSettings {
    PeerSettings::Http(HttpPeer {
        base_url: format!("https://127.0.0.1:{}", address.port()),
        trust,
        login: None,
        api_key: None,
    })
}

pub fn plain_http(address: SocketAddr) -> PeerSettings {
    let base_url = format!("http://127.0.0.1:{}", address.port());
    PeerSettings::Http(HttpPeer { base_url, trust: Trust::System, login: None, api_key: None })
}

/// What a scripted server does after it has read a request's head.
#[derive(Clone)]
pub enum Says {
    /// These bytes, then the end.
    Then(Vec<u8>),
    /// These bytes again and again.
    Endlessly(Vec<u8>),
    /// Nothing, and holds the connection.
    Nothing,
}

/// A server that answers every connection by its script.
pub async fn scripted(says: Says) -> SocketAddr {
    let listener = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(play(stream, says.clone()));
        }
    });
    address
}

async fn play(mut stream: TcpStream, says: Says) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    match says {
        Says::Then(bytes) => stream.write_all(&bytes).await,
        Says::Endlessly(bytes) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(&bytes).await?;
            }
        }
        Says::Nothing => pending().await,
    }
}
