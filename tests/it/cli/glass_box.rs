//! What the agent did and when it sampled, at command level.

use serde_json::json;

use super::Shell;

#[test]
fn the_journal_says_what_happened_newest_first_in_words_and_as_json() {
    let shell = Shell::with_october();
    let whole = shell.json(&["journal", "--last", "1000"]);
    assert_eq!(whole["schema"], "tidegauge.journal/1");
    let seqs: Vec<u64> = whole["entries"].as_array().unwrap().iter().map(|one| one["seq"].as_u64().unwrap()).collect();
    assert!(seqs.len() > 1 && seqs.is_sorted_by(|one, other| one == &(other + 1)), "{seqs:?}");
    assert_eq!((seqs.last(), &whole["next"]), (Some(&1), &json!(null)));
    let found = shell.run(&["journal", "--text", "SAMPLED AT", "--kind", "samples", "--last", "1"]);
    assert!(
        found.out.contains("vbr01 sampled at 2025-10-31 23:00") && found.out.contains("import by"),
        "{}",
        found.out
    );
    assert_eq!(shell.run(&["journal", "--text", "no such thing"]).out, "nothing that fits\n");
    let wrong = shell.run(&["journal", "--kind", "gossip"]);
    assert!(wrong.code == 2 && wrong.err.contains("samples, reports"), "{}", wrong.err);
}

#[test]
fn coverage_is_a_line_of_hours_a_day() {
    let shell = Shell::with_october();
    let shown = shell.run(&["coverage", "--server", "vbr01", "--from", "2025-10-31", "--until", "2025-11-01"]);
    let lines: Vec<&str> = shown.out.lines().collect();
    assert_eq!(lines[0], "vbr01: 1 of 48 samples");
    assert_eq!(lines[1], "2025-10-31  xxxxxxxxxxxxxxxxxxxxxxx#  1 of 24");
    assert_eq!(lines[2], "2025-11-01  xxxxxxxxxxxxxxxxxxxxxxxx  0 of 24");
    let backwards = shell.run(&["coverage", "--from", "2025-11-02", "--until", "2025-11-01"]);
    assert_eq!(backwards.code, 2, "{}", backwards.err);
    assert_eq!(shell.run(&["coverage", "--server", "vbr09"]).code, 66);
}

#[test]
fn telemetry_of_an_agent_without_a_license_server_says_that_nothing_leaves() {
    let shell = Shell::with_october();
    let listed = shell.run(&["telemetry", "list"]);
    assert!(listed.out.contains("nothing was sealed yet") && listed.out.contains("[license_server]"), "{}", listed.out);
    assert_eq!(shell.json(&["telemetry", "list"])["schema"], "tidegauge.telemetry/1");
    let unknown = shell.run(&["telemetry", "show", "no-such-message"]);
    assert!(unknown.code == 66 && unknown.err.contains("telemetry list"), "{}", unknown.err);
}

#[test]
fn config_check_says_where_each_value_was_given() {
    let shell = Shell::new();
    let file = shell.file("t.toml", "time_zone = \"Europe/Prague\"\n");
    let checked = shell.json(&["config", "check", "--config", &file]);
    let zone = checked["settings"].as_array().unwrap().iter().find(|one| one["key"] == "time_zone").unwrap();
    assert_eq!((&zone["value"], &zone["from"]), (&json!("Europe/Prague"), &json!(format!("{file}:1"))));
    assert!(checked["lines"][2].as_str().unwrap().starts_with("time_zone = Europe/Prague"), "{}", checked["lines"]);
}
