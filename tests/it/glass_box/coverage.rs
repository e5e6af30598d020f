//! Coverage hour by hour.

use super::*;

fn coverage(from: &str, until: &str) -> Value {
    let day = |text: &str| Some(text.parse().expect("a day"));
    ask(&Query::Coverage { server: None, from: day(from), until: day(until) })
}

fn hours(day: &Value) -> String {
    let sign = |state: &Value| match state.as_str().expect("a state") {
        "complete" => '#',
        "missed" => 'x',
        "none_expected" => '-',
        "future" => '.',
        other => panic!("{other} in {day:#}"),
    };
    rows(day, "hours").iter().map(sign).collect()
}

#[test]
fn a_night_without_answers_shows_as_its_hours_and_what_is_to_come_as_future() {
    let shown = coverage("2026-09-24", "2026-09-25");
    let server = &shown["servers"][0];
    let days: Vec<String> = rows(server, "days").iter().map(hours).collect();
    // It answers from 03:30 on; after many misses it is asked at its regular minutes only.
    assert_eq!(days, ["####################xxxx", "xxxx####################"]);
    assert_eq!(server["last_miss"], Value::Null, "it answers again");
    let today = coverage("2026-10-02", "2026-10-03");
    let days: Vec<String> = rows(&today["servers"][0], "days").iter().map(hours).collect();
    assert_eq!(days, ["########................", "........................"]);
    assert_eq!(rows(&today["servers"][0], "days")[1]["expected"], 0);
}

#[test]
fn hours_add_up_to_the_coverage_that_is_reported() {
    let shown = coverage("2026-09-01", "2026-09-30");
    let month = Some("2026-09".parse().unwrap());
    let mark = ask(&Query::Watermark { unit: None, server: None, week: None, month });
    let reported: BTreeMap<&str, &Value> = rows(&mark, "daily").iter().map(|day| (text(day, "day"), day)).collect();
    let server = &shown["servers"][0];
    for day in rows(server, "days") {
        let told = reported[text(day, "day")];
        assert_eq!((&day["expected"], &day["complete"]), (&told["expected"], &told["complete"]), "{day:#}");
        let complete = hours(day).chars().filter(|sign| *sign == '#').count();
        assert_eq!(json!(complete), day["complete"], "{day:#}");
    }
    assert_eq!(server["expected"], mark["coverage"]["expected"]);
    assert_eq!(server["complete"], mark["coverage"]["complete"]);
}

#[test]
fn without_days_the_running_month_is_shown_and_long_intervals_expect_nothing_in_between() {
    let (_, shown) = get("coverage");
    assert_eq!((text(&shown, "from"), text(&shown, "until")), ("2026-10-01", "2026-10-31"));
    let mut plan = WorldPlan::small(5, at("2026-09-01T00:30:00Z"), 3);
    plan.settings = Settings { sample_interval: chrono::TimeDelta::hours(6), ..plan.settings };
    let mut world = World::new(plan);
    world.run_until(at("2026-09-05T12:00:00Z"));
    let day = Some("2026-09-03".parse().unwrap());
    let shown = world.ask(&Query::Coverage { server: None, from: day, until: day }).unwrap();
    let last_that_there_is = Some("+262142-12-31".parse().unwrap());
    let refused = world.ask(&Query::Coverage { server: None, from: last_that_there_is, until: last_that_there_is });
    assert_eq!(refused.unwrap_err().code, 2);
    let day = &rows(&shown["servers"][0], "days")[0];
    let signs = hours(day);
    assert_eq!(signs.matches('#').count(), 4, "{signs}");
    assert_eq!(signs.matches('-').count(), 20, "{signs}");
}
