//! Ways to tell people: a notice becomes asks. Pure.

pub mod cloud_events;
pub mod hook_answer;
mod letters;
pub mod mail;
mod sheet;
pub mod webhook;
pub mod webhook_types;

use chrono_tz::Tz;

use crate::ask::Ask;
use crate::domain::notice::Notice;

pub use letters::{left_or_overdue, until};

/// What every channel may use beside the notice itself.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// Sender of mails, such as `Tidegauge <tidegauge@example.net>`.
    pub from: &'a str,
    /// Recipients; each gets a message of its own. Of mail: addresses; of other channels: `NAME:…`.
    pub to: &'a [String],
    /// What the notice is about, such as a license and its servers; may be empty.
    pub about: &'a str,
    /// Where files lie that are too large to be attached.
    pub files_at: &'a str,
    pub attachments: &'a [Attachment],
    /// The zone in which the notice's hour is shown beside GMT.
    pub time_zone: Tz,
    /// Most bytes of all attachments of one message, in base64.
    pub attached_bytes_max: usize,
}

/// A file that goes with a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// An address that no message can be sent to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{address}' is not a mail address; write it as name@example.net or Name <name@example.net>")]
pub struct NotAnAddress {
    pub address: String,
}

/// One way to tell people.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    pub name: &'static str,
    /// One ask per recipient; a wrong address keeps no other recipient from being told.
    pub asks: fn(&Notice, &Telling) -> Vec<Result<Ask, NotAnAddress>>,
}

/// Every channel there is, one row and one file each.
pub const CHANNELS: [Channel; 2] =
    [Channel { name: "mail", asks: mail::asks }, Channel { name: "webhook", asks: webhook::asks }];

/// The channel of a recipient: `NAME:…` speaks of the channel of that name, a mail address of mail.
pub fn channel_of(recipient: &str) -> &'static Channel {
    let is_named = |channel: &&Channel| recipient.strip_prefix(channel.name).is_some_and(|rest| rest.starts_with(':'));
    CHANNELS.iter().find(is_named).unwrap_or(&CHANNELS[0])
}
