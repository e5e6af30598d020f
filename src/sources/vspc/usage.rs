//! What organizations use at servers, as the console counts it.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive;

use super::answers::{ServerUsageRow, UsageRow, WorkloadRow};
use super::kinds::{Product, kind_of, product_of};
use crate::domain::Points;
use crate::domain::tenant::TenantCount;
use crate::domain::workload::WorkloadType;
use crate::sources::lenient::Number;

/// Usage of one organization.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// The provider's own machines belong to no tenant.
    pub is_provider: bool,
    pub servers: Vec<ServerUsage>,
}

/// Usage of one organization at one server.
#[derive(Clone, Debug)]
pub struct ServerUsage {
    pub server_uid: String,
    pub product: Product,
    /// As the console spells it, for people.
    pub server_type: String,
    pub lines: Vec<UsageLine>,
    pub notes: Vec<String>,
}

/// One type at one weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageLine {
    pub kind: WorkloadType,
    pub weight: Option<Points>,
    pub used: u32,
    pub new: u32,
    pub rental: u32,
    pub used_points: Points,
}

/// Reads one organization's row.
pub fn organization_of(row: &UsageRow) -> Organization {
    let servers = row.servers.as_ref().map_or(&[][..], |rows| &rows.0);
    Organization {
        is_provider: row.organization_type.get() == Some("Provider"),
        servers: servers.iter().map(server_usage_of).collect(),
    }
}

fn server_usage_of(row: &ServerUsageRow) -> ServerUsage {
    let mut usage = ServerUsage {
        server_uid: row.server_uid.owned().unwrap_or_default(),
        product: product_of(row.server_type.get()),
        server_type: row.server_type.get().unwrap_or("no type").to_owned(),
        lines: Vec::new(),
        notes: Vec::new(),
    };
    for workload in row.workloads.as_ref().map_or(&[][..], |rows| &rows.0) {
        let platforms = workload.workloads_by_platform.as_ref().map_or(&[][..], |rows| &rows.0);
        let before = usage.lines.len();
        for platform in platforms {
            usage.take(platform);
        }
        if usage.lines.len() == before {
            usage.take(workload);
        }
        usage.compare(workload, platforms, before);
    }
    usage
}

impl ServerUsage {
    fn take(&mut self, row: &WorkloadRow) {
        let named = row.type_id.get().map(kind_of);
        let kind = named.unwrap_or_else(|| WorkloadType::Other(row.description.get().unwrap_or("Unknown").to_owned()));
        let mut count = |name: &str, number: &Number| {
            let counted = number.count().and_then(|count| u32::try_from(count).ok());
            if counted.is_none() && *number != Number::Absent {
                self.notes.push(format!("{name} of {kind} is no number of machines; 0 is taken"));
            }
            counted.unwrap_or(0)
        };
        let (used, new) = (count("usedCount", &row.used_count), count("newCount", &row.new_count));
        let rental = count("rentalCount", &row.rental_count);
        let used = if row.used_count == Number::Absent { self.machines_of(&row.used_units, row, &kind) } else { used };
        let new = if row.new_count == Number::Absent { self.machines_of(&row.new_units, row, &kind) } else { new };
        if used == 0 && new == 0 && rental == 0 {
            let units = row.used_units.points().filter(|units| !units.is_zero());
            if let Some(units) = units.filter(|_| row.used_count != Number::Absent) {
                self.notes.push(format!("VSPC states {units} points of {kind} and no machine; they are not counted"));
            }
            return;
        }
        let stated = row.weight.points().filter(|weight| !weight.is_zero());
        let weight = stated.or_else(|| shared(&row.used_units, used)).or_else(|| shared(&row.new_units, new));
        let used_points = row.used_units.points().unwrap_or_default();
        if let (Some(weight), Some(units)) = (weight, row.used_units.points())
            && weight * u64::from(used) != units
        {
            self.notes.push(format!(
                "{used} of {kind} at {weight} are {}, and VSPC states {units} points for them",
                weight * u64::from(used)
            ));
        }
        self.lines.push(UsageLine { kind, weight, used, new, rental, used_points });
    }

    /// Machines of points whose count is not stated: as many as have that weight, when they are whole.
    fn machines_of(&mut self, units: &Number, row: &WorkloadRow, kind: &WorkloadType) -> u32 {
        let Some(units) = units.points().filter(|units| !units.is_zero()) else { return 0 };
        let weight = row.weight.points().filter(|weight| !weight.is_zero());
        let machines = weight.and_then(|weight| units.amount().checked_div(weight.amount()));
        match machines.filter(|machines| machines.is_integer()).and_then(|machines| machines.to_u32()) {
            Some(machines) => machines,
            None => {
                self.notes.push(format!("{units} points of {kind} state no machines; they are not counted"));
                0
            }
        }
    }

    /// The rows by platform are what counts; a sum that says something else is named.
    fn compare(&mut self, whole: &WorkloadRow, platforms: &[WorkloadRow], first_line: usize) {
        let what = whole.description.get().unwrap_or("a workload");
        let used: u64 = self.lines[first_line..].iter().map(|line| u64::from(line.used)).sum();
        if let Some(stated) = whole.used_count.count().filter(|stated| *stated != used) {
            self.notes.push(format!("{what}: VSPC states {stated} in all and {used} by platform"));
        }
        let by_platform: Option<Vec<Points>> = platforms.iter().map(|platform| platform.used_units.points()).collect();
        let by_platform = by_platform.filter(|rows| !rows.is_empty()).map(|rows| rows.into_iter().sum::<Points>());
        if let (Some(stated), Some(sum)) = (whole.used_units.points(), by_platform)
            && stated != sum
        {
            self.notes.push(format!("{what}: VSPC states {stated} points in all and {sum} by platform"));
        }
    }

    /// Machines and points, for naming what is left out.
    pub fn size(&self) -> (u64, Points) {
        let count = self.lines.iter().map(|line| u64::from(line.used) + u64::from(line.new)).sum();
        (count, self.lines.iter().map(|line| line.used_points).sum())
    }
}

/// Points of one machine when the whole divides evenly.
fn shared(units: &Number, count: u32) -> Option<Points> {
    let units = units.points().filter(|units| !units.is_zero())?;
    let each = Points::new(units.amount().checked_div(count.into())?);
    (each * u64::from(count) == units).then_some(each)
}

/// Counts of one server as they grow: by tenant, type and weight, each once.
#[derive(Clone, Debug, Default)]
pub struct Counts(BTreeMap<CountKey, (u32, u32, u32)>);

/// Tenant, type and weight.
type CountKey = (Option<String>, WorkloadType, Option<Points>);

impl Counts {
    pub fn add(&mut self, tenant: Option<&str>, line: &UsageLine) {
        let key = (tenant.map(str::to_owned), line.kind.clone(), line.weight);
        let (used, new, rental) = self.0.entry(key).or_default();
        *used = used.saturating_add(line.used);
        *new = new.saturating_add(line.new);
        *rental = rental.saturating_add(line.rental);
    }

    pub fn into_counts(self) -> Vec<TenantCount> {
        let count =
            |((tenant, kind, weight), (used, new, rental))| TenantCount { tenant, kind, weight, used, new, rental };
        self.0.into_iter().map(count).collect()
    }
}
