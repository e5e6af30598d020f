//! One list of the console: paged to its end, checked against its total, read again when it moved.

use std::collections::BTreeMap;

/// Rows asked for at once; the console gives at most 500.
const PAGE_ROWS: u64 = 500;
/// Reads of the whole list before giving up for this time.
const ROUNDS_MAX: u32 = 3;
/// Pages of one read.
const PAGES_MAX: u32 = 2_000;

/// A list as far as it has been read, by the ids of its rows.
pub struct List<T> {
    path: &'static str,
    paging: Paging,
    rows: BTreeMap<String, T>,
    /// The id of the last row.
    last: Option<String>,
    received: u64,
    total: Option<u64>,
    pages: u32,
    rounds: u32,
}

/// Whether a resource takes `limit` and `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    Pages,
    /// The whole list comes at once.
    Whole,
}

/// What a page led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    More,
    Complete,
    /// The list did not hold still, and why.
    Unsettled(String),
}

impl<T> List<T> {
    pub fn new(path: &'static str, paging: Paging) -> List<T> {
        List { path, paging, rows: BTreeMap::new(), last: None, received: 0, total: None, pages: 0, rounds: 0 }
    }

    /// The next page. It begins with the last row again: a list that moved meanwhile shows another one there.
    pub fn path(&self) -> String {
        let offset = self.offset();
        match self.paging {
            Paging::Pages => format!("{}?limit={PAGE_ROWS}&offset={offset}", self.path),
            Paging::Whole => self.path.to_owned(),
        }
    }

    /// Where the next page begins.
    pub fn offset(&self) -> u64 {
        self.received - self.overlap()
    }

    /// Takes a page: how many rows the whole list has, and the rows with their ids.
    pub fn hear(&mut self, total: Option<u64>, page: Vec<(String, T)>) -> Turn {
        if self.pages > 0 && total != self.total {
            return self.again(format!("its total went from {} to {}", said(self.total), said(total)));
        }
        let (came, known, overlap) = (page.len() as u64, self.rows.len(), self.overlap());
        let first = page.first().map(|(id, _)| id);
        if overlap > 0 && first != self.last.as_ref() {
            return self.again("its rows moved".to_owned());
        }
        self.total = total;
        self.last = page.last().map(|(id, _)| id.clone());
        self.rows.extend(page);
        self.pages += 1;
        self.received += came - overlap;
        let grew = self.rows.len() > known;
        let is_end = match (self.paging, total) {
            (Paging::Whole, _) => true,
            (Paging::Pages, Some(total)) => self.received >= total,
            (Paging::Pages, None) => came < PAGE_ROWS,
        };
        let distinct = self.rows.len() as u64;
        if is_end && distinct == total.unwrap_or(distinct) {
            return Turn::Complete;
        }
        if is_end || !grew || self.pages >= PAGES_MAX {
            return self.again(format!("{distinct} different rows came for a total of {}", said(total)));
        }
        Turn::More
    }

    /// The rows by id.
    pub fn take(&mut self) -> BTreeMap<String, T> {
        std::mem::take(&mut self.rows)
    }

    /// Rows of the next page that are known already.
    fn overlap(&self) -> u64 {
        u64::from(self.received > 0)
    }

    fn again(&mut self, why: String) -> Turn {
        let rounds = self.rounds + 1;
        if rounds >= ROUNDS_MAX {
            return Turn::Unsettled(format!("the list did not hold still in {ROUNDS_MAX} reads: {why}"));
        }
        *self = List { rounds, ..List::new(self.path, self.paging) };
        Turn::More
    }
}

fn said(total: Option<u64>) -> String {
    total.map_or_else(|| "none".to_owned(), |total| total.to_string())
}
