//! `bench post`: posts the messages of a file to a License Update Server over many connections.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::print_line;
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::ports::load::{Posted, Posts, post};
use crate::ports::meter::Meter;

/// Bytes before a body that say how long it is.
const LENGTH_BYTES: usize = 4;

/// Options of `bench post`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// Where the server listens, without TLS: http://ADDRESS:PORT
    #[arg(long, value_name = "URL")]
    url: String,
    /// Connections at the same time, each kept alive
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// How long it posts
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// What `bench messages` wrote
    #[arg(long, value_name = "FILE")]
    messages: PathBuf,
    /// Messages of the file that are left out, as they were posted before
    #[arg(long, default_value_t = 0, value_name = "N")]
    skip: usize,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let failed = |why: String| Refused::new(66, format!("{}: {why}", asked.messages.display()));
    let bytes = session.doors.files.read(&asked.messages).map_err(|error| failed(error.to_string()))?;
    let bytes = bytes.ok_or_else(|| failed("there is no such file".to_owned()))?;
    let (path, bodies) = posts_in(&bytes).ok_or_else(|| failed("`bench messages` wrote it otherwise".to_owned()))?;
    let address = asked.url.trim_start_matches("http://").trim_end_matches('/').parse();
    let address: SocketAddr =
        address.map_err(|_| Refused::new(2, format!("'{}' is no http://ADDRESS:PORT", asked.url)))?;
    let bodies = bodies.get(asked.skip..).unwrap_or_default();
    let posts = Posts {
        address,
        path,
        bodies: bodies.into(),
        bytes: bytes.into(),
        connections: asked.connections as usize,
        lasts: Duration::from_secs(u64::from(asked.seconds)),
    };
    let meter = Meter::begin();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Refused::new(1, format!("cannot start: {error}")))?;
    let posted = runtime.block_on(post(posts)).map_err(|error| Refused::new(69, format!("{}: {error}", asked.url)))?;
    let Posted { accepted, refused, took, .. } = posted;
    let line = json!({
        "bench": "post",
        "posted": accepted,
        "refused": refused,
        "posts_per_s": accepted as f64 / took.as_secs_f64(),
        "p50_ms": posted.within_ms(50),
        "p99_ms": posted.within_ms(99),
        "connections": asked.connections,
    });
    print_line(session, &meter, line)
}

/// The path, and where each body stands.
fn posts_in(bytes: &[u8]) -> Option<(String, Vec<Range<usize>>)> {
    let path_len = bytes.iter().position(|byte| *byte == b'\n')?;
    let path = std::str::from_utf8(&bytes[..path_len]).ok()?;
    let (mut bodies, mut offset) = (Vec::new(), path_len + 1);
    while offset < bytes.len() {
        let begins = offset + LENGTH_BYTES;
        let length = u32::from_le_bytes(bytes.get(offset..begins)?.try_into().ok()?);
        offset = begins + usize::try_from(length).ok()?;
        bytes.get(begins..offset)?;
        bodies.push(begins..offset);
    }
    Some((path.to_owned(), bodies))
}
