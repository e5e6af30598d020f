//! Ed25519 keys, their PEM and their fingerprints.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};

use super::canonical;
use super::digest::{sha256, sha256_hex};

/// A private key; shows only its fingerprint.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// A public key; as text it is base64url of its 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

/// Why bytes or a text are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    #[error("not an Ed25519 private key in PKCS#8 PEM; make one with `license-server key new`")]
    Pem,
    #[error("not an Ed25519 public key: 32 bytes in base64url are expected")]
    Public,
}

impl SigningKey {
    /// The key of these 32 secret bytes; every value is a key.
    pub fn from_secret(secret: &[u8; 32]) -> SigningKey {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(secret))
    }

    /// Reads PKCS#8 PEM.
    ///
    /// # Errors
    /// [`NotAKey::Pem`] when the text is anything else.
    pub fn from_pem(text: &str) -> Result<SigningKey, NotAKey> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(text).map(SigningKey).map_err(|_| NotAKey::Pem)
    }

    /// PKCS#8 PEM, for a file that only its owner reads (0600).
    pub fn to_pem(&self) -> SecretString {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).expect("a key of fixed size always encodes");
        SecretString::from(pem.as_str().to_owned())
    }

    pub fn verifying(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    pub fn fingerprint(&self) -> String {
        self.verifying().fingerprint()
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl VerifyingKey {
    /// Reads 32 bytes.
    ///
    /// # Errors
    /// [`NotAKey::Public`] when they are no point of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<VerifyingKey, NotAKey> {
        ed25519_dalek::VerifyingKey::from_bytes(bytes).map(VerifyingKey).map_err(|_| NotAKey::Public)
    }

    /// Reads base64url of 32 bytes.
    ///
    /// # Errors
    /// [`NotAKey::Public`] for anything else.
    pub fn from_text(text: &str) -> Result<VerifyingKey, NotAKey> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAKey::Public)?;
        VerifyingKey::from_bytes(&bytes.try_into().map_err(|_| NotAKey::Public)?)
    }

    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_bytes())
    }

    /// `sha256:` and the hex digest of the 32 bytes.
    pub fn fingerprint(&self) -> String {
        format!("sha256:{}", sha256_hex(self.0.as_bytes()))
    }

    /// The key as a JSON Web Key (RFC 8037): its three required members.
    pub fn jwk(&self) -> Value {
        json!({ "crv": "Ed25519", "kty": "OKP", "x": self.to_text() })
    }

    /// Reads a JSON Web Key.
    ///
    /// # Errors
    /// [`NotAKey::Public`] for anything else.
    pub fn from_jwk(jwk: &Value) -> Result<VerifyingKey, NotAKey> {
        if jwk["kty"] != "OKP" || jwk["crv"] != "Ed25519" {
            return Err(NotAKey::Public);
        }
        VerifyingKey::from_text(jwk["x"].as_str().unwrap_or_default())
    }

    /// The thumbprint of RFC 7638: base64url of the SHA-256 over the key's required members.
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(&canonical::bytes(&self.jwk())))
    }

    /// Whether the signature is this key's over exactly these bytes.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.fingerprint())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.fingerprint())
    }
}

impl Serialize for VerifyingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<VerifyingKey, D::Error> {
        VerifyingKey::from_text(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
