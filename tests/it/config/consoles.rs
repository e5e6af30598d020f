//! A Service Provider Console in the settings.

use super::*;

#[test]
fn a_console_is_let_in_by_a_key_or_a_login() {
    let console = |more: &str| {
        format!("[[server]]\nname = \"vspc\"\nsource = \"vspc\"\nurl = \"https://vspc.example.net:1280\"\n{more}")
    };
    let key = read(&console("api_key_file = \"/k\"\n")).expect("a key is enough");
    assert_eq!(key.servers[0].source.signs_in, tidegauge::sources::SignsIn::ApiKey);
    assert!(key.explain().contains("server vspc.api_key = *** (from the file /k)"), "{}", key.explain());
    let login = read(&console("username = \"u\"\npassword_file = \"/p\"\n")).expect("a login is enough");
    assert_eq!(login.servers[0].source.signs_in, tidegauge::sources::SignsIn::Password);
    assert!(login.server("vbr01@vspc").is_some(), "its servers fall under its entry");
    check_refused(
        &console(""),
        expect![[
            r#"t.toml:1: source "vspc" is let in by an API key or a login, and neither is given: add api_key_file, or username and password_file"#
        ]],
    );
    check_refused(
        &console("username = \"u\"\npassword_file = \"/p\"\napi_key_file = \"/k\"\n"),
        expect![
            "t.toml:1: there is more than one way to log in: keep one of api_key_file, api_key_env and username with its password"
        ],
    );
}
