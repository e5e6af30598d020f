//! A month's lines as an accounting program takes them: columns, signs and dates come from the settings.

use chrono::NaiveDate;

use super::exact::written;
use super::export::{Content, Sheet, made, stem_of};
use super::invoice::{Invoice, InvoiceLine};
use super::line::{Per, What};
use super::lines_file::{FIELDS, Field, number, number_of, text, words};
use crate::document::Cell;
use crate::document::delimited::{Delimited, Dialect};

/// Most columns of a profile.
pub const COLUMNS_MAX: usize = 200;
/// How alike a placeholder must be to be proposed, 0 to 1.
const LIKENESS_MIN: f64 = 0.6;

/// A row of `[[billing.profile]]`.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What `billing export --format` calls it.
    pub name: String,
    pub dialect: Dialect,
    pub dates: DateForm,
    pub header: Header,
    pub columns: Vec<ProfileColumn>,
}

/// Whether the first line names the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    Names,
    Nothing,
}

#[derive(Clone, Debug)]
pub struct ProfileColumn {
    pub name: String,
    pub value: Template,
}

/// How days are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateForm {
    Iso,
    DotsDayFirst,
    SlashesDayFirst,
    SlashesMonthFirst,
    Digits,
}

/// Forms of dates as settings write them.
pub const DATE_FORMS: [(&str, DateForm); 5] = [
    ("YYYY-MM-DD", DateForm::Iso),
    ("DD.MM.YYYY", DateForm::DotsDayFirst),
    ("DD/MM/YYYY", DateForm::SlashesDayFirst),
    ("MM/DD/YYYY", DateForm::SlashesMonthFirst),
    ("YYYYMMDD", DateForm::Digits),
];

impl DateForm {
    fn written(self, day: NaiveDate) -> String {
        let form = match self {
            DateForm::Iso => "%Y-%m-%d",
            DateForm::DotsDayFirst => "%d.%m.%Y",
            DateForm::SlashesDayFirst => "%d/%m/%Y",
            DateForm::SlashesMonthFirst => "%m/%d/%Y",
            DateForm::Digits => "%Y%m%d",
        };
        day.format(form).to_string()
    }
}

/// A column's value: plain words and placeholders, such as `Backup {month}`.
#[derive(Clone, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Words(String),
    Field(&'static Field),
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATemplate {
    #[error("has no placeholder {{{name}}}")]
    Unknown { name: String, nearest: Option<&'static str> },
    #[error("has a brace without its other; a brace of its own is written {{{{ or }}}}")]
    Brace,
}

/// Placeholders beside those of the lines file, and those that mean more here.
static OWN: [Field; 6] = [
    words("month", |invoice, _| text(&invoice.month.to_string())),
    words("document_id", |invoice, _| text(&invoice.id)),
    words("document_date", |invoice, _| Cell::Date(made(invoice).date_naive().to_string())),
    words("description", |_, line| text(&description(line))),
    // What is not for usage is one at its amount.
    number_of("quantity", |_, line| match &line.key.what {
        What::Usage(usage) => match usage.rate.per {
            Per::Point => number(line.amounts.points),
            Per::Workload => number(line.amounts.workloads),
        },
        What::Minimum { .. } | What::MinimumTotal { .. } | What::Rounding => number(1),
    }),
    number_of("unit_price", |invoice, line| match &line.key.what {
        What::Usage(usage) => number(written(usage.rate.unit_price, invoice.decimals)),
        What::Minimum { .. } | What::MinimumTotal { .. } | What::Rounding => number(line.amounts.amount),
    }),
];

/// What a line is for, in a few words.
pub(super) fn description(line: &InvoiceLine) -> String {
    let amounts = &line.amounts;
    match &line.key.what {
        What::Usage(usage) => format!("{} {}, {} points", amounts.workloads, usage.kind, amounts.points),
        What::Minimum { minimum } => format!("Shortfall to the minimum of {minimum}"),
        What::MinimumTotal { minimum } => format!("Shortfall to the minimum of {minimum} in all"),
        What::Rounding => "Rounding".to_owned(),
    }
}

/// Every placeholder there is.
pub fn placeholders() -> impl Iterator<Item = &'static str> {
    let of_lines = FIELDS.iter().filter(|field| OWN.iter().all(|own| own.name != field.name));
    OWN.iter().chain(of_lines).map(|field| field.name)
}

fn field(name: &str) -> Option<&'static Field> {
    OWN.iter().chain(&FIELDS).find(|field| field.name == name)
}

impl Template {
    /// Reads `Backup {month}`.
    ///
    /// # Errors
    /// [`NotATemplate`] with the nearest placeholder when there is one like it.
    pub fn parse(text: &str) -> Result<Template, NotATemplate> {
        let mut parts = Vec::new();
        let mut words = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            words.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                words.push_str(brace);
                rest = after;
                continue;
            }
            let (name, after) = rest.split_once('}').filter(|_| brace == "{").ok_or(NotATemplate::Brace)?;
            if !words.is_empty() {
                parts.push(Part::Words(std::mem::take(&mut words)));
            }
            parts.push(Part::Field(field(name).ok_or_else(|| unknown(name))?));
            rest = after;
        }
        words.push_str(rest);
        if !words.is_empty() {
            parts.push(Part::Words(words));
        }
        Ok(Template(parts))
    }

    fn filled(&self, profile: &Profile, invoice: &Invoice, line: &InvoiceLine) -> Cell {
        let cell = |field: &Field| match (field.cell)(invoice, line) {
            Cell::Date(day) => Cell::Date(day.parse().map_or(day, |day| profile.dates.written(day))),
            other => other,
        };
        if let [Part::Field(only)] = self.0.as_slice() {
            return cell(only);
        }
        let parts = self.0.iter().map(|part| match part {
            Part::Words(words) => words.clone(),
            Part::Field(field) => match cell(field) {
                Cell::Number(plain) => profile.dialect.decimal.written(&plain),
                Cell::Text(plain) | Cell::Date(plain) => plain,
                Cell::Empty => String::new(),
            },
        });
        // An empty placeholder at the end leaves no blank.
        text(parts.collect::<String>().trim_end())
    }
}

fn unknown(name: &str) -> NotATemplate {
    let likeness = |known: &&str| strsim::jaro_winkler(name, known);
    let nearest = placeholders().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    NotATemplate::Unknown { name: name.to_owned(), nearest: nearest.filter(|known| likeness(known) >= LIKENESS_MIN) }
}

impl Profile {
    /// One row a line of the document.
    pub fn sheet(&self, invoice: &Invoice) -> Sheet {
        let row =
            |line: &InvoiceLine| self.columns.iter().map(|column| column.value.filled(self, invoice, line)).collect();
        let heads = || self.columns.iter().map(|column| column.name.clone()).collect();
        let fields = Delimited {
            dialect: self.dialect,
            heads: match self.header {
                Header::Names => Some(heads()),
                Header::Nothing => None,
            },
            rows: invoice.lines.iter().map(row).collect(),
        };
        Sheet { stem: format!("{}-{}", stem_of(invoice), self.name), content: Content::Fields(fields) }
    }
}
