//! Which address of a mail server answers: one after the other, each with a limit of its own.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

/// Addresses of a mail server that are tried.
pub const ADDRESSES_MAX: usize = 8;

/// At most [`ADDRESSES_MAX`] of what a name resolves to: IPv6 and IPv4 in turn (RFC 8305, section 4), so that a network
/// without one of them hides no server that the other reaches.
pub fn in_turn(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut rest = addresses.into_iter().peekable();
    let begins_with_six = rest.peek().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = rest.partition(|address| address.is_ipv6() == begins_with_six);
    let mut second = second.into_iter();
    let mut turns = Vec::new();
    for address in first {
        turns.push(address);
        turns.extend(second.next());
    }
    turns.extend(second);
    turns.truncate(ADDRESSES_MAX);
    turns
}

/// The first address that takes a connection within `limit`.
///
/// # Errors
/// The last address's failure; [`io::ErrorKind::TimedOut`] when it did not answer.
pub async fn first_reached(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such name");
    for address in addresses {
        match tokio::time::timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
