//! Mail: one message per recipient, as text and HTML, to the exact bytes; the same notice gives the same message again.

use std::time::SystemTime;

use chrono::DateTime;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as AttachedPart, Body, Mailbox, Message, MultiPart, MultiPartBuilder, SinglePart};
use sha2::{Digest, Sha256};

use super::letters::{letter, trial_letter};
use super::sheet::Letter;
use super::{Attachment, NotAnAddress, Telling};
use crate::ask::{Ask, MailAsk};
use crate::domain::Instant;
use crate::domain::notice::{News, Notice};

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

/// The mail of a notice to one recipient, and the same without its files.
///
/// Date, Message-ID and boundaries come from the notice and the recipient: a mail that is sent again after an unclear
/// outcome is the same mail.
///
/// # Errors
/// [`NotAnAddress`] when sender or recipient is none.
pub fn mail(notice: &Notice, telling: &Telling, to: &str) -> Result<MailAsk, NotAnAddress> {
    let head = Head {
        from: mailbox(telling.from)?,
        to: mailbox(to)?,
        id: &notice.id,
        answers: loss_told(&notice.news),
        at: notice.at,
        event: notice.news.event(),
    };
    let (attached, too_large) = fitting(telling.attachments, telling.attached_bytes_max);
    let message = head.message(letter(notice, telling, &too_large), &attached);
    let names = || telling.attachments.iter().map(|attachment| file_name(&attachment.name)).collect::<Vec<String>>();
    let without_files = (!attached.is_empty()).then(|| head.message(letter(notice, telling, &names()), &[]));
    Ok(head.ask(message, without_files))
}

/// A letter that only shows that letters arrive; `about` says by which settings.
///
/// # Errors
/// [`NotAnAddress`] when sender or recipient is none.
pub fn trial(from: &str, to: &str, about: &str, at: Instant) -> Result<MailAsk, NotAnAddress> {
    let id = format!("mail-test-{}", at.timestamp());
    let head = Head { from: mailbox(from)?, to: mailbox(to)?, id: &id, answers: None, at, event: "mail.test" };
    let message = head.message(trial_letter(about, &id, at), &[]);
    Ok(head.ask(message, None))
}

/// What stands above the letter.
struct Head<'a> {
    from: Mailbox,
    to: Mailbox,
    id: &'a str,
    /// The notice that this one belongs to: mail programs show the two together.
    answers: Option<&'a str>,
    at: Instant,
    event: &'static str,
}

impl Head<'_> {
    fn message(&self, letter: Letter, attached: &[&Attachment]) -> Vec<u8> {
        let message = Message::builder()
            .date(date(self.at))
            .from(self.from.clone())
            .to(self.to.clone())
            .subject(letter.subject.clone())
            .message_id(Some(message_id(self.id, &self.to)))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Tidegauge-Event", self.event));
        let message = match self.answers {
            Some(id) => message.in_reply_to(message_id(id, &self.to)).references(message_id(id, &self.to)),
            None => message,
        };
        let texts = multipart("alternative", self.id)
            .singlepart(SinglePart::plain(letter.text()))
            .singlepart(SinglePart::html(letter.html()));
        let message = if attached.is_empty() {
            message.multipart(texts)
        } else {
            let parts = attached.iter().map(|attachment| part(attachment));
            message.multipart(parts.fold(multipart("mixed", self.id).multipart(texts), MultiPart::singlepart))
        };
        message.expect("sender and recipient are given").formatted()
    }

    fn ask(&self, message: Vec<u8>, without_files: Option<Vec<u8>>) -> MailAsk {
        let (from, to) = (self.from.email.to_string(), self.to.email.to_string());
        MailAsk { from, to, message, without_files, seconds_max: SECONDS_MAX }
    }
}

/// The notice of the loss whose end the news is.
fn loss_told(news: &News) -> Option<&str> {
    let News::SourceRecovered { loss: Some(loss), .. } = news else { return None };
    Some(&loss.id)
}

fn mailbox(address: &str) -> Result<Mailbox, NotAnAddress> {
    address.parse().map_err(|_| NotAnAddress { address: address.chars().take(200).collect() })
}

/// The attachments that fit, in order, and the names of the others.
fn fitting(attachments: &[Attachment], bytes_max: usize) -> (Vec<&Attachment>, Vec<String>) {
    let mut room = bytes_max;
    let (mut attached, mut too_large) = (Vec::new(), Vec::new());
    for attachment in attachments {
        match room.checked_sub(in_base64(attachment.bytes.len())) {
            Some(rest) => {
                room = rest;
                attached.push(attachment);
            }
            None => too_large.push(file_name(&attachment.name)),
        }
    }
    (attached, too_large)
}

/// How many bytes become of these: four signs for three bytes, and a line end after each 76 signs (RFC 2045, 6.8).
fn in_base64(bytes: usize) -> usize {
    let signs = bytes.div_ceil(3) * 4;
    signs + signs.div_ceil(76) * 2
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
fn multipart(kind: &str, id: &str) -> MultiPartBuilder {
    let kind = format!("multipart/{kind}; boundary=\"tidegauge-{kind}-{}\"", short_hash(id));
    MultiPart::builder().header(ContentType::parse(&kind).expect("hexadecimal signs make a boundary"))
}

/// Tells one recipient's copy from another's, and names no one.
fn message_id(id: &str, to: &Mailbox) -> String {
    let id = id.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '-').take(64).collect::<String>();
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
