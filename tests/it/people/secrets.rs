//! Passwords, tokens and codes: what is kept of them, and which are refused.

use secrecy::{ExposeSecret, SecretString};
use tidegauge::domain::people::{SecretHash, user_name};
use tidegauge::people::password::{self, Weak};
use tidegauge::people::token;

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

#[test]
fn a_password_is_kept_as_argon2id_with_owasps_parameters_and_fits_however_it_is_typed() {
    let hash = password::hash(&secret("Käse und drei Wörter"), [3; 16]);
    assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose());
    assert!(password::verify(&secret("Käse und drei Wörter"), Some(&hash)));
    assert!(password::verify(&secret("Ka\u{308}se und drei Wo\u{308}rter"), Some(&hash)), "composed and decomposed");
    assert!(!password::verify(&secret("Kase und drei Worter"), Some(&hash)));
    assert_ne!(password::hash(&secret("Käse und drei Wörter"), [4; 16]), hash, "salted");
    assert!(!format!("{hash:?}").contains("argon2"), "never printed");
}

#[test]
fn nobody_is_let_in_without_a_hash_not_even_with_the_stand_ins_password() {
    assert!(!password::verify(&secret("nobody"), None));
    assert!(!password::verify(&secret(""), None));
    assert!(!password::verify(&secret("x"), Some(&SecretHash::new("no hash"))));
    assert!(!password::verify(&secret(&"x".repeat(5_000)), None));
}

#[test]
fn what_is_guessed_first_is_refused_with_the_reason() {
    let refused = |text: &str| password::refuse_weak(&secret(text), "anna.smith").err();
    assert_eq!(refused("eleven sign"), Some(Weak::Short(11)));
    assert_eq!(refused("Password1234"), Some(Weak::Worst));
    assert_eq!(refused("zzzzzzzzzzzzzz"), Some(Weak::Worst));
    assert_eq!(refused("Anna.Smith2026"), Some(Weak::Name));
    assert_eq!(refused(&"long".repeat(300)), Some(Weak::Long));
    assert_eq!(refused("plain lower case words"), None);
    assert_eq!(refused("ключ от дома"), None);
    assert!(!Weak::Worst.to_string().contains("1234"));
}

#[test]
fn only_hashes_that_are_cheap_to_check_are_taken() {
    let ours = password::hash(&secret("plain lower case words"), [1; 16]);
    assert!(password::is_ours(&ours));
    for (from, to) in [("m=19456", "m=4194304"), ("t=2", "t=99"), ("argon2id", "argon2i")] {
        assert!(!password::is_ours(&SecretHash::new(ours.expose().replace(from, to))), "{to}");
    }
    for text in ["plain lower case words", "", "$argon2id$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ"] {
        assert!(!password::is_ours(&SecretHash::new(text)), "{text}");
    }
}

#[test]
fn of_a_token_only_its_hash_is_kept() {
    let (text, hash) = token::new([9; 32]);
    assert!(text.expose_secret().starts_with("tgt_") && text.expose_secret().len() == 47);
    assert_eq!(token::hash_of(text.expose_secret()), hash);
    assert_ne!(token::hash_of("tgt_"), hash);
    let (code, hash) = token::code([9; 32]);
    assert_eq!(token::hash_of(code.expose_secret()), hash);
    assert_eq!(token::welcome_path("x"), "/welcome/x");
}

#[test]
fn names_are_lower_case_and_hold_nothing_that_breaks_a_line_or_a_key() {
    assert_eq!(user_name(" Anna.Smith@Example.net ").as_deref(), Some("anna.smith@example.net"));
    for wrong in ["", "-x", "a b", "a/b", "a\nb", "änna", &"a".repeat(65)] {
        assert_eq!(user_name(wrong), None, "{wrong}");
    }
}
