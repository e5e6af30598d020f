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

#[test]
fn documents_go_out_under_pseudonyms_and_the_table_says_which_name_is_which() {
    let shell = Shell::with_report();
    let [report, archive, table] = ["october.json", "october.zip", "names.csv"].map(|name| shell.path(name));
    let [report_at, archive_at, table_at] = [&report, &archive, &table].map(|path| path.display().to_string());
    let saved = shell.json(&["report", "save", "--format", "json", "--out", &report_at, "--pseudonyms"]);
    assert_eq!(saved["names"], "pseudonyms");
    assert!(is_private(&shell.path("state/keys/pseudonyms.key")));
    let text = std::fs::read_to_string(&report).expect("the file");
    for name in ["\"vbr01\"", "sql01", "machine-1", "Tenant A", "Daily\""] {
        assert!(!text.contains(name), "{name} is in {text}");
    }
    let written = shell.json(&["evidence", "export", "--out", &archive_at, "--pseudonyms"]);
    assert_eq!(written["names"], "pseudonyms");
    let ran = shell.run(&["evidence", "verify", &archive_at]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("note   names: they are pseudonyms"), "{}", ran.out);
    let archived = std::fs::read(&archive).expect("the archive");
    let digest = saved["digest"].as_str().expect("a digest");
    assert!(String::from_utf8_lossy(&archived).contains(digest), "the saved document is the one of the archive");
    let written = shell.json(&["report", "pseudonyms", "--out", &table_at]);
    assert_eq!(written["names"], "plain");
    assert!(is_private(&table));
    let rows = std::fs::read_to_string(&table).expect("the table");
    let server = rows.lines().find(|row| row.ends_with(",server,vbr01")).expect("the server is in it");
    assert!(text.contains(server.split(',').next().expect("a pseudonym")), "{server}");
    assert!(shell.run(&["report", "pseudonyms"]).out.contains("Tenant A"));
}

#[test]
fn settings_that_want_pseudonyms_need_no_word_on_the_command_line() {
    let shell = Shell::with_report();
    let config = shell.file("private.toml", "[privacy]\npseudonyms = [\"report_save\"]\n");
    let out = shell.path("october.csv").display().to_string();
    let saved = shell.json(&["report", "save", "--format", "csv", "--out", &out, "--config", &config]);
    assert_eq!(saved["names"], "pseudonyms");
    assert!(!std::fs::read_to_string(&out).expect("the file").contains(",vbr01,"));
    let out = shell.path("october.zip").display().to_string();
    assert_eq!(shell.json(&["evidence", "export", "--out", &out, "--config", &config])["names"], "plain");
}
