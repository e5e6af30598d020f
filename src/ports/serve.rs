//! Serves a router: over TCP, over TLS, or on a Unix socket. The only place that listens.

use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::{ConnectInfo, Connected, IntoMakeServiceWithConnectInfo};
use axum::middleware;
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::wire::provider;

/// Longest TLS handshake.
const HANDSHAKE_SECONDS_MAX: u64 = 10;
/// Handshakes that may be finished and not yet served.
const FINISHED_MAX: usize = 64;
/// Handshakes at once; more wait in the operating system's queue.
const HANDSHAKES_MAX: usize = 256;
/// The folder in which a socket is bound before it stands where it is looked for.
#[cfg(unix)]
const BINDING: &str = ".binding";
/// How long requests may go on after the stop.
const STOP_SECONDS_MAX: u64 = 10;

/// A served router: where it listens, and its end.
pub struct Served {
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

impl Served {
    /// Waits until everything has been answered after the stop.
    pub async fn ended(self) -> io::Result<()> {
        self.task.await.map_err(io::Error::other)?
    }
}

/// A certificate chain and its key, as PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub certificates: PathBuf,
    pub key: PathBuf,
}

/// Serves over plain TCP until `stop`.
pub async fn plain(
    address: SocketAddr,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Served> {
    let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(&address, &error))?;
    let address = listener.local_addr()?;
    let (told, stopping) = telling(stop);
    let serving = axum::serve(listener, told_who(router)).with_graceful_shutdown(told);
    Ok(Served { address, task: tokio::spawn(until(serving.into_future(), stopping)) })
}

/// Serves over TLS until `stop`. A slow handshake holds up nobody else.
pub async fn tls(
    address: SocketAddr,
    files: &TlsFiles,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Served> {
    let acceptor = TlsAcceptor::from(Arc::new(server_config(files)?));
    let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(&address, &error))?;
    let address = listener.local_addr()?;
    let listener = TlsListener::new(listener, acceptor, address);
    let (told, stopping) = telling(stop);
    let serving = axum::serve(listener, told_who(router)).with_graceful_shutdown(told);
    Ok(Served { address, task: tokio::spawn(until(serving.into_future(), stopping)) })
}

/// Serves on a Unix socket that only this user may open, until `stop`; the socket file goes when it ends.
#[cfg(unix)]
pub async fn unix(
    path: &Path,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<tokio::task::JoinHandle<io::Result<()>>> {
    let listener = private_socket(path).map_err(|error| cannot_listen(&path.display(), &error))?;
    let path = path.to_owned();
    let (told, stopping) = telling(stop);
    let serving = axum::serve(listener, router).with_graceful_shutdown(told);
    Ok(tokio::spawn(async move {
        let ended = until(serving.into_future(), stopping).await;
        // It may already be gone; the next start removes a left one.
        let _ = std::fs::remove_file(path);
        ended
    }))
}

/// Binds in a folder that only this user may enter, so that nobody can connect before the file itself is private: who
/// has connected stays connected, whatever becomes of the file.
#[cfg(unix)]
fn private_socket(path: &Path) -> io::Result<tokio::net::UnixListener> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let missing_is_fine = |done: io::Result<()>| match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    let own = path.with_file_name(BINDING);
    missing_is_fine(std::fs::remove_file(path))?;
    missing_is_fine(std::fs::remove_dir_all(&own))?;
    std::fs::DirBuilder::new().mode(0o700).create(&own)?;
    let unfinished = own.join("s");
    let listener = tokio::net::UnixListener::bind(&unfinished)?;
    std::fs::set_permissions(&unfinished, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&unfinished, path)?;
    std::fs::remove_dir(&own)?;
    Ok(listener)
}

/// The peer's address, from any listener here.
#[derive(Clone, Copy, Debug)]
struct Peer(SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

/// The router; each request carries the peer's address as [`ConnectInfo`] of a [`SocketAddr`].
fn told_who(router: Router) -> IntoMakeServiceWithConnectInfo<Router, Peer> {
    let tell = async |ConnectInfo(Peer(peer)): ConnectInfo<Peer>, mut request: Request| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    };
    router.layer(middleware::map_request(tell)).into_make_service_with_connect_info::<Peer>()
}

/// A signal for the server that tells the stop on, and a watch on whether it came.
fn telling(
    stop: impl Future<Output = ()> + Send + 'static,
) -> (impl Future<Output = ()> + Send, watch::Receiver<bool>) {
    let (stopped, stopping) = watch::channel(false);
    let told = async move {
        stop.await;
        let _ = stopped.send(true);
    };
    (told, stopping)
}

async fn until(
    serving: impl IntoFuture<Output = io::Result<()>>,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let overdue = async move {
        let _ = stopping.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(Duration::from_secs(STOP_SECONDS_MAX)).await;
    };
    tokio::select! {
        ended = serving.into_future() => ended,
        () = overdue => Ok(()),
    }
}

fn server_config(files: &TlsFiles) -> io::Result<ServerConfig> {
    let unreadable =
        |path: &Path, why: String| io::Error::new(io::ErrorKind::InvalidInput, format!("{}: {why}", path.display()));
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificates)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(&files.certificates, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable(&files.key, error.to_string()))?;
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(|error| unreadable(&files.certificates, error.to_string()))
}

fn cannot_listen(place: &dyn std::fmt::Display, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot listen on {place}: {error}; choose another place, or stop what listens there"),
    )
}

/// Hands out connections whose handshake is done.
struct TlsListener {
    finished: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    accepting: tokio::task::JoinHandle<()>,
}

impl TlsListener {
    fn new(listener: TcpListener, acceptor: TlsAcceptor, address: SocketAddr) -> TlsListener {
        let (sender, finished) = mpsc::channel(FINISHED_MAX);
        let accepting = tokio::spawn(accept_all(listener, acceptor, sender));
        TlsListener { finished, address, accepting }
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept_all(
    mut listener: TcpListener,
    acceptor: TlsAcceptor,
    finished: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(tokio::sync::Semaphore::new(HANDSHAKES_MAX));
    while !finished.is_closed() {
        let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
        // axum's own accept: it waits and goes on when the process has too many files open.
        let (stream, address) = Listener::accept(&mut listener).await;
        let (acceptor, finished) = (acceptor.clone(), finished.clone());
        tokio::spawn(async move {
            let limit = Duration::from_secs(HANDSHAKE_SECONDS_MAX);
            if let Ok(Ok(stream)) = tokio::time::timeout(limit, acceptor.accept(stream)).await {
                let _ = finished.send((stream, address)).await;
            }
            drop(place);
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.finished.recv().await {
            Some(connection) => connection,
            // The accepting task ends only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
