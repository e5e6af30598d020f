//! Mail by lettre: one connection a mail, the bytes sent as they are, each step told.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lettre::address::{Address, Envelope};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::ExposeSecret;

use crate::ask::{Failure, MailAnswer, MailAsk, MailStep};
use crate::doors::peer::{Login, MailAuth, MailPeer, MailTls, Trust, is_loopback};

use super::hidden::Hidden;
use super::mail_clear::Clear;
use super::mail_reach::{first_reached, in_turn};
use super::{login, trust};

/// Longest wait for a connection to one of its addresses.
const CONNECT_SECONDS_MAX: u64 = 10;
/// Longest wait for the good-bye.
const QUIT_SECONDS_MAX: u64 = 2;

/// Sends one mail; the server's final words come back.
///
/// After [`Failure::TimedOut`] nobody knows whether it was sent: its Message-ID is the same when it is sent again.
pub async fn carry(peer: &MailPeer, ask: MailAsk) -> MailAnswer {
    let limit = Duration::from_secs(u64::from(ask.seconds_max));
    let mut sending = Sending { peer, doing: "resolve", steps: Vec::new(), hidden: Hidden::default() };
    let end = match tokio::time::timeout(limit, sending.send(&ask)).await {
        Ok(Ok((mut connection, sent))) => {
            // A polite end, whatever came of the mail: how long the server takes for it changes nothing.
            let _ = tokio::time::timeout(Duration::from_secs(QUIT_SECONDS_MAX), connection.abort()).await;
            sent
        }
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(Failure::TimedOut { after_seconds: ask.seconds_max }),
    };
    if let Err(failure) = &end {
        sending.found(failure.to_string());
    }
    MailAnswer { steps: sending.steps, end }
}

/// Connects and hears the greeting, over TLS where the settings say so. Logs in nowhere and sends nothing.
pub async fn greet(peer: &MailPeer, seconds_max: u32) -> MailAnswer {
    let limit = Duration::from_secs(u64::from(seconds_max));
    let mut sending = Sending { peer, doing: "resolve", steps: Vec::new(), hidden: Hidden::default() };
    let arriving = async {
        let addresses = sending.resolve().await?;
        sending.connect(&addresses).await
    };
    let end = match tokio::time::timeout(limit, arriving).await {
        Ok(Ok(mut connection)) => {
            let _ = tokio::time::timeout(Duration::from_secs(QUIT_SECONDS_MAX), connection.abort()).await;
            Ok("it answers".to_owned())
        }
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(Failure::TimedOut { after_seconds: seconds_max }),
    };
    MailAnswer { steps: sending.steps, end }
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// The server, the login or the sender: every mail.
    Server,
    /// The recipient or the mail itself.
    Mail,
}

struct Refusal {
    error: Error,
    about: About,
}

impl Refusal {
    fn of_server(error: Error) -> Refusal {
        Refusal { error, about: About::Server }
    }

    fn of_mail(error: Error) -> Refusal {
        Refusal { error, about: About::Mail }
    }
}

struct Sending<'a> {
    peer: &'a MailPeer,
    /// The step that is under way.
    doing: &'static str,
    steps: Vec<MailStep>,
    /// What the server was told and is not to say again.
    hidden: Hidden,
}

impl Sending<'_> {
    /// The connection that stands, and what came of the mail on it.
    async fn send(&mut self, ask: &MailAsk) -> Result<(AsyncSmtpConnection, Result<String, Failure>), Failure> {
        let envelope = envelope(ask)?;
        let addresses = self.resolve().await?;
        let mut connection = self.connect(&addresses).await?;
        let sent = self.talk(&mut connection, &envelope, ask).await;
        Ok((connection, sent))
    }

    async fn talk(
        &mut self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        ask: &MailAsk,
    ) -> Result<String, Failure> {
        if let Some(login) = &self.peer.login {
            self.log_in(connection, login).await?;
        }
        if !is_ascii(envelope) && !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let why = format!("{}: it takes no addresses beyond ASCII (SMTPUTF8)", self.peer.host);
            return Err(Failure::RefusedForGood { why });
        }
        let smaller = ask.without_files.as_deref();
        let size_max = if smaller.is_some() { self.size_max(connection).await? } else { None };
        let (first, second) = match smaller {
            Some(smaller) if size_max.is_some_and(|max| max < ask.message.len()) => (smaller, None),
            smaller => (ask.message.as_slice(), smaller),
        };
        match (self.hand_over(connection, envelope, first).await, second) {
            (Err(Refusal { error, .. }), Some(smaller)) if is_too_large(&error) => {
                self.found(self.hidden.text(&format!("{error}; it goes without its files")));
                connection.command(Rset).await.map_err(|error| self.failure(&Refusal::of_server(error)))?;
                self.hand_over(connection, envelope, smaller).await.map_err(|refusal| self.failure(&refusal))
            }
            (sent, _) => sent.map_err(|refusal| self.failure(&refusal)),
        }
    }

    async fn resolve(&mut self) -> Result<Vec<SocketAddr>, Failure> {
        if self.peer.tls == MailTls::NoneOnLoopback && !is_loopback(&self.peer.host) {
            let why = format!("mail.tls is \"none\" and {} is another machine: nothing was sent", self.peer.host);
            return Err(Failure::Settings { why });
        }
        let unknown = |why: String| Failure::Unreachable { why: format!("{}: {why}", self.peer.host) };
        let found = tokio::net::lookup_host((self.peer.host.as_str(), self.peer.port)).await;
        let addresses = in_turn(found.map_err(|error| unknown(error.to_string()))?);
        if addresses.is_empty() {
            return Err(unknown("no such name".to_owned()));
        }
        let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
        self.found(format!("{} is {}", self.peer.host, shown.join(", ")));
        Ok(addresses)
    }

    async fn connect(&mut self, addresses: &[SocketAddr]) -> Result<AsyncSmtpConnection, Failure> {
        let peer = self.peer;
        self.doing = "connect";
        let limit = Duration::from_secs(CONNECT_SECONDS_MAX);
        let name = ClientId::default();
        let connected = match peer.tls {
            MailTls::Implicit => {
                let parameters = Some(parameters(peer)?);
                AsyncSmtpConnection::connect_tokio1(addresses, Some(limit), &name, parameters, None).await
            }
            MailTls::Starttls | MailTls::NoneOnLoopback | MailTls::NoneAllowed => {
                let stream = self.unwrapped(addresses, limit).await?;
                AsyncSmtpConnection::connect_with_transport(Box::new(stream), &name).await
            }
        };
        let mut connection = connected.map_err(|error| self.failure(&Refusal::of_server(error)))?;
        let name = connection.server_info().name().to_owned();
        self.found(format!("port {}: {name} answers", peer.port));
        self.doing = "tls";
        match peer.tls {
            MailTls::Starttls => {
                let upgraded = connection.starttls(parameters(peer)?, &ClientId::default()).await;
                upgraded.map_err(|error| self.failure(&Refusal::of_server(error)))?;
                self.found(format!("STARTTLS, and {} vouches for its certificate", authority(peer)));
            }
            MailTls::Implicit => {
                self.found(format!("from the first byte; {} vouches for its certificate", authority(peer)))
            }
            MailTls::NoneOnLoopback | MailTls::NoneAllowed => self.found("none, as the settings say".to_owned()),
        }
        Ok(connection)
    }

    /// A connection that begins in the clear.
    async fn unwrapped(&self, addresses: &[SocketAddr], limit: Duration) -> Result<Clear, Failure> {
        first_reached(addresses, limit).await.map(Clear::new).map_err(|error| {
            if error.kind() == io::ErrorKind::TimedOut {
                return Failure::TimedOut { after_seconds: CONNECT_SECONDS_MAX as u32 };
            }
            Failure::Unreachable { why: format!("{}:{}: {error}", self.peer.host, self.peer.port) }
        })
    }

    async fn log_in(&mut self, connection: &mut AsyncSmtpConnection, login: &Login) -> Result<(), Failure> {
        self.doing = "login";
        let secret = match self.peer.auth {
            MailAuth::Password => login::password(login)?,
            MailAuth::Xoauth2 => login::token(login)?,
        };
        self.hidden.hide_login(&login.username, &secret);
        let knows = |mechanism| connection.server_info().supports_auth_mechanism(mechanism);
        if self.peer.auth == MailAuth::Xoauth2 && !knows(Mechanism::Xoauth2) {
            let why = format!("{}:{} takes no access tokens (XOAUTH2)", self.peer.host, self.peer.port);
            return Err(Failure::NotLetIn { why });
        }
        let credentials = Credentials::new(login.username.clone(), secret.expose_secret().to_owned());
        let let_in = match self.peer.auth {
            MailAuth::Password => {
                connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map(|_| ())
            }
            MailAuth::Xoauth2 => show_token(connection, credentials).await,
        };
        match let_in {
            Ok(()) => {
                self.found(format!("{} is let in", login.username));
                Ok(())
            }
            Err(error) => Err(self.failure(&Refusal::of_server(error))),
        }
    }

    /// The largest mail that the server takes (RFC 1870); `None`: it does not say.
    async fn size_max(&self, connection: &mut AsyncSmtpConnection) -> Result<Option<usize>, Failure> {
        let asked = connection.command(Ehlo::new(ClientId::default())).await;
        let answer = asked.map_err(|error| self.failure(&Refusal::of_server(error)))?;
        let size = answer.message().find_map(|line| line.strip_prefix("SIZE ")?.trim().parse().ok());
        Ok(size.filter(|size| *size > 0))
    }

    /// MAIL, RCPT and DATA.
    async fn hand_over(
        &mut self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<String, Refusal> {
        self.doing = "recipient";
        let mut options = Vec::new();
        let knows = connection.server_info();
        if !is_ascii(envelope) && knows.supports_feature(Extension::SmtpUtfEight) {
            options.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() && knows.supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let from = Mail::new(envelope.from().cloned(), options);
        connection.command(from).await.map_err(Refusal::of_server)?;
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(Refusal::of_mail)?;
            self.found(format!("{to} is taken"));
        }
        self.doing = "message";
        connection.command(Data).await.map_err(Refusal::of_mail)?;
        // The connection ends every mail with a line end of its own.
        let message_body = message.strip_suffix(b"\r\n").unwrap_or(message);
        let answer = connection.message(message_body).await.map_err(Refusal::of_mail)?;
        let words: Vec<&str> = answer.message().collect();
        self.found(format!("{} bytes are taken", message.len()));
        Ok(self.hidden.text(&format!("{} {}", answer.code(), words.join(" "))))
    }

    /// The step under way has ended.
    fn found(&mut self, found: String) {
        self.steps.push(MailStep { what: self.doing, found });
    }

    fn failure(&self, Refusal { error, about }: &Refusal) -> Failure {
        let to = format!("{}:{}", self.peer.host, self.peer.port);
        let (said, causes) = (self.hidden.text(&error.to_string()), self.hidden.text(&trust::causes(error)));
        if error.is_transient() {
            return Failure::RefusedForNow { why: format!("{to}: {said}") };
        }
        if error.is_permanent() {
            let why = format!("{to}: {said}");
            return match about {
                About::Server => Failure::NotLetIn { why },
                About::Mail => Failure::RefusedForGood { why },
            };
        }
        if let Some(why) = trust::refused(error) {
            return Failure::Untrusted { why: format!("{to}: {why}"), seen_sha256: None };
        }
        if let Some(tls) = trust::tls_error(error) {
            return Failure::Unreachable { why: format!("{to} does not speak TLS as expected: {tls}") };
        }
        if error.is_timeout() {
            return Failure::TimedOut { after_seconds: CONNECT_SECONDS_MAX as u32 };
        }
        // The library says "client" of what it found itself: no STARTTLS, no way to log in that both know.
        if error.is_client() && causes.to_lowercase().contains("starttls") {
            return Failure::Untrusted { why: format!("{to} offers no STARTTLS"), seen_sha256: None };
        }
        if error.is_client() {
            return Failure::NotLetIn { why: format!("{to}: {causes}") };
        }
        Failure::Unreachable { why: format!("{to}: {causes}") }
    }
}

/// XOAUTH2: a server that refuses the token says why in a challenge, and ends after an empty answer to it.
async fn show_token(connection: &mut AsyncSmtpConnection, credentials: Credentials) -> Result<(), Error> {
    let answer = connection.command(Auth::new(Mechanism::Xoauth2, credentials, None)?).await?;
    if answer.has_code(334) {
        connection.command("\r\n").await?;
    }
    Ok(())
}

/// The server takes no mail of this size (RFC 1870, RFC 3463 X.2.3 and X.3.4).
fn is_too_large(error: &Error) -> bool {
    let words = error.to_string();
    error.is_permanent() && ["552", "5.2.3", "5.3.4"].iter().any(|word| words.contains(word))
}

fn envelope(ask: &MailAsk) -> Result<Envelope, Failure> {
    let address = |text: &str| {
        let why = format!("\"{text}\" is no mail address");
        text.parse::<Address>().map_err(|_| Failure::Settings { why })
    };
    let (from, to) = (address(&ask.from)?, address(&ask.to)?);
    Envelope::new(Some(from), vec![to]).map_err(|error| Failure::Settings { why: error.to_string() })
}

fn is_ascii(envelope: &Envelope) -> bool {
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    envelope.to().iter().chain(envelope.from()).all(is_ascii)
}

fn authority(peer: &MailPeer) -> String {
    match &peer.trust {
        Trust::CaFile(path) => path.display().to_string(),
        Trust::System | Trust::Pinned(_) | Trust::Anything => "the system".to_owned(),
    }
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
