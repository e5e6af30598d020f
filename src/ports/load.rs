//! Posts bodies to a server over kept connections, as fast as it answers: what the server is measured with.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What is posted, each body once.
#[derive(Clone)]
pub struct Posts {
    pub address: SocketAddr,
    pub path: String,
    pub bytes: Arc<[u8]>,
    /// The bodies within the bytes.
    pub bodies: Arc<[Range<usize>]>,
    /// At once, each kept.
    pub connections: usize,
    /// No body is begun after it.
    pub lasts: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Posted {
    pub accepted: u64,
    /// Answered with another status than 200.
    pub refused: u64,
    /// From the first request to the last answer.
    pub took: Duration,
    /// Of each answer, in microseconds, the shortest first.
    pub waits_us: Vec<u32>,
}

impl Posted {
    /// How long so many in a hundred waited at most, in milliseconds; 0 without an answer.
    pub fn within_ms(&self, percent: usize) -> f64 {
        let last = self.waits_us.len().saturating_sub(1);
        self.waits_us.get(last * percent / 100).map_or(0.0, |wait| f64::from(*wait) / 1_000.0)
    }
}

/// Posts until there are no more bodies, or the time is over.
///
/// # Errors
/// The server cannot be reached, hangs up, or answers something else than HTTP with a length.
pub async fn post(posts: Posts) -> io::Result<Posted> {
    let next = Arc::new(AtomicUsize::new(0));
    let begins = Instant::now();
    let mut open = Vec::new();
    for _ in 0..posts.connections {
        open.push(tokio::spawn(one(posts.clone(), Arc::clone(&next), begins)));
    }
    let mut posted = Posted::default();
    for connection in open {
        let one = connection.await.map_err(io::Error::other)??;
        posted.accepted += one.accepted;
        posted.refused += one.refused;
        posted.waits_us.extend(one.waits_us);
    }
    posted.took = begins.elapsed();
    posted.waits_us.sort_unstable();
    Ok(posted)
}

async fn one(posts: Posts, next: Arc<AtomicUsize>, begins: Instant) -> io::Result<Posted> {
    let mut stream = TcpStream::connect(posts.address).await?;
    stream.set_nodelay(true)?;
    let (mut posted, mut request, mut answer) = (Posted::default(), Vec::new(), Vec::new());
    while begins.elapsed() < posts.lasts {
        let Some(range) = posts.bodies.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
        let body = &posts.bytes[range.clone()];
        request.clear();
        let (path, address) = (&posts.path, posts.address);
        request
            .extend(format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/jose\r\n").bytes());
        request.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
        request.extend_from_slice(body);
        let asked_at = Instant::now();
        stream.write_all(&request).await?;
        match answered(&mut stream, &mut answer).await? {
            200 => posted.accepted += 1,
            _ => posted.refused += 1,
        }
        posted.waits_us.push(u32::try_from(asked_at.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(posted)
}

/// Reads one answer to its end; its status.
async fn answered(stream: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<u16> {
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "the answer is no HTTP with a length");
    answer.clear();
    while answer.len() < ANSWER_BYTES_MAX {
        if stream.read_buf(answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(head_len) = memchr::memmem::find(answer, b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..head_len]).map_err(|_| odd())?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).ok_or_else(odd)?;
        let length: usize = length.parse().map_err(|_| odd())?;
        if answer.len() >= head_len + 4 + length {
            return head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(odd);
        }
    }
    Err(odd())
}
