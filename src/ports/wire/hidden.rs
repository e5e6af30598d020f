//! What a far side says, without the secrets that it was told: a server may repeat a password in its refusal, and its
//! words go into logs, mails and the journal.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use memchr::memmem;
use secrecy::{ExposeSecret, SecretString};

use crate::ask::{Body, FormValue, HeaderSecret, HttpAsk};
use crate::doors::peer::HttpPeer;

use super::http::form_text;
use super::login;

/// What stands where a secret stood.
const MASK: &[u8] = b"***";
/// Shorter ones are no secrets, and would tear holes into honest words.
const BYTES_MIN: usize = 6;
/// In an answer that is no refusal there are names of machines, which a short password may be part of.
const UNMISTAKABLE_BYTES_MIN: usize = 16;

/// Secrets that are not to come back, each in the spellings in which a server would repeat it.
#[derive(Default)]
pub struct Hidden(Vec<SecretString>);

impl Hidden {
    /// What the settings give the peer.
    pub fn own(peer: &HttpPeer) -> Hidden {
        let mut hidden = Hidden::default();
        if let Some(login) = &peer.login
            && let Ok(password) = login::password(login)
        {
            hidden.hide_login(&login.username, &password);
        }
        if peer.api_key.is_some()
            && let Ok(key) = login::api_key(peer)
        {
            hidden.hide(&key);
        }
        hidden
    }

    /// Only what cannot be part of an honest answer.
    pub fn unmistakable(mut self) -> Hidden {
        self.0.retain(|text| UNMISTAKABLE_BYTES_MIN <= text.expose_secret().len());
        self
    }

    /// Beside it what this ask carried: an answer that is no refusal may give a token back.
    pub fn with(mut self, ask: &HttpAsk) -> Hidden {
        ask.bearer.iter().for_each(|bearer| self.hide(bearer));
        for (_, secret) in &ask.secret_headers {
            match secret {
                HeaderSecret::Text(text) => self.hide(text),
                HeaderSecret::PeerBasic | HeaderSecret::PeerClient | HeaderSecret::PeerKey => {}
            }
        }
        if let Body::Form(fields) = &ask.body {
            for (_, value) in fields {
                match value {
                    FormValue::Secret(secret) => self.hide(secret),
                    FormValue::Text(_) | FormValue::PeerUsername | FormValue::PeerPassword => {}
                }
            }
        }
        self
    }

    pub fn hide(&mut self, secret: &SecretString) {
        let text = secret.expose_secret();
        let json = serde_json::to_string(text).unwrap_or_default();
        let spelled = [
            text.to_owned(),
            json.trim_matches('"').to_owned(),
            form_text(text),
            STANDARD.encode(text),
            URL_SAFE_NO_PAD.encode(text),
        ];
        self.0.extend(spelled.into_iter().filter(|text| BYTES_MIN <= text.len()).map(SecretString::from));
        // The longest first: no spelling leaves the rest of another one behind.
        self.0.sort_by_key(|text| std::cmp::Reverse(text.expose_secret().len()));
        self.0.dedup_by(|one, other| one.expose_secret() == other.expose_secret());
    }

    /// A password with what else is made of it to log in: basic authorization, and mail's PLAIN.
    pub fn hide_login(&mut self, username: &str, password: &SecretString) {
        self.hide(password);
        let form = format!("{}:{}", form_text(username), form_text(password.expose_secret()));
        for joined in [
            format!("{username}:{}", password.expose_secret()),
            form,
            format!("\0{username}\0{}", password.expose_secret()),
        ] {
            self.hide(&joined.into());
        }
    }

    pub fn body(&self, body: Vec<u8>) -> Vec<u8> {
        self.0.iter().fold(body, |body, secret| masked(body, secret.expose_secret().as_bytes()))
    }

    pub fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.body(text.as_bytes().to_vec())).into_owned()
    }
}

fn masked(body: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    if memmem::find(&body, secret).is_none() {
        return body;
    }
    let mut rest = body.as_slice();
    let mut kept = Vec::with_capacity(body.len());
    while let Some(at) = memmem::find(rest, secret) {
        kept.extend_from_slice(&rest[..at]);
        kept.extend_from_slice(MASK);
        rest = &rest[at + secret.len()..];
    }
    kept.extend_from_slice(rest);
    kept
}
