//! The VBR conversation against handmade answers: each trap of api.md section 8 by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::expect;
use proptest::prelude::*;
use tidegauge::ask::{Answer, Ask, Failure, HttpAnswer, MailAnswer, Setback};
use tidegauge::domain::Points;
use tidegauge::domain::license::LicenseType;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::sources::vbr::VbrTalk;
use tidegauge::sources::{Brief, Sweep};

use super::driver::{at, brief, drive};

const NOW: &str = "2026-11-20T10:00:00Z";

/// Bodies by path, of a server that is well; a test exchanges one.
pub fn bodies() -> BTreeMap<&'static str, String> {
    [
        ("/swagger/v1.3-rev2/swagger.json", "{}"),
        ("/api/oauth2/token", r#"{"access_token":"a","token_type":"bearer","refresh_token":"r","expires_in":900,".issued":"2026-11-20T11:00:00+01:00"}"#),
        ("/api/oauth2/logout", "{}"),
        ("/api/v1/serverTime", r#"{"serverTime":"2026-11-20T11:00:00.7300443+01:00","timeZone":"(UTC+01:00) Prague"}"#),
        ("/api/v1/serverInfo", r#"{"vbrId":"vbr-id","name":"vbr","buildVersion":"13.1.0.411"}"#),
        ("/api/v1/license", r#"{"status":"Valid","type":"Rental","edition":"EnterprisePlus","cloudConnect":"Enabled","licensedTo":"Example Provider GmbH",
            "supportId":"01234567","autoUpdateEnabled":true,"instanceLicenseSummary":{"package":"Suite","licensedInstancesNumber":2000,
            "usedInstancesNumber":22,"newInstancesNumber":0,"rentalInstancesNumber":0,"expirationDate":"2027-01-31T00:00:00+01:00",
            "objects":[{"type":"Virtual Machines","count":2,"multiplier":11,"usedInstancesNumber":22},{"type":"Servers","count":0,"multiplier":"7.5","usedInstancesNumber":0}]}}"#),
        ("/api/v1/license/instances", r#"{"data":[
            {"platformType":"VMware","name":"sql01","displayName":"VM","hostName":"vcenter01","usedInstancesNumber":11,"type":"VM","instanceId":"id-1","canBeRevoked":true},
            {"platformType":"LinuxServer","name":"linbase02","hostName":"linbase02","usedInstancesNumber":0,"type":"Server","instanceId":"id-2"}],
            "pagination":{"total":2,"count":2,"skip":0,"limit":500}}"#),
        ("/api/v1/license/createReport", r#"{"products":[{"installationId":"inst-id","data":[{"instances":{"licenseId":"lic-id","counters":[{"multiplier":"11"}]}}]}]}"#),
        ("/api/v1/restorePoints", r#"{"data":[
            {"platformName":"VMware","name":"sql01","creationTime":"2026-11-19T18:01:26.520805+01:00"},
            {"platformName":"LinuxPhysical","name":"linbase02 AgentBackupJob","creationTime":"2026-10-22T00:30:20+01:00"}],
            "pagination":{"total":2,"count":2,"skip":null,"limit":null}}"#),
    ]
    .map(|(path, body)| (path, body.to_owned()))
    .into()
}

pub fn answer(bodies: &BTreeMap<&'static str, String>, ask: &Ask) -> Answer {
    let Ask::Http(ask) = ask else { panic!("a VBR server is asked over HTTP") };
    let path = ask.path.split('?').next().expect("a split has a first part");
    let found = bodies.get(path);
    let headers = vec![("date".to_owned(), "Fri, 20 Nov 2026 10:00:00 GMT".to_owned())];
    let status = if found.is_some() { 200 } else { 404 };
    Answer::Http(HttpAnswer { status, headers, body: found.cloned().unwrap_or_default().into_bytes() })
}

pub fn read_after(previous: Option<Sample>, path: &'static str, body: &str) -> Result<Sample, Setback> {
    let mut bodies = bodies();
    bodies.insert(path, body.to_owned());
    let brief = Brief { previous: previous.map(Arc::new), sweep: Sweep::Full, ..brief("vbr01", at(NOW)) };
    drive(&mut VbrTalk::new(brief), |ask| answer(&bodies, &ask)).map(|mut collected| collected.samples.remove(0))
}

/// Reads with one body exchanged.
pub fn read(path: &'static str, body: &str) -> Sample {
    read_after(None, path, body).expect("this is to be tolerated")
}

fn refused(path: &'static str, body: &str) -> String {
    read_after(None, path, body).expect_err("this is not to be believed").why().to_owned()
}

/// Reads with one body changed in one place.
pub fn read_with(path: &'static str, from: &str, to: &str) -> Sample {
    let body = bodies()[path].clone();
    assert!(body.contains(from), "{from} is in the body of {path}");
    read(path, &body.replace(from, to))
}

pub const LICENSE: &str = "/api/v1/license";
pub const INSTANCES: &str = "/api/v1/license/instances";
const POINTS: &str = "/api/v1/restorePoints";

#[test]
fn a_server_that_is_well_is_read() {
    let sample = read("/", "");
    let [sql, lin] = sample.workloads.iter().collect::<Vec<_>>()[..] else { panic!("two workloads") };
    assert_eq!((sql.kind.clone(), sql.points), (WorkloadType::Vm, Some(Points::whole(11))));
    assert_eq!(sql.last_restore_point_at, Some(at("2026-11-19T17:01:26.520805Z")));
    assert_eq!(sql.first_processed_at, None, "in a first sample retention may hide older restore points");
    assert_eq!(
        (lin.kind.clone(), lin.points.map(|points| points.to_string())),
        (WorkloadType::Server, Some("0".to_owned())),
        "it is old by its date, and nothing of it is used"
    );
    assert_eq!(lin.first_processed_at, Some(at("2026-10-21T23:30:20Z")), "the job's name stands behind the machine's");
    let license = &sample.license;
    assert_eq!((license.license_id.as_deref(), license.installation_id.as_deref()), (Some("lic-id"), Some("inst-id")));
    assert_eq!((license.kind, license.cloud_connect, license.auto_update), (LicenseType::Rental, true, Some(true)));
    assert_eq!(
        license.expires_on.map(|day| day.to_string()),
        Some("2027-01-31".to_owned()),
        "the date as it is written"
    );
    assert_eq!(sample.discrepancies, Vec::<String>::new());
}

#[test]
fn null_where_the_schema_says_non_nullable() {
    let sample = read(
        LICENSE,
        r#"{"status":"Valid","type":null,"edition":null,"cloudConnect":null,"licensedTo":null,"supportId":null,"autoUpdateEnabled":null,
        "expirationDate":null,"instanceLicenseSummary":null,"socketLicenseSummary":null,"capacityLicenseSummary":null}"#,
    );
    assert_eq!((sample.license.kind, sample.license.used_points), (LicenseType::Unknown, None));
    let sample = read(
        INSTANCES,
        r#"{"data":[{"platformType":null,"name":"x","hostName":null,"usedInstancesNumber":null,"type":"VM","instanceId":null}],
        "pagination":{"total":null,"count":null,"skip":null,"limit":null}}"#,
    );
    assert_eq!((sample.workloads[0].id.as_str(), sample.workloads[0].points), ("VM/?/x", Some(Points::whole(11))));
}

#[test]
fn sockets_terabytes_and_gifted_instances_of_a_license_are_read() {
    let sample = read(
        LICENSE,
        r#"{"status":"Valid","type":"Perpetual","edition":"EnterprisePlus","cloudConnect":"Disabled","licensedTo":"x","supportId":"1",
        "autoUpdateEnabled":false,
        "instanceLicenseSummary":{"licensedInstancesNumber":6,"usedInstancesNumber":4,"newInstancesNumber":0,
         "rentalInstancesNumber":0,"promoInstancesNumber":6,"licensedInstancesPromoIncludedNumber":12,
         "promoExpiresOn":"2027-03-31T00:00:00Z"},
        "socketLicenseSummary":{"licensedSocketsNumber":8,"usedSocketsNumber":6,"remainingSocketsNumber":2,
         "supportExpirationDate":"2027-02-28T00:00:00Z"},
        "capacityLicenseSummary":{"licensedCapacityTb":10,"usedCapacityTb":1.5000000000000002,
         "objects":[{"type":"FileShare","usedCapacityTb":1.25},{"type":"ObjectStorage","usedCapacityTb":0.25}]}}"#,
    );
    let sections = &sample.license.sections;
    let (sockets, capacity) = (sections.sockets.clone().unwrap(), sections.capacity.clone().unwrap());
    assert_eq!([sockets.licensed, sockets.used, sockets.remaining], [8, 6, 2]);
    assert_eq!(
        (capacity.licensed_tb.to_string(), capacity.used_tb.normalize().to_string()),
        ("10".into(), "1.5".into())
    );
    assert_eq!(capacity.used_tb_by_type.keys().collect::<Vec<_>>(), ["FileShare", "ObjectStorage"]);
    let gifted = sections.gifted.clone().unwrap();
    assert_eq!((gifted.instances, gifted.licensed_with_gifted), (Points::whole(6), Some(Points::whole(12))));
    assert_eq!(gifted.expires_on.map(|day| day.to_string()).as_deref(), Some("2027-03-31"));
    assert_eq!(sample.license.support_expires_on.map(|day| day.to_string()).as_deref(), Some("2027-02-28"));
}

#[test]
fn required_fields_that_are_absent() {
    let sample = read(LICENSE, r#"{"status":"Valid"}"#);
    assert_eq!(sample.workloads.len(), 2);
    let sample = read(INSTANCES, r#"{"data":[{"name":"x","type":"VM"}]}"#);
    assert_eq!((sample.workloads[0].name.as_str(), sample.workloads[0].platform.as_deref()), ("x", None));
}

#[test]
fn data_as_one_object_and_by_another_name() {
    let one = r#"{"name":"x","type":"VM","instanceId":"i"}"#;
    assert_eq!(read(INSTANCES, &format!(r#"{{"data":{one},"pagination":{{"total":1}}}}"#)).workloads.len(), 1);
    assert_eq!(read(INSTANCES, &format!(r#"{{"workloads":[{one}]}}"#)).workloads.len(), 1);
}

#[test]
fn enum_values_never_seen_are_kept() {
    let sample = read_with(INSTANCES, "VMware", "Quantum");
    assert_eq!(
        (sample.workloads[0].kind.clone(), sample.workloads[0].platform.as_deref()),
        (WorkloadType::Vm, Some("Quantum"))
    );
    let sample = read_with(
        INSTANCES,
        r#""platformType":"VMware","name":"sql01","displayName":"VM","hostName":"vcenter01","usedInstancesNumber":11,"type":"VM""#,
        r#""platformType":"Quantum","name":"sql01","usedInstancesNumber":11,"type":"Qubit""#,
    );
    assert_eq!(sample.workloads[0].kind, WorkloadType::Other("Quantum".to_owned()));
    let sample = read_with(LICENSE, "\"Rental\"", "\"Lifetime\"");
    assert_eq!(sample.license.kind, LicenseType::Unknown);
}

#[test]
fn dates_with_seven_digits_without_a_zone_or_as_nonsense() {
    let dated =
        |text: &str| read_with(POINTS, "2026-11-19T18:01:26.520805+01:00", text).workloads[0].last_restore_point_at;
    assert_eq!(dated("2026-11-19T18:01:26.1234567Z"), Some(at("2026-11-19T18:01:26.1234567Z")));
    assert_eq!(dated("2026-11-19T18:01:26"), Some(at("2026-11-19T17:01:26Z")), "the server's own zone");
    assert_eq!(dated("2026-11-19T18:01:26.1234567"), Some(at("2026-11-19T17:01:26.1234567Z")));
    assert_eq!(dated("yesterday"), None);
    assert_eq!(dated("0001-01-01T00:00:00"), None);
    let sample = read_with(POINTS, "2026-11-19T18:01:26.520805+01:00", "2036-11-19T18:01:26Z");
    assert_eq!(sample.discrepancies, ["1 restore points lie in the future; check the server's clock"]);
}

#[test]
fn a_named_zone_knows_summer_time() {
    let time = r#"{"serverTime":"2026-11-20T11:00:00+01:00","ianaTimeZoneId":"Europe/Prague"}"#;
    let mut bodies = bodies();
    bodies.insert("/api/v1/serverTime", time.to_owned());
    let changed = bodies[POINTS].replace("2026-10-22T00:30:20+01:00", "2026-10-22T00:30:20");
    bodies.insert(POINTS, changed);
    let collected = drive(&mut VbrTalk::new(brief("vbr01", at(NOW))), |ask| answer(&bodies, &ask)).expect("well");
    assert_eq!(collected.samples[0].workloads[1].first_processed_at, Some(at("2026-10-21T22:30:20Z")));
}

#[test]
fn numbers_in_strings_negative_and_absurd() {
    let points = |text: &str| {
        let sample = read_with(INSTANCES, r#""usedInstancesNumber":11"#, &format!(r#""usedInstancesNumber":{text}"#));
        (sample.workloads[0].points.expect("a weight").to_string(), sample.discrepancies.join("; "))
    };
    assert_eq!(points("\"11.5\""), ("11.5".to_owned(), String::new()));
    assert_eq!(points("0.7"), ("0.7".to_owned(), String::new()));
    let (weight, note) = points("-3");
    assert_eq!(weight, "11", "the kind's multiplier answers");
    expect!["1 license workloads state a usedInstancesNumber that cannot be (-3 is negative; points are never negative); the points table answers"].assert_eq(&note);
    assert!(points("1e40").1.contains("cannot be"));
    let sample = read_with(LICENSE, r#""usedInstancesNumber":22"#, r#""usedInstancesNumber":-22"#);
    expect!["the license's usedInstancesNumber cannot be (-22 is negative; points are never negative)"]
        .assert_eq(&sample.discrepancies.join("; "));
}

#[test]
fn html_in_place_of_json_is_named() {
    expect!["vbr01 /api/v1/license: the answer is HTML, not JSON; check that the url leads to the REST port (9419)"]
        .assert_eq(&refused(LICENSE, "<!DOCTYPE html><html>Sign in</html>"));
    expect!["vbr01 /api/oauth2/token: the answer is HTML, not JSON; check that the url leads to the REST port (9419)"]
        .assert_eq(&refused("/api/oauth2/token", " \n<html>"));
}

#[test]
fn half_and_empty_answers_are_not_believed() {
    let whole = bodies()[INSTANCES].clone();
    expect!["vbr01 /api/v1/license/instances: half an answer: it ends after 200 bytes"]
        .assert_eq(&refused(INSTANCES, &whole[..200]));
    expect!["vbr01 /api/v1/license/instances: the answer is empty"].assert_eq(&refused(INSTANCES, ""));
    expect![
        "vbr01 /api/v1/license/instances: not the JSON that was expected: missing field `data` at line 1 column 26"
    ]
    .assert_eq(&refused(INSTANCES, r#"{"pagination":{"total":2}}"#));
    expect!["vbr01 /api/v1/license/instances: the list is empty while the license says that 22 are used"]
        .assert_eq(&refused(INSTANCES, r#"{"data":[],"pagination":{"total":0}}"#));
}

#[test]
fn a_list_shorter_than_its_total_is_read_three_times_and_then_refused() {
    let short = bodies()[INSTANCES].replace("\"total\":2", "\"total\":5");
    expect!["vbr01 /api/v1/license/instances: the list did not hold still in 3 reads: it ended after 2 of 5 rows"]
        .assert_eq(&refused(INSTANCES, &short));
}

#[test]
fn rows_that_stand_twice_in_every_read_are_taken_once_and_noted() {
    let row = r#"{"name":"x","type":"VM","instanceId":"i","usedInstancesNumber":11}"#;
    let sample = read(INSTANCES, &format!(r#"{{"data":[{row},{row}],"pagination":{{"total":2}}}}"#));
    assert_eq!(sample.workloads.len(), 1);
    assert_eq!(sample.discrepancies, ["the license list names 1 workloads more than once"]);
}

#[test]
fn restore_points_that_fit_two_workloads_date_neither() {
    let sample = read_with(
        INSTANCES,
        r#""platformType":"LinuxServer","name":"linbase02""#,
        r#""platformType":"VMware","name":"sql01""#,
    );
    assert!(sample.workloads.iter().all(|workload| workload.last_restore_point_at.is_none()));
    assert_eq!(sample.discrepancies, ["restore points of 1 names fit several workloads; these stay undated"]);
}

#[test]
fn a_machine_of_the_same_name_on_another_platform_is_another_machine() {
    let sample = read_with(POINTS, "VMware", "HyperV");
    assert_eq!(sample.workloads[0].last_restore_point_at, None);
}

#[test]
fn a_report_that_is_no_json_is_noted() {
    let sample = read("/api/v1/license/createReport", "Product Version,Edition\n12.3.0.291,Enterprise Plus");
    assert_eq!(sample.license.installation_id.as_deref(), Some("vbr-id"));
    expect!["createReport gave no license id: not the JSON that was expected: expected value at line 1 column 1"]
        .assert_eq(&sample.discrepancies.join("; "));
}

#[test]
fn new_machines_of_a_first_sample_are_believed_when_the_server_counts_the_same() {
    let sample = read_with(LICENSE, r#""newInstancesNumber":0"#, r#""newInstancesNumber":"11""#);
    assert_eq!(sample.workloads[0].first_processed_at, Some(at("2026-11-19T17:01:26.520805Z")));
}

#[test]
fn dates_of_the_sample_before_are_kept() {
    let before = read("/", "");
    let nothing = r#"{"data":[],"pagination":{"total":0}}"#;
    let sample = read_after(Some(before.clone()), POINTS, nothing).expect("well");
    let dates = |sample: &Sample| -> Vec<_> {
        sample.workloads.iter().map(|one| (one.first_processed_at, one.last_restore_point_at)).collect()
    };
    assert_eq!(dates(&sample), dates(&before));
}

#[test]
fn a_refused_password_asks_a_person_and_never_shows_it() {
    let carry = |ask: Ask| match &ask {
        Ask::Http(http) if http.path == "/api/oauth2/token" => Answer::Http(HttpAnswer {
            status: 401,
            headers: Vec::new(),
            body: br#"{"errorCode":"AccessDenied","message":"Wrong\r\nuser name or password"}"#.to_vec(),
        }),
        _ => answer(&bodies(), &ask),
    };
    let setback = drive(&mut VbrTalk::new(brief("vbr01", at(NOW))), carry).expect_err("refused");
    assert!(matches!(setback, Setback::AskAPerson { .. }));
    expect![[r#"vbr01: login refused (HTTP 401, "Wrong  user name or password"); check username and password_file, and that the account has no MFA"#]].assert_eq(setback.why());
}

#[test]
fn a_role_that_may_not_read_licenses_asks_a_person() {
    let carry = |ask: Ask| match &ask {
        Ask::Http(http) if http.path == LICENSE => Answer::Http(HttpAnswer { status: 403, ..HttpAnswer::default() }),
        _ => answer(&bodies(), &ask),
    };
    let setback = drive(&mut VbrTalk::new(brief("vbr01", at(NOW))), carry).expect_err("refused");
    assert!(matches!(setback, Setback::AskAPerson { .. }));
    expect!["vbr01 /api/v1/license: not allowed (HTTP 403); give the account the role Backup Administrator"]
        .assert_eq(setback.why());
}

#[test]
fn a_server_that_wants_the_capitalised_grant_gets_it() {
    let carry = |ask: Ask| match &ask {
        Ask::Http(http) if format!("{:?}", http.body).contains("Text(\"password\")") => {
            Answer::Http(HttpAnswer { status: 422, ..HttpAnswer::default() })
        }
        _ => answer(&bodies(), &ask),
    };
    assert!(drive(&mut VbrTalk::new(brief("vbr01", at(NOW))), carry).is_ok());
}

/// Any answer a wire can give.
fn any_answer() -> impl Strategy<Value = Answer> {
    let all: Vec<String> = bodies().into_values().collect();
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        prop::sample::select(all).prop_map(String::into_bytes),
        Just(b"{}".to_vec()),
        Just(br#"{"data":[{}],"pagination":{"total":1000000000}}"#.to_vec()),
        Just(br#"{"data":[{"name":"x"}]}"#.to_vec()),
    ];
    let status = prop::sample::select(vec![200_u16, 200, 200, 200, 201, 204, 400, 401, 403, 404, 422, 429, 500, 503]);
    prop_oneof![
        9 => (status, body).prop_map(|(status, body)| Answer::Http(HttpAnswer { status, headers: Vec::new(), body })),
        1 => Just(Answer::Failed(Failure::TooLarge { bytes_max: 1 })),
        1 => Just(Answer::Failed(Failure::TimedOut { after_seconds: 60 })),
        1 => Just(Answer::Mail(MailAnswer { steps: Vec::new(), end: Ok("250".to_owned()) })),
    ]
}

#[test]
fn an_installation_id_that_was_not_told_before_makes_no_other_installation() {
    const REPORT: &str = "/api/v1/license/createReport";
    let told = bodies()[REPORT].clone();
    let mute = read(REPORT, "{}");
    assert_eq!(mute.license.installation_id.as_deref(), Some("vbr-id"), "the server's own id stands in");
    let first = read_after(Some(mute), REPORT, &told).expect("a good read");
    assert_eq!(first.license.installation_id.as_deref(), Some("inst-id"));
    assert_eq!(first.discrepancies, [""; 0]);
    let other = read_after(Some(first), REPORT, &told.replace("inst-id", "inst-2")).expect("a good read");
    assert!(other.discrepancies.iter().any(|said| said.contains("installed anew")), "{:?}", other.discrepancies);
}

proptest! {
    #[test]
    fn any_answers_end_the_conversation(answers in prop::collection::vec(any_answer(), 1..30)) {
        let mut turn = 0;
        let _ = drive(&mut VbrTalk::new(brief("vbr01", at(NOW))), |_| {
            turn += 1;
            answers[turn % answers.len()].clone()
        });
    }

    #[test]
    fn one_strange_answer_in_a_well_read_never_panics(position in 0..12_usize, strange in any_answer(), previous in any::<bool>()) {
        let mut turn = 0;
        let previous = previous.then(|| Arc::new(read("/", "")));
        let brief = Brief { previous, ..brief("vbr01", at(NOW)) };
        let _ = drive(&mut VbrTalk::new(brief), |ask| {
            turn += 1;
            if turn == position + 1 { strange.clone() } else { answer(&bodies(), &ask) }
        });
    }
}
