//! Settings for an agent that runs with others already.

use super::*;

fn read(text: &str) -> Settings {
    Settings::read(Some(Written { name: "tidegauge.toml", text }), [], &Flags::default()).expect("good settings")
}

#[test]
fn what_a_running_agent_can_take_is_taken_and_named() {
    let running = read("");
    let written = read("time_zone = \"Europe/Prague\"\n[console]\nfour_eyes_points = \"5\"\nidle = \"5m\"");
    let taken = written.for_running(&running);
    assert_eq!(written.differing(&taken), Vec::<String>::new(), "nothing is left");
    assert_eq!(taken.differing(&running), ["console.four_eyes_points", "console.idle", "time_zone"]);
}

#[test]
fn the_state_directory_stays_and_the_reports_folder_with_it() {
    let running = read("state_dir = \"/srv/one\"");
    let written = read("state_dir = \"/srv/two\"\ntime_zone = \"Europe/Prague\"");
    let taken = written.for_running(&running);
    assert_eq!(taken.reports_dir, Path::new("/srv/one/reports"));
    assert_eq!(written.differing(&taken), ["reports_dir", "state_dir"]);
    assert_eq!(taken.differing(&running), ["time_zone"]);
    let moved = read("state_dir = \"/srv/one\"\nreports_dir = \"/srv/reports\"").for_running(&running);
    assert_eq!(moved.differing(&running), ["reports_dir"], "alone it moves");
}

#[test]
fn a_console_that_would_listen_elsewhere_stays_whole() {
    let tls = "tls = { certificate_file = \"c\", key_file = \"k\" }\nnames = [\"t.example.net\"]";
    let running = read(&format!("[console]\n{tls}"));
    for console in [
        "listen = \"127.0.0.1:9\"\nidle = \"5m\"".to_owned(),
        "idle = \"5m\"".to_owned(),
        format!("listen = \"127.0.0.1:9\"\n{tls}"),
        "behind_proxy = true\nnames = [\"t.example.net\"]".to_owned(),
    ] {
        let written = read(&format!("[console]\n{console}"));
        let taken = written.for_running(&running);
        assert_eq!(taken.console, running.console, "{console}");
        assert_ne!(written.differing(&taken), Vec::<String>::new(), "{console}: it is named");
    }
    let other = running.console.as_ref().map(|_| tls.replace("\"c\"", "\"d\""));
    let taken = read(&format!("[console]\n{}", other.expect("a console"))).for_running(&running);
    assert_eq!(taken.differing(&running), ["console.tls"], "another certificate is shown");
}
