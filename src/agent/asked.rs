//! What pages ask of reports, usage and billing. Numbers and switches may come as text, as a form's fields do.

use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use crate::domain::Month;
use crate::domain::report::Reason;
use crate::domain::workload::WorkloadType;
use crate::rules::workload_table::SortBy;

use super::access::By;
use super::orders::Target;

pub use crate::rules::usage_series::Step;

/// One report; the newest month and revision unless they are named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ReportAsked {
    pub unit: Option<String>,
    pub server: Option<String>,
    pub month: Option<Month>,
    #[serde(deserialize_with = "stated")]
    pub revision: Option<u32>,
}

/// A page of a report's workloads; what is not said lets all pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkloadsAsked {
    pub unit: Option<String>,
    /// Whose reporting unit is meant, as everywhere.
    pub server: Option<String>,
    pub month: Option<Month>,
    #[serde(deserialize_with = "stated")]
    pub revision: Option<u32>,
    /// A part of name, id, server, job or tenant.
    #[serde(deserialize_with = "stated")]
    pub search: Option<String>,
    /// `(none)` for workloads without one.
    #[serde(deserialize_with = "stated")]
    pub tenant: Option<String>,
    #[serde(rename = "type", deserialize_with = "stated")]
    pub kind: Option<WorkloadType>,
    /// The server that workloads stand on.
    #[serde(deserialize_with = "stated")]
    pub machine_server: Option<String>,
    pub reason: Option<Reason>,
    #[serde(deserialize_with = "stated")]
    pub counted: Option<bool>,
    pub sort: SortBy,
    #[serde(deserialize_with = "switch")]
    pub descending: bool,
    /// Rows before the page.
    #[serde(deserialize_with = "stated")]
    pub after: Option<u32>,
    /// Rows of the page, at most 1000; 50 when it is not said.
    #[serde(deserialize_with = "stated")]
    pub limit: Option<u32>,
}

/// Usage of a period; of the last 31 days unless it is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UsageOverAsked {
    pub unit: Option<String>,
    pub server: Option<String>,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day; one after today adds the forecast.
    pub until: Option<NaiveDate>,
    pub by: By,
    /// `(none)` for what has no tenant.
    #[serde(deserialize_with = "stated")]
    pub tenant: Option<String>,
    #[serde(rename = "type", deserialize_with = "stated")]
    pub kind: Option<WorkloadType>,
    pub step: Step,
}

/// A billing document as a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct BillingFileAsked {
    pub unit: Option<String>,
    pub server: Option<String>,
    pub month: Option<Month>,
    /// A row of `billing::export::EXPORTS`, or a profile of the settings.
    pub format: String,
    /// The ending of files; the format's first one when a file is one alone.
    #[serde(deserialize_with = "stated")]
    pub ending: Option<String>,
    /// An issued one by its place in the month; else the next one as it would be.
    #[serde(deserialize_with = "stated")]
    pub document: Option<u32>,
    /// Of statements only this tenant's.
    #[serde(deserialize_with = "stated")]
    pub tenant: Option<String>,
}

impl ReportAsked {
    /// The unit and month.
    pub fn target(&self) -> Target {
        Target { unit: self.unit.clone(), server: self.server.clone(), month: self.month }
    }
}

/// A value as itself or as text; an empty text says nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stated<T> {
    Text(String),
    Is(T),
}

fn stated<'de, D: Deserializer<'de>, T: Deserialize<'de> + FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    match Option::<Stated<T>>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Stated::Is(value)) => Ok(Some(value)),
        Some(Stated::Text(text)) if text.is_empty() => Ok(None),
        Some(Stated::Text(text)) => match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(de::Error::invalid_value(de::Unexpected::Str(&text), &"a value of this field")),
        },
    }
}

fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(stated(deserializer)?.unwrap_or_default())
}
