//! HTTP by reqwest: one client a peer, no redirects, no retries of its own, limits on bytes and seconds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request, Response, Url, redirect, retry};
use secrecy::{ExposeSecret, SecretString};

use crate::ask::{Body, Failure, FormValue, HeaderSecret, HttpAnswer, HttpAsk, Method, Peer};
use crate::doors::peer::{HttpPeer, Login, Reach, Trust, is_loopback};

use super::hidden::Hidden;
use super::login;
use super::public_only::{PublicOnly, refuse_literal};
use super::trust::{self, Seen};

/// Longest wait for a connection.
const CONNECT_SECONDS_MAX: u64 = 10;
/// How long an unused connection is kept.
const IDLE_SECONDS_MAX: u64 = 30;
/// What answers see of us.
const USER_AGENT: &str = concat!("tidegauge/", env!("CARGO_PKG_VERSION"));

/// The clients made so far.
#[derive(Default)]
pub struct HttpClients(Mutex<BTreeMap<Peer, HttpClient>>);

#[derive(Clone)]
struct HttpClient {
    client: Client,
    seen: Seen,
}

impl HttpClients {
    fn of(&self, name: &str, peer: &HttpPeer, reach: Reach) -> Result<HttpClient, Failure> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(name) {
            return Ok(client.clone());
        }
        let client = HttpClient::new(peer, reach)?;
        clients.insert(name.to_owned(), client.clone());
        Ok(client)
    }
}

impl HttpClient {
    fn new(peer: &HttpPeer, reach: Reach) -> Result<HttpClient, Failure> {
        let seen = Seen::default();
        let tls = trust::client_config(&peer.trust, seen.clone())?;
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
            .pool_idle_timeout(Duration::from_secs(IDLE_SECONDS_MAX))
            .user_agent(USER_AGENT);
        let url = url_of(peer, "/")?;
        let host = url.host_str().unwrap_or_default();
        if reach == Reach::Public {
            refuse_literal(host).map_err(|why| Failure::Settings { why: why.to_string() })?;
            // A proxy would resolve the name by itself, and connect to whatever it finds.
            builder = builder.dns_resolver(Arc::new(PublicOnly)).no_proxy();
        }
        if is_loopback(host) {
            // A proxy would look for this machine's services on its own.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| Failure::Settings { why: trust::causes(&error) })?;
        Ok(HttpClient { client, seen })
    }

    fn failure(&self, peer: &HttpPeer, ask: &HttpAsk, error: &reqwest::Error) -> Failure {
        let to = authority(peer);
        if let Some(why) = trust::refused(error) {
            let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let expected = match &peer.trust {
                Trust::Pinned(pinned) => format!(", SHA-256 {pinned}"),
                Trust::System | Trust::CaFile(_) | Trust::Anything => String::new(),
            };
            let why = format!("{to}: {why}{expected}");
            return Failure::Untrusted { why, seen_sha256: seen.map(|seen| seen.to_string()) };
        }
        if error.is_connect() && error.is_timeout() {
            return Failure::Unreachable { why: format!("{to} took no connection within {CONNECT_SECONDS_MAX} s") };
        }
        if error.is_timeout() {
            return Failure::TimedOut { after_seconds: ask.seconds_max };
        }
        if let Some(tls) = trust::tls_error(error) {
            return Failure::Unreachable { why: format!("{to} does not speak TLS as expected: {tls}") };
        }
        let causes = trust::causes(error);
        if error.is_connect() {
            return Failure::Unreachable { why: format!("{to}: {causes}") };
        }
        Failure::Broken { why: format!("{to}: {causes}") }
    }
}

/// Carries one request out and its answer back.
pub async fn carry(clients: &HttpClients, peer: &HttpPeer, ask: HttpAsk) -> Result<HttpAnswer, Failure> {
    let client = clients.of(&ask.peer, peer, Reach::Anywhere)?;
    warn_of_trust(peer, &ask);
    // The secrets that the far side is told, not those that stand in their files when it answers.
    let hidden = Hidden::own(peer);
    let request = request(peer, &ask)?;
    // Even a pause of nothing would last until the timer's next tick.
    if ask.pause_seconds > 0 {
        tokio::time::sleep(Duration::from_secs(u64::from(ask.pause_seconds))).await;
    }
    in_time(&ask, exchange(&client, peer, &ask, request, hidden)).await
}

/// The same for an answer whose status says everything: its body is neither awaited nor read.
pub async fn carry_for_status(
    clients: &HttpClients,
    peer: &HttpPeer,
    reach: Reach,
    ask: HttpAsk,
) -> Result<HttpAnswer, Failure> {
    let client = clients.of(&ask.peer, peer, reach)?;
    warn_of_trust(peer, &ask);
    let request = request(peer, &ask)?;
    let head = async {
        let response =
            client.client.execute(request).await.map_err(|error| client.failure(peer, &ask, &error.without_url()))?;
        Ok(HttpAnswer { status: response.status().as_u16(), headers: headers_of(&response), body: Vec::new() })
    };
    in_time(&ask, head).await
}

fn warn_of_trust(peer: &HttpPeer, ask: &HttpAsk) {
    if peer.trust == Trust::Anything {
        tracing::warn!(
            event = "tls.insecure",
            peer = ask.peer,
            "any certificate is believed, whoever answers can read the login"
        );
    }
}

async fn in_time(
    ask: &HttpAsk,
    answer: impl Future<Output = Result<HttpAnswer, Failure>>,
) -> Result<HttpAnswer, Failure> {
    let limit = Duration::from_secs(u64::from(ask.seconds_max));
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::TimedOut { after_seconds: ask.seconds_max }),
    }
}

async fn exchange(
    client: &HttpClient,
    peer: &HttpPeer,
    ask: &HttpAsk,
    request: Request,
    hidden: Hidden,
) -> Result<HttpAnswer, Failure> {
    let failed = |error: reqwest::Error| client.failure(peer, ask, &error);
    let response = client.client.execute(request).await.map_err(failed)?;
    let status = response.status().as_u16();
    let headers = headers_of(&response);
    let body = body_of(response, ask.bytes_max).await.map_err(|cut| match cut {
        Cut::TooLarge => Failure::TooLarge { bytes_max: ask.bytes_max },
        Cut::Broken(error) => failed(error),
    })?;
    let hidden = if (200..300).contains(&status) { hidden.unmistakable() } else { hidden.with(ask) };
    Ok(HttpAnswer { status, headers, body: hidden.body(body) })
}

/// Why a body ended early.
pub enum Cut {
    TooLarge,
    Broken(reqwest::Error),
}

/// Reads at most `bytes_max` bytes, counted after unpacking.
pub async fn body_of(mut response: Response, bytes_max: u64) -> Result<Vec<u8>, Cut> {
    if response.content_length().is_some_and(|length| length > bytes_max) {
        return Err(Cut::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Cut::Broken)? {
        if (body.len() + chunk.len()) as u64 > bytes_max {
            return Err(Cut::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn headers_of(response: &Response) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn request(peer: &HttpPeer, ask: &HttpAsk) -> Result<Request, Failure> {
    let method = match ask.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut request = Request::new(method, url_of(peer, &ask.path)?);
    let headers = request.headers_mut();
    for (name, value) in &ask.headers {
        put_header(headers, name, value)?;
    }
    if let Some(bearer) = &ask.bearer {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", bearer.expose_secret()))
            .map_err(|_| Failure::Settings { why: "the token is no header's text".to_owned() })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    for (name, secret) in &ask.secret_headers {
        let mut value = secret_header(peer, secret)?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    match &ask.body {
        Body::None => {}
        Body::Bytes(kind, bytes) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            *request.body_mut() = Some(bytes.clone().into());
        }
        Body::Form(fields) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            *request.body_mut() = Some(form(peer, fields)?.into());
        }
    }
    Ok(request)
}

fn put_header(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Failure> {
    let bad = || Failure::Settings { why: format!("`{name}` is no good HTTP header") };
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    let value = HeaderValue::from_str(value).map_err(|_| bad())?;
    headers.insert(name, value);
    Ok(())
}

fn url_of(peer: &HttpPeer, path: &str) -> Result<Url, Failure> {
    let whole = format!("{}{path}", peer.base_url);
    match Url::parse(&whole) {
        Ok(url) if path.starts_with('/') => Ok(url),
        Ok(_) | Err(_) => Err(Failure::Settings { why: format!("{whole} is no good URL") }),
    }
}

/// Host and port, for telling people.
fn authority(peer: &HttpPeer) -> String {
    match url_of(peer, "/") {
        Ok(url) => {
            let port = url.port_or_known_default().map_or(String::new(), |port| format!(":{port}"));
            format!("{}{port}", url.host_str().unwrap_or_default())
        }
        Err(_) => peer.base_url.clone(),
    }
}

/// The header's value, the peer's login filled in.
fn secret_header(peer: &HttpPeer, secret: &HeaderSecret) -> Result<HeaderValue, Failure> {
    let text = match secret {
        HeaderSecret::Text(text) => text.clone(),
        HeaderSecret::PeerBasic => {
            let login = login_of(peer)?;
            basic(&login.username, login::password(login)?.expose_secret())
        }
        HeaderSecret::PeerClient => {
            let login = login_of(peer)?;
            basic(&form_text(&login.username), &form_text(login::password(login)?.expose_secret()))
        }
        HeaderSecret::PeerKey => format!("Bearer {}", login::api_key(peer)?.expose_secret()).into(),
    };
    HeaderValue::from_str(text.expose_secret())
        .map_err(|_| Failure::Settings { why: format!("a secret for {} is no header's text", authority(peer)) })
}

fn basic(username: &str, password: &str) -> SecretString {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))).into()
}

/// A text as it is written in a form.
pub(super) fn form_text(text: &str) -> String {
    let mut url = Url::parse("form:text").expect("a URL");
    url.query_pairs_mut().append_key_only(text);
    url.query().unwrap_or_default().to_owned()
}

fn login_of(peer: &HttpPeer) -> Result<&Login, Failure> {
    let why = || format!("the settings give {} no username", authority(peer));
    peer.login.as_ref().ok_or_else(|| Failure::Settings { why: why() })
}

/// The form's bytes, the peer's login filled in.
fn form(peer: &HttpPeer, fields: &[(&'static str, FormValue)]) -> Result<String, Failure> {
    let login = || login_of(peer);
    // The query of a URL and a form are written alike.
    let mut url = Url::parse("form:fields").expect("a URL");
    for (key, value) in fields {
        let mut pairs = url.query_pairs_mut();
        match value {
            FormValue::Text(text) => pairs.append_pair(key, text),
            FormValue::Secret(secret) => pairs.append_pair(key, secret.expose_secret()),
            FormValue::PeerUsername => pairs.append_pair(key, &login()?.username),
            FormValue::PeerPassword => pairs.append_pair(key, login::password(login()?)?.expose_secret()),
        };
    }
    Ok(url.query().unwrap_or_default().to_owned())
}
