//! `[console.openid]`: what is understood, and what is refused.

use expect_test::expect;
use tidegauge::config::{Flags, Settings, Written};
use tidegauge::domain::people::Role;
use tidegauge::doors::peer::{Login, PeerSettings, SecretPlace, Trust};
use tidegauge::people::openid::Client;

const GOOD: &str = r#"
[console]
names = ["console.example.net"]
behind_proxy = true
[console.openid]
issuer = "https://sso.example.net/realms/main"
client_id = "tidegauge"
client_secret_file = "/etc/tidegauge/openid.secret"
ca_file = "/etc/tidegauge/sso.pem"
scopes = ["profile", "groups"]
endpoints_at = ["https://keys.example.net/"]
roles = { administrator = ["tidegauge-admins"], viewer = ["everybody", "auditors"] }
"#;

fn read(text: &str) -> Result<Settings, String> {
    let written = Some(Written { name: "t.toml", text });
    Settings::read(written, [], &Flags::default()).map_err(|refusals| refusals.to_string())
}

#[test]
fn a_provider_is_understood_with_its_peers() {
    let settings = read(GOOD).expect("good settings");
    let openid = settings.console.as_ref().and_then(|console| console.openid.as_ref()).expect("a provider");
    assert_eq!(openid.party.client, Client::Confidential);
    assert_eq!(openid.party.back_url, "https://console.example.net/openid/back");
    assert_eq!(openid.party.roles[&Role::Viewer], ["everybody", "auditors"]);
    assert_eq!(openid.party.name_claim, "preferred_username");
    let peers = settings.peers();
    for name in ["openid:https://sso.example.net", "openid:https://keys.example.net"] {
        let Some(PeerSettings::Http(peer)) = peers.get(name) else { panic!("no peer {name}") };
        assert_eq!(peer.base_url, name["openid:".len()..]);
        assert_eq!(peer.trust, Trust::CaFile("/etc/tidegauge/sso.pem".into()));
        let password = SecretPlace::File("/etc/tidegauge/openid.secret".into());
        assert_eq!(peer.login, Some(Login { username: "tidegauge".to_owned(), password }));
    }
    let explained = settings.explain();
    let lines: Vec<&str> = explained.lines().filter(|line| line.starts_with("console.openid")).collect();
    expect![[r#"
        console.openid.issuer = https://sso.example.net/realms/main
        console.openid.client_id = tidegauge   (sends people back to https://console.example.net/openid/back)
        console.openid.client_secret = *** (from the file /etc/tidegauge/openid.secret)
        console.openid.tls = the authorities in /etc/tidegauge/sso.pem
        console.openid.endpoints_at = https://keys.example.net
        console.openid.scopes = profile, groups
        console.openid.name_claim = preferred_username
        console.openid.role_claim = groups
        console.openid.roles.viewer = everybody, auditors
        console.openid.roles.administrator = tidegauge-admins"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn a_public_client_on_loopback_needs_three_lines() {
    let text =
        "[console.openid]\nissuer = \"http://127.0.0.1:9400\"\nclient_id = \"t\"\nroles = { viewer = [\"all\"] }\n";
    let settings = read(text).expect("good settings");
    let openid = settings.console.and_then(|console| console.openid).expect("a provider");
    assert_eq!(openid.party.client, Client::Public);
    assert_eq!(openid.party.back_url, "http://127.0.0.1:8420/openid/back");
}

#[test]
fn a_console_beyond_loopback_says_by_which_name_people_come_back() {
    let nameless = GOOD.replace("names = [\"console.example.net\"]", "");
    let refused = read(&nameless).expect_err("no name");
    assert!(refused.contains("`names` of [console] is missing: browsers would be refused"), "{refused}");
}

#[test]
fn what_lets_nobody_in_or_anybody_is_refused() {
    let wrong = "[console.openid]\nissuer = \"http://sso.example.net\"\nclient_secret_file = \"/a\"\nclient_secret_env = \"B\"\nendpoints_at = [\"http://keys.example.net\"]\nscopes = [\"a b\"]\nroles = { root = [\"x\"] }\n";
    expect![[r#"
        t.toml:1: `issuer` of openid of [console] is "http://sso.example.net": write https://… as the provider does; plain http is for loopback only
        t.toml:1: `client_id` of openid of [console] is missing: add client_id = "tidegauge"
        t.toml:1: `client_secret_file` and `client_secret_env` are both given: keep one of them
        t.toml:1: `roles` of openid of [console] lets nobody in: add roles = { administrator = ["a group of the provider"] }
        t.toml:5: `endpoints_at` of openid of [console] is a list: write at most 8 addresses without a path: ["https://oauth2.example.net"]
        t.toml:6: `scopes` of openid of [console] is a list: write a list of words: ["profile", "groups"]
        t.toml:7: `root` is not a setting of roles of openid of [console]: take it out; known here: viewer, reviewer, approver, administrator"#]].assert_eq(&read(wrong).expect_err("wrong settings"));
}
