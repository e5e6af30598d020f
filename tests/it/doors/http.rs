//! HTTP answers that are slow, endless, broken, redirected; logins filled in by the wire.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::{delete, get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tidegauge::ask::{Ask, Body, Failure, FormValue, HeaderSecret, HttpAsk};
use tidegauge::doors::peer::{HttpPeer, Login, PeerSettings, SecretPlace};

use super::far_side::{ANYWHERE, Says, plain_http, scripted};
use super::{carried, wire_to, write_private};

async fn asked_of(says: Says, ask: HttpAsk) -> Failure {
    let address = scripted(says).await;
    carried(&wire_to("vbr01", plain_http(address)), Ask::Http(ask)).await.map(|_| ()).expect_err("the far side is ill")
}

async fn served(router: Router) -> PeerSettings {
    let stop = std::future::pending();
    let served = tidegauge::ports::serve::plain(ANYWHERE, router, stop).await.expect("a free port");
    plain_http(served.address)
}

#[tokio::test]
async fn a_server_that_never_answers_times_out() {
    let ask = HttpAsk { seconds_max: 1, ..HttpAsk::get("vbr01", "/") };
    assert_eq!(asked_of(Says::Nothing, ask).await, Failure::TimedOut { after_seconds: 1 });
}

#[tokio::test]
async fn an_endless_answer_is_cut_at_the_limit() {
    let ask = HttpAsk { bytes_max: 100_000, ..HttpAsk::get("vbr01", "/") };
    assert_eq!(asked_of(Says::Endlessly(vec![b'x'; 4_096]), ask).await, Failure::TooLarge { bytes_max: 100_000 });
}

#[tokio::test]
async fn a_long_answer_is_refused_before_it_is_read() {
    let ask = HttpAsk { bytes_max: 10, ..HttpAsk::get("vbr01", "/") };
    let says = Says::Then(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n".to_vec());
    assert_eq!(asked_of(says, ask).await, Failure::TooLarge { bytes_max: 10 });
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let says = Says::Then(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":".to_vec());
    let failure = asked_of(says, HttpAsk::get("vbr01", "/")).await;
    assert!(matches!(&failure, Failure::Broken { .. }), "{failure}");
    let failure = asked_of(Says::Then(b"HTTP/1.1 2".to_vec()), HttpAsk::get("vbr01", "/")).await;
    assert!(matches!(&failure, Failure::Broken { .. }), "{failure}");
}

#[tokio::test]
async fn nobody_there_is_unreachable_with_host_and_port() {
    let address = {
        let listener = std::net::TcpListener::bind(ANYWHERE).expect("a free port");
        listener.local_addr().expect("it is bound")
    };
    let failure = carried(&wire_to("vbr01", plain_http(address)), Ask::Http(HttpAsk::get("vbr01", "/"))).await;
    let failure = failure.expect_err("nobody listens");
    assert!(matches!(&failure, Failure::Unreachable { .. }), "{failure}");
    assert!(failure.to_string().contains(&address.to_string()), "{failure}");
}

#[tokio::test]
async fn an_unknown_peer_is_a_matter_of_the_settings() {
    let failure = carried(&wire_to("vbr01", plain_http(ANYWHERE)), Ask::Http(HttpAsk::get("vbr02", "/"))).await;
    assert_eq!(failure.expect_err("no such peer"), Failure::Settings { why: "the settings give vbr02 no url".into() });
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let peer = served(Router::new().route("/here", get(|| async { Redirect::to("/there") }))).await;
    let answer = carried(&wire_to("vbr01", peer), Ask::Http(HttpAsk::get("vbr01", "/here"))).await.expect("an answer");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/there")));
}

#[tokio::test]
async fn headers_bearer_and_bytes_arrive_as_asked() {
    async fn shown(headers: HeaderMap, body: Bytes) -> String {
        let header = |name: &str| headers[name].to_str().expect("text").to_owned();
        format!("{} {} {} {}", header("x-api-version"), header("authorization"), header("content-type"), body.len())
    }
    let peer = served(Router::new().route("/in", post(shown))).await;
    let mut ask = HttpAsk::post("vbr01", "/in?a=1", Body::Bytes("application/jose", vec![0; 5]));
    ask.headers.push(("x-api-version".into(), "1.3-rev1".into()));
    ask.bearer = Some("token".to_owned().into());
    let answer = carried(&wire_to("vbr01", peer), Ask::Http(ask)).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer.body), "1.3-rev1 Bearer token application/jose 5");
}

fn with_login(peer: PeerSettings, password: SecretPlace) -> PeerSettings {
    let PeerSettings::Http(peer) = peer else { panic!("an HTTP peer") };
    let login = Some(Login { username: "DOMAIN\\tide gauge".into(), password });
    PeerSettings::Http(HttpPeer { login, ..peer })
}

/// What was told, so that it comes back: as it is it would be masked.
fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

fn login_form() -> HttpAsk {
    let fields = vec![
        ("grant_type", FormValue::Text("password".into())),
        ("username", FormValue::PeerUsername),
        ("password", FormValue::PeerPassword),
    ];
    HttpAsk::post("vbr01", "/token", Body::Form(fields))
}

#[tokio::test]
async fn secret_headers_arrive_and_are_never_shown() {
    async fn shown(headers: HeaderMap) -> String {
        let header = |name: &str| headers[name].to_str().expect("text").to_owned();
        backwards(&format!("{} {}", header("authorization"), header("x-restsvcsessionid")))
    }
    let peer = served(Router::new().route("/in", delete(shown))).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("password");
    write_private(&path, "wörd\n");
    let mut ask = HttpAsk::delete("em01", "/in");
    ask.secret_headers.push(("authorization", HeaderSecret::PeerBasic));
    ask.secret_headers.push(("x-restsvcsessionid", HeaderSecret::Text("session-1".to_owned().into())));
    assert!(!format!("{ask:?}").contains("session-1"));
    let wire = wire_to("em01", with_login(peer, SecretPlace::File(path)));
    let answer = carried(&wire, Ask::Http(ask)).await.expect("an answer");
    let expected = format!("Basic {} session-1", STANDARD.encode("DOMAIN\\tide gauge:wörd"));
    assert_eq!(backwards(&String::from_utf8_lossy(&answer.body)), expected);
}

#[tokio::test]
async fn a_clients_id_and_secret_are_written_as_in_a_form_before_they_are_a_header() {
    async fn shown(headers: HeaderMap) -> String {
        backwards(headers["authorization"].to_str().expect("text"))
    }
    let peer = served(Router::new().route("/token", post(shown))).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("secret");
    write_private(&path, "a:b+c %\n");
    let mut ask = HttpAsk::post("sso", "/token", Body::None);
    ask.secret_headers.push(("authorization", HeaderSecret::PeerClient));
    let wire = wire_to("sso", with_login(peer, SecretPlace::File(path)));
    let answer = carried(&wire, Ask::Http(ask)).await.expect("an answer");
    let expected = format!("Basic {}", STANDARD.encode("DOMAIN%5Ctide+gauge:a%3Ab%2Bc+%25"));
    assert_eq!(backwards(&String::from_utf8_lossy(&answer.body)), expected);
}

#[tokio::test]
async fn the_login_of_the_settings_is_filled_into_forms() {
    let peer = served(Router::new().route("/token", post(|body: String| async move { backwards(&body) }))).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("password");
    write_private(&path, "pass & wörd\n");
    let wire = wire_to("vbr01", with_login(peer.clone(), SecretPlace::File(path.clone())));
    let body = carried(&wire, Ask::Http(login_form())).await.expect("an answer").body;
    let expected = "grant_type=password&username=DOMAIN%5Ctide+gauge&password=pass+%26+w%C3%B6rd";
    assert_eq!(backwards(&String::from_utf8_lossy(&body)), expected);

    // Read at each use: a password that changed needs no restart.
    write_private(&path, "");
    let refused = carried(&wire_to("vbr01", with_login(peer, SecretPlace::File(path))), Ask::Http(login_form())).await;
    assert!(refused.expect_err("an empty password").to_string().contains("is empty"));
}

#[tokio::test]
async fn a_password_that_is_replaced_before_the_answer_comes_is_masked_in_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("password");
    write_private(&path, "four-words-make-one");
    let file = path.clone();
    let refuse = move |body: String| async move {
        write_private(&file, "another-password");
        (StatusCode::UNAUTHORIZED, format!("not let in: {body}"))
    };
    let peer = served(Router::new().route("/token", post(refuse))).await;
    let wire = wire_to("vbr01", with_login(peer, SecretPlace::File(path)));
    let answer = carried(&wire, Ask::Http(login_form())).await.expect("an answer");
    let said = String::from_utf8_lossy(&answer.body);
    assert!(said.starts_with("not let in: grant_type=password") && said.ends_with("password=***"), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_password_that_everybody_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("password");
    write_private(&path, "secret");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("our file");
    let peer = with_login(plain_http(ANYWHERE), SecretPlace::File(path));
    let refused = carried(&wire_to("vbr01", peer), Ask::Http(login_form())).await.expect_err("an open secret");
    assert!(refused.to_string().contains("can be read by everybody: chmod o-rwx"), "{refused}");
}

#[tokio::test]
async fn a_missing_variable_is_named_and_nothing_is_sent() {
    let peer = with_login(plain_http(ANYWHERE), SecretPlace::Env("TIDEGAUGE_TEST_NOBODY_SETS_THIS".into()));
    let refused = carried(&wire_to("vbr01", peer), Ask::Http(login_form())).await.expect_err("no password");
    assert!(refused.to_string().contains("TIDEGAUGE_TEST_NOBODY_SETS_THIS"), "{refused}");
}
