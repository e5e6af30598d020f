//! A small world of servers whose workloads come, go and are backed up daily; every number from a seed.

use super::*;
use tidegauge::domain::Points;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::workload::{Workload, WorkloadType};

/// Hour 0 is 2026-03-01, 00:00 GMT.
pub fn at(hour: i64) -> Instant {
    DateTime::from_timestamp(1_772_323_200, 0).unwrap() + TimeDelta::hours(hour)
}

pub fn unit_of(id: &str, servers: &[&str]) -> Unit {
    let servers = servers.iter().map(|&server| server.to_owned()).collect();
    Unit {
        id: id.to_owned(),
        shared_license: None,
        servers,
        license_id: None,
        formed_at: at(0),
        since: None,
        counts_once: Vec::new(),
    }
}

pub struct World {
    server: String,
    workloads: Vec<Workload>,
    seed: u64,
    born: usize,
}

impl World {
    pub fn of(server: &str, count: usize) -> World {
        let mut world = World { server: server.to_owned(), workloads: Vec::new(), seed: 7, born: 0 };
        for _ in 0..count {
            world.bear(-400);
        }
        world
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    fn bear(&mut self, hour: i64) {
        let number = self.born;
        self.born += 1;
        let id = format!(
            "{:08x}-{:04x}-4{:03x}-9{:03x}-{number:012x}",
            self.draw(1 << 32),
            self.draw(1 << 16),
            self.draw(1 << 12),
            self.draw(1 << 12)
        );
        let kinds = [WorkloadType::Vm, WorkloadType::CloudConnectVm, WorkloadType::Server];
        self.workloads.push(Workload {
            id,
            name: format!("machine-{number}"),
            kind: kinds[number % 3].clone(),
            platform: Some("VMware".to_owned()),
            tenant: (number % 3 == 1).then(|| format!("Tenant {}", number % 7)),
            job: Some(format!("Daily {}", number % 20)),
            host: Some(format!("vcenter{:02}", number % 4)),
            points: number.is_multiple_of(4).then(|| "5.5".parse().unwrap()),
            first_processed_at: number.is_multiple_of(5).then(|| at(hour)),
            last_restore_point_at: Some(at(hour.max(-20))),
            rental: number % 11 == 3,
            unstructured: None,
        });
        self.workloads.sort_by(|one, other| one.id.cmp(&other.id));
    }

    /// The sample of the hour; hours are asked for in order. Each job runs once a day, in its own hour.
    pub fn sample(&mut self, hour: i64) -> Sample {
        for index in 0..self.workloads.len() {
            let job_hour = index as i64 % 6;
            if hour.rem_euclid(24) == job_hour {
                let jitter = TimeDelta::seconds(self.draw(900).cast_signed());
                self.workloads[index].last_restore_point_at = Some(at(hour) - TimeDelta::minutes(50) + jitter);
            }
        }
        for workload in self.workloads.iter_mut().filter(|workload| workload.name.ends_with('1')) {
            workload.first_processed_at = date_learnt_late(hour);
        }
        if self.draw(100) < 2 {
            self.bear(hour);
        }
        if self.draw(100) < 1 && self.workloads.len() > 3 {
            let gone = self.draw(self.workloads.len() as u64);
            self.workloads.remove(usize::try_from(gone).unwrap());
        }
        Sample {
            server: self.server.clone(),
            taken_at: at(hour),
            license: License { kind: LicenseType::Rental, license_id: Some("L-1".to_owned()), ..License::default() },
            workloads: self.workloads.clone().into(),
            counts: vec![TenantCount {
                tenant: Some("Tenant Z".to_owned()),
                kind: WorkloadType::CloudConnectVm,
                weight: Some(Points::whole(5)),
                used: 10 + u32::try_from(hour.rem_euclid(24) / 8).unwrap(),
                new: 0,
                rental: 1,
            }],
            vouched: true,
            restore_points_swept_at: Some(at(hour - hour.rem_euclid(24))),
            discrepancies: Vec::new(),
            stale: None,
        }
    }
}

/// Some machines' dates are stated late, for a while, and then another one: the ledger has to remember since when.
fn date_learnt_late(hour: i64) -> Option<Instant> {
    match hour {
        20..30 => Some(at(5)),
        40..45 => Some(at(-900)),
        _ => None,
    }
}
