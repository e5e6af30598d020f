//! Drawing a world from a seed: when it begins, its servers, their licenses, who is told.

use chrono::TimeDelta;
use chrono_tz::Tz;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::estate::EstatePlan;
use super::super::vspc::Role;
use super::super::world::{ServerPlan, SourceKind, WorldPlan};
use crate::config::{Flags, Settings, Written};
use crate::domain::{Instant, Month};

/// Beginnings: ordinary days, and hours before a month's end, a new year, a 29th of February, a 53rd week, and hours at
/// which clocks are put forward or back in Europe, on Lord Howe Island and in Newfoundland.
const BEGINNINGS: [&str; 10] = [
    "2026-01-20T09:30:00Z",
    "2026-02-26T23:10:00Z",
    "2025-11-30T00:00:00Z",
    "2027-12-30T23:50:00Z",
    "2028-02-27T12:00:00Z",
    "2026-12-24T06:00:00Z",
    "2026-03-28T20:00:00Z",
    "2026-10-24T20:00:00Z",
    "2026-04-03T12:00:00Z",
    "2026-10-31T23:58:30Z",
];
const TIME_ZONES: [Tz; 4] = [Tz::UTC, Tz::Europe__Berlin, Tz::Australia__Lord_Howe, Tz::America__St_Johns];
/// Who reads mails.
const RECIPIENTS: [&str; 2] = ["licensing@example.net", "billing@example.net"];
/// Fewest workloads of a server.
const WORKLOADS_MIN: u32 = 3;
/// An endpoint that is told everything.
const HOOK: &str = "[[webhook]]\nname = \"ops\"\nurl = \"https://hooks.example.net/x\"\nsecret_files = [\"s\"]\n\
    events = [\"*\"]\n";
/// Where usage goes, by the month or by the day.
const SINKS: [&str; 2] = [
    "[[usage_sink]]\nname = \"meter\"\nurl = \"https://meter.example.net/v1\"\nperiod = \"month\"\n",
    "[[usage_sink]]\nname = \"meter\"\nurl = \"https://meter.example.net/v1\"\nperiod = \"day\"\n",
];
/// Samples and news go as soon as settings allow.
const SHORT_MEMORY: &str = "keep_raw = \"62d\"\nkeep_mail = \"62d\"\n";

/// The plan of a seed.
pub fn draw(seed: u64, workloads: Option<u32>) -> WorldPlan {
    let mut rng = StdRng::seed_from_u64(seed);
    let begins_at: Instant = BEGINNINGS[rng.random_range(0..BEGINNINGS.len())].parse().expect("the table is valid");
    let count = [1, 1, 2, 3][rng.random_range(0..4)];
    let all = workloads.unwrap_or_else(|| rng.random_range(4..20)).max(WORKLOADS_MIN * count);
    let shares_license = rng.random_range(0..2) == 0;
    let servers: Vec<ServerPlan> = (1..=count)
        .map(|number| {
            let mut server = server(&mut rng, seed, number, begins_at, all / count);
            if shares_license {
                server.estate.license.license_id = Some(format!("{seed:08x}-0000-4000-8000-000000000001"));
            }
            server
        })
        .collect();
    let mail = rng.random_range(0..=RECIPIENTS.len());
    let mut plan = WorldPlan {
        seed,
        begins_at,
        servers,
        closed_loop: rng.random_range(0..8) != 0,
        mail_to: RECIPIENTS[..mail].iter().map(|one| (*one).to_owned()).collect(),
        settings: settings(&mut rng),
    };
    if rng.random_range(0..4) == 0 && plan.servers.iter().all(|server| server.source == SourceKind::Vbr) {
        plan = plan.renewed_by_servers();
    }
    plan
}

fn server(rng: &mut StdRng, seed: u64, number: u32, begins_at: Instant, machines: u32) -> ServerPlan {
    let source = match rng.random_range(0..8) {
        0..3 => SourceKind::Vbr,
        3..6 => SourceKind::SnapshotFolder,
        6 => SourceKind::Vspc(Role::Client),
        _ => SourceKind::EnterpriseManager,
    };
    let name = match source {
        SourceKind::Vspc(_) => format!("vbr{number:02}@vspc"),
        SourceKind::EnterpriseManager => format!("em{number:02}"),
        SourceKind::Vbr | SourceKind::SnapshotFolder => format!("vbr{number:02}"),
    };
    let mut estate = EstatePlan::new(seed ^ u64::from(number), &name, begins_at, machines);
    if source == SourceKind::EnterpriseManager {
        estate = estate.cloud_connect();
    }
    if rng.random_range(0..3) == 0 {
        estate.license.expires_on = Some(Month::of(begins_at).next().last_day());
    }
    if rng.random_range(0..6) == 0 {
        // Exceeded from the first sample on: told daily.
        estate.license.licensed_points = Some(crate::domain::Points::whole(i64::from(machines) * 5));
    }
    ServerPlan { name, source, estate }
}

/// Samples every four to twelve hours, now and then every hour, an endpoint in every third world, a usage sink in every fourth,
/// and in another fourth nothing kept for longer than it must be.
fn settings(rng: &mut StdRng) -> Settings {
    let hours = [12, 12, 6, 6, 4, 4, 4, 1][rng.random_range(0..8)];
    let time_zone = TIME_ZONES[rng.random_range(0..TIME_ZONES.len())];
    let hook = if rng.random_range(0..3) == 0 { HOOK } else { "" };
    let sink = if rng.random_range(0..4) == 0 { SINKS[rng.random_range(0..SINKS.len())] } else { "" };
    let memory = if rng.random_range(0..4) == 0 { SHORT_MEMORY } else { "" };
    let text = format!("{memory}{hook}{sink}");
    let written = Written { name: "simulated.toml", text: &text };
    let Settings { webhooks, usage_sinks, keep, .. } =
        Settings::read(Some(written), [], &Flags::default()).expect("the settings hold");
    Settings {
        sample_interval: TimeDelta::hours(hours),
        basis_max_age: TimeDelta::hours(2 * hours),
        time_zone,
        webhooks,
        usage_sinks,
        keep,
        ..Settings::default()
    }
}
