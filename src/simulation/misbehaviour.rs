//! What a far side does wrong for a while, as data, and how the wire then tells it.

use chrono::{DateTime, TimeDelta};

use crate::ask::{Answer, Failure, HttpAnswer, HttpAsk, MailAnswer};
use crate::seal::jws;
use crate::seal::keys::SigningKey;

/// Something that a far side, or what stands between it and us, does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Every request is answered with this status and a web page; a mail server says this SMTP code.
    Status(u16),
    /// The same with a `Retry-After` of so many seconds.
    RetryAfter(u16, u32),
    /// Requests are taken, the answers are bytes that are no text.
    Garbage,
    /// Requests are taken, the answers are a web page under 200.
    Html,
    /// Requests are taken, the answers end in the middle.
    Cut,
    /// Requests are taken, the answers have no body.
    Empty,
    /// Requests are taken, the answers are longer than is read.
    Huge,
    /// Requests are taken, the answers come after the end of our patience.
    Slow,
    /// Requests are taken, the answers are lost.
    LostAnswer,
    /// Every request is sent elsewhere.
    Redirect,
    /// Requests are taken, the answers are signed by somebody else.
    OtherKey,
    /// Requests are taken, one bit of the answers' signatures is another.
    FlippedSignature,
}

/// All that an HTTP server can do wrong.
pub const OF_HTTP: [Misbehaviour; 16] = [
    Misbehaviour::Status(400),
    Misbehaviour::Status(401),
    Misbehaviour::Status(403),
    Misbehaviour::Status(404),
    Misbehaviour::Status(500),
    Misbehaviour::Status(502),
    Misbehaviour::RetryAfter(429, 7_200),
    Misbehaviour::RetryAfter(503, 120),
    Misbehaviour::Garbage,
    Misbehaviour::Html,
    Misbehaviour::Cut,
    Misbehaviour::Empty,
    Misbehaviour::Huge,
    Misbehaviour::Slow,
    Misbehaviour::LostAnswer,
    Misbehaviour::Redirect,
];

/// What only a server that signs its answers can do wrong.
pub const OF_SIGNED: [Misbehaviour; 2] = [Misbehaviour::OtherKey, Misbehaviour::FlippedSignature];

/// All that a mail server can do wrong: busy, full, login refused, recipient and mail refused for good, slow, gone after
/// `DATA`.
pub const OF_MAIL: [Misbehaviour; 7] = [
    Misbehaviour::Status(421),
    Misbehaviour::Status(451),
    Misbehaviour::Status(452),
    Misbehaviour::Status(535),
    Misbehaviour::Slow,
    Misbehaviour::LostAnswer,
    Misbehaviour::Garbage,
];

/// What a web page in place of an answer says.
const PAGE: &[u8] = b"<!DOCTYPE html><html><body>Sign in</body></html>";
/// What is left of a half answer, in percent.
const HALF_PERCENT: usize = 60;
/// The key of somebody else.
const OTHER_KEY: [u8; 32] = [0x66; 32];
/// How long a mail server is waited for.
const MAIL_SECONDS_MAX: u32 = 10;

impl Misbehaviour {
    /// The answer in place of the far side's, which then hears nothing of the request.
    pub(super) fn instead(self) -> Option<Answer> {
        let answer = |status, headers: &[(&str, String)], body: &[u8]| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            Some(Answer::Http(HttpAnswer { status, headers, body: body.to_vec() }))
        };
        match self {
            Misbehaviour::Status(status) => answer(status, &[], PAGE),
            Misbehaviour::RetryAfter(status, seconds) => answer(status, &[("retry-after", seconds.to_string())], PAGE),
            Misbehaviour::Redirect => answer(302, &[("location", "https://elsewhere.example/".to_owned())], b""),
            Misbehaviour::Garbage
            | Misbehaviour::Html
            | Misbehaviour::Cut
            | Misbehaviour::Empty
            | Misbehaviour::Huge
            | Misbehaviour::Slow
            | Misbehaviour::LostAnswer
            | Misbehaviour::OtherKey
            | Misbehaviour::FlippedSignature => None,
        }
    }

    /// What becomes of the far side's answer on its way.
    pub(super) fn spoil(self, ask: &HttpAsk, answer: Answer) -> Answer {
        let Answer::Http(mut http) = answer else { return answer };
        match self {
            Misbehaviour::Status(_) | Misbehaviour::RetryAfter(..) | Misbehaviour::Redirect => {}
            Misbehaviour::Garbage => http.body = vec![0xff, 0x00, 0xc3, 0x28, 0x7b, 0x22, 0xfe],
            Misbehaviour::Html => (http.status, http.body) = (200, PAGE.to_vec()),
            Misbehaviour::Cut => http.body.truncate(http.body.len() * HALF_PERCENT / 100),
            Misbehaviour::Empty => http.body.clear(),
            Misbehaviour::Huge => return Answer::Failed(Failure::TooLarge { bytes_max: ask.bytes_max }),
            Misbehaviour::Slow => return Answer::Failed(Failure::TimedOut { after_seconds: ask.seconds_max }),
            Misbehaviour::LostAnswer => return lost(),
            Misbehaviour::OtherKey => http.body = signed_by_another(&http.body),
            Misbehaviour::FlippedSignature => flip_signature(&mut http.body),
        }
        Answer::Http(http)
    }

    /// The same for an answer of which nothing but the status is read.
    pub(super) fn spoil_status(self, ask: &HttpAsk, answer: Answer) -> Answer {
        match self {
            Misbehaviour::Slow | Misbehaviour::LostAnswer => self.spoil(ask, answer),
            Misbehaviour::Html => match answer {
                Answer::Http(http) => Answer::Http(HttpAnswer { status: 200, ..http }),
                other => other,
            },
            Misbehaviour::Status(_)
            | Misbehaviour::RetryAfter(..)
            | Misbehaviour::Redirect
            | Misbehaviour::Garbage
            | Misbehaviour::Cut
            | Misbehaviour::Empty
            | Misbehaviour::Huge
            | Misbehaviour::OtherKey
            | Misbehaviour::FlippedSignature => answer,
        }
    }

    /// What the mail server makes of a mail: whether it keeps it, and what we hear.
    pub(super) fn of_mail(self) -> (MailTaken, Answer) {
        let why = |code: u16| format!("smtp.example.net:587: permanent or transient error ({code})");
        let gone = |why: &str| Failure::Unreachable { why: format!("smtp.example.net:587: {why}") };
        let (taken, failure) = match self {
            Misbehaviour::Status(code) | Misbehaviour::RetryAfter(code, _) => {
                let why = why(code);
                let failure = match code {
                    530 | 534 | 535 | 538 => Failure::NotLetIn { why },
                    500..=599 => Failure::RefusedForGood { why },
                    _ => Failure::RefusedForNow { why },
                };
                (MailTaken::No, failure)
            }
            Misbehaviour::Slow => (MailTaken::No, Failure::TimedOut { after_seconds: MAIL_SECONDS_MAX }),
            Misbehaviour::LostAnswer | Misbehaviour::Cut | Misbehaviour::Empty => {
                (MailTaken::Yes, gone("connection closed in the middle of a reply"))
            }
            Misbehaviour::Garbage
            | Misbehaviour::Html
            | Misbehaviour::Huge
            | Misbehaviour::Redirect
            | Misbehaviour::OtherKey
            | Misbehaviour::FlippedSignature => (MailTaken::No, gone("no SMTP reply")),
        };
        (taken, Answer::Mail(MailAnswer { steps: Vec::new(), end: Err(failure) }))
    }

    /// What comes of a folder on a share: files are cut, empty or garbage, anything else makes it unreadable.
    pub(super) fn of_file(self, bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match self {
            Misbehaviour::Garbage => Ok(vec![0xff; bytes.len()]),
            Misbehaviour::Html => Ok(PAGE.to_vec()),
            Misbehaviour::Cut => Ok(bytes[..bytes.len() * HALF_PERCENT / 100].to_vec()),
            Misbehaviour::Empty => Ok(Vec::new()),
            Misbehaviour::OtherKey | Misbehaviour::FlippedSignature => Ok(bytes),
            Misbehaviour::Status(_)
            | Misbehaviour::RetryAfter(..)
            | Misbehaviour::Huge
            | Misbehaviour::Slow
            | Misbehaviour::LostAnswer
            | Misbehaviour::Redirect => Err(Failure::File { why: "stale file handle".to_owned() }),
        }
    }
}

/// Whether a mail server keeps a mail about which we hear nothing good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MailTaken {
    Yes,
    No,
}

/// The far side heard the request, we do not hear its answer.
pub(super) fn lost() -> Answer {
    Answer::Failed(Failure::Broken { why: "the answer was lost on its way".to_owned() })
}

/// The answer of a server whose clock is so far ahead: its `Date`, and the hour that it tells.
pub(super) fn told_ahead(answer: Answer, ahead: TimeDelta) -> Answer {
    let Answer::Http(mut http) = answer else { return answer };
    for (_, value) in http.headers.iter_mut().filter(|(name, _)| name == "date") {
        if let Ok(hour) = DateTime::parse_from_rfc2822(value) {
            *value = (hour + ahead).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        }
    }
    if let Some(body) = with_server_time(&http.body, ahead) {
        http.body = body;
    }
    Answer::Http(http)
}

/// A body that is nothing but a server's hour, with another hour.
fn with_server_time(body: &[u8], ahead: TimeDelta) -> Option<Vec<u8>> {
    const FIELD: &str = "serverTime";
    const SHORT: usize = 1_000;
    if body.len() > SHORT {
        return None;
    }
    let mut told: serde_json::Value = serde_json::from_slice(body).ok()?;
    let hour = DateTime::parse_from_rfc3339(told.get(FIELD)?.as_str()?).ok()? + ahead;
    told[FIELD] = hour.to_rfc3339().into();
    Some(told.to_string().into_bytes())
}

/// The payload of a compact JWS, signed by somebody else under his own name.
fn signed_by_another(body: &[u8]) -> Vec<u8> {
    let payload = std::str::from_utf8(body).ok().and_then(|text| jws::unverified_payload(text).ok());
    let other = SigningKey::from_secret(&OTHER_KEY);
    payload.map_or_else(|| body.to_vec(), |payload| jws::sign(&other, &other.fingerprint(), &payload).into_bytes())
}

/// Another sign in the middle of the last part.
fn flip_signature(body: &mut [u8]) {
    let Some(dot) = body.iter().rposition(|byte| *byte == b'.') else { return };
    let middle = dot + (body.len() - dot) / 2;
    if let Some(sign) = body.get_mut(middle) {
        *sign = if *sign == b'A' { b'B' } else { b'A' };
    }
}
