//! The second layout of rows and changes: ids as numbers, texts in the order they come, columns only where something is.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Unreadable;
use super::changes::Changes;
use super::columns::{After, Exact, Positions, Rows, Texts};

/// An id in few bytes: most are UUIDs.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Id {
    Uuid([u8; 16]),
    Text(String),
}

impl From<String> for Id {
    fn from(id: String) -> Id {
        match Uuid::parse_str(&id) {
            Ok(uuid) if uuid.to_string() == id => Id::Uuid(*uuid.as_bytes()),
            Ok(_) | Err(_) => Id::Text(id),
        }
    }
}

impl From<Id> for String {
    fn from(id: Id) -> String {
        match id {
            Id::Uuid(bytes) => Uuid::from_bytes(bytes).to_string(),
            Id::Text(id) => id,
        }
    }
}

/// Texts whose references say "the next one" where a text comes for the first time. No reference at all: no text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CompactTexts {
    table: Vec<String>,
    refs: Vec<u32>,
}

const NO_TEXT: u32 = 0;
const NEXT_TEXT: u32 = 1;
/// The first text of the table.
const FIRST_TEXT: u32 = 2;

impl From<Texts> for CompactTexts {
    fn from(Texts { table, refs }: Texts) -> CompactTexts {
        let mut known = 0;
        let compact = |reference: u32| match reference {
            0 => NO_TEXT,
            next if next == known + 1 => {
                known = next;
                NEXT_TEXT
            }
            earlier => earlier - 1 + FIRST_TEXT,
        };
        let refs: Vec<u32> = if table.is_empty() { Vec::new() } else { refs.into_iter().map(compact).collect() };
        CompactTexts { table, refs }
    }
}

impl CompactTexts {
    /// The plain texts of so many workloads.
    fn plain(self, count: usize) -> Texts {
        let mut known = 0;
        let plain = |reference: u32| match reference {
            NO_TEXT => 0,
            NEXT_TEXT => {
                known += 1;
                known
            }
            earlier => earlier - FIRST_TEXT + 1,
        };
        let refs = if self.table.is_empty() { vec![0; count] } else { self.refs.into_iter().map(plain).collect() };
        Texts { table: self.table, refs }
    }
}

/// Whole workloads, field by field.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CompactRows {
    ids: Vec<Id>,
    texts: [CompactTexts; 6],
    points: Vec<Option<Exact>>,
    dates: Option<Dates>,
    rental: Positions,
}

/// When workloads were processed first, and last.
type Dates = (Vec<Option<After>>, Vec<Option<After>>);

impl From<Rows> for CompactRows {
    fn from(rows: Rows) -> CompactRows {
        let Rows { ids, names, kinds, platforms, tenants, jobs, hosts, .. } = rows;
        let dates = (rows.first_processed, rows.last_restore_points);
        let is_any = dates.0.iter().chain(&dates.1).any(Option::is_some);
        CompactRows {
            ids: ids.into_iter().map(Id::from).collect(),
            texts: [names, kinds, platforms, tenants, jobs, hosts].map(CompactTexts::from),
            points: rows.points,
            dates: is_any.then_some(dates),
            rental: rows.rental,
        }
    }
}

impl From<CompactRows> for Rows {
    fn from(compact: CompactRows) -> Rows {
        let count = compact.ids.len();
        let [names, kinds, platforms, tenants, jobs, hosts] = compact.texts.map(|texts| texts.plain(count));
        let (first_processed, last_restore_points) =
            compact.dates.unwrap_or_else(|| (vec![None; count], vec![None; count]));
        let ids = compact.ids.into_iter().map(String::from).collect();
        let (points, rental) = (compact.points, compact.rental);
        Rows {
            ids,
            names,
            kinds,
            platforms,
            tenants,
            jobs,
            hosts,
            points,
            first_processed,
            last_restore_points,
            rental,
        }
    }
}

/// A part of what changed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Column {
    Gone(Positions),
    Appeared(Box<CompactRows>),
    /// The text field of this number.
    Text(u8, Positions, CompactTexts),
    Points(Positions, Vec<Option<Exact>>),
    Rental(Positions),
    FirstProcessed(Positions, Vec<Option<After>>),
    RestorePoints(Positions, Vec<Option<After>>),
}

impl From<Changes> for Vec<Column> {
    fn from(changes: Changes) -> Vec<Column> {
        let Changes { gone, appeared, texts, points, rental, first_processed, restore_points } = changes;
        let mut columns = Vec::new();
        columns.extend((!gone.is_empty()).then_some(Column::Gone(gone)));
        columns.extend((!appeared.ids.is_empty()).then(|| Column::Appeared(Box::new(appeared.into()))));
        for (field, (positions, texts)) in (0..).zip(texts) {
            columns.extend((!positions.is_empty()).then(|| Column::Text(field, positions, texts.into())));
        }
        columns.extend((!points.0.is_empty()).then_some(Column::Points(points.0, points.1)));
        columns.extend((!rental.is_empty()).then_some(Column::Rental(rental)));
        let (first, last) = (first_processed, restore_points);
        columns.extend((!first.0.is_empty()).then_some(Column::FirstProcessed(first.0, first.1)));
        columns.extend((!last.0.is_empty()).then_some(Column::RestorePoints(last.0, last.1)));
        columns
    }
}

/// # Errors
/// A field that there is not.
pub(super) fn changes_of(columns: Vec<Column>) -> Result<Changes, Unreadable> {
    let mut changes = Changes::default();
    for column in columns {
        match column {
            Column::Gone(gone) => changes.gone = gone,
            Column::Appeared(rows) => changes.appeared = (*rows).into(),
            Column::Text(field, positions, texts) => {
                let texts = texts.plain(positions.len());
                let place = changes.texts.get_mut(usize::from(field)).ok_or(Unreadable("a text field"))?;
                *place = (positions, texts);
            }
            Column::Points(positions, points) => changes.points = (positions, points),
            Column::Rental(positions) => changes.rental = positions,
            Column::FirstProcessed(positions, dates) => changes.first_processed = (positions, dates),
            Column::RestorePoints(positions, dates) => changes.restore_points = (positions, dates),
        }
    }
    Ok(changes)
}
