//! The list of license workloads: paged to the end, checked, read again when it moved.

use super::answers::{InstanceRow, Page};
use super::kinds::kind_of;
use crate::domain::workload::{Workload, WorkloadType};
use crate::sources::json_field::TEXT_MAX;
use crate::sources::lenient::Number;
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
    rows: Vec<Workload>,
    /// The id of the first row of the last page; the same again means that the server does not page.
    page_began_with: Option<String>,
    total: Option<u64>,
    received: u64,
    pages: u64,
    rounds: u32,
    /// Rows whose number was negative or absurd, and the words of the first.
    wrong_numbers: u32,
    wrong_words: String,
    notes: Vec<String>,
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

    pub fn hear(&mut self, page: Page<InstanceRow>) -> Turn {
        let total = page.total();
        let came = page.data.0.len() as u64;
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
        let rows: Vec<Workload> = page.data.0.iter().map(workload).collect();
        let began_with = rows.first().map(|row| row.id.clone());
        let grew = began_with.is_some() && began_with != self.page_began_with;
        if grew && overlap > 0 && began_with.as_deref() != self.rows.last().map(|row| row.id.as_str()) {
            return self.again("its rows moved while it was read".to_owned());
        }
        self.page_began_with = began_with;
        self.pages += 1;
        if grew {
            if self.rows.len() as u64 + came - overlap > WORKLOADS_MAX as u64 {
                return Turn::Unsettled(format!("it names more than {WORKLOADS_MAX} workloads"));
            }
            page.data.0.iter().skip(overlap as usize).for_each(|row| self.note_wrong_number(row));
            self.rows.extend(rows.into_iter().skip(overlap as usize));
            self.received += came - overlap;
        }
        let is_end = match self.total {
            Some(total) => self.received >= total,
            None => came < PAGE_ROWS || !grew,
        };
        if is_end {
            self.ended()
        } else if !grew || self.pages >= PAGES_MAX {
            self.settle();
            self.again(format!("it ended after {} of {} rows", self.rows.len(), said(self.total)))
        } else {
            Turn::More
        }
    }

    /// Reads the list once more from the start; an empty one is not believed at once.
    pub fn read_again(&mut self) -> Turn {
        self.again("it was empty".to_owned())
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// The workloads by id, and what was strange about them.
    pub fn take(&mut self) -> (Vec<Workload>, Vec<String>) {
        let mut notes = std::mem::take(&mut self.notes);
        if self.wrong_numbers > 0 {
            notes.push(format!(
                "{} license workloads state a usedInstancesNumber that cannot be ({}); the points table answers",
                self.wrong_numbers, self.wrong_words
            ));
        }
        (std::mem::take(&mut self.rows), notes)
    }

    /// Rows of the next page that are known already; a single one cannot be told from a server that does not page.
    fn overlap(&self) -> u64 {
        u64::from(self.received > 1)
    }

    /// By id, each id once.
    fn settle(&mut self) {
        self.rows.sort_by(|a, b| a.id.cmp(&b.id));
        self.rows.dedup_by(|a, b| a.id == b.id);
    }

    fn ended(&mut self) -> Turn {
        self.settle();
        let distinct = self.rows.len() as u64;
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
        *self = InstanceList { rounds, ..InstanceList::default() };
        Turn::More
    }

    fn note_wrong_number(&mut self, row: &InstanceRow) {
        if let Number::Wrong(words) = &row.used_instances_number {
            if self.wrong_numbers == 0 {
                self.wrong_words = words.clone();
            }
            self.wrong_numbers += 1;
        }
    }
}

/// The workload that a row names.
fn workload(row: &InstanceRow) -> Workload {
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
