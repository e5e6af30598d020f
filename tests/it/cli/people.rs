//! `user`, `token` and `report approve`: exit codes, and that secrets are shown once or never.

use tidegauge::people::token;

use super::Shell;

fn refused(shell: &Shell, line: &[&str], code: u8) -> String {
    let (refused, why) = shell.refused(line);
    assert_eq!(refused, code, "{line:?}: {why}");
    why
}

#[test]
fn a_user_is_made_by_link_or_by_password_and_listed_without_either() {
    let shell = Shell::new();
    let ran = shell.run(&["user", "add", "anna", "--role", "administrator"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("http://127.0.0.1:8420/welcome/") && ran.out.contains("24 hours"), "{}", ran.out);
    let file = shell.file("password", "four words make one\n");
    let made = shell.json(&["user", "add", "ben", "--role", "reviewer", "--password-file", &file]);
    assert_eq!((&made["schema"], &made["has_password"]), (&"tidegauge.user/1".into(), &true.into()));
    let invited = shell.json(&["user", "invite", "ben"]);
    assert!(invited["path"].as_str().is_some_and(|path| path.starts_with("/welcome/")), "{invited}");
    let list = shell.run(&["user", "list"]).out;
    assert!(list.contains("anna") && list.contains("invited until 2025-11-16 10:00"), "{list}");
    let list = shell.json(&["user", "list"]);
    assert_eq!(list["schema"], "tidegauge.users/1");
    assert!(!list.to_string().contains("argon2") && !list.to_string().contains("four words"));
    assert_eq!(shell.run(&["user", "disable", "ben"]).out, "ben (reviewer) is disabled\n");
    assert_eq!(shell.run(&["user", "change", "ben", "--enable", "--role", "viewer"]).out, "ben (viewer) may sign in\n");
}

#[test]
fn each_way_to_fail_has_its_exit_code() {
    let shell = Shell::new();
    let weak = shell.file("weak", "password1234");
    refused(&shell, &["user", "add", "anna", "--role", "king"], 2);
    refused(&shell, &["user", "add", "an na", "--role", "viewer"], 65);
    let why = refused(&shell, &["user", "add", "anna", "--role", "viewer", "--password-file", &weak], 65);
    assert!(!why.contains("password1234"), "{why}");
    refused(&shell, &["user", "add", "anna", "--role", "viewer", "--password-file", "nowhere"], 66);
    refused(&shell, &["user", "change", "anna", "--role", "viewer"], 66);
    refused(&shell, &["user", "change", "anna"], 2);
    assert_eq!(shell.run(&["user", "add", "anna", "--role", "administrator"]).code, 0);
    refused(&shell, &["user", "add", "Anna", "--role", "viewer"], 8);
    refused(&shell, &["user", "disable", "anna"], 8);
    refused(&shell, &["user", "add", "x", "--role", "viewer", "--now", "2025-11-01"], 2);
    refused(&shell, &["token", "revoke", "none"], 66);
    refused(&shell, &["token", "add", "x", "--role", "viewer", "--expires", "2025-01-01"], 65);
    refused(&shell, &["report", "approve", "1"], 3);
}

#[test]
fn a_token_is_shown_once() {
    let shell = Shell::new();
    let made = shell.json(&["token", "add", "billing", "--role", "viewer", "--expires", "never"]);
    let text = made["token"].as_str().expect("a token");
    assert!(text.starts_with("tgt_") && made["expires_at"].is_null(), "{made}");
    let list = shell.json(&["token", "list"]);
    assert_eq!((&list["tokens"][0]["by"], &list["tokens"][0]["works"]), (&"clerk".into(), &true.into()));
    assert!(!list.to_string().contains(text) && !list.to_string().contains(token::hash_of(text).expose()));
    refused(&shell, &["token", "add", "billing", "--role", "viewer"], 8);
    assert_eq!(shell.run(&["token", "revoke", "billing"]).out, "the token billing works no more\n");
    assert!(shell.run(&["token", "list"]).out.contains("revoked"));
}

#[test]
fn what_one_person_may_not_lower_alone_is_listed_and_refused_to_himself() {
    let shell = Shell::with_october();
    let config = shell.file("tidegauge.toml", "[console]\nfour_eyes_points = \"10\"\n");
    let run = |line: &[&str]| shell.run(&[line, &["--config", &config]].concat());
    assert_eq!(run(&["report", "generate", "--month", "2025-10"]).code, 0);
    let report = shell.json(&["report", "show"]);
    let first = report["workloads"][0]["id"].as_str().expect("a workload").to_owned();
    let ran = run(&["report", "adjust", "--remove", &first, "--reason", "test machine"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("proposed as ") && ran.out.contains("takes a second person"), "{}", ran.out);
    let listed = run(&["report", "proposals"]).out;
    assert!(listed.contains("user:clerk would lower the report of 2025-10 by 11 points"), "{listed}");
    assert!(listed.contains("test machine"), "{listed}");
    let id = listed.split_whitespace().next().expect("an id").to_owned();
    let ran = run(&["report", "approve", &id]);
    assert_eq!(ran.code, 77, "{}", ran.err);
    let ran = run(&["report", "reject", &id, "--reason", "it is in use"]);
    assert!(ran.out.contains("is rejected"), "{}{}", ran.out, ran.err);
    assert_eq!(shell.json(&["report", "show"])["total_points"], report["total_points"]);
}
