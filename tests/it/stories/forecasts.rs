//! What was forecast comes true.

use super::*;

fn points(value: &Value) -> Points {
    value.as_str().expect("points are text").parse().expect("points are decimals")
}

#[test]
fn the_report_on_the_1st_is_the_one_that_was_forecast_from_the_months_last_sample() {
    for seed in 1..=4 {
        let mut world = World::new(calm_vbr(seed, "2026-01-05T09:30:00Z", 40));
        world.run_until(at("2026-01-31T23:59:30Z"));
        let forecast = world.ask(&Query::UsageForecast { unit: None, server: None }).expect("sampled");
        let gate = world.ask(&Query::LicenseForecast { unit: None, server: None }).expect("sampled")["gate"].clone();
        world.run_until(at("2026-02-01T00:10:00Z"));
        let report = report(&world, "2026-01");
        assert_eq!(points(&forecast["report_points"]), report.total_points, "seed {seed}");
        let judged = Query::Gate { unit: None, server: None, month: Some(month("2026-01")) };
        let judged = world.ask(&judged).expect("there is a report");
        assert_eq!((&gate["verdict"], &gate["shortfall"]), (&judged["verdict"], &judged["shortfall"]), "seed {seed}");
        let now = world.ask(&Query::UsageForecast { unit: None, server: None }).expect("sampled");
        assert_eq!(now["points"], forecast["points_on_first"], "seed {seed}: nothing was sampled in between");
        assert_silent(&world);
    }
}

#[test]
fn a_license_forecast_names_the_days_that_then_come() {
    let mut world = World::new(calm(2, "2026-01-20T09:30:00Z", 12));
    world.run_until(at("2026-01-25"));
    let forecast = world.ask(&Query::LicenseForecast { unit: None, server: None }).expect("sampled");
    let entries = forecast["calendar"].as_array().expect("a list");
    let when = |kind: &str| {
        let entry = entries.iter().find(|entry| entry["kind"] == kind && entry["month"] == "2026-01");
        entry.map(|entry| entry["at"].as_str().expect("an instant").to_owned()).unwrap_or_default()
    };
    assert_eq!(
        (when("report_built").as_str(), when("auto_submit").as_str()),
        ("2026-02-01T00:00:00Z", "2026-02-11T00:00:00Z")
    );
    world.run_until(at("2026-02-12"));
    check(
        &world,
        &["r1 generated", "r1 submitted"],
        expect![[r#"
        2026-02-01 00:00  report 2026-01 r1 generated: 131 points
        2026-02-11 00:00  report 2026-01 r1 submitted
    "#]],
    );
}
