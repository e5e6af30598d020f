//! Which workloads of a report a person's names mean: found in one pass, however many are named.

use std::collections::BTreeMap;

use crate::domain::report::UsageReport;

use super::review::Refusal;

/// Workloads named in this report are told in a refusal.
const TOLD_MAX: usize = 5;

/// Counted workloads by the names that somebody gave them.
pub(super) struct Named<'a>(BTreeMap<&'a str, Meant>);

/// Positions of workloads that a name may mean.
#[derive(Default)]
struct Meant {
    /// `server/id`.
    by_place: Vec<usize>,
    by_id: Vec<usize>,
    by_name: Vec<usize>,
}

impl<'a> Named<'a> {
    /// Looks the names up among the workloads that count.
    pub fn in_report(report: &UsageReport, names: impl IntoIterator<Item = &'a str>) -> Named<'a> {
        let mut named: BTreeMap<&str, Meant> = names.into_iter().map(|name| (name, Meant::default())).collect();
        let mut place = String::new();
        for (at, workload) in report.workloads.iter().enumerate().filter(|(_, workload)| workload.counted) {
            place.clear();
            place.extend([workload.server.as_str(), "/", workload.id.as_str()]);
            if let Some(meant) = named.get_mut(place.as_str()) {
                meant.by_place.push(at);
            }
            if let Some(meant) = named.get_mut(workload.id.as_str()) {
                meant.by_id.push(at);
            }
            if let Some(meant) = named.get_mut(workload.name.as_str()) {
                meant.by_name.push(at);
            }
        }
        Named(named)
    }

    /// The one workload that still counts under this name: by `server/id`, by id, or by a name of its own.
    ///
    /// # Errors
    /// [`Refusal::NotCounted`], [`Refusal::Ambiguous`].
    pub fn find(&self, report: &UsageReport, named: &str) -> Result<usize, Refusal> {
        let none = || Refusal::NotCounted(named.to_owned(), report.month);
        let meant = self.0.get(named).ok_or_else(none)?;
        let still = |found: &Vec<usize>| -> Vec<usize> {
            found.iter().copied().filter(|at| report.workloads[*at].counted).collect()
        };
        let ways = [&meant.by_place, &meant.by_id, &meant.by_name];
        let found = ways.into_iter().map(still).find(|found| !found.is_empty()).ok_or_else(none)?;
        if let [one] = found.as_slice() {
            return Ok(*one);
        }
        let told = found.iter().take(TOLD_MAX).map(|at| &report.workloads[*at]);
        let ids: Vec<String> = told.map(|workload| format!("{}/{}", workload.server, workload.id)).collect();
        Err(Refusal::Ambiguous(named.to_owned(), found.len(), ids.join(", ")))
    }
}
