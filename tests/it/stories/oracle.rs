//! The oracle bites: what is wrong on purpose is objected to.

use chrono::TimeDelta;
use tidegauge::domain::gate::{GateVerdict, Tolerance, Verdict};
use tidegauge::domain::report::report_id;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::license_server::{ConflictOnFile, State};
use tidegauge::protocol::{Message, PEER, signed};
use tidegauge::seal::keys::SigningKey;
use tidegauge::simulation::oracle::{Given, Oracle};

use super::*;

/// A month that went well, and what the License Update Server has of it.
pub fn good_month() -> (World, State) {
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

pub fn first_id(state: &State, of: &str) -> String {
    let is_wanted = |body: &str| match of {
        "telemetry" => unverified::<Telemetry>(body).is_some(),
        _ => unverified::<Submission>(body).is_some(),
    };
    state.messages.iter().find(|(_, message)| is_wanted(&message.body)).expect("one was taken").0.clone()
}

/// The same message, changed and signed anew; only the journal knows by whom it was signed.
fn altered<M: Message>(state: &mut State, of: &str, change: impl FnOnce(&mut M)) {
    let id = first_id(state, of);
    let on_file = state.messages.get_mut(&id).unwrap();
    let mut message = unverified::<M>(&on_file.body).expect("it is of this kind");
    change(&mut message);
    on_file.body = signed(&message, &SigningKey::from_secret(&[7; 32]));
}

#[test]
fn a_report_of_other_figures_than_were_sealed_is_objected_to() {
    let said = objections_to(|state| {
        altered(state, "report", |one: &mut Submission| {
            let line = &mut one.lines[0];
            (line.initial_count, line.reported_count) = (line.initial_count + 1, line.reported_count + 1);
            (line.points, one.total_points) = (line.points + line.weight, one.total_points + line.weight);
        });
    });
    assert!(said.contains("was changed after it was sealed") && said.contains("goes by"), "{said}");
}

#[test]
fn a_report_above_what_was_generated_cannot_be_read_and_is_objected_to() {
    let said = objections_to(|state| {
        altered(state, "report", |one: &mut Submission| {
            let line = &mut one.lines[0];
            line.reported_count += 1;
            (line.points, one.total_points) = (line.points + line.weight, one.total_points + line.weight);
        });
    });
    assert!(said.contains("is neither telemetry nor a report"), "{said}");
}

#[test]
fn a_report_that_nobody_lowered_and_is_lower_is_objected_to() {
    let said = objections_to(|state| {
        altered(state, "report", |one: &mut Submission| {
            let line = &mut one.lines[0];
            line.reported_count -= 1;
            (line.points, one.total_points) = (line.points - line.weight, one.total_points - line.weight);
        });
    });
    assert!(said.contains("was lowered by nobody"), "{said}");
}

#[test]
fn a_report_that_is_not_kept_is_objected_to() {
    let said = objections_to(|state| {
        altered(state, "report", |one: &mut Submission| {
            (one.revision, one.id) = (7, report_id(&one.unit, one.month, 7));
        });
    });
    assert!(said.contains("r7 was submitted and is not kept"), "{said}");
}

#[test]
fn telemetry_below_what_stood_is_objected_to() {
    let said = objections_to(|state| {
        altered(state, "telemetry", |one: &mut Telemetry| {
            one.daily.iter_mut().for_each(|day| day.points = day.points.map(|_| Points::ZERO));
            one.points = one.points.map(|_| Points::ZERO);
        });
    });
    assert!(said.contains("stood on"), "{said}");
}

#[test]
fn telemetry_that_comes_out_of_order_is_objected_to_whatever_the_far_side_says_of_the_hour() {
    let (world, state) = good_month();
    let week = |body: &str| unverified::<Telemetry>(body).map(|one| one.week);
    let first = state.messages.values().filter_map(|message| week(&message.body)).min().expect("some were taken");
    let mut late = state.clone();
    late.messages.retain(|_, message| week(&message.body) != Some(first));
    let mut oracle = Oracle::default();
    oracle.check_messages(world.agent(), &late, world.now());
    assert_eq!(oracle.objections(), [""; 0]);
    oracle.check_messages(world.agent(), &state, world.now());
    assert!(oracle.objections().join("\n").contains("out of order"), "{:?}", oracle.objections());

    let mut oracle = Oracle::default();
    let memory = oracle.remember();
    oracle.check_messages(world.agent(), &late, world.now());
    oracle.put_back_to(memory, world.agent(), None);
    oracle.check_messages(world.agent(), &state, world.now());
    assert_eq!(oracle.objections(), [""; 0], "an agent that was put back owes what it had left out since");

    let mut oracle = Oracle::default();
    let mut wrong = state.clone();
    let of_first = wrong.messages.values_mut().find(|message| week(&message.body) == Some(first)).unwrap();
    of_first.receipt.received_at = at("2027-01-01");
    oracle.check_messages(world.agent(), &wrong, world.now());
    assert_eq!(oracle.objections(), [""; 0], "its clock was ahead");
}

#[test]
fn a_receipt_of_what_the_far_side_does_not_have_is_objected_to() {
    for kind in ["telemetry", "report"] {
        let said = objections_to(|state| {
            state.messages.remove(&first_id(state, kind));
        });
        assert!(said.contains("has a receipt and the far side does not have it"), "{kind}: {said}");
    }
}

#[test]
fn a_report_that_nobody_sent_by_march_is_objected_to() {
    let mut world = World::new(calm_vbr(51, "2026-01-20T09:30:00Z", 5));
    world.run_until(at("2026-02-05"));
    for (now, objects) in [("2026-02-12", false), ("2026-03-01", true)] {
        for given in [Given::TwoDays, Given::Enough] {
            let mut oracle = Oracle::default();
            oracle.check_all_done(world.agent(), given, at(now));
            let said = oracle.objections().join("\n");
            assert_eq!(said.contains("2026-01 was never sent"), objects, "{now} {given:?}: {said}");
        }
    }
    // One that is sealed and was never answered is not sent either.
    world.wire.cut_off(PEER, at("2026-02-05")..at("2026-06-01"));
    world.run_until(at("2026-03-02"));
    let mut oracle = Oracle::default();
    oracle.check_all_done(world.agent(), Given::TwoDays, world.now());
    let said = oracle.objections().join("\n");
    assert!(said.contains("2026-01 was never sent") && said.contains("a setback that stays"), "{said}");
}

#[test]
fn a_mark_that_one_side_alone_has_is_objected_to() {
    let said = objections_to(|state| {
        let unit = state.units.values_mut().next().expect("one unit");
        let days = unit.days.values_mut().filter_map(|day| day.report.as_mut());
        days.for_each(|day| day.points = day.points.map(|points| points + whole(1)));
    });
    assert!(said.contains("2026-01 was at most"), "{said}");
}

#[test]
fn a_verdict_that_its_figures_do_not_come_to_is_objected_to() {
    let (mut world, _) = good_month();
    let query = Query::Gate { unit: None, server: None, month: Some(month("2026-01")) };
    let honest: GateVerdict = serde_json::from_value(world.ask(&query).unwrap()).expect("a verdict");
    let with = |highest: i64, reported: i64| GateVerdict {
        highest_watermark: Some(whole(highest)),
        reported: Some(whole(reported)),
        shortfall: whole(highest - reported),
        tolerance: whole((highest / 5).max(20)),
        ..honest.clone()
    };
    let mut objects = |gate: GateVerdict| {
        let mut oracle = std::mem::take(&mut world.oracle);
        oracle.check_gate("here", &gate, Tolerance::default(), at("2026-02-23"));
        !oracle.objections().is_empty()
    };
    assert!(!objects(honest.clone()));
    assert!(!objects(with(50, 30)) && !objects(with(1000, 800)), "20 points, and 20 % where that is more");
    assert!(objects(with(50, 29)) && objects(with(1000, 799)), "it falls short by more");
    assert!(!objects(GateVerdict { verdict: Verdict::Held, ..with(50, 29) }));
    assert!(!objects(GateVerdict { justification: Some("a customer left".to_owned()), ..with(50, 29) }));
    assert!(objects(GateVerdict { verdict: Verdict::Held, ..with(50, 30) }), "within the tolerance");
    assert!(objects(GateVerdict { tolerance: whole(30), ..with(50, 30) }), "a tolerance that nobody grants");
    assert!(objects(GateVerdict { reported: None, shortfall: Points::ZERO, ..with(50, 30) }), "nothing to judge");
}

#[test]
fn a_journal_that_goes_back_is_objected_to() {
    let (world, _) = good_month();
    let young = World::new(calm_vbr(51, "2026-01-20T09:30:00Z", 5));
    let mut oracle = Oracle::default();
    oracle.check(world.agent(), &world.servers, None, world.now());
    oracle.check(young.agent(), &young.servers, None, young.now());
    assert!(oracle.objections().join("\n").contains("the journal went back"), "{:?}", oracle.objections());
}

#[test]
fn an_entry_that_is_gone_from_the_journal_is_objected_to() {
    let (world, _) = good_month();
    let young = World::new(calm_vbr(51, "2026-01-20T09:30:00Z", 5));
    let mut oracle = Oracle::default();
    oracle.check(world.agent(), &world.servers, None, world.now());
    oracle.reopened();
    oracle.check_chain(young.agent(), young.now());
    let (said, seq) = (oracle.objections().join("\n"), world.agent().store().head().seq);
    assert!(said.contains(&format!("entry {seq} of the journal is gone")), "{said}");
}

#[test]
fn a_duty_that_is_due_again_with_nothing_recorded_is_objected_to() {
    let (world, _) = good_month();
    let planned = world.agent().next(world.now()).unwrap().expect("something is always due some day");
    let mut oracle = Oracle::default();
    oracle.check(world.agent(), &world.servers, None, world.now());
    oracle.about_to(&planned, world.now());
    oracle.about_to(&planned, world.now() + TimeDelta::hours(1));
    assert_eq!(oracle.objections(), [""; 0], "an hour later it may");
    oracle.about_to(&planned, world.now() + TimeDelta::hours(1));
    assert!(oracle.objections().join("\n").contains("is due again"), "{:?}", oracle.objections());
}

#[test]
fn a_far_side_that_lost_messages_is_objected_to() {
    let (world, _) = good_month();
    let mut young = World::new(calm_vbr(51, "2026-01-20T09:30:00Z", 5));
    young.run_until(at("2026-01-27"));
    let mut oracle = Oracle::default();
    oracle.check(world.agent(), &world.servers, world.license_server.as_deref(), world.now());
    oracle.check(world.agent(), &world.servers, young.license_server.as_deref(), world.now());
    assert!(oracle.objections().join("\n").contains("the far side lost messages"), "{:?}", oracle.objections());
}

#[test]
fn other_bytes_under_a_known_id_are_objected_to() {
    let said = objections_to(|state| {
        let message = state.messages.values_mut().next().unwrap();
        let (body, at) = ("other".to_owned(), message.receipt.received_at);
        message.conflicts.push(ConflictOnFile { body, sha256: "00".to_owned(), at });
    });
    assert!(said.contains("other bytes came under"), "{said}");
}

#[test]
fn a_license_that_ends_although_nothing_stands_against_it_is_objected_to() {
    let (world, mut state) = good_month();
    let unit = world.agent().store().units().unwrap().remove(0);
    let late = at("2027-02-26");
    let on_file = state.units.get_mut(&unit.id).unwrap();
    let (judged, sent) = (on_file.judged_month(late, 11), on_file.reports[&month("2026-01")].clone());
    let mut oracle = Oracle::default();
    oracle.check_license(world.agent(), &state, &unit, late);
    assert_eq!(oracle.objections(), [""; 0], "its report is owed");
    state.units.get_mut(&unit.id).unwrap().reports.insert(judged, sent);
    oracle.check_license(world.agent(), &state, &unit, late);
    assert!(oracle.objections().join("\n").contains("the license ended on"), "{:?}", oracle.objections());
}

#[test]
fn a_silent_server_that_is_shown_as_fresh_is_objected_to() {
    let (world, _) = good_month();
    let mut oracle = Oracle::default();
    // No sample is as old as that: to this oracle the server has been silent since.
    oracle.check(world.agent(), &world.servers, None, at("2026-01-01"));
    oracle.check_told(world.agent(), &world.servers, world.now());
    assert!(oracle.objections().join("\n").contains("is shown as fresh"), "{:?}", oracle.objections());
}

#[test]
fn a_second_start_that_is_let_in_is_objected_to() {
    let (mut world, _) = good_month();
    world.start_twice();
    assert_silent(&world);
    world.settings.state_dir = "/elsewhere".into();
    world.start_twice();
    assert!(world.objections().join("\n").contains("was let in"), "{:?}", world.objections());
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
