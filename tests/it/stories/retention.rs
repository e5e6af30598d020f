//! Months in which raw samples and told news are let go by age, and nothing that was told of them changes.

use chrono::TimeDelta;
use tidegauge::rules::retention::Keep;
use tidegauge::simulation::world::KillPoint;
use tidegauge::store::fact::Fact;

use super::*;

/// A small provider that keeps its raw samples and news for so many days.
fn kept_for(days: i64) -> World {
    let mut plan = calm(11, "2026-01-10T09:30:00Z", 8);
    plan.settings.sample_interval = TimeDelta::hours(12);
    plan.settings.basis_max_age = TimeDelta::hours(24);
    plan.settings.keep = Keep { raw: TimeDelta::days(days), mail: TimeDelta::days(days) };
    World::new(plan)
}

/// What was sent, reported and marked.
fn told_to_all(world: &World, until: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for one in submissions(world) {
        lines.push(format!("{} r{} {} {:?} {:?}", one.month, one.revision, one.total_points, one.lines, one.daily));
    }
    lines.extend(telemetry(world).iter().map(|one| format!("{} {:?} {:?}", one.week, one.points, one.daily)));
    let store = world.agent().store();
    let unit = store.units().unwrap().remove(0).id;
    for day in store.days(&unit, at("2026-01-10").date_naive(), at(until).date_naive()).unwrap() {
        lines.push(format!("{} {} {} {:?}", day.day, day.mark.points, day.mark.at, day.by_type));
    }
    lines
}

/// Marks counted again from the journal, thinned as it is, are those that are kept.
fn assert_proved(world: &World) {
    let proved = world.agent().store().prove_marks(&mut |_, _, _| Ok(())).unwrap();
    assert_eq!((proved.differences, proved.days > 100), (Vec::new(), true));
}

/// Raw samples and news that the journal still holds, and its age at the oldest of them.
fn held(world: &World) -> (Vec<Instant>, Vec<Instant>) {
    let (mut raw, mut news) = (Vec::new(), Vec::new());
    world
        .agent()
        .store()
        .history(0, &mut |_, facts| {
            for fact in facts {
                match fact {
                    Fact::SampleTaken { sample } => raw.push(sample.taken_at),
                    Fact::NoticeDelivered { at, .. } => news.push(at),
                    _ => {}
                }
            }
        })
        .unwrap();
    (raw, news)
}

#[test]
fn a_year_with_thinning_tells_what_a_year_without_tells() {
    let (mut thinned, mut whole) = (kept_for(90), kept_for(36_500));
    for world in [&mut thinned, &mut whole] {
        world.run_until(at("2027-01-15"));
        assert_silent(world);
        world.agent().store().verify().unwrap();
        assert_proved(world);
    }
    assert_eq!(told_to_all(&thinned, "2027-01-14"), told_to_all(&whole, "2027-01-14"));
    let ((raw, news), (all_raw, all_news)) = (held(&thinned), held(&whole));
    println!("raw samples {} of {}, letters {} of {}", raw.len(), all_raw.len(), news.len(), all_news.len());
    // What is kept, twelve hours apart, and the chain of changes that the oldest of them hangs on.
    let (kept, chain) = (2 * (90 + 7), 96 + 45);
    assert!(raw.len() < kept + chain && raw.len() * 2 < all_raw.len(), "{} of {}", raw.len(), all_raw.len());
    assert!(news.iter().all(|told| *told >= at("2027-01-15") - TimeDelta::days(98)), "{:?}", news.first());
    assert!(all_news.first().is_some_and(|told| *told < at("2026-03-01")));
    assert_eq!(report(&thinned, "2026-02").total_points, report(&whole, "2026-02").total_points);
    for old in ["2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07", "2026-08"] {
        let query = Query::Gate { unit: None, server: None, month: Some(month(old)) };
        let gate = thinned.ask(&query).unwrap_or_else(|why| panic!("the gate of {old}: {why}"));
        let whole = whole.ask(&query).unwrap();
        for same in ["verdict", "highest_watermark", "reported", "shortfall"] {
            assert_eq!(gate[same], whole[same], "{old}");
        }
    }
    let query = Query::Evidence { unit: None, server: None, month: Some(month("2026-02")), names: Default::default() };
    let archive = thinned.ask(&query).expect("a month that was reported can be proved");
    let archive =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, archive["base64"].as_str().unwrap());
    let verdict = tidegauge::agent::verify_evidence(&archive.unwrap(), None);
    assert_eq!(verdict["holds"], true, "{verdict:#}");
    assert!(verdict.to_string().contains("let go by age"), "{verdict:#}");
}

#[test]
fn a_kill_in_either_step_of_letting_go_changes_nothing() {
    let mut whole = kept_for(62);
    whole.run_until(at("2026-06-15"));
    for point in [KillPoint::BeforeBegin, KillPoint::AfterBegin, KillPoint::AfterAct, KillPoint::AfterFinish] {
        let mut killed = kept_for(62);
        for until in ["2026-04-15", "2026-05-15", "2026-06-15"] {
            killed.kill_once("let-go", point);
            killed.kill_once("thin", point);
            killed.run_until(at(until));
        }
        assert_silent(&killed);
        let (told, expected) = (told_to_all(&killed, "2026-06-14"), told_to_all(&whole, "2026-06-14"));
        let differ = told.iter().zip(&expected).find(|(told, expected)| told != expected);
        assert_eq!((differ, told.len()), (None, expected.len()), "{point:?}");
        assert_eq!(held(&killed).0.len(), held(&whole).0.len(), "{point:?}");
        killed.agent().store().verify().unwrap();
        assert_proved(&killed);
    }
}

#[test]
fn samples_of_a_month_whose_report_is_still_open_stay() {
    let mut world = kept_for(62);
    world.run_until(at("2026-02-02"));
    // Nobody is asked any more: January's report stays open.
    auto_update(&mut world, false);
    world.run_until(at("2026-06-15"));
    let (raw, _) = held(&world);
    assert!(raw.first().is_some_and(|first| *first < at("2026-01-12")), "{:?}", raw.first());
    let before = report(&world, "2026-01");
    auto_update(&mut world, true);
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("it can be sent after all");
    let sent = report(&world, "2026-01");
    assert!(is_sent(&sent), "{:?}", sent.stage);
    assert_eq!((sent.total_points, sent.lines), (before.total_points, before.lines));
}
