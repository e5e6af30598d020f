//! The monthly report as a VSPC console answers it, read leniently (api.md 3.2).

use serde::Deserialize;

use crate::sources::lenient::{Number, Rows, Text};

/// A row of `GET /licensing/reports/{date}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ReportRow<'a> {
    pub report_status: Text<'a>,
    /// VSPC 8.1 spells it `reportParemeters`.
    #[serde(alias = "reportParemeters")]
    pub report_parameters: Option<ParametersRow<'a>>,
    pub report_summary: Option<SummaryRow<'a>>,
    /// What the report says of its own licensee's keys.
    #[serde(flatten)]
    pub own: PartRow<'a>,
    /// Keys issued to other companies.
    pub appendices: Option<Rows<AppendixRow<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ParametersRow<'a> {
    pub report_id: Text<'a>,
    pub report_interval: Option<IntervalRow<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct IntervalRow<'a> {
    pub start_of_interval: Text<'a>,
    pub end_of_interval: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct SummaryRow<'a> {
    pub products_usage: Option<Rows<TotalRow<'a>>>,
}

/// Points of one product in all.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct TotalRow<'a> {
    pub product_type: Text<'a>,
    pub total_points: Number,
}

/// Usage by company and license, and the servers it leaves out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct PartRow<'a> {
    pub not_collected_cloud_servers: Option<Rows<Text<'a>>>,
    pub cloned_cloud_servers: Option<Rows<Text<'a>>>,
    pub unsupported_cloud_servers: Option<Rows<Text<'a>>>,
    pub usage_details: Option<Rows<DetailRow<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct AppendixRow<'a> {
    pub appendix_summary: Option<SummaryRow<'a>>,
    #[serde(flatten)]
    pub part: PartRow<'a>,
}

/// Usage of one company under one support id.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct DetailRow<'a> {
    pub organization_uid: Text<'a>,
    pub organization_name: Text<'a>,
    pub not_collected_client_servers: Option<Rows<Text<'a>>>,
    pub cloned_client_servers: Option<Rows<Text<'a>>>,
    pub unsupported_client_servers: Option<Rows<Text<'a>>>,
    pub usage_by_license_and_product: Option<Rows<ProductRow<'a>>>,
}

/// Usage of one license and product.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ProductRow<'a> {
    pub license_id: Text<'a>,
    pub product_type: Text<'a>,
    pub used_points: Number,
    pub workload_usage: Option<Rows<WorkloadRow<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct WorkloadRow<'a> {
    pub workload_type: Text<'a>,
    pub description: Text<'a>,
    #[serde(flatten)]
    pub tally: TallyRow,
    pub workloads_by_platform: Option<Rows<PlatformRow<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct PlatformRow<'a> {
    pub type_id: Text<'a>,
    pub objects_by_weight: Option<Rows<TallyRow>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TallyRow {
    pub weight: Number,
    pub initial_count: Number,
    pub reported_count: Number,
    pub new_count: Number,
    pub used_points: Number,
}
