//! What a VSPC console answers, read leniently (api.md 3 and 8).

use serde::Deserialize;

use crate::ask::HttpAnswer;
use crate::sources::lenient::{Number, Rows, Text};
use crate::sources::reply;

/// `POST /token`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct TokenAnswer<'a> {
    pub access_token: Text<'a>,
    pub mfa_token: Text<'a>,
}

/// Data in its envelope: `null` data stands for none, where none may be.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>, 'de: 'a"))]
pub struct Envelope<'a, T> {
    #[serde(default)]
    pub data: Option<Rows<T>>,
    #[serde(default)]
    pub meta: Option<Meta>,
    #[serde(default)]
    pub errors: Option<Rows<ErrorRow<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Meta {
    pub paging_info: Option<PagingInfo>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PagingInfo {
    pub total: Number,
}

impl<T> Envelope<'_, T> {
    pub fn rows(&self) -> &[T] {
        self.data.as_ref().map_or(&[], |rows| &rows.0)
    }

    /// How many rows the whole list has, when the console says so.
    pub fn total(&self) -> Option<u64> {
        self.meta.as_ref()?.paging_info.as_ref()?.total.count()
    }
}

/// One error of an envelope.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct ErrorRow<'a> {
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub message: Text<'a>,
}

/// Any refusal: an envelope's errors, or those of OAuth 2.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Refusal<'a> {
    pub errors: Option<Rows<ErrorRow<'a>>>,
    error: Text<'a>,
    error_description: Text<'a>,
}

/// `GET /asyncActions/{id}`. The document calls the status an object; it is a text.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct ActionRow<'a> {
    pub status: Text<'a>,
}

/// `POST /licensing/reports/finalization`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct FinalizationRow<'a> {
    pub report_approval_status: Text<'a>,
    pub message: Text<'a>,
}

/// A row of `GET /organizations/companies`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct CompanyRow<'a> {
    pub instance_uid: Text<'a>,
    pub name: Text<'a>,
}

/// A row of `GET /infrastructure/backupServers`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ServerRow<'a> {
    pub instance_uid: Text<'a>,
    pub name: Text<'a>,
    pub installation_uid: Text<'a>,
    pub status: Text<'a>,
}

/// A row of `GET /infrastructure/sites`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct SiteRow<'a> {
    pub site_uid: Text<'a>,
    pub site_name: Text<'a>,
    pub backup_server_uid: Text<'a>,
}

/// A row of `GET /licensing/backupServers` and of `GET /licensing/sites`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct LicenseRow<'a> {
    #[serde(alias = "siteUid")]
    pub backup_server_uid: Text<'a>,
    pub auto_update_enabled: Option<bool>,
    pub edition: Text<'a>,
    pub packages: Option<Rows<Text<'a>>>,
    pub company: Text<'a>,
    pub expiration_date: Text<'a>,
    pub support_expiration_date: Text<'a>,
    pub license_ids: Option<Rows<Text<'a>>>,
    pub support_ids: Option<Rows<Text<'a>>>,
    pub status: Text<'a>,
    pub cloud_connect: Text<'a>,
    pub units: Number,
    pub used_units: Number,
    pub sockets: Number,
    pub used_sockets: Number,
    /// Terabytes.
    pub capacity: Number,
    pub used_capacity: Number,
    #[serde(rename = "type")]
    pub kind: Text<'a>,
}

/// A row of `GET /licensing/usage/organizations`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct UsageRow<'a> {
    pub organization_uid: Text<'a>,
    pub organization_type: Text<'a>,
    pub servers: Option<Rows<ServerUsageRow<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ServerUsageRow<'a> {
    pub server_uid: Text<'a>,
    pub server_type: Text<'a>,
    pub workloads: Option<Rows<WorkloadRow<'a>>>,
}

/// Usage of one kind of workload; the rows by platform hold the same without a list of their own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct WorkloadRow<'a> {
    pub type_id: Text<'a>,
    pub description: Text<'a>,
    pub weight: Number,
    pub used_units: Number,
    pub new_units: Number,
    pub used_count: Number,
    pub new_count: Number,
    pub rental_count: Number,
    pub workloads_by_platform: Option<Rows<WorkloadRow<'a>>>,
}

/// Reads the body as JSON, or says what it is instead.
pub fn read<'a, T: Deserialize<'a>>(answer: &'a HttpAnswer) -> Result<T, String> {
    reply::read(answer, "VSPC's port (1280)")
}

/// What the console said in a refusal, in one short line.
pub fn refusal(answer: &HttpAnswer) -> String {
    let refusal: Refusal = read(answer).unwrap_or_default();
    let rows = refusal.errors.as_ref().map_or(&[][..], |rows| &rows.0);
    let said = rows.iter().map(|row| &row.message).chain([&refusal.error_description, &refusal.error]);
    reply::said(answer.status, said.into_iter().find_map(Text::get))
}
