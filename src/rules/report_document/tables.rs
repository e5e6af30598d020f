//! The tables of a report's document.

use std::collections::{BTreeMap, BTreeSet};

use super::{minute, number, text};
use crate::document::Align::{self, Left, Right};
use crate::document::{Block, Cell, Column, NewRow, Repeated, Rows, Section, Table};
use crate::domain::Points;
use crate::domain::calendar::minute_shown;
use crate::domain::report::{Line, Reason, ReportedWorkload, UsageReport};
use crate::domain::workload::WorkloadType;

/// Counts of several lines.
#[derive(Default)]
struct Sum {
    initial: u64,
    reported: u64,
    new: u64,
    points: Points,
}

impl Sum {
    fn add(&mut self, line: &Line) {
        self.initial += line.initial_count;
        self.reported += line.reported_count;
        self.new += line.new_count;
        self.points += line.points;
    }

    fn add_sum(&mut self, other: &Sum) {
        self.initial += other.initial;
        self.reported += other.reported;
        self.new += other.new;
        self.points += other.points;
    }
}

pub(super) fn column(name: &'static str, heading: &'static str, align: Align, width: u16) -> Column {
    Column { name, heading, align, width }
}

/// What the columns of the lines mean; it changes only when the meaning of one does.
const LINES_SCHEMA: &str = "tidegauge.usage-report-lines/1";

/// The report's lines as CSV has them: the contract is the names, not the order. Each line names its report, so that the
/// files of many months can be put together.
pub(super) fn lines(report: &UsageReport) -> Table {
    let mut columns = vec![
        column("schema", "Schema", Left, 2),
        column("unit", "Reporting unit", Left, 2),
        column("license_id", "License ID", Left, 2),
        column("month", "Month", Left, 2),
        column("revision", "Revision", Right, 2),
        column("server", "Server", Left, 3),
        column("tenant", "Tenant", Left, 3),
        column("type", "Type", Left, 3),
        column("weight", "Multiplier", Right, 2),
        column("initial_count", "As generated", Right, 2),
        column("reported_count", "Count", Right, 2),
        column("new_count", "New", Right, 2),
        column("rental_count", "Rental", Right, 2),
        column("points", "Points", Right, 2),
        column("digest", "Digest of the report", Left, 2),
    ];
    columns.extend(report.pseudonyms_of.iter().map(|_| column("pseudonyms_of", "Pseudonyms of", Left, 2)));
    let (month, license_id) = (report.month.to_string(), report.license_id.as_deref().unwrap_or_default());
    let mut rows = Rows::default();
    let head = [LINES_SCHEMA, &report.unit, license_id, &month].map(|text| rows.repeated(text));
    let tail: Vec<Repeated> =
        std::iter::once(&report.digest).chain(&report.pseudonyms_of).map(|text| rows.repeated(text)).collect();
    for line in &report.lines {
        rows.add(|mut row| {
            head.into_iter().for_each(|text| row.repeat(text));
            row.number(report.revision);
            row.text(&line.server);
            row.text(line.tenant.as_deref().unwrap_or_default());
            row.text(line.kind.as_str());
            row.number(line.weight);
            for count in [line.initial_count, line.reported_count, line.new_count, line.rental_count] {
                row.number(count);
            }
            row.number(line.points);
            tail.iter().for_each(|text| row.repeat(*text));
        });
    }
    Table { name: "lines", columns, rows, totals: Rows::default() }
}

/// Type, count, multiplier and points (domain.md 3.5).
pub(super) fn summary(report: &UsageReport) -> Section {
    let mut sums = BTreeMap::<(&WorkloadType, Points), Sum>::new();
    let mut all = Sum::default();
    for line in &report.lines {
        sums.entry((&line.kind, line.weight)).or_default().add(line);
        all.add(line);
    }
    let columns = vec![
        column("type", "Type", Left, 36),
        column("initial_count", "As generated", Right, 16),
        column("count", "Count", Right, 12),
        column("weight", "Multiplier", Right, 14),
        column("points", "Points", Right, 16),
        column("new_count", "New, not charged", Right, 20),
    ];
    let total = vec![
        text("Total"),
        number(all.initial),
        number(all.reported),
        Cell::Empty,
        number(report.total_points),
        number(all.new),
    ];
    let rounded = vec![
        text("Total (rounded up)"),
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        number(report.total_points_rounded),
        Cell::Empty,
    ];
    let mut table =
        Table { name: "summary", columns, rows: summary_rows(&sums), totals: [total, rounded].into_iter().collect() };
    if report.lines.iter().all(|line| line.initial_count == line.reported_count) {
        without(&mut table, "initial_count");
    }
    Section { heading: "Summary".to_owned(), blocks: vec![Block::Table(table)] }
}

/// A row a type; a type with several multipliers has their range above a row for each (domain.md 2.2).
fn summary_rows(sums: &BTreeMap<(&WorkloadType, Points), Sum>) -> Rows {
    let row = |name: String, weight: Cell, sum: &Sum| {
        vec![text(name), number(sum.initial), number(sum.reported), weight, number(sum.points), number(sum.new)]
    };
    let mut rows = Rows::default();
    for kind in sums.keys().map(|(kind, _)| *kind).collect::<BTreeSet<_>>() {
        let of_kind = || sums.iter().filter(|((of, _), _)| *of == kind).map(|((_, weight), sum)| (*weight, sum));
        let weights: Vec<Points> = of_kind().map(|(weight, _)| weight).collect();
        let mut name = type_name(kind).to_owned();
        if let [low, .., high] = weights[..] {
            let mut all = Sum::default();
            of_kind().for_each(|(_, sum)| all.add_sum(sum));
            rows.push(row(name.clone(), text(format!("{low}-{high}")), &all));
            name.push_str(", of them");
        }
        of_kind().for_each(|(weight, sum)| rows.push(row(name.clone(), number(weight), sum)));
    }
    rows
}

/// Points per tenant, for each type; absent when no line names a tenant.
pub(super) fn tenants(report: &UsageReport) -> Option<Section> {
    report.lines.iter().find(|line| line.tenant.is_some())?;
    let mut sums = BTreeMap::<(Option<&str>, &WorkloadType, Points), Sum>::new();
    for line in &report.lines {
        sums.entry((line.tenant.as_deref(), &line.kind, line.weight)).or_default().add(line);
    }
    let columns = vec![
        column("tenant", "Tenant", Left, 30),
        column("type", "Type", Left, 26),
        column("count", "Count", Right, 10),
        column("weight", "Multiplier", Right, 13),
        column("points", "Points", Right, 13),
        column("new_count", "New, not charged", Right, 19),
    ];
    let rows = sums.iter().map(|((tenant, kind, weight), sum)| {
        vec![
            text(tenant.unwrap_or("(no tenant)")),
            text(type_name(kind)),
            number(sum.reported),
            number(weight),
            number(sum.points),
            number(sum.new),
        ]
    });
    let table = Table { name: "tenants", columns, rows: rows.collect(), totals: Rows::default() };
    Some(Section { heading: "Points per tenant".to_owned(), blocks: vec![Block::Table(table)] })
}

/// Counts and points per backup server; absent when there is only one.
pub(super) fn servers(report: &UsageReport) -> Option<Section> {
    let mut sums = BTreeMap::<&str, Sum>::new();
    for line in &report.lines {
        sums.entry(&line.server).or_default().add(line);
    }
    if sums.len() + report.not_collected.len() < 2 {
        return None;
    }
    let columns = vec![
        column("server", "Server", Left, 44),
        column("count", "Count", Right, 16),
        column("points", "Points", Right, 18),
        column("new_count", "New, not charged", Right, 22),
    ];
    let counted = sums.iter();
    let counted =
        counted.map(|(server, sum)| vec![text(*server), number(sum.reported), number(sum.points), number(sum.new)]);
    let missing = report.not_collected.iter().filter(|server| !sums.contains_key(server.as_str()));
    let missing =
        missing.map(|server| vec![text(format!("{server} (not collected)")), Cell::Empty, Cell::Empty, Cell::Empty]);
    let table = Table { name: "servers", columns, rows: counted.chain(missing).collect(), totals: Rows::default() };
    Some(Section { heading: "Points per server".to_owned(), blocks: vec![Block::Table(table)] })
}

/// Every lowering with its reason; absent when there is none.
pub(super) fn adjustments(report: &UsageReport) -> Option<Section> {
    report.adjustments.first()?;
    let names = report.workloads.iter().map(|workload| ((&*workload.server, &*workload.id), &*workload.name));
    let names = names.collect::<BTreeMap<_, _>>();
    let columns = vec![
        column("at", "When (GMT)", Left, 15),
        column("by", "Who", Left, 12),
        column("what", "What", Left, 24),
        column("before", "Before", Right, 8),
        column("after", "After", Right, 8),
        column("reason", "Reason", Left, 33),
    ];
    let rows = report.adjustments.iter().map(|adjustment| {
        let server = adjustment.server.as_deref().unwrap_or_default();
        let kind = adjustment.kind.as_ref().map_or("", type_name);
        let what = match (&adjustment.workload, &adjustment.tenant) {
            (Some(id), _) => names.get(&(server, &**id)).copied().unwrap_or(id).to_owned(),
            (None, Some(tenant)) => format!("{tenant}: {kind}"),
            (None, None) => kind.to_owned(),
        };
        vec![
            minute(adjustment.at),
            text(&adjustment.by),
            text(what),
            number(&adjustment.before),
            number(&adjustment.after),
            text(&adjustment.reason),
        ]
    });
    let table = Table { name: "adjustments", columns, rows: rows.collect(), totals: Rows::default() };
    Some(Section { heading: "Adjustments".to_owned(), blocks: vec![Block::Table(table)] })
}

/// The counted workloads, one section per backup server.
pub(super) fn counted_workloads(report: &UsageReport) -> Vec<Section> {
    let counted = || report.workloads.iter().filter(|workload| workload.counted);
    let servers = counted().map(|workload| workload.server.as_str()).collect::<BTreeSet<_>>();
    let section = |server: &str| Section {
        heading: format!("Workloads on {server}"),
        blocks: vec![Block::Table(workloads("workloads", counted().filter(|workload| workload.server == server)))],
    };
    servers.into_iter().map(section).collect()
}

/// Workloads that are listed and not charged, for one reason; absent when there is none.
pub(super) fn left_out(report: &UsageReport, reason: Reason) -> Option<Section> {
    let (name, heading, why) = match reason {
        Reason::Protected => return None,
        Reason::New => (
            "new_workloads",
            "New workloads",
            "Processed for the first time this month: listed, not charged. They count from the next month on.",
        ),
        Reason::Rental => (
            "rental_machines",
            "Rental machines",
            "Licensed by their tenants' own rental licenses: listed, not charged.",
        ),
        Reason::Removed => (
            "removed_workloads",
            "Removed workloads",
            "Taken out of this report by a person; the reasons stand under Adjustments.",
        ),
    };
    let mut table = workloads(name, report.workloads.iter().filter(|workload| workload.reason == reason));
    table.rows.get(0)?;
    // They add nothing to the total, so their weight does not stand under "Points".
    table.columns[1] = column("weight", "Multiplier", Right, 11);
    let blocks = vec![Block::Paragraph(why.to_owned()), Block::Table(table)];
    Some(Section { heading: heading.to_owned(), blocks })
}

fn workloads<'a>(name: &'static str, workloads: impl Iterator<Item = &'a ReportedWorkload>) -> Table {
    let mut sorted = workloads.collect::<Vec<_>>();
    sorted.sort_by_key(|workload| (&workload.kind, &workload.name, &workload.server, &workload.id));
    let columns = vec![
        column("name", "Name", Left, 26),
        column("points", "Points", Right, 8),
        column("type", "Type", Left, 17),
        column("tenant", "Tenant", Left, 14),
        column("job", "Job", Left, 18),
        column("last_processed", "Last processed", Left, 16),
        column("note", "Note", Left, 17),
    ];
    let mut rows = Rows::default();
    for workload in &sorted {
        rows.add(|row| workload_row(row, workload));
    }
    let mut table = Table { name, columns, rows, totals: Rows::default() };
    if sorted.iter().all(|workload| workload.tenant.is_none()) {
        without(&mut table, "tenant");
    }
    table
}

fn workload_row(mut row: NewRow<'_>, workload: &ReportedWorkload) {
    row.text(&workload.name);
    row.number(if workload.counted { workload.points } else { workload.weight });
    match &workload.platform {
        Some(platform) => row.text(&format!("{} ({platform})", type_name(&workload.kind))),
        None => row.text(type_name(&workload.kind)),
    }
    row.text(workload.tenant.as_deref().unwrap_or_default());
    row.text(workload.job.as_deref().unwrap_or_default());
    match workload.last_restore_point_at {
        Some(at) => row.date(minute_shown(at)),
        None => row.empty(),
    }
    row.text(workload.note.as_deref().unwrap_or_default());
}

/// Takes a column out that would say nothing.
pub(super) fn without(table: &mut Table, name: &str) {
    if let Some(at) = table.columns.iter().position(|column| column.name == name) {
        table.columns.remove(at);
        table.rows = table.rows.without(at);
        table.totals = table.totals.without(at);
    }
}

/// The type as people read it; an unknown one as it came.
pub(super) fn type_name(kind: &WorkloadType) -> &str {
    match kind {
        WorkloadType::Vm => "VM",
        WorkloadType::Server => "Server",
        WorkloadType::Workstation => "Workstation",
        WorkloadType::Application => "Application",
        WorkloadType::CloudVm => "Cloud VM",
        WorkloadType::FileShare => "File share",
        WorkloadType::EntraIdUser => "Entra ID user",
        WorkloadType::CloudConnectVm => "Cloud Connect VM",
        WorkloadType::CloudConnectReplica => "Cloud Connect replica",
        WorkloadType::CloudConnectWorkstation => "Cloud Connect workstation",
        WorkloadType::CloudConnectServer => "Cloud Connect server",
        WorkloadType::Other(name) => name,
    }
}
