//! Exit codes are a contract, and an error is one line.

use super::{Shell, snapshot};

fn check(shell: &Shell, line: &[&str], code: u8, words: &str) {
    let (seen, why) = shell.refused(line);
    assert_eq!(seen, code, "{line:?}: {why}");
    assert!(why.contains(words), "{line:?}: '{why}' does not say '{words}'");
    assert_eq!(why.lines().count(), 1, "{line:?}: {why}");
}

#[test]
fn the_same_snapshot_again_is_nothing_to_do_and_another_is_a_conflict() {
    let shell = Shell::with_october();
    let same = shell.path("october.json").display().to_string();
    check(&shell, &["sample", "import", &same], 3, "known already");
    let other = shell.file("other.json", &snapshot("vbr01", "2025-10-31T23:00:00Z", 2).to_string());
    check(&shell, &["sample", "import", &other], 8, "vbr01");
}

#[test]
fn bad_input_names_its_file() {
    let shell = Shell::new();
    let torn = shell.file("torn.json", "{\"schema\":\"tidegauge.usage-sna");
    check(&shell, &["sample", "import", &torn], 65, "torn.json");
    let absurd = snapshot("vbr01", "2025-10-31T23:00:00Z", 1).to_string().replace("\"11\"", "\"-11\"");
    let absurd = shell.file("absurd.json", &absurd);
    check(&shell, &["sample", "import", &absurd], 65, "points");
    check(&shell, &["sample", "import", "nowhere.json"], 66, "nowhere.json");
}

#[test]
fn what_is_not_there_is_not_found() {
    let shell = Shell::with_october();
    check(&shell, &["report", "show", "--month", "2025-09"], 66, "2025-09");
    check(&shell, &["usage", "--unit", "nobody"], 66, "nobody");
    check(&shell, &["usage", "--server", "vbr99"], 66, "vbr99");
    check(&Shell::new(), &["usage"], 3, "sample");
}

#[test]
fn a_report_is_built_once_and_only_of_a_month_that_has_ended() {
    let shell = Shell::with_report();
    check(&shell, &["report", "generate", "--month", "2025-10"], 3, "stands already");
    check(&shell, &["report", "generate", "--month", "2025-11"], 2, "has not ended");
    check(&shell, &["report", "correct", "--reason", "late"], 2, "neither sent nor entered");
    check(&shell, &["report", "adjust", "--remove", "nothing", "--reason", "gone"], 65, "nothing");
    check(&shell, &["report", "adjust", "--remove", "sql01", "--reason", " "], 2, "reason");
    check(&shell, &["report", "adjust", "--reason", "gone"], 2, "--remove");
    let out = shell.path("report.doc").display().to_string();
    check(&shell, &["report", "save", "--format", "doc", "--out", &out], 2, "doc");
}

#[test]
fn nothing_is_sent_without_a_license_server() {
    let shell = Shell::with_report();
    check(&shell, &["report", "send"], 78, "license_server");
    check(&shell, &["license", "update"], 77, "enrol");
    let token = shell.file("token.txt", "tgenrol1.c2VjcmV0\n");
    let (code, why) = shell.refused(&["enrol", "--token-file", &token]);
    assert_eq!(code, 78);
    assert!(!why.contains("c2VjcmV0"), "a token is never printed: {why}");
}

#[test]
fn a_hand_set_hour_is_not_for_what_leaves_the_machine() {
    let shell = Shell::with_report();
    for line in
        [&["agent"][..], &["report", "send"], &["report", "correct", "--reason", "late"], &["license", "update"]]
    {
        let line = [line, &["--now", "2025-11-01"]].concat();
        check(&shell, &line, 2, "--now");
    }
}

#[test]
fn wrong_usage_is_2_and_wrong_settings_are_78() {
    let shell = Shell::new();
    assert_eq!(shell.run(&["nonsense"]).code, 2);
    assert_eq!(shell.run(&["usage", "--month", "October"]).code, 2);
    assert_eq!(shell.run(&["report", "adjust", "--workload", "a"]).code, 2);
    let config = shell.file("bad.toml", "sample_intervall = \"1h\"\n");
    let (code, why) = shell.refused(&["config", "check", "--config", &config]);
    assert_eq!(code, 78);
    assert!(why.contains("bad.toml:1") && why.contains("sample_interval"), "{why}");
    check(&shell, &["status", "--config", "nowhere.toml"], 66, "nowhere.toml");
}

#[test]
fn settings_are_explained_without_their_secrets() {
    let shell = Shell::new();
    let password = shell.file("password", "correct horse battery staple");
    let config = format!(
        "[[server]]\nname = \"vbr01\"\nsource = \"vbr\"\nurl = \"https://127.0.0.1:1\"\nusername = \"tidegauge\"\n\
         password_file = \"{password}\"\n"
    );
    let config = shell.file("good.toml", &config);
    let explained = shell.run(&["config", "check", "--config", &config]);
    assert_eq!(explained.code, 0, "{}", explained.err);
    assert!(explained.out.contains("vbr01") && explained.out.contains("***"), "{}", explained.out);
    let sampled = shell.run(&["sample", "now", "--config", &config]);
    assert_eq!(sampled.code, 69, "{}", sampled.err);
    let doctor = shell.run(&["doctor", "--config", &config]);
    // The worst of what is found: the file can be read by everybody, which weighs more than a server that is away.
    assert_eq!(doctor.code, 78, "{}", doctor.err);
    for said in [&explained, &sampled, &doctor] {
        assert!(!format!("{}{}", said.out, said.err).contains("horse"), "a password is never printed");
    }
    assert_eq!(shell.run(&["sample", "now", "--server", "vbr02", "--config", &config]).code, 78);
}

#[test]
fn a_backup_is_restored_and_every_store_is_proved() {
    let shell = Shell::with_report();
    let backup = shell.path("backup").display().to_string();
    assert_eq!(shell.run(&["store", "backup", &backup]).code, 0);
    check(&shell, &["store", "backup", &backup], 8, "already holds a journal");
    check(&shell, &["store", "restore", &backup], 8, "already holds a journal");
    let elsewhere = Shell::new();
    assert_eq!(elsewhere.run(&["store", "restore", &backup]).code, 0);
    assert_eq!(elsewhere.run(&["store", "verify"]).code, 0);
    let shown = |shell: &Shell| shell.json(&["report", "show", "--month", "2025-10"])["digest"].clone();
    assert_eq!(shown(&elsewhere), shown(&shell));
    let segment = elsewhere.path("state/journal/00000001.seg");
    let mut bytes = std::fs::read(&segment).expect("the journal's first segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    std::fs::write(&segment, bytes).expect("the segment is writable");
    let (code, why) = elsewhere.refused(&["store", "verify"]);
    assert_eq!(code, 7, "{why}");
}
