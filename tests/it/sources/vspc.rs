//! The VSPC conversation against the simulated console: whole reads, names, faults.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use tidegauge::ask::{Answer, Ask, Body, FormValue, HeaderSecret, HttpAnswer, Setback};
use tidegauge::domain::sample::Sample;
use tidegauge::domain::{Instant, Points};
use tidegauge::rules::counting;
use tidegauge::rules::rating::Rating;
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vspc::{Fault, Role, Vspc};
use tidegauge::simulation::wire::{API_KEY, PASSWORD, USERNAME};
use tidegauge::sources::{Brief, Collected, KnownServer, SignsIn, SourceSettings, source_named};

use super::driver::{self, InProcess, SetClock, at, drive};

const BEGIN: &str = "2026-01-15T00:00:00Z";

struct Outside {
    vspc: Arc<Vspc>,
    clock: Arc<SetClock>,
    wire: InProcess,
    pauses: Mutex<u32>,
}

fn estate(name: &str, machines: u32) -> Arc<Mutex<Estate>> {
    Arc::new(Mutex::new(Estate::new(EstatePlan {
        rental_machines: 2,
        ..EstatePlan::new(5, name, at(BEGIN), machines)
    })))
}

fn outside() -> Outside {
    let clock = SetClock::at(at(BEGIN));
    let vspc = Vspc::new(clock.clone(), USERNAME, PASSWORD, API_KEY);
    vspc.manage("vbr01", Role::Client, estate("vbr01", 60));
    vspc.manage("vbr02.customer.example", Role::Client, estate("vbr02", 25));
    vspc.manage("vcc01", Role::CloudConnect, estate("vcc01", 80));
    let wire = InProcess::new(vspc.router());
    Outside { vspc, clock, wire, pauses: Mutex::default() }
}

fn brief(now: Instant, signs_in: SignsIn, known: Vec<KnownServer>) -> Brief {
    let settings = SourceSettings { signs_in, ..SourceSettings::default() };
    Brief { settings, known, ..driver::brief("vspc", now) }
}

impl Outside {
    fn read(&self, brief: Brief) -> Result<Collected, Setback> {
        self.clock.set(brief.now);
        let mut talk = (source_named("vspc").expect("a row").open)(brief);
        drive(talk.as_mut(), |ask| {
            if let Ask::Http(http) = &ask {
                *self.pauses.lock().unwrap() += http.pause_seconds;
            }
            self.wire.carry(ask)
        })
    }

    fn samples(&self, now: Instant) -> Vec<Sample> {
        self.read(brief(now, SignsIn::ApiKey, Vec::new())).expect("the console is well").samples
    }

    fn setback(&self, faults: &[Fault], signs_in: SignsIn) -> Setback {
        self.vspc.set_faults(faults);
        self.read(brief(at(BEGIN), signs_in, Vec::new())).expect_err("the console is ill")
    }
}

fn points(sample: &Sample) -> Points {
    counting::summary(sample, &[], &Rating::default()).points
}

#[test]
fn each_server_of_a_console_gives_a_sample_of_its_own() {
    let outside = outside();
    let collected = outside.read(brief(at(BEGIN), SignsIn::ApiKey, Vec::new())).expect("the console is well");
    let names: Vec<&str> = collected.samples.iter().map(|sample| sample.server.as_str()).collect();
    assert_eq!(names.len(), 3);
    for name in ["vbr01@vspc", "vbr02.customer.example@vspc", "vcc01@vspc"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    for sample in &collected.samples {
        assert_eq!(sample.discrepancies, Vec::<String>::new(), "{}", sample.server);
        assert_eq!(sample.license.used_points, Some(points(sample)), "{}", sample.server);
        assert_eq!(sample.stale, None);
        assert!(sample.license.license_id.is_some() && sample.license.installation_id.is_some());
        assert_eq!(sample.license.edition.as_deref(), Some("EnterprisePlus"));
        assert!(sample.counts.iter().all(|count| count.tenant.is_some() && count.weight.is_some()));
        assert_eq!(sample.counts.iter().map(|count| count.rental).sum::<u32>(), 2, "{}", sample.server);
    }
    assert_eq!(collected.server_time, Some(at(BEGIN)));
    assert_eq!(collected.notes.len(), 1, "VSPC's own agents are named: {:?}", collected.notes);
    assert!(collected.notes[0].contains("VSPC's own agents, 12 machines, 48 points"), "{:?}", collected.notes);
    assert_eq!(outside.vspc.versions().into_iter().collect::<Vec<_>>(), ["3.7"]);
}

#[test]
fn a_list_that_shifts_while_it_is_paged_is_not_believed() {
    let why = outside().setback(&[Fault::MovingRows], SignsIn::ApiKey).why().to_owned();
    assert!(why.contains("its rows moved"), "{why}");
}

#[test]
fn what_a_customers_server_counts_is_what_its_machines_are() {
    let outside = outside();
    let estate = estate("vbr09", 90);
    outside.vspc.manage("vbr09", Role::Client, Arc::clone(&estate));
    for now in [at(BEGIN), at("2026-02-10T06:00:00Z"), at("2026-04-01T00:00:00Z")] {
        let samples = outside.samples(now);
        let sample = samples.iter().find(|sample| sample.server == "vbr09@vspc").expect("it is named");
        let truth = estate.lock().unwrap().truth(now);
        let summary = counting::summary(sample, &[], &Rating::default());
        assert_eq!((summary.points, summary.new_points), (truth.billable_points, truth.new_points), "{now}");
        assert_eq!(summary.rental_count, truth.rental_count, "{now}");
    }
}

#[test]
fn a_server_keeps_its_name_when_it_is_renamed_and_two_of_one_name_are_told_apart() {
    let outside = outside();
    let known: Vec<KnownServer> = outside
        .samples(at(BEGIN))
        .into_iter()
        .map(|sample| KnownServer { server: sample.server, installation_id: sample.license.installation_id })
        .collect();
    outside.vspc.change("vbr01", |server| server.name = "renamed".to_owned());
    // The newcomer sorts before or after the known one: it is the newcomer that gets the longer name.
    outside.vspc.manage("vcc01", Role::Client, estate("another", 5));
    let collected = outside.read(brief(at(BEGIN), SignsIn::ApiKey, known)).expect("the console is well");
    let mut names: Vec<String> = collected.samples.into_iter().map(|sample| sample.server).collect();
    names.sort();
    assert_eq!(names.len(), 4);
    assert!(names.contains(&"vbr01@vspc".to_owned()), "{names:?}");
    assert!(names.contains(&"vcc01@vspc".to_owned()), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("vcc01-") && name.ends_with("@vspc")), "{names:?}");
}

#[test]
fn an_inaccessible_servers_numbers_stand_and_are_called_stale() {
    let outside = outside();
    let fresh = outside.samples(at(BEGIN));
    outside.vspc.change("vbr01", |server| server.ill = Some((at(BEGIN), "Inaccessible")));
    let later = outside.samples(at(BEGIN) + TimeDelta::days(20));
    let of =
        |samples: &[Sample]| samples.iter().find(|sample| sample.server == "vbr01@vspc").expect("it is named").clone();
    assert_eq!(of(&later).counts, of(&fresh).counts);
    let why = of(&later).stale.expect("it is stale").why;
    assert_eq!(why, "vspc calls the server 'Inaccessible': its numbers are of an earlier hour");
    assert_eq!(later.iter().filter(|sample| sample.stale.is_some()).count(), 1);
}

#[test]
fn a_login_asks_for_a_read_only_token_and_shows_no_key() {
    let outside = outside();
    let mut asks = Vec::new();
    let mut talk = (source_named("vspc").expect("a row").open)(brief(at(BEGIN), SignsIn::Password, Vec::new()));
    let collected = drive(talk.as_mut(), |ask| {
        let Ask::Http(http) = &ask else { panic!("a console is asked over HTTP") };
        asks.push(http.clone());
        outside.wire.carry(ask)
    });
    assert_eq!(collected.expect("the console is well").samples.len(), 3);
    let Body::Form(form) = &asks[0].body else { panic!("the login is a form") };
    let read_only = form.iter().find(|(name, _)| *name == "readOnly").map(|(_, value)| value);
    assert!(matches!(read_only, Some(FormValue::Text(text)) if text == "true"));
    assert!(asks[1..].iter().all(|ask| ask.bearer.is_some() && ask.secret_headers.is_empty()));
    let ids: std::collections::BTreeSet<_> =
        asks[1..].iter().map(|ask| ask.headers.iter().find(|(name, _)| name == "x-request-id").cloned()).collect();
    assert_eq!(ids.len(), asks.len() - 1, "each request has an id of its own");
}

#[test]
fn an_api_key_needs_no_login() {
    let outside = outside();
    outside.samples(at(BEGIN));
    assert!(!outside.vspc.asked().contains_key("/api/v3/token"));
    let mut talk = (source_named("vspc").expect("a row").open)(brief(at(BEGIN), SignsIn::ApiKey, Vec::new()));
    let step = talk.next(None);
    let tidegauge::ask::Step::Ask(Ask::Http(ask)) = step else { panic!("it asks") };
    assert!(matches!(ask.secret_headers[..], [("authorization", HeaderSecret::PeerKey)]));
}

#[test]
fn queued_requests_are_waited_for_and_give_the_same() {
    let outside = outside();
    let plain = outside.samples(at(BEGIN));
    assert_eq!(*outside.pauses.lock().unwrap(), 0);
    outside.vspc.set_faults(&[Fault::Queues]);
    assert_eq!(outside.samples(at(BEGIN)), plain);
    assert!(*outside.pauses.lock().unwrap() > 0, "it waits between two looks");
}

#[test]
fn what_passes_is_tried_again_and_what_stays_is_a_persons() {
    let outside = outside();
    outside.vspc.set_faults(&[Fault::Passing]);
    assert_eq!(outside.samples(at(BEGIN)).len(), 3);
    let cases: [(&[Fault], SignsIn, &str); 8] = [
        (
            &[Fault::Lasting],
            SignsIn::ApiKey,
            "person: vspc /api/v3/organizations/companies: HTTP 520, \"The object is in a wrong state.\"; VSPC calls it 'logical': look into its own log",
        ),
        (
            &[Fault::EmptyHanded],
            SignsIn::ApiKey,
            "again: vspc /api/v3/organizations/companies: no data, and the error \"The database is busy.\"",
        ),
        (
            &[Fault::QueuedFails],
            SignsIn::ApiKey,
            "again: vspc /api/v3/organizations/companies: the console queued it, and it failed",
        ),
        (
            &[Fault::NotLetIn],
            SignsIn::ApiKey,
            "person: vspc /api/v3/organizations/companies: not let in (HTTP 401, \"The key or token is not valid.\"); check the API key or the account in VSPC",
        ),
        (
            &[Fault::OtherPassword],
            SignsIn::Password,
            "person: vspc: login refused (HTTP 400, \"Wrong user name or password.\"); check username and password_file, or give VSPC's API key by api_key_file",
        ),
        (
            &[Fault::SecondFactor],
            SignsIn::Password,
            "person: vspc: the account asks for a second factor, which an agent cannot give; make an API key in VSPC and name its file by api_key_file",
        ),
        (
            &[Fault::MovingTotal],
            SignsIn::ApiKey,
            "again: vspc /api/v3/organizations/companies: the list did not hold still in 3 reads: its total went from 13 to 24",
        ),
        (
            &[Fault::Html],
            SignsIn::ApiKey,
            "again: vspc /api/v3/organizations/companies: the answer is HTML, not JSON; check that the url leads to VSPC's port (1280)",
        ),
    ];
    for (faults, signs_in, expected) in cases {
        let said = match outside.setback(faults, signs_in) {
            Setback::TryAgain { why } => format!("again: {why}"),
            Setback::AskAPerson { why } => format!("person: {why}"),
        };
        assert_eq!(said, expected, "{faults:?}");
    }
}

/// A console of one server whose usage is this JSON.
fn told(usage: &str, server_type: &str) -> Collected {
    told_of(r#","status":"Healthy""#, usage, server_type)
}

/// The same with these fields of the server.
fn told_of(status: &str, usage: &str, server_type: &str) -> Collected {
    let list =
        |rows: &str| format!(r#"{{"data":[{rows}],"meta":{{"pagingInfo":{{"total":1,"count":1,"offset":0}}}}}}"#);
    let uid = "47664f7a-8f3f-4275-91fc-89a119b5497f";
    let mut talk = (source_named("vspc").expect("a row").open)(brief(at(BEGIN), SignsIn::ApiKey, Vec::new()));
    let collected = drive(talk.as_mut(), |ask| {
        let Ask::Http(http) = ask else { panic!("a console is asked over HTTP") };
        let body = match http.path.split('?').next().unwrap_or_default() {
            "/api/v3/organizations/companies" => list(r#"{"instanceUid":"c1","name":"Beta"}"#),
            "/api/v3/infrastructure/backupServers" => {
                list(&format!(r#"{{"instanceUid":"{uid}","name":"vbr01","installationUid":"I-1"{status}}}"#))
            }
            "/api/v3/licensing/backupServers" => list(&format!(
                r#"{{"backupServerUid":"{uid}","autoUpdateEnabled":false,"edition":"Enterprise Plus","packages":["None","Backup"],"company":"Beta",
                   "expirationDate":"2027-01-30T19:00:00-05:00","supportExpirationDate":null,"licenseIds":["L-1"],"supportIds":[87654321],"status":"Valid",
                   "cloudConnect":"No","sockets":8,"usedSockets":6,"capacity":0,"usedCapacity":1.5,"units":1000,"usedUnits":143.5,"unitType":"Points","type":"Rental"}}"#
            )),
            "/api/v3/licensing/usage/organizations" => list(&format!(
                r#"{{"organizationUid":"c1","organizationType":"Company","servers":[{{"serverUid":"{uid}","serverType":"{server_type}","workloads":[{usage}]}}]}}"#
            )),
            _ => r#"{"data":null,"meta":null,"errors":null}"#.to_owned(),
        };
        Answer::Http(HttpAnswer { status: 200, headers: Vec::new(), body: body.into_bytes() })
    });
    collected.expect("the console is well")
}

fn lines(collected: &Collected) -> Vec<String> {
    let line = |count: &tidegauge::domain::tenant::TenantCount| {
        let weight = count.weight.map_or("-".to_owned(), |weight| weight.to_string());
        format!(
            "{} {} at {weight}: {} used, {} new, {} rental",
            count.tenant.as_deref().unwrap_or("-"),
            count.kind,
            count.used,
            count.new,
            count.rental
        )
    };
    collected.samples[0].counts.iter().map(line).collect()
}

#[test]
fn two_weights_stay_two_lines_and_an_unknown_type_counts_with_what_is_stated() {
    let collected = told(
        r#"{"id":"w1","description":"VM","unitType":"Points","usedCount":12,"newCount":1,"rentalCount":0,"workloadsByPlatform":[
             {"typeId":"VBR-VM-VSPHERE","description":"VMware","weight":11.0,"usedUnits":88.0,"usedCount":8,"newCount":1,"rentalCount":0},
             {"typeId":"VBR-VM-HYPERV","description":"Hyper-V","weight":11.0,"usedUnits":33.0,"usedCount":3,"newCount":0,"rentalCount":0},
             {"typeId":"VBR-VM-AHV","description":"AHV","weight":13.5,"usedUnits":13.5,"usedCount":1,"newCount":0,"rentalCount":0}]},
           {"id":"w2","description":"Quantum","usedUnits":5.0,"usedCount":2,"newCount":null,"rentalCount":1,"workloadsByPlatform":[
             {"typeId":"VBR-QUANTUM-1","weight":null,"usedUnits":5.0,"usedCount":2,"newCount":null,"rentalCount":1}]},
           {"id":"w3","description":"Nothing","usedUnits":4.0,"usedCount":1,"newCount":0,"rentalCount":0,"workloadsByPlatform":null}"#,
        "BackupAndReplication",
    );
    assert_eq!(
        lines(&collected),
        [
            "Beta VM at 11: 11 used, 1 new, 0 rental",
            "Beta VM at 13.5: 1 used, 0 new, 0 rental",
            "Beta Nothing at 4: 1 used, 0 new, 0 rental",
            "Beta VBR-QUANTUM-1 at 2.5: 2 used, 0 new, 1 rental",
        ]
    );
    let sample = &collected.samples[0];
    assert_eq!(sample.discrepancies, Vec::<String>::new());
    assert_eq!(sample.license.support_id.as_deref(), Some("87654321"), "a JSON number");
    assert_eq!(sample.license.expires_on, "2027-01-31".parse().ok(), "midnight GMT, written in another zone");
    assert_eq!(sample.license.package.as_deref(), Some("Backup"));
    assert_eq!(sample.license.installation_id.as_deref(), Some("i-1"));
    let sections = &sample.license.sections;
    assert_eq!(sections.sockets.as_ref().map(|sockets| (sockets.licensed, sockets.remaining)), Some((8, 2)));
    assert_eq!(sections.capacity, None, "nothing is licensed");
}

#[test]
fn sums_that_do_not_agree_are_named() {
    let collected = told(
        r#"{"id":"w1","description":"VM","usedCount":9,"workloadsByPlatform":[
             {"typeId":"VBR-VM-VSPHERE","weight":11.0,"usedUnits":89.0,"usedCount":8,"newCount":-1,"rentalCount":0}]}"#,
        "BackupAndReplication",
    );
    assert_eq!(
        collected.samples[0].discrepancies,
        [
            "newCount of VM is no number of machines; 0 is taken",
            "8 of VM at 11 are 88, and VSPC states 89 points for them",
            "VM: VSPC states 9 in all and 8 by platform",
        ]
    );
}

#[test]
fn machines_whose_count_is_not_stated_are_found_by_their_points_or_named() {
    let collected = told(
        r#"{"id":"w1","description":"VM","usedCount":8,"usedUnits":99.0,"workloadsByPlatform":[
             {"typeId":"VBR-VM-VSPHERE","weight":11.0,"usedUnits":88.0,"usedCount":null}]},
           {"id":"w2","description":"Server","usedUnits":12.5,"workloadsByPlatform":[
             {"typeId":"VBR-SERVER-WINDOWS","weight":null,"usedUnits":12.5,"usedCount":null}]},
           {"id":"w3","description":"Spaceship","usedUnits":30.0,"usedCount":3,"workloadsByPlatform":[
             {"typeId":"VBR-SPACE-1","usedCount":null}]}"#,
        "BackupAndReplication",
    );
    assert_eq!(
        lines(&collected),
        ["Beta VM at 11: 8 used, 0 new, 0 rental", "Beta Spaceship at 10: 3 used, 0 new, 0 rental"]
    );
    let notes = &collected.samples[0].discrepancies;
    for note in [
        "VM: VSPC states 99 points in all and 88 by platform",
        "12.5 points of Server state no machines; they are not counted",
    ] {
        assert!(notes.iter().any(|said| said == note), "{note} in {notes:?}");
    }
}

#[test]
fn a_server_whose_health_is_not_told_does_not_pass_for_a_fresh_one() {
    let usage = r#"{"id":"w1","description":"VM","usedCount":8,"workloadsByPlatform":[
                    {"typeId":"VBR-VM-VSPHERE","weight":11.0,"usedUnits":88.0,"usedCount":8}]}"#;
    for (status, stale) in [
        (r#","status":"Healthy""#, None),
        (r#","status":null"#, Some("vspc does not tell the server's health: its numbers may be of an earlier hour")),
        ("", Some("vspc does not tell the server's health: its numbers may be of an earlier hour")),
        (r#","status":"Unknown""#, Some("vspc calls the server 'Unknown': its numbers are of an earlier hour")),
    ] {
        let collected = told_of(status, usage, "BackupAndReplication");
        assert_eq!(collected.samples[0].stale.as_ref().map(|stale| stale.why.as_str()), stale, "{status}");
    }
}

#[test]
fn points_of_other_products_are_left_out_and_named() {
    let usage = r#"{"id":"w1","description":"VM","usedCount":8,"workloadsByPlatform":[
                    {"typeId":"ONE-VM","weight":2.0,"usedUnits":16.0,"usedCount":8,"newCount":0,"rentalCount":0}]}"#;
    let collected = told(usage, "VONE");
    assert_eq!(lines(&collected), Vec::<String>::new());
    assert_eq!(collected.notes, ["left out, because no backup key counts it: Veeam ONE, 8 machines, 16 points"]);
    let unknown = told(usage, "Unknown");
    assert_eq!(
        lines(&unknown),
        ["Beta ONE-VM at 2: 8 used, 0 new, 0 rental"],
        "it names a backup server that is listed"
    );
}
