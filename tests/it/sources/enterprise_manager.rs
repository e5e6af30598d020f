//! The Enterprise Manager conversation: whole reads in JSON and XML, faults, and what it names beside a server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tidegauge::ask::{Answer, Ask, Failure, HttpAnswer, HttpAsk, Setback};
use tidegauge::domain::Points;
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::counting::{AsOf, Ledger, classify, cross_check, summary};
use tidegauge::rules::rating::Rating;
use tidegauge::simulation::enterprise_manager::{EnterpriseManager, Fault};
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vbr::Vbr;
use tidegauge::simulation::wire::{PASSWORD, USERNAME};
use tidegauge::sources::enterprise_manager::{COUNTERS, Managed, ManagerTalk, Part};
use tidegauge::sources::tenants_from::{CLOUD_CONNECT, Split, split};
use tidegauge::sources::{Brief, Collected, SourceSettings, TenantsFrom, source_named};

use super::driver::{InProcess, SetClock, at, brief, drive};

pub const NOW: &str = "2026-10-20T09:30:00Z";

/// A Cloud Connect server of so many machines, and the Enterprise Manager that manages it.
pub struct World {
    estate: Arc<Mutex<Estate>>,
    manager: Arc<EnterpriseManager>,
    pub vbr: InProcess,
    pub em: InProcess,
}

pub fn world(machines: u32) -> World {
    let mut plan = EstatePlan::new(5, "cc01", at("2026-09-15T00:00:00Z"), machines).cloud_connect();
    plan.rental_machines = machines / 10;
    plan.appear = 60;
    let (estate, clock) = (Arc::new(Mutex::new(Estate::new(plan))), SetClock::at(at(NOW)));
    let vbr = Vbr::new(Arc::clone(&estate), clock.clone(), USERNAME, PASSWORD);
    let servers = vec![("CC01.example.net".to_owned(), Arc::clone(&estate))];
    let manager = EnterpriseManager::new(servers, clock);
    let (vbr, em) = (InProcess::new(vbr.router()), InProcess::new(manager.router()));
    World { estate, manager, vbr, em }
}

impl World {
    fn managed(&self, faults: &[Fault]) -> Result<Managed, Setback> {
        self.manager.set_faults(faults);
        drive(&mut ManagerTalk::new("em01".to_owned()), |ask| self.em.carry(ask))
    }

    /// The server with its tenants named by the manager.
    fn named(&self, faults: &[Fault], from: TenantsFrom) -> Collected {
        self.manager.set_faults(faults);
        let settings = SourceSettings { tenants_from: Some(from), ..SourceSettings::default() };
        let brief = Brief { settings, ..brief("cc01", at(NOW)) };
        let mut talk = (source_named("vbr").expect("a row").open)(brief);
        let carry = |ask: Ask| if peer_of(&ask) == "em01" { self.em.carry(ask) } else { self.vbr.carry(ask) };
        drive(talk.as_mut(), carry).expect("the server is well")
    }
}

pub fn peer_of(ask: &Ask) -> String {
    match ask {
        Ask::Http(ask) => ask.peer.clone(),
        other => panic!("{other:?} is no HTTP"),
    }
}

pub fn from(known_as: &[&str]) -> TenantsFrom {
    let known_as = known_as.iter().map(|name| (*name).to_owned()).collect();
    TenantsFrom { manager: "em01".to_owned(), known_as, others: Vec::new() }
}

fn used(counts: &[TenantCount], kind: &WorkloadType) -> u32 {
    counts.iter().filter(|count| count.kind == *kind).map(|count| count.used).sum()
}

#[test]
fn json_and_xml_page_by_page_or_one_by_one_tell_the_same() {
    let world = world(400);
    let managed = world.managed(&[]).expect("it is well");
    assert_eq!(managed.servers.keys().collect::<Vec<_>>(), ["CC01.example.net"]);
    let counts = &managed.servers["CC01.example.net"];
    let truth = world.estate.lock().expect("no panic").truth(at(NOW));
    let sum = |part: fn(&TenantCount) -> u32| u64::from(counts.iter().map(part).sum::<u32>());
    // It has no counter of rental replicas: those stand among the used ones.
    assert_eq!((sum(|one| one.used), sum(|one| one.new)), (truth.billable_count, truth.new_count));
    assert_eq!(sum(|one| one.rental), truth.rental_count);
    assert!(truth.new_count > 0 && truth.rental_count > 0);
    for faults in
        [vec![Fault::OnlyXml], vec![Fault::NoQuery], vec![Fault::NoQuery, Fault::OnlyXml], vec![Fault::LostSession]]
    {
        assert_eq!(world.managed(&faults).expect("it is well"), managed, "{faults:?}");
    }
    world.managed(&[]).expect("it is well");
    assert!(world.manager.asked().keys().any(|path| path.starts_with("/api/logonSessions/")));
}

#[test]
fn a_tenant_that_slips_between_two_pages_is_found_in_the_list() {
    let world = world(400);
    let still = world.managed(&[]).expect("it is well");
    let moved = world.managed(&[Fault::MovingRows]).expect("it is well");
    let by_tenant = |managed: &Managed| {
        let mut counts = managed.servers["CC01.example.net"].clone();
        counts.sort_by_key(|count| format!("{count:?}"));
        counts
    };
    assert_eq!(by_tenant(&moved), by_tenant(&still));
    assert!(world.manager.asked().contains_key("/api/cloud/tenants"));
}

#[test]
fn a_page_that_comes_empty_is_named_and_the_pages_after_it_are_read() {
    let world = world(40);
    let whole = world.managed(&[]).expect("it is well");
    let mut talk = ManagerTalk::new("em01".to_owned());
    let managed = drive(&mut talk, |ask| {
        let Ask::Http(http) = ask else { panic!("Enterprise Manager is asked over HTTP") };
        let is_first = http.path.contains("page=1");
        let (is_query, path) = (http.path.starts_with("/api/query"), http.path.replace("page=2", "page=1"));
        let answer = world.em.carry(Ask::Http(HttpAsk { path, ..http }));
        let Answer::Http(answer) = answer else { panic!("{answer:?}") };
        let mut body = String::from_utf8(answer.body).expect("text");
        if is_query && is_first {
            body =
                r#"{"Entities": {"CloudTenants": {"CloudTenants": []}}, "PagingInfo": {"PagesCount": 2}}"#.to_owned();
        }
        Answer::Http(HttpAnswer { body: body.into_bytes(), ..answer })
    });
    let managed = managed.expect("it is well");
    assert_eq!(managed.servers, whole.servers);
    assert_eq!(managed.notes, ["page 1 of 2 came without tenants; some may be missing"]);
}

#[test]
fn each_session_is_given_back_also_after_a_setback() {
    let world = world(20);
    world.managed(&[]).expect("it is well");
    world.managed(&[Fault::Forbidden]).expect_err("it may not look");
    assert_eq!(world.manager.open_sessions(), 0);
}

#[test]
fn what_a_person_must_do_is_told_from_what_may_pass() {
    let world = world(20);
    let told = |faults: &[Fault]| match world.managed(faults).expect_err("it is ill") {
        Setback::AskAPerson { why } => format!("person: {why}"),
        Setback::TryAgain { why } => format!("again: {why}"),
    };
    for (faults, words) in [
        (vec![Fault::OtherPassword], "person: em01: login refused (HTTP 401"),
        (vec![Fault::Forbidden], "person: em01 /api/query: not allowed (HTTP 403, \"Access is denied\")"),
        (vec![Fault::ServerErrors], "again: em01 /api/sessionMngr/: HTTP 500, \"Internal server error\""),
        (vec![Fault::Html], "the answer is HTML; check that the url leads to Enterprise Manager's REST port (9398)"),
        (vec![Fault::HalfAnswers], "again: em01 /api/query: half an answer: it ends after"),
        (vec![Fault::HalfAnswers, Fault::OnlyXml], "again: em01 /api/query: half an answer: it ends after"),
    ] {
        let told = told(&faults);
        assert!(told.contains(words), "{faults:?}: {told}");
    }
    let away =
        drive(&mut ManagerTalk::new("em01".to_owned()), |_| Answer::Failed(Failure::TimedOut { after_seconds: 30 }));
    assert!(matches!(away, Err(Setback::TryAgain { why }) if why.contains("no answer within 30 s")));
}

/// Answers by path, as the official documents print them.
fn documented(ask: Ask) -> Answer {
    let Ask::Http(HttpAsk { path, .. }) = ask else { panic!("HTTP") };
    let xml = |body: &str| HttpAnswer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/xml".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    let path = path.split('?').next().unwrap_or_default();
    Answer::Http(match path.rsplit('/').next().unwrap_or_default() {
        "" => HttpAnswer {
            status: 201,
            headers: vec![("x-restsvcsessionid".to_owned(), "NDRjZ".to_owned())],
            body: br#"<LogonSession xmlns="http://www.veeam.com/ent/v1.0" Type="LogonSession"><SessionId>695f</SessionId></LogonSession>"#.to_vec(),
        },
        "query" => HttpAnswer { status: 404, ..HttpAnswer::default() },
        "tenants" => xml(include_str!("enterprise_manager/tenants.xml")),
        "freelicenseCounters" => xml(include_str!("enterprise_manager/free_counters.xml")),
        "695f" => HttpAnswer { status: 204, ..HttpAnswer::default() },
        _ => xml(include_str!("enterprise_manager/tenant.xml")),
    })
}

#[test]
fn the_documents_own_answers_are_read() {
    let managed = drive(&mut ManagerTalk::new("em01".to_owned()), documented).expect("the documents' answers");
    let count = |kind: WorkloadType, used, new, rental| TenantCount {
        tenant: Some("Smith & Söhne".to_owned()),
        kind,
        weight: None,
        used,
        new,
        rental,
    };
    let counts = vec![
        count(WorkloadType::CloudConnectVm, 12, 4, 2),
        count(WorkloadType::CloudConnectReplica, 3, 2, 0),
        count(WorkloadType::CloudConnectWorkstation, 7, 5, 2),
        count(WorkloadType::CloudConnectServer, 0, 1, 3),
    ];
    assert_eq!(managed.servers, BTreeMap::from([("srv13.tech.local".to_owned(), counts)]));
    assert_eq!(managed.notes, Vec::<String>::new());
}

#[test]
fn new_machines_consume_nothing_and_every_type_has_its_three_counters() {
    for kind in CLOUD_CONNECT {
        let parts: Vec<Part> = COUNTERS.iter().filter(|row| row.kind == kind).map(|row| row.part).collect();
        assert_eq!(parts, [Part::Used, Part::New, Part::Rental], "{kind}");
    }
    for row in &COUNTERS {
        let prefix = match row.part {
            Part::New => "New",
            Part::Rental => "Rental",
            Part::Used => "",
        };
        let names = row.rest.iter().chain(row.powershell);
        names.for_each(|name| assert!(name.starts_with(prefix) && name.ends_with("Count"), "{name}"));
    }
}

#[test]
fn a_servers_total_stays_the_same_with_and_without_tenants() {
    let world = world(300);
    let points = |collected: &Collected| {
        let sample = &collected.samples[0];
        let counted = classify(sample, &Ledger::default(), AsOf::sample(sample.taken_at), &Rating::default());
        let summary = summary(sample, &counted, &Rating::default());
        assert_eq!(cross_check(sample, &summary, &Rating::default()), Vec::<String>::new());
        (summary.points, summary.new_points)
    };
    let named = world.named(&[], from(&["cc01"]));
    let truth = world.estate.lock().expect("no panic").truth(at(NOW));
    let sample = &named.samples[0];
    assert!(sample.counts.iter().all(|count| count.tenant.is_some()), "every machine has its tenant");
    assert_eq!(
        sample.discrepancies,
        [format!("the server counts {} rental points and does not name the machines", truth.rental_count)]
    );
    assert_eq!(points(&named), (truth.billable_points, truth.new_points));
    for faults in
        [vec![Fault::ServerErrors], vec![Fault::OtherPassword], vec![Fault::OneVmMore], vec![Fault::HalfAnswers]]
    {
        let other = world.named(&faults, from(&["cc01"]));
        assert_eq!(points(&other), points(&named), "{faults:?}");
        let said = other.samples[0].discrepancies.last().expect("it is said");
        assert!(said.contains("em01"), "{said}");
        let vms = |collected: &Collected| used(&collected.samples[0].counts, &WorkloadType::CloudConnectVm);
        assert_eq!(vms(&other), vms(&named));
    }
}

#[test]
fn a_manager_that_counts_more_than_the_server_names_nobody_of_that_type() {
    let world = world(300);
    let sample = world.named(&[Fault::OneVmMore], from(&["cc01"])).samples.remove(0);
    let of = |kind: &WorkloadType| sample.counts.iter().filter(|count| count.kind == *kind).collect::<Vec<_>>();
    assert!(of(&WorkloadType::CloudConnectVm).iter().all(|count| count.tenant.is_none()));
    assert!(of(&WorkloadType::CloudConnectReplica).iter().all(|count| count.tenant.is_some()));
    let said = sample.discrepancies.last().expect("it is said");
    assert!(said.ends_with("the server's own count stands, without tenants"), "{said}");
}

#[test]
fn a_server_is_found_by_name_or_address_or_as_the_only_one() {
    let world = world(30);
    let is_named = |from: TenantsFrom| {
        let sample = world.named(&[], from).samples.remove(0);
        sample.counts.iter().any(|count| count.tenant.is_some())
    };
    for known_as in ["cc01", "CC01", "cc01.example.net", "something else"] {
        assert!(is_named(from(&[known_as])), "{known_as}");
    }
    let not_alone = |known_as: &str| TenantsFrom { others: vec!["cc02".to_owned()], ..from(&[known_as]) };
    assert!(is_named(not_alone("cc01")));
    assert!(!is_named(not_alone("cc01.example.com")), "another host of that name");
    assert!(!is_named(not_alone("10.0.0.1")));
}

fn count(tenant: Option<&str>, used: u32, new: u32, rental: u32) -> TenantCount {
    let weight = tenant.is_none().then(|| Points::whole(5));
    TenantCount { tenant: tenant.map(str::to_owned), kind: WorkloadType::CloudConnectVm, weight, used, new, rental }
}

#[test]
fn what_no_tenant_has_stays_without_one_and_rental_machines_are_named_besides() {
    let split = split(vec![count(None, 10, 3, 0)], &[count(Some("A"), 6, 1, 2), count(Some("B"), 3, 0, 0)], "em01");
    let weighed = |one: TenantCount| TenantCount { weight: Some(Points::whole(5)), ..one };
    let expected = vec![weighed(count(Some("A"), 6, 1, 2)), weighed(count(Some("B"), 3, 0, 0)), count(None, 1, 2, 0)];
    assert_eq!(split, Split { counts: expected, notes: Vec::new() });
}

proptest! {
    #[test]
    fn whatever_is_named_the_sums_of_a_server_stay(
        own in proptest::collection::vec((0_usize..4, 0_u32..50, 0_u32..10), 0..6),
        named in proptest::collection::vec((0_usize..4, 0_u32..6, 0_u32..40, 0_u32..8, 0_u32..5), 0..20),
    ) {
        let own: Vec<TenantCount> = own.into_iter().map(|(kind, used, new)| TenantCount {
            kind: CLOUD_CONNECT[kind].clone(), ..count(None, used, new, 0)
        }).collect();
        let named: Vec<TenantCount> = named.into_iter().map(|(kind, tenant, used, new, rental)| TenantCount {
            kind: CLOUD_CONNECT[kind].clone(), ..count(Some(&format!("T{tenant}")), used, new, rental)
        }).collect();
        let split = split(own.clone(), &named, "em01");
        for kind in CLOUD_CONNECT {
            let sum = |counts: &[TenantCount]| {
                let of_kind = counts.iter().filter(|count| count.kind == kind);
                let rental = |count: &TenantCount| if kind == WorkloadType::CloudConnectReplica { count.rental } else { 0 };
                of_kind.fold((0, 0), |(used, new), count| (used + count.used + rental(count), new + count.new))
            };
            prop_assert_eq!(sum(&split.counts), sum(&own), "{}", kind);
        }
    }

    #[test]
    fn foreign_bytes_end_in_a_setback_and_never_in_a_panic(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..6),
        kind in prop_oneof![Just("application/json"), Just("application/xml"), Just("")],
        status in prop_oneof![Just(200_u16), Just(201), Just(404), Just(500)],
    ) {
        let mut bodies = bodies.into_iter().cycle();
        let mut answer = |_: Ask| Answer::Http(HttpAnswer {
            status,
            headers: vec![
                ("content-type".to_owned(), kind.to_owned()),
                ("x-restsvcsessionid".to_owned(), "s".to_owned()),
            ],
            body: bodies.next().unwrap_or_default(),
        });
        let _ = drive(&mut ManagerTalk::new("em01".to_owned()), &mut answer);
    }

    #[test]
    fn any_cut_of_a_documents_answer_is_half_an_answer(cut in 1_usize..400) {
        let whole = include_bytes!("enterprise_manager/tenants.xml");
        let body = whole[..cut.min(whole.len() - 20)].to_vec();
        let heard = drive(&mut ManagerTalk::new("em01".to_owned()), |ask| match documented(ask) {
            Answer::Http(http) if http.body == whole => Answer::Http(HttpAnswer { body: body.clone(), ..http }),
            other => other,
        });
        prop_assert!(heard.is_err());
    }
}
