//! Where somebody is on the report page: the report, and how its table of workloads is narrowed and sorted.

use serde_json::{Map, Value, json};

use crate::agent::Refused;
use crate::agent::asked::{ReportAsked, WorkloadsAsked};
use crate::agent::orders::Target;
use crate::console::forms::Fields;
use crate::console::shown::encoded;
use crate::domain::Month;

/// What is kept in addresses and forms besides the report's unit and month.
const KEPT: [&str; 9] =
    ["revision", "search", "type", "tenant", "machine_server", "state", "sort", "descending", "after"];
/// Rows of one page of the table.
const ROWS: u32 = 50;

/// One report, one page of its table.
pub struct Place {
    pub unit: String,
    pub month: Month,
    /// Names of [`KEPT`] with their values, never empty.
    kept: Vec<(&'static str, String)>,
}

impl Place {
    /// As an address or a form says it.
    pub fn of(fields: &Fields, unit: String, month: Month) -> Place {
        let kept = KEPT.into_iter().filter_map(|name| Some((name, fields.text(name)?.to_owned())));
        Place { unit, month, kept: kept.collect() }
    }

    /// What is kept under this name; empty: nothing.
    pub fn get(&self, name: &str) -> &str {
        self.kept.iter().find(|(kept, _)| *kept == name).map_or("", |(_, value)| value)
    }

    /// What forms carry, so that they come back to this place.
    pub fn kept(&self) -> impl Iterator<Item = &(&'static str, String)> {
        self.kept.iter()
    }

    /// Unit and month as part of an address.
    pub fn query(&self) -> String {
        format!("unit={}&month={}", encoded(&self.unit), self.month)
    }

    /// The address of this place.
    pub fn address(&self) -> String {
        self.with(&[])
    }

    /// The address with these values instead; an empty one is left out.
    pub fn with(&self, changed: &[(&'static str, &str)]) -> String {
        let value = |name: &'static str| {
            changed.iter().find(|(other, _)| *other == name).map_or_else(|| self.get(name), |(_, value)| *value)
        };
        let stated = KEPT.into_iter().map(|name| (name, value(name))).filter(|(_, value)| !value.is_empty());
        let stated: String = stated.map(|(name, value)| format!("&{name}={}", encoded(value))).collect();
        format!("{}?{}{stated}", super::PAGE.path, self.query())
    }

    /// The address that sorts by this column; the other way round when it is sorted so already.
    pub fn sorted_by(&self, column: &str) -> String {
        let turned = if self.get("sort") == column && self.get("descending") != "true" { "true" } else { "" };
        self.with(&[("sort", column), ("descending", turned), ("after", "")])
    }

    /// `ascending` or `descending` when the table is sorted by this column.
    pub fn direction(&self, column: &str) -> Option<&'static str> {
        let sorted_by = Some(self.get("sort")).filter(|sort| !sort.is_empty()).unwrap_or("name");
        let direction = if self.get("descending") == "true" { "descending" } else { "ascending" };
        (sorted_by == column).then_some(direction)
    }

    /// The page before this one, when there is one.
    pub fn previous(&self, after: u64) -> Option<String> {
        let before = after.saturating_sub(u64::from(ROWS));
        let before = if before == 0 { String::new() } else { before.to_string() };
        (after > 0).then(|| self.with(&[("after", &before)]))
    }

    /// The page after this one, when there is one.
    pub fn next(&self, next: Option<u64>) -> Option<String> {
        next.map(|after| self.with(&[("after", &after.to_string())]))
    }

    pub fn target(&self) -> Target {
        Target { unit: Some(self.unit.clone()), server: None, month: Some(self.month) }
    }

    /// The report that is looked at.
    ///
    /// # Errors
    /// 65 for a revision that is no number.
    pub fn report(&self) -> Result<ReportAsked, Refused> {
        read(json!({"unit": self.unit, "month": self.month, "revision": self.get("revision")}))
    }

    /// The page of its table.
    ///
    /// # Errors
    /// 65 for a value that is none of its field.
    pub fn table(&self) -> Result<WorkloadsAsked, Refused> {
        // A form's `reason` is why a report is adjusted, so the filter has another name here.
        let named = |name: &str| if name == "state" { "reason".to_owned() } else { name.to_owned() };
        let stated = self.kept.iter().map(|(name, value)| (named(name), json!(value)));
        let mut asked: Map<String, Value> = stated.collect();
        asked.extend([("unit".to_owned(), json!(self.unit)), ("month".to_owned(), json!(self.month))]);
        asked.insert("limit".to_owned(), json!(ROWS));
        read(Value::Object(asked))
    }
}

fn read<T: serde::de::DeserializeOwned>(asked: Value) -> Result<T, Refused> {
    serde_json::from_value(asked).map_err(|error| Refused::new(65, format!("the address is not understood: {error}")))
}
