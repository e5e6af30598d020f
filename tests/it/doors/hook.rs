//! Endpoints over real sockets: two secrets, answers that are never read, names that resolve to private addresses.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use axum::response::Redirect;
use axum::routing::post;
use axum::{Router, http::StatusCode};
use tidegauge::ask::{Answer, Ask, Failure, HookAsk, HttpAnswer};
use tidegauge::channels::webhook::trial;
use tidegauge::doors::peer::{HookPeer, HttpPeer, PeerSettings, Proof, Reach, SecretPlace, Trust};
use tidegauge::seal::standard_webhooks::signature;
use tidegauge::simulation::receiver::Receiver;

use super::far_side::{ANYWHERE, Says, scripted};
use super::{wire_to, write_private};
use tidegauge::doors::Wire;

const PEER: &str = "webhook:ops";
const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi0zMi1ieXRlcy4u";

fn hook(base_url: String, proof: Proof, reach: Reach) -> PeerSettings {
    let server = HttpPeer { base_url, trust: Trust::System, login: None, api_key: None };
    PeerSettings::Hook(HookPeer { server, path: "/?token=hidden".to_owned(), proof, reach })
}

fn message() -> HookAsk {
    trial(PEER, "2026-11-01T00:00:00Z".parse().expect("an instant"))
}

async fn sent(peer: PeerSettings, message: HookAsk) -> Result<HttpAnswer, Failure> {
    match wire_to(PEER, peer).carry(Ask::Hook(message)).await {
        Answer::Http(answer) => Ok(answer),
        Answer::Failed(failure) => Err(failure),
        odd => panic!("a message has no such answer: {odd:?}"),
    }
}

async fn served(router: Router) -> String {
    let served = tidegauge::ports::serve::plain(ANYWHERE, router, std::future::pending()).await.expect("a free port");
    format!("http://127.0.0.1:{}", served.address.port())
}

fn files(folder: &tempfile::TempDir, secrets: &[&str]) -> Vec<SecretPlace> {
    let file = |(number, secret): (usize, &&str)| {
        let path: PathBuf = folder.path().join(format!("secret{number}"));
        write_private(&path, secret);
        SecretPlace::File(path)
    };
    secrets.iter().enumerate().map(file).collect()
}

#[tokio::test]
async fn each_secret_signs_the_hour_of_the_try() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let receiver = Receiver::default();
    let url = served(receiver.router()).await;
    let answer = sent(hook(url, Proof::Signed(files(&folder, &[OLD, NEW])), Reach::Anywhere), message()).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(204));
    let heard = receiver.heard();
    let timestamp: i64 = heard[0].timestamp.parse().expect("seconds since 1970");
    let by = |secret: &str| signature(&secret.to_owned().into(), &heard[0].id, timestamp, &heard[0].body).expect("one");
    assert_eq!(heard[0].signature, format!("{} {}", by(OLD), by(NEW)));
    assert_eq!((heard[0].id.as_str(), heard[0].media_type.as_str()), ("webhook-test-1793491200", "application/json"));
    assert!(timestamp > 1_700_000_000);
}

#[tokio::test]
async fn a_wrong_secret_sends_nothing_and_is_shown_nowhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let receiver = Receiver::default();
    let url = served(receiver.router()).await;
    let refused = sent(hook(url, Proof::Signed(files(&folder, &["hunter2"])), Reach::Anywhere), message()).await;
    let why = refused.expect_err("no secret").to_string();
    assert!(why.contains("secret0: it holds no webhook secret") && !why.contains("hunter2"), "{why}");
    assert!(receiver.heard().is_empty());
}

#[tokio::test]
async fn a_private_address_is_refused_however_it_is_written_and_nothing_connects() {
    let listener = TcpListener::bind(ANYWHERE).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    // A name that resolves to this machine, addresses in four spellings, and the metadata of a cloud.
    let hosts = ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "169.254.169.254"];
    for host in hosts {
        let peer = hook(format!("https://{host}:{port}"), Proof::None, Reach::Public);
        let why = sent(peer, message()).await.expect_err("it is private").to_string();
        assert!(why.contains("no address of the public internet") && why.contains("allow_private"), "{host}: {why}");
        assert!(!why.contains("hidden"), "the path may hold a token: {why}");
    }
    listener.set_nonblocking(true).expect("a socket");
    assert!(listener.accept().is_err(), "nothing connected");
}

#[tokio::test]
async fn redirects_are_answers_and_endless_bodies_are_not_read() {
    let router = Router::new().route("/", post(|| async { Redirect::temporary("http://169.254.169.254/") }));
    let answer = sent(hook(served(router).await, Proof::None, Reach::Anywhere), message()).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(307));
    let router = Router::new().route("/", post(|| async { StatusCode::GONE }));
    let answer = sent(hook(served(router).await, Proof::None, Reach::Anywhere), message()).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(410));
    let endless = scripted(Says::Endlessly(vec![b'x'; 4_096])).await;
    let url = format!("http://127.0.0.1:{}", endless.port());
    let ended = tokio::time::timeout(Duration::from_secs(10), sent(hook(url, Proof::None, Reach::Anywhere), message()));
    assert_eq!(ended.await.expect("the body is not awaited").map(|answer| answer.status), Ok(200));
    let silent = scripted(Says::Nothing).await;
    let url = format!("http://127.0.0.1:{}", silent.port());
    let impatient = HookAsk { seconds_max: 1, ..message() };
    let failure = sent(hook(url, Proof::None, Reach::Anywhere), impatient).await.expect_err("it says nothing");
    assert_eq!(failure, Failure::TimedOut { after_seconds: 1 });
}

#[tokio::test]
async fn an_authorization_is_the_whole_header_and_is_read_for_each_try() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hears = |headers: axum::http::HeaderMap| async move {
        let said = headers.get("authorization").and_then(|value| value.to_str().ok());
        if said == Some("Bearer second") { StatusCode::ACCEPTED } else { StatusCode::UNAUTHORIZED }
    };
    let url = served(Router::new().route("/", post(hears))).await;
    let place = files(&folder, &["Bearer first\n"]).remove(0);
    let peer = hook(url, Proof::Authorization(place.clone()), Reach::Anywhere);
    let first = sent(peer.clone(), message()).await;
    assert_eq!(first.map(|answer| answer.status), Ok(401));
    let SecretPlace::File(path) = place else { panic!("it is a file") };
    write_private(&path, "Bearer second\n");
    assert_eq!(sent(peer, message()).await.map(|answer| answer.status), Ok(202));
}
