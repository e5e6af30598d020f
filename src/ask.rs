//! I/O described as plain data: an [`Ask`] goes out, an [`Answer`] comes in.
//!
//! An ask names a *peer* of the settings and a path, never a URL, TLS or a secret of the settings; the wire knows those.

use std::fmt;

use secrecy::SecretString;

/// The name of a far side: a server's name, `license_server`, `mail`, `webhook:NAME` or `usage_sink:NAME`.
pub type Peer = String;

/// Most bytes of an answer unless an ask says otherwise.
pub const BYTES_MAX: u64 = 64 << 20;
/// Longest wait for an answer unless an ask says otherwise.
pub const SECONDS_MAX: u32 = 60;

/// Something to be done outside.
#[derive(Clone, Debug)]
pub enum Ask {
    Http(HttpAsk),
    Mail(MailAsk),
    Hook(HookAsk),
    Folder(FolderAsk),
}

/// What came of an [`Ask`].
#[derive(Clone, Debug)]
pub enum Answer {
    Http(HttpAnswer),
    Mail(MailAnswer),
    Folder(FolderAnswer),
    Failed(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Delete,
}

/// One HTTP request.
#[derive(Clone, Debug)]
pub struct HttpAsk {
    pub peer: Peer,
    pub method: Method,
    /// Path and query, starting with `/`.
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// Sent as `Authorization: Bearer …`.
    pub bearer: Option<SecretString>,
    /// Headers whose values are secrets.
    pub secret_headers: Vec<(&'static str, HeaderSecret)>,
    pub body: Body,
    pub bytes_max: u64,
    pub seconds_max: u32,
    /// How long the wire waits before it sends the request: the far side asked for patience.
    pub pause_seconds: u32,
}

/// The secret value of a header; the wire fills in the peer's login.
#[derive(Clone, Debug)]
pub enum HeaderSecret {
    Text(SecretString),
    /// `Basic` and the peer's user name and password, in base64 (RFC 7617).
    PeerBasic,
    /// The same with both written as in a form first: an OAuth client's id and secret (RFC 6749 section 2.3.1).
    PeerClient,
    /// `Bearer` and the API key that the settings give the peer.
    PeerKey,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum Body {
    None,
    /// Content type and exact bytes.
    Bytes(&'static str, Vec<u8>),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(&'static str, FormValue)>),
}

/// A form field; the wire fills in the peer's login.
#[derive(Clone, Debug)]
pub enum FormValue {
    Text(String),
    Secret(SecretString),
    PeerUsername,
    PeerPassword,
}

/// One HTTP answer, whatever its status.
#[derive(Clone, Debug, Default)]
pub struct HttpAnswer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// One mail, as the exact RFC 5322 bytes, to one envelope recipient.
#[derive(Clone, Debug)]
pub struct MailAsk {
    pub from: String,
    pub to: String,
    pub message: Vec<u8>,
    /// The same mail without its files, for a server that takes no mail of the size of `message`.
    pub without_files: Option<Vec<u8>>,
    pub seconds_max: u32,
}

/// What came of a mail: each step up to the end, and the mail server's final words.
#[derive(Clone, Debug)]
pub struct MailAnswer {
    pub steps: Vec<MailStep>,
    pub end: Result<String, Failure>,
}

/// A step of sending a mail; the last one of a mail that was not taken is where it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailStep {
    /// One word, such as `connect`.
    pub what: &'static str,
    /// What was found; never a secret.
    pub found: String,
}

/// One message to an endpoint of the settings. The wire knows its URL, and proves who sends it.
///
/// Its answer is an [`Answer::Http`] without a body: the status says everything.
#[derive(Clone, Debug)]
pub struct HookAsk {
    pub peer: Peer,
    /// The same on every try: what doubles are dropped by.
    pub id: String,
    /// The media type of the body.
    pub media_type: &'static str,
    pub body: Vec<u8>,
    pub seconds_max: u32,
}

/// Work in a folder of the settings. Paths are relative to that folder and never leave it.
#[derive(Clone, Debug)]
pub enum FolderAsk {
    /// Regular files, sorted by name, at most `entries_max`.
    List {
        peer: Peer,
        entries_max: usize,
    },
    Read {
        peer: Peer,
        name: String,
        bytes_max: u64,
    },
    /// Moves a file to another name below the folder, making the folder of the new name.
    Move {
        peer: Peer,
        name: String,
        to: String,
    },
    Write {
        peer: Peer,
        name: String,
        bytes: Vec<u8>,
    },
}

#[derive(Clone, Debug)]
pub enum FolderAnswer {
    Listed(Vec<String>),
    Bytes(Vec<u8>),
    Done,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection: refused, no route, no such name.
    Unreachable { why: String },
    /// Nothing within the ask's time limit.
    TimedOut { after_seconds: u32 },
    /// Longer than the ask's byte limit.
    TooLarge { bytes_max: u64 },
    /// The certificate was not the expected one; `seen_sha256` is the leaf's fingerprint when it was seen.
    Untrusted { why: String, seen_sha256: Option<String> },
    /// The connection broke in the middle of an answer.
    Broken { why: String },
    /// The mail server takes nothing from us: the login is refused, or the sender. It says nothing of the mail.
    NotLetIn { why: String },
    /// The mail server refused this recipient or this mail for good (5xx).
    RefusedForGood { why: String },
    /// The mail server refused for now (4xx).
    RefusedForNow { why: String },
    /// A file or folder could not be read or written.
    File { why: String },
    /// The settings do not know the peer, or its login cannot be read.
    Settings { why: String },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unreachable { why } => write!(f, "not reachable: {why}"),
            Failure::TimedOut { after_seconds } => write!(f, "no answer within {after_seconds} s"),
            Failure::TooLarge { bytes_max } => write!(f, "the answer is longer than {bytes_max} bytes"),
            Failure::Untrusted { why, seen_sha256: Some(seen) } => {
                write!(f, "certificate not trusted: {why}; the server showed SHA-256 {seen}")
            }
            Failure::Untrusted { why, seen_sha256: None } => write!(f, "certificate not trusted: {why}"),
            Failure::Broken { why } => write!(f, "the connection broke: {why}"),
            Failure::NotLetIn { why } => write!(f, "not let in: {why}"),
            Failure::RefusedForGood { why } => write!(f, "refused for good: {why}"),
            Failure::RefusedForNow { why } => write!(f, "refused for now: {why}"),
            Failure::File { why } | Failure::Settings { why } => f.write_str(why),
        }
    }
}

/// A pure exchange with the outside: it is given each answer and says what to ask next.
///
/// The first call gets `None`. After `Done` or `Setback` it is not called again.
/// `next` must end after a bounded number of asks whatever the answers are.
pub trait Conversation: Send {
    type Done;
    fn next(&mut self, heard: Option<Answer>) -> Step<Self::Done>;
}

/// What a conversation says.
#[derive(Debug)]
pub enum Step<D> {
    Ask(Ask),
    Done(D),
    Setback(Setback),
}

/// A conversation that came to nothing: the variant says what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setback {
    /// The far side may do better later.
    TryAgain { why: String },
    /// Nothing changes until a person acts: wrong password, wrong certificate, bad settings.
    AskAPerson { why: String },
}

impl Setback {
    pub fn why(&self) -> &str {
        match self {
            Setback::TryAgain { why } | Setback::AskAPerson { why } => why,
        }
    }
}

impl HttpAsk {
    /// A GET without headers and with the default limits.
    pub fn get(peer: &str, path: impl Into<String>) -> HttpAsk {
        HttpAsk {
            peer: peer.to_owned(),
            method: Method::Get,
            path: path.into(),
            headers: Vec::new(),
            bearer: None,
            secret_headers: Vec::new(),
            body: Body::None,
            bytes_max: BYTES_MAX,
            seconds_max: SECONDS_MAX,
            pause_seconds: 0,
        }
    }

    /// A DELETE without headers and with the default limits.
    pub fn delete(peer: &str, path: impl Into<String>) -> HttpAsk {
        HttpAsk { method: Method::Delete, ..HttpAsk::get(peer, path) }
    }

    /// A POST with this body and the default limits.
    pub fn post(peer: &str, path: impl Into<String>, body: Body) -> HttpAsk {
        HttpAsk { method: Method::Post, body, ..HttpAsk::get(peer, path) }
    }
}

impl HttpAnswer {
    /// The header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
