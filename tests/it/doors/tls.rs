//! Which certificates are believed, and what is said of the others.

use axum::Router;
use axum::routing::get;
use tidegauge::ask::{Ask, Failure, HttpAsk};
use tidegauge::doors::peer::{Fingerprint, PeerSettings, Trust};

use super::far_side::{FarSide, behind_tls};
use super::{carried, wire_to};

async fn hello(names: &[&str]) -> FarSide {
    behind_tls(Router::new().route("/hello", get(|| async { "hello" })), names).await
}

async fn ask_with(peer: PeerSettings) -> Result<String, Failure> {
    let answer = carried(&wire_to("vbr01", peer), Ask::Http(HttpAsk::get("vbr01", "/hello"))).await?;
    Ok(String::from_utf8(answer.body).expect("text"))
}

#[tokio::test]
async fn a_certificate_of_the_ca_file_is_believed() {
    let far = hello(&["127.0.0.1"]).await;
    assert_eq!(ask_with(far.peer(Trust::CaFile(far.ca_file()))).await.as_deref(), Ok("hello"));
}

#[tokio::test]
async fn the_pinned_certificate_is_believed_whatever_its_name() {
    let far = hello(&["other.example.net"]).await;
    assert_eq!(ask_with(far.peer(Trust::Pinned(far.made.fingerprint))).await.as_deref(), Ok("hello"));
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused_and_named() {
    let far = hello(&["127.0.0.1"]).await;
    let refused = ask_with(far.peer(Trust::Pinned(Fingerprint([7; 32])))).await.expect_err("the wrong pin");
    let why = format!("{}: it is not the pinned certificate, SHA-256 {}", far.address, "07".repeat(32));
    let seen = far.made.fingerprint.to_string();
    assert_eq!(refused, Failure::Untrusted { why, seen_sha256: Some(seen) });
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_with_its_fingerprint() {
    let far = hello(&["127.0.0.1"]).await;
    let Err(Failure::Untrusted { why, seen_sha256 }) = ask_with(far.peer(Trust::System)).await else {
        panic!("no authority of the system signed it");
    };
    assert!(why.contains("no known authority signed it"), "{why}");
    assert_eq!(seen_sha256, Some(far.made.fingerprint.to_string()));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let far = hello(&["other.example.net"]).await;
    let refused = ask_with(far.peer(Trust::CaFile(far.ca_file()))).await.expect_err("the wrong name");
    assert!(refused.to_string().contains("it is for another host name"), "{refused}");
}

#[tokio::test]
async fn with_insecure_any_certificate_does() {
    let far = hello(&["other.example.net"]).await;
    assert_eq!(ask_with(far.peer(Trust::Anything)).await.as_deref(), Ok("hello"));
}

#[tokio::test]
async fn a_ca_file_that_is_missing_or_empty_is_named() {
    let far = hello(&["127.0.0.1"]).await;
    let missing = ask_with(far.peer(Trust::CaFile("nowhere.pem".into()))).await.expect_err("no such file");
    assert!(missing.to_string().starts_with("ca_file nowhere.pem: "), "{missing}");
    let empty = far.folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").expect("a temporary file");
    let refused = ask_with(far.peer(Trust::CaFile(empty))).await.expect_err("no certificate in it");
    assert!(refused.to_string().contains("it holds no certificate"), "{refused}");
}
