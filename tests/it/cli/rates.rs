//! `billing rates check`: the rows in force, what was sampled, and what has no weight.

use serde_json::{Value, json};

use super::{Shell, snapshot};

#[test]
fn sampled_types_with_a_weight_are_listed_with_where_it_came_from() {
    let shell = Shell::with_october();
    let ran = shell.run(&["billing", "rates", "check"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for words in ["In force on 2025-11-15", "Sampled types", "CloudConnectVM", "weight from"] {
        assert!(ran.out.contains(words), "'{words}' is not in:\n{}", ran.out);
    }
    assert!(!ran.out.contains('!'), "{}", ran.out);
    let checked = shell.json(&["billing", "rates", "check"]);
    let sampled = checked["sampled"].as_array().expect("a list");
    assert_eq!(sampled.len(), 2, "{checked:#}");
    assert!(sampled.iter().all(|row| row["weight_from"] == "server" && row["server"] == "vbr01"), "{checked:#}");
    let on = shell.json(&["billing", "rates", "check", "--on", "2026-11-01"]);
    assert_eq!((&on["schema"], &on["on"]), (&json!("tidegauge.rates/1"), &json!("2026-11-01")), "{on:#}");
    assert!(on["rows"].as_array().is_some_and(|rows| !rows.is_empty()));
    assert_eq!(shell.run(&["billing", "rates", "check", "--on", "November"]).code, 2);
}

#[test]
fn a_sampled_type_without_a_weight_is_named_and_exits_with_7() {
    let shell = Shell::new();
    let mut unweighed = snapshot("vbr01", "2025-11-15T09:00:00Z", 1);
    unweighed["workloads"][0]["type"] = json!("Mainframe");
    unweighed["workloads"][0]["points"] = Value::Null;
    let file = shell.file("unweighed.json", &unweighed.to_string());
    let imported = shell.run(&["sample", "import", &file]);
    assert_eq!(imported.code, 0, "{}", imported.err);
    let ran = shell.run(&["billing", "rates", "check"]);
    assert_eq!(ran.code, 7, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("! Mainframe of vbr01 has no weight and counts nothing"), "{}", ran.out);
    assert!(ran.err.contains("Mainframe") && ran.err.contains("points_tables"), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
}

#[test]
fn a_wrong_points_table_is_named_with_its_line() {
    let shell = Shell::with_october();
    let table = shell.file("rates.toml", "[[row]]\nproduct = \"VBR\"\npoints = \"many\"\n");
    let config = shell.file("t.toml", &format!("points_tables = [\"{table}\"]\n"));
    let (code, why) = shell.refused(&["billing", "rates", "check", "--config", &config]);
    assert_eq!(code, 78, "{why}");
    assert!(why.contains("rates.toml"), "{why}");
}
