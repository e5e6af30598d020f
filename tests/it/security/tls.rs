//! Who is believed to be the far side, and what never leaves when it is somebody else.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::routing::get;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tidegauge::ask::{Ask, Failure, HttpAsk};
use tidegauge::doors::peer::{PeerSettings, Trust};
use tidegauge::ports::serve::{self, TlsFiles};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::doors::far_side::{ANYWHERE, behind_tls, https};
use crate::doors::{carried, wire_to};

/// A request with a bearer that nobody else may see.
fn with_bearer() -> Ask {
    let mut ask = HttpAsk::get("vbr01", "/hello");
    ask.bearer = Some("the-bearer".to_owned().into());
    Ask::Http(ask)
}

async fn refused(peer: PeerSettings) -> Failure {
    carried(&wire_to("vbr01", peer), with_bearer()).await.map(|_| ()).expect_err("it is somebody else")
}

/// A router that counts who comes.
fn counting() -> (Router, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let answer = move || {
        let counted = Arc::clone(&counted);
        async move { counted.fetch_add(1, Ordering::SeqCst).to_string() }
    };
    (Router::new().fallback(get(answer)), count)
}

/// A server whose certificate is valid between the days, and the file of the authority that signed it.
async fn valid_between(from: (i32, u8, u8), until: (i32, u8, u8), router: Router) -> (PeerSettings, TempDir) {
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("a CA");
    let key = KeyPair::generate().expect("a key");
    let mut leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a good name");
    leaf.not_before = date_time_ymd(from.0, from.1, from.2);
    leaf.not_after = date_time_ymd(until.0, until.1, until.2);
    let leaf = leaf.signed_by(&key, &authority).expect("a certificate");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: String| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a temporary file");
        path
    };
    let files = TlsFiles { certificates: file("leaf.pem", leaf.pem()), key: file("key.pem", key.serialize_pem()) };
    let served = serve::tls(ANYWHERE, &files, router, std::future::pending()).await.expect("a free port");
    (https(served.address, Trust::CaFile(file("ca.pem", authority.as_ref().pem()))), folder)
}

#[tokio::test]
async fn a_certificate_that_has_expired_or_is_not_valid_yet_is_refused_and_nothing_is_asked() {
    let (router, came) = counting();
    for (from, until, said) in
        [((2020, 1, 1), (2021, 1, 1), "it has expired"), ((2090, 1, 1), (2091, 1, 1), "it is not valid yet")]
    {
        let (peer, _folder) = valid_between(from, until, router.clone()).await;
        let why = refused(peer).await;
        assert!(matches!(&why, Failure::Untrusted { .. }) && why.to_string().contains(said), "{why}");
    }
    let (peer, _folder) = valid_between((2020, 1, 1), (2090, 1, 1), router).await;
    carried(&wire_to("vbr01", peer), with_bearer()).await.expect("the same certificate in its time is believed");
    assert_eq!(came.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_authority_of_one_ca_file_vouches_for_no_other_server() {
    let (router, came) = counting();
    let (one, other) = (behind_tls(router.clone(), &["127.0.0.1"]).await, behind_tls(router, &["127.0.0.1"]).await);
    let why = refused(one.peer(Trust::CaFile(other.ca_file()))).await;
    assert!(why.to_string().contains("no known authority signed it"), "{why}");
    assert_eq!(came.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_changed_certificate_is_refused_with_host_and_both_fingerprints_before_anything_is_asked() {
    let (router, came) = counting();
    let (before, after) = (behind_tls(router.clone(), &["127.0.0.1"]).await, behind_tls(router, &["127.0.0.1"]).await);
    let why = refused(after.peer(Trust::Pinned(before.made.fingerprint))).await.to_string();
    for said in [after.address.to_string(), before.made.fingerprint.to_string(), after.made.fingerprint.to_string()] {
        assert!(why.contains(&said), "{said}: {why}");
    }
    assert!(!why.contains('\n') && !why.contains("the-bearer"), "{why}");
    assert_eq!(came.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_that_answers_https_in_the_clear_or_by_an_old_tls_is_given_nothing() {
    let plain = |says: &'static [u8]| async move {
        let listener = tokio::net::TcpListener::bind(ANYWHERE).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("one client comes");
            let mut first = vec![0; 4_096];
            let count = stream.read(&mut first).await.expect("a greeting");
            first.truncate(count);
            stream.write_all(says).await.expect("it listens");
            let _ = stream.read_to_end(&mut first).await;
            first
        });
        (address, heard)
    };
    // A ServerHello of TLS 1.1 with TLS_RSA_WITH_AES_128_CBC_SHA.
    const OLD: [u8; 47] = {
        let mut hello = [0; 47];
        (hello[0], hello[1], hello[2], hello[4]) = (0x16, 3, 2, 42);
        (hello[5], hello[8], hello[9], hello[10]) = (2, 38, 3, 2);
        hello[45] = 0x2f;
        hello
    };
    for says in [&b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"[..], &OLD] {
        let (address, heard) = plain(says).await;
        let why = refused(https(address, Trust::Anything)).await;
        assert!(matches!(&why, Failure::Unreachable { .. } | Failure::Broken { .. }), "{why}");
        assert!(why.to_string().contains("TLS"), "{why}");
        let heard = String::from_utf8_lossy(&heard.await.expect("no panic")).into_owned();
        assert!(!heard.contains("the-bearer") && !heard.contains("GET "), "{heard}");
    }
}

#[tokio::test]
async fn what_we_serve_speaks_nothing_older_than_tls_1_2() {
    let (router, came) = counting();
    let far = behind_tls(router, &["127.0.0.1"]).await;
    for version in [1_u8, 2] {
        // A ClientHello of TLS 1.0 or 1.1: version, 32 bytes of chance, no session, one cipher, no compression.
        let mut hello = vec![1, 0, 0, 41, 3, version];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
        let mut record = vec![0x16, 3, 1, 0, u8::try_from(hello.len()).expect("short")];
        record.extend(&hello);
        let mut stream = TcpStream::connect(far.address).await.expect("it accepts");
        stream.write_all(&record).await.expect("it listens");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(answer.first(), Some(&0x15), "an alert, and the end: {answer:?}");
    }
    assert_eq!(came.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_redirect_leads_a_bearer_elsewhere_nor_into_the_clear() {
    let elsewhere = TcpListener::bind(ANYWHERE).expect("a free port");
    elsewhere.set_nonblocking(true).expect("a socket");
    let port = elsewhere.local_addr().expect("it is bound").port();
    let to = format!("http://127.0.0.1:{port}/hello");
    for status in [301_u16, 302, 303, 307, 308] {
        let (location, code) = (to.clone(), StatusCode::from_u16(status).expect("a redirect"));
        let answer = move || async move { (code, [(LOCATION, location)]) };
        let far = behind_tls(Router::new().route("/hello", get(answer)), &["127.0.0.1"]).await;
        let wire = wire_to("vbr01", far.peer(Trust::Pinned(far.made.fingerprint)));
        let answer = carried(&wire, with_bearer()).await.expect("an answer");
        assert_eq!((answer.status, answer.header("location")), (status, Some(to.as_str())));
    }
    assert!(elsewhere.accept().is_err(), "nobody was led there");
}
