//! The VBR conversation against the simulated server: whole reads, faults, months.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use expect_test::expect;
use tidegauge::ask::{Answer, Ask, Failure, Setback};
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Instant, Month, Points};
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vbr::{Fault, Vbr};
use tidegauge::simulation::wire::{PASSWORD, USERNAME};
use tidegauge::sources::vbr::VbrTalk;
use tidegauge::sources::{Brief, Collected, Sweep};

use super::driver::{InProcess, SetClock, at, brief, drive};

/// A server with its estate, its clock and a way to it.
struct World {
    estate: Arc<Mutex<Estate>>,
    vbr: Arc<Vbr>,
    clock: Arc<SetClock>,
    wire: InProcess,
}

const BEGIN: &str = "2026-01-15T00:00:00Z";

fn world(machines: u32) -> World {
    world_of(EstatePlan::new(3, "vbr01", at(BEGIN), machines))
}

fn world_of(plan: EstatePlan) -> World {
    let clock = SetClock::at(plan.begins_at);
    let estate = Arc::new(Mutex::new(Estate::new(plan)));
    let vbr = Vbr::new(Arc::clone(&estate), clock.clone(), USERNAME, PASSWORD);
    let wire = InProcess::new(vbr.router());
    World { estate, vbr, clock, wire }
}

impl World {
    fn read(&self, brief: Brief) -> Result<Collected, Setback> {
        self.clock.set(brief.now);
        drive(&mut VbrTalk::new(brief), |ask| self.wire.carry(ask))
    }

    fn sample(&self, now: Instant, previous: Option<Sample>, sweep: Sweep) -> Sample {
        let brief = Brief { previous: previous.map(Arc::new), sweep, ..brief("vbr01", now) };
        self.read(brief).expect("the server is well").samples.remove(0)
    }

    fn setback(&self, faults: &[Fault]) -> Setback {
        self.vbr.set_faults(faults);
        self.read(brief("vbr01", at(BEGIN))).expect_err("the server is ill")
    }

    fn estate(&self) -> std::sync::MutexGuard<'_, Estate> {
        self.estate.lock().expect("no test panics with the estate in hand")
    }
}

#[test]
fn a_first_read_shows_what_the_estate_holds() {
    let world = world(1200);
    let collected = world.read(brief("vbr01", at(BEGIN))).expect("the server is well");
    let sample = &collected.samples[0];
    let snapshot = world.estate().snapshot(at(BEGIN));
    assert_eq!(sample.workloads.len(), snapshot.workloads.len());
    for (read, real) in sample.workloads.iter().zip(&snapshot.workloads) {
        assert_eq!((&read.id, &read.name, &read.kind, read.points), (&real.id, &real.name, &real.kind, real.points));
        assert_eq!(read.last_restore_point_at, real.last_restore_point_at, "{}", read.name);
        assert!(read.first_processed_at.is_some_and(|first| first < at("2026-01-01T00:00:00Z")), "{}", read.name);
    }
    assert_eq!(sample.license, snapshot.license);
    assert!(sample.vouched);
    assert_eq!(sample.restore_points_swept_at, Some(at(BEGIN)));
    assert_eq!(sample.discrepancies, Vec::<String>::new());
    assert_eq!(collected.revision.as_deref(), Some("1.3-rev2"));
    assert_eq!(collected.server_time, Some(at(BEGIN)));
    assert_eq!(world.vbr.open_tokens(), 0, "it logged out");
    assert_eq!(world.vbr.asked()["/api/v1/license/instances"], 3);
}

#[test]
fn three_months_of_daily_and_hourly_reads_agree_with_the_estate() {
    let world =
        world_of(EstatePlan { appear: 60, stop: 50, revoke: 20, ..EstatePlan::new(11, "vbr01", at(BEGIN), 250) });
    let mut previous: Option<Sample> = None;
    let mut now = at(BEGIN);
    while now < at("2026-04-16T00:00:00Z") {
        let sweep = if now.format("%H").to_string() == "00" { Sweep::Full } else { Sweep::Since };
        let sample = world.sample(now, previous.take(), sweep);
        let estate = world.estate();
        let snapshot = estate.snapshot(now);
        let truth = estate.truth(now);
        assert_eq!(sample.workloads.len(), snapshot.workloads.len(), "{now}");
        let month_starts_at = Month::of(now).starts_at();
        let mut billable = Points::ZERO;
        for (read, real) in sample.workloads.iter().zip(&snapshot.workloads) {
            assert_eq!(read.last_restore_point_at, real.last_restore_point_at, "{now} {}", read.name);
            assert_eq!(read.points, real.points, "{now} {}", read.name);
            let is_new = read.first_processed_at.is_some_and(|first| first >= month_starts_at);
            billable += if is_new { Points::ZERO } else { read.points.expect("stated") };
        }
        assert_eq!(billable, truth.billable_points, "{now}");
        assert_eq!(sample.license.used_points, Some(truth.billable_points));
        drop(estate);
        previous = Some(sample);
        now += TimeDelta::hours(3);
    }
    assert!(world.estate().machines().len() > 300, "it grew");
}

#[test]
fn a_machine_first_backed_up_during_an_outage_over_the_month_end_is_not_new() {
    let world = world(20);
    let previous = world.sample(at("2026-01-30T00:00:00Z"), None, Sweep::Full);
    let machine = world.estate().add(&WorkloadType::Vm, at("2026-01-30T12:00:00Z"));
    let id = world.estate().machines()[machine].id.clone();
    let sample = world.sample(at("2026-02-02T06:00:00Z"), Some(previous), Sweep::Since);
    let workload = sample.workloads.iter().find(|workload| workload.id == id).expect("it is listed");
    assert_eq!(workload.first_processed_at, Some(at("2026-01-30T12:00:00Z")));
}

#[test]
fn without_documents_the_build_tells_the_revision() {
    let world = world(3);
    world.vbr.hide_documents();
    world.vbr.set_build("13.0.1.2000", &["1.3-rev1", "1.3-rev0", "1.2-rev1"]);
    let collected = world.read(brief("vbr01", at(BEGIN))).expect("the server is well");
    assert_eq!(collected.revision.as_deref(), Some("1.3-rev1"));
}

#[test]
fn the_newest_revision_that_is_served_is_spoken() {
    for (served, spoken) in [(&["1.2-rev1"][..], "1.2-rev1"), (&["1.3-rev0", "1.2-rev1"], "1.3-rev0")] {
        let world = world(3);
        world.vbr.set_build("12.3.1.1139", served);
        let collected = world.read(brief("vbr01", at(BEGIN))).expect("the server is well");
        assert_eq!(collected.revision.as_deref(), Some(spoken));
    }
}

#[test]
fn a_remembered_revision_is_not_asked_for_and_gives_way_when_it_is_gone() {
    let world = world(3);
    let remembered = |revision: &str| {
        let mut brief = brief("vbr01", at(BEGIN));
        brief.settings.revision = Some(revision.to_owned());
        world.read(brief).expect("the server is well").revision.expect("it is told")
    };
    assert_eq!(remembered("1.3-rev1"), "1.3-rev1");
    assert!(!world.vbr.asked().keys().any(|path| path.starts_with("/swagger")));
    world.vbr.set_build("13.0.0.4967", &["1.3-rev0", "1.2-rev1"]);
    assert_eq!(remembered("1.3-rev2"), "1.3-rev0");
}

#[test]
fn a_token_is_refreshed_a_minute_before_it_expires() {
    let world = world(1200);
    world.vbr.set_token_seconds(300);
    let mut passed = at(BEGIN);
    let carry = |ask: Ask| {
        passed += TimeDelta::seconds(50);
        world.clock.set(passed);
        world.wire.carry(ask)
    };
    drive(&mut VbrTalk::new(brief("vbr01", at(BEGIN))), carry).expect("the server is well");
    let asked = world.vbr.asked();
    assert!(asked["/api/oauth2/token"] > 5, "{asked:?}");
    assert_eq!(world.vbr.open_tokens(), 0);
}

#[test]
fn an_expired_token_is_renewed_by_one_login() {
    let world = world(3);
    let mut asks = 0;
    let carry = |ask: Ask| {
        asks += 1;
        if asks == 5 {
            world.clock.set(at(BEGIN) + TimeDelta::hours(1));
        }
        world.wire.carry(ask)
    };
    drive(&mut VbrTalk::new(brief("vbr01", at(BEGIN))), carry).expect("the server is well");
    assert_eq!(world.vbr.asked()["/api/oauth2/token"], 2);
    assert_eq!(world.vbr.open_tokens(), 1, "the expired one was never given back");
}

#[test]
fn a_token_that_works_once_ends_in_a_setback_not_in_a_loop() {
    let world = world(2600);
    let setback = world.setback(&[Fault::ShortTokens]);
    expect!["vbr01 /api/oauth2/token: too many logins in one read"].assert_eq(setback.why());
}

#[test]
fn faults_of_the_server_are_told_in_one_line() {
    let world = world(30);
    let tell = |fault: Fault| match world.setback(&[fault]) {
        Setback::TryAgain { why } => format!("try again: {why}\n"),
        Setback::AskAPerson { why } => format!("ask a person: {why}\n"),
    };
    let faults = [Fault::ServerErrors, Fault::Html, Fault::HalfAnswers, Fault::EmptyList, Fault::OtherPassword];
    let told: String = faults.into_iter().map(tell).collect();
    expect![[r#"
        try again: vbr01 /api/oauth2/token: HTTP 500, "Unexpected server error"
        try again: vbr01 /api/oauth2/token: the answer is HTML, not JSON; check that the url leads to the REST port (9419)
        try again: vbr01 /api/v1/serverInfo: half an answer: it ends after 191 bytes
        try again: vbr01 /api/v1/license/instances: the list is empty while the license says that 271 are used
        ask a person: vbr01: login refused (HTTP 401, "Authentication failed"); check username and password_file, and that the account has no MFA
    "#]].assert_eq(&told);
    assert_eq!(world.vbr.open_tokens(), 0, "it logs out after setbacks too");
}

#[test]
fn a_list_that_moves_is_read_again_and_then_given_up() {
    let world = world(1200);
    let setback = world.setback(&[Fault::MovingTotal]);
    expect!["vbr01 /api/v1/license/instances: the list did not hold still in 3 reads: its total went from 1201 to 1700 while it was read"].assert_eq(setback.why());
    assert_eq!(world.vbr.asked()["/api/v1/license/instances"], 6);
}

#[test]
fn what_is_optional_costs_no_sample() {
    let world = world(30);
    world.vbr.set_faults(&[Fault::NoReport, Fault::NoRestorePoints]);
    let sample = world.sample(at(BEGIN), None, Sweep::Full);
    assert_eq!(sample.workloads.len(), 30);
    assert_eq!(sample.restore_points_swept_at, None);
    assert_eq!(sample.license.installation_id, world.estate().license.installation_id, "the vbrId stands in");
    expect![[r#"
        createReport gave no license id: HTTP 403, "Reports are disabled"
        restore points were not read to the end: HTTP 500, "The database is busy""#]]
    .assert_eq(&sample.discrepancies.join("\n"));
}

#[test]
fn the_report_is_asked_once_a_day_or_when_the_key_was_exchanged() {
    let world = world(3);
    let first = world.sample(at(BEGIN), None, Sweep::Since);
    let report = "/api/v1/license/createReport";
    let second = world.sample(at("2026-01-15T01:00:00Z"), Some(first), Sweep::Since);
    assert_eq!(world.vbr.asked()[report], 1);
    world.estate().license.license_id = Some("another".to_owned());
    world.estate().license.expires_on = at("2027-12-31T00:00:00Z").date_naive().into();
    let third = world.sample(at("2026-01-15T02:00:00Z"), Some(second), Sweep::Since);
    assert_eq!(third.license.license_id.as_deref(), Some("another"));
    let fourth = world.sample(at("2026-01-15T03:00:00Z"), Some(third), Sweep::Full);
    assert_eq!(world.vbr.asked()[report], 3);
    world.vbr.set_faults(&[Fault::NoReport]);
    world.estate().license.licensed_points = Some(Points::whole(9));
    let fifth = world.sample(at("2026-01-15T04:00:00Z"), Some(fourth), Sweep::Since);
    assert_eq!(fifth.license.license_id, None, "the id of one key is never given to another");
}

#[test]
fn an_estate_that_was_emptied_is_believed_after_asking_twice() {
    let world = world(1);
    let previous = world.sample(at(BEGIN), None, Sweep::Full);
    let now = at("2026-01-15T01:00:00Z");
    world.estate().revoke(0, now);
    let sample = world.sample(now, Some(previous), Sweep::Since);
    assert!(sample.workloads.is_empty());
    assert_eq!(sample.discrepancies, ["the license list is empty, twice asked; the sample before it named workloads"]);
}

#[test]
fn an_empty_list_is_not_believed_while_the_license_says_nothing() {
    let world = world(1);
    let previous = world.sample(at(BEGIN), None, Sweep::Full);
    world.vbr.set_faults(&[Fault::EmptyList, Fault::NoLicense]);
    let now = at("2026-01-15T01:00:00Z");
    let brief = Brief { previous: Some(Arc::new(previous)), ..brief("vbr01", now) };
    let Err(Setback::TryAgain { why }) = world.read(brief) else { panic!("it is tried again") };
    assert!(why.contains("the license does not say how much is used"), "{why}");
}

#[test]
fn failures_of_the_wire_say_what_to_do() {
    let tell = |failure: Failure| {
        let setback = drive(&mut VbrTalk::new(brief("vbr01", at(BEGIN))), |_| Answer::Failed(failure.clone()));
        match setback.expect_err("nothing was read") {
            Setback::TryAgain { why } => format!("try again: {why}\n"),
            Setback::AskAPerson { why } => format!("ask a person: {why}\n"),
        }
    };
    let why = || "connection refused".to_owned();
    let failures = [
        Failure::Unreachable { why: why() },
        Failure::TimedOut { after_seconds: 60 },
        Failure::Untrusted { why: "unknown issuer".to_owned(), seen_sha256: Some("ab12".to_owned()) },
        Failure::Untrusted { why: "expired".to_owned(), seen_sha256: None },
        Failure::Settings { why: "password_file /etc/x cannot be read".to_owned() },
    ];
    let told: String = failures.into_iter().map(tell).collect();
    expect![[r#"
        try again: vbr01 /swagger: not reachable: connection refused; check that the server runs and its REST port is open
        try again: vbr01 /swagger: no answer within 60 s; check that the server runs and its REST port is open
        ask a person: vbr01 /swagger: certificate not trusted: unknown issuer; the server showed SHA-256 ab12; compare it with the server's certificate and set tls.fingerprint_sha256 = "ab12" or tls.ca_file
        ask a person: vbr01 /swagger: certificate not trusted: expired; set tls.ca_file or tls.fingerprint_sha256
        ask a person: vbr01: password_file /etc/x cannot be read; correct the settings of this server
    "#]].assert_eq(&told);
}
