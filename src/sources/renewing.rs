//! What a source can be asked to do with its server's license key, and what came of it.

use super::SourceSettings;
use crate::ask::{Conversation, Setback};
use crate::domain::installation::ServerName;
use crate::domain::license::License;

/// What is asked of one server.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The server in the settings; also the peer of every ask.
    pub server: ServerName,
    pub settings: SourceSettings,
    pub deed: Deed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The server asks its vendor for a renewed key.
    Update,
    /// The server installs this key file.
    Install { file: Vec<u8> },
}

/// The exchange about a server's license key.
pub type Talk = Box<dyn Conversation<Done = Renewed>>;

/// What came of an [`Errand`]; a setback instead of it means that the server was not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    pub heard: Heard,
    /// The server's license just before, without the ids it does not tell.
    pub before: License,
    /// Its license afterwards, or why that could not be read.
    pub after: Result<License, String>,
}

/// What the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Its words, word for word, and whether it calls them a success.
    Words { message: String, is_successful: bool },
    /// It took the key file without a word.
    Taken,
    /// Nothing that can be read: whether it did what it was asked shows in its license alone.
    Lost(Setback),
}
