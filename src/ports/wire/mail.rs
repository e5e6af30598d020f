//! Mail by lettre: one connection a mail, the bytes sent as they are.

use std::time::Duration;

use lettre::address::{Address, Envelope};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransport, Error, PoolConfig};
use lettre::{AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;

use crate::ask::{Failure, MailAsk};
use crate::doors::peer::{MailPeer, MailTls, Trust, is_loopback};

use super::{login, trust};

/// Longest wait for a connection.
const CONNECT_SECONDS_MAX: u64 = 10;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Sends one mail; the server's final words come back.
///
/// After [`Failure::TimedOut`] nobody knows whether it was sent: its Message-ID is the same when it is sent again.
pub async fn carry(peer: &MailPeer, ask: MailAsk) -> Result<String, Failure> {
    let envelope = envelope(&ask)?;
    let transport = transport(peer)?;
    let limit = Duration::from_secs(u64::from(ask.seconds_max));
    // The transport ends every mail with a line end of its own.
    let message = ask.message.strip_suffix(b"\r\n").unwrap_or(&ask.message);
    // The transport's own timeout covers only the connecting.
    let sent = tokio::time::timeout(limit, transport.send_raw(&envelope, message)).await;
    match sent {
        Ok(Ok(response)) => {
            let words: Vec<&str> = response.message().collect();
            transport.shutdown().await;
            Ok(format!("{} {}", response.code(), words.join(" ")))
        }
        Ok(Err(error)) => Err(failure(peer, ask.seconds_max, &error)),
        Err(_) => Err(Failure::TimedOut { after_seconds: ask.seconds_max }),
    }
}

fn envelope(ask: &MailAsk) -> Result<Envelope, Failure> {
    let address = |text: &str| {
        let why = format!("\"{text}\" is no mail address");
        text.parse::<Address>().map_err(|_| Failure::Settings { why })
    };
    let (from, to) = (address(&ask.from)?, address(&ask.to)?);
    Envelope::new(Some(from), vec![to]).map_err(|error| Failure::Settings { why: error.to_string() })
}

fn transport(peer: &MailPeer) -> Result<Transport, Failure> {
    let tls = match peer.tls {
        MailTls::Starttls => Tls::Required(parameters(peer)?),
        MailTls::Implicit => Tls::Wrapper(parameters(peer)?),
        MailTls::NoneOnLoopback if !is_loopback(&peer.host) => {
            let why = format!("mail.tls is \"none\" and {} is another machine: nothing was sent", peer.host);
            return Err(Failure::Settings { why });
        }
        MailTls::NoneOnLoopback | MailTls::NoneAllowed => Tls::None,
    };
    let mut builder = Transport::builder_dangerous(&peer.host)
        .port(peer.port)
        .tls(tls)
        .timeout(Some(Duration::from_secs(CONNECT_SECONDS_MAX)))
        .pool_config(PoolConfig::new().max_size(1));
    if let Some(login) = &peer.login {
        let password = login::password(login)?;
        builder = builder.credentials(Credentials::new(login.username.clone(), password.expose_secret().to_owned()));
    }
    Ok(builder.build())
}

fn parameters(peer: &MailPeer) -> Result<TlsParameters, Failure> {
    let refused = |why: String| Failure::Settings { why };
    let mut builder = TlsParameters::builder(peer.host.clone());
    match &peer.trust {
        Trust::System => {}
        Trust::CaFile(path) => {
            let unreadable = |error: std::io::Error| refused(format!("ca_file {}: {error}", path.display()));
            let pem = std::fs::read(path).map_err(unreadable)?;
            let certificate = Certificate::from_pem(&pem)
                .map_err(|error| refused(format!("ca_file {}: {}", path.display(), trust::causes(&error))))?;
            builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
        }
        Trust::Pinned(_) | Trust::Anything => {
            return Err(refused("[mail] takes a ca_file, not a fingerprint".to_owned()));
        }
    }
    builder.build_rustls().map_err(|error| refused(format!("TLS: {}", trust::causes(&error))))
}

fn failure(peer: &MailPeer, seconds_max: u32, error: &Error) -> Failure {
    let to = format!("{}:{}", peer.host, peer.port);
    let causes = trust::causes(error);
    if error.is_permanent() {
        return Failure::RefusedForGood { why: format!("{to}: {error}") };
    }
    if error.is_transient() {
        return Failure::RefusedForNow { why: format!("{to}: {error}") };
    }
    if let Some(why) = trust::refused(error) {
        return Failure::Untrusted { why: format!("{to}: {why}"), seen_sha256: None };
    }
    if error.is_timeout() {
        return Failure::TimedOut { after_seconds: seconds_max.min(CONNECT_SECONDS_MAX as u32) };
    }
    // The library says "client" of what it found itself: no STARTTLS, no common way to log in.
    if error.is_client() && causes.to_lowercase().contains("starttls") {
        return Failure::Untrusted { why: format!("{to} offers no STARTTLS"), seen_sha256: None };
    }
    if error.is_client() {
        return Failure::RefusedForGood { why: format!("{to}: {causes}") };
    }
    Failure::Unreachable { why: format!("{to}: {causes}") }
}
