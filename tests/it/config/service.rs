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
    assert!(defaults.state_dir.ends_with("lib/tidegauge"), "StateDirectory= makes this one");
}
