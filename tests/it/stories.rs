//! Months of simulated time through the real agent, told line by line.

mod adjusting;
mod bad_weather;
mod billing;
mod by_server;
mod consent;
mod consoles;
mod deadlines;
mod differences;
mod dropped_servers;
mod far;
mod finality;
mod finalizing;
mod forecasts;
mod forgetting;
mod four_eyes;
mod gates;
mod hooks;
mod keys;
mod killed_orders;
mod kills;
mod letters;
mod license_life;
mod licenses;
mod looks;
mod manual;
mod metering;
mod months;
mod oracle;
mod oracle_secrets;
mod oracle_words;
mod privacy;
mod put_back_servers;
mod renamed_servers;
mod retention;
mod seeds;
mod tenants;
mod trouble;
mod units;

use expect_test::{Expect, expect};
use serde_json::Value;
use tidegauge::agent::orders::Target;
use tidegauge::agent::{Order, Query};
use tidegauge::domain::report::{Stage, UsageReport};
use tidegauge::domain::{Instant, Month, Points};
use tidegauge::protocol::{Submission, Telemetry, unverified};
use tidegauge::simulation::world::{World, WorldPlan};

fn at(text: &str) -> Instant {
    let text = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    text.parse().expect("tests write instants as 2026-10-31 or 2026-10-31T23:00:00Z")
}

fn month(text: &str) -> Month {
    text.parse().expect("tests write months as 2026-10")
}

/// A plan that samples every four hours, from files: stories over many months stay quick.
fn calm(seed: u64, begins: &str, machines: u32) -> WorldPlan {
    let mut plan = WorldPlan::small(seed, at(begins), machines).from_files();
    plan.settings.sample_interval = chrono::TimeDelta::hours(4);
    plan.settings.basis_max_age = chrono::TimeDelta::hours(8);
    plan
}

/// The same over REST, where servers tell the hour too.
fn calm_vbr(seed: u64, begins: &str, machines: u32) -> WorldPlan {
    let mut plan = WorldPlan::small(seed, at(begins), machines);
    plan.settings.sample_interval = chrono::TimeDelta::hours(4);
    plan.settings.basis_max_age = chrono::TimeDelta::hours(8);
    plan
}

/// Lines of the story that hold any of the words.
fn told(world: &World, words: &[&str]) -> String {
    let lines = world.story().iter().filter(|line| words.iter().any(|word| line.contains(word)));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Most signs of a line that are shown.
const SIGNS_SHOWN: usize = 120;

/// The story's lines with any of the words are these, repeats gathered into one, and the oracle is silent.
fn check(world: &World, words: &[&str], expected: Expect) {
    assert_silent(world);
    let told = told(world, words);
    let mut shown: Vec<(String, usize)> = Vec::new();
    for line in told.lines() {
        let alike = |other: &str| without_hours(other) == without_hours(line);
        match shown.last_mut() {
            Some((before, times)) if alike(before) => *times += 1,
            Some(_) | None => shown.push((line.to_owned(), 1)),
        }
    }
    let lines = shown.into_iter().map(|(line, times)| {
        let line: String = line.chars().take(SIGNS_SHOWN).collect();
        if times == 1 { format!("{line}\n") } else { format!("{line} ({times} times)\n") }
    });
    expected.assert_eq(&lines.collect::<String>());
}

/// A line without its hour and what counts up or down in it, and without the hour of a next try.
fn without_hours(line: &str) -> String {
    let told = line.get("2026-01-01 00:00".len()..).unwrap_or(line);
    let told = told.split("; next try").next().unwrap_or(told);
    let counts = ["not sampled", "days left", "license.in_grace"].iter().any(|word| told.contains(word));
    told.chars().filter(|sign| !(counts && sign.is_ascii_digit())).collect()
}

fn assert_silent(world: &World) {
    let story = world.story().join("\n");
    assert_eq!(world.objections(), [""; 0], "seed {}; the story:\n{story}", world.seed);
}

fn report(world: &World, of: &str) -> UsageReport {
    report_of(world, None, of)
}

fn report_of(world: &World, server: Option<&str>, of: &str) -> UsageReport {
    let query = Query::Report { unit: None, server: server.map(str::to_owned), month: Some(month(of)) };
    let shown = world.ask(&query).unwrap_or_else(|refused| panic!("report of {of}: {refused}"));
    serde_json::from_value(shown).expect("a report is shown whole")
}

fn is_sent(report: &UsageReport) -> bool {
    matches!(report.stage, Stage::Submitted { .. })
}

fn status(world: &World) -> Value {
    world.ask(&Query::Status {}).expect("status always answers")
}

fn target(of: &str) -> Target {
    Target { month: Some(month(of)), ..Target::default() }
}

/// What the License Update Server took, in the order of months and revisions.
fn submissions(world: &World) -> Vec<Submission> {
    let state = world.license_server.as_ref().expect("a closed loop").state();
    let mut taken: Vec<Submission> =
        state.messages.values().filter_map(|message| unverified::<Submission>(&message.body)).collect();
    taken.sort_by_key(|one| (one.unit.clone(), one.month, one.revision));
    taken
}

/// Telemetry it took, in the order of weeks.
fn telemetry(world: &World) -> Vec<Telemetry> {
    let state = world.license_server.as_ref().expect("a closed loop").state();
    let mut taken: Vec<Telemetry> =
        state.messages.values().filter_map(|message| unverified::<Telemetry>(&message.body)).collect();
    taken.sort_by_key(|one| (one.unit.clone(), one.week));
    taken
}

/// `2026-01 r1 411` for each submission.
fn sent(world: &World) -> Vec<String> {
    submissions(world).iter().map(|one| format!("{} r{} {}", one.month, one.revision, one.total_points)).collect()
}

/// A header line of a mail.
fn header(message: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(message);
    let line =
        text.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_ascii_lowercase())));
    line.map_or_else(String::new, |line| line[name.len() + 1..].trim().to_owned())
}

fn subjects(world: &World) -> Vec<String> {
    world.wire.mails().iter().map(|mail| header(&mail.message, "Subject")).collect()
}

fn auto_update(world: &mut World, on: bool) {
    world.order(Order::AutoUpdate { target: Target::default(), on }, "admin").expect("a sampled unit can be switched");
}

fn whole(points: i64) -> Points {
    Points::whole(points)
}

#[test]
fn an_unreviewed_report_is_sent_on_the_eleventh() {
    let mut world = World::new(WorldPlan::small(1, at("2026-01-20T09:30:00Z"), 40));
    world.run_until(at("2026-02-12"));
    let words = ["report 2026-01", "telemetry", "notice report.generated", "notice report.auto_submitted"];
    check(
        &world,
        &words,
        expect![[r#"
            2026-01-26 00:00  telemetry 2026-W04 drawn for 2026-01-29 12:32
            2026-01-29 12:32  telemetry 2026-W04 sealed
            2026-01-29 12:32  telemetry 2026-W04 taken
            2026-02-01 00:00  report 2026-01 r1 generated: 411 points
            2026-02-01 00:00  notice report.generated (2026-01, 10 days left)
            2026-02-02 00:00  telemetry 2026-W05 drawn for 2026-02-08 22:32
            2026-02-08 22:32  telemetry 2026-W05 sealed
            2026-02-08 22:32  telemetry 2026-W05 taken
            2026-02-09 00:00  telemetry 2026-W06 drawn for 2026-02-13 15:16
            2026-02-11 00:00  report 2026-01 r1 sealed
            2026-02-11 00:00  report 2026-01 r1 submitted
            2026-02-11 00:00  notice report.auto_submitted (2026-01)
        "#]],
    );
    assert_eq!(sent(&world), ["2026-01 r1 411"]);
}
