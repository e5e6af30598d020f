//! Pages of the list of license workloads, and what is remembered of them: rows that come again byte for byte are known
//! by their bytes and are not read again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::value::RawValue;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::answers::{InstanceRow, Page, read};
use super::instances::workload;
use crate::ask::HttpAnswer;
use crate::domain::Points;
use crate::domain::workload::Workload;
use crate::domain::workloads::Workloads;
use crate::sources::lenient::Number;

/// What the bytes of a row are known by, within one process.
type Print = u64;
/// Rows that are looked at for one that comes again; beyond them it is read.
const AHEAD_ROWS: usize = 8;

/// A row of a page.
#[derive(Clone, Debug)]
pub struct ListedRow {
    print: Print,
    /// As it stands in the sample before, where it is known from there; else as the row states it.
    pub workload: Arc<Workload>,
    /// What the row states where that is no weight: nothing, or zero.
    pub weightless: Option<Option<Points>>,
    /// Why its number cannot be.
    pub wrong: Option<String>,
}

/// A page that was read.
pub struct PageRead {
    print: u128,
    pub total: Option<u64>,
    pub rows: Rows,
}

/// The rows of a page.
pub enum Rows {
    Read(Vec<ListedRow>),
    /// These of the list before.
    Known(Range<usize>),
}

impl Rows {
    pub fn len(&self) -> usize {
        match self {
            Rows::Read(rows) => rows.len(),
            Rows::Known(range) => range.len(),
        }
    }
}

/// The list as it was read for the sample before.
#[derive(Debug, Default)]
pub struct KnownList {
    /// The sample's workloads.
    workloads: Workloads,
    pages: Arc<KnownPages>,
}

#[derive(Debug, Default)]
struct KnownPages {
    /// Each page with its total and its rows.
    pages: Vec<(u128, Option<u64>, Range<usize>)>,
    /// In the order of the pages: by what a row is known, and where its workload stands.
    rows: Vec<(Print, usize)>,
    /// What rows state that state no weight, by id.
    weightless: BTreeMap<String, Option<Points>>,
}

/// The list before, as far as it may be believed, and how far it was followed.
#[derive(Default)]
pub struct Memory {
    known: Option<Arc<KnownList>>,
    /// The row that is expected next.
    next: usize,
}

impl Memory {
    /// The list is believed when the sample before is the one that was made of it.
    pub fn of(known: Option<Arc<KnownList>>, previous: Option<&Workloads>) -> Memory {
        let known = known.filter(|known| previous.is_some_and(|previous| *previous == known.workloads));
        Memory { known, next: 0 }
    }

    /// Reads a page, or knows it again.
    ///
    /// # Errors
    /// What the answer is instead, in words.
    pub fn page(&mut self, http: &HttpAnswer) -> Result<PageRead, String> {
        let print = xxh3_128(&http.body);
        let pages = self.known.as_ref().map(|known| &known.pages.pages);
        let same = pages.and_then(|pages| pages.iter().find(|(known, ..)| *known == print));
        if let Some((_, total, range)) = same {
            self.next = range.end;
            return Ok(PageRead { print, total: *total, rows: Rows::Known(range.clone()) });
        }
        let (total, rows) = match read::<Page<&RawValue>>(http) {
            Ok(page) => match page.data.0.iter().map(|row| self.row(row)).collect::<Result<Vec<_>, _>>() {
                Ok(rows) => (page.total(), rows),
                Err(_) => plain(http)?,
            },
            Err(_) => plain(http)?,
        };
        Ok(PageRead { print, total, rows: Rows::Read(rows) })
    }

    fn row(&mut self, row: &RawValue) -> Result<ListedRow, serde_json::Error> {
        let print = xxh3_64(row.get().as_bytes());
        if let Some(known) = self.known_row(print) {
            return Ok(known);
        }
        Ok(listed(print, &serde_json::from_str(row.get())?))
    }

    fn known_row(&mut self, print: Print) -> Option<ListedRow> {
        let known = self.known.as_ref()?;
        // A page begins with the last row of the page before it.
        let from = self.next.saturating_sub(1);
        let skipped = known.pages.rows.get(from..)?.iter().take(AHEAD_ROWS).position(|(known, _)| *known == print)?;
        self.next = from + skipped + 1;
        known.row(self.next - 1)
    }

    /// The rows of a page of the list before.
    pub fn rows(&self, range: Range<usize>) -> impl Iterator<Item = ListedRow> + '_ {
        range.filter_map(|row| self.known.as_ref()?.row(row))
    }

    pub fn row_at(&self, row: usize) -> Option<ListedRow> {
        self.known.as_ref()?.row(row)
    }

    /// The list is read once more from the start.
    pub fn begin_again(&mut self) {
        self.next = 0;
    }

    /// Whether these are the pages of the list before, all of them in their order.
    pub fn is_same(&self, pages: &[&PageRead]) -> bool {
        let known = self.known.as_ref().map(|known| &known.pages.pages);
        known.is_some_and(|known| {
            known.len() == pages.len() && known.iter().zip(pages).all(|((known, ..), page)| *known == page.print)
        })
    }

    /// What rows stated no weight, and what they stated.
    pub fn weightless(&self) -> BTreeMap<String, Option<Points>> {
        self.known.as_ref().map(|known| known.pages.weightless.clone()).unwrap_or_default()
    }

    /// The same list for the next read, with the workloads that the sample now has; `None` when a row is not where it was
    /// among them.
    pub fn carried(&self, workloads: &Workloads) -> Option<Arc<KnownList>> {
        let known = self.known.as_ref()?;
        let is_same = |(before, now): (&Workload, &Workload)| std::ptr::eq(before, now) || before.id == now.id;
        if known.workloads.len() != workloads.len() || !known.workloads.iter().zip(workloads.iter()).all(is_same) {
            return None;
        }
        let pages = Arc::clone(&known.pages);
        Some(Arc::new(KnownList { workloads: workloads.clone(), pages }))
    }
}

/// A list that was read, to be known again: its pages with their rows.
#[derive(Default)]
pub struct Noted {
    pages: Vec<(u128, Option<u64>, Range<usize>)>,
    rows: Vec<(Print, Arc<Workload>)>,
    weightless: BTreeMap<String, Option<Points>>,
}

impl Noted {
    /// With one more page and its rows.
    #[must_use]
    pub fn with(mut self, page: &PageRead, rows: &[ListedRow]) -> Noted {
        let start = self.rows.len();
        for row in rows {
            self.rows.push((row.print, Arc::clone(&row.workload)));
            if let Some(stated) = row.weightless {
                self.weightless.insert(row.workload.id.clone(), stated);
            }
        }
        self.pages.push((page.print, page.total, start..self.rows.len()));
        self
    }

    /// With the workloads that the sample has; `None` when a row is not among them.
    pub fn made(self, workloads: &Workloads) -> Option<Arc<KnownList>> {
        let mut next = 0;
        let mut rows = Vec::with_capacity(self.rows.len());
        for (print, row) in self.rows {
            let is_next = workloads.get(next).is_some_and(|one| Arc::ptr_eq(one, &row) || one.id == row.id);
            let at = if is_next { next } else { workloads.position_of(&row.id)? };
            rows.push((print, at));
            next = at + 1;
        }
        let pages = KnownPages { pages: self.pages, rows, weightless: self.weightless };
        Some(Arc::new(KnownList { workloads: workloads.clone(), pages: Arc::new(pages) }))
    }
}

impl KnownList {
    fn row(&self, row: usize) -> Option<ListedRow> {
        let (print, at) = *self.pages.rows.get(row)?;
        let workload = Arc::clone(self.workloads.get(at)?);
        let weightless = self.pages.weightless.get(&workload.id).copied();
        Some(ListedRow { print, workload, weightless, wrong: None })
    }
}

/// The page read as a whole: for answers whose rows do not stand in a list.
fn plain(http: &HttpAnswer) -> Result<(Option<u64>, Vec<ListedRow>), String> {
    let page: Page<InstanceRow> = read(http)?;
    // Nothing is known by a number that no bytes have.
    Ok((page.total(), page.data.0.iter().map(|row| listed(0, row)).collect()))
}

fn listed(print: Print, row: &InstanceRow) -> ListedRow {
    let (workload, number) = (Arc::new(workload(row)), &row.used_instances_number);
    let weightless = workload.points.is_none_or(Points::is_zero).then_some(workload.points);
    let wrong = match number {
        Number::Wrong(words) => Some(words.clone()),
        Number::Absent | Number::Stated(_) => None,
    };
    ListedRow { print, workload, weightless, wrong }
}
