//! A provider's people and bad days, month after month: what the demo plays.

use std::sync::PoisonError;

use chrono::{Days, TimeDelta};
use serde_json::Value;

use crate::agent::orders::Target;
use crate::agent::{Order, Query};
use crate::config::Settings;
use crate::domain::adjustment::AdjustmentOrder;
use crate::domain::calendar::midnight;
use crate::domain::{Instant, Month};

use super::estate::EstatePlan;
use super::world::{ServerPlan, SourceKind, World, WorldPlan};

/// Servers of the provider with their machines and how they are sampled.
const SERVERS: [(&str, u32, SourceKind); 2] =
    [("vbr01", 64, SourceKind::Vbr), ("vbr02", 38, SourceKind::SnapshotFolder)];

/// The plan of a provider with two servers, each under a rental key of its own that is renewed monthly.
pub fn plan(seed: u64, begins_at: Instant, settings: Settings) -> WorldPlan {
    let expires_on = Month::of(begins_at).next().last_day();
    let server = |(name, machines, source): (&str, u32, SourceKind)| {
        let mut estate = EstatePlan::new(seed ^ u64::from(machines), name, begins_at, machines);
        estate.license.expires_on = Some(expires_on);
        ServerPlan { name: name.to_owned(), source, estate }
    };
    WorldPlan {
        seed,
        begins_at,
        servers: SERVERS.into_iter().map(server).collect(),
        closed_loop: true,
        mail_to: vec!["licensing@example.net".to_owned(), "billing@example.net".to_owned()],
        settings,
    }
}

/// Plays the world until then, people and bad days included, telling each line as it happens.
pub fn play(world: &mut World, until: Instant, tell: &mut dyn FnMut(&str)) {
    let first = Month::of(world.now());
    plan_bad_days(world, first);
    let mut month = first;
    for number in 0.. {
        let next = month.next();
        if until <= next.starts_at() {
            break;
        }
        if number == 7 {
            go_to(world, month.ends_at() - TimeDelta::hours(4), until, tell);
            world.off_until((month.ends_at() + TimeDelta::minutes(330)).min(until));
        }
        act_on_report(world, month, number, until, tell);
        go_to(world, midnight(next.day(12)) + TimeDelta::hours(10), until, tell);
        if midnight(next.day(12)) < world.now() && world.now() < until {
            enter_elsewhere(world, month);
        }
        go_to(world, midnight(next.day(26)) + TimeDelta::hours(10), until, tell);
        carry_keys_to_servers(world);
        month = next;
    }
    go_to(world, until, until, tell);
}

/// A server out of reach for a day and a half in the fifth month; the License Update Server away over the tenth 11th.
fn plan_bad_days(world: &World, first: Month) {
    let month = |number: usize| (0..number).fold(first, |month, _| month.next());
    let away = midnight(month(4).day(17)) + TimeDelta::hours(20);
    world.wire.cut_off("vbr01", away..away + TimeDelta::hours(36));
    let night = midnight(month(10).day(10)) + TimeDelta::hours(20);
    world.wire.cut_off(crate::protocol::PEER, night..night + TimeDelta::hours(11));
}

/// One month it is adjusted and sent, one postponed, one sent unread, one left to the eleventh.
fn act_on_report(world: &mut World, month: Month, number: usize, until: Instant, tell: &mut dyn FnMut(&str)) {
    let day = match number % 4 {
        0 => 4,
        1 => 2,
        2 => 3,
        _ => return,
    };
    go_to(world, midnight(month.next().first_day() + Days::new(day - 1)) + TimeDelta::hours(9), until, tell);
    if until <= world.now() {
        return;
    }
    for unit in units(world) {
        let target = Target { unit: Some(unit), server: None, month: Some(month) };
        let done = match number % 4 {
            0 => remove_a_test_machine(world, &target).and_then(|_| world.order(Order::Send { target }, "licensing")),
            1 => world.order(Order::Postpone { target, until: None }, "licensing"),
            _ => world.order(Order::Send { target }, "deputy"),
        };
        if let Err(refused) = done {
            tell(&format!("                  refused: {refused}"));
        }
    }
}

fn remove_a_test_machine(world: &mut World, target: &Target) -> Result<Value, crate::agent::Refused> {
    let report = world.ask(&Query::Report { unit: target.unit.clone(), server: None, month: target.month })?;
    let counted = report["workloads"].as_array().into_iter().flatten().find(|workload| workload["counted"] == true);
    let id = counted.and_then(|workload| workload["id"].as_str()).unwrap_or_default().to_owned();
    let reason = "test machine, deleted at the end of the month".to_owned();
    let adjustment = AdjustmentOrder::Remove { workloads: vec![id], reason };
    world.order(Order::Adjust { target: target.clone(), adjustments: vec![adjustment] }, "licensing")
}

/// The second step: in-product sending never replaces it.
fn enter_elsewhere(world: &mut World, month: Month) {
    for unit in units(world) {
        let target = Target { unit: Some(unit), server: None, month: Some(month) };
        let document = format!("USAGE-{month}");
        let order = Order::MarkExternal { target, portal: "aggregator portal".to_owned(), document };
        // A report that does not stand yet is entered another time.
        let _ = world.order(order, "billing");
    }
}

/// Each renewed key is put onto its server by hand: Tidegauge pushes nothing to backup servers.
fn carry_keys_to_servers(world: &World) {
    for (name, server) in &world.servers {
        let license = world.ask(&Query::License { unit: None, server: Some(name.clone()) }).unwrap_or_default();
        let expires_on = serde_json::from_value(license["license"]["expires_on"].clone()).unwrap_or_default();
        server.estate.lock().unwrap_or_else(PoisonError::into_inner).license.expires_on = expires_on;
    }
}

fn units(world: &World) -> Vec<String> {
    let licenses = world.ask(&Query::License { unit: None, server: None }).unwrap_or_default();
    let all = match licenses {
        Value::Array(all) => all,
        one => vec![one],
    };
    all.iter().filter_map(|license| license["unit"].as_str().map(str::to_owned)).collect()
}

fn go_to(world: &mut World, at: Instant, until: Instant, tell: &mut dyn FnMut(&str)) {
    if world.now() < at.min(until) {
        world.run_with(at.min(until), tell);
    }
}
