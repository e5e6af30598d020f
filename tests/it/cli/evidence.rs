//! `evidence`: written, checked, refused.

use super::{Shell, is_private, names};

fn exported(shell: &Shell) -> String {
    let out = shell.path("october.zip").display().to_string();
    let written = shell.json(&["evidence", "export", "--month", "2025-10", "--out", &out]);
    assert_eq!((&written["month"], &written["revisions"]), (&"2025-10".into(), &1.into()));
    out
}

#[test]
fn a_months_evidence_is_written_for_its_owner_alone_and_holds() {
    let shell = Shell::with_report();
    let out = exported(&shell);
    assert!(is_private(&shell.path("october.zip")));
    let ran = shell.run(&["evidence", "verify", &out]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with("everything holds\n") && !ran.out.contains("FAILS"), "{}", ran.out);
    let key = shell.json(&["evidence", "key"]);
    assert!(names(&key).contains(&"jwk"));
    let fingerprint = key["fingerprint"].as_str().expect("a fingerprint");
    assert!(ran.out.contains(fingerprint), "without --key the fingerprint is printed to be compared");
    assert_eq!(shell.run(&["evidence", "verify", &out, "--key", fingerprint]).code, 0);
    let elsewhere = Shell::new();
    assert_eq!(elsewhere.run(&["evidence", "verify", &out, "--key", fingerprint]).code, 0, "no store is needed");
    assert_eq!(elsewhere.json(&["evidence", "verify", &out])["holds"], true);
    assert!(!elsewhere.path("state").exists(), "and none is made");
}

#[test]
fn what_does_not_hold_is_7_and_says_what() {
    let shell = Shell::with_report();
    let out = exported(&shell);
    let ran = shell.run(&["evidence", "verify", &out, "--key", "sha256:00"]);
    assert_eq!(ran.code, 7);
    assert!(ran.out.contains("FAILS  key") && ran.err.contains("october.zip"), "{}{}", ran.out, ran.err);
    let mut bytes = std::fs::read(&out).expect("the archive");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&out, bytes).expect("the folder takes files");
    let ran = shell.run(&["evidence", "verify", &out, "--json"]);
    assert_eq!(ran.code, 7);
    let verdict: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON is printed all the same");
    assert_eq!(verdict["holds"], false);
    assert_eq!(ran.err.lines().count(), 1);
}

#[test]
fn a_month_without_a_report_and_a_missing_file_are_66() {
    let shell = Shell::with_report();
    let out = shell.path("none.zip").display().to_string();
    let (code, why) = shell.refused(&["evidence", "export", "--month", "2025-09", "--out", &out]);
    assert_eq!(code, 66);
    assert!(why.contains("2025-09") && why.contains("nothing to prove"), "{why}");
    assert!(!shell.path("none.zip").exists());
    assert_eq!(shell.refused(&["evidence", "verify", "nowhere.zip"]).0, 66);
}
