//! A tenant's statement: what it owes for the month, line by line, and where each number comes from.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::exact::written;
use super::export::{Beside, Content, Names, NotExported, Sheet, made_at, stem_of};
use super::invoice::{Invoice, InvoiceLine, Standing, TenantSum};
use super::line::{Amounts, What};
use super::lines_file::{Reader, number, table, text};
use crate::document::Align::{self, Left, Right};
use crate::document::{Block, Cell, Column, Document, Figure, Rows, Section, Table};
use crate::seal::{canonical, digest};

/// Longest part of a file's name that a tenant's name gives.
const NAME_MAX: usize = 40;
/// Hex digits of the name's SHA-256 that tell apart what looks alike.
const MARK: usize = 12;

/// What a statement of some units says of itself.
const PART: &str = "Only a part of this document: usage of some servers, without minimums and rounding.";

/// What a statement under pseudonyms says of itself.
const PSEUDONYMS: &str = "Names, customer numbers and ids of lines are pseudonyms: the same name has the same one in \
                          every document. The document with the names has the digest under \"Pseudonyms of\".";

/// One statement for each tenant of the document that has something to see in it.
pub(super) fn sheets(invoice: &Invoice, beside: &Beside) -> Result<Vec<Sheet>, NotExported> {
    let sheet = |sum: &TenantSum| Sheet {
        stem: format!("{}-{}", stem_of(invoice), file_name(&sum.tenant)),
        content: Content::Drawn(Box::new(statement(invoice, sum, &beside.names))),
    };
    let sees = |sum: &&TenantSum| invoice.lines.iter().any(|line| line.key.tenant == sum.tenant && is_seen(line));
    Ok(invoice.tenants.iter().filter(sees).map(sheet).collect())
}

/// Letters and digits of the name, which every file system takes, and never the same for two tenants.
fn file_name(tenant: &str) -> String {
    let words = tenant.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.collect::<Vec<&str>>().join("-").chars().take(NAME_MAX).collect();
    let mark = digest::sha256_hex(tenant.as_bytes());
    let mark = &mark[..MARK];
    if name.is_empty() { mark.to_owned() } else { format!("{name}-{mark}") }
}

fn statement(invoice: &Invoice, sum: &TenantSum, names: &Names) -> Document {
    let of_tenant = |line: &&InvoiceLine| line.key.tenant == sum.tenant && is_seen(line);
    let lines: Vec<&InvoiceLine> = invoice.lines.iter().filter(of_tenant).collect();
    let record = json!({"document": invoice.number, "tenant": sum.tenant, "digest": invoice.digest});
    let number = sum.customer_number.as_ref().map_or(String::new(), |number| format!(" · customer {number}"));
    Document {
        title: format!("{} {}", title(invoice), invoice.month.name()),
        subtitle: format!("{}{number} · document {}", sum.tenant, invoice.number),
        language: "en".to_owned(),
        digest: invoice.digest.clone(),
        generated_at: made_at(invoice),
        record: canonical::lines_without(&record, &[]),
        lines: table(invoice, lines.iter().copied(), Reader::Tenant),
        sections: [Some(at_a_glance(invoice, sum)), Some(charges(invoice, sum, &lines)), machines(&lines, names)]
            .into_iter()
            .flatten()
            .chain([origin(invoice, &lines)])
            .collect(),
    }
}

fn title(invoice: &Invoice) -> &'static str {
    match (&invoice.standing, invoice.sequence) {
        (Standing::Draft { .. }, _) => "Draft statement",
        (Standing::Issued { .. }, 1) => "Statement",
        (Standing::Issued { .. }, _) => "Correction to the statement",
    }
}

fn at_a_glance(invoice: &Invoice, sum: &TenantSum) -> Section {
    let figure = |name: &str, of: &Amounts| Figure {
        name: format!("{name} in {}", invoice.currency),
        value: of.amount.to_string(),
        remark: format!("{} points, {} workloads", of.points, of.workloads),
    };
    let figures = match (invoice.sequence, invoice.is_part()) {
        (1, _) => vec![figure("Amount", &sum.owed)],
        (_, true) => vec![figure("Difference", &sum.owed)],
        (_, false) => vec![figure("Difference", &sum.owed), figure("The month altogether", &sum.month)],
    };
    let mut blocks = vec![Block::Figures(figures)];
    if let Standing::Draft { why } = &invoice.standing {
        blocks.push(Block::Warning(format!("Provisional, not to be billed: {}.", why.join("; "))));
    }
    if invoice.is_part() {
        blocks.push(Block::Warning(PART.to_owned()));
    }
    if let Some(before) = &invoice.corrects {
        blocks.push(Block::Paragraph(format!(
            "Corrects {before}: it holds what changed since and is added to the documents before it."
        )));
    }
    let month = format!("{} to {} (GMT)", invoice.month.first_day(), invoice.month.last_day());
    let mut facts = vec![("Tenant", sum.tenant.clone()), ("Document", invoice.number.clone()), ("Period", month)];
    facts.extend(sum.customer_number.clone().map(|number| ("Customer number", number)));
    facts.extend(invoice.tax_note.clone().map(|note| ("Tax", note)));
    blocks.push(Block::Facts(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()));
    Section { heading: String::new(), blocks }
}

fn column(name: &'static str, heading: &'static str, align: Align, width: u16) -> Column {
    Column { name, heading, align, width }
}

fn charges(invoice: &Invoice, sum: &TenantSum, lines: &[&InvoiceLine]) -> Section {
    let columns = vec![
        column("charge", "Charge", Left, 34),
        column("server", "Server", Left, 18),
        column("workloads", "Workloads", Right, 13),
        column("points", "Points", Right, 12),
        column("unit_price", "Price", Right, 16),
        column("amount", "Amount", Right, 15),
    ];
    let total = vec![
        text(&format!("Total in {}", invoice.currency)),
        Cell::Empty,
        number(sum.owed.workloads),
        number(sum.owed.points),
        Cell::Empty,
        number(sum.owed.amount),
    ];
    let table = Table {
        name: "charges",
        columns,
        rows: lines.iter().map(|line| charge(invoice, line)).collect(),
        totals: [total].into_iter().collect(),
    };
    Section { heading: "Charges".to_owned(), blocks: vec![Block::Table(table)] }
}

fn charge(invoice: &Invoice, line: &InvoiceLine) -> Vec<Cell> {
    let money = |amount| written(amount, invoice.decimals);
    let amount = number(line.amounts.amount);
    let other = |what: String, amount| vec![text(&what), Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty, amount];
    match &line.key.what {
        What::Usage(usage) => {
            let tier = usage.rate.above.map_or(String::new(), |above| format!(", above {above} points"));
            vec![
                text(&format!("{}, {} points each{tier}", usage.kind, usage.weight)),
                text(&usage.server),
                number(line.amounts.workloads),
                number(line.amounts.points),
                text(&format!("{} / {}", money(usage.rate.unit_price), usage.rate.per.as_str())),
                amount,
            ]
        }
        What::Minimum { minimum } => other(format!("Shortfall to the minimum of {}", money(*minimum)), amount),
        What::MinimumTotal { minimum } => {
            other(format!("Shortfall to the minimum of {} in all", money(*minimum)), amount)
        }
        What::Rounding => other("Rounding".to_owned(), amount),
    }
}

/// What a tenant sees of a line: what the supplier asks alone is not its business.
fn is_seen(line: &InvoiceLine) -> bool {
    line.amounts.is_something()
}

/// The machines behind the lines by name; absent when the reports hold counts only.
fn machines(lines: &[&InvoiceLine], names: &Names) -> Option<Section> {
    let mut behind: BTreeSet<(&str, &str, &str, &str)> = BTreeSet::new();
    for line in lines {
        let (What::Usage(usage), Some(source)) = (&line.key.what, &line.source) else { continue };
        let named = |id: &String| names.get(&(usage.server.clone(), id.clone())).map(String::as_str);
        let of = |id| (usage.server.as_str(), usage.kind.as_str(), named(id).unwrap_or(id), id.as_str());
        behind.extend(source.workloads.iter().map(of));
    }
    behind.first()?;
    let columns = vec![
        column("server", "Server", Left, 25),
        column("type", "Type", Left, 25),
        column("name", "Workload", Left, 50),
    ];
    let rows = behind.iter().map(|(server, kind, name, _)| vec![text(server), text(kind), text(name)]).collect();
    let corrects = lines.iter().any(|line| line.corrects.is_some());
    let heading = if corrects { "Workloads that came or went" } else { "Workloads" }.to_owned();
    Some(Section {
        heading,
        blocks: vec![Block::Table(Table { name: "workloads", columns, rows, totals: Rows::default() })],
    })
}

/// Reports and their lines behind each charge.
fn origin(invoice: &Invoice, lines: &[&InvoiceLine]) -> Section {
    let mut behind: BTreeMap<(&str, u32), BTreeSet<u32>> = BTreeMap::new();
    for source in lines.iter().filter_map(|line| line.source.as_ref()) {
        behind.entry((&source.report, source.revision)).or_default().extend(&source.lines);
    }
    let mut facts: Vec<(String, String)> = Vec::new();
    for ((report, revision), lines) in behind {
        let lines = if lines.is_empty() {
            "none any more".to_owned()
        } else {
            lines.iter().map(u32::to_string).collect::<Vec<String>>().join(", ")
        };
        facts.push((format!("Report revision {revision}"), format!("{report}, lines {lines}")));
    }
    facts.push(("Document ID".to_owned(), invoice.id.clone()));
    facts.push(("Digest".to_owned(), invoice.digest.clone()));
    facts.extend(invoice.pseudonyms_of.clone().map(|original| ("Pseudonyms of".to_owned(), original)));
    let how =
        "Charges come from the monthly usage reports named here; every line has an id in the CSV file beside this one.";
    let mut blocks = vec![Block::Facts(facts), Block::Paragraph(how.to_owned())];
    blocks.extend(invoice.pseudonyms_of.as_ref().map(|_| Block::Paragraph(PSEUDONYMS.to_owned())));
    Section { heading: "Origin".to_owned(), blocks }
}
