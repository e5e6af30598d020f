//! `[console]`: where it listens, and what it takes to be reached from elsewhere.

use chrono::TimeDelta;
use expect_test::expect;
use tidegauge::config::{CONSOLE_LISTEN, ConsoleSettings};

use super::{check_refused, read};

fn console(text: &str) -> ConsoleSettings {
    let settings = read(&format!("[console]\n{text}")).expect("good settings");
    settings.console.expect("a console is there by default")
}

#[test]
fn without_settings_it_listens_on_loopback_and_nobody_needs_a_second_person() {
    assert_eq!(console(""), ConsoleSettings::default());
    assert_eq!(read("").expect("no settings").console, Some(ConsoleSettings::at(CONSOLE_LISTEN)));
    assert_eq!(read("").expect("no settings").four_eyes(), None);
    assert_eq!(ConsoleSettings::default().link("/welcome/x"), "http://127.0.0.1:8420/welcome/x");
}

#[test]
fn beyond_loopback_it_takes_a_certificate_or_a_proxy() {
    let tls = "tls = { certificate_file = \"/c.crt\", key_file = \"/c.key\" }\n";
    let own = console(&format!("listen = \"0.0.0.0:443\"\nnames = [\"Tide.Example.net\"]\n{tls}"));
    assert!(own.is_secure());
    assert_eq!(own.link("/"), "https://tide.example.net:443/");
    let behind = console("listen = \"10.0.0.5:8420\"\nnames = [\"tide.example.net\"]\nbehind_proxy = true\n");
    assert_eq!(behind.link("/"), "https://tide.example.net/");
    check_refused(
        "[console]\nlisten = \"[::]:8420\"\nnames = [\"https://x\"]\n",
        expect![[r#"
            t.toml:1: `listen` of [console] is "[::]:8420": passwords would cross the network in the clear: add tls = { certificate_file = "…", key_file = "…" }, or behind_proxy = true when a proxy in front speaks TLS, or write a loopback address, such as "127.0.0.1:8420"
            t.toml:3: `names` of [console] is a list: write at most 32 host names: ["tidegauge.example.net"]"#]],
    );
    check_refused(
        "[console]\nbehind_proxy = true\n",
        expect![[
            r#"t.toml:1: `names` of [console] is missing: browsers would be refused under any name but this machine's own: add names = ["tidegauge.example.net"], the name in the browser's address"#
        ]],
    );
    check_refused(
        "[console]\ntls = { certificate_file = \"/c.crt\" }\n",
        expect![[
            r#"t.toml:2: `key_file` of tls of [console] is missing: add key_file = "/etc/tidegauge/console.key""#
        ]],
    );
}

#[test]
fn sessions_end_and_large_adjustments_wait_as_the_settings_say() {
    let settings = read("[console]\nidle = \"10m\"\nsession = \"8h\"\nfour_eyes_points = \"50.5\"\n").expect("good");
    let console = settings.console.clone().expect("a console");
    assert_eq!((console.idle, console.session), (TimeDelta::minutes(10), TimeDelta::hours(8)));
    assert_eq!(settings.four_eyes().map(|points| points.to_string()).as_deref(), Some("50.5"));
    let explained = settings.explain();
    assert!(explained.contains("console.four_eyes_points = 50.5"), "{explained}");
    check_refused(
        "[console]\nidle = \"2s\"\nsession = \"99d\"\nfour_eyes_points = \"-1\"\n",
        expect![[r#"
            t.toml:2: `idle` of [console] is "2s": write a span from 1m to 1d, such as "1h" or "400d"
            t.toml:3: `session` of [console] is "99d": write a span from 1m to 30d, such as "1h" or "400d"
            t.toml:4: `four_eyes_points` of [console] is "-1": write zero or more points, such as "50""#]],
    );
}
