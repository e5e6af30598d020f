//! The lines of a document for billing systems: one file, CSV or JSON (docs/PRICE_BOOK.md names every column).

use super::exact::written;
use super::export::{Beside, Content, NotExported, Sheet, made_at, stem_of};
use super::invoice::{Invoice, InvoiceLine};
use super::line::What;
use crate::document::Align::{self, Left, Right};
use crate::document::{Cell, Column, Document, Rows, Table};
use crate::seal::canonical;

/// Who reads a file: what the supplier asks is nobody's business but the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Provider,
    Tenant,
}

pub(super) fn sheets(invoice: &Invoice, _: &Beside) -> Result<Vec<Sheet>, NotExported> {
    let document = Document {
        title: format!("Invoice lines {}", invoice.number),
        language: "en".to_owned(),
        digest: invoice.digest.clone(),
        generated_at: made_at(invoice),
        record: canonical::lines_without(invoice, &[]),
        lines: table(invoice, invoice.lines.iter(), Reader::Provider),
        ..Document::default()
    };
    Ok(vec![Sheet { stem: format!("{}-lines", stem_of(invoice)), content: Content::Drawn(Box::new(document)) }])
}

/// One row a line.
pub(super) fn table<'a>(invoice: &Invoice, lines: impl Iterator<Item = &'a InvoiceLine>, reader: Reader) -> Table {
    let fields: Vec<&Field> =
        FIELDS.iter().filter(|field| field.reader == Reader::Tenant || field.reader == reader).collect();
    let columns =
        fields.iter().map(|field| Column { name: field.name, heading: field.name, align: field.align, width: 1 });
    let original = || invoice.pseudonyms_of.iter();
    let column = |name| Column { name, heading: name, align: Left, width: 1 };
    let columns = columns.chain(original().map(|_| column("pseudonyms_of"))).collect();
    let cells = |line| fields.iter().map(move |field| (field.cell)(invoice, line));
    let rows = lines.map(|line| cells(line).chain(original().map(|digest| text(digest)))).collect();
    Table { name: "lines", columns, rows, totals: Rows::default() }
}

/// A column: its name is the contract.
#[derive(Debug)]
pub(super) struct Field {
    pub name: &'static str,
    align: Align,
    reader: Reader,
    pub cell: fn(&Invoice, &InvoiceLine) -> Cell,
}

pub(super) const fn words(name: &'static str, cell: fn(&Invoice, &InvoiceLine) -> Cell) -> Field {
    Field { name, align: Left, reader: Reader::Tenant, cell }
}

pub(super) const fn number_of(name: &'static str, cell: fn(&Invoice, &InvoiceLine) -> Cell) -> Field {
    Field { name, align: Right, reader: Reader::Tenant, cell }
}

const fn inside(name: &'static str, cell: fn(&Invoice, &InvoiceLine) -> Cell) -> Field {
    Field { name, align: Right, reader: Reader::Provider, cell }
}

pub(super) static FIELDS: [Field; 29] = [
    words("schema", |invoice, _| text(&invoice.schema)),
    words("document", |invoice, _| text(&invoice.number)),
    words("status", |invoice, _| text(invoice.standing.as_str())),
    words("line_id", |_, line| text(&line.id)),
    words("corrects_document", |_, line| line.corrects.as_ref().map_or(Cell::Empty, |of| text(&of.document))),
    words("corrects_line", |_, line| line.corrects.as_ref().map_or(Cell::Empty, |of| text(&of.line))),
    words("tenant", |_, line| text(&line.key.tenant)),
    words("customer_number", |invoice, line| {
        let sum = invoice.tenants.iter().find(|sum| sum.tenant == line.key.tenant);
        sum.and_then(|sum| sum.customer_number.as_deref()).map_or(Cell::Empty, text)
    }),
    words("charge", |_, line| text(line.key.what.as_str())),
    words("unit", |_, line| used(line, |usage| text(&usage.unit))),
    words("server", |_, line| used(line, |usage| text(&usage.server))),
    words("type", |_, line| used(line, |usage| text(usage.kind.as_str()))),
    number_of("weight", |_, line| used(line, |usage| number(usage.weight))),
    number_of("workloads", |_, line| used(line, |_| number(line.amounts.workloads))),
    number_of("points", |_, line| used(line, |_| number(line.amounts.points))),
    words("per", |_, line| used(line, |usage| text(usage.rate.per.as_str()))),
    number_of("unit_price", |invoice, line| {
        used(line, |usage| number(written(usage.rate.unit_price, invoice.decimals)))
    }),
    number_of("tier_above", |_, line| used(line, |usage| usage.rate.above.map_or(Cell::Empty, number))),
    number_of("minimum", |invoice, line| match &line.key.what {
        What::Minimum { minimum } | What::MinimumTotal { minimum } => number(written(*minimum, invoice.decimals)),
        What::Usage(_) | What::Rounding => Cell::Empty,
    }),
    number_of("amount", |_, line| number(line.amounts.amount)),
    inside("cost", |_, line| line.amounts.cost.map_or(Cell::Empty, number)),
    inside("margin", |_, line| line.amounts.margin().map_or(Cell::Empty, number)),
    words("currency", |invoice, _| text(&invoice.currency)),
    words("tax_note", |invoice, _| invoice.tax_note.as_deref().map_or(Cell::Empty, text)),
    words("period_from", |invoice, _| Cell::Date(invoice.month.first_day().to_string())),
    words("period_to", |invoice, _| Cell::Date(invoice.month.last_day().to_string())),
    words("report_id", |_, line| line.source.as_ref().map_or(Cell::Empty, |source| text(&source.report))),
    number_of("report_revision", |_, line| line.source.as_ref().map_or(Cell::Empty, |of| number(of.revision))),
    words("report_lines", |_, line| line.source.as_ref().map_or(Cell::Empty, |source| text(&places(&source.lines)))),
];

fn used(line: &InvoiceLine, cell: impl Fn(&super::line::Usage) -> Cell) -> Cell {
    match &line.key.what {
        What::Usage(usage) => cell(usage),
        What::Minimum { .. } | What::MinimumTotal { .. } | What::Rounding => Cell::Empty,
    }
}

/// `1 3`: a comma would be a decimal point to some spreadsheets.
fn places(lines: &std::collections::BTreeSet<u32>) -> String {
    lines.iter().map(u32::to_string).collect::<Vec<String>>().join(" ")
}

pub(super) fn text(value: &str) -> Cell {
    if value.is_empty() { Cell::Empty } else { Cell::Text(value.to_owned()) }
}

pub(super) fn number(value: impl ToString) -> Cell {
    Cell::Number(value.to_string())
}
