//! `webhook`: its exit codes, and that it shows no secret.

use super::Shell;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn config(shell: &Shell, url: &str, secret: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let secret = shell.file("secret", secret);
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
    let text =
        format!("[[webhook]]\nname = \"ops\"\nurl = \"{url}\"\nsecret_files = [\"{secret}\"]\nallow_private = true\n");
    shell.file("tidegauge.toml", &text)
}

#[test]
fn each_way_to_fail_has_its_exit_code() {
    let shell = Shell::new();
    let nobody = config(&shell, "http://127.0.0.1:1/hidden", SECRET);
    let ran = shell.run(&["webhook", "test", "ops", "--config", &nobody]);
    assert_eq!(ran.code, 69, "{}", ran.err);
    assert!(ran.out.contains("ops: not taken: not reachable: 127.0.0.1:1"), "{}", ran.out);
    assert!(!format!("{}{}", ran.out, ran.err).contains("hidden"));
    assert_eq!(shell.run(&["webhook", "test", "other", "--config", &nobody]).code, 66);
    assert_eq!(shell.run(&["webhook", "log", "--to", "other", "--config", &nobody]).code, 66);
    assert_eq!(shell.run(&["webhook", "replay", "an-id", "--config", &nobody]).code, 66);
    assert_eq!(shell.run(&["webhook", "replay", "--since", "2026-01-01", "--config", &nobody]).code, 3);
    assert_eq!(shell.run(&["webhook", "replay", "--config", &nobody]).code, 2);
    assert_eq!(shell.refused(&["webhook", "log"]).0, 78);
    let log = shell.run(&["webhook", "log", "--json", "--config", &nobody]);
    let log: serde_json::Value = serde_json::from_str(&log.out).expect("JSON");
    assert_eq!(log["schema"], "tidegauge.webhook-log/1");
    assert_eq!(log["endpoints"][0]["waiting"], 0);
    let wrong = config(&shell, "http://127.0.0.1:1", "hunter2");
    let ran = shell.run(&["webhook", "test", "ops", "--config", &wrong]);
    assert_eq!(ran.code, 78, "{}", ran.err);
    assert!(!format!("{}{}", ran.out, ran.err).contains("hunter2"));
}
