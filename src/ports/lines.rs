//! Serves a protocol of text lines, such as SMTP, for a pure session.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What a session says to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing yet.
    Silence,
    Say(String),
    /// Say it and hang up.
    HangUp(String),
}

/// One client's session: hears a line without its end, and replies.
pub type Session = Box<dyn FnMut(&str) -> Reply + Send>;

/// Clients at once; more wait.
const CLIENTS_MAX: usize = 32;
/// Longest line, in bytes.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// A client that says nothing for so long is hung up on.
const IDLE_SECONDS_MAX: u64 = 60;

/// Serves until `stop`; returns where it listens.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(
    address: SocketAddr,
    greeting: &'static str,
    session: impl Fn() -> Session + Send + Sync + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        tokio::select! {
            () = stop => {}
            () = accept(listener, greeting, session) => {}
        }
    });
    Ok(address)
}

async fn accept(listener: TcpListener, greeting: &'static str, session: impl Fn() -> Session) {
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((client, _)) = listener.accept().await else { continue };
        let session = session();
        tokio::spawn(async move {
            // A client that breaks off takes only its own session along.
            let _ = converse(client, greeting, session).await;
            drop(place);
        });
    }
}

async fn converse(mut client: TcpStream, greeting: &str, mut session: Session) -> io::Result<()> {
    let (reading, mut writing) = client.split();
    let mut reading = BufReader::new(reading);
    say(&mut writing, greeting).await?;
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reading).take(LINE_BYTES_MAX);
        let read = tokio::time::timeout(Duration::from_secs(IDLE_SECONDS_MAX), limited.read_until(b'\n', &mut line));
        if read.await.map_err(|_| io::ErrorKind::TimedOut)?? == 0 {
            return Ok(());
        }
        match session(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n'])) {
            Reply::Silence => {}
            Reply::Say(words) => say(&mut writing, &words).await?,
            Reply::HangUp(words) => return say(&mut writing, &words).await,
        }
    }
}

async fn say(writing: &mut (impl AsyncWriteExt + Unpin), words: &str) -> io::Result<()> {
    writing.write_all(format!("{words}\r\n").as_bytes()).await?;
    writing.flush().await
}
