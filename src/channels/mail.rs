//! Mail: one message per recipient, to the exact bytes; the same notice gives the same message again.

use std::time::SystemTime;

use chrono::DateTime;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as AttachedPart, Body, Mailbox, Message, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use super::letters::letter;
use super::{Attachment, NotAnAddress, Telling};
use crate::ask::{Ask, MailAsk};
use crate::domain::Instant;
use crate::domain::notice::Notice;

/// Most bytes of all attachments of one message; common mail servers refuse not much more. 10 MB.
pub const ATTACHED_BYTES_MAX: usize = 10_000_000;
/// Longest wait for the mail server's final words.
const SECONDS_MAX: u32 = 120;
/// The last second that a mail's date can name: 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;

/// One mail for each recipient.
pub(super) fn asks(notice: &Notice, telling: &Telling) -> Vec<Result<Ask, NotAnAddress>> {
    telling.to.iter().map(|to| mail(notice, telling, to).map(Ask::Mail)).collect()
}

/// Whether mails can be sent to, or from, this address.
///
/// # Errors
/// [`NotAnAddress`] names what was given.
pub fn check_address(address: &str) -> Result<(), NotAnAddress> {
    mailbox(address).map(|_| ())
}

/// The mail of a notice to one recipient.
///
/// Date, Message-ID and boundary come from the notice and the recipient: a mail that is sent again after an unclear
/// outcome is the same mail.
///
/// # Errors
/// [`NotAnAddress`] when sender or recipient is none.
pub fn mail(notice: &Notice, telling: &Telling, to: &str) -> Result<MailAsk, NotAnAddress> {
    let (from, to) = (mailbox(telling.from)?, mailbox(to)?);
    let (attached, left_out) = fitting(telling.attachments);
    let letter = letter(notice, telling, &left_out);
    let message = Message::builder()
        .date(date(notice.at))
        .from(from.clone())
        .to(to.clone())
        .subject(letter.subject)
        .message_id(Some(message_id(notice, &to)))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Tidegauge-Event", notice.news.event()));
    let text = SinglePart::plain(letter.text);
    let message = if attached.is_empty() {
        message.singlepart(text)
    } else {
        let parts = attached.into_iter().map(part);
        message.multipart(parts.fold(mixed(notice).singlepart(text), MultiPart::singlepart))
    };
    let message = message.expect("sender and recipient are given").formatted();
    Ok(MailAsk { from: from.email.to_string(), to: to.email.to_string(), message, seconds_max: SECONDS_MAX })
}

fn mailbox(address: &str) -> Result<Mailbox, NotAnAddress> {
    address.parse().map_err(|_| NotAnAddress { address: address.chars().take(200).collect() })
}

/// The attachments that fit, in order, and the names of the others.
fn fitting(attachments: &[Attachment]) -> (Vec<&Attachment>, Vec<String>) {
    let mut room = ATTACHED_BYTES_MAX;
    let (mut attached, mut left_out) = (Vec::new(), Vec::new());
    for attachment in attachments {
        match room.checked_sub(attachment.bytes.len()) {
            Some(rest) => {
                room = rest;
                attached.push(attachment);
            }
            None => left_out.push(file_name(&attachment.name)),
        }
    }
    (attached, left_out)
}

fn part(attachment: &Attachment) -> SinglePart {
    let kind = ContentType::parse(&attachment.media_type)
        .unwrap_or_else(|_| ContentType::parse("application/octet-stream").expect("it is a media type"));
    // Base64 keeps every byte, and no line of a file can pass for a boundary.
    let body = Body::new_with_encoding(attachment.bytes.clone(), ContentTransferEncoding::Base64);
    AttachedPart::new(file_name(&attachment.name)).body(body.expect("base64 takes all bytes"), kind)
}

/// A file's name without what could end a header or leave a folder.
fn file_name(name: &str) -> String {
    let plain = |sign: char| if sign.is_control() || "\"\\/:".contains(sign) { '_' } else { sign };
    name.chars().map(plain).take(120).collect()
}

/// lettre draws a boundary by chance unless it is given one.
fn mixed(notice: &Notice) -> lettre::message::MultiPartBuilder {
    let kind = format!("multipart/mixed; boundary=\"tidegauge-{}\"", short_hash(&notice.id));
    MultiPart::builder().header(ContentType::parse(&kind).expect("hexadecimal signs make a boundary"))
}

/// Tells one recipient's copy from another's, and names no one.
fn message_id(notice: &Notice, to: &Mailbox) -> String {
    let id = notice.id.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '-').take(64).collect::<String>();
    format!("<{id}.{}@tidegauge>", short_hash(to.email.as_ref()))
}

fn short_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn date(at: Instant) -> SystemTime {
    let seconds = at.timestamp().clamp(0, LAST_SECOND);
    SystemTime::from(DateTime::from_timestamp(seconds, 0).unwrap_or_default())
}
