//! The connections of one listener: how many at once, and how slow each may be.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::serve::Listener;
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tower::ServiceExt;

use super::taking::Taking;

/// Connections of one listener at once.
const CONNECTIONS_MAX: usize = 512;
/// Most bytes of a request's head; a longer one is answered with 431.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Longest wait for a request's head, and for the next request of a connection.
const HEAD_SECONDS_MAX: u64 = 40;
/// Longest pause within a request's body.
const PAUSE_SECONDS_MAX: u64 = 30;
/// Longest time for a whole body, besides what its bytes earn it.
const BODY_SECONDS_MAX: u64 = 300;
/// So many bytes of a body put its end off by a second: whoever sends as much may send as long as the limit of bytes lets him.
const BODY_BYTES_A_SECOND: u64 = 16 << 10;
/// Longest time in which a client takes nothing of its answer.
const TAKING_SECONDS_MAX: u64 = 30;
/// How long requests may go on after the stop.
const STOP_SECONDS_MAX: u64 = 10;

/// How much of us the outside may hold, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Connections at once; more wait in the operating system's queue.
    pub connections: usize,
    /// Longest wait for a request's head, and how long an unused connection is kept: longer than our clients keep theirs.
    pub head: Duration,
    /// Longest pause within a request's body.
    pub pause: Duration,
    /// Longest time that a whole body may take, besides a second for each 16 KiB of it.
    pub body: Duration,
    /// Longest time in which a client takes nothing of its answer ([`Taking`]).
    pub taking: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connections: CONNECTIONS_MAX,
            head: Duration::from_secs(HEAD_SECONDS_MAX),
            pause: Duration::from_secs(PAUSE_SECONDS_MAX),
            body: Duration::from_secs(BODY_SECONDS_MAX),
            taking: Duration::from_secs(TAKING_SECONDS_MAX),
        }
    }
}

/// Serves what the listener hands out until `stop`; requests that run are answered.
pub async fn serve<L: Listener>(
    mut listener: L,
    peer: fn(&L::Addr) -> Option<SocketAddr>,
    router: Router,
    patience: Patience,
    stop: impl Future<Output = ()>,
) {
    let (stopped, stopping) = watch::channel(false);
    let places = Arc::new(Semaphore::new(patience.connections));
    let mut open = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        tokio::select! {
            ((stream, address), place) = next => {
                let one = one(stream, peer(&address), router.clone(), patience, stopping.clone());
                open.spawn(async move {
                    one.await;
                    drop(place);
                });
            }
            Some(_) = open.join_next() => {}
            () = &mut stop => break,
        }
    }
    drop(listener);
    let _ = stopped.send(true);
    let all = async { while open.join_next().await.is_some() {} };
    // What is still open then is closed.
    let _ = timeout(Duration::from_secs(STOP_SECONDS_MAX), all).await;
}

/// Serves one connection until it ends, or until its running request is answered after the stop.
async fn one<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Option<SocketAddr>,
    router: Router,
    patience: Patience,
    mut stopping: watch::Receiver<bool>,
) {
    let service = router.map_request(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(|body| Body::new(Arriving::new(body, patience)));
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(HEAD_BYTES_MAX);
    let stream = TokioIo::new(Taking::new(stream, patience.taking));
    let mut connection = pin!(http.serve_connection(stream, TowerToHyperService::new(service)));
    let told = async {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    // How a connection ends is the client's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = told => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// A request's body that has to arrive in time.
///
/// Its clock begins when we first ask for a part: a client that waits for our `100 Continue` is not late while we are busy.
struct Arriving {
    body: Incoming,
    patience: Patience,
    /// When the whole of it is overdue; each part puts it off.
    ends: Option<Instant>,
    /// Since a part is waited for: until it is overdue.
    waiting: Option<Pin<Box<Sleep>>>,
}

/// A request's body that did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
struct Overdue;

impl Arriving {
    fn new(body: Incoming, patience: Patience) -> Arriving {
        Arriving { body, patience, ends: None, waiting: None }
    }

    /// What so many bytes put the end off by.
    fn earned(bytes: usize) -> Duration {
        Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / BODY_BYTES_A_SECOND)
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let Arriving { body, patience, ends, waiting } = &mut *self;
        let now = Instant::now();
        let ends = ends.get_or_insert(now + patience.body);
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            *waiting = None;
            if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
                *ends += Arriving::earned(data.len());
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let overdue = (now + patience.pause).min(*ends);
        let waiting = waiting.get_or_insert_with(|| Box::pin(sleep_until(overdue)));
        waiting.as_mut().poll(context).map(|()| Some(Err(Overdue.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
