//! A provider's machines behind one backup server: they appear, are backed up daily, stop, age out, are revoked.
//!
//! Deterministic: the same plan gives the same estate, however often or seldom it is advanced.

use std::ops::RangeInclusive;

use chrono::{Datelike, Days, NaiveDate};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::machine::{DAY_SECONDS, MAKES, Machine, instant, make_drawn, tenants_make_drawn};
use crate::domain::calendar::midnight;
use crate::domain::license::{License, LicenseType, Measure};
use crate::domain::sample::Sample;
use crate::domain::workload::{Workload, WorkloadType};
use crate::domain::{Instant, Month, Points};

/// Restore points are kept this long.
const KEPT_SECONDS: i64 = 40 * DAY_SECONDS;
/// Machines that stand at the beginning were first backed up at least this many days before, at most a year more.
const ESTABLISHED_DAYS: i64 = 40;

/// How an estate begins and moves.
#[derive(Clone, Debug)]
pub struct EstatePlan {
    pub seed: u64,
    pub server: String,
    /// The estate is known from this instant on.
    pub begins_at: Instant,
    pub machines: u32,
    /// Of them, machines whose tenants have rental licenses of their own.
    pub rental_machines: u32,
    /// Machines that appear, stop and are revoked per day, per ten thousand standing.
    pub appear: u32,
    pub stop: u32,
    pub revoke: u32,
    pub license: License,
}

impl EstatePlan {
    /// A provider that grows by about two machines per hundred and month.
    pub fn new(seed: u64, server: &str, begins_at: Instant, machines: u32) -> EstatePlan {
        let id =
            |what: &str| Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{seed}/{server}/{what}").as_bytes()).to_string();
        let license = License {
            license_id: Some(id("license")),
            kind: LicenseType::Rental,
            product: Some("VBR".to_owned()),
            edition: Some("EnterprisePlus".to_owned()),
            package: Some("Suite".to_owned()),
            licensed_to: Some("Example Provider".to_owned()),
            support_id: Some("01234567".to_owned()),
            installation_id: Some(id("installation")),
            licensed_points: Some(Points::whole(i64::from(machines) * 20)),
            expires_on: Some(begins_at.date_naive() + Days::new(400)),
            auto_update: Some(false),
            ..License::default()
        };
        let server = server.to_owned();
        EstatePlan { seed, server, begins_at, machines, rental_machines: 0, appear: 20, stop: 10, revoke: 3, license }
    }

    /// The same as a Cloud Connect server: machines of tenants under the provider's key.
    pub fn cloud_connect(mut self) -> EstatePlan {
        self.license.cloud_connect = true;
        self
    }
}

/// Everything behind one backup server.
pub struct Estate {
    pub plan: EstatePlan,
    /// What the server says of its key; used and new points are filled in when asked.
    pub license: License,
    machines: Vec<Machine>,
    next_day: NaiveDate,
}

/// What is true at an instant, computed from the machines alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    pub billable_points: Points,
    pub billable_count: u64,
    pub new_points: Points,
    pub new_count: u64,
    pub rental_count: u64,
}

impl Estate {
    pub fn new(plan: EstatePlan) -> Estate {
        let mut rng = StdRng::seed_from_u64(plan.seed);
        let mut estate = Estate {
            license: plan.license.clone(),
            machines: Vec::new(),
            next_day: plan.begins_at.date_naive() + Days::new(1),
            plan,
        };
        let begins = estate.plan.begins_at.timestamp();
        for number in 0..estate.plan.machines {
            let days_before = ESTABLISHED_DAYS + rng.random_range(0..365);
            let first = begins - days_before * DAY_SECONDS + rng.random_range(0..DAY_SECONDS);
            estate.add_drawn(&mut rng, first, number < estate.plan.rental_machines);
        }
        estate
    }

    /// Lets every day begin that has begun by then.
    pub fn advance(&mut self, now: Instant) {
        while midnight(self.next_day) <= now {
            let day = self.next_day;
            self.draw_day(day);
            self.next_day = day + Days::new(1);
        }
    }

    /// The machines that the server shows at an instant, by position in [`Estate::machines`].
    pub fn listed(&self, now: Instant) -> impl Iterator<Item = u32> + '_ {
        let now = now.timestamp();
        (0..).zip(&self.machines).filter(move |(_, machine)| machine.is_listed(now)).map(|(position, _)| position)
    }

    /// All machines there ever were, in the order they appeared.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// Restore points in `(after, now]` of some machines that are still kept, oldest first, each with its machine's position.
    pub fn restore_points(
        &self,
        after: Instant,
        now: Instant,
        is_asked: impl Fn(&Machine) -> bool,
    ) -> Vec<(Instant, u32)> {
        let now = now.timestamp();
        let after = after.timestamp().max(now - KEPT_SECONDS);
        // Backups are daily: sorted by their second of the day, they follow each other on every day.
        let mut daily: Vec<(i64, u32, RangeInclusive<i64>)> = Vec::new();
        for (position, machine) in (0..).zip(&self.machines).filter(|(_, machine)| is_asked(machine)) {
            for (from, until) in &machine.spans {
                let runs = (after + 1).max(*from)..=until.map_or(now, |until| now.min(until - 1));
                if !runs.is_empty() {
                    daily.push((from.rem_euclid(DAY_SECONDS), position, runs));
                }
            }
        }
        daily.sort_unstable_by_key(|(second, position, _)| (*second, *position));
        let mut points = Vec::new();
        for day in after.div_euclid(DAY_SECONDS)..=now.div_euclid(DAY_SECONDS) {
            let runs = daily.iter().map(|(second, position, runs)| (day * DAY_SECONDS + second, *position, runs));
            let kept = runs.filter(|(run, _, runs)| runs.contains(run));
            points.extend(kept.map(|(run, position, _)| (instant(run), position)));
        }
        points
    }

    /// What counts at an instant.
    pub fn truth(&self, now: Instant) -> Truth {
        self.truth_for(now, Month::of(now))
    }

    /// What the report of a month must say: as of its end, with this month's first-timers still new.
    pub fn truth_of_report(&self, month: Month) -> Truth {
        self.truth_for(month.ends_at(), month)
    }

    fn truth_for(&self, at: Instant, month: Month) -> Truth {
        let mut truth = Truth::default();
        let month_start = month.starts_at().timestamp();
        let in_instances = self.license.kind.measure() == Measure::Instances;
        let (mut workstations, mut billable, mut new): (i64, i64, i64) = (0, 0, 0);
        for machine in self.machines.iter().filter(|machine| machine.is_listed(at.timestamp())) {
            if in_instances {
                let is_workstation = *machine.kind() == WorkloadType::Workstation;
                workstations += i64::from(is_workstation);
                truth.billable_count += 1;
                billable += i64::from(!is_workstation);
            } else if machine.is_free() {
                truth.rental_count += 1;
            } else if machine.first_second() >= month_start {
                truth.new_count += 1;
                new += machine.whole_weight();
            } else {
                truth.billable_count += 1;
                billable += machine.whole_weight();
            }
        }
        truth.billable_points = Points::whole(billable + (workstations + 2) / 3);
        truth.new_points = Points::whole(new);
        truth
    }

    /// What the server states of a machine: its points; an instance under keys that count instances, where nothing is
    /// stated of workstations, which share them.
    pub fn stated_weight(&self, machine: &Machine) -> Option<Points> {
        match self.license.kind.measure() {
            Measure::Points => Some(machine.weight()),
            Measure::Instances => (*machine.kind() != WorkloadType::Workstation).then(|| Points::whole(1)),
        }
    }

    /// The license block as the server shows it then.
    pub fn license_at(&self, now: Instant) -> License {
        let truth = self.truth(now);
        License { used_points: Some(truth.billable_points), new_points: Some(truth.new_points), ..self.license.clone() }
    }

    /// A usage snapshot as a script beside the server would write it: everything stated.
    pub fn snapshot(&self, now: Instant) -> Sample {
        let workload = |position: u32| {
            let machine = &self.machines[position as usize];
            Workload {
                id: machine.id.clone(),
                name: machine.name.clone(),
                kind: machine.kind().clone(),
                platform: Some(machine.platform().to_owned()),
                tenant: Some(machine.tenant.clone()),
                job: Some(machine.job.clone()),
                host: Some(machine.host.clone()),
                points: self.stated_weight(machine),
                first_processed_at: Some(machine.first_at()),
                last_restore_point_at: machine.last_run(now.timestamp()).map(instant),
                rental: machine.is_rental,
                unstructured: None,
            }
        };
        let mut workloads: Vec<Workload> = self.listed(now).map(workload).collect();
        workloads.sort_by(|a, b| a.id.cmp(&b.id));
        Sample {
            server: self.plan.server.clone(),
            taken_at: now,
            license: self.license_at(now),
            workloads: workloads.into(),
            counts: Vec::new(),
            vouched: false,
            restore_points_swept_at: None,
            discrepancies: Vec::new(),
            stale: None,
        }
    }

    /// Adds a machine of this make that is backed up for the first time then; returns its position.
    pub fn add(&mut self, kind: &WorkloadType, first_at: Instant) -> usize {
        let make = MAKES
            .iter()
            .position(|make| make.kind == *kind)
            .expect("estates hold VMs, servers, workstations, shares and what tenants send");
        self.push(make, first_at.timestamp(), false)
    }

    /// No backups from then on; it ages out 31 days after its last restore point.
    pub fn stop(&mut self, position: usize, at: Instant) {
        self.machines[position].stop(at.timestamp());
    }

    /// Backups begin again.
    pub fn resume(&mut self, position: usize, at: Instant) {
        self.machines[position].spans.push((at.timestamp(), None));
    }

    /// The license is revoked and the job ends: gone from the list at once.
    pub fn revoke(&mut self, position: usize, at: Instant) {
        let machine = &mut self.machines[position];
        machine.stop(at.timestamp());
        machine.revoked_at = Some(at.timestamp());
    }

    fn draw_day(&mut self, day: NaiveDate) {
        let seed =
            self.plan.seed ^ u64::from(day.num_days_from_ce().unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut rng = StdRng::seed_from_u64(seed);
        let starts = midnight(day).timestamp();
        let running: Vec<usize> =
            (0..self.machines.len()).filter(|position| self.machines[*position].is_running(starts)).collect();
        let standing = u32::try_from(running.len()).unwrap_or(u32::MAX);
        for _ in 0..drawn_count(&mut rng, standing, self.plan.appear) {
            let first = starts + rng.random_range(0..DAY_SECONDS);
            self.add_drawn(&mut rng, first, false);
        }
        for _ in 0..drawn_count(&mut rng, standing, self.plan.stop) {
            let position = running[rng.random_range(0..running.len())];
            self.machines[position].stop(starts + rng.random_range(0..DAY_SECONDS));
        }
        for _ in 0..drawn_count(&mut rng, standing, self.plan.revoke) {
            let position = running[rng.random_range(0..running.len())];
            self.revoke(position, instant(starts + rng.random_range(0..DAY_SECONDS)));
        }
    }

    fn add_drawn(&mut self, rng: &mut StdRng, first: i64, is_rental: bool) {
        let percent = rng.random_range(0..100);
        let make = if self.plan.license.cloud_connect { tenants_make_drawn(percent) } else { make_drawn(percent) };
        self.push(make, first, is_rental);
    }

    fn push(&mut self, make: usize, first: i64, is_rental: bool) -> usize {
        let number = self.machines.len();
        let id =
            Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}/{}/{number}", self.plan.seed, self.plan.server).as_bytes());
        let (name, job) = (format!("{}-{number:04}", MAKES[make].prefix), format!("Daily {}", number % 8));
        let is_agent = matches!(MAKES[make].kind, WorkloadType::Server | WorkloadType::Workstation);
        self.machines.push(Machine {
            id: id.to_string(),
            restore_name: if is_agent { format!("{name} {job}") } else { name.clone() },
            name,
            host: format!("host{:02}.example.net", number % 16),
            job,
            tenant: format!("Tenant {}", char::from(b'A' + u8::try_from(number % 12).unwrap_or(0))),
            is_rental,
            make,
            spans: vec![(first, None)],
            revoked_at: None,
        });
        number
    }
}

/// So many of ten thousand, the remainder by chance.
fn drawn_count(rng: &mut StdRng, standing: u32, per_ten_thousand: u32) -> u32 {
    let expected = u64::from(standing) * u64::from(per_ten_thousand);
    let whole = u32::try_from(expected / 10_000).unwrap_or(0);
    whole + u32::from(standing > 0 && rng.random_range(0..10_000) < expected % 10_000)
}
