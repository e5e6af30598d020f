//! Servers as a page lists them, and the duties ahead.

use super::*;

#[test]
fn a_server_is_shown_with_its_source_its_license_and_when_it_is_sampled_next() {
    let shown = ask(&Query::Servers {});
    let status = ask(&Query::Status {});
    let server = &shown["servers"][0];
    for (name, value) in status["servers"][0].as_object().expect("an object") {
        assert_eq!(&server[name], value, "{name} as in status");
    }
    assert_eq!((text(server, "source"), text(server, "entry")), ("vbr", "vbr01"));
    assert_eq!(server["license"]["type"], "Rental");
    assert_eq!((&server["what_to_do"], &server["proposals"]), (&Value::Null, &json!(0)));
    assert!(text(server, "next_sample_at") > text(&shown, "now"));
    assert_eq!(server["unit"], status["licenses"][0]["unit"]);
}

#[test]
fn a_server_that_is_away_says_what_to_do_and_one_with_an_unknown_type_how_to_map_it() {
    let mut world = World::new(WorldPlan::small(4, at("2026-09-01T09:30:00Z"), 3));
    world.wire.cut_off("vbr01", at("2026-09-01T10:00:00Z")..at("2026-09-03T00:00:00Z"));
    world.run_until(at("2026-09-01T18:00:00Z"));
    let of = |id: &str, kind: &str| json!({"id": id, "name": id, "type": kind, "points": "11"});
    let license = json!({"license_id": "license-9", "type": "Rental", "installation_id": "i-9"});
    let taken_at = "2026-09-01T17:30:00Z";
    let snapshot = json!({"schema": "tidegauge.usage-snapshot/1", "taken_at": taken_at, "server": "vbr09",
        "license": license, "workloads": [of("a", "VM"), of("b", "Quantum")]});
    world.order(Order::ImportSamples { file: "s.json".to_owned(), text: snapshot.to_string() }, "mia").expect("good");
    let shown = world.ask(&Query::Servers {}).unwrap();
    let (away, imported) = (&shown["servers"][0], &shown["servers"][1]);
    assert_eq!((text(away, "state"), &away["source"]), ("unreachable", &json!("vbr")));
    assert!(!text(away, "error").is_empty());
    let what_to_do = text(away, "what_to_do");
    assert!(what_to_do.contains("tried again") && what_to_do.contains("doctor"), "{what_to_do}");
    assert_eq!((text(imported, "name"), &imported["source"]), ("vbr09", &Value::Null));
    assert_eq!(imported["workloads"], 2);
    let unknown = &rows(imported, "unknown_types")[0];
    assert_eq!(text(unknown, "map_with"), "[[map]]\nplatform = \"Quantum\"\ntype = \"VM\" # or what it is");
}

#[test]
fn the_duties_ahead_name_their_kind_their_period_and_why_and_many_servers_are_one_line() {
    let duties = ask(&Query::Duties { limit: None });
    let shown = rows(&duties, "duties");
    let kinds: Vec<&str> = shown.iter().map(|duty| text(duty, "kind")).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "collect").count(), 1);
    let submit = shown.iter().find(|duty| duty["kind"] == "submit").expect("September is sent on the 11th");
    assert_eq!((text(submit, "period"), text(submit, "at")), ("2026-09", "2026-10-11T00:00:00Z"));
    assert!(!text(submit, "why").is_empty());
    let hours: Vec<&str> = shown.iter().map(|duty| text(duty, "at")).collect();
    assert!(hours.is_sorted(), "{hours:?}");
    let first = ask(&Query::Duties { limit: Some(2) });
    assert_eq!((rows(&first, "duties").len(), &first["more"]), (2, &json!(shown.len() - 2)));
}
