//! What people do at the worst moments, from one window or two.

use serde_json::Value;

use super::super::world::World;
use crate::agent::orders::Target;
use crate::agent::{Order, Query};
use crate::domain::adjustment::AdjustmentOrder;
use crate::domain::report::UsageReport;

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Send,
    Reset,
    Postpone,
    MarkExternal,
    /// Removes the counted workload at this place, counted round.
    Remove(u32),
    Justify,
    Correct,
    Generate,
    LicenseUpdate,
    /// Samples the server at this place, counted round.
    SampleNow(u32),
}

/// From how many windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    One,
    /// Two people, both before the first one's talk ends.
    Two,
}

/// A person does it in a unit, counted round; refusals are part of life. What came of it, when anything was ordered.
pub(super) fn act(world: &mut World, deed: Deed, unit: u32, windows: Windows) -> Option<String> {
    let order = order_of(world, deed, unit)?;
    let done = match windows {
        Windows::One => vec![world.order(order, "mia")],
        Windows::Two => world.orders_at_once(&order, ["mia", "ben"]).to_vec(),
    };
    let words = done.into_iter().map(|done| match done {
        Ok(_) => "done".to_owned(),
        Err(refused) => format!("refused: {refused}"),
    });
    Some(words.collect::<Vec<_>>().join(" | "))
}

fn order_of(world: &World, deed: Deed, unit: u32) -> Option<Order> {
    let unit = nth(units(world), unit)?;
    let target = Target { unit: Some(unit), server: None, month: None };
    Some(match deed {
        Deed::Send => Order::Send { target },
        Deed::Reset => Order::Reset { target },
        Deed::Postpone => Order::Postpone { target, until: None },
        Deed::MarkExternal => Order::MarkExternal { target, portal: "Pulse".to_owned(), document: "U-1".to_owned() },
        Deed::Remove(which) => {
            let adjustments = vec![removal(world, &target, which)?];
            Order::Adjust { target, adjustments }
        }
        Deed::Justify => Order::Justify { target, reason: "a customer left".to_owned() },
        Deed::Correct => Order::Correct { target, reason: "a server was counted late".to_owned() },
        Deed::Generate => Order::Generate { target },
        Deed::LicenseUpdate => Order::LicenseUpdate { target },
        Deed::SampleNow(which) => {
            let servers = world.settings.servers.iter().map(|server| server.name.clone()).collect();
            Order::SampleNow { server: nth(servers, which)? }
        }
    })
}

fn removal(world: &World, target: &Target, which: u32) -> Option<AdjustmentOrder> {
    let shown = world.ask(&Query::Report { unit: target.unit.clone(), server: None, month: None }).ok()?;
    let report: UsageReport = serde_json::from_value(shown).ok()?;
    let counted = report.workloads.iter().filter(|workload| workload.counted).map(|workload| workload.id.clone());
    let workloads = vec![nth(counted.collect(), which)?];
    Some(AdjustmentOrder::Remove { workloads, reason: "a test machine".to_owned() })
}

/// The reporting units, as the agent names them.
pub(super) fn units(world: &World) -> Vec<String> {
    let licenses = world.ask(&Query::License { unit: None, server: None }).unwrap_or_default();
    let all = match licenses {
        Value::Array(all) => all,
        one => vec![one],
    };
    all.iter().filter_map(|license| license["unit"].as_str().map(str::to_owned)).collect()
}

fn nth(of: Vec<String>, which: u32) -> Option<String> {
    let place = which as usize % of.len().max(1);
    of.into_iter().nth(place)
}
