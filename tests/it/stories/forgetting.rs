//! A month is forgotten by order: nothing brings it back, its digests stay, and a kill at any step heals.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine;
use chrono::TimeDelta;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::forgetting::Forgotten;
use tidegauge::domain::pseudonym::Names;
use tidegauge::doors::Files;
use tidegauge::rules::retention::Keep;
use tidegauge::store::fact::{Fact, key};

use super::*;

const WHY: &str = "kept for as long as it had to be";
/// Stands in an adjustment's reason, and nowhere else.
const TELLTALE: &str = "machine of a client that must not be named";

/// A small provider that keeps its raw samples for 62 days; a machine is taken out of January's report.
fn provider(until: &str) -> World {
    let mut plan = calm(17, "2026-01-10T09:30:00Z", 6);
    plan.settings.sample_interval = TimeDelta::hours(12);
    plan.settings.basis_max_age = TimeDelta::hours(24);
    plan.settings.keep = Keep { raw: TimeDelta::days(62), mail: TimeDelta::days(3_650) };
    let mut world = World::new(plan);
    world.run_until(at("2026-02-03T10:00:00Z"));
    let one = report(&world, "2026-01").workloads.iter().find(|one| one.counted).expect("one counts").id.clone();
    let remove = AdjustmentOrder::Remove { workloads: vec![one], reason: TELLTALE.to_owned() };
    world.order(Order::Adjust { target: target("2026-01"), adjustments: vec![remove] }, "mia").expect("it is open");
    world.run_until(at(until));
    world
}

fn forget(world: &mut World, of: &str) -> Result<Value, tidegauge::agent::Refused> {
    let order = Order::Forget { target: target(of), month: month(of), confirmed: month(of), reason: WHY.to_owned() };
    world.order(order, "olga")
}

fn files_of(world: &World, of: &str) -> Vec<PathBuf> {
    let folder = Path::new("/reports").join(of);
    let names = world.disk.as_ref().expect("a world has a disk").list(&folder).expect("it lists");
    names.into_iter().map(|name| folder.join(name)).collect()
}

/// Months whose reports the journal holds, and the facts in which the telltale stands.
fn held(world: &World) -> (BTreeSet<String>, Vec<String>) {
    let (mut months, mut telltales) = (BTreeSet::new(), Vec::new());
    let each = &mut |_: &_, facts: Vec<Fact>| {
        for fact in facts {
            // February's report keeps what it says of the difference to January's.
            let is_later = matches!(&fact, Fact::ReportKept { report, .. } if report.month != month("2026-01"));
            if format!("{fact:?}").contains(TELLTALE) && !is_later {
                telltales.push(format!("{fact:.60?}"));
            }
            match fact {
                Fact::ReportKept { report, .. } => drop(months.insert(report.month.to_string())),
                Fact::StageSet { month, .. } => drop(months.insert(month.to_string())),
                Fact::Sealed { message } if message.period.len() == 7 => drop(months.insert(message.period)),
                _ => {}
            }
        }
    };
    world.agent().store().history(0, each).expect("the journal reads");
    (months, telltales)
}

fn forgotten(world: &World, of: &str) -> Option<Forgotten> {
    let store = world.agent().store();
    let unit = store.units().expect("it reads").remove(0).id;
    store.row(&key::forgotten(&unit, month(of))).expect("it reads")
}

#[test]
fn a_forgotten_month_is_known_by_its_digests_alone_and_never_built_again() {
    let mut world = provider("2026-06-15");
    let (was, files) = (report(&world, "2026-01"), files_of(&world, "2026-01"));
    let sent =
        submissions(&world).iter().find(|one| one.month == month("2026-01")).expect("it was sent").digest.clone();
    let pdf = files.iter().find(|file| file.extension().is_some_and(|of| of == "pdf")).expect("it has a PDF");
    let disk = world.disk.clone().expect("a world has a disk");
    let pdf = tidegauge::seal::digest::sha256_hex(&disk.read(pdf).expect("it reads").expect("it stands"));
    assert!(held(&world).1.len() > 3 && !files.is_empty());

    let left = forget(&mut world, "2026-01").expect("nobody needs it");
    assert_eq!((&left["by"], &left["reason"]), (&"user:olga".into(), &WHY.into()));
    assert_eq!((left["revisions"][0]["digest"].as_str(), was.digest), (Some(sent.as_str()), sent.clone()));
    let known = left["revisions"][0]["files"].as_array().expect("files").iter().any(|file| file["sha256"] == *pdf);
    assert!(known && left["revisions"][0]["sent_sha256"].is_string(), "{left:#}");

    let all_gone = |world: &World| {
        assert!(files_of(world, "2026-01").is_empty(), "{:?}", files_of(world, "2026-01"));
        let (months, telltales) = held(world);
        assert!(!months.contains("2026-01") && months.contains("2026-02"), "{months:?}");
        assert_eq!(telltales, [""; 0], "its adjustment and the news of it went too");
        world.agent().store().verify().expect("the chain holds, and the state follows from the journal");
    };
    all_gone(&world);
    for query in [
        Query::Report { unit: None, server: None, month: Some(month("2026-01")) },
        Query::Evidence { unit: None, server: None, month: Some(month("2026-01")), names: Names::default() },
        Query::ReportFile {
            unit: None,
            server: None,
            month: Some(month("2026-01")),
            format: "pdf".to_owned(),
            names: Names::default(),
        },
    ] {
        let refused = world.ask(&query).expect_err("it is forgotten");
        assert!(refused.code == 66 && refused.why.contains("2026-01 was forgotten on 2026-06-15"), "{refused}");
    }
    for order in [
        Order::Generate { target: target("2026-01") },
        Order::Correct { target: target("2026-01"), reason: WHY.to_owned() },
    ] {
        assert_eq!(world.order(order, "mia").expect_err("it is forgotten").code, 66);
    }
    assert_eq!(forget(&mut world, "2026-01").expect_err("once is enough").code, 66);

    world.off_until(at("2026-06-16"));
    world.run_until(at("2026-09-15"));
    all_gone(&world);
    assert_silent(&world);
    let told = told(&world, &["report 2026-01", "of a forgotten month"]);
    assert_eq!(told.lines().last().map(|line| line.contains("forgotten by user:olga")), Some(true), "{told}");
    let feb = Query::Evidence { unit: None, server: None, month: Some(month("2026-02")), names: Names::default() };
    let archive = world.ask(&feb).expect("its neighbour can be proved");
    let archive = base64::engine::general_purpose::STANDARD.decode(archive["base64"].as_str().expect("text"));
    let verdict = tidegauge::agent::verify_evidence(&archive.expect("base64"), None);
    assert_eq!(verdict["holds"], true, "{verdict:#}");
    assert_eq!(forgotten(&world, "2026-01").map(|left| left.revisions.len()), Some(1));
}

#[test]
fn a_month_that_somebody_needs_is_not_forgotten() {
    let mut world = provider("2026-04-05");
    let before = world.agent().store().head();
    for (of, why) in [
        ("2026-03", "the report of 2026-03 is awaiting_review"),
        ("2026-02", "what that of 2026-03 is compared with"),
        ("2026-05", "there is no report of 2026-05"),
    ] {
        let refused = forget(&mut world, of).expect_err("somebody needs it");
        assert!(refused.why.contains(why), "{of}: {refused}");
    }
    let order = |confirmed: &str, reason: &str| {
        let (month, confirmed) = (month("2026-01"), month(confirmed));
        Order::Forget { target: target("2026-01"), month, confirmed, reason: reason.to_owned() }
    };
    for (confirmed, reason) in [("2026-02", WHY), ("2026-01", " ")] {
        assert_eq!(world.order(order(confirmed, reason), "olga").expect_err("half a wish").code, 2);
    }
    assert_eq!(world.agent().store().head(), before, "nothing was recorded");
    forget(&mut world, "2026-01").expect("nobody needs January");
    world.run_until(at("2026-04-12"));
    assert!(
        forget(&mut world, "2026-03").expect_err("the newest").why.contains("what that of 2026-04 is compared with")
    );
    forget(&mut world, "2026-02").expect("March was sent");
    world.run_until(at("2026-07-15"));
    assert_silent(&world);
}

/// The disk fails at one writing operation after the other, and loses power then.
#[test]
fn killed_at_any_step_of_forgetting_a_month_stands_whole_or_is_gone() {
    let mut world = provider("2027-04-15");
    let months: Vec<String> = (1..=12).map(|number| format!("2026-{number:02}")).collect();
    let (mut operations, mut stood, mut healed) = (0, 0, 0);
    for of in &months {
        loop {
            let files = files_of(&world, of);
            let disk = world.disk.clone().expect("a world has a disk");
            disk.fill_after(operations);
            let ended = forget(&mut world, of);
            disk.heal();
            operations += 1;
            let later = world.now() + TimeDelta::minutes(30);
            world.off_until(world.now() + TimeDelta::minutes(1));
            world.run_until(later);
            world.agent().store().verify().expect("the store is in order");
            let is_held = held(&world).0.contains(of);
            match forgotten(&world, of) {
                None => {
                    assert!(ended.is_err() && is_held, "{of}: at operation {operations}");
                    assert_eq!(files_of(&world, of), files, "nothing was done");
                    stood += 1;
                }
                Some(_) => {
                    assert!(!is_held && files_of(&world, of).is_empty(), "{of}: at operation {operations}");
                    healed += u32::from(ended.is_err());
                    break;
                }
            }
        }
    }
    println!("stood {stood} times, healed {healed} times, {operations} operations");
    assert!(stood >= 1 && healed >= 6, "stood {stood}, healed {healed}");
    let reads = status(&world)["warnings"].to_string();
    assert!(!reads.contains("forgotten"), "{reads}");
    assert_silent(&world);
}

#[test]
fn files_that_cannot_be_removed_are_said_and_tried_again() {
    let mut world = provider("2026-06-15");
    let disk = world.disk.clone().expect("a world has a disk");
    disk.make_folder_read_only(Path::new("/reports"));
    let refused = forget(&mut world, "2026-01").expect_err("its files stay");
    assert!(refused.code == 73 && refused.why.contains("2026-01 is forgotten, but for its files"), "{refused}");
    assert_eq!(held(&world).1, [""; 0], "the journal holds nothing of it");
    world.run_until(at("2026-06-15T01:00:00Z"));
    assert!(status(&world)["warnings"].to_string().contains("of a forgotten month"), "{}", status(&world)["warnings"]);
    disk.heal();
    world.run_until(at("2026-06-15T02:00:00Z"));
    assert!(files_of(&world, "2026-01").is_empty());
    assert!(!status(&world)["warnings"].to_string().contains("of a forgotten month"));
    world.agent().store().verify().expect("the store is in order");
    assert_silent(&world);
}
