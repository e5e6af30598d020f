//! High watermarks counted again from the journal, and whether they are the ones that are kept.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent::{Agent, Refused, Trouble};
use crate::domain::installation::UnitId;
use crate::domain::sample::Group;
use crate::domain::watermark::{DayMark, HighWatermark};
use crate::domain::workload::WorkloadType;
use crate::domain::{IsoWeek, Month, Points};
use crate::seal::digest::hex;
use crate::store::{MarkDiffers, Maxima, WhatDiffers, raise};

/// Of which units and which period marks are shown; every day of every unit is counted and compared all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofAsked {
    pub unit: Option<String>,
    pub server: Option<String>,
    pub week: Option<IsoWeek>,
    pub month: Option<Month>,
}

/// A period as its days add up.
#[derive(Default)]
struct Period {
    mark: Option<HighWatermark>,
    by_type: BTreeMap<WorkloadType, Points>,
    groups: Maxima,
}

impl Period {
    fn take(&mut self, day: &DayMark) {
        let raised = HighWatermark::raised_by(self.mark, day.mark.points, day.mark.at);
        if self.mark != Some(raised) {
            (self.mark, self.by_type) = (Some(raised), day.by_type.clone());
        }
    }

    fn shown(&self, name: &str) -> Value {
        json!({
            "period": name,
            "points": self.mark.map(|mark| mark.points),
            "at": self.mark.map(|mark| mark.at),
            "by_type": self.by_type,
        })
    }

    fn groups(&self) -> Vec<Value> {
        let row =
            |((tenant, kind), points): (&Group, &Points)| json!({"tenant": tenant, "type": kind, "points": points});
        self.groups.iter().map(row).collect()
    }
}

impl ProofAsked {
    /// The one period whose groups are shown.
    fn named(&self) -> Option<(String, NaiveDate, NaiveDate)> {
        let of_month = self.month.map(|month| (month.to_string(), month.first_day(), month.next().first_day()));
        let of_week = self.week.map(|week| (week.to_string(), week.first_day(), week.next().first_day()));
        of_month.or(of_week)
    }
}

impl Agent {
    /// Counts every day again out of the journal and compares it with what is kept of it; what differs is named.
    pub(in crate::agent) fn proved_marks(&self, asked: &ProofAsked) -> Result<Value, Refused> {
        let shown: BTreeSet<UnitId> =
            self.units_named(asked.unit.as_deref(), asked.server.as_deref())?.into_iter().map(|unit| unit.id).collect();
        let named = asked.named();
        let mut units: BTreeMap<UnitId, BTreeMap<String, Period>> = BTreeMap::new();
        let mut each = |unit: &UnitId, day: &DayMark, maxima: &Maxima| {
            if shown.contains(unit) {
                let periods = units.entry(unit.clone()).or_default();
                match &named {
                    None => periods.entry(IsoWeek::of_day(day.day).to_string()).or_default().take(day),
                    Some((name, first, end)) if *first <= day.day && day.day < *end => {
                        let period = periods.entry(name.clone()).or_default();
                        period.take(day);
                        raise(&mut period.groups, maxima);
                    }
                    Some(_) => {}
                }
            }
            Ok(())
        };
        let proved = self.store.prove_marks(&mut each).map_err(Trouble::from)?;
        let of_unit = |(unit, periods): (UnitId, BTreeMap<String, Period>)| {
            let groups = named.as_ref().and_then(|(name, ..)| periods.get(name)).map(Period::groups);
            let periods: Vec<Value> = periods.iter().map(|(name, period)| period.shown(name)).collect();
            json!({"unit": unit, "periods": periods, "groups": groups})
        };
        Ok(json!({
            "schema": "tidegauge.watermark-proof/1",
            "holds": proved.differing == 0,
            "entries": proved.recounted.journal.entries,
            "head": hex(&proved.recounted.journal.head.hash),
            "samples": proved.recounted.samples,
            "thinned_samples": proved.recounted.thinned,
            "days": proved.days,
            "marks": proved.marks,
            "differing": proved.differing,
            "differences": proved.differences.iter().map(difference).collect::<Vec<Value>>(),
            "units": units.into_iter().map(of_unit).collect::<Vec<Value>>(),
        }))
    }
}

/// One difference, with what it is about.
fn difference(differs: &MarkDiffers) -> Value {
    let MarkDiffers { unit, day, week, what, kept, recounted } = differs;
    let mut shown = json!({"unit": unit, "week": week.to_string(), "day": day, "kept": kept, "recounted": recounted});
    let about = match what {
        WhatDiffers::Points => json!({"what": "points"}),
        WhatDiffers::At => json!({"what": "at"}),
        WhatDiffers::ByType(kind) => json!({"what": "by_type", "type": kind}),
        WhatDiffers::Group((tenant, kind)) => json!({"what": "group", "tenant": tenant, "type": kind}),
        WhatDiffers::Samples(server) => json!({"what": "samples", "server": server}),
    };
    for (name, member) in about.as_object().into_iter().flatten() {
        shown[name] = member.clone();
    }
    shown
}
