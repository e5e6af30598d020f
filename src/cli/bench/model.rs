//! A provider's workloads as benchmarks need them: the same for a seed on every machine, and what is right about them.
//!
//! At any hour so many workloads are there. Each day one in 500 is replaced by another one, shares change their points once
//! a day, one sample in some 10,000 lacks a workload. Whoever is there from the first hour counts at once, all others from the
//! first day of the month after. Hour 0 is Monday, 2024-01-01, 00:00 GMT, so that ISO weeks and months both begin there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};

use crate::domain::license::{License, LicenseType};
use crate::domain::sample::Sample;
use crate::domain::workload::{Workload, WorkloadType};
use crate::domain::{Instant, Month, Points};

/// The kinds: what we call them, their platform at a VBR server, tenths of a point, how many in a hundred.
pub const KINDS: [Kind; 7] = [
    Kind { kind: WorkloadType::Vm, platform: "VMware", tenths: 110, percent: 45 },
    Kind { kind: WorkloadType::Server, platform: "WindowsServer", tenths: 110, percent: 15 },
    Kind { kind: WorkloadType::Workstation, platform: "WindowsWorkstation", tenths: 40, percent: 15 },
    Kind { kind: WorkloadType::CloudVm, platform: "AwsEc2", tenths: 70, percent: 10 },
    Kind { kind: WorkloadType::Application, platform: "Application", tenths: 110, percent: 6 },
    Kind { kind: WorkloadType::CloudConnectServer, platform: "CloudBackupServer", tenths: 60, percent: 5 },
    Kind { kind: WorkloadType::FileShare, platform: "UnstructuredData", tenths: 20, percent: 4 },
];
/// Where the kind that changes daily stands in [`KINDS`].
const CHANGES_DAILY: u8 = 6;
/// Tenants; the first ones are the largest.
pub const TENANTS: u16 = 200;
/// Hours of a week, and of a day.
const WEEK: u32 = 168;
const DAY: u32 = 24;
/// One workload in so many is replaced in a day.
const REPLACED_ONE_IN: u64 = 500;
/// One workload in so many is missing from a sample.
const MISSING_ONE_IN: u64 = 10_007;
/// Seconds from 1970 to hour 0.
const EPOCH_SECONDS: i64 = 1_704_067_200;

/// One kind of workload.
pub struct Kind {
    pub kind: WorkloadType,
    pub platform: &'static str,
    pub tenths: u16,
    percent: u64,
}

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Workloads at any hour.
    pub workloads: u32,
    /// Hourly samples.
    pub hours: u32,
    pub seed: u64,
    /// So many in a hundred workloads have other points in every sample.
    pub jitter_percent: u8,
}

/// All workloads that there ever are; a workload's number is its place.
pub struct Fleet {
    pub plan: Plan,
    pub members: Vec<Member>,
}

/// One workload.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub tenant: u16,
    /// Its place in [`KINDS`].
    pub kind: u8,
    /// The first hour in which it is there.
    pub from: u32,
    /// The first hour in which it is gone.
    pub until: u32,
}

/// What one hour's sample shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    pub hour: u32,
    /// By rising numbers.
    pub seen: Vec<Seen>,
}

/// A workload of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub number: u32,
    /// Tenths of a point.
    pub tenths: u16,
}

/// The high watermark of a week: in all, and of each tenant and kind, in tenths of a point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeekMark {
    pub total: u64,
    pub groups: BTreeMap<(u16, u8), u64>,
}

impl Fleet {
    pub fn new(plan: Plan) -> Fleet {
        let mut fleet =
            Fleet { plan, members: (0..plan.workloads).map(|number| member(plan.seed, number, 0)).collect() };
        let mut there: Vec<u32> = (0..plan.workloads).collect();
        let expected = u64::from(plan.workloads);
        for hour in 1..plan.hours {
            let draw = drawn(plan.seed, Purpose::Replaced, u64::from(hour));
            let a_day = REPLACED_ONE_IN * u64::from(DAY);
            let places: BTreeSet<usize> = (0..(expected + draw % a_day) / a_day)
                .map(|nth| (drawn(draw, Purpose::Place, nth) % expected) as usize)
                .collect();
            for place in places {
                fleet.members[there[place] as usize].until = hour;
                there[place] = fleet.members.len() as u32;
                fleet.members.push(member(plan.seed, there[place], hour));
            }
        }
        fleet
    }

    /// The samples in their order.
    pub fn sweeps(&self) -> impl Iterator<Item = Sweep> + '_ {
        let mut there: BTreeSet<u32> = BTreeSet::new();
        let mut next = 0;
        let mut going: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        (0..self.plan.hours).map(move |hour| {
            while self.members.get(next).is_some_and(|member| member.from <= hour) {
                there.insert(next as u32);
                going.entry(self.members[next].until).or_default().push(next as u32);
                next += 1;
            }
            for gone in going.remove(&hour).unwrap_or_default() {
                there.remove(&gone);
            }
            Sweep { hour, seen: there.iter().filter_map(|number| self.seen(*number, hour)).collect() }
        })
    }

    /// What the sample of one hour shows.
    pub fn sweep(&self, hour: u32) -> Sweep {
        let is_there = |member: &Member| member.from <= hour && hour < member.until;
        let there = (0..).zip(&self.members).filter(|(_, member)| is_there(member));
        Sweep { hour, seen: there.filter_map(|(number, _)| self.seen(number, hour)).collect() }
    }

    fn seen(&self, number: u32, hour: u32) -> Option<Seen> {
        let Plan { seed, jitter_percent, .. } = self.plan;
        let Member { kind, from, .. } = self.members[number as usize];
        let both = u64::from(number) << 32 | u64::from(hour);
        // Nobody is missing in the hour from which he is there: then he was seen first.
        if from < hour && drawn(seed, Purpose::Missing, both).is_multiple_of(MISSING_ONE_IN) {
            return None;
        }
        let mut tenths = KINDS[usize::from(kind)].tenths;
        if kind == CHANGES_DAILY {
            let day = u64::from(number) << 32 | u64::from(hour / DAY);
            tenths += 5 * (drawn(seed, Purpose::OfTheDay, day) % 5) as u16;
        }
        let odd = drawn(seed, Purpose::Jitter, both);
        if jitter_percent > 0 && odd % 100 < u64::from(jitter_percent) {
            tenths += 5 * (1 + (odd >> 32) % 3) as u16;
        }
        Some(Seen { number, tenths })
    }

    /// Whether a workload counts in an hour.
    pub fn counts(&self, number: u32, hour: u32) -> bool {
        let from = self.members[number as usize].from;
        from == 0 || Month::of(at(from)) < Month::of(at(hour))
    }

    /// What is right: the mark of each week.
    pub fn truth(&self) -> Vec<WeekMark> {
        let mut marks = vec![WeekMark::default(); self.plan.hours.div_ceil(WEEK) as usize];
        let months: Vec<Month> = self.members.iter().map(|member| Month::of(at(member.from))).collect();
        for sweep in self.sweeps() {
            let month = Month::of(at(sweep.hour));
            let mut sums: BTreeMap<(u16, u8), u64> = BTreeMap::new();
            for Seen { number, tenths } in sweep.seen {
                let member = self.members[number as usize];
                if member.from == 0 || months[number as usize] < month {
                    *sums.entry((member.tenant, member.kind)).or_default() += u64::from(tenths);
                }
            }
            let mark = &mut marks[(sweep.hour / WEEK) as usize];
            mark.total = mark.total.max(sums.values().sum());
            for (group, sum) in sums {
                let highest = mark.groups.entry(group).or_default();
                *highest = sum.max(*highest);
            }
        }
        marks
    }

    /// The id of a workload, unique and the same in every run.
    pub fn id(&self, number: u32) -> String {
        let halves = [Purpose::IdHigh, Purpose::IdLow].map(|purpose| drawn(self.plan.seed, purpose, u64::from(number)));
        uuid::Builder::from_random_bytes((u128::from(halves[0]) << 64 | u128::from(halves[1])).to_be_bytes())
            .into_uuid()
            .to_string()
    }

    pub fn name(&self, number: u32) -> String {
        let member = self.members[number as usize];
        let kind = &KINDS[usize::from(member.kind)].kind;
        format!("{}-{:03}-{number:07}", kind.as_str().to_ascii_lowercase(), member.tenant)
    }

    pub fn host(&self, number: u32) -> String {
        format!("esx{:02}.t{:03}.example.net", number % 97, self.members[number as usize].tenant)
    }

    /// The sample as a source would have it read.
    pub fn sample(&self, server: &str, sweep: &Sweep) -> Sample {
        let mut workloads: Vec<Workload> = sweep.seen.iter().map(|seen| self.workload(*seen)).collect();
        workloads.sort_by(|a, b| a.id.cmp(&b.id));
        Sample {
            server: server.to_owned(),
            taken_at: at(sweep.hour),
            license: License {
                kind: LicenseType::Rental,
                edition: Some("EnterprisePlus".to_owned()),
                ..License::default()
            },
            workloads: workloads.into(),
            counts: Vec::new(),
            vouched: true,
            restore_points_swept_at: None,
            discrepancies: Vec::new(),
            stale: None,
        }
    }

    /// The workload as a source would have it read.
    pub fn workload(&self, seen: Seen) -> Workload {
        let member = self.members[seen.number as usize];
        let kind = &KINDS[usize::from(member.kind)];
        Workload {
            id: self.id(seen.number),
            name: self.name(seen.number),
            kind: kind.kind.clone(),
            platform: Some(kind.platform.to_owned()),
            tenant: Some(tenant(member.tenant)),
            job: None,
            host: Some(self.host(seen.number)),
            points: Some(Points::new(rust_decimal::Decimal::new(i64::from(seen.tenths), 1))),
            first_processed_at: None,
            last_restore_point_at: None,
            rental: false,
            unstructured: None,
        }
    }
}

/// What a tenant is called.
pub fn tenant(number: u16) -> String {
    format!("t{number:03}")
}

/// The instant of an hour.
pub fn at(hour: u32) -> Instant {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(EPOCH_SECONDS) + TimeDelta::hours(i64::from(hour))
}

fn member(seed: u64, number: u32, from: u32) -> Member {
    let tenant = drawn(seed, Purpose::Tenant, u64::from(number));
    // The product of two even draws prefers small tenant numbers.
    let (one, other) = (tenant % u64::from(TENANTS), (tenant >> 32) % u64::from(TENANTS));
    let mut percent = drawn(seed, Purpose::Kind, u64::from(number)) % 100;
    let mut kind = 0;
    while percent >= KINDS[usize::from(kind)].percent {
        percent -= KINDS[usize::from(kind)].percent;
        kind += 1;
    }
    Member { tenant: (one * other / u64::from(TENANTS)) as u16, kind, from, until: u32::MAX }
}

/// What a number is drawn for, so that no two draws are the same.
#[derive(Clone, Copy)]
enum Purpose {
    Replaced = 1,
    Place,
    Tenant,
    Kind,
    Missing,
    OfTheDay,
    Jitter,
    IdHigh,
    IdLow,
}

/// A number that looks drawn (the finisher of SplitMix64, twice).
fn drawn(seed: u64, purpose: Purpose, nth: u64) -> u64 {
    mixed(mixed(seed ^ (purpose as u64) << 56) ^ nth)
}

fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
