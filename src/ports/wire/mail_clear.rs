//! The bytes of a mail connection before TLS: nothing is read ahead, and not without end.
//!
//! The library keeps what it has read ahead over STARTTLS. Whoever sits between could have answers of his own taken for
//! those of the server behind TLS (CVE-2021-38371 is one of many). Here each read gives one byte while lines are spoken, so
//! that whatever follows the answer to STARTTLS meets the TLS handshake, which ends at it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Most bytes that a mail server says in the clear in one connection.
const CLEAR_BYTES_MAX: usize = 256 << 10;
/// What the first byte of a TLS handshake is; no command begins so.
const HANDSHAKE: u8 = 0x16;

/// A connection that begins in the clear.
#[derive(Debug)]
pub struct Clear {
    stream: TcpStream,
    speaks: Speaks,
}

#[derive(Debug)]
enum Speaks {
    /// Lines; so many bytes may still come.
    Lines {
        left: usize,
    },
    Tls,
}

impl Clear {
    pub fn new(stream: TcpStream) -> Clear {
        Clear { stream, speaks: Speaks::Lines { left: CLEAR_BYTES_MAX } }
    }
}

impl AsyncTokioStream for Clear {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Clear {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Clear { stream, speaks } = &mut *self;
        let left = match speaks {
            Speaks::Tls => return Pin::new(stream).poll_read(context, buffer),
            Speaks::Lines { left: 0 } => {
                let why = "the mail server says more than one mail needs";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
            }
            Speaks::Lines { left } => left,
        };
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        let read = Pin::new(stream).poll_read(context, &mut one);
        *left -= one.filled().len();
        buffer.put_slice(one.filled());
        read
    }
}

impl AsyncWrite for Clear {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.first() == Some(&HANDSHAKE) {
            self.speaks = Speaks::Tls;
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
