//! The counters of a cloud tenant, as Enterprise Manager and PowerShell name them, and what they count.

use crate::domain::tenant::TenantCount;
use crate::domain::workload::WorkloadType::{self, *};

/// Which number of a [`TenantCount`] a counter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Used,
    /// Processed for the first time this month: consumes nothing yet (domain.md 9, Q37).
    New,
    /// Of tenants with a rental license of their own. Replicas count all the same (domain.md 9, Q36).
    Rental,
}

/// One counter and its spellings, the documented one first.
#[derive(Clone, Debug)]
pub struct CounterRow {
    pub kind: WorkloadType,
    pub part: Part,
    /// Of `CloudTenant` and `CloudTenantFreeLicenseCounters` (domain.md 10.2).
    pub rest: &'static [&'static str],
    /// Of `Get-VBRCloudTenant` (domain.md 10.1).
    pub powershell: &'static [&'static str],
}

use Part::{New, Rental, Used};

const COUNTERS_COUNT: usize = 12;

/// Every counter of a tenant.
pub const COUNTERS: [CounterRow; COUNTERS_COUNT] = [
    row(CloudConnectVm, Used, &["BackupCount"], &["VMCount", "VMBackupCount"]),
    row(CloudConnectReplica, Used, &["ReplicaCount"], &["ReplicaCount", "VMReplicaCount"]),
    row(
        CloudConnectWorkstation,
        Used,
        &["WorkStationBackupCount", "WorkstationBackupCount"],
        &["WorkstationCount", "WorkstationBackupCount"],
    ),
    row(CloudConnectServer, Used, &["ServerBackupCount"], &["ServerCount", "ServerBackupCount"]),
    row(CloudConnectVm, New, &["NewVMBackupCount"], &["NewVMBackupCount"]),
    row(CloudConnectReplica, New, &["NewVMReplicaCount", "NewReplicaCount"], &["NewReplicaCount", "NewVMReplicaCount"]),
    row(CloudConnectWorkstation, New, &["NewWorkstationBackupCount"], &["NewWorkstationBackupCount"]),
    row(CloudConnectServer, New, &["NewServerBackupCount"], &["NewServerBackupCount"]),
    row(CloudConnectVm, Rental, &["RentalVMBackupCount"], &["RentalVMBackupCount"]),
    row(
        CloudConnectReplica,
        Rental,
        &["RentalVMReplicaCount", "RentalReplicaCount"],
        &["RentalReplicaCount", "RentalVMReplicaCount"],
    ),
    row(CloudConnectWorkstation, Rental, &["RentalWorkstationBackupCount"], &["RentalWorkstationBackupCount"]),
    row(CloudConnectServer, Rental, &["RentalServerBackupCount"], &["RentalServerBackupCount"]),
];

const fn row(
    kind: WorkloadType,
    part: Part,
    rest: &'static [&'static str],
    powershell: &'static [&'static str],
) -> CounterRow {
    CounterRow { kind, part, rest, powershell }
}

/// The numbers of one tenant, in the order of [`COUNTERS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers([u32; COUNTERS_COUNT]);

impl Numbers {
    /// Takes the counters of these parts; `number` answers a spelling with its number, or `None` when it is not there.
    ///
    /// # Errors
    /// What is wrong with a counter, or the documented names of those that are missing.
    pub fn take(
        &mut self,
        parts: &[Part],
        number: impl Fn(&'static str) -> Result<Option<u32>, String>,
    ) -> Result<Vec<&'static str>, String> {
        let mut missing = Vec::new();
        for (row, kept) in COUNTERS.iter().zip(&mut self.0).filter(|(row, _)| parts.contains(&row.part)) {
            let mut found = None;
            for name in row.rest {
                found = found.or(number(name)?);
            }
            match found {
                Some(found) => *kept = found,
                None => missing.push(row.rest[0]),
            }
        }
        Ok(missing)
    }

    /// The tenant's counts, a row a type; types without any machine have none.
    pub fn counts(&self, tenant: &str) -> Vec<TenantCount> {
        let mut counts: Vec<TenantCount> = Vec::new();
        for (row, number) in COUNTERS.iter().zip(self.0).filter(|(_, number)| *number > 0) {
            let at = counts.iter().position(|count| count.kind == row.kind).unwrap_or_else(|| {
                counts.push(TenantCount {
                    tenant: Some(tenant.to_owned()),
                    kind: row.kind.clone(),
                    weight: None,
                    used: 0,
                    new: 0,
                    rental: 0,
                });
                counts.len() - 1
            });
            match row.part {
                Part::Used => counts[at].used = number,
                Part::New => counts[at].new = number,
                Part::Rental => counts[at].rental = number,
            }
        }
        counts
    }
}
