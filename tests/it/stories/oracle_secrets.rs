//! The oracle finds what must stay secret, however it is written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tidegauge::protocol::signed;
use tidegauge::seal::keys::SigningKey;
use tidegauge::simulation::oracle::Oracle;
use tidegauge::simulation::wire::{API_KEY, PASSWORD};

use super::oracle::{first_id, good_month};
use super::*;

#[test]
fn secrets_are_found_in_every_form() {
    let key = SigningKey::from_secret(&[7; 32]);
    let pem = key.to_pem();
    let pem = secrecy::ExposeSecret::expose_secret(&pem);
    let basic = tidegauge::simulation::wire::basic("tidegauge", PASSWORD);
    let hex = "07".repeat(32);
    for leak in [PASSWORD, API_KEY, &format!("Authorization: {basic}"), pem, &format!("key={hex};")] {
        let mut oracle = Oracle::default();
        oracle.keep_key_secret("the private key", pem);
        oracle.check_leak("a line of the log", format!("before {leak} after").as_bytes());
        assert!(!oracle.objections().is_empty(), "{leak}");
    }
    let mut oracle = Oracle::default();
    oracle.keep_key_secret("the private key", pem);
    oracle.check_leak("a line of the log", b"vbr01 answers again");
    assert!(oracle.objections().is_empty());
}

#[test]
fn secrets_are_found_in_parts_of_letters_and_in_sealed_messages() {
    let secret = format!("the password is {PASSWORD} indeed");
    let quoted = secret.replace('-', "=2D");
    let in_lines: Vec<String> =
        STANDARD.encode(&secret).as_bytes().chunks(20).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    for (encoding, text) in [("base64", in_lines.join("\r\n")), ("quoted-printable", quoted), ("7bit", secret.clone())]
    {
        let letter = format!(
            "Subject: news\r\nContent-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Transfer-Encoding: \
             7bit\r\n\r\nhello\r\n--x\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{text}\r\n--x--\r\n"
        );
        let mut oracle = Oracle::default();
        oracle.check_letter_leak(letter.as_bytes());
        assert!(!oracle.objections().is_empty(), "{encoding}");
    }
    let (world, state) = good_month();
    let body = &state.messages[&first_id(&state, "report")].body;
    let mut leaking = unverified::<Submission>(body).unwrap();
    leaking.contract_id = Some(PASSWORD.to_owned());
    let mut oracle = Oracle::default();
    oracle.check_sealed_leak(body);
    world.wire.mails().iter().for_each(|mail| oracle.check_letter_leak(&mail.message));
    assert_eq!(oracle.objections(), [""; 0]);
    oracle.check_sealed_leak(&signed(&leaking, &SigningKey::from_secret(&[7; 32])));
    assert!(!oracle.objections().is_empty());
}
