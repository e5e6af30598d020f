//! `simulate`: seeded worlds in bad weather, and whether anything goes wrong in them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use chrono::TimeDelta;
use clap::Args;
use serde_json::{Value, json};

use super::session::Session;
use crate::agent::Refused;
use crate::simulation::trial::{Played, Shrunk, Trial};

/// Days of a simulated year.
const DAYS_A_YEAR: f64 = 365.25;
/// Longest time of bad weather, in years.
const YEARS_MAX: f64 = 20.0;
/// Objections that are printed; more of them follow from the first.
const OBJECTIONS_SHOWN: usize = 3;
/// Lines before the end of a failing seed's story that are printed unless all are wanted.
const STORY_LINES: usize = 40;
/// Most workloads of a world.
const WORKLOADS_MAX: i64 = 100_000;

/// Options of `simulate`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// Seeds of the worlds, the last one left out
    #[arg(long, default_value = "0..20", value_name = "A..B", value_parser = seeds, conflicts_with = "seed")]
    seeds: Seeds,
    /// One seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Years of bad weather in each world, such as 0.25
    #[arg(long, default_value = "0.25", value_name = "N", value_parser = years)]
    years: f64,
    /// Workloads over all servers of a world; about a dozen unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=WORKLOADS_MAX))]
    workloads: Option<u32>,
    /// Shows a failing seed as it was, without looking for the fewest events that make it fail
    #[arg(long)]
    no_shrink: bool,
    /// Tells the whole story of a failing seed, not only its last forty lines
    #[arg(long)]
    story: bool,
}

/// `A..B`.
#[derive(Clone, Copy, Debug)]
struct Seeds {
    from: u64,
    until: u64,
}

/// A world that was played, and what is left of it when it failed.
struct Tried {
    played: Played,
    shrunk: Option<Shrunk>,
}

/// Plays every seed on all cores and says what went wrong.
pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    session.refuse_now("simulate")?;
    let seeds = asked.seed.map_or(asked.seeds, |seed| Seeds { from: seed, until: seed.saturating_add(1) });
    let mut sum = Sum::default();
    let mut printed = Ok(());
    let is_json = session.global.json;
    play_all(asked, seeds, &mut |tried| {
        sum.add(&tried);
        if printed.is_ok() && !is_json && !tried.played.objections.is_empty() {
            printed = session.print(&failure(&tried, if asked.story { usize::MAX } else { STORY_LINES }));
        }
    });
    printed?;
    if is_json {
        session.print(&format!("{:#}\n", sum.to_json()))?;
    } else {
        session.print(&sum.to_text())?;
    }
    if sum.failed.is_empty() {
        return Ok(());
    }
    let failed = sum.failed.keys().map(u64::to_string).collect::<Vec<_>>().join(", ");
    Err(Refused::new(7, format!("the oracle objects to {} of {} seeds: {failed}", sum.failed.len(), sum.seeds)))
}

/// Gives each world to `take` when it has been played.
fn play_all(asked: &Asked, seeds: Seeds, take: &mut dyn FnMut(Tried)) {
    let next = AtomicU64::new(seeds.from);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (done, all_done) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..cores {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seeds.until <= seed || done.send(try_one(asked, seed)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        all_done.iter().for_each(take);
    });
}

fn try_one(asked: &Asked, seed: u64) -> Tried {
    let days = TimeDelta::seconds((asked.years * DAYS_A_YEAR * 86_400.0) as i64).num_days().max(1);
    let trial = Trial { seed, days, workloads: asked.workloads };
    let played = trial.play();
    let shrunk = (!asked.no_shrink).then(|| played.shrunk(&trial)).flatten();
    Tried { played, shrunk }
}

/// What a failing seed shows: objections, the weather that makes it fail, and the end of the story.
fn failure(tried: &Tried, lines_max: usize) -> String {
    let left = tried.shrunk.as_ref().map_or(&tried.played, |shrunk| &shrunk.played);
    let objections = &tried.played.objections;
    let shown = objections.iter().take(OBJECTIONS_SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n  ");
    let mut text = format!("seed {}: {} objections\n  {shown}\n", tried.played.seed, objections.len());
    let shrunk = tried.shrunk.as_ref().map(|shrunk| format!(", found in {} replays", shrunk.replays));
    text += &format!(
        "  the weather: {} of {} events{}\n",
        left.weather.len(),
        tried.played.weather.len(),
        shrunk.unwrap_or_default()
    );
    left.weather.iter().for_each(|event| text += &format!("    {event}\n"));
    if tried.shrunk.is_some() {
        left.objections.iter().take(OBJECTIONS_SHOWN).for_each(|objection| text += &format!("  then: {objection}\n"));
    }
    text += "  the end of the story:\n";
    left.story
        .iter()
        .skip(left.story.len().saturating_sub(lines_max))
        .for_each(|line| text += &format!("    {line}\n"));
    text
}

/// Figures over all seeds.
#[derive(Default)]
struct Sum {
    seeds: u64,
    days: i64,
    duties: u64,
    kills: u64,
    orders_killed: u64,
    counts: BTreeMap<&'static str, u64>,
    /// Failing seeds with what is wrong and the weather that is left.
    failed: BTreeMap<u64, (Vec<String>, Vec<String>)>,
}

impl Sum {
    fn add(&mut self, tried: &Tried) {
        let played = &tried.played;
        self.seeds += 1;
        self.days += played.simulated_days;
        self.duties += played.duties;
        self.kills += played.kills;
        self.orders_killed += played.orders_killed;
        played.counts.iter().for_each(|(kind, times)| *self.counts.entry(kind).or_default() += times);
        if !played.objections.is_empty() {
            let left = tried.shrunk.as_ref().map_or(played, |shrunk| &shrunk.played);
            let weather = left.weather.iter().map(ToString::to_string).collect();
            self.failed.insert(played.seed, (played.objections.clone(), weather));
        }
    }

    fn agent_years(&self) -> String {
        format!("{:.1}", TimeDelta::days(self.days).num_days() as f64 / DAYS_A_YEAR)
    }

    fn to_text(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
        format!(
            "{} seeds, {} agent-years, {} duties, {} kills ({} within orders), {} failures\nevents: {}\n",
            self.seeds,
            self.agent_years(),
            self.duties,
            self.kills,
            self.orders_killed,
            self.failed.len(),
            counts.join(", ")
        )
    }

    fn to_json(&self) -> Value {
        let failed = self
            .failed
            .iter()
            .map(|(seed, (objections, weather))| json!({"seed": seed, "objections": objections, "weather": weather}));
        json!({
            "schema": "tidegauge.simulated/1",
            "seeds": self.seeds,
            "agent_years": self.agent_years(),
            "duties": self.duties,
            "kills": self.kills,
            "orders_killed": self.orders_killed,
            "events": self.counts,
            "failed": failed.collect::<Vec<_>>(),
        })
    }
}

fn seeds(text: &str) -> Result<Seeds, String> {
    let both = text.split_once("..").and_then(|(from, until)| Some((from.parse().ok()?, until.parse().ok()?)));
    match both {
        Some((from, until)) if from < until => Ok(Seeds { from, until }),
        _ => Err("write it as 0..100: the first seed, and the one after the last".to_owned()),
    }
}

fn years(text: &str) -> Result<f64, String> {
    let years: Option<f64> = text.parse().ok();
    years
        .filter(|years| 0.0 < *years && *years <= YEARS_MAX)
        .ok_or_else(|| format!("write a number above 0 and up to {YEARS_MAX}, such as 0.25"))
}
