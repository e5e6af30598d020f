//! What is counted in, where weights come from, what nobody knows here, and the points tables in force.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::refuse_unreckoned;
use crate::agent::Trouble;
use crate::agent::{Agent, Hour, Refused};
use crate::domain::Instant;
use crate::domain::calendar::rfc3339;
use crate::domain::license::Measure;
use crate::domain::workload::WorkloadType;
use crate::rules::points_table::{PointsRow, built_in};
use crate::rules::rating::{WeightFrom, weights_of};
use crate::store::ClassifiedSample;

/// Unknown types shown of one server.
const UNKNOWN_MAX: usize = 50;

/// What a type amounts to on one server, and since when it has been there.
#[derive(Default)]
struct Unknown {
    platform: Option<String>,
    count: u64,
    weights: BTreeMap<String, String>,
    since: Option<Instant>,
}

/// Types that nobody knows here and no setting maps: counted with what the server says, provisionally.
pub(super) fn unknown_types(found: &ClassifiedSample) -> Vec<Value> {
    let sample = &found.sample;
    let mut unknown: BTreeMap<&WorkloadType, Unknown> = BTreeMap::new();
    for workload in sample.workloads.iter().filter(|workload| !workload.kind.is_known()) {
        let entry = unknown.entry(&workload.kind).or_default();
        entry.platform = entry.platform.take().or(workload.platform.clone());
        let shown_at = found.ledger.rows().get(&workload.id).map(|row| row.shown_at);
        entry.since = [entry.since, shown_at].into_iter().flatten().min();
    }
    for count in sample.counts.iter().filter(|count| !count.kind.is_known()) {
        unknown.entry(&count.kind).or_default();
    }
    if unknown.is_empty() {
        return Vec::new();
    }
    for (kind, count, weighed) in weights_of(sample, &found.rating) {
        if let Some(entry) = unknown.get_mut(&kind) {
            entry.count += count;
            entry.weights.insert(weighed.to_string(), weighed.from.to_string());
        }
    }
    let shown = unknown.into_iter().take(UNKNOWN_MAX).map(|(kind, unknown)| {
        json!({
            "server": sample.server,
            "type": kind,
            "platform": unknown.platform,
            "count": unknown.count,
            "weights": unknown.weights.keys().collect::<Vec<&String>>(),
            "weight_from": unknown.weights.values().next(),
            "since": unknown.since.map(rfc3339),
            "map_with": format!(
                "[[map]]\nplatform = {}\ntype = \"VM\" # or what it is",
                json!(unknown.platform.as_deref().unwrap_or(kind.as_str()))
            ),
        })
    });
    shown.collect()
}

/// What the numbers are: instances when every key counts instances, else points.
pub(super) fn counted_in(samples: &[ClassifiedSample]) -> Measure {
    let by_instances = |found: &ClassifiedSample| found.sample.license.kind.measure() == Measure::Instances;
    if !samples.is_empty() && samples.iter().all(by_instances) { Measure::Instances } else { Measure::Points }
}

/// Sockets, terabytes and gifted instances of the servers' keys, by server; servers without any are left out.
pub(super) fn sections(samples: &[ClassifiedSample]) -> Value {
    let with = samples.iter().filter(|found| !found.sample.license.sections.is_empty());
    with.map(|found| (found.sample.server.clone(), json!(found.sample.license.sections))).collect()
}

impl Agent {
    /// `billing rates check --json`: the rows in force on a day, and the sampled types without one.
    pub(in crate::agent) fn rates(&self, on: Option<NaiveDate>, hour: Hour) -> Result<Value, Refused> {
        refuse_unreckoned([on])?;
        let on = on.unwrap_or_else(|| hour.now.date_naive());
        let rating = self.store.rating();
        let rows = rating.rows.iter().chain(built_in());
        let is_newest = |row: &&PointsRow| {
            let later = |other: &PointsRow| {
                other.question() == row.question() && row.valid_from < other.valid_from && other.valid_from <= on
            };
            let overridden = !rating.rows.contains(row)
                && rating.rows.iter().any(|own| own.question() == row.question() && own.valid_from <= on);
            row.valid_from <= on && !overridden && !rating.rows.iter().chain(built_in()).any(later)
        };
        let shown: Vec<Value> = rows.filter(is_newest).map(|row| json!(row)).collect();
        Ok(json!({
            "schema": "tidegauge.rates/1",
            "on": on,
            "rows": shown,
            "mapping": rating.mapping,
            "sampled": self.sampled_types(hour)?,
        }))
    }

    /// Each type of the newest samples with its weights and where they come from.
    fn sampled_types(&self, hour: Hour) -> Result<Vec<Value>, Trouble> {
        let mut sampled = Vec::new();
        for server in self.known_servers(&self.units()?) {
            let Some(found) = self.store.newest_sample(&server, hour.now)? else { continue };
            for (kind, count, weighed) in weights_of(&found.sample, &found.rating) {
                let on = found.sample.taken_at.date_naive();
                let provisional = found.rating.provisional_row_for(&kind, &found.sample.license, on);
                sampled.push(json!({
                    "server": server,
                    "type": kind,
                    "known": kind.is_known(),
                    "count": count,
                    "weight": weighed.is_known().then(|| weighed.to_string()),
                    "weight_from": weighed.from.to_string(),
                    "has_row": found.rating.row_for(&kind, &found.sample.license, on).is_some()
                        || matches!(weighed.from, WeightFrom::Policy | WeightFrom::Shared { .. }),
                    "provisional": provisional.map(|row| row.points),
                }));
            }
        }
        Ok(sampled)
    }

    /// Unknown types of the newest samples of every server.
    pub(super) fn unknown_of(&self, servers: &[String], now: Instant) -> Result<Vec<Value>, Trouble> {
        let mut unknown = Vec::new();
        for server in servers {
            unknown.extend(self.look(server, now)?.iter().flat_map(|look| look.unknown_types.clone()));
        }
        Ok(unknown)
    }
}
