//! What changed among the workloads of two samples of one server.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Unreadable;
use super::columns::{After, Exact, Positions, Rows, Texts};
use crate::domain::workload::Workload;
use crate::domain::workload_changes::{Difference, differences};
use crate::domain::workloads::{Cut, Workloads};
use crate::domain::{Instant, Points};

/// Positions are those of the workloads that stayed, in the base's order.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Changes {
    /// Positions in the base of the workloads that are gone.
    pub gone: Positions,
    pub appeared: Rows,
    pub texts: [(Positions, Texts); TEXT_FIELDS.len()],
    pub points: (Positions, Vec<Option<Exact>>),
    pub rental: Positions,
    pub first_processed: (Positions, Vec<Option<After>>),
    /// Relative to the one before, since jobs run daily: then all of them moved alike.
    pub restore_points: (Positions, Vec<Option<After>>),
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

/// A workload that stayed and is another: its position among those that stayed, as it was, as it is.
type Stayed<'a> = (usize, &'a Workload, &'a Workload);

impl Changes {
    /// Both lists are sorted by id, each id once.
    pub fn between(base: &Workloads, workloads: &Workloads, taken_at: Instant) -> Changes {
        let (mut gone, mut appeared, mut stayed): (Vec<usize>, Vec<&Workload>, Vec<Stayed<'_>>) = Default::default();
        for difference in differences(base, workloads) {
            match difference {
                Difference::Gone { at, .. } => gone.push(at),
                Difference::Appeared { is } => appeared.push(is),
                Difference::Changed { at, was, is } => stayed.push((at, was, is)),
            }
        }
        let restore_point = |was: &Workload, is: &Workload| {
            let origin = was.last_restore_point_at.unwrap_or(taken_at);
            is.last_restore_point_at.map(|at| After::of(at, origin))
        };
        Changes {
            gone: Positions::of(gone.into_iter()),
            appeared: Rows::of(&appeared, taken_at),
            texts: TEXT_FIELDS.map(|(read, _)| {
                let (positions, changed) = differing(&stayed, read);
                (positions, Texts::of(changed.iter().map(|(_, _, is)| read(is))))
            }),
            points: changed_values(&stayed, |workload| workload.points, |_, is| is.points.map(Exact::from)),
            rental: differing(&stayed, |workload| workload.rental).0,
            first_processed: changed_values(
                &stayed,
                |workload| workload.first_processed_at,
                |_, is| is.first_processed_at.map(|at| After::of(at, taken_at)),
            ),
            restore_points: changed_values(&stayed, |workload| workload.last_restore_point_at, restore_point),
        }
    }

    /// The workloads again, from those of the base; what did not change is shared with it.
    pub fn applied_to(self, base: &Workloads, taken_at: Instant) -> Result<Workloads, Unreadable> {
        let gone = self.gone.positions(base.len()).collect::<Result<Vec<usize>, Unreadable>>()?;
        let mut edits = Edits { base, gone, changed: BTreeMap::new() };
        let left = edits.left();
        for ((positions, texts), (_, set)) in self.texts.iter().zip(TEXT_FIELDS) {
            for (position, text) in positions.positions(left).zip(texts.texts()) {
                set(edits.of(position?), text?);
            }
        }
        for (position, points) in self.points.0.positions(left).zip(&self.points.1) {
            edits.of(position?).points = points.map(Points::try_from).transpose()?;
        }
        for position in self.rental.positions(left) {
            let workload = edits.of(position?);
            workload.rental = !workload.rental;
        }
        for (position, first) in self.first_processed.0.positions(left).zip(&self.first_processed.1) {
            edits.of(position?).first_processed_at = first.map(|after| after.from(taken_at)).transpose()?;
        }
        for (position, last) in self.restore_points.0.positions(left).zip(&self.restore_points.1) {
            let workload = edits.of(position?);
            let origin = workload.last_restore_point_at.unwrap_or(taken_at);
            workload.last_restore_point_at = last.map(|after| after.from(origin)).transpose()?;
        }
        Ok(edits.made(self.appeared.workloads(taken_at)?))
    }
}

/// What becomes of a base's workloads, by their positions in it.
struct Edits<'a> {
    base: &'a Workloads,
    /// Rising.
    gone: Vec<usize>,
    changed: BTreeMap<usize, Workload>,
}

impl Edits<'_> {
    /// How many workloads stay.
    fn left(&self) -> usize {
        self.base.len() - self.gone.len()
    }

    /// The workload at this position among those that stay, to be changed.
    fn of(&mut self, position: usize) -> &mut Workload {
        let (mut low, mut high) = (0, self.gone.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.gone[middle] - middle <= position { low = middle + 1 } else { high = middle }
        }
        let at = position + low;
        self.changed.entry(at).or_insert_with(|| self.base[at].clone())
    }

    fn made(self, mut appeared: Vec<Workload>) -> Workloads {
        appeared.sort_by(|one, other| one.id.cmp(&other.id));
        let Edits { base, gone, changed } = self;
        let mut appeared = appeared.into_iter().map(Arc::new).peekable();
        let mut gone = gone.into_iter().peekable();
        let mut changed = changed.into_iter().map(|(place, one)| (place, Arc::new(one))).peekable();
        let (mut cut, mut at) = (Cut::default(), 0);
        for block in base.blocks() {
            let (end, last) = (at + block.workloads().len(), block.workloads().last());
            let is_touched = gone.peek().is_some_and(|gone| *gone < end)
                || changed.peek().is_some_and(|(changed, _)| *changed < end)
                || appeared.peek().is_some_and(|one| last.is_some_and(|last| one.id < last.id));
            if !is_touched {
                cut.push_block(block);
                at = end;
                continue;
            }
            let (mut workloads, mut came) = (Vec::with_capacity(block.workloads().len() + 1), 0);
            for workload in block.workloads() {
                while let Some(before) = appeared.next_if(|one| one.id < workload.id) {
                    workloads.push(before);
                    came += 1;
                }
                let other = changed.next_if(|(place, _)| *place == at);
                if gone.next_if_eq(&at).is_none() {
                    workloads.push(other.map_or_else(|| Arc::clone(workload), |(_, other)| other));
                }
                at += 1;
            }
            cut.push_edited(workloads, came);
        }
        appeared.for_each(|one| cut.push(one));
        cut.end()
    }
}

/// Positions and pairs of those whose field differs.
fn differing<'a, T: PartialEq>(
    stayed: &[Stayed<'a>],
    field: impl Fn(&'a Workload) -> T,
) -> (Positions, Vec<Stayed<'a>>) {
    let differs = |(_, was, is): &&Stayed<'a>| field(was) != field(is);
    let found: Vec<Stayed<'a>> = stayed.iter().filter(differs).copied().collect();
    (Positions::of(found.iter().map(|(position, ..)| *position)), found)
}

fn changed_values<'a, T: PartialEq, V>(
    stayed: &[Stayed<'a>],
    field: impl Fn(&'a Workload) -> T,
    value: impl Fn(&Workload, &Workload) -> V,
) -> (Positions, Vec<V>) {
    let (positions, changed) = differing(stayed, field);
    (positions, changed.iter().map(|(_, was, is)| value(was, is)).collect())
}
