//! Secrets in all the forms in which they could leak, and the search for them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::super::wire::{API_KEY, HOOK_SECRET, PASSWORD, USERNAME};
use super::Oracle;
use crate::seal::jws;

/// Bytes of the secret part of an Ed25519 key, and where they begin in its PKCS #8 form (RFC 8410, section 7).
const SEED_BYTES: usize = 32;
const SEED_AT: usize = 16;
/// What a PEM body's lines are at least long.
const PEM_LINE_MIN: usize = 16;

/// What may stand nowhere.
pub(super) struct Secret {
    pub what: &'static str,
    text: String,
}

impl Secret {
    /// Whether the text holds it.
    pub fn stands_in(&self, text: &str) -> bool {
        text.contains(&self.text)
    }
}

impl Oracle {
    /// From here on this text may stand nowhere.
    pub fn keep_secret(&mut self, what: &'static str, text: &str) {
        if !text.is_empty() {
            self.secrets.push(Secret { what, text: text.to_owned() });
        }
    }

    /// The same of a private key, in each of its forms.
    pub fn keep_key_secret(&mut self, what: &'static str, pem: &str) {
        let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        body.iter().filter(|line| line.len() >= PEM_LINE_MIN).for_each(|line| self.keep_secret(what, line));
        let der = STANDARD.decode(body.concat()).unwrap_or_default();
        let Some(seed) = der.get(SEED_AT..SEED_AT + SEED_BYTES) else { return };
        let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        for text in [hex, STANDARD.encode(seed), URL_SAFE_NO_PAD.encode(seed)] {
            self.keep_secret(what, &text);
        }
    }

    /// The secrets that every simulated world has.
    pub(super) fn keep_simulated_secrets(&mut self) {
        self.keep_secret("the password", PASSWORD);
        self.keep_secret("the login", &STANDARD.encode(format!("{USERNAME}:{PASSWORD}")));
        self.keep_secret("the API key", API_KEY);
        self.keep_secret("the webhook secret", HOOK_SECRET.trim_start_matches("whsec_"));
    }

    /// The same of a sealed message, as it was sent and as it reads.
    pub fn check_sealed_leak(&mut self, body: &str) {
        self.check_leak("a sealed message", body.as_bytes());
        self.check_leak("a sealed message", &jws::unverified_payload(body).unwrap_or_default());
    }

    /// The same of a letter: as it was sent, and each of its parts as it reads. Attached files that are packed (XLSX, PDF)
    /// are looked at where they are written.
    pub fn check_letter_leak(&mut self, message: &[u8]) {
        self.check_leak("a letter", message);
        for part in read_parts(&String::from_utf8_lossy(message)) {
            self.check_leak("a letter", &part);
        }
    }

    /// Objects when a secret stands in these bytes.
    pub fn check_leak(&mut self, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let leaked: Vec<&'static str> =
            self.secrets.iter().filter(|secret| secret.stands_in(&text)).map(|secret| secret.what).collect();
        for what in leaked {
            self.object(format!("{what} stands in {place}"));
        }
    }
}

/// The bodies of a letter's parts, read as their heads say (RFC 2045, section 6). A line that begins like a boundary and is
/// none goes on as the part before it.
fn read_parts(letter: &str) -> Vec<Vec<u8>> {
    let mut encoding = String::new();
    let mut parts = Vec::new();
    for part in letter.split("\r\n--") {
        let (head, body) = part.split_once("\r\n\r\n").unwrap_or(("", part));
        let stated = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("Content-Transfer-Encoding").then(|| value.trim().to_ascii_lowercase())
        });
        let text = if stated.is_some() { body } else { part };
        encoding = stated.unwrap_or(encoding);
        parts.extend(match encoding.as_str() {
            "base64" => STANDARD.decode(text.split_whitespace().collect::<String>()).ok(),
            "quoted-printable" => quoted_printable::decode(text, quoted_printable::ParseMode::Robust).ok(),
            _ => None,
        });
    }
    parts
}
