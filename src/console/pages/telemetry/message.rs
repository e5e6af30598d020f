//! One message: what it says, its very bytes, and what was answered.

use askama::Template;
use serde::Deserialize;

use super::{InShort, PAGE, address};
use crate::agent::{Query, Refused};
use crate::console::frame::{Frame, Visit};
use crate::console::pages::{Shown, html};
use crate::console::shown::When;

/// Most bytes of a text that stand on the page; the file holds all of it.
const SHOWN_MAX: usize = 64 << 10;
/// Longest text that is laid out by its fields.
const LAID_OUT_MAX: usize = 1 << 20;

/// The beginning of a text.
pub struct Excerpt {
    pub text: String,
    /// Bytes behind it.
    pub left: usize,
}

impl Excerpt {
    /// As it is.
    pub fn of(text: &str) -> Excerpt {
        let end = text.floor_char_boundary(SHOWN_MAX);
        Excerpt { text: text[..end].to_owned(), left: text.len() - end }
    }

    /// Laid out by its fields, when it is JSON that is not too long for that.
    pub fn of_json(text: &str) -> Excerpt {
        let read = (text.len() <= LAID_OUT_MAX).then(|| serde_json::from_str::<serde_json::Value>(text).ok()).flatten();
        let laid_out = read.and_then(|read| serde_json::to_string_pretty(&read).ok());
        Excerpt::of(laid_out.as_deref().unwrap_or(text))
    }
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct Message {
    frame: Frame,
    message: InShort,
    sealed_at: When,
    slot: Option<When>,
    received_at: Option<When>,
    next_try_at: Option<When>,
    payload: Option<Excerpt>,
    body: Excerpt,
    answer_payload: Option<Excerpt>,
    answer: Option<Excerpt>,
    adopted: Option<Excerpt>,
    file: String,
}

/// `tidegauge.message/1`.
#[derive(Deserialize)]
struct Answer {
    #[serde(flatten)]
    message: InShort,
    slot: Option<crate::domain::Instant>,
    body: String,
    payload: Option<String>,
    answer: Option<String>,
    answer_payload: Option<String>,
    adopted_body: Option<String>,
}

/// The page of a message, or its bytes as a file.
pub async fn drawn(mut visit: Visit, id: String) -> Result<Shown, Refused> {
    let answer: Answer = visit.ask(Query::Message { id }).await?;
    let message = answer.message;
    if visit.asked.has("file") {
        let name = format!("{}-{}-r{}.jws", message.kind, message.period, message.revision);
        return Ok(Shown::File { name, media_type: "application/jose".to_owned(), bytes: answer.body.into_bytes() });
    }
    let json = |text: Option<String>| text.map(|text| Excerpt::of_json(&text));
    let whole = |text: Option<String>| text.map(|text| Excerpt::of(&text));
    let frame = visit.frame(PAGE.path, message.what()).await?;
    Ok(Shown::Page(html(&Message {
        frame,
        sealed_at: visit.when(message.sealed_at),
        slot: answer.slot.map(|at| visit.when(at)),
        received_at: message.receipt.as_ref().map(|receipt| visit.when(receipt.received_at)),
        next_try_at: message.setback.as_ref().map(|setback| visit.when(setback.next_try_at)),
        payload: json(answer.payload),
        body: Excerpt::of(&answer.body),
        answer_payload: json(answer.answer_payload),
        answer: whole(answer.answer),
        adopted: whole(answer.adopted_body),
        file: format!("{}&file=yes", address(&message.id)),
        message,
    })))
}
