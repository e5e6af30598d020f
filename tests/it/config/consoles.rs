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

#[test]
fn finalizing_reports_is_off_and_said_where_it_is_on() {
    let console = "[[server]]\nname = \"vspc\"\nsource = \"vspc\"\nurl = \"https://vspc.example.net:1280\"\n\
                   api_key_file = \"/k\"\n";
    for (more, on) in [("", false), ("finalize_reports = false\n", false), ("finalize_reports = true\n", true)] {
        let settings = read(&format!("{console}{more}")).expect("good settings");
        assert_eq!(settings.servers[0].finalize_reports, on);
        assert_eq!(settings.explain().contains("REPORTS CAN BE FINALIZED from here"), on, "{}", settings.explain());
    }
    check_refused(
        "[[server]]\nname = \"f\"\nsource = \"snapshot_folder\"\npath = \"/f\"\nfinalize_reports = true\n",
        expect![[
            r#"t.toml:5: `finalize_reports` is given, and source "snapshot_folder" makes no report of its own: take it out: it is for a console (source "vspc")"#
        ]],
    );
}
