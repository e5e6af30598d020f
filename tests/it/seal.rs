//! Canonical JSON, keys and signatures.

use std::collections::BTreeMap;

use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tidegauge::seal::jws::{self, NotSigned};
use tidegauge::seal::keys::{SigningKey, VerifyingKey};
use tidegauge::seal::{canonical, digest, merkle};

fn canonical_text(value: &Value) -> String {
    String::from_utf8(canonical::bytes(value)).unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_secret(&[seed; 32])
}

#[derive(serde::Serialize)]
struct Told {
    zone: &'static str,
    items: Vec<Item>,
    #[serde(flatten)]
    kind: Kind,
    empty: BTreeMap<u8, ()>,
    after: (bool, Option<i8>, f64),
}

#[derive(Clone, serde::Serialize)]
struct Item {
    name: String,
    at: char,
    kind: Kind,
}

#[derive(Clone, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Plain,
    Wrapped(u64),
    Named { until: String, from: i64 },
    Both(u8, String),
}

/// Every shape that serde knows, with members out of order and the longest one in the middle.
fn told(names: &[String]) -> Told {
    let kinds = [
        Kind::Plain,
        Kind::Wrapped(u64::MAX),
        Kind::Named { until: "\u{1}\"".to_owned(), from: i64::MIN },
        Kind::Both(7, "x".to_owned()),
    ];
    let item = |(name, kind): (&String, &Kind)| Item { name: name.clone(), at: '\n', kind: kind.clone() };
    let items = names.iter().zip(kinds.iter().cycle()).map(item).collect();
    Told { zone: "GMT", items, kind: kinds[2].clone(), empty: BTreeMap::new(), after: (true, None, 1e21) }
}

proptest! {
    #[test]
    fn what_is_told_without_a_tree_is_the_canonical_text_of_the_tree(names in prop::collection::vec(any::<String>(), 0..9)) {
        let told = told(&names);
        let tree = serde_json::to_value(&told).unwrap();
        let text = canonical::bytes(&told);
        prop_assert_eq!(&text, &canonical::bytes(&tree));
        prop_assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), tree);
    }

    #[test]
    fn the_lines_for_people_are_those_of_any_indented_json(names in prop::collection::vec(any::<String>(), 0..9)) {
        let told = told(&names);
        let indented = serde_json::to_string_pretty(&serde_json::to_value(&told).unwrap()).unwrap();
        // Numbers alone stand at the end of a line; this one is written as ECMAScript does.
        let indented = indented.replace(" 1e21\n", " 1e+21\n") + "\n";
        prop_assert_eq!(String::from_utf8(canonical::lines_without(&told, &[])).unwrap(), indented);
    }
}

#[test]
fn members_are_left_out_of_the_outermost_object_alone() {
    let value = json!({"digest": 1, "a": {"digest": 2}, "stage": [3]});
    assert_eq!(canonical::bytes_without(&value, &["digest", "stage"]), br#"{"a":{"digest":2}}"#);
    let lines = canonical::lines_without(&value, &["digest", "stage"]);
    assert_eq!(lines, b"{\n  \"a\": {\n    \"digest\": 2\n  }\n}\n");
    assert_eq!(canonical::lines_without(&json!({"digest": 1}), &["digest"]), b"{}\n");
}

#[test]
fn properties_stand_in_the_order_of_their_utf16_units() {
    // The example of RFC 8785, 3.2.3.
    let value = json!({ "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
        "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis" });
    let text = canonical_text(&value);
    let order = ["\\r", "\"1\"", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"];
    let places: Vec<usize> = order.iter().map(|name| text.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn numbers_and_texts_are_spelled_as_rfc_8785_says() {
    let value = json!({
        "numbers": [333_333_333.333_333_3, 1e30, 4.50, 2e-3, 1e-27, -0.0, 1.0, 1e21, -123_456.75],
        "string": "\u{20ac}$\u{f}\nA'\u{42}\"\\\\\"/", "literals": [null, true, false], "whole": u64::MAX,
    });
    assert_eq!(
        canonical_text(&value),
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1,1e+21,-123456.75],\
         \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",\"whole\":18446744073709551615}"
    );
}

#[test]
fn the_digest_is_that_of_the_standard() {
    assert_eq!(digest::sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_key_survives_its_pem_and_shows_only_its_fingerprint() {
    let key = key(7);
    let pem = key.to_pem();
    assert!(pem.expose_secret().starts_with("-----BEGIN PRIVATE KEY-----"));
    let again = SigningKey::from_pem(pem.expose_secret()).unwrap();
    assert_eq!(again.fingerprint(), key.fingerprint());
    assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.fingerprint()));
    assert_eq!(VerifyingKey::from_text(&key.verifying().to_text()).unwrap(), key.verifying());
    assert!(SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").is_err());
}

#[test]
fn the_signature_is_that_of_rfc_8037() {
    // Appendix A.4 signs with a header that has no key id; ours has one, so the key itself is what is compared (A.3).
    let secret = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
        0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    assert_eq!(SigningKey::from_secret(&secret).verifying().to_text(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
}

#[test]
fn another_key_another_algorithm_and_a_critical_header_are_refused() {
    use base64::Engine;
    let text = jws::sign(&key(1), "agent", b"exact bytes");
    assert_eq!(jws::verify(&text, &key(1).verifying()).unwrap(), b"exact bytes");
    assert_eq!(jws::unverified_kid(&text).unwrap(), "agent");
    assert_eq!(jws::unverified_payload(&text).unwrap(), b"exact bytes");
    assert_eq!(jws::verify(&text, &key(2).verifying()), Err(NotSigned::WrongSignature));
    let (_, rest) = text.split_once('.').unwrap();
    for header in [r#"{"alg":"none","kid":"agent"}"#, r#"{"alg":"EdDSA","kid":"agent","crit":["b64"]}"#, "{}"] {
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        assert_eq!(jws::verify(&format!("{header}.{rest}"), &key(1).verifying()), Err(NotSigned::Header));
    }
    assert_eq!(jws::verify(&format!("{text}.x"), &key(1).verifying()), Err(NotSigned::NotCompact));
}

proptest! {
    #[test]
    fn what_was_signed_comes_back_and_a_changed_sign_does_not(payload: Vec<u8>, place: prop::sample::Index, sign in "[A-Za-z0-9_-]") {
        let text = jws::sign(&key(3), "k", &payload);
        prop_assert_eq!(jws::verify(&text, &key(3).verifying()).unwrap(), payload);
        let at = place.index(text.len());
        let mut changed = text.clone();
        changed.replace_range(at..=at, &sign);
        prop_assert_eq!(jws::verify(&changed, &key(3).verifying()).is_ok(), changed == text);
    }

    #[test]
    fn foreign_text_is_refused_without_a_panic(text in "(\\PC|[A-Za-z0-9_.-]){0,200}") {
        prop_assert!(jws::verify(&text, &key(3).verifying()).is_err());
        let _ = jws::unverified_kid(&text);
        let _ = SigningKey::from_pem(&text);
        let _ = VerifyingKey::from_text(&text);
    }

    #[test]
    fn canonical_json_reads_back_as_the_same_value(text in "\\PC{0,40}", number: i64) {
        let value = json!({ text.clone(): [text, number] });
        prop_assert_eq!(serde_json::from_slice::<Value>(&canonical::bytes(&value)).unwrap(), value);
    }

    #[test]
    fn a_number_is_spelled_so_that_it_reads_back_exactly(number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL) {
        prop_assert_eq!(canonical_text(&json!(number)).parse::<f64>().unwrap(), number);
    }
}

/// RFC 6962's tree as its text defines it, without our recursion.
fn root_of_two_level_tree(leaves: &[[u8; 32]; 3]) -> [u8; 32] {
    let node = |left: &[u8; 32], right: &[u8; 32]| digest::sha256(&[&[1][..], left, right].concat());
    node(&node(&leaves[0], &leaves[1]), &leaves[2])
}

#[test]
fn the_tree_is_that_of_rfc_6962() {
    // The roots that Certificate Transparency's own tests state, over these eight leaves.
    let leaves: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let hashes: Vec<[u8; 32]> = leaves.iter().map(|leaf| merkle::leaf(leaf)).collect();
    let root = |count: usize| digest::hex(&merkle::root(&hashes[..count]));
    assert_eq!(root(0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(root(1), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_eq!(root(2), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    assert_eq!(root(8), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    let three = [hashes[0], hashes[1], hashes[2]];
    assert_eq!(merkle::root(&three), root_of_two_level_tree(&three));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_leaf_is_proved_and_no_other(
        (count, index) in (1_usize..70).prop_flat_map(|count| (Just(count), 0..count)), other in 0_u64..80,
    ) {
        let hashes: Vec<[u8; 32]> = (0..count).map(|n| merkle::leaf(&n.to_le_bytes())).collect();
        let root = merkle::root(&hashes);
        let tree = merkle::Tree::over(hashes.clone());
        prop_assert_eq!(tree.root(), root_by_rfc_6962(&hashes));
        let proof = tree.proof(index).expect("the leaf is there");
        prop_assert_eq!(tree.proof(count), None);
        let proves = |leaf: &[u8; 32], at: u64| merkle::proves(&proof, leaf, at, count as u64, &root);
        prop_assert!(proves(&hashes[index], index as u64));
        prop_assert!(other == index as u64 || !proves(&hashes[index], other));
        prop_assert!(!proves(&merkle::leaf(b"another"), index as u64));
        prop_assert!(!merkle::proves(&[&proof[..], &[root]].concat(), &hashes[index], index as u64, count as u64, &root));
    }
}

/// RFC 6962, 2.1, word for word: split at the largest power of two below the count.
fn root_by_rfc_6962(leaves: &[[u8; 32]]) -> [u8; 32] {
    if let [only] = leaves {
        return *only;
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    digest::sha256(&[&[1][..], &root_by_rfc_6962(left), &root_by_rfc_6962(right)].concat())
}

#[test]
fn a_payload_longer_than_any_text_is_checked_against_its_detached_signature() {
    let (signer, payload) = (key(7), vec![b'x'; jws::TEXT_MAX]);
    let text = jws::sign_detached(&signer, &payload);
    assert_eq!(jws::verify_detached(&text, &payload, &signer.verifying()), Ok(()));
    assert!(jws::verify_detached(&text, &payload[1..], &signer.verifying()).is_err());
}

#[test]
fn a_detached_signature_is_of_exactly_these_bytes_and_this_key() {
    let (signer, payload) = (key(7), b"the record");
    let text = jws::sign_detached(&signer, payload);
    assert_eq!(text, jws::sign_detached(&signer, payload), "the same bytes give the same signature");
    assert!(text.contains("..") && text.matches('.').count() == 2, "{text}");
    assert_eq!(jws::verify_detached(&text, payload, &signer.verifying()), Ok(()));
    assert!(jws::verify_detached(&text, b"the Record", &signer.verifying()).is_err());
    assert!(jws::verify_detached(&text, payload, &key(8).verifying()).is_err());
    for place in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(jws::verify_detached(&changed, payload, &signer.verifying()).is_err(), "sign {place}");
    }
}

#[test]
fn the_thumbprint_is_that_of_rfc_8037() {
    // RFC 8037, appendix A.3.
    let key = VerifyingKey::from_text("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(VerifyingKey::from_jwk(&key.jwk()), Ok(key));
    assert!(VerifyingKey::from_jwk(&json!({"kty": "OKP", "crv": "X25519", "x": "AAAA"})).is_err());
}
