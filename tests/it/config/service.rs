//! The unit file beside the program.

use tidegauge::config::Settings;

#[test]
fn the_service_is_told_what_the_program_does() {
    let unit = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/tidegauge.service"));
    let unit = unit.expect("it is in the repository");
    let defaults = Settings::default();
    for line in ["Type=notify", "RestartPreventExitStatus=78", "StateDirectory=tidegauge"] {
        assert!(unit.lines().any(|own| own == line), "{line}");
    }
    assert!(unit.contains("tidegauge agent --config /etc/tidegauge/tidegauge.toml"));
    assert!(unit.contains("\nExecReload=/usr/bin/tidegauge config reload --config /etc/tidegauge/tidegauge.toml\n"));
    assert!(defaults.state_dir.ends_with("lib/tidegauge"), "StateDirectory= makes this one");
}

#[test]
fn both_units_are_hardened_alike_and_the_server_lives_where_its_commands_look() {
    let [agent, server] = ["tidegauge", "tidegauge-license-server"].map(|name| {
        let path = format!("{}/packaging/{name}.service", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("it is in the repository")
    });
    let sandbox = |unit: &str| unit[unit.find("NoNewPrivileges=yes").expect("it is hardened")..].to_owned();
    assert_eq!(sandbox(&agent), sandbox(&server));
    // Keys stand in the memory of both, and a core dump is a copy of it.
    for unit in [&agent, &server] {
        assert!(unit.lines().any(|line| line == "LimitCORE=0"), "{unit}");
    }
    assert!(server.contains("\nExecStart=/usr/bin/tidegauge license-server run\n"));
    assert!(server.contains("\nStateDirectory=tidegauge-license-server\n"), "/var/lib/tidegauge-license-server");
}
