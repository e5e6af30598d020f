//! The tables of a document as sheets: tables of one name stand together, so that one filter reaches all of them.

use rust_xlsxwriter::{ColNum, RowNum, Workbook, Worksheet, XlsxError, utility};

use super::SheetNames;
use super::cells::{Looks, put, put_text};
use crate::document::{Align, Block, Cell, Column, Document, Table};

/// Most rows of a sheet; more go to a further sheet. Excel takes 1,048,576 with head and totals.
const ROWS_MAX: usize = 1_000_000;
/// Points of width for one hundredth of a page's width.
const WIDTH_FACTOR: f64 = 1.25;
const WIDTH_MIN: f64 = 11.0;
const WIDTH_MAX: f64 = 60.0;
/// The column that says which section a row comes from.
const SECTION: Column = Column { name: "section", heading: "Section", align: Align::Left, width: 26 };
const PAPER_A4: u8 = 9;

/// Tables of one name, with the headings they stand under.
pub(super) struct Sheet<'a> {
    name: &'static str,
    columns: Vec<&'a Column>,
    parts: Vec<(&'a str, &'a Table)>,
}

/// The lines first, then every table of the sections, in the document's order.
pub(super) fn sheets(document: &Document) -> Vec<Sheet<'_>> {
    let blocks = document.sections.iter().flat_map(|section| section.blocks.iter().map(move |block| (section, block)));
    let tables = blocks.filter_map(|(section, block)| match block {
        Block::Table(table) => Some((section.heading.as_str(), table)),
        Block::Paragraph(_) | Block::Warning(_) | Block::Figures(_) | Block::Facts(_) | Block::Chart(_) => None,
    });
    let mut sheets = Vec::<Sheet<'_>>::new();
    for (heading, table) in std::iter::once(("", &document.lines)).chain(tables) {
        if table.columns.is_empty() {
            continue;
        }
        match sheets.iter_mut().find(|sheet| sheet.name == table.name) {
            Some(sheet) => sheet.add(heading, table),
            None => sheets.push(Sheet {
                name: table.name,
                columns: table.columns.iter().collect(),
                parts: vec![(heading, table)],
            }),
        }
    }
    sheets
}

impl<'a> Sheet<'a> {
    /// A column that the tables before do not have goes behind the one it stands behind here.
    fn add(&mut self, heading: &'a str, table: &'a Table) {
        let mut place = 0;
        for column in &table.columns {
            match self.columns.iter().position(|known| known.name == column.name) {
                Some(at) => place = at + 1,
                None => {
                    self.columns.insert(place, column);
                    place += 1;
                }
            }
        }
        self.parts.push((heading, table));
    }

    /// Writes the rows, then the totals, on as many sheets as they need.
    pub(super) fn write(
        &self,
        workbook: &mut Workbook,
        names: &mut SheetNames,
        looks: &Looks,
    ) -> Result<(), XlsxError> {
        let rows = self.parts.iter().flat_map(|(heading, table)| {
            let places = self.places(table);
            table.rows.iter().map(move |row| (*heading, places.clone(), row))
        });
        let mut rows = rows.peekable();
        loop {
            let name = names.take(self.name);
            let sheet = workbook.add_worksheet();
            sheet.set_name(&name)?;
            self.begin(sheet, looks)?;
            let mut last: RowNum = 0;
            for (heading, places, row) in rows.by_ref().take(ROWS_MAX) {
                last += 1;
                if self.has_sections() {
                    put_text(sheet, (last, 0), heading, &looks.name)?;
                }
                for (column, place) in (self.first()..).zip(places.iter()) {
                    put(
                        sheet,
                        (last, column),
                        place.and_then(|place| row.get(place)).unwrap_or(Cell::Empty),
                        &looks.row,
                    )?;
                }
            }
            let end = last.max(1);
            sheet.autofilter(0, 0, end, self.width() - 1)?;
            if rows.peek().is_none() {
                self.totals(sheet, end + 1, looks)?;
                return self.define(workbook, &name, end);
            }
            self.define(workbook, &name, end)?;
        }
    }

    fn begin(&self, sheet: &mut Worksheet, looks: &Looks) -> Result<(), XlsxError> {
        for (at, column) in (0..).zip(self.heads()) {
            put_text(sheet, (0, at), column.heading, looks.head(column.align))?;
            let width = (f64::from(column.width) * WIDTH_FACTOR).clamp(WIDTH_MIN, WIDTH_MAX);
            sheet.set_column_width(at, width)?.set_column_format(at, looks.column())?;
        }
        sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
        sheet.set_paper_size(PAPER_A4).set_landscape().set_print_fit_to_pages(1, 0);
        sheet.set_footer("&L&A&RPage &P of &N");
        Ok(())
    }

    /// Below the rows, of which a table without any still has an empty one.
    fn totals(&self, sheet: &mut Worksheet, from: RowNum, looks: &Looks) -> Result<(), XlsxError> {
        let totals = self.parts.iter().flat_map(|(_, table)| table.totals.iter().map(|row| (self.places(table), row)));
        for (at, (places, row)) in (from..).zip(totals) {
            for (column, place) in (self.first()..).zip(places) {
                put(sheet, (at, column), place.and_then(|place| row.get(place)).unwrap_or(Cell::Empty), &looks.total)?;
            }
        }
        Ok(())
    }

    /// Names each column of this sheet `TABLE.COLUMN`, where one sheet holds the whole table.
    fn define(&self, workbook: &mut Workbook, sheet: &str, end: RowNum) -> Result<(), XlsxError> {
        for (at, column) in (0..).zip(self.heads()) {
            let letters = utility::column_number_to_name(at);
            let rows = format!("='{sheet}'!${letters}$2:${letters}${}", end + 1);
            workbook.define_name(format!("{}.{}", sheet.to_lowercase().replace(' ', "_"), column.name), &rows)?;
        }
        Ok(())
    }

    /// Where each column of the sheet stands in this table.
    fn places(&self, table: &Table) -> Vec<Option<usize>> {
        let place = |column: &&Column| table.columns.iter().position(|own| own.name == column.name);
        self.columns.iter().map(place).collect()
    }

    fn heads(&self) -> impl Iterator<Item = &Column> {
        self.has_sections().then_some(&SECTION).into_iter().chain(self.columns.iter().copied())
    }

    fn has_sections(&self) -> bool {
        self.parts.len() > 1
    }

    fn first(&self) -> ColNum {
        ColNum::from(self.has_sections())
    }

    fn width(&self) -> ColNum {
        self.heads().count() as ColNum
    }
}
