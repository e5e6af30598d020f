//! Dates of workloads from restore points: the newest for the 31-day rule, the oldest for the first-seen ledger.
//!
//! First the window (since the newest known, or 32 days), then the oldest restore point of workloads that appear for
//! the first time and that the window does not show to be older than this month.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;

use super::answers::{Page, RestorePointRow};
use super::join::Join;
use super::reading::OVERLAP;
use crate::domain::calendar::rfc3339;
use crate::domain::sample::Sample;
use crate::domain::workload::{Workload, WorkloadType};
use crate::domain::workload_changes::{Difference, differences};
use crate::domain::workloads::Workloads;
use crate::domain::{Instant, Month, Points};
use crate::sources::lenient::Zone;
use crate::sources::{Brief, Sweep};

/// Rows asked for at once.
const PAGE_ROWS: u64 = 500;
/// Pages of one sample: a million restore points.
const PAGES_MAX: u64 = 2_000;
/// Questions for an oldest restore point in one sample.
const OLDEST_ASKS_MAX: usize = 200;
/// Rows of such a question; a name's pattern matches other fields too.
const OLDEST_ROWS: u64 = 20;
/// All that the 31-day rule and this month's first-seen ledger can need.
const WINDOW: TimeDelta = TimeDelta::days(32);
/// A restore point further ahead of the read than this is no date.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(1);

/// The reading of restore points.
#[derive(Default)]
pub struct Dating {
    now: Option<Instant>,
    /// When this is a sweep, what its completion will be recorded as.
    swept_at: Option<Instant>,
    since: Option<Instant>,
    received: u64,
    pages: u64,
    is_window_read: bool,
    /// Made when the first restore point comes.
    join: Option<Join>,
    /// Names of workloads whose oldest restore point is still asked for.
    asked_names: Vec<String>,
    /// Positions of workloads that the sample before does not have, or not so.
    other: Vec<usize>,
    ahead: u32,
    notes: Vec<String>,
}

impl Dating {
    pub fn new(brief: &Brief, workloads: &Workloads) -> Dating {
        let previous = brief.previous.as_deref();
        let is_sweep =
            brief.sweep == Sweep::Full || previous.is_none_or(|sample| sample.restore_points_swept_at.is_none());
        let newest_known = previous.and_then(|sample| {
            let newest = sample.workloads.newest_restore_point_at();
            newest.map(|newest| newest.min(sample.taken_at))
        });
        let window_from = brief.now - WINDOW;
        let since = match newest_known.filter(|_| !is_sweep) {
            Some(newest) => (newest - OVERLAP).max(window_from),
            None => window_from,
        };
        Dating {
            now: Some(brief.now),
            swept_at: is_sweep.then_some(brief.now),
            since: Some(since),
            other: positions_of_other(previous, workloads),
            ..Dating::default()
        }
    }

    /// The next request; `None` when all is asked.
    pub fn path(&self) -> Option<String> {
        let since = self.since?;
        if !self.is_window_read {
            return Some(format!(
                "/api/v1/restorePoints?skip={}&limit={PAGE_ROWS}&orderColumn=CreationTime&orderAsc=true\
                 &createdAfterFilter={}",
                self.received,
                encoded(&rfc3339(since)),
            ));
        }
        let name = self.asked_names.last()?;
        Some(format!(
            "/api/v1/restorePoints?skip=0&limit={OLDEST_ROWS}&orderColumn=CreationTime&orderAsc=true&nameFilter={}",
            encoded(name),
        ))
    }

    pub fn hear(&mut self, page: Page<RestorePointRow>, zone: Zone, workloads: &Workloads, previous: Option<&Sample>) {
        if self.is_window_read {
            self.keep(&page, zone, workloads);
            self.asked_names.pop();
            return;
        }
        let came = page.data.0.len() as u64;
        self.keep(&page, zone, workloads);
        self.received += came;
        self.pages += 1;
        let is_end = came == 0 || page.total().map_or(came < PAGE_ROWS, |total| self.received >= total);
        if is_end {
            self.end_window(workloads, previous);
        } else if self.pages >= PAGES_MAX {
            self.give_up(&format!("more than {} restore points", self.received));
        }
    }

    /// Leaves the rest unread; what has been read still dates.
    pub fn give_up(&mut self, why: &str) {
        self.swept_at = None;
        self.since = None;
        self.notes.push(format!("restore points were not read to the end: {why}"));
    }

    pub fn notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        let ambiguous = self.join.as_ref().map_or(0, Join::ambiguous);
        if ambiguous > 0 {
            notes.push(format!("restore points of {ambiguous} names fit several workloads; these stay undated"));
        }
        if self.ahead > 0 {
            notes.push(format!("{} restore points lie in the future; check the server's clock", self.ahead));
        }
        notes
    }

    /// The workloads with their dates, and when restore points were last read in full. `weighed` are workloads whose
    /// weight is another than in the list, by their positions.
    pub fn date(
        &mut self,
        workloads: &Workloads,
        mut weighed: BTreeMap<usize, Option<Points>>,
        previous: Option<&Sample>,
        new_points: Option<Points>,
    ) -> (Workloads, Option<Instant>) {
        let mut dated: BTreeMap<usize, Arc<Workload>> = BTreeMap::new();
        let found = self.join.iter().flat_map(Join::positions);
        let undated = self.join.iter().flat_map(Join::undated).copied();
        let weightless = weighed.keys().copied();
        let touched: BTreeSet<usize> =
            self.other.iter().copied().chain(found).chain(undated).chain(weightless).collect();
        for position in touched {
            let listed = &workloads[position];
            let known = previous.map(|sample| &sample.workloads);
            let known = known.and_then(|known| known.get(known.position_of(&listed.id)?));
            let is = Workload {
                points: weighed.remove(&position).unwrap_or(listed.points),
                last_restore_point_at: self.last_of(position, known.map(|known| &**known)),
                first_processed_at: self.first_of(position, known.map(|known| &**known)),
                ..listed.clone()
            };
            let same = known.filter(|known| ***known == is).map(Arc::clone);
            dated.insert(position, same.unwrap_or_else(|| Arc::new(is)));
        }
        if previous.is_none() {
            self.doubt_first_dates(&mut dated, new_points);
        }
        let swept_at = self.swept_at.or(previous.and_then(|sample| sample.restore_points_swept_at));
        let dated = workloads.replacing(dated);
        (dated, swept_at)
    }

    /// The oldest restore point of a workload that appeared; else what the sample before knew.
    pub fn first_of(&self, position: usize, known: Option<&Workload>) -> Option<Instant> {
        match known {
            Some(known) => known.first_processed_at,
            None => self.join.as_ref().and_then(|join| join.found(position).oldest),
        }
    }

    /// The newest restore point that is known. A date of the sample before would stay as it was for ever where names
    /// have become ambiguous: it goes.
    fn last_of(&self, position: usize, known: Option<&Workload>) -> Option<Instant> {
        let join = self.join.as_ref();
        if join.is_some_and(|join| join.undated().contains(&position)) {
            return None;
        }
        let newest = join.and_then(|join| join.found(position).newest);
        newest.max(known.and_then(|known| known.last_restore_point_at))
    }

    /// Retention makes old machines look new in a server's very first sample: an oldest restore point inside the month
    /// is believed only when the server counts just these machines as new; else the date stays open.
    fn doubt_first_dates(&self, workloads: &mut BTreeMap<usize, Arc<Workload>>, new_points: Option<Points>) {
        let Some(month_starts_at) = self.now.map(|now| Month::of(now).starts_at()) else { return };
        let seems_new = |workload: &Workload| workload.first_processed_at.is_some_and(|first| first >= month_starts_at);
        let theirs: Points =
            workloads.values().filter(|workload| seems_new(workload)).filter_map(|new| new.points).sum();
        if new_points != Some(theirs) {
            for workload in workloads.values_mut().filter(|workload| seems_new(workload)) {
                Arc::make_mut(workload).first_processed_at = None;
            }
        }
    }

    fn keep(&mut self, page: &Page<RestorePointRow>, zone: Zone, workloads: &Workloads) {
        let Some(now) = self.now.filter(|_| !page.data.0.is_empty()) else { return };
        let join = self.join.get_or_insert_with(|| Join::new(workloads));
        for row in &page.data.0 {
            let created_at = row.creation_time.get().and_then(|text| zone.instant(text));
            match (row.name.get(), created_at) {
                (_, Some(created_at)) if created_at > now + AHEAD_MAX => self.ahead += u32::from(!self.is_window_read),
                (Some(name), Some(created_at)) => {
                    join.add(workloads, name, row.platform_name.get().unwrap_or_default(), created_at);
                }
                (None, _) | (_, None) => {}
            }
        }
    }

    fn end_window(&mut self, workloads: &Workloads, previous: Option<&Sample>) {
        self.is_window_read = true;
        let Some(now) = self.now else { return };
        let month_starts_at = Month::of(now).starts_at();
        let is_open = |position: &usize| {
            let oldest = self.join.as_ref().and_then(|join| join.found(*position).oldest);
            let is_known = |sample: &Sample| sample.workloads.position_of(&workloads[*position].id).is_some();
            oldest.is_none_or(|oldest| oldest >= month_starts_at) && !previous.is_some_and(is_known)
        };
        let open: Vec<usize> = self.other.iter().copied().filter(is_open).collect();
        if open.len() > OLDEST_ASKS_MAX {
            self.notes.push(format!(
                "{} workloads appeared at once; the oldest restore point of {OLDEST_ASKS_MAX} was asked for",
                open.len()
            ));
        }
        let asked = open.iter().take(OLDEST_ASKS_MAX);
        self.asked_names = asked.map(|position| pattern_of(&workloads[*position])).collect();
    }
}

/// Positions of the workloads that the sample before does not have, or not so; both are sorted by id.
fn positions_of_other(previous: Option<&Sample>, workloads: &Workloads) -> Vec<usize> {
    let Some(previous) = previous else { return (0..workloads.len()).collect() };
    let other = |difference: &Difference<'_>| match difference {
        Difference::Gone { .. } => None,
        Difference::Appeared { is } | Difference::Changed { is, .. } => workloads.position_of(&is.id),
    };
    differences(&previous.workloads, workloads).iter().filter_map(other).collect()
}

/// Restore points of agents carry the job's name behind the machine's.
fn pattern_of(workload: &Workload) -> String {
    let is_agent = matches!(workload.kind, WorkloadType::Server | WorkloadType::Workstation);
    if is_agent { format!("{}*", workload.name) } else { workload.name.clone() }
}

/// Percent-encoded for a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'*' => {
                encoded.push(char::from(byte))
            }
            other => {
                encoded.push('%');
                encoded.push(char::from_digit(u32::from(other >> 4), 16).unwrap_or('0').to_ascii_uppercase());
                encoded.push(char::from_digit(u32::from(other & 15), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    encoded
}
