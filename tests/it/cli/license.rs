//! `license` on the command line: the window table, consent, history, and keys installed by hand.

use serde_json::json;

use super::{Shell, at};
use crate::rules::renewal::WINDOWS;

#[test]
fn the_printed_windows_are_the_fields_table_row_by_row() {
    let shell = Shell::new();
    let mut line = vec!["license", "window"];
    WINDOWS.iter().for_each(|(anchor, ..)| line.extend(["--expires", anchor]));
    let printed = shell.run(&line);
    assert_eq!(printed.code, 0, "{}", printed.err);
    let rows: Vec<Vec<&str>> = printed.out.lines().skip(1).map(|row| row.split_whitespace().collect()).collect();
    let expected: Vec<Vec<String>> = WINDOWS
        .iter()
        .map(|(anchor, days, ends, grace)| {
            [anchor, anchor, days.to_string().as_str(), ends, grace].map(str::to_owned).to_vec()
        })
        .collect();
    assert_eq!(rows, expected);
    let all = shell.json(&line);
    assert_eq!(all.as_array().map(Vec::len), Some(WINDOWS.len()));
}

#[test]
fn the_mixed_case_and_a_key_that_only_its_support_ends_have_their_window_too() {
    let shell = Shell::new();
    let mixed = shell.json(&["license", "window", "--expires", "2026-03-31", "--support-expires", "2026-02-20"]);
    assert_eq!(
        mixed,
        json!({"anchor": "2026-02-20", "days": 28, "ends_on": "2026-03-20", "grace_ends_on": "2026-05-30"})
    );
    let perpetual = shell.json(&["license", "window", "--support-expires", "2026-02-20"]);
    assert_eq!(perpetual["grace_ends_on"], json!(null));
    assert_eq!(shell.run(&["license", "window"]).code, 2);
    assert_eq!(shell.run(&["license", "window", "--expires", "2026-02-30"]).code, 2);
}

#[test]
fn consent_is_stated_and_kept_with_time_user_and_words() {
    let shell = Shell::with_october();
    let on = shell.run(&["license", "auto-update", "on"]);
    assert_eq!(on.code, 0, "{}", on.err);
    for words in ["Update license automatically (enables usage reporting)", "high watermark", "report is sent"] {
        assert!(on.out.contains(words), "{words} is not in:\n{}", on.out);
    }
    let kept = shell.json(&["license", "show"])["auto_update_ordered"].clone();
    assert_eq!((&kept["by"], &kept["at"]), (&json!("user:clerk"), &json!("2025-11-15T10:00:00Z")));
    let words = kept["consent"].as_str().expect("the words are kept");
    assert!(words.starts_with("Update license automatically") && on.out.contains(words));
    shell.clock.set(at("2025-11-16T10:00:00Z"));
    assert_eq!(shell.run(&["license", "auto-update", "on"]).code, 0);
    assert_eq!(shell.json(&["license", "show"])["auto_update_ordered"], kept, "repeating moves nothing");
}

/// A shell that sampled one server with this license block in place of its own.
fn sampled_with(change: &[(&str, serde_json::Value)]) -> Shell {
    let shell = Shell::new();
    let mut sample = super::snapshot("vbr01", "2025-10-31T23:00:00Z", 1);
    change.iter().for_each(|(field, value)| sample["license"][*field] = value.clone());
    let file = shell.file("sample.json", &sample.to_string());
    assert_eq!(shell.run(&["sample", "import", &file]).code, 0);
    shell
}

#[test]
fn a_key_that_auto_update_does_not_renew_is_refused_with_what_to_do() {
    for (change, words, reason) in [
        (("type", json!("Free")), "Community Edition", "community_edition"),
        (("edition", json!("Community")), "Community Edition", "community_edition"),
        (("type", json!("NFR")), "by hand", "type_not_supported"),
        (("support_id", json!("01234567, 07654321")), "ask support", "merged_support_ids"),
        (("support_id", json!(null)), "enrol", "no_contract"),
    ] {
        let shell = sampled_with(&[change]);
        let (code, why) = shell.refused(&["license", "auto-update", "on"]);
        assert_eq!(code, 65, "{why}");
        assert!(why.contains(words) && why.lines().count() == 1, "{why}");
        let shown = shell.json(&["license", "show"]);
        assert_eq!((&shown["eligibility"]["reason"], &shown["auto_update"]), (&json!(reason), &json!(false)));
        assert!(shell.run(&["license", "show"]).out.contains("not renewed automatically"));
        assert_eq!(shell.run(&["license", "auto-update", "off"]).code, 0, "off is always possible");
    }
}

#[test]
fn a_shortfall_that_nothing_explains_is_shown_as_such() {
    let gate =
        |unexplained: &str| json!({"month": "2025-10", "verdict": "held", "causes": [], "unexplained": unexplained});
    let text = tidegauge::cli::gate_text(&gate("45"), at("2025-11-15T10:00:00Z"));
    assert!(text.lines().any(|line| line.starts_with("unexplained") && line.contains("45")), "{text}");
    assert!(!tidegauge::cli::gate_text(&gate("0"), at("2025-11-15T10:00:00Z")).contains("unexplained"));
}

#[test]
fn history_has_a_schema_and_says_so_when_nothing_was_checked() {
    let shell = Shell::with_october();
    let history = shell.json(&["license", "history"]);
    assert_eq!((&history["schema"], &history["sessions"]), (&json!("tidegauge.license-history/1"), &json!([])));
    assert!(shell.run(&["license", "history"]).out.contains("License key auto-update of vbr01"));
}

#[test]
fn a_key_is_not_installed_where_no_issuer_is_known_and_a_pdf_is_none() {
    let shell = Shell::with_october();
    let file = shell.file("renewed.tglicense", "eyJhbGciOiJFZERTQSJ9.e30.AAAA");
    let (code, why) = shell.refused(&["license", "install", &file]);
    assert_eq!(code, 77);
    assert!(why.contains("not enrolled") && why.contains("enrol --token-file"), "{why}");
    let pdf = shell.path("invoice.pdf");
    std::fs::write(&pdf, b"%PDF-1.7\n\xff\xfe\x00binary").expect("the temporary directory takes files");
    let (code, why) = shell.refused(&["license", "install", &pdf.display().to_string()]);
    assert_eq!(code, 65, "{why}");
}
