//! Sign-ins under way: begun here, gone to the provider, not back yet.

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope};
use secrecy::SecretString;
use serde::Deserialize;

use crate::ask::Setback;
use crate::domain::Instant;
use crate::seal::digest::sha256;

use super::super::tries::network_of;
use super::sign_in::{client_of, plain_word};
use super::{OpenId, Provider};

/// How long somebody may take at the provider.
pub const LASTS: TimeDelta = TimeDelta::minutes(10);
/// Most sign-ins under way; beyond it the network with most of them loses its oldest, which begins again: whoever
/// begins without end pushes out himself.
const PENDING_MAX: usize = 1_000;
/// Longest code, state or cookie that is looked at.
const TEXT_MAX: usize = 4_096;

/// Drawn secrets of one sign-in, each of 256 bits.
pub struct Drawn {
    state: String,
    nonce: String,
    verifier: String,
    browser: String,
}

impl Drawn {
    /// Bytes to draw for one sign-in.
    pub const BYTES: usize = 128;

    /// Of bytes that nobody can guess.
    pub fn of(bytes: &[u8; Drawn::BYTES]) -> Drawn {
        let mut texts = bytes.chunks(Drawn::BYTES / 4).map(|part| URL_SAFE_NO_PAD.encode(part));
        let mut next = || texts.next().expect("128 bytes are four parts");
        Drawn { state: next(), nonce: next(), verifier: next(), browser: next() }
    }
}

/// Where the browser goes, and by what it is known when it comes back.
pub struct Begun {
    /// The provider's page; holds the state and the nonce.
    pub url: String,
    /// The value of a cookie that is given back to this console alone, for [`LASTS`].
    pub cookie: SecretString,
}

/// What the browser brings back (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Clone, Default, Deserialize)]
pub struct Back {
    pub code: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
    pub iss: Option<String>,
}

/// A browser that is back with a code, and what the sign-in began with.
pub struct Returned {
    pub(super) provider: Arc<Provider>,
    pub(super) code: SecretString,
    pub(super) verifier: SecretString,
    pub(super) nonce: Nonce,
    /// As the sign-in began with it.
    pub to: String,
}

/// Why what a browser brings is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBack {
    #[error(
        "this sign-in is over: it was finished, began more than 10 minutes ago, or never began here; sign in again"
    )]
    Over,
    #[error("this sign-in began in another browser; sign in again")]
    OtherBrowser,
    #[error("another provider answered than was asked; sign in again")]
    OtherIssuer,
    #[error("the sign-in provider did not let you in ({error}); ask whoever keeps it")]
    Refused { error: String },
    #[error("the sign-in provider sent no code back; sign in again")]
    NoCode,
}

/// The sign-ins under way, each by the digest of its state: none is found by trying.
#[derive(Default)]
pub struct Pending {
    by_state: BTreeMap<[u8; 32], Away>,
}

struct Away {
    from: IpAddr,
    browser: [u8; 32],
    nonce: Nonce,
    verifier: SecretString,
    provider: Arc<Provider>,
    to: String,
    since: Instant,
}

impl Pending {
    /// Sends a browser to the provider; `to` is where it goes once it is let in, `from` the browser's address.
    ///
    /// # Errors
    /// The settings make no address.
    pub fn begin(
        &mut self,
        party: &OpenId,
        provider: &Arc<Provider>,
        drawn: Drawn,
        to: &str,
        (from, now): (IpAddr, Instant),
    ) -> Result<Begun, Setback> {
        let client = client_of(party, provider)?;
        let verifier = PkceCodeVerifier::new(drawn.verifier);
        let (state, nonce) = (CsrfToken::new(drawn.state.clone()), Nonce::new(drawn.nonce));
        let asked = nonce.clone();
        let (url, ..) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || asked)
            .add_scopes(party.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        self.forget_old(now);
        let away = Away {
            from: network_of(from),
            browser: sha256(drawn.browser.as_bytes()),
            nonce,
            verifier: verifier.into_secret().into(),
            provider: Arc::clone(provider),
            to: to.chars().take(TEXT_MAX).collect(),
            since: now,
        };
        self.by_state.insert(sha256(drawn.state.as_bytes()), away);
        Ok(Begun { url: url.into(), cookie: drawn.browser.into() })
    }

    /// Takes a browser back; its state is good for one try, whatever comes of it.
    ///
    /// # Errors
    /// [`NotBack`] in words for whoever sits before it.
    pub fn back(
        &mut self,
        party: &OpenId,
        back: Back,
        cookie: Option<&str>,
        now: Instant,
    ) -> Result<Returned, NotBack> {
        let known = |text: &&str| text.len() <= TEXT_MAX;
        let state = back.state.as_deref().filter(known).ok_or(NotBack::Over)?;
        let away = self.by_state.remove(&sha256(state.as_bytes())).filter(|away| away.is_waited_for(now));
        let away = away.ok_or(NotBack::Over)?;
        if cookie.filter(known).is_none_or(|cookie| sha256(cookie.as_bytes()) != away.browser) {
            return Err(NotBack::OtherBrowser);
        }
        if back.iss.is_some_and(|issuer| issuer != party.issuer) {
            return Err(NotBack::OtherIssuer);
        }
        if let Some(error) = back.error {
            return Err(NotBack::Refused { error: plain_word(&error) });
        }
        let code = back.code.filter(|code| !code.is_empty() && code.len() <= TEXT_MAX).ok_or(NotBack::NoCode)?;
        let Away { provider, nonce, verifier, to, .. } = away;
        Ok(Returned { provider, code: code.into(), verifier, nonce, to })
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.by_state.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_state.is_empty()
    }

    fn forget_old(&mut self, now: Instant) {
        self.by_state.retain(|_, away| away.is_waited_for(now));
        while self.by_state.len() >= PENDING_MAX {
            let crowded = self.crowded();
            let of_it = self.by_state.iter().filter(|(_, away)| Some(away.from) == crowded);
            let oldest = of_it.min_by_key(|(_, away)| away.since).map(|(state, _)| *state);
            oldest.and_then(|state| self.by_state.remove(&state));
        }
    }
}

impl Pending {
    /// The network with most sign-ins under way.
    fn crowded(&self) -> Option<IpAddr> {
        let mut counts: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for away in self.by_state.values() {
            *counts.entry(away.from).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(from, _)| from)
    }
}

impl Away {
    /// Not for longer than [`LASTS`]; nor when the clock went back behind its beginning.
    fn is_waited_for(&self, now: Instant) -> bool {
        self.since <= now && now < self.since + LASTS
    }
}
