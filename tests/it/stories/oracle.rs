//! The oracle bites: what is wrong on purpose is objected to.

use tidegauge::domain::workload::WorkloadType;
use tidegauge::license_server::State;
use tidegauge::seal::keys::SigningKey;
use tidegauge::simulation::oracle::Oracle;
use tidegauge::simulation::wire::{API_KEY, PASSWORD};

use super::*;

/// A month that went well, and what the License Update Server has of it.
fn good_month() -> (World, State) {
    let mut world = World::new(calm_vbr(51, "2026-01-20T09:30:00Z", 5));
    world.run_until(at("2026-02-23"));
    world.object_to_what_is_left();
    assert_silent(&world);
    let state = world.license_server.as_ref().expect("a closed loop").state();
    (world, state)
}

/// What the oracle that watched the month objects to when the far side has this in place of what it has.
fn objections_to(change: impl FnOnce(&mut State)) -> String {
    let (mut world, mut state) = good_month();
    change(&mut state);
    let mut oracle = std::mem::take(&mut world.oracle);
    oracle.check_messages(world.agent(), &state, world.now());
    oracle.check_far_side_whole(world.agent(), &state, world.story(), world.now());
    oracle.objections().join("\n")
}

fn first_id(state: &State, of: &str) -> String {
    let is_wanted = |body: &str| match of {
        "telemetry" => unverified::<Telemetry>(body).is_some(),
        _ => unverified::<Submission>(body).is_some(),
    };
    state.messages.iter().find(|(_, message)| is_wanted(&message.body)).expect("one was taken").0.clone()
}

#[test]
fn a_month_that_went_well_is_not_objected_to() {
    assert_eq!(objections_to(|_| ()), "");
}

#[test]
fn a_message_that_was_taken_twice_is_objected_to() {
    for kind in ["telemetry", "report"] {
        let said = objections_to(|state| {
            let message = state.messages[&first_id(state, kind)].clone();
            state.messages.insert("another".to_owned(), message);
        });
        assert!(said.contains("2 times"), "{kind}: {said}");
    }
}

#[test]
fn a_week_that_was_never_taken_is_objected_to() {
    let said = objections_to(|state| {
        state.messages.remove(&first_id(state, "telemetry"));
    });
    assert!(said.contains("was never taken"), "{said}");
}

#[test]
fn bytes_and_receipts_that_are_others_than_the_stores_are_objected_to() {
    let said = objections_to(|state| {
        let id = first_id(state, "report");
        state.messages.get_mut(&id).unwrap().body.push('A');
    });
    assert!(said.contains("with other bytes than it has here") && said.contains("is of other bytes"), "{said}");
    let said = objections_to(|state| {
        let id = first_id(state, "report");
        state.messages.get_mut(&id).unwrap().receipt.received_at = at("2026-02-01");
    });
    assert!(said.contains("is not the one that was given"), "{said}");
}

#[test]
fn a_revision_without_the_one_before_it_is_objected_to() {
    let (mut world, _) = good_month();
    let workloads = vec![report(&world, "2026-01").workloads.iter().find(|one| one.counted).unwrap().id.clone()];
    world.order(Order::Correct { target: target("2026-01"), reason: "a machine too many".to_owned() }, "mia").unwrap();
    let reason = "a test machine".to_owned();
    let adjustments = vec![tidegauge::domain::adjustment::AdjustmentOrder::Remove { workloads, reason }];
    world.order(Order::Adjust { target: target("2026-01"), adjustments }, "mia").unwrap();
    world.order(Order::Send { target: target("2026-01") }, "mia").unwrap();
    world.run_until(at("2026-02-24"));
    assert_silent(&world);
    let mut state = world.license_server.as_ref().unwrap().state();
    let is_first = |body: &str| unverified::<Submission>(body).is_some_and(|one| one.revision == 1);
    state.messages.retain(|_, message| !is_first(&message.body));
    let mut oracle = Oracle::default();
    oracle.check_messages(world.agent(), &state, world.now());
    assert!(oracle.objections().join("\n").contains("r2 came without the one before it"), "{:?}", oracle.objections());
}

#[test]
fn a_mark_below_what_stood_is_objected_to() {
    let (world, _) = good_month();
    world.servers["vbr01"].estate.lock().unwrap().add(&WorkloadType::Vm, at("2025-06-01"));
    let mut oracle = Oracle::default();
    oracle.check(world.agent(), &world.servers, None, world.now());
    let said = oracle.objections().join("\n");
    assert!(said.contains("points at") && said.contains("stood"), "{said}");
}

#[test]
fn a_bit_that_flips_in_the_journal_is_objected_to() {
    let (world, _) = good_month();
    let disk = world.disk.as_ref().expect("a simulated disk");
    let files = disk.files();
    let (path, bytes) = files.iter().find(|(path, _)| path.starts_with("/state/journal")).expect("a journal");
    disk.flip(path, bytes.len() * 4);
    let mut oracle = Oracle::default();
    oracle.check_chain(world.agent(), world.now());
    assert!(oracle.objections().join("\n").contains("the journal is broken"), "{:?}", oracle.objections());
}

#[test]
fn secrets_are_found_in_every_form() {
    let key = SigningKey::from_secret(&[7; 32]);
    let pem = key.to_pem();
    let pem = secrecy::ExposeSecret::expose_secret(&pem);
    let basic = tidegauge::simulation::wire::basic("tidegauge", PASSWORD);
    let hex = "07".repeat(32);
    for leak in [PASSWORD, API_KEY, &format!("Authorization: {basic}"), pem, &format!("key={hex};")] {
        let mut oracle = Oracle::default();
        oracle.keep_key_secret("the private key", pem);
        oracle.check_leak("a line of the log", format!("before {leak} after").as_bytes());
        assert!(!oracle.objections().is_empty(), "{leak}");
    }
    let mut oracle = Oracle::default();
    oracle.keep_key_secret("the private key", pem);
    oracle.check_leak("a line of the log", b"vbr01 answers again");
    assert!(oracle.objections().is_empty());
}
