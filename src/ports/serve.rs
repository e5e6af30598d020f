//! Serves a router: over TCP, over TLS, or on a Unix socket. The only place that listens.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::server::TlsStream;

use super::serving;

pub use super::serving::Patience;
pub use super::shown::{Shown, TlsFiles};

/// Longest TLS handshake.
const HANDSHAKE_SECONDS_MAX: u64 = 10;
/// Handshakes that may be finished and not yet served.
const FINISHED_MAX: usize = 64;
/// Handshakes at once; more wait in the operating system's queue.
const HANDSHAKES_MAX: usize = 256;
/// What the operating system keeps of an answer that is not taken yet. Left alone it keeps megabytes, a third of which a
/// slow client would have to take at a time (`taking.rs`); Linux doubles the figure for its own books, so that some 170 KiB in
/// 30 seconds are enough.
const SEND_BUFFER_BYTES: u32 = 256 << 10;
/// Connections that may wait to be accepted.
const WAITING_MAX: u32 = 1_024;
/// The folder in which a socket is bound before it stands where it is looked for.
#[cfg(unix)]
const BINDING: &str = ".binding";

/// A served router: where it listens, and its end.
pub struct Served {
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Served {
    /// Waits until everything has been answered after the stop.
    pub async fn ended(self) -> io::Result<()> {
        self.task.await.map_err(io::Error::other)
    }
}

/// Serves over plain TCP until `stop`.
pub async fn plain(
    address: SocketAddr,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Served> {
    plain_with(Patience::default(), address, router, stop).await
}

/// The same with another patience.
pub async fn plain_with(
    patience: Patience,
    address: SocketAddr,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Served> {
    let listener = listen(address).map_err(|error| cannot_listen(&address, &error))?;
    let address = listener.local_addr()?;
    let serving = serving::serve(listener, |peer| Some(*peer), router, patience, stop);
    Ok(Served { address, task: tokio::spawn(serving) })
}

/// Serves over TLS until `stop`. A slow handshake holds up nobody else.
pub async fn tls(
    address: SocketAddr,
    files: &TlsFiles,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Served> {
    tls_showing(address, Shown::read(files)?, router, stop).await
}

/// The same with a certificate that another one may replace.
pub async fn tls_showing(
    address: SocketAddr,
    shown: Shown,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Served> {
    let listener = listen(address).map_err(|error| cannot_listen(&address, &error))?;
    let address = listener.local_addr()?;
    let listener = TlsListener::new(listener, shown, address);
    let serving = serving::serve(listener, |peer| Some(*peer), router, Patience::default(), stop);
    Ok(Served { address, task: tokio::spawn(serving) })
}

/// Serves on a control socket as [`unix`] does; `None` where the system has none, and everything else goes on without.
#[cfg(unix)]
pub async fn control(
    path: &Path,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Option<tokio::task::JoinHandle<()>>> {
    unix(path, router, stop).await.map(Some)
}

/// There are no sockets that the file system guards.
#[cfg(not(unix))]
pub async fn control(
    _: &Path,
    _: Router,
    _: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Option<tokio::task::JoinHandle<()>>> {
    Ok(None)
}

/// Serves on a Unix socket that only this user may open, until `stop`; the socket file goes when it ends.
#[cfg(unix)]
pub async fn unix(
    path: &Path,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<tokio::task::JoinHandle<()>> {
    let listener = private_socket(path).map_err(|error| cannot_listen(&path.display(), &error))?;
    let path = path.to_owned();
    Ok(tokio::spawn(async move {
        serving::serve(listener, |_| None, router, Patience::default(), stop).await;
        // It may already be gone; the next start removes a left one.
        let _ = std::fs::remove_file(path);
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

/// Listens; connections have the send buffer of their listener.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As tokio's own bind: on Windows it would let others take the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
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
    fn new(listener: TcpListener, shown: Shown, address: SocketAddr) -> TlsListener {
        let (sender, finished) = mpsc::channel(FINISHED_MAX);
        let accepting = tokio::spawn(accept_all(listener, shown, sender));
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
    shown: Shown,
    finished: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(tokio::sync::Semaphore::new(HANDSHAKES_MAX));
    while !finished.is_closed() {
        let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
        // axum's own accept: it waits and goes on when the process has too many files open.
        let (stream, address) = Listener::accept(&mut listener).await;
        let (acceptor, finished) = (shown.now(), finished.clone());
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
