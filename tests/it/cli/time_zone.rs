//! Hours in the zone of the settings, beside GMT.

use super::*;

#[test]
fn status_shows_its_hours_in_the_zone_of_the_settings_beside_gmt() {
    let shell = Shell::with_october();
    let prague = shell.file("tidegauge.toml", "time_zone = \"Europe/Prague\"\n");
    let shown = shell.run(&["status", "--config", &prague]);
    assert!(shown.out.starts_with("As of 2025-11-15 10:00 GMT (2025-11-15 11:00 Europe/Prague; "), "{}", shown.out);
    assert!(shown.out.contains("2025-10-31 23:00 (2025-11-01 00:00)"), "{}", shown.out);
    let status = shell.json(&["status", "--config", &prague]);
    assert_eq!((&status["now"], &status["now_local"]), (&json!("2025-11-15T10:00:00Z"), &json!("2025-11-15 11:00")));
    let in_gmt = shell.run(&["status"]);
    assert!(in_gmt.out.starts_with("As of 2025-11-15 10:00 GMT\n"), "{}", in_gmt.out);
}
