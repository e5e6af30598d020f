//! Texts without names: what is replaced, what stays, and that it is the same everywhere.

use serde_json::json;
use tidegauge::domain::pseudonym::NameKind;
use tidegauge::rules::pseudonyms::PseudonymKey;
use tidegauge::rules::scrubbing::Scrub;

fn scrub() -> Scrub {
    let names = [
        (NameKind::Server, "vbr01"),
        (NameKind::Tenant, "Köhler & Söhne"),
        (NameKind::Tenant, "Köhler"),
        (NameKind::Machine, "sql-0003"),
        (NameKind::Person, "anna"),
        (NameKind::Person, "tidegauge"),
    ];
    Scrub::new(PseudonymKey::new([7; 32]), names.map(|(kind, name)| (kind, name.to_owned())))
}

/// The text with every pseudonym as its kind alone.
fn shape(text: &str) -> String {
    let mut shaped = String::new();
    for part in scrub().text(text).split_inclusive(['-', ' ']) {
        let code = part.trim_end_matches(|sign: char| !sign.is_ascii_alphanumeric());
        let is_code =
            code.len() >= 16 && code[..16].chars().all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit());
        shaped += if is_code { &part[16..] } else { part };
    }
    shaped
}

#[test]
fn names_are_found_in_any_case_as_whole_words_and_the_longest_first() {
    assert_eq!(shape("VBR01 shows sql-0003 of köhler & söhne"), "server- shows machine- of tenant-");
    assert_eq!(shape("collect/vbr01, TIDEGAUGE_SERVER__VBR01__URL"), "collect/server-, TIDEGAUGE_SERVER__server-__URL");
    assert_eq!(shape("vbr011 and annals stay, user:anna does not"), "vbr011 and annals stay, user:person- does not");
    assert_eq!(scrub().text("Köhler"), scrub().text("KÖHLER"));
    assert_ne!(scrub().text("Köhler"), scrub().text("Köhler & Söhne"));
}

#[test]
fn what_looks_like_an_address_a_path_or_an_id_is_replaced_though_nobody_knows_it() {
    for (text, expected) in [
        ("backup.example.net:9419 refused", "host- refused"),
        ("10.20.30.40:443, fe80::1", "host-, host-"),
        ("https://10.20.30.40:9419/api?x=1 answers", "https://host- answers"),
        ("to <max.muster@example.net>", "to <mailbox->"),
        ("file /etc/tidegauge/vbr.password: no", "file path-: no"),
        (r"C:\Backup\Köhler and \\share\x", "path- and path-"),
        ("unit 7e6a3c5e-0f0e-4a53-9a40-000000000001", "unit id-"),
        ("Bearer eyJhbGciOiJFZERTQSJ9abc", "Bearer id-"),
    ] {
        assert_eq!(shape(text), expected, "{text}");
    }
}

#[test]
fn hours_numbers_versions_events_and_words_stay() {
    for text in [
        "2026-11-04T09:00:00Z, 2026-11-04 and 2026-W45: 3900.5 points, 12 %",
        "report.generated at 09:00, build 13.1.0.411 speaks 1.3-rev2",
        "127.0.0.1 and localhost are this machine; tidegauge runs on it",
        "GET /api/v1/license answered 403: the account may not read licenses",
    ] {
        assert_eq!(scrub().text(text), text);
    }
}

#[test]
fn fields_that_name_somebody_never_stay_as_they_are() {
    let shown = scrub().json(&json!({
        "schema": "tidegauge.status/1", "servers": [{"name": "unheard", "state": "fresh", "points": "12.5"}],
        "reason": "because", "more": 3, "by": null,
    }));
    assert_eq!(shown["schema"], "tidegauge.status/1");
    assert_eq!((&shown["servers"][0]["state"], &shown["servers"][0]["points"]), (&json!("fresh"), &json!("12.5")));
    assert!(shown["servers"][0]["name"].as_str().is_some_and(|name| name.starts_with("text-")), "{shown}");
    assert!(shown["reason"].as_str().is_some_and(|reason| reason.starts_with("text-")), "{shown}");
    assert_eq!((&shown["more"], &shown["by"]), (&json!(3), &json!(null)));
}
