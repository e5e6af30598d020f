//! How each far side is reached, as plain data: the settings say it, the wire obeys.

use std::path::PathBuf;

/// The peer of every ask to the License Update Server.
pub const LICENSE_SERVER: &str = "license_server";
/// The peer of the mail server.
pub const MAIL: &str = "mail";

/// What the peer of a webhook begins with, before its name.
pub const WEBHOOK: &str = "webhook:";
/// What the peer of a usage sink begins with, before its name.
pub const USAGE_SINK: &str = "usage_sink:";

/// How one peer is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerSettings {
    Http(HttpPeer),
    Mail(MailPeer),
    Hook(HookPeer),
    Folder(FolderPeer),
}

impl PeerSettings {
    /// Where each secret stands that the peer is shown.
    pub fn secrets(&self) -> Vec<&SecretPlace> {
        match self {
            PeerSettings::Http(peer) => peer.secrets(),
            PeerSettings::Mail(peer) => peer.login.iter().map(|login| &login.password).collect(),
            PeerSettings::Hook(peer) => match &peer.proof {
                Proof::Signed(places) => places.iter().collect(),
                Proof::Authorization(place) => vec![place],
                Proof::None => Vec::new(),
            },
            PeerSettings::Folder(_) => Vec::new(),
        }
    }
}

impl HttpPeer {
    fn secrets(&self) -> Vec<&SecretPlace> {
        self.login.iter().map(|login| &login.password).chain(&self.api_key).collect()
    }
}

/// A far side that speaks HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpPeer {
    /// Scheme, host and port, perhaps a path; without a slash at the end.
    pub base_url: String,
    pub trust: Trust,
    pub login: Option<Login>,
    /// Where an API key stands that lets in without a login.
    pub api_key: Option<SecretPlace>,
}

/// An endpoint that is sent messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookPeer {
    /// Scheme, host and port only; no login.
    pub server: HttpPeer,
    /// Path and query of the endpoint. May hold a token: shown to nobody.
    pub path: String,
    pub proof: Proof,
    pub reach: Reach,
}

/// How an endpoint knows who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Signed with each of these secrets, so that one can be replaced while another still holds.
    Signed(Vec<SecretPlace>),
    /// The whole value of the `Authorization` header.
    Authorization(SecretPlace),
    None,
}

/// Which addresses are connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only those of the public internet, whatever a name resolves to ([`super::address::is_public`]).
    Public,
    Anywhere,
}

/// Which certificate is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The operating system's certificate authorities.
    #[default]
    System,
    /// Only the authorities in this PEM file.
    CaFile(PathBuf),
    /// Only this certificate: the SHA-256 of its DER bytes.
    Pinned(Fingerprint),
    /// Any certificate; said in the log each time.
    Anything,
}

/// A SHA-256 fingerprint of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// A user name, and where its password stands. The password is read when it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: SecretPlace,
}

/// Where a secret stands; never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// The file's content, without a line end.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// The mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailPeer {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    /// `System` or `CaFile`.
    pub trust: Trust,
    pub auth: MailAuth,
    pub login: Option<Login>,
}

/// What a login's secret is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailAuth {
    /// A password: PLAIN or LOGIN.
    #[default]
    Password,
    /// An access token (XOAUTH2), which something else keeps fresh.
    Xoauth2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    Starttls,
    Implicit,
    /// No TLS, and only to a loopback address.
    NoneOnLoopback,
    /// No TLS to anywhere: a person has allowed it.
    NoneAllowed,
}

/// A folder of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPeer {
    pub path: PathBuf,
}

impl Fingerprint {
    /// Reads 64 hexadecimal digits, with or without colons and in either case.
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let digits: Vec<u32> =
            text.trim().chars().filter(|sign| *sign != ':').map(|sign| sign.to_digit(16)).collect::<Option<_>>()?;
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::try_from(pair[0] * 16 + pair[1]).expect("two hexadecimal digits are a byte");
        }
        Some(Fingerprint(bytes))
    }
}

/// Lower case, without colons.
impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Whether the host of a URL, or a host by itself, is this machine: `localhost`, `127.…` or `::1`.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
