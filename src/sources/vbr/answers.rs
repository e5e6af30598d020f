//! What a VBR server answers, read leniently (api.md 2 and 8).

use serde::Deserialize;

use crate::ask::HttpAnswer;
use crate::sources::lenient::{Number, Rows, Text};
use crate::sources::reply;

/// `POST /api/oauth2/token`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct TokenAnswer<'a> {
    pub access_token: Text<'a>,
    pub refresh_token: Text<'a>,
    pub expires_in: Number,
}

/// The body of a refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ErrorAnswer<'a> {
    pub error_code: Text<'a>,
    pub message: Text<'a>,
    /// Of OAuth 2 refusals.
    #[serde(rename = "error")]
    pub oauth_error: Text<'a>,
    #[serde(rename = "error_description")]
    pub oauth_description: Text<'a>,
}

/// `GET /api/v1/serverTime`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ServerTimeAnswer<'a> {
    pub server_time: Text<'a>,
    pub iana_time_zone_id: Text<'a>,
}

/// `GET /api/v1/serverInfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ServerInfoAnswer<'a> {
    pub vbr_id: Text<'a>,
    pub build_version: Text<'a>,
}

/// `GET /api/v1/license`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct LicenseAnswer<'a> {
    pub status: Text<'a>,
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub edition: Text<'a>,
    pub cloud_connect: Text<'a>,
    pub licensed_to: Text<'a>,
    pub support_id: Text<'a>,
    pub auto_update_enabled: Option<bool>,
    pub expiration_date: Text<'a>,
    pub support_expiration_date: Text<'a>,
    pub instance_license_summary: Option<InstanceSummary<'a>>,
    pub socket_license_summary: Option<SocketSummary<'a>>,
    pub capacity_license_summary: Option<CapacitySummary<'a>>,
}

/// `POST /api/v1/license/update`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct UpdateAnswer<'a> {
    pub message: Text<'a>,
    pub is_successful: Option<bool>,
}

/// Its instance section; from 1.3-rev2 on it holds the dates.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct InstanceSummary<'a> {
    pub package: Text<'a>,
    pub licensed_instances_number: Number,
    pub used_instances_number: Number,
    pub new_instances_number: Number,
    pub rental_instances_number: Number,
    pub promo_instances_number: Number,
    pub licensed_instances_promo_included_number: Number,
    pub promo_expires_on: Text<'a>,
    pub expiration_date: Text<'a>,
    pub support_expiration_date: Text<'a>,
    pub objects: Option<Rows<ObjectRow<'a>>>,
}

/// Its socket section.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct SocketSummary<'a> {
    pub licensed_sockets_number: Number,
    pub used_sockets_number: Number,
    pub remaining_sockets_number: Number,
    pub expiration_date: Text<'a>,
    pub support_expiration_date: Text<'a>,
}

/// Its capacity section.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct CapacitySummary<'a> {
    pub licensed_capacity_tb: Number,
    pub used_capacity_tb: Number,
    pub expiration_date: Text<'a>,
    pub support_expiration_date: Text<'a>,
    pub objects: Option<Rows<CapacityRow<'a>>>,
}

/// One kind of unstructured data in the capacity section.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct CapacityRow<'a> {
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub used_capacity_tb: Number,
}

/// One kind of workload in the instance section.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ObjectRow<'a> {
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub multiplier: Number,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Page<T> {
    /// Some answers say `workloads` for it.
    #[serde(alias = "workloads")]
    pub data: Rows<T>,
    #[serde(default)]
    pub pagination: Option<Pagination>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pagination {
    pub total: Number,
}

impl<T> Page<T> {
    /// How many rows the whole list has, when the server says so.
    pub fn total(&self) -> Option<u64> {
        self.pagination.as_ref().and_then(|pagination| pagination.total.count())
    }
}

/// A row of `GET /api/v1/license/instances`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct InstanceRow<'a> {
    pub platform_type: Text<'a>,
    pub name: Text<'a>,
    pub display_name: Text<'a>,
    pub host_name: Text<'a>,
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub instance_id: Text<'a>,
    pub used_instances_number: Number,
}

/// A row of `GET /api/v1/restorePoints`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RestorePointRow<'a> {
    pub name: Text<'a>,
    pub platform_name: Text<'a>,
    pub creation_time: Text<'a>,
}

/// The JSON report of `POST /api/v1/license/createReport`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct ReportAnswer<'a> {
    pub products: Rows<ProductRow<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ProductRow<'a> {
    pub installation_id: Text<'a>,
    pub data: Option<Rows<SectionRow<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct SectionRow<'a> {
    pub instances: Option<ReportedLicense<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ReportedLicense<'a> {
    pub license_id: Text<'a>,
}

impl ReportAnswer<'_> {
    /// License id and installation id, as far as the report names them.
    pub fn ids(&self) -> (Option<String>, Option<String>) {
        let sections = self.products.0.iter().filter_map(|product| product.data.as_ref()).flat_map(|data| &data.0);
        let licenses = sections.filter_map(|section| section.instances.as_ref());
        let license_id = licenses.filter_map(|license| license.license_id.owned()).next();
        (license_id, self.products.0.iter().find_map(|product| product.installation_id.owned()))
    }
}

/// Reads the body as JSON, or says what it is instead.
pub fn read<'a, T: Deserialize<'a>>(answer: &'a HttpAnswer) -> Result<T, String> {
    reply::read(answer, "the REST port (9419)")
}

/// What the server said in a refusal, in one short line.
pub fn refusal(answer: &HttpAnswer) -> String {
    let error: ErrorAnswer = read(answer).unwrap_or_default();
    let said = [&error.message, &error.oauth_description, &error.oauth_error, &error.error_code];
    reply::said(answer.status, said.into_iter().find_map(Text::get))
}
