//! The rows of a table, all in one text: a hundred thousand of them are three pieces of memory.

use std::fmt::{Debug, Display, Formatter, Result, Write};

use super::Cell;

/// Rows of cells, in the order in which they were put there.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Rows {
    text: String,
    cells: Vec<Packed>,
    /// Where each row ends.
    ends: Vec<End>,
    /// Texts that stand in many rows, each of them once.
    repeated: Vec<String>,
}

/// A cell whose own text stands behind that of the cell before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed {
    what: What,
    /// Where its text ends in that of its row, in bytes.
    end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The kind of a cell with a text of its own.
    Own(Cell<()>),
    Repeated(Repeated),
}

/// A text that stands in many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated(u16);

/// An end of a row: in the text, in bytes, and among the cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct End {
    text: usize,
    cells: usize,
}

/// One row.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    text: &'a str,
    cells: &'a [Packed],
    repeated: &'a [String],
}

/// A row being written, cell by cell.
pub struct NewRow<'a>(&'a mut Rows);

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> + Clone {
        (0..self.len()).map(|n| self.row(n))
    }

    /// The row at this place, from 0.
    pub fn get(&self, n: usize) -> Option<Row<'_>> {
        (n < self.len()).then(|| self.row(n))
    }

    fn row(&self, n: usize) -> Row<'_> {
        let (from, to) = (self.end_before(n), self.ends[n]);
        let (text, cells) = (&self.text[from.text..to.text], &self.cells[from.cells..to.cells]);
        Row { text, cells, repeated: &self.repeated }
    }

    fn end_before(&self, n: usize) -> End {
        n.checked_sub(1).map_or(End::default(), |before| self.ends[before])
    }

    /// A text that rows then have without writing it.
    pub fn repeated(&mut self, text: &str) -> Repeated {
        let number = u16::try_from(self.repeated.len()).expect("few texts stand in many rows");
        self.repeated.push(text.to_owned());
        Repeated(number)
    }

    /// Adds the row that is written here.
    pub fn add(&mut self, write: impl FnOnce(NewRow<'_>)) {
        write(NewRow(self));
        self.ends.push(End { text: self.text.len(), cells: self.cells.len() });
    }

    /// Adds a row of these cells.
    pub fn push<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = Cell<T>>) {
        self.add(|mut row| cells.into_iter().for_each(|cell| row.cell(cell.as_ref())));
    }

    /// The rows without this column, from 0.
    pub fn without(&self, column: usize) -> Rows {
        let mut kept = Rows::default();
        for row in self.iter() {
            kept.push(row.iter().enumerate().filter(|(n, _)| *n != column).map(|(_, cell)| cell));
        }
        kept
    }

    fn begun(&self) -> usize {
        self.end_before(self.len()).text
    }
}

impl NewRow<'_> {
    /// A text; an empty one is no cell's text.
    pub fn text(&mut self, text: &str) {
        self.cell(Cell::of_text(text));
    }

    /// The same, of a text that these rows repeat.
    pub fn repeat(&mut self, repeated: Repeated) {
        self.end(What::Repeated(repeated));
    }

    pub fn number(&mut self, number: impl Display) {
        self.put(Cell::Number(()), number);
    }

    /// A day or a minute of GMT.
    pub fn date(&mut self, date: impl Display) {
        self.put(Cell::Date(()), date);
    }

    pub fn empty(&mut self) {
        self.put(Cell::Empty, "");
    }

    fn cell(&mut self, cell: Cell<&str>) {
        self.0.text.push_str(cell.shown());
        self.end(What::Own(cell.kind()));
    }

    fn put(&mut self, kind: Cell<()>, shown: impl Display) {
        write!(self.0.text, "{shown}").expect("a text takes whatever is written");
        self.end(What::Own(kind));
    }

    fn end(&mut self, what: What) {
        let end = self.0.text.len() - self.0.begun();
        self.0.cells.push(Packed { what, end: u32::try_from(end).expect("a row is shorter than 4 GiB") });
    }
}

impl<'a> Row<'a> {
    /// How many cells it has.
    pub fn len(self) -> usize {
        self.cells.len()
    }

    pub fn is_empty(self) -> bool {
        self.cells.is_empty()
    }

    /// The cell at this place, from 0.
    pub fn get(self, n: usize) -> Option<Cell<&'a str>> {
        let start = n.checked_sub(1).map_or(0, |before| self.cells.get(before).map_or(0, |cell| cell.end));
        Some(self.cell(*self.cells.get(n)?, start))
    }

    fn cell(self, cell: Packed, start: u32) -> Cell<&'a str> {
        match cell.what {
            What::Own(kind) => kind.with(&self.text[start as usize..cell.end as usize]),
            What::Repeated(Repeated(number)) => Cell::of_text(&self.repeated[usize::from(number)]),
        }
    }

    /// The cells as people read them.
    pub fn texts(self) -> impl Iterator<Item = &'a str> {
        self.iter().map(|cell| match cell {
            Cell::Text(text) | Cell::Number(text) | Cell::Date(text) => text,
            Cell::Empty => "",
        })
    }

    /// The cells from the first column on.
    pub fn iter(self) -> impl Iterator<Item = Cell<&'a str>> + Clone {
        let mut start = 0;
        self.cells.iter().map(move |cell| self.cell(*cell, std::mem::replace(&mut start, cell.end)))
    }
}

impl Debug for Rows {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Debug for Row<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: AsRef<str>, R: IntoIterator<Item = Cell<T>>> FromIterator<R> for Rows {
    fn from_iter<I: IntoIterator<Item = R>>(rows: I) -> Rows {
        let mut all = Rows::default();
        rows.into_iter().for_each(|row| all.push(row));
        all
    }
}
