//! Signing in with OpenID Connect: what is asked of the provider, and whom its answers let in.
//!
//! The crate `openidconnect` writes the requests and verifies the answers; [`exchange`] lets them travel as asks. The
//! walk: [`discover`], [`Pending::begin`] sends the browser away, [`Pending::back`] knows it again, [`sign_in`] turns
//! its code into verified [`Claims`], and [`OpenId::admitted`] says who that is here.

mod claims;
mod exchange;
mod pending;
mod provider;
mod sign_in;

use std::collections::BTreeMap;

use openidconnect::url::Url;

use crate::ask::Peer;
use crate::domain::people::Role;
use crate::doors::peer::is_loopback;

pub use claims::{Claims, NotAdmitted};
pub use exchange::Exchange;
pub use pending::{Back, Begun, Drawn, LASTS, NotBack, Pending, Returned};
pub use provider::{Provider, discover};
pub use sign_in::sign_in;

/// What a peer of the provider begins with, before its origin.
pub const PEER: &str = "openid:";

/// Where browsers begin.
pub const BEGIN_PATH: &str = "/openid/begin";
/// Where providers send browsers back to.
pub const BACK_PATH: &str = "/openid/back";

/// The provider and what its word is worth here, as the settings say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenId {
    /// To the letter as the provider writes it.
    pub issuer: String,
    /// What the provider calls this console.
    pub client_id: String,
    /// Whether the wire has a client secret to show.
    pub client: Client,
    /// Where the provider sends browsers back to.
    pub back_url: String,
    /// Origins that are asked besides the issuer's.
    pub endpoints_at: Vec<String>,
    /// Asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that names the person.
    pub name_claim: String,
    /// The claim with the person's groups: a text or a list of texts.
    pub role_claim: String,
    /// The groups that have each role.
    pub roles: BTreeMap<Role, Vec<String>>,
}

/// How this console shows who it is (RFC 6749 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// With the secret that the wire knows.
    Confidential,
    /// By the proof of its own challenge alone (RFC 7636).
    Public,
}

impl OpenId {
    /// Scheme, host and port of everything that may be asked: the issuer's first.
    pub fn origins(&self) -> impl Iterator<Item = String> {
        origin_of(&self.issuer).into_iter().chain(self.endpoints_at.iter().cloned())
    }

    /// Where browsers begin: at the address that they come back to, which their cookie is for.
    pub fn begin_url(&self) -> String {
        format!("{}{BEGIN_PATH}", self.back_url.trim_end_matches(BACK_PATH))
    }

    /// The peer and path of a URL; `None`: the settings do not let it be asked.
    fn place_of(&self, url: &str) -> Option<(Peer, String)> {
        let origin = origin_of(url).filter(|origin| self.origins().any(|known| known == *origin))?;
        let url = Url::parse(url).ok()?;
        let query = url.query().map_or(String::new(), |query| format!("?{query}"));
        Some((format!("{PEER}{origin}"), format!("{}{query}", url.path())))
    }
}

/// Scheme, host and port of a URL that may be asked: https, or http on loopback; without a login in it.
pub fn origin_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(url.host_str()?);
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_safe && is_plain).then(|| url.origin().ascii_serialization())
}
