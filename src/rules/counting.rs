//! Which workloads count, and for how much (design.md section 4, "Classes at an instant").

use std::collections::BTreeMap;

use crate::domain::calendar::PROTECTED_FOR;
use crate::domain::license::Measure;
use crate::domain::sample::{Counted, GroupTotal, Sample, Summary};
use crate::domain::tenant::TenantCount;
use crate::domain::workload::{Class, Workload, WorkloadType};
use crate::domain::{Instant, Month, Points};

use super::instances;
use super::rating::{Rating, Weighed};

/// When workloads of one server were processed for the first time, as far as we know ourselves.
///
/// Seeded by the oldest restore points and by stated dates; workloads of the server's very first sample are never
/// new by absence of a date, since we cannot know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    first_sample_at: Option<Instant>,
    first_seen: BTreeMap<String, FirstSeen>,
}

/// What the ledger knows of one workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FirstSeen {
    /// The first sample that showed it.
    pub shown_at: Instant,
    /// The earliest date that a source stated, if one did.
    pub stated_at: Option<Instant>,
}

impl Ledger {
    /// Puts the ledger back together from what was kept of it.
    pub fn of(first_sample_at: Option<Instant>, rows: impl IntoIterator<Item = (String, FirstSeen)>) -> Ledger {
        Ledger { first_sample_at, first_seen: rows.into_iter().collect() }
    }

    /// The instant of the server's first sample.
    pub fn first_sample_at(&self) -> Option<Instant> {
        self.first_sample_at
    }

    /// What is known of every workload ever seen, by id.
    pub fn rows(&self) -> &BTreeMap<String, FirstSeen> {
        &self.first_seen
    }

    /// Takes note of a sample; samples come in the order of their instants. Returns the ids whose row changed.
    pub fn take_note(&mut self, sample: &Sample) -> Vec<String> {
        let told = sample.workloads.iter().map(|workload| (workload.id.as_str(), workload.first_processed_at));
        self.take_note_of(sample.taken_at, told)
    }

    /// The same for what a sample told of which the rest is let go: ids, and the date that was stated for each.
    pub fn take_note_of<'a>(
        &mut self,
        at: Instant,
        told: impl IntoIterator<Item = (&'a str, Option<Instant>)>,
    ) -> Vec<String> {
        self.first_sample_at.get_or_insert(at);
        let mut changed = Vec::new();
        for (id, stated) in told {
            match self.first_seen.get_mut(id) {
                None => {
                    self.first_seen.insert(id.to_owned(), FirstSeen { shown_at: at, stated_at: stated });
                    changed.push(id.to_owned());
                }
                Some(row) if stated.is_some_and(|at| row.stated_at.is_none_or(|known| at < known)) => {
                    row.stated_at = stated;
                    changed.push(id.to_owned());
                }
                Some(_) => {}
            }
        }
        changed
    }

    /// Whether being told this changes what is known.
    pub fn learns(&self, id: &str, stated: Option<Instant>) -> bool {
        let earlier = |row: &FirstSeen| stated.is_some_and(|at| row.stated_at.is_none_or(|known| at < known));
        self.first_seen.get(id).is_none_or(earlier)
    }

    /// When the workload was processed for the first time ever; `None`: before we looked for the first time.
    ///
    /// A date the source states is authoritative; else it is the earliest of what was stated before and the first
    /// sample that showed it, unless that was the server's very first sample.
    pub fn first_processed_at(&self, workload: &Workload) -> Option<Instant> {
        let row = self.first_seen.get(&workload.id);
        let shown = row.map(|row| row.shown_at).filter(|shown| Some(*shown) != self.first_sample_at);
        let known = row.and_then(|row| row.stated_at);
        workload.first_processed_at.or_else(|| known.into_iter().chain(shown).min())
    }
}

/// The hour and month by which workloads are classified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    pub at: Instant,
    /// The month whose first-timers are new: the calendar month of a sample, or the month a report closes.
    pub month: Month,
}

impl AsOf {
    /// A sample is classified by its own instant and month.
    pub fn sample(at: Instant) -> AsOf {
        AsOf { at, month: Month::of(at) }
    }

    /// The report of a month is classified at its end with the month as the month (domain.md 3.6).
    pub fn month_end(month: Month) -> AsOf {
        AsOf { at: month.ends_at(), month }
    }
}

/// The class of one workload of a sample, in the order: unprotected, rental, new, billable.
pub fn class_of(workload: &Workload, sample: &Sample, first: Option<Instant>, as_of: AsOf) -> Class {
    if as_of.at >= ages_out_at(workload, sample) && !is_vouched_against_its_date(workload, sample) {
        return Class::Unprotected;
    }
    // Neither new workloads nor rental machines are free under a key that counts instances (domain.md 1 and 7.3).
    if sample.license.kind.measure() == Measure::Instances {
        return Class::Billable;
    }
    if workload.rental && workload.kind != WorkloadType::CloudConnectReplica {
        return Class::Rental;
    }
    if first.is_some_and(|first| as_of.month.starts_at() <= first) { Class::New } else { Class::Billable }
}

/// A missing date equals the instant of the sample (design.md section 4).
fn ages_out_at(workload: &Workload, sample: &Sample) -> Instant {
    workload.last_restore_point_at.unwrap_or(sample.taken_at) + PROTECTED_FOR
}

/// Whether the server's own list still shows what by its date had aged out when the sample was taken. The list wins:
/// restore points age workloads only from there on (design.md section 4), and a date that is older was not read.
fn is_vouched_against_its_date(workload: &Workload, sample: &Sample) -> bool {
    sample.vouched && ages_out_at(workload, sample) <= sample.taken_at
}

/// Classifies every workload of a sample, in the sample's order, and weighs it.
pub fn classify(sample: &Sample, ledger: &Ledger, as_of: AsOf, rating: &Rating) -> Vec<Counted> {
    let first: Vec<Option<Instant>> =
        sample.workloads.iter().map(|workload| ledger.first_processed_at(workload)).collect();
    classify_with(sample, &first, as_of, rating)
}

/// The same with what is known of each workload's first processing, in the sample's order.
pub fn classify_with(sample: &Sample, first: &[Option<Instant>], as_of: AsOf, rating: &Rating) -> Vec<Counted> {
    let of = |(workload, first): (&Workload, &Option<Instant>)| class_of(workload, sample, *first, as_of);
    let classes: Vec<Class> = sample.workloads.iter().zip(first).map(of).collect();
    let weighed = rating.weigh(sample, &classes);
    let counted = |((class, weighed), first): ((Class, Weighed), &Option<Instant>)| Counted {
        class,
        weight: weighed.weight,
        shares: weighed.shares(),
        first_processed_at: *first,
    };
    classes.into_iter().zip(weighed).zip(first).map(counted).collect()
}

/// What one workload adds to its group.
pub fn total_of(counted: &Counted) -> GroupTotal {
    let none = GroupTotal::default();
    match counted.class {
        Class::Unprotected => none,
        Class::Rental => GroupTotal { rental_count: 1, ..none },
        Class::New => GroupTotal { new_count: 1, new_points: counted.weight, ..none },
        Class::Billable => GroupTotal { count: 1, points: counted.weight, sharing: u64::from(counted.shares), ..none },
    }
}

/// What a tenant's counts add: classified by the server itself (design.md section 4). Rental replicas count; under a key
/// that counts instances everything does, as in [`class_of`].
pub fn total_of_count(count: &TenantCount, sample: &Sample, rating: &Rating) -> GroupTotal {
    let [used, new, rental] = [count.used, count.new, count.rental].map(u64::from);
    let (used, new, rental) = match (sample.license.kind.measure(), &count.kind) {
        (Measure::Instances, _) => (used + new + rental, 0, 0),
        (Measure::Points, WorkloadType::CloudConnectReplica) => (used + rental, new, 0),
        (Measure::Points, _) => (used, new, rental),
    };
    let weighed = rating.weigh_count(count, sample);
    GroupTotal {
        count: used,
        points: weighed.weight * used,
        new_count: new,
        new_points: weighed.weight * new,
        rental_count: rental,
        sharing: if weighed.shares() { used } else { 0 },
    }
}

/// A classified sample in short, as if nothing else stood under its key. `counted` is [`classify`]'s answer for it.
pub fn summary(sample: &Sample, counted: &[Counted], rating: &Rating) -> Summary {
    instances::rounded(unrounded(sample, counted, rating))
}

/// The same before rounding: what is added up over the servers of one key, and then rounded once.
pub fn unrounded(sample: &Sample, counted: &[Counted], rating: &Rating) -> Summary {
    let mut summary = Summary::default();
    for (workload, counted) in sample.workloads.iter().zip(counted) {
        let total = total_of(counted);
        if total != GroupTotal::default() {
            summary.add((workload.tenant.clone(), workload.kind.clone()), total);
        }
    }
    for count in &sample.counts {
        summary.add((count.tenant.clone(), count.kind.clone()), total_of_count(count, sample, rating));
    }
    summary
}

/// Names what the server's own numbers and ours disagree on (domain.md 8, P5; design.md section 4).
pub fn cross_check(sample: &Sample, summary: &Summary, rating: &Rating) -> Vec<String> {
    let mut found = Vec::new();
    let measure = sample.license.kind.measure().as_str();
    let mut compare = |what: &str, server: Option<Points>, ours: Points| {
        if let Some(server) = server.filter(|server| *server != ours) {
            found.push(format!("{what} {measure}: the server says {server}, counted {ours}"));
        }
    };
    compare("used", sample.license.used_points, summary.points);
    compare("new", sample.license.new_points, summary.new_points);
    found.extend(vouched_against_dates(sample));
    found.extend(without_weight(sample, rating).into_iter().map(|(kind, whose)| {
        let on = sample.taken_at.date_naive();
        let proposed = rating.provisional_row_for(&kind, &sample.license, on).map(|row| {
            format!(
                "; {} has {} provisionally ({}): state it in a table of your own to use it",
                row.table, row.points, row.source
            )
        });
        let proposed = proposed.unwrap_or_default();
        format!(
            "no weight is known for type {kind} ({whose}); it counts 0 {measure} until the server or the points table \
             names one{proposed}"
        )
    }));
    let free = sample.counts.iter().filter(|count| count.kind == WorkloadType::CloudConnectReplica && count.rental > 0);
    found.extend(free.map(|count| {
        let (rental, whose) = (count.rental, whose(count.tenant.as_deref()));
        format!("{rental} replicas of {whose} are stated as rental; replicas are never free, so they count")
    }));
    found.truncate(DISCREPANCIES_MAX);
    found
}

fn vouched_against_dates(sample: &Sample) -> Option<String> {
    let mut against = sample.workloads.iter().filter(|workload| is_vouched_against_its_date(workload, sample));
    let first = &against.next()?.name;
    let count = against.count() + 1;
    Some(format!(
        "{count} workloads such as {first} have no known restore point of the last 31 days while the server's own list \
         shows them; the list counts"
    ))
}

/// What nobody names a weight for: the type, and whose it is.
pub fn without_weight(sample: &Sample, rating: &Rating) -> Vec<(WorkloadType, String)> {
    let classes = vec![Class::Billable; sample.workloads.len()];
    let workloads =
        sample.workloads.iter().zip(rating.weigh(sample, &classes)).filter(|(_, weighed)| !weighed.is_known());
    let counts = sample.counts.iter().filter(|count| !rating.weigh_count(count, sample).is_known());
    let named = workloads.map(|(workload, _)| (workload.kind.clone(), workload.name.clone()));
    let of_tenants = counts.map(|count| (count.kind.clone(), whose(count.tenant.as_deref())));
    named.chain(of_tenants).collect()
}

fn whose(tenant: Option<&str>) -> String {
    tenant.map_or_else(|| "no tenant".to_owned(), |tenant| format!("tenant {tenant}"))
}

/// Most discrepancies kept on one sample.
pub const DISCREPANCIES_MAX: usize = 20;
