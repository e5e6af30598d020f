//! The list of license workloads: paged to the end, checked, read again when it moved.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answers::InstanceRow;
use super::kinds::kind_of;
use super::pages::{KnownList, ListedRow, Memory, Noted, PageRead, Rows};
use crate::ask::HttpAnswer;
use crate::domain::Points;
use crate::domain::workload::{Workload, WorkloadType};
use crate::domain::workloads::{Cut, Workloads};
use crate::sources::json_field::TEXT_MAX;
use crate::sources::snapshot_file::WORKLOADS_MAX;

/// Rows asked for at once.
const PAGE_ROWS: u64 = 500;
/// Reads of the whole list before giving up for this time.
const ROUNDS_MAX: u32 = 3;
/// Pages of one read.
const PAGES_MAX: u64 = 2_000;
/// An id that stands for none.
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The list as far as it has been read.
#[derive(Default)]
pub struct InstanceList {
    memory: Memory,
    heard: Vec<Heard>,
    /// The id of the first row of the last page; the same again means that the server does not page.
    page_began_with: Option<String>,
    total: Option<u64>,
    received: u64,
    pages: u64,
    rounds: u32,
    notes: Vec<String>,
    /// The rows of the whole list, once it ended.
    settled: Vec<ListedRow>,
}

/// A page of the list, and how many of its rows the page before it had already.
struct Heard {
    page: PageRead,
    overlap: usize,
}

/// The list when it is whole.
pub struct Listed {
    /// By id, each id once. Those that the sample before has stand as they stand there.
    pub workloads: Workloads,
    /// What rows state that state no weight, by id.
    pub weightless: BTreeMap<String, Option<Points>>,
    /// What was strange.
    pub notes: Vec<String>,
    pub noted: Known,
}

/// What the next read is to know of the list.
#[derive(Default)]
pub enum Known {
    /// What this one knew already.
    Same(Memory),
    Anew(Noted),
    #[default]
    Nothing,
}

impl Known {
    /// With the workloads that the sample has.
    pub fn made(self, workloads: &Workloads) -> Option<Arc<KnownList>> {
        match self {
            Known::Same(memory) => memory.carried(workloads),
            Known::Anew(noted) => noted.made(workloads),
            Known::Nothing => None,
        }
    }
}

/// What a page led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    More,
    Complete,
    /// The list did not hold still, and why.
    Unsettled(String),
}

impl InstanceList {
    /// The next page. It begins with the last row again: a list that moved meanwhile shows another one there.
    pub fn path(&self) -> String {
        let skip = self.received - self.overlap();
        format!("/api/v1/license/instances?skip={skip}&limit={PAGE_ROWS}&orderColumn=InstanceId&orderAsc=true")
    }

    /// With what is remembered of the list before.
    pub fn remembering(memory: Memory) -> InstanceList {
        InstanceList { memory, ..InstanceList::default() }
    }

    /// Hears a page.
    ///
    /// # Errors
    /// What the answer is instead, in words.
    pub fn hear(&mut self, http: &HttpAnswer) -> Result<Turn, String> {
        let page = self.memory.page(http)?;
        Ok(self.take_page(page))
    }

    fn take_page(&mut self, page: PageRead) -> Turn {
        let total = page.total;
        let came = page.rows.len() as u64;
        if self.pages == 0 {
            self.total = total;
        } else if total != self.total {
            return self.again(format!(
                "its total went from {} to {} while it was read",
                said(self.total),
                said(total)
            ));
        }
        let overlap = self.overlap();
        let began_with = self.id_of(&page, 0);
        let grew = began_with.is_some() && began_with != self.page_began_with;
        if grew && overlap > 0 && began_with != self.last_id() {
            return self.again("its rows moved while it was read".to_owned());
        }
        self.page_began_with = began_with;
        self.pages += 1;
        if grew {
            if self.received + came - overlap > WORKLOADS_MAX as u64 {
                return Turn::Unsettled(format!("it names more than {WORKLOADS_MAX} workloads"));
            }
            self.received += came - overlap;
            self.heard.push(Heard { page, overlap: overlap as usize });
        }
        let is_end = match self.total {
            Some(total) => self.received >= total,
            None => came < PAGE_ROWS || !grew,
        };
        if is_end {
            self.ended()
        } else if !grew || self.pages >= PAGES_MAX {
            let distinct = sorted(self.rows()).len();
            self.again(format!("it ended after {distinct} of {} rows", said(self.total)))
        } else {
            Turn::More
        }
    }

    fn id_of(&self, page: &PageRead, row: usize) -> Option<String> {
        match &page.rows {
            Rows::Read(rows) => rows.get(row).map(|row| row.workload.id.clone()),
            Rows::Known(range) if range.len() <= row => None,
            Rows::Known(range) => self.memory.row_at(range.start + row).map(|row| row.workload.id.clone()),
        }
    }

    fn last_id(&self) -> Option<String> {
        let page = &self.heard.last()?.page;
        self.id_of(page, page.rows.len().checked_sub(1)?)
    }

    fn rows_of(&self, page: &PageRead) -> Vec<ListedRow> {
        match &page.rows {
            Rows::Read(rows) => rows.clone(),
            Rows::Known(range) => self.memory.rows(range.clone()).collect(),
        }
    }

    /// The rows of all pages, in their order.
    fn rows(&self) -> Vec<ListedRow> {
        self.heard.iter().flat_map(|heard| self.rows_of(&heard.page).into_iter().skip(heard.overlap)).collect()
    }

    /// Reads the list once more from the start; an empty one is not believed at once.
    pub fn read_again(&mut self) -> Turn {
        self.again("it was empty".to_owned())
    }

    pub fn is_empty(&self) -> bool {
        self.received == 0
    }

    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// The list, sharing what it can with the sample before.
    pub fn take(self, previous: Option<&Workloads>) -> Listed {
        let pages: Vec<&PageRead> = self.heard.iter().map(|heard| &heard.page).collect();
        if let Some(previous) = previous.filter(|_| self.notes.is_empty() && self.memory.is_same(&pages)) {
            let (workloads, weightless) = (previous.clone(), self.memory.weightless());
            return Listed { workloads, weightless, notes: self.notes, noted: Known::Same(self.memory) };
        }
        let mut noted = self.notes.is_empty().then(Noted::default);
        let mut wrong: Vec<String> = Vec::new();
        for Heard { page, overlap } in &self.heard {
            let rows = self.rows_of(page);
            wrong.extend(rows.iter().skip(*overlap).filter_map(|row| row.wrong.clone()));
            // Rows that cannot be are said each time.
            noted = noted.filter(|_| wrong.is_empty()).map(|noted| noted.with(page, &rows));
        }
        let rows = self.settled;
        let weightless = rows.iter().filter_map(|row| Some((row.workload.id.clone(), row.weightless?))).collect();
        let mut notes = self.notes;
        if let Some(words) = wrong.first() {
            notes.push(format!(
                "{} license workloads state a usedInstancesNumber that cannot be ({words}); the points table answers",
                wrong.len()
            ));
        }
        let mut cut = previous.map_or_else(Cut::default, Cut::sharing);
        rows.into_iter().for_each(|row| cut.push(row.workload));
        Listed { workloads: cut.end(), weightless, notes, noted: noted.map_or(Known::Nothing, Known::Anew) }
    }

    /// Rows of the next page that are known already; a single one cannot be told from a server that does not page.
    fn overlap(&self) -> u64 {
        u64::from(self.received > 1)
    }

    fn ended(&mut self) -> Turn {
        let pages: Vec<&PageRead> = self.heard.iter().map(|heard| &heard.page).collect();
        if self.memory.is_same(&pages) {
            return Turn::Complete;
        }
        self.settled = sorted(self.rows());
        let distinct = self.settled.len() as u64;
        let total = self.total.unwrap_or(self.received);
        if distinct == total && self.received == total {
            return Turn::Complete;
        }
        // The same rows twice in every read: the server's list is so, it does not move.
        if self.received == total && self.rounds + 1 == ROUNDS_MAX {
            self.notes.push(format!("the license list names {} workloads more than once", total - distinct));
            return Turn::Complete;
        }
        self.again(format!("{} rows came for a total of {total}, {distinct} of them different", self.received))
    }

    fn again(&mut self, why: String) -> Turn {
        let rounds = self.rounds + 1;
        if rounds >= ROUNDS_MAX {
            return Turn::Unsettled(format!("the list did not hold still in {ROUNDS_MAX} reads: {why}"));
        }
        let mut memory = std::mem::take(&mut self.memory);
        memory.begin_again();
        *self = InstanceList { rounds, memory, ..InstanceList::default() };
        Turn::More
    }
}

/// By id, each id once.
fn sorted(mut rows: Vec<ListedRow>) -> Vec<ListedRow> {
    rows.sort_by(|a, b| a.workload.id.cmp(&b.workload.id));
    rows.dedup_by(|a, b| a.workload.id == b.workload.id);
    rows
}

/// The workload that a row names.
pub fn workload(row: &InstanceRow) -> Workload {
    let platform = row.platform_type.get().map(within);
    let displayed = row.kind.get().or(row.display_name.get());
    let host = row.host_name.get().map(within);
    let kind = kind_of(row.platform_type.get(), displayed);
    let name = row.name.get().or(row.instance_id.get()).unwrap_or("nameless");
    let name = within(name);
    let id = row.instance_id.get().filter(|id| *id != NO_ID).map_or_else(
        || format!("{}/{}/{name}", platform.as_deref().or(displayed).unwrap_or("?"), host.as_deref().unwrap_or("?")),
        // A machine that is backed up and replicated has one id in both rows and counts in each.
        |id| if kind == WorkloadType::CloudConnectReplica { format!("{}/replica", within(id)) } else { within(id) },
    );
    Workload {
        id,
        name,
        kind,
        platform,
        tenant: None,
        job: None,
        host,
        points: row.used_instances_number.points(),
        first_processed_at: None,
        last_restore_point_at: None,
        rental: false,
        unstructured: None,
    }
}

/// A name or an id as far as a snapshot file may state one; two ids alike until there are told as rows that stand twice.
fn within(text: &str) -> String {
    if text.len() <= TEXT_MAX {
        return text.to_owned();
    }
    let end = (0..=TEXT_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}…", &text[..end])
}

fn said(total: Option<u64>) -> String {
    total.map_or_else(|| "none".to_owned(), |total| total.to_string())
}
