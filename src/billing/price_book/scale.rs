//! What a point costs: one price, or bands of volume.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::stated;

/// The price of a point; without tiers it is the same for every point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Up to the first band.
    pub base: Decimal,
    pub tiers: Option<Tiers>,
}

/// Prices that depend on the month's volume: the points that are priced by the point.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tiers {
    pub volume: Volume,
    pub mode: Mode,
    /// Rising, at least one.
    pub bands: Vec<Band>,
}

/// Whose points the bands look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volume {
    /// The tenant's of the month, over all servers and reporting units.
    Tenant,
    /// All tenants' together.
    Everybody,
}

/// What a band's price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The points within the band.
    Graduated,
    /// Every point, once the volume is in the band.
    WholeVolume,
}

/// The price of points above a volume.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Points; a volume of exactly so many is still below.
    #[serde(deserialize_with = "stated::price")]
    pub above: Decimal,
    #[serde(deserialize_with = "stated::price")]
    pub per_point: Decimal,
}

/// Some points of a volume and what each costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub points: Decimal,
    pub per_point: Decimal,
    /// The band; `None`: below the first one.
    pub above: Option<Decimal>,
}

impl Scale {
    /// The points that follow on the first `start` ones, band by band; never empty.
    pub(in crate::billing) fn graduated(&self, start: Decimal, points: Decimal) -> Vec<Part> {
        let steps: Vec<(Option<Decimal>, Decimal)> = self.steps().collect();
        let end = start + points;
        let within = |at: usize| {
            let (above, per_point) = steps[at];
            let from = above.unwrap_or_default().max(start);
            let until = steps.get(at + 1).and_then(|next| next.0).map_or(end, |next| next.min(end));
            (from < until).then(|| Part { points: until - from, per_point, above })
        };
        let parts: Vec<Part> = (0..steps.len()).filter_map(within).collect();
        if parts.is_empty() { vec![self.whole(start, points)] } else { parts }
    }

    /// All the points at the price that the volume reaches.
    pub(in crate::billing) fn whole(&self, volume: Decimal, points: Decimal) -> Part {
        let reached = self.steps().filter(|(above, _)| above.is_none_or(|above| volume > above)).last();
        let (above, per_point) = reached.unwrap_or((None, self.base));
        Part { points, per_point, above }
    }

    fn steps(&self) -> impl Iterator<Item = (Option<Decimal>, Decimal)> {
        let bands = self.tiers.iter().flat_map(|tiers| &tiers.bands);
        std::iter::once((None, self.base)).chain(bands.map(|band| (Some(band.above), band.per_point)))
    }
}
