//! Endpoints in the settings: where they may lie, and secrets that never stand there.

use expect_test::{Expect, expect};
use tidegauge::config::{Flags, Settings, Written};

fn read(text: &str) -> Result<Settings, String> {
    let written = Written { name: "t.toml", text };
    Settings::read(Some(written), [], &Flags::default()).map_err(|refusals| refusals.to_string())
}

fn check_refused(text: &str, expected: Expect) {
    expected.assert_eq(&read(text).map(|_| ()).expect_err("it is wrong"));
}

fn hook(more: &str) -> String {
    format!("[[webhook]]\nname = \"ops\"\n{more}")
}

#[test]
fn what_was_understood_of_endpoints_shows_neither_secrets_nor_paths() {
    let text = "[[webhook]]\nname = \"ops\"\nurl = \"https://hooks.example.net/T00/B00?token=hunter2\"\n\
                secret_files = [\"/etc/a\", \"/etc/b\"]\nevents = [\"report.*\", \"gate.held\"]\n\
                [[usage_sink]]\nname = \"meter\"\nurl = \"http://10.0.0.5:8888/hunter2\"\nallow_private = true\n\
                authorization_file = \"/etc/meter\"\nperiod = \"day\"\nmode = \"structured\"\n";
    let settings = read(text).expect("good settings");
    let explained = settings.explain();
    assert!(!explained.contains("hunter2") && !explained.contains("T00"), "{explained}");
    let lines: String = explained
        .lines()
        .filter(|line| line.starts_with("webhook") || line.starts_with("usage_sink"))
        .map(|line| format!("{line}\n"))
        .collect();
    expect![[r#"
        webhook ops.url = https://hooks.example.net/… (f0a0e955)
        webhook ops.tls = the system's certificate authorities
        webhook ops.secret = *** (from the file /etc/a)
        webhook ops.secret = *** (from the file /etc/b)
        webhook ops.allow_private = false
        webhook ops.events = report.*, gate.held
        usage_sink meter.url = http://10.0.0.5:8888/… (175e4ae0)
        usage_sink meter.tls = the system's certificate authorities
        usage_sink meter.authorization = *** (from the file /etc/meter)
        usage_sink meter.allow_private = true
        usage_sink meter.period = day
        usage_sink meter.mode = structured
    "#]]
    .assert_eq(&lines);
    let digest = settings.webhook_digest("webhook:ops").expect("it is an endpoint");
    let other = read(&text.replace("B00", "B01")).expect("good settings");
    assert_ne!(other.webhook_digest("webhook:ops"), Some(digest), "another path is another endpoint");
    assert_eq!(settings.webhook_digest("ops@example.net"), None);
}

#[test]
fn endpoints_are_told_what_they_ask_for() {
    let text = hook("url = \"https://h.example.net\"\nsecret_envs = [\"S\"]\nevents = [\"report.*\"]\n");
    let settings = read(&text).expect("good settings");
    assert_eq!(settings.recipients("report.generated"), ["webhook:ops"]);
    assert!(settings.recipients("gate.held").is_empty() && settings.tells("webhook:ops"));
    assert!(settings.peers().contains_key("webhook:ops"));
}

#[test]
fn an_endpoint_that_could_be_abused_is_refused_without_showing_its_url() {
    let secret = "secret_files = [\"/s\"]\n";
    let cases = [
        "http://hooks.example.net/hunter2",
        "https://127.0.0.1/hunter2",
        "https://[::1]/hunter2",
        "https://169.254.169.254/hunter2",
        "https://user:hunter2@hooks.example.net/",
        "https://hooks.example.net/#hunter2",
        "ftp://hooks.example.net/hunter2",
        "hunter2",
    ];
    for url in cases {
        let refused = read(&hook(&format!("url = \"{url}\"\n{secret}"))).map(|_| ()).expect_err(url);
        assert!(!refused.contains("hunter2"), "{refused}");
        assert!(refused.contains("`url` of webhook ops"), "{refused}");
    }
    let allowed = format!("url = \"http://10.0.0.5/x\"\nallow_private = true\n{secret}");
    assert!(read(&hook(&allowed)).is_ok());
    check_refused(
        &format!(
            "{}{}",
            hook("url = \"https://h.example.net\"\nsecret = \"whsec_x\"\n"),
            hook("").replace("ops", "a b")
        ),
        expect![[r#"
            t.toml:1: webhook ops has 0 secrets: write secret_files = ["…"] with 1 to 4 files; each holds one whsec_… secret
            t.toml:4: `secret` is not a setting of webhook ops: did you mean `secret_envs`?
            t.toml:5: `name` is "a b": write at most 64 letters, digits, - _ and .
            t.toml:5: webhook a b has 0 secrets: write secret_files = ["…"] with 1 to 4 files; each holds one whsec_… secret
            t.toml:5: `url` of webhook a b is missing: add url = "https://hooks.example.net/tidegauge""#]],
    );
}
