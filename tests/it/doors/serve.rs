//! Serving: a stop that lets requests end, handshakes that hold up nobody, a private control socket.

use axum::Router;
use axum::routing::{get, post};
use tidegauge::ask::{Ask, Failure, HttpAsk, Method};
use tidegauge::doors::peer::Trust;
use tidegauge::ports::{control, serve};
use tokio::sync::oneshot;

use super::far_side::{ANYWHERE, behind_tls, plain_http};
use super::{carried, wire_to};

#[tokio::test]
async fn a_stop_lets_the_running_request_end() {
    let (begun, mut beginnings) = tokio::sync::mpsc::channel::<oneshot::Sender<()>>(1);
    let slow = move || {
        let begun = begun.clone();
        async move {
            let (go_on, wait) = oneshot::channel();
            begun.send(go_on).await.expect("the test listens");
            wait.await.expect("the test answers");
            "done"
        }
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let router = Router::new().route("/slow", get(slow));
    let until = async { drop(stopped.await) };
    let served = serve::plain(ANYWHERE, router, until).await.expect("a free port");
    let address = served.address;
    let asked = tokio::spawn(async move {
        carried(&wire_to("agent", plain_http(address)), Ask::Http(HttpAsk::get("agent", "/slow"))).await
    });
    let go_on = beginnings.recv().await.expect("the request came");
    stop.send(()).expect("it serves");
    go_on.send(()).expect("it waits");
    assert_eq!(asked.await.expect("no panic").expect("an answer").body, b"done");
    served.ended().await.expect("it ends");
    let refused = carried(&wire_to("agent", plain_http(address)), Ask::Http(HttpAsk::get("agent", "/slow"))).await;
    assert!(matches!(refused, Err(Failure::Unreachable { .. })));
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_holds_up_nobody() {
    let far = behind_tls(Router::new().route("/", get(|| async { "served" })), &["127.0.0.1"]).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(tokio::net::TcpStream::connect(far.address).await.expect("it accepts"));
    }
    let peer = far.peer(Trust::Pinned(far.made.fingerprint));
    let ask = HttpAsk { seconds_max: 5, ..HttpAsk::get("vbr01", "/") };
    assert_eq!(carried(&wire_to("vbr01", peer), Ask::Http(ask)).await.expect("an answer").body, b"served");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = serve::plain(ANYWHERE, Router::new(), std::future::pending()).await.expect("a free port");
    let Err(refused) = serve::plain(first.address, Router::new(), std::future::pending()).await else {
        panic!("the port is taken");
    };
    assert!(refused.to_string().starts_with(&format!("cannot listen on {}: ", first.address)), "{refused}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_control_socket_belongs_to_its_user_and_goes_with_the_agent() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("control.sock");
    // One that a killed agent left behind.
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a free name"));
    let router = Router::new()
        .route("/api/v1/status", get(|| async { "standing" }))
        .route("/api/v1/order", post(|body: String| async move { format!("heard {body}") }));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = serve::unix(&socket, router, async { drop(stopped.await) }).await.expect("a free name");
    let mode = std::fs::metadata(&socket).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let status = control::ask(&socket, Method::Get, "/api/v1/status", None).await.expect("an answer");
    assert_eq!((status.status, status.body.as_slice()), (200, b"standing".as_slice()));
    let heard = control::ask(&socket, Method::Post, "/api/v1/order", Some(b"{}".to_vec())).await.expect("an answer");
    assert_eq!(heard.body, b"heard {}");
    drop(stop);
    serving.await.expect("no panic");
    assert!(!socket.exists());
    let gone = control::ask(&socket, Method::Get, "/api/v1/status", None).await.expect_err("nobody listens");
    assert!(matches!(&gone, Failure::Unreachable { why } if why.contains("control.sock")), "{gone}");
}
