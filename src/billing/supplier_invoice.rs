//! The supplier's invoice as a CSV file with a header: what it charges, by type and, where it says so, by tenant.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord, Trim};
use rust_decimal::Decimal;

use super::exact::plus;
use super::price_book::PriceBook;
use crate::document::delimited::DecimalSign;
use crate::domain::workload::{WORKLOAD_TYPES, WorkloadType};

/// Longest file.
pub const BYTES_MAX: usize = 16 << 20;
/// Most rows of a file.
const ROWS_MAX: usize = 100_000;
/// Longest part of a value that a refusal shows.
const SHOWN_MAX: usize = 40;
/// Most digits after the point, and the largest amount: beyond both is no invoice.
const SCALE_MAX: u32 = 9;
const AMOUNT_MAX: i64 = 1_000_000_000_000;

/// A column of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Type,
    Tenant,
    Quantity,
    Points,
    Amount,
    Currency,
}

/// Columns by their key in the settings, and the names by which they are found without one.
pub const FIELDS: [(Field, &str, &[&str]); 6] = [
    (Field::Type, "type", &["type", "workload type", "sku", "product", "item"]),
    (Field::Tenant, "tenant", &["tenant", "company", "customer"]),
    (Field::Quantity, "quantity", &["quantity", "qty", "workloads", "count"]),
    (Field::Points, "points", &["points"]),
    (Field::Amount, "amount", &["amount", "net amount", "total", "net"]),
    (Field::Currency, "currency", &["currency"]),
];

/// How this supplier writes: `[billing.supplier]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The header's own names.
    pub columns: BTreeMap<Field, String>,
    /// What the supplier's articles are here.
    pub types: BTreeMap<String, WorkloadType>,
    pub decimal: DecimalSign,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading { columns: BTreeMap::new(), types: BTreeMap::new(), decimal: DecimalSign::Point }
    }
}

/// What somebody states; `None`: nothing about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub workloads: Option<Decimal>,
    pub points: Option<Decimal>,
    pub amount: Option<Decimal>,
}

impl Figures {
    /// The sum; what only one states is kept. `None`: beyond exact decimals.
    pub(super) fn plus(&self, other: &Figures) -> Option<Figures> {
        let sum = |one: Option<Decimal>, other: Option<Decimal>| match (one, other) {
            (Some(one), Some(other)) => plus(one, other).map(Some),
            (one, other) => Some(one.or(other)),
        };
        Some(Figures {
            workloads: sum(self.workloads, other.workloads)?,
            points: sum(self.points, other.points)?,
            amount: sum(self.amount, other.amount)?,
        })
    }
}

/// What the invoice charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplierInvoice {
    /// Whether it says whose each row is.
    pub names_tenants: bool,
    pub states: States,
    /// By tenant, if it names them, and type.
    pub charged: BTreeMap<(Option<String>, WorkloadType), Figures>,
}

/// Which measures the file has columns for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct States {
    pub workloads: bool,
    pub points: bool,
    pub amount: bool,
}

/// Why a file is no invoice: what and where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("supplier's invoice {file}: {why}")]
pub struct NotAnInvoice {
    pub file: String,
    pub why: String,
}

/// Reads the text. The price book says which currency it must be in, and whose the rows without a tenant's name are.
///
/// # Errors
/// [`NotAnInvoice`] in one line with file, line and column.
pub fn read(file: &str, text: &str, reading: &Reading, book: &PriceBook) -> Result<SupplierInvoice, NotAnInvoice> {
    read_rows(text, reading, book).map_err(|why| NotAnInvoice { file: file.to_owned(), why })
}

fn read_rows(text: &str, reading: &Reading, book: &PriceBook) -> Result<SupplierInvoice, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("is longer than {} MiB; split it by month", BYTES_MAX >> 20));
    }
    let text = text.trim_start_matches('\u{feff}');
    let delimiter = delimiter_of(text.lines().next().unwrap_or_default());
    let mut reader = ReaderBuilder::new().delimiter(delimiter).trim(Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let columns = Columns::find(&header, reading)?;
    let mut invoice = SupplierInvoice {
        names_tenants: columns.places.contains_key(&Field::Tenant),
        states: columns.states(),
        charged: BTreeMap::new(),
    };
    for (count, record) in reader.records().enumerate() {
        if count >= ROWS_MAX {
            return Err(format!("has more than {ROWS_MAX} rows; split it by month"));
        }
        let record = record.map_err(|error| told(&error, header.len()))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let row = Row { columns: &columns, record: &record, reading, book };
        let figures = row.figures()?;
        let sum = invoice.charged.entry((row.tenant(), row.kind()?)).or_default();
        *sum = sum.plus(&figures).ok_or_else(|| row.wrong(Field::Amount, "is too large to add up"))?;
    }
    if invoice.charged.is_empty() {
        return Err("has no rows below its header".to_owned());
    }
    Ok(invoice)
}

/// The sign that stands most often in the header.
fn delimiter_of(header: &str) -> u8 {
    let often = |sign: &u8| header.bytes().filter(|byte| byte == sign).count();
    [b'\t', b';', b','].into_iter().max_by_key(often).unwrap_or(b',')
}

fn told(error: &csv::Error, columns: usize) -> String {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { len, .. } => {
            format!("line {line} has {len} fields, the header {columns}; quote fields that hold the delimiter")
        }
        _ => format!("line {line}: {error}"),
    }
}

/// Where each column stands.
struct Columns {
    places: BTreeMap<Field, (usize, String)>,
}

impl Columns {
    fn find(header: &StringRecord, reading: &Reading) -> Result<Columns, String> {
        let mut places = BTreeMap::new();
        for (field, key, usual) in FIELDS {
            let stated = reading.columns.get(&field);
            let fits = |head: &str| match stated {
                Some(name) => head == name,
                None => usual.iter().any(|name| head.eq_ignore_ascii_case(name)),
            };
            let found: Vec<usize> = (0..header.len()).filter(|place| fits(&header[*place])).collect();
            match (found.as_slice(), stated) {
                ([one], _) => {
                    places.insert(field, (*one, header[*one].to_owned()));
                }
                ([], None) => {}
                ([], Some(name)) => {
                    return Err(format!("line 1: has no column '{name}', which [billing.supplier] {key} names"));
                }
                ([one, other, ..], _) => {
                    let (one, other) = (&header[*one], &header[*other]);
                    return Err(format!(
                        "line 1: '{one}' and '{other}' may both be the {key}; name it: [billing.supplier] {key}"
                    ));
                }
            }
        }
        let columns = Columns { places };
        if !columns.has(Field::Type) {
            return Err("line 1: no column says the type; name it: [billing.supplier] type".to_owned());
        }
        if !(columns.has(Field::Quantity) || columns.has(Field::Points) || columns.has(Field::Amount)) {
            let which = "quantity, points or amount";
            return Err(format!("line 1: no column says {which}; name one of them under [billing.supplier]"));
        }
        Ok(columns)
    }

    fn has(&self, field: Field) -> bool {
        self.places.contains_key(&field)
    }

    fn states(&self) -> States {
        States {
            workloads: self.has(Field::Quantity),
            points: self.has(Field::Points),
            amount: self.has(Field::Amount),
        }
    }
}

struct Row<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
    reading: &'a Reading,
    book: &'a PriceBook,
}

impl Row<'_> {
    fn of(&self, field: Field) -> Option<&str> {
        let (place, _) = self.columns.places.get(&field)?;
        self.record.get(*place)
    }

    /// Named as documents name it, for rows of nobody too; `None`: the file has no such column.
    fn tenant(&self) -> Option<String> {
        let named = self.of(Field::Tenant)?;
        Some(if named.is_empty() { &self.book.no_tenant } else { named }.to_owned())
    }

    /// The settings' word for the article, else a type by its name, whatever its capitals.
    fn kind(&self) -> Result<WorkloadType, String> {
        let name = self.of(Field::Type).unwrap_or_default();
        if name.is_empty() {
            return Err(self.wrong(Field::Type, "is empty; take out lines of sums"));
        }
        let known = || WORKLOAD_TYPES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        let by_name = || known().map_or_else(|| WorkloadType::Other(name.to_owned()), |(kind, _)| kind.clone());
        Ok(self.reading.types.get(name).cloned().unwrap_or_else(by_name))
    }

    fn figures(&self) -> Result<Figures, String> {
        let currency = self.book.currency.code();
        match self.of(Field::Currency).filter(|stated| !stated.is_empty() && *stated != currency) {
            Some(_) => Err(self.wrong(Field::Currency, &format!("is not the price book's {currency}"))),
            None => Ok(Figures {
                workloads: self.number(Field::Quantity)?,
                points: self.number(Field::Points)?,
                amount: self.number(Field::Amount)?,
            }),
        }
    }

    /// An empty field of a column that is there is zero.
    fn number(&self, field: Field) -> Result<Option<Decimal>, String> {
        let Some(written) = self.of(field) else { return Ok(None) };
        if written.is_empty() {
            return Ok(Some(Decimal::ZERO));
        }
        let (point, other, remedy) = match self.reading.decimal {
            DecimalSign::Point => ('.', ',', "write decimal = \",\" under [billing.supplier]"),
            DecimalSign::Comma => (',', '.', "take decimal = \",\" out of [billing.supplier]"),
        };
        if written.contains(other) {
            let why = format!("is no plain number; without thousands signs, and if '{other}' is its point, {remedy}");
            return Err(self.wrong(field, &why));
        }
        let fits = |amount: &Decimal| amount.scale() <= SCALE_MAX && amount.abs() <= Decimal::from(AMOUNT_MAX);
        let digits = written.strip_prefix('-').unwrap_or(written);
        let plain = digits.starts_with(|sign: char| sign.is_ascii_digit())
            && digits.chars().all(|sign| sign.is_ascii_digit() || sign == point);
        let amount = Decimal::from_str_exact(&written.replace(point, ".")).ok().filter(|_| plain).filter(fits);
        amount.map(Some).ok_or_else(|| self.wrong(field, "is no plain number, such as 12.50"))
    }

    fn wrong(&self, field: Field, why: &str) -> String {
        let line = self.record.position().map_or(0, csv::Position::line);
        let column = self.columns.places.get(&field).map_or("", |(_, name)| name);
        let shown: String = self.of(field).unwrap_or_default().chars().take(SHOWN_MAX).collect();
        format!("line {line}, column '{column}': '{shown}' {why}")
    }
}
