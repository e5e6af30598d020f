//! Columns: values of one field of many workloads, next to each other, so that likes compress with likes.

use chrono::DateTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::domain::workload::Workload;
use crate::domain::{Instant, Points};

use super::Unreadable;

/// Points as mantissa and scale, exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Exact(i128, u32);

impl From<Points> for Exact {
    fn from(points: Points) -> Exact {
        let plain = points.amount().normalize();
        Exact(plain.mantissa(), plain.scale())
    }
}

impl TryFrom<Exact> for Points {
    type Error = Unreadable;
    fn try_from(Exact(mantissa, scale): Exact) -> Result<Points, Unreadable> {
        let amount = Decimal::try_from_i128_with_scale(mantissa, scale).ok();
        amount.and_then(Points::kept).ok_or(Unreadable("points"))
    }
}

/// An instant as seconds and nanoseconds after another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct After(i64, u32);

impl After {
    pub fn of(at: Instant, origin: Instant) -> After {
        After(at.timestamp().wrapping_sub(origin.timestamp()), at.timestamp_subsec_nanos())
    }

    pub fn from(self, origin: Instant) -> Result<Instant, Unreadable> {
        let seconds = origin.timestamp().wrapping_add(self.0);
        DateTime::from_timestamp(seconds, self.1).ok_or(Unreadable("an instant"))
    }
}

/// Texts, each distinct one once; reference 0 is no text.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Texts {
    pub table: Vec<String>,
    pub refs: Vec<u32>,
}

impl Texts {
    pub fn of<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Texts {
        let mut known: BTreeMap<&str, u32> = BTreeMap::new();
        let mut column = Texts::default();
        for text in texts {
            let reference = text.map_or(0, |text| {
                let next = u32::try_from(known.len()).expect("fewer workloads than 2^32") + 1;
                *known.entry(text).or_insert_with(|| {
                    column.table.push(text.to_owned());
                    next
                })
            });
            column.refs.push(reference);
        }
        column
    }

    /// The texts again, in order.
    pub fn texts(&self) -> impl Iterator<Item = Result<Option<String>, Unreadable>> + '_ {
        self.refs.iter().map(|&reference| match reference {
            0 => Ok(None),
            reference => match self.table.get(reference as usize - 1) {
                Some(text) => Ok(Some(text.clone())),
                None => Err(Unreadable("a text's reference")),
            },
        })
    }
}

/// Rising positions as the gaps between them.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Positions(Vec<u32>);

impl Positions {
    pub fn of(positions: impl Iterator<Item = usize>) -> Positions {
        let mut next = 0;
        let gap = |position: usize| {
            let gap = position - next;
            next = position + 1;
            u32::try_from(gap).expect("fewer workloads than 2^32")
        };
        Positions(positions.map(gap).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The positions again; each is below `bound`.
    pub fn positions(&self, bound: usize) -> impl Iterator<Item = Result<usize, Unreadable>> + '_ {
        let mut next = 0_usize;
        self.0.iter().map(move |&gap| {
            let position = next.saturating_add(gap as usize);
            next = position.saturating_add(1);
            if position < bound { Ok(position) } else { Err(Unreadable("a position")) }
        })
    }
}

/// Whole workloads, field by field.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rows {
    pub ids: Vec<String>,
    pub names: Texts,
    pub kinds: Texts,
    pub platforms: Texts,
    pub tenants: Texts,
    pub jobs: Texts,
    pub hosts: Texts,
    pub points: Vec<Option<Exact>>,
    pub first_processed: Vec<Option<After>>,
    pub last_restore_points: Vec<Option<After>>,
    pub rental: Positions,
}

impl Rows {
    pub fn of(workloads: &[&Workload], taken_at: Instant) -> Rows {
        let after = |at: Option<Instant>| at.map(|at| After::of(at, taken_at));
        let each = || workloads.iter();
        Rows {
            ids: each().map(|workload| workload.id.clone()).collect(),
            names: Texts::of(each().map(|workload| Some(workload.name.as_str()))),
            kinds: Texts::of(each().map(|workload| Some(workload.kind.as_str()))),
            platforms: Texts::of(each().map(|workload| workload.platform.as_deref())),
            tenants: Texts::of(each().map(|workload| workload.tenant.as_deref())),
            jobs: Texts::of(each().map(|workload| workload.job.as_deref())),
            hosts: Texts::of(each().map(|workload| workload.host.as_deref())),
            points: each().map(|workload| workload.points.map(Exact::from)).collect(),
            first_processed: each().map(|workload| after(workload.first_processed_at)).collect(),
            last_restore_points: each().map(|workload| after(workload.last_restore_point_at)).collect(),
            rental: Positions::of(each().enumerate().filter(|(_, workload)| workload.rental).map(|(at, _)| at)),
        }
    }

    /// The workloads again, in order.
    pub fn workloads(self, taken_at: Instant) -> Result<Vec<Workload>, Unreadable> {
        const SHORT: Unreadable = Unreadable("a column, which is too short");
        fn next<T>(column: &mut impl Iterator<Item = T>) -> Result<T, Unreadable> {
            column.next().ok_or(SHORT)
        }
        let (mut names, mut kinds, mut platforms) = (self.names.texts(), self.kinds.texts(), self.platforms.texts());
        let (mut tenants, mut jobs, mut hosts) = (self.tenants.texts(), self.jobs.texts(), self.hosts.texts());
        let mut points = self.points.iter();
        let (mut first, mut last) = (self.first_processed.iter(), self.last_restore_points.iter());
        let instant = |after: &Option<After>| after.map(|after| after.from(taken_at)).transpose();
        let mut workloads = Vec::with_capacity(self.ids.len());
        for id in self.ids {
            workloads.push(Workload {
                id,
                name: next(&mut names)??.ok_or(SHORT)?,
                kind: next(&mut kinds)??.ok_or(SHORT)?.parse().expect("every text is a workload type"),
                platform: next(&mut platforms)??,
                tenant: next(&mut tenants)??,
                job: next(&mut jobs)??,
                host: next(&mut hosts)??,
                points: next(&mut points)?.map(Points::try_from).transpose()?,
                first_processed_at: instant(next(&mut first)?)?,
                last_restore_point_at: instant(next(&mut last)?)?,
                rental: false,
                unstructured: None,
            });
        }
        for position in self.rental.positions(workloads.len()) {
            workloads[position?].rental = true;
        }
        Ok(workloads)
    }
}
