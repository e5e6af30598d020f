//! What a price list cannot say.

use rust_decimal::Decimal;

use super::scale::{Mode, Tiers, Volume};
use super::written::WrittenList;
use crate::domain::workload::{WORKLOAD_TYPES, WorkloadType};

/// Whose list it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose<'a> {
    Everybody,
    Tenant(&'a str),
}

impl Whose<'_> {
    pub fn place(self) -> String {
        match self {
            Whose::Everybody => "[[price]]".to_owned(),
            Whose::Tenant(name) => format!("[[tenant.price]] of '{name}'"),
        }
    }
}

/// The first contradiction, as the key and what to do.
pub(super) fn find(list: &WrittenList, whose: Whose<'_>, decimals: u32) -> Option<String> {
    let found = match whose {
        Whose::Everybody => of_everybody(list),
        Whose::Tenant(_) => of_tenant(list),
    };
    found
        .map(str::to_owned)
        .or_else(|| list.tiers.as_ref().and_then(|tiers| of_tiers(tiers, list.per_point)).map(str::to_owned))
        .or_else(|| misspelt(list))
        .or_else(|| too_fine(list, decimals))
}

fn of_everybody(list: &WrittenList) -> Option<&'static str> {
    if list.per_point.is_none() {
        return Some("per_point: is not there; it prices what nothing else does");
    }
    if list.cost_per_point.is_none() && !list.cost_per_workload.is_empty() {
        return Some("cost_per_workload: needs cost_per_point for the other types, or no margin is known");
    }
    None
}

fn of_tenant(list: &WrittenList) -> Option<&'static str> {
    if list.cost_per_point.is_some() || !list.cost_per_workload.is_empty() {
        return Some("cost_per_point: what the supplier asks is the same for every tenant and stands in [[price]]");
    }
    if list.minimum_total.is_some() {
        return Some("minimum_total: is for all tenants together and stands in [[price]]; write minimum");
    }
    let empty = list.per_point.is_none() && list.per_workload.is_empty() && list.minimum.is_none();
    (empty && list.tiers.is_none()).then_some("has no price; write per_point, per_workload or minimum")
}

fn of_tiers(tiers: &Tiers, per_point: Option<Decimal>) -> Option<&'static str> {
    if per_point.is_none() {
        return Some("tiers: need a per_point in the same list; it is the price up to the first band");
    }
    let rising = tiers.bands.is_sorted_by(|one, next| one.above < next.above);
    match tiers.bands.first() {
        None => Some("tiers: bands: there is none; write { above = \"1000\", per_point = \"0.90\" }, say"),
        Some(first) if first.above.is_zero() => Some("tiers: bands: the first is above 0; that price is per_point"),
        Some(_) if !rising => Some("tiers: bands: each begins above the one before it"),
        Some(_) => match (tiers.volume, tiers.mode) {
            (Volume::Everybody, Mode::Graduated) => Some(
                "tiers: mode: graduated bands over everybody's points would price a tenant by its place in a list; \
                 write \"whole_volume\", or volume = \"tenant\"",
            ),
            (Volume::Everybody, Mode::WholeVolume) | (Volume::Tenant, _) => None,
        },
    }
}

/// A type that differs from a known one by capitals alone would never be found in a report.
fn misspelt(list: &WrittenList) -> Option<String> {
    let named = list.per_workload.keys().chain(list.cost_per_workload.keys());
    named.filter(|kind| !kind.is_known()).find_map(|kind: &WorkloadType| {
        let (_, meant) = WORKLOAD_TYPES.iter().find(|(_, name)| name.eq_ignore_ascii_case(kind.as_str()))?;
        Some(format!("per_workload: {kind} is written {meant}"))
    })
}

/// What is demanded at least is paid in coins.
fn too_fine(list: &WrittenList, decimals: u32) -> Option<String> {
    let stated = [("minimum", list.minimum), ("minimum_total", list.minimum_total)];
    let (key, _) = stated.into_iter().find(|(_, amount)| amount.is_some_and(|amount| amount.scale() > decimals))?;
    Some(format!("{key}: is finer than the currency's smallest coin ({decimals} digits after the point)"))
}
