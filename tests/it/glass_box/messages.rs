//! What was sent, byte for byte, and what leaves next.

use tidegauge::seal::digest::sha256_hex;

use super::*;

fn telemetry(after: Option<&str>, limit: Option<u16>) -> Value {
    ask(&Query::Telemetry { unit: None, server: None, after: after.map(str::to_owned), limit })
}

#[test]
fn weeks_and_reports_are_listed_as_the_license_server_took_them_newest_first() {
    let shown = telemetry(None, None);
    let said: Vec<String> = rows(&shown, "messages")
        .iter()
        .map(|one| format!("{} {} {}", text(one, "kind"), text(one, "period"), text(one, "state")))
        .collect();
    let weeks = ["2026-W38", "2026-W37", "2026-W36"].map(|week| format!("telemetry {week} taken"));
    assert_eq!(said[said.len() - 5..][..3], weeks, "{said:?}");
    assert!(said.contains(&"report 2026-08 taken".to_owned()), "{said:?}");
    let taken: BTreeMap<String, String> = lived(|world| {
        let state = world.license_server.as_ref().expect("a closed loop").state();
        state.messages.iter().map(|(id, message)| (id.clone(), message.body.clone())).collect()
    });
    for one in rows(&shown, "messages") {
        let whole = ask(&Query::Message { id: text(one, "id").to_owned() });
        let body = text(&whole, "body");
        assert_eq!(taken.get(text(one, "id")).map(String::as_str), Some(body), "the bytes are those that arrived");
        assert_eq!((&one["bytes"], text(one, "sha256")), (&json!(body.len()), sha256_hex(body.as_bytes()).as_str()));
        assert_eq!(one["receipt"]["sha256"], one["sha256"]);
        let payload: Value = serde_json::from_str(text(&whole, "payload")).expect("what it says is JSON");
        assert_eq!(payload["id"], one["id"]);
        assert!(text(&whole, "answer_payload").contains(text(one, "id")), "the answer names what it answers");
        if one["kind"] == "telemetry" {
            assert!(text(one, "slot") <= text(one, "sealed_at"), "sealed at the drawn minute: {one:#}");
        }
    }
}

#[test]
fn pages_hold_every_message_once() {
    let whole = telemetry(None, None);
    let ids = |page: &Value| rows(page, "messages").iter().map(|one| one["id"].clone()).collect::<Vec<Value>>();
    assert_eq!(whole["next"], Value::Null);
    let (mut found, mut after): (Vec<Value>, Option<String>) = (Vec::new(), None);
    for _ in 0..20 {
        let page = telemetry(after.as_deref(), Some(2));
        assert!(rows(&page, "messages").len() <= 2);
        found.extend(ids(&page));
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, ids(&whole));
}

#[test]
fn a_week_leaves_as_it_was_foretold() {
    let mut world = World::new(WorldPlan::small(3, at("2026-09-01T09:30:00Z"), 5));
    let upcoming = |world: &World| {
        let query = Query::Telemetry { unit: None, server: None, after: None, limit: None };
        world.ask(&query).expect("a unit stands")["upcoming"].clone()
    };
    world.run_until(at("2026-09-09T12:00:00Z"));
    world.run_until(at("2026-09-14T00:30:00Z"));
    let foretold = upcoming(&world);
    let planned = &rows(&foretold, "planned")[0];
    assert_eq!((text(planned, "kind"), text(planned, "period")), ("telemetry", "2026-W37"));
    let (at_slot, from, until) = (text(planned, "at"), text(planned, "from"), text(planned, "until"));
    assert_eq!((from, until), ("2026-09-14T00:00:00Z", "2026-09-21T00:00:00Z"));
    assert!(from <= at_slot && at_slot < until, "drawn within the week after: {at_slot}");
    assert_eq!(foretold["telemetry"]["sealed_as"], Value::Null);
    world.run_until(at(at_slot) + chrono::TimeDelta::minutes(5));
    let query = Query::Telemetry { unit: None, server: None, after: None, limit: Some(1) };
    let sent = world.ask(&query).unwrap()["messages"][0].clone();
    assert_eq!((text(&sent, "period"), text(&sent, "slot"), text(&sent, "sealed_at")), ("2026-W37", at_slot, at_slot));
    let whole = world.ask(&Query::Message { id: text(&sent, "id").to_owned() }).unwrap();
    assert_eq!(whole["payload"], foretold["telemetry"]["payload"], "nothing but what was foretold left");
    let running = upcoming(&world);
    assert_eq!((&running["telemetry"]["period"], &running["planned"][0]["at"]), (&json!("2026-W38"), &Value::Null));
}

#[test]
fn an_agent_that_sends_nothing_says_why() {
    let mut plan = WorldPlan::small(3, at("2026-09-01T09:30:00Z"), 5);
    plan.closed_loop = false;
    let mut world = World::new(plan);
    world.run_until(at("2026-09-02T09:30:00Z"));
    let query = Query::Telemetry { unit: None, server: None, after: None, limit: None };
    let shown = world.ask(&query).unwrap();
    assert_eq!(rows(&shown, "messages"), [] as [Value; 0]);
    let why = text(&shown["upcoming"], "nothing_because");
    assert!(why.contains("[license_server]"), "{why}");
}
