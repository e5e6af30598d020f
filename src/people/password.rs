//! Passwords: argon2id hashes, their check, and which passwords are too weak.

use std::sync::LazyLock;

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use crate::domain::people::SecretHash;

/// Fewest signs; length is what counts (NIST SP 800-63B), so no mixture of signs is asked for.
pub const SIGNS_MIN: usize = 12;
/// Longest password in bytes, so that nobody sends books.
pub const BYTES_MAX: usize = 1024;
/// Without its user's name a password must have this many signs left.
const SIGNS_BESIDE_NAME_MIN: usize = 8;

/// Memory in KiB, passes and lanes: the first of the equal choices of the OWASP Password Storage Cheat Sheet for
/// argon2id (19 MiB, 2, 1).
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What lists of leaked passwords begin with, among those that are long enough; compared in lower case.
const WORST: [&str; 24] = [
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789123",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "abcdefghijkl",
    "adminadmin123",
    "administrator",
    "changeme1234",
    "changemenow!",
    "correcthorsebatterystaple",
    "iloveyou1234",
    "letmein12345",
    "password1234",
    "password12345",
    "passwordpassword",
    "qwerty123456",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiopasdf",
    "tidegauge123",
    "tidegaugetidegauge",
    "welcome12345",
];

/// Why a password is not taken; does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    #[error("the password has {0} signs; take at least {SIGNS_MIN}, such as four words")]
    Short(usize),
    #[error("the password is longer than {BYTES_MAX} bytes; take a shorter one")]
    Long,
    #[error("the password is hardly more than the user's name; take another one")]
    Name,
    #[error("the password stands on every list of passwords to try first; take another one")]
    Worst,
}

/// Refuses what is guessed first.
///
/// # Errors
/// [`Weak`] says why, for a person.
pub fn refuse_weak(password: &SecretString, name: &str) -> Result<(), Weak> {
    let spelled = normal(password);
    let spelled = spelled.expose_secret();
    let signs = spelled.chars().count();
    // As it is typed too: a text that is not looked at is never the right one.
    if spelled.len().max(password.expose_secret().len()) > BYTES_MAX {
        return Err(Weak::Long);
    }
    if signs < SIGNS_MIN {
        return Err(Weak::Short(signs));
    }
    let lower = spelled.to_lowercase();
    let name = name.to_lowercase();
    let is_name = !name.is_empty() && lower.contains(&name);
    if is_name && lower.replace(&name, "").chars().count() < SIGNS_BESIDE_NAME_MIN {
        return Err(Weak::Name);
    }
    let first = lower.chars().next();
    let is_one_sign = lower.chars().all(|sign| Some(sign) == first);
    if is_one_sign || WORST.contains(&lower.as_str()) {
        return Err(Weak::Worst);
    }
    Ok(())
}

/// The password's argon2id hash as a PHC string, under 16 random bytes of salt.
pub fn hash(password: &SecretString, salt: [u8; 16]) -> SecretHash {
    let hashed: PasswordHash = hasher()
        .hash_password_with_salt(normal(password).expose_secret().as_bytes(), &salt)
        .expect("parameters, salt and length are within the algorithm's bounds");
    SecretHash::new(hashed.to_string())
}

/// Whether the password is the one that was hashed. Without a hash nobody is let in, after the same time: how long it
/// takes does not say whether there is such a user.
pub fn verify(password: &SecretString, hash: Option<&SecretHash>) -> bool {
    verify_by(password, hash, |spelled, hash| {
        hasher().verify_password(spelled.expose_secret().as_bytes(), hash.expose()).is_ok()
    })
}

/// The same with another way to compare, which is the costly part and happens once whoever it is.
pub fn verify_by(
    password: &SecretString,
    hash: Option<&SecretHash>,
    compare: impl FnOnce(&SecretString, &SecretHash) -> bool,
) -> bool {
    static NOBODY: LazyLock<SecretHash> = LazyLock::new(|| self::hash(&SecretString::from("nobody"), [0; 16]));
    if password.expose_secret().len() > BYTES_MAX {
        return false;
    }
    let spelled = normal(password);
    let fits = compare(&spelled, hash.unwrap_or(&NOBODY));
    hash.is_some() && fits
}

/// Whether the text is a hash of [`hash`], or of one that is no dearer to check.
pub fn is_ours(hash: &SecretHash) -> bool {
    let Ok(read) = PasswordHash::new(hash.expose()) else { return false };
    let Ok(parameters) = Params::try_from(&read) else { return false };
    let is_affordable =
        parameters.m_cost() <= MEMORY_KIB && parameters.t_cost() <= PASSES && parameters.p_cost() <= LANES;
    read.algorithm == Algorithm::Argon2id.ident() && read.hash.is_some() && read.salt.is_some() && is_affordable
}

fn hasher() -> Argon2<'static> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
}

/// Unicode spells some signs in several ways, and keyboards differ (NIST SP 800-63B: NFKC before hashing).
fn normal(password: &SecretString) -> SecretString {
    SecretString::from(password.expose_secret().nfkc().collect::<String>())
}
