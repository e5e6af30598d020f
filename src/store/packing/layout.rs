//! The first layout of a sample's parts, frozen, so that every journal is read; later fields stand beside it as JSON.
//!
//! Postcard knows no names: a field added to a domain type would make old bytes unreadable. Each type is taken apart
//! here in full, so that the compiler asks where a field that is added is to be kept.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Unreadable;
use crate::domain::Points;
use crate::domain::license::{License, LicenseType};
use crate::domain::license_sections::LicenseSections;
use crate::domain::sample::{Sample, Stale};
use crate::domain::tenant::TenantCount;
use crate::domain::workload::{Unstructured, Workload, WorkloadType};

/// A license block in the first layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptLicense {
    license_id: Option<String>,
    kind: LicenseType,
    product: Option<String>,
    edition: Option<String>,
    package: Option<String>,
    cloud_connect: bool,
    licensed_to: Option<String>,
    support_id: Option<String>,
    installation_id: Option<String>,
    licensed_points: Option<Points>,
    used_points: Option<Points>,
    new_points: Option<Points>,
    expires_on: Option<NaiveDate>,
    support_expires_on: Option<NaiveDate>,
    auto_update: Option<bool>,
}

/// What the first layout of a sample has no place for. JSON, so that more may be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Beyond {
    #[serde(skip_serializing_if = "LicenseSections::is_empty")]
    license_sections: LicenseSections,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<Stale>,
    /// By the workload's position.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unstructured: BTreeMap<usize, Unstructured>,
}

impl Beyond {
    pub fn is_empty(&self) -> bool {
        *self == Beyond::default()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("what is kept is plain data")
    }

    pub fn of_bytes(bytes: &[u8]) -> Result<Beyond, Unreadable> {
        serde_json::from_slice(bytes).map_err(|_| Unreadable("what stands beside its first layout"))
    }
}

/// A sample's license in the first layout, and what that layout has no place for.
pub(super) fn kept_parts(sample: &Sample) -> (KeptLicense, Beyond) {
    let (license, beyond) = kept_license(&sample.license);
    let sized = |(at, workload): (usize, &Workload)| Some((at, workload.unstructured.clone()?));
    let unstructured = if sample.workloads.is_any_sized() {
        sample.workloads.iter().enumerate().filter_map(sized).collect()
    } else {
        BTreeMap::new()
    };
    (license, Beyond { stale: sample.stale.clone(), unstructured, ..beyond })
}

/// Takes a license apart.
fn kept_license(license: &License) -> (KeptLicense, Beyond) {
    let License {
        license_id,
        kind,
        product,
        edition,
        package,
        cloud_connect,
        licensed_to,
        support_id,
        installation_id,
        licensed_points,
        used_points,
        new_points,
        expires_on,
        support_expires_on,
        auto_update,
        sections,
    } = license.clone();
    let kept = KeptLicense {
        license_id,
        kind,
        product,
        edition,
        package,
        cloud_connect,
        licensed_to,
        support_id,
        installation_id,
        licensed_points,
        used_points,
        new_points,
        expires_on,
        support_expires_on,
        auto_update,
    };
    (kept, Beyond { license_sections: sections, ..Beyond::default() })
}

/// Puts a license together again.
pub(super) fn license_of(kept: KeptLicense, beyond: &Beyond) -> License {
    License {
        license_id: kept.license_id,
        kind: kept.kind,
        product: kept.product,
        edition: kept.edition,
        package: kept.package,
        cloud_connect: kept.cloud_connect,
        licensed_to: kept.licensed_to,
        support_id: kept.support_id,
        installation_id: kept.installation_id,
        licensed_points: kept.licensed_points,
        used_points: kept.used_points,
        new_points: kept.new_points,
        expires_on: kept.expires_on,
        support_expires_on: kept.support_expires_on,
        auto_update: kept.auto_update,
        sections: beyond.license_sections.clone(),
    }
}

/// A tenant's count in the first layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptCount(Option<String>, WorkloadType, Option<Points>, u32, u32, u32);

impl KeptCount {
    pub fn of(count: &TenantCount) -> KeptCount {
        let TenantCount { tenant, kind, weight, used, new, rental } = count.clone();
        KeptCount(tenant, kind, weight, used, new, rental)
    }

    pub fn count(self) -> TenantCount {
        let KeptCount(tenant, kind, weight, used, new, rental) = self;
        TenantCount { tenant, kind, weight, used, new, rental }
    }
}

/// A workload as the digest of a sample covers it; sizes stand beside the first layout.
pub(super) fn digested(workload: &Workload) -> impl Serialize + '_ {
    let Workload {
        id,
        name,
        kind,
        platform,
        tenant,
        job,
        host,
        points,
        first_processed_at,
        last_restore_point_at,
        rental,
        unstructured: _,
    } = workload;
    (id, name, kind, platform, tenant, job, host, points, first_processed_at, last_restore_point_at, rental)
}
