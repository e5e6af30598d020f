//! Requests and answers that are slow, endless or too large: what they hold of us, and for how long.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::routing::{get, post};
use tidegauge::ask::{Ask, Failure, HttpAsk};
use tidegauge::ports::serve::{self, Patience};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::console::OPEN_REPORT;
use crate::doors::far_side::{ANYWHERE, plain_http};
use crate::doors::{carried, wire_to};

/// Longest wait of a test for what must come by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Much less patience than the program has.
fn hasty() -> Patience {
    let short = Duration::from_millis(200);
    Patience { connections: 4, head: short, pause: short, body: 4 * short, taking: short }
}

/// Reads a body only after a while.
async fn busy(request: Request) -> String {
    let mut ticks = tokio::time::interval(2 * hasty().body);
    ticks.tick().await;
    ticks.tick().await;
    match axum::body::to_bytes(request.into_body(), 1_024).await {
        Ok(body) => body.len().to_string(),
        Err(error) => error.to_string(),
    }
}

async fn serving(patience: Patience) -> SocketAddr {
    let router = Router::new()
        .route("/", get(|| async { "served" }))
        .route("/body", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/busy", post(busy))
        .route("/long", get(|| async { vec![b'x'; 64 << 20] }));
    serve::plain_with(patience, ANYWHERE, router, std::future::pending()).await.expect("a free port").address
}

/// What is answered after these bytes, until the connection is closed.
async fn answered(address: SocketAddr, says: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it accepts");
    stream.write_all(says).await.expect("it listens");
    let mut answer = Vec::new();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A reset is an end too.
    let _ = end.expect("the connection is closed");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_head_that_does_not_come_and_a_connection_that_is_not_used_are_closed() {
    let address = serving(hasty()).await;
    assert!(!answered(address, b"").await.contains("200"));
    assert!(!answered(address, b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await.contains("200"));
    let kept = answered(address, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(kept.starts_with("HTTP/1.1 200 OK") && kept.ends_with("served"), "{kept}");
}

#[tokio::test]
async fn a_body_that_stops_or_drips_is_not_waited_for() {
    let address = serving(hasty()).await;
    let head = b"POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n";
    let stopped = answered(address, head).await;
    assert!(stopped.starts_with("HTTP/1.1 4"), "{stopped}");
    // Each drop comes in time, and all of them together do not.
    let (mut hears, mut says) = TcpStream::connect(address).await.expect("it accepts").into_split();
    let drips = tokio::spawn(async move {
        says.write_all(head).await?;
        let mut drop = tokio::time::interval(Duration::from_millis(50));
        for _ in 0..900 {
            drop.tick().await;
            says.write_all(b"x").await?;
        }
        std::io::Result::Ok(())
    });
    let mut answer = vec![0; 12];
    let read = tokio::time::timeout(Duration::from_secs(20), hears.read_exact(&mut answer)).await;
    assert!(read.is_ok(), "it is answered before the last drop");
    assert!(answer.starts_with(b"HTTP/1.1 4") || answer == [0; 12], "{answer:?}");
    drips.abort();
}

#[tokio::test]
async fn a_body_that_goes_on_arriving_is_waited_for_beyond_the_limit_of_the_whole() {
    // A pause that a busy machine does not make by itself.
    let patience = Patience { pause: PATIENCE, ..hasty() };
    let address = serving(patience).await;
    let (first, second) = ([b'x'; 64 << 10], [b'y'; 40]);
    let length = first.len() + second.len();
    let head =
        format!("POST /body HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    let mut stream = TcpStream::connect(address).await.expect("it accepts");
    stream.write_all(head.as_bytes()).await.expect("it listens");
    // These earn four seconds; the rest takes two.
    stream.write_all(&first).await.expect("it listens");
    let mut drop = tokio::time::interval(patience.body / 16);
    for byte in second {
        drop.tick().await;
        stream.write_all(&[byte]).await.expect("it listens");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&length.to_string()), "{answer}");
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_to_go_on_is_not_late_while_we_are_busy() {
    let address = serving(Patience { pause: hasty().body, ..hasty() }).await;
    let mut stream = TcpStream::connect(address).await.expect("it accepts");
    let head = b"POST /busy HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    stream.write_all(head).await.expect("it listens");
    let mut told = [0; 12];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut told)).await.expect("it answers").expect("whole");
    assert_eq!(String::from_utf8_lossy(&told), "HTTP/1.1 100");
    stream.write_all(b"body").await.expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    assert!(answer.contains("HTTP/1.1 200") && answer.ends_with("\r\n4"), "{answer}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
    let address = serving(Patience { connections: 1, ..hasty() }).await;
    let small = TcpSocket::new_v4().expect("a socket");
    small.set_recv_buffer_size(16 << 10).expect("before it connects");
    let mut deaf = small.connect(address).await.expect("it accepts");
    deaf.write_all(b"GET /long HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("it listens");
    // The one place is his until he is let go.
    let other = answered(address, b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(other.ends_with("served"), "{other}");
    // Little was kept for him: who takes slowly is seen taking.
    let mut kept = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, deaf.read_to_end(&mut kept)).await.expect("it has ended");
    assert!(kept.len() < 1 << 20, "{} bytes", kept.len());
}

#[tokio::test]
async fn more_connections_than_there_are_places_wait_and_are_served() {
    let address = serving(hasty()).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(address).await.expect("the system's queue takes it"));
    }
    let other = answered(address, b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(other.ends_with("served"), "{other}");
}

#[tokio::test]
async fn an_endless_head_is_refused() {
    let address = serving(Patience::default()).await;
    let mut head = b"GET / HTTP/1.1\r\nhost: localhost\r\n".to_vec();
    head.extend(format!("x-long: {}\r\n\r\n", "x".repeat(200_000)).as_bytes());
    let answer = answered(address, &head).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many: String = (0..500).map(|n| format!("x-{n}: 1\r\n")).collect();
    let answer = answered(address, format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn one_request_is_never_read_as_two() {
    let address = serving(Patience::default()).await;
    for smuggled in [
        "POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: +5\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked, identity\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost : localhost\r\ncontent-length: 5\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: localhost\r\n x: folded\r\n\r\n",
    ] {
        let request = format!("{smuggled}0\r\n\r\nGET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = answered(address, request.as_bytes()).await;
        assert!(!answer.contains("served"), "{smuggled:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{smuggled:?}: {answer}");
    }
}

#[test]
fn a_form_beyond_its_limit_is_refused_by_the_console() {
    let vera = OPEN_REPORT.signed_in("vera");
    let long = "x".repeat(8 << 20);
    let page = vera.send("/sign-in", &[("name", "vera"), ("password", &long), ("to", "/")]);
    assert_eq!(page.status.as_u16(), 413);
}

#[tokio::test]
async fn an_answer_that_drips_ends_at_the_limit_of_the_whole() {
    let listener = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let endless = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("one client comes");
        assert!(stream.read(&mut [0; 1_024]).await.is_ok_and(|count| count > 0), "a request comes");
        let mut drop = tokio::time::interval(Duration::from_millis(50));
        let mut says = b"HTTP/1.1 200 OK\r\nx-drips: ".to_vec();
        while stream.write_all(&says).await.is_ok() {
            says = b"x".to_vec();
            drop.tick().await;
        }
    });
    let ask = HttpAsk { seconds_max: 1, ..HttpAsk::get("vbr01", "/") };
    let failure = carried(&wire_to("vbr01", plain_http(address)), Ask::Http(ask)).await.map(|_| ());
    assert_eq!(failure, Err(Failure::TimedOut { after_seconds: 1 }));
    endless.abort();
}

#[tokio::test]
async fn an_endless_head_of_an_answer_is_refused() {
    let listener = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let endless = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("one client comes");
        assert!(stream.read(&mut [0; 1_024]).await.is_ok_and(|count| count > 0), "a request comes");
        let mut count = 0_usize;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(&[b'x'; 4_096]).await.is_ok() {
            count += 4_096;
        }
        count
    });
    let failure = carried(&wire_to("vbr01", plain_http(address)), Ask::Http(HttpAsk::get("vbr01", "/"))).await;
    assert!(matches!(failure, Err(Failure::Broken { .. })), "{failure:?}");
    assert!(endless.await.expect("no panic") < 16 << 20);
}
