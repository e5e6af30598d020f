//! The language of the License Update Server, spoken by agent and server.
//!
//! Each body is a compact JWS over the canonical JSON of one message (design.md section 6). The key id is the
//! fingerprint of the signer's key. Nothing depends on clocks: ids make replays harmless.

mod answers;
mod conversation;
mod enrolment;
mod key_file;
mod license;
mod submission;
mod telemetry;

use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::calendar::is_reckoned;
use crate::domain::gate::{REASON_CHARS_MAX, Tolerance};
use crate::domain::watermark::Daily;
use crate::seal::canonical;
use crate::seal::jws;
use crate::seal::keys::{SigningKey, VerifyingKey};

pub use answers::{ConflictAnswer, ReceiptAnswer, Refusal, Status};
pub use conversation::{Exchange, Sent, enrol, license_check, send_sealed};
pub use enrolment::{Enrol, Enrolled, EnrolmentToken, NotAToken, TOKEN_DAYS};
pub use key_file::{NotAKeyFile, issue_key, read_key};
pub use license::{JustifiedMonth, LicenseAnswer, LicenseCheck, Occasion, Receipted};
pub use submission::{ReportDetail, SignedReport, Submission};
pub use telemetry::{InstallationCoverage, Telemetry};

/// The License Update Server's name among the peers.
pub const PEER: &str = "license_server";
/// Content type of every signed body.
pub const CONTENT_TYPE: &str = "application/jose";
/// Longest body either side reads.
pub const BODY_BYTES_MAX: u64 = 16 << 20;
/// Longest text in a message that is no list.
const TEXT_CHARS_MAX: usize = REASON_CHARS_MAX;

/// Where a kind of message is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Enrol,
    Telemetry,
    Report,
    LicenseCheck,
}

impl Kind {
    pub fn path(self) -> &'static str {
        match self {
            Kind::Enrol => "/v1/enrol",
            Kind::Telemetry => "/v1/telemetry",
            Kind::Report => "/v1/reports",
            Kind::LicenseCheck => "/v1/license-checks",
        }
    }
}

/// A message that stands in a signed body.
pub trait Message: Serialize + DeserializeOwned {
    /// Value of its `schema` field.
    const SCHEMA: &'static str;

    fn schema(&self) -> &str;

    /// Says in what the message contradicts itself or the bounds of the protocol.
    ///
    /// # Errors
    /// One line that names the field.
    fn check(&self) -> Result<(), String>;
}

/// Why a payload is no message of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("not a {schema} message: {why}")]
    Shape { schema: &'static str, why: String },
    #[error("a {schema} message that cannot be true: {why}")]
    Untrue { schema: &'static str, why: String },
}

/// Reads and checks the payload of a verified body.
///
/// # Errors
/// [`Unreadable`] whatever the bytes are.
pub fn read<M: Message>(payload: &[u8]) -> Result<M, Unreadable> {
    let message: M = read_kept(payload)?;
    message.check().map_err(|why| Unreadable::Untrue { schema: M::SCHEMA, why: shortened(&why) })?;
    Ok(message)
}

/// Reads the payload of a body that was taken, and so checked by the bounds of its time.
///
/// # Errors
/// [`Unreadable::Shape`].
pub fn read_kept<M: Message>(payload: &[u8]) -> Result<M, Unreadable> {
    let shape = |why: String| Unreadable::Shape { schema: M::SCHEMA, why: shortened(&why) };
    let message: M = serde_json::from_slice(payload).map_err(|error| shape(error.to_string()))?;
    if message.schema() != M::SCHEMA {
        return Err(shape(format!("its schema is '{}'", shortened(message.schema()))));
    }
    Ok(message)
}

/// The message as a signed body: canonical, so that the same message and key give the same bytes.
pub fn signed<M: Message>(message: &M, key: &SigningKey) -> String {
    let value = serde_json::to_value(message).expect("messages have text keys and no binary floats");
    jws::sign(key, &key.fingerprint(), &canonical::bytes(&value))
}

/// Verifies the body and reads the message in it.
///
/// # Errors
/// One line: not signed by that key, or not such a message.
pub fn verified<M: Message>(body: &[u8], key: &VerifyingKey) -> Result<M, String> {
    let text = std::str::from_utf8(body).map_err(|_| "not a signed answer: not even text".to_owned())?;
    let payload = jws::verify(text, key).map_err(|why| why.to_string())?;
    read(&payload).map_err(|why| why.to_string())
}

/// Reads a message that we sealed ourselves, without its signature.
pub fn unverified<M: Message>(body: &str) -> Option<M> {
    read(&jws::unverified_payload(body).ok()?).ok()
}

/// Refuses a text that is too long or empty.
fn check_text(field: &str, text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if (1..=TEXT_CHARS_MAX).contains(&length) { Ok(()) } else { Err(format!("{field} has {length} signs")) }
}

/// Refuses a list that is longer than any provider's.
fn check_length(field: &str, length: usize, length_max: usize) -> Result<(), String> {
    if length <= length_max { Ok(()) } else { Err(format!("{field} has {length} entries, more than {length_max}")) }
}

/// Refuses a tolerance that no operator means: what is worked out of it stays exact.
fn check_tolerance(tolerance: &Tolerance) -> Result<(), String> {
    let is_share = (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&tolerance.percent);
    if is_share && !tolerance.points.is_negative() {
        return Ok(());
    }
    Err(format!("tolerance is {} points or {} percent", tolerance.points, tolerance.percent))
}

/// Refuses days that nobody reckons with, out of order, out of the period, or marked outside themselves.
fn check_daily(daily: &[Daily], in_period: impl Fn(&Daily) -> bool) -> Result<(), String> {
    for pair in daily.windows(2) {
        if pair[1].day <= pair[0].day {
            return Err(format!("daily marks: {} does not come after {}", pair[1].day, pair[0].day));
        }
    }
    for one in daily {
        if !is_reckoned(one.day) {
            return Err(format!("daily marks: {} is not a day of the years 1970 to 9998", one.day));
        }
        let agrees = one.points.is_some() == one.at.is_some() && one.at.is_none_or(|at| at.date_naive() == one.day);
        if !in_period(one) || !agrees || one.points.is_some_and(|points| points.is_negative()) {
            return Err(format!("daily marks: {} is outside its period or marked outside its day", one.day));
        }
    }
    Ok(())
}

fn shortened(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_control()).take(TEXT_CHARS_MAX).collect()
}
