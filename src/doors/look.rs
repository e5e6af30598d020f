//! What is seen on the way to a peer, before anything is asked of it: plain data, for whoever looks for what is wrong.

use crate::ask::Failure;
use crate::domain::Instant;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub what: Way,
    /// What was found, or why it went no further.
    pub found: Result<String, Failure>,
    /// When it ends, of a certificate.
    pub ends_at: Option<Instant>,
}

/// A part of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The addresses of its name.
    Address,
    /// A proxy in between.
    Proxy,
    /// The certificates that it shows, which are believed.
    Certificate,
    /// A mail server's greeting, without a login.
    Greeting,
}

impl Way {
    /// As it is called in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Way::Address => "address",
            Way::Proxy => "proxy",
            Way::Certificate => "certificate",
            Way::Greeting => "greeting",
        }
    }
}
