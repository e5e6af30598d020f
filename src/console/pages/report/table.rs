//! The workloads of a report, and the counts of Cloud Connect tenants, as a form to choose in.

use super::answers::{GridRow, Head, Total, Workload, Workloads};
use super::place::Place;
use crate::console::forms::Fields;
use crate::console::frame::Visit;
use crate::console::shown::{Amount, When};
use crate::domain::Points;
use crate::domain::report::Reason;

/// How lines without a tenant are asked for.
const NO_TENANT: &str = "(none)";
/// Names to choose a filter from; of more, the name is typed.
const CHOICES_MAX: usize = 200;
/// Counts of the grid that are shown; the filters reach the others.
const COUNTS_MAX: usize = 100;

/// Columns: the word that sorts by it, and its heading.
pub const COLUMNS: [(&str, &str); 6] = [
    ("name", "Workload"),
    ("tenant", "Tenant"),
    ("type", "Type"),
    ("server", "Server"),
    ("last_restore_point", "Last restore point"),
    ("points", "Points"),
];

/// Why workloads stand in a report, and the words for it.
const STATES: [(Reason, &str, &str); 4] = [
    (Reason::Protected, "protected", "counts"),
    (Reason::New, "new", "new, free this month"),
    (Reason::Rental, "rental", "has its own rental license"),
    (Reason::Removed, "removed", "taken out"),
];

/// One page of workloads.
pub struct Table {
    pub matches: u64,
    pub points: Amount,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub kinds: Choices,
    pub tenants: Choices,
    pub servers: Choices,
    pub states: Choices,
    pub sorts: Choices,
}

/// A column's head.
pub struct Column {
    pub heading: &'static str,
    pub href: String,
    /// `ascending`, `descending`.
    pub direction: Option<&'static str>,
    pub is_number: bool,
}

/// What one may filter or sort by.
pub struct Choices {
    /// Value and words; none when there are too many to choose from.
    pub all: Vec<(String, String)>,
    pub picked: String,
}

/// One workload.
pub struct Row {
    pub it: Workload,
    /// `server/id`, as adjustments name it.
    pub named: String,
    pub points: Amount,
    pub last_at: Option<When>,
    pub state: &'static str,
    pub can_be_picked: bool,
    pub is_picked: bool,
}

impl Table {
    pub fn of(visit: &Visit, place: &Place, head: &Head, found: Workloads, fields: &Fields, adjusts: bool) -> Table {
        let picked: Vec<&str> = fields.all("pick").collect();
        let row = |it: Workload| {
            let named = it.named();
            Row {
                points: Amount::of(it.points),
                last_at: it.last_restore_point_at.map(|at| visit.when(at)),
                state: STATES.iter().find(|(reason, ..)| *reason == it.reason).map_or("", |(_, _, words)| words),
                can_be_picked: adjusts && it.can_be_removed,
                is_picked: picked.contains(&named.as_str()),
                named,
                it,
            }
        };
        let stated = |(value, words): (&str, &str)| (value.to_owned(), words.to_owned());
        Table {
            matches: found.matches,
            points: Amount::of(found.points),
            columns: COLUMNS.iter().map(|(by, heading)| Column::of(place, by, heading)).collect(),
            previous: place.previous(found.after),
            next: place.next(found.next),
            kinds: Choices::of(place, "type", &head.totals.by_type),
            tenants: Choices::of(place, "tenant", &head.totals.by_tenant),
            servers: Choices::of(place, "machine_server", &head.totals.by_server),
            states: Choices {
                all: STATES.iter().map(|(_, value, words)| stated((value, words))).collect(),
                picked: place.get("state").to_owned(),
            },
            sorts: Choices {
                all: COLUMNS.iter().map(|(by, heading)| stated((by, heading))).collect(),
                picked: place.get("sort").to_owned(),
            },
            rows: found.workloads.into_iter().map(row).collect(),
        }
    }
}

impl Column {
    fn of(place: &Place, by: &'static str, heading: &'static str) -> Column {
        Column { heading, href: place.sorted_by(by), direction: place.direction(by), is_number: by == "points" }
    }
}

impl Choices {
    fn of(place: &Place, name: &str, totals: &[Total]) -> Choices {
        let stated = |total: &Total| match &total.key {
            Some(key) => (key.clone(), key.clone()),
            None => (NO_TENANT.to_owned(), "none".to_owned()),
        };
        let some = Some(totals).filter(|totals| totals.len() <= CHOICES_MAX).unwrap_or_default();
        Choices { all: some.iter().map(stated).collect(), picked: place.get(name).to_owned() }
    }

    /// The names are too many to choose from.
    pub fn is_typed(&self) -> bool {
        self.all.is_empty()
    }
}

/// The counts of Cloud Connect tenants that the filters let pass.
pub struct Counted {
    pub rows: Vec<CountRow>,
    pub left_out: usize,
}

/// A tenant's count.
pub struct CountRow {
    pub tenant: String,
    pub it: GridRow,
    pub can_be_lowered: bool,
    /// What is lowered, as the form carries it.
    pub of: String,
    /// `New count for TENANT TYPE`.
    pub label: String,
    /// What was typed before the form was refused.
    pub typed: String,
}

/// Tenant, type and weight of a count, as a form carries them.
pub type CountOf = (Option<String>, String, Points);

impl Counted {
    pub fn of(place: &Place, head: &Head, fields: &Fields, adjusts: bool) -> Counted {
        let typed: Vec<(&str, &str)> = fields.all("count_of").zip(fields.all("count")).collect();
        let search = place.get("search").to_lowercase();
        let passes = |row: &&GridRow| {
            let tenant = row.tenant.as_deref().unwrap_or(NO_TENANT);
            (place.get("tenant").is_empty() || place.get("tenant") == tenant)
                && (place.get("type").is_empty() || place.get("type") == row.kind)
                && (search.is_empty() || tenant.to_lowercase().contains(&search))
        };
        let found: Vec<&GridRow> = head.adjust_grid.iter().filter(passes).collect();
        let row = |it: &GridRow| CountRow::of(head, it, &typed, adjusts);
        let rows: Vec<CountRow> = found.iter().take(COUNTS_MAX).map(|it| row(it)).collect();
        Counted { left_out: found.len() - rows.len(), rows }
    }
}

impl CountRow {
    fn of(head: &Head, it: &GridRow, typed: &[(&str, &str)], adjusts: bool) -> CountRow {
        let count_of: CountOf = (it.tenant.clone(), it.kind.clone(), it.weight);
        let of = serde_json::to_string(&count_of).expect("names and points are text");
        let alike = head.adjust_grid.iter().filter(|row| row.tenant == it.tenant && row.kind == it.kind).count();
        let weight = if alike > 1 { format!(" at {}", it.weight) } else { String::new() };
        let tenant = it.tenant.clone().unwrap_or_else(|| "no tenant".to_owned());
        CountRow {
            label: format!("New count for {tenant} {}{weight}", it.kind),
            typed: typed.iter().find(|(other, _)| *other == of).map_or(String::new(), |(_, count)| (*count).to_owned()),
            can_be_lowered: adjusts && it.adjustable && it.count > 0,
            of,
            tenant,
            it: it.clone(),
        }
    }
}
