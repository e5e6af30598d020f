//! What the running month comes to if every machine stays as it was sampled last (domain.md 8.3).
//!
//! Pure. It counts as [`super::counting`] and [`super::reporting`] will on the next 1st, and names each workload that counts
//! otherwise then than today.

use crate::domain::calendar::PROTECTED_FOR;
use crate::domain::sample::{Counted, GroupTotal, Sample};
use crate::domain::workload::{Class, Workload, WorkloadType};
use crate::domain::{Instant, Month, Points};

use super::counting::{self, AsOf};
use super::duplicates::{self, Duplicate, Standing};
use super::instances::Sharing;
use super::rating::Rating;
use super::reporting::BasisSample;

/// A workload, or a tenant's count, that counts otherwise on the next 1st than today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub server: String,
    /// Its id and name; `None`: a source that names no workloads.
    pub workload: Option<(String, String)>,
    pub tenant: Option<String>,
    pub kind: WorkloadType,
    pub count: u64,
    /// What it adds or takes away.
    pub points: Points,
    /// The instant from which it does.
    pub at: Instant,
}

/// `points_on_first` = `points` + those of `starting` − those of `aging_out`, and `report_points` the same without
/// `starting`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// What counts as of the newest samples.
    pub points: Points,
    /// Of workloads that were processed for the first time in the running month.
    pub new_points: Points,
    /// What the report of the running month says, which is built on the next 1st.
    pub report_points: Points,
    /// What counts from the first instant of the next month on.
    pub points_on_first: Points,
    /// New ones that begin to count, by server and name.
    pub starting: Vec<Change>,
    /// Those whose last restore point will be 31 × 24 h old by then, if they are not backed up again; soonest first.
    pub aging_out: Vec<Change>,
}

/// How a machine that several servers show is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machines {
    OnEachServer,
    Once,
}

/// The forecast for the month of `now`. `samples` are each server's newest one; a stale one is carried as it stood.
pub fn forecast(samples: &[BasisSample], machines: Machines, rating: &Rating, now: Instant) -> Forecast {
    let month = Month::of(now);
    let today = classified(samples, machines, rating, |basis| AsOf { at: basis.sample.taken_at, month });
    let on_first = AsOf { at: month.ends_at(), month: month.next() };
    let then = classified(samples, machines, rating, |basis| on_first.of_basis(basis));
    let (mut forecast, mut sharing) = (Forecast::default(), Sharing::default());
    for passing in [Passing::Stays, Passing::AgesOut] {
        for (basis, (today, then)) in samples.iter().zip(today.iter().zip(&then)) {
            let classes = today.iter().zip(then);
            for (workload, (today, then)) in basis.sample.workloads.iter().zip(classes) {
                if Passing::of(today.class, then.class) == passing {
                    let shared = sharing.take(&workload.kind, counting::total_of(today).sharing);
                    let today = &Counted { weight: today.weight + shared, ..today.clone() };
                    take_workload(&basis.sample, workload, [today, then], month, &mut forecast);
                }
            }
            if passing == Passing::Stays {
                take_counts(&basis.sample, rating, month, &mut sharing, &mut forecast);
            }
        }
    }
    let sum = |changes: &[Change]| changes.iter().map(|change| change.points).sum::<Points>();
    forecast.report_points = forecast.points - sum(&forecast.aging_out);
    forecast.points_on_first = forecast.report_points + sum(&forecast.starting);
    let named = |change: &Change| (change.at, change.server.clone(), change.workload.clone().map(|(_, name)| name));
    forecast.starting.sort_by_key(named);
    forecast.aging_out.sort_by_key(named);
    forecast
}

/// Objects that share instances leave last what they entered with last: those that stay are handed theirs first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passing {
    Stays,
    AgesOut,
}

impl Passing {
    fn of(today: Class, then: Class) -> Passing {
        if (today, then) == (Class::Billable, Class::Unprotected) { Passing::AgesOut } else { Passing::Stays }
    }
}

fn classified(
    samples: &[BasisSample],
    machines: Machines,
    rating: &Rating,
    as_of: impl Fn(&BasisSample) -> AsOf,
) -> Vec<Vec<Counted>> {
    let on_its_server =
        |basis: &BasisSample| counting::classify_with(&basis.sample, &basis.first_processed_at, as_of(basis), rating);
    let mut counted: Vec<Vec<Counted>> = samples.iter().map(on_its_server).collect();
    let standing: Vec<Standing<'_>> =
        samples.iter().zip(&counted).map(|(basis, counted)| standing(basis, counted, as_of(basis))).collect();
    if machines == Machines::Once {
        let plan = duplicates::plan(&standing);
        for ((of, at), duplicate) in plan {
            match duplicate {
                Duplicate::Here(once) => counted[of][at] = once,
                Duplicate::On(_) => counted[of][at].class = Class::Unprotected,
            }
        }
    }
    counted
}

fn standing<'a>(basis: &'a BasisSample, counted: &'a [Counted], as_of: AsOf) -> Standing<'a> {
    Standing { sample: &basis.sample, first_processed_at: basis.first_processed_at.clone(), counted, as_of }
}

fn take_workload(
    sample: &Sample,
    workload: &Workload,
    [today, then]: [&Counted; 2],
    month: Month,
    forecast: &mut Forecast,
) {
    let total = counting::total_of(today);
    forecast.points += total.points;
    forecast.new_points += total.new_points;
    let change = |at: Instant| Change {
        server: sample.server.clone(),
        workload: Some((workload.id.clone(), workload.name.clone())),
        tenant: workload.tenant.clone(),
        kind: workload.kind.clone(),
        count: 1,
        points: today.weight,
        at,
    };
    match (today.class, then.class) {
        (Class::New, Class::Billable) => forecast.starting.push(change(month.ends_at())),
        (Class::Billable, Class::Unprotected) => forecast.aging_out.push(change(ages_out_at(workload, sample))),
        // A new one that is not backed up again counts neither today nor then; the rest counts on as it does.
        (Class::Billable | Class::Rental | Class::Unprotected | Class::New, _) => {}
    }
}

/// When its last restore point is 31 × 24 h old; past when the server's own list vouches for it longer than that.
fn ages_out_at(workload: &Workload, sample: &Sample) -> Instant {
    workload.last_restore_point_at.unwrap_or(sample.taken_at) + PROTECTED_FOR
}

/// Counts are classified by the server itself: what is new there is used from the 1st on (domain.md 3.6).
fn take_counts(sample: &Sample, rating: &Rating, month: Month, sharing: &mut Sharing, forecast: &mut Forecast) {
    for count in &sample.counts {
        let total = counting::total_of_count(count, sample, rating);
        let GroupTotal { new_count, new_points, .. } = total;
        let points = total.points + sharing.take(&count.kind, total.sharing);
        // The next month's first sample would have shown them as used.
        let rolled = Month::of(sample.taken_at) < month;
        forecast.points += if rolled { points + new_points } else { points };
        if !rolled && new_count > 0 {
            forecast.new_points += new_points;
            forecast.starting.push(Change {
                server: sample.server.clone(),
                workload: None,
                tenant: count.tenant.clone(),
                kind: count.kind.clone(),
                count: new_count,
                points: new_points,
                at: month.ends_at(),
            });
        }
    }
}
