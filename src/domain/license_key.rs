//! The license key our License Update Server issues (`.tglicense`), as what it says.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::license::{License, LicenseType};
use super::license_sections::LicenseSections;
use super::{Instant, Points};

pub const SCHEMA: &str = "tidegauge.license/1";

/// The content of a key; its file is a JWS over the canonical JSON (design.md section 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFile {
    pub schema: String,
    pub license_id: String,
    /// Only grows.
    pub serial: u64,
    pub contract_id: String,
    /// Sorted.
    pub installation_ids: Vec<String>,
    pub licensed_to: String,
    pub support_id: String,
    #[serde(rename = "type")]
    pub kind: LicenseType,
    pub product: String,
    pub edition: String,
    pub package: Option<String>,
    pub cloud_connect: bool,
    pub points: Points,
    pub issued_at: Instant,
    /// Valid through the end of this GMT day.
    pub expires_on: NaiveDate,
    pub support_expires_on: Option<NaiveDate>,
}

impl KeyFile {
    /// The key as the license block that governs its unit.
    pub fn license(&self) -> License {
        License {
            license_id: Some(self.license_id.clone()),
            kind: self.kind,
            product: Some(self.product.clone()),
            edition: Some(self.edition.clone()),
            package: self.package.clone(),
            cloud_connect: self.cloud_connect,
            licensed_to: Some(self.licensed_to.clone()),
            support_id: Some(self.support_id.clone()),
            installation_id: self.installation_ids.first().cloned(),
            licensed_points: Some(self.points),
            used_points: None,
            new_points: None,
            expires_on: Some(self.expires_on),
            support_expires_on: self.support_expires_on,
            auto_update: None,
            sections: LicenseSections::default(),
        }
    }
}
