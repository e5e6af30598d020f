//! What changed among the workloads of two samples of one server.

use serde::{Deserialize, Serialize};

use super::Unreadable;
use super::columns::{After, Exact, Positions, Rows, Texts};
use crate::domain::workload::Workload;
use crate::domain::{Instant, Points};

/// Positions are those of the workloads that stayed, in the base's order.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Changes {
    /// Positions in the base of the workloads that are gone.
    gone: Positions,
    appeared: Rows,
    texts: [(Positions, Texts); TEXT_FIELDS.len()],
    points: (Positions, Vec<Option<Exact>>),
    rental: Positions,
    first_processed: (Positions, Vec<Option<After>>),
    /// Relative to the one before, since jobs run daily: then all of them moved alike.
    restore_points: (Positions, Vec<Option<After>>),
}

/// A text field of a workload: how it is read, how it is set.
type TextField = (fn(&Workload) -> Option<&str>, fn(&mut Workload, Option<String>));

const TEXT_FIELDS: [TextField; 6] = [
    (|workload| Some(&workload.name), |workload, text| workload.name = text.unwrap_or_default()),
    (
        |workload| Some(workload.kind.as_str()),
        |workload, text| workload.kind = text.unwrap_or_default().parse().expect("every text is a workload type"),
    ),
    (|workload| workload.platform.as_deref(), |workload, text| workload.platform = text),
    (|workload| workload.tenant.as_deref(), |workload, text| workload.tenant = text),
    (|workload| workload.job.as_deref(), |workload, text| workload.job = text),
    (|workload| workload.host.as_deref(), |workload, text| workload.host = text),
];

/// Whether the workloads are sorted by id with each id once; only then changes can be told by position.
pub(super) fn are_sorted(workloads: &[Workload]) -> bool {
    workloads.is_sorted_by(|one, next| one.id < next.id)
}

/// A workload that stayed: as it was, as it is.
type Stayed<'a> = (&'a Workload, &'a Workload);

impl Changes {
    /// Both lists are sorted by id, each id once.
    pub fn between(base: &[Workload], workloads: &[Workload], taken_at: Instant) -> Changes {
        let is_in = |list: &[Workload], id: &str| list.binary_search_by(|other| other.id.as_str().cmp(id)).is_ok();
        let gone = base.iter().enumerate().filter(|(_, workload)| !is_in(workloads, &workload.id));
        let appeared: Vec<&Workload> = workloads.iter().filter(|workload| !is_in(base, &workload.id)).collect();
        let was = base.iter().filter(|workload| is_in(workloads, &workload.id));
        let is = workloads.iter().filter(|workload| is_in(base, &workload.id));
        let stayed: Vec<Stayed<'_>> = was.zip(is).collect();
        let restore_point = |(was, is): &Stayed<'_>| {
            let origin = was.last_restore_point_at.unwrap_or(taken_at);
            is.last_restore_point_at.map(|at| After::of(at, origin))
        };
        Changes {
            gone: Positions::of(gone.map(|(at, _)| at)),
            appeared: Rows::of(&appeared, taken_at),
            texts: TEXT_FIELDS.map(|(read, _)| {
                let (positions, changed) = differing(&stayed, read);
                (positions, Texts::of(changed.iter().map(|(_, is)| read(is))))
            }),
            points: changed_values(&stayed, |workload| workload.points, |(_, is)| is.points.map(Exact::from)),
            rental: differing(&stayed, |workload| workload.rental).0,
            first_processed: changed_values(
                &stayed,
                |workload| workload.first_processed_at,
                |(_, is)| is.first_processed_at.map(|at| After::of(at, taken_at)),
            ),
            restore_points: changed_values(&stayed, |workload| workload.last_restore_point_at, restore_point),
        }
    }

    /// The workloads again, from those of the base.
    pub fn applied_to(self, base: Vec<Workload>, taken_at: Instant) -> Result<Vec<Workload>, Unreadable> {
        let mut is_gone = vec![false; base.len()];
        for position in self.gone.positions(base.len()) {
            is_gone[position?] = true;
        }
        let mut is_gone = is_gone.into_iter();
        let mut workloads = base;
        workloads.retain(|_| is_gone.next() != Some(true));
        for ((positions, texts), (_, set)) in self.texts.iter().zip(TEXT_FIELDS) {
            for (position, text) in positions.positions(workloads.len()).zip(texts.texts()) {
                set(&mut workloads[position?], text?);
            }
        }
        for (position, points) in self.points.0.positions(workloads.len()).zip(&self.points.1) {
            workloads[position?].points = points.map(Points::try_from).transpose()?;
        }
        for position in self.rental.positions(workloads.len()) {
            let workload = &mut workloads[position?];
            workload.rental = !workload.rental;
        }
        for (position, first) in self.first_processed.0.positions(workloads.len()).zip(&self.first_processed.1) {
            workloads[position?].first_processed_at = first.map(|after| after.from(taken_at)).transpose()?;
        }
        for (position, last) in self.restore_points.0.positions(workloads.len()).zip(&self.restore_points.1) {
            let workload = &mut workloads[position?];
            let origin = workload.last_restore_point_at.unwrap_or(taken_at);
            workload.last_restore_point_at = last.map(|after| after.from(origin)).transpose()?;
        }
        let appeared = self.appeared.workloads(taken_at)?;
        if !appeared.is_empty() {
            workloads.extend(appeared);
            workloads.sort_by(|one, other| one.id.cmp(&other.id));
        }
        Ok(workloads)
    }
}

/// Positions and pairs of those whose field differs.
fn differing<'a, T: PartialEq>(
    stayed: &[Stayed<'a>],
    field: impl Fn(&'a Workload) -> T,
) -> (Positions, Vec<Stayed<'a>>) {
    let differs = |(_, (was, is)): &(usize, &Stayed<'a>)| field(was) != field(is);
    let found: Vec<(usize, &Stayed<'a>)> = stayed.iter().enumerate().filter(differs).collect();
    (Positions::of(found.iter().map(|(position, _)| *position)), found.into_iter().map(|(_, pair)| *pair).collect())
}

fn changed_values<'a, T: PartialEq, V>(
    stayed: &[Stayed<'a>],
    field: impl Fn(&'a Workload) -> T,
    value: impl Fn(&Stayed<'a>) -> V,
) -> (Positions, Vec<V>) {
    let (positions, changed) = differing(stayed, field);
    (positions, changed.iter().map(value).collect())
}
