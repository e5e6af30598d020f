//! A console's own monthly report: the simulated console's, and the document's example with its traps.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tidegauge::ask::{Answer, Ask, HttpAnswer, Setback};
use tidegauge::domain::console_report::{ConsoleReport, LeftOut, WhyLeftOut};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Month, Points};
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vspc::{Fault, Role, Vspc};
use tidegauge::simulation::wire::{API_KEY, PASSWORD, USERNAME};
use tidegauge::sources::{SignsIn, source_named};

use super::driver::{InProcess, SetClock, at, brief, drive};

fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

fn read(of: &str, answer: impl FnMut(Ask) -> Answer) -> Result<Option<ConsoleReport>, Setback> {
    let mut brief = brief("vspc", at("2026-02-03T00:00:00Z"));
    brief.settings.signs_in = SignsIn::ApiKey;
    let open = source_named("vspc").and_then(|row| row.monthly_reports).expect("a console makes reports").read;
    drive(open(brief, month(of)).as_mut(), answer)
}

/// Paths asked, and what came of these answers: a status and a body each, then 404.
fn heard(of: &str, answers: &[(u16, Value)]) -> (Vec<String>, Result<Option<ConsoleReport>, Setback>) {
    let mut paths = Vec::new();
    let read = read(of, |ask| {
        let Ask::Http(http) = ask else { panic!("a console is asked over HTTP") };
        let nothing = (404, json!({"errors": []}));
        let (status, body) = answers.get(paths.len()).unwrap_or(&nothing);
        paths.push(http.path);
        Answer::Http(HttpAnswer { status: *status, headers: Vec::new(), body: body.to_string().into_bytes() })
    });
    (paths, read)
}

#[test]
fn a_simulated_consoles_report_is_what_its_servers_count() {
    let clock = SetClock::at(at("2026-02-03T00:00:00Z"));
    let vspc = Vspc::new(clock, USERNAME, PASSWORD, API_KEY);
    let plan = EstatePlan::new(5, "vbr01", at("2026-01-10T00:00:00Z"), 60);
    let estate = Arc::new(Mutex::new(Estate::new(plan)));
    vspc.manage("vbr01", Role::Client, Arc::clone(&estate));
    let wire = InProcess::new(vspc.router());
    for faults in [&[][..], &[Fault::DatedReports], &[Fault::ReportsByGeneration], &[Fault::Queues], &[Fault::Passing]]
    {
        vspc.set_faults(faults);
        let report = read("2026-01", |ask| wire.carry(ask)).expect("the console is well").expect("a report");
        let truth = estate.lock().unwrap().truth_of_report(month("2026-01"));
        assert_eq!(report.usage.iter().map(|one| one.points).sum::<Points>(), truth.billable_points, "{faults:?}");
        assert_eq!(report.usage.iter().map(|one| one.new).sum::<u64>(), truth.new_count);
        assert_eq!((report.statuses, report.notes), (vec!["ApprovalRequired".to_owned()], Vec::new()));
        assert_eq!(report.others.keys().collect::<Vec<_>>(), ["VSPC's own agents"]);
        assert!(report.usage.iter().all(|one| one.kind.is_known()));
    }
    vspc.set_faults(&[]);
    assert_eq!(read("2026-02", |ask| wire.carry(ask)).expect("the console is well"), None, "February has not ended");
}

/// The official document's example, shortened, as VSPC 8.1 spells it.
fn example(id: u32) -> Value {
    let vm = json!({"workloadType": "Dynamic", "description": "VM", "initialCount": 10, "reportedCount": 9,
                    "newCount": 1, "weight": 13.0, "usedPoints": 117.0, "workloadsByPlatform": []});
    let replica = json!({"workloadType": "Dynamic", "description": "VM Cloud Replica", "initialCount": 5,
                         "reportedCount": 3, "newCount": 0, "weight": 10.0, "usedPoints": 30.0,
                         "workloadsByPlatform": null});
    let detail = |license: &str, product: &str, usage: &Value, points: f64| {
        json!({"organizationName": "Sigma", "organizationUid": "a69c7e6c-9dd3-4c3d-cdd2-a31353dd81ed",
               "supportId": "00276360", "notCollectedClientServers": [], "clonedClientServers": ["vbr07"],
               "unsupportedClientServers": null,
               "usageByLicenseAndProduct": [{"licenseId": license, "productType": product,
                   "licenseEdition": "Enterprise Plus", "usedPoints": points, "workloadUsage": [usage]}]})
    };
    json!({"reportStatus": "ApprovalRequired",
           "reportParemeters": {"reportId": id, "reportInterval": {"startOfInterval": "2025-06-30T20:00:00.0000000-04:00",
                                                                   "endOfInterval": "2025-07-30T20:00:00.0000000-04:00"}},
           "reportSummary": {"totalPoints": 135.0, "productsUsage": [
               {"productType": "BackupAndReplication", "totalPoints": 117.0, "workloadUsage": []},
               {"productType": "VSPC", "totalPoints": 18.0, "workloadUsage": []}]},
           "organizationsUsage": [], "notCollectedCloudServers": null, "clonedCloudServers": null,
           "unsupportedCloudServers": null,
           "usageDetails": [detail("AAAA2222-1111", "BackupAndReplication", &vm, 117.0)],
           "appendices": [{"licenseCompanyName": "Other", "appendixSummary": {"totalPoints": 30.0, "productsUsage": [
                               {"productType": "CloudConnect", "totalPoints": 30.0, "workloadUsage": []}]},
                           "notCollectedCloudServers": ["v3t1"], "clonedCloudServers": null,
                           "usageDetails": [detail("bbbb", "CloudConnect", &replica, 30.0)]}]})
}

#[test]
fn the_documents_example_is_read_with_its_traps() {
    let both = json!({"data": [example(1), example(2)], "meta": {"pagingInfo": {"total": 2, "count": 2, "offset": 0}}});
    let (paths, read) = heard("2025-07", &[(400, json!({"errors": []})), (200, both)]);
    let asked = ["2025-07", "2025-07-01"].map(|month| format!("/api/v3/licensing/reports/{month}?limit=50&offset=0"));
    assert_eq!(paths, asked);
    let report = read.expect("it is read").expect("a report");
    let usage: Vec<_> = report
        .usage
        .iter()
        .map(|one| (one.license_id.as_deref(), one.kind.clone(), one.initial, one.reported, one.new, one.points))
        .collect();
    let (vms, replicas) = (WorkloadType::Vm, WorkloadType::CloudConnectReplica);
    let once = [
        (Some("aaaa2222-1111"), vms, 10, 9, 1, Points::whole(117)),
        (Some("bbbb"), replicas, 5, 3, 0, Points::whole(30)),
    ];
    assert_eq!(usage, once, "a company's usage that two reports hold counts once");
    assert_eq!(report.others.into_iter().collect::<Vec<_>>(), [("VSPC's own agents".to_owned(), Points::whole(18))]);
    let left_out = |server: &str, why| LeftOut { server: server.to_owned(), why };
    assert_eq!(report.left_out, [left_out("v3t1", WhyLeftOut::NotCollected), left_out("vbr07", WhyLeftOut::Cloned)]);
    assert_eq!(
        report.interval.map(|(first, last)| format!("{first} {last}")).as_deref(),
        Some("2025-07-01 2025-07-31")
    );
    assert_eq!(report.notes, [""; 0]);
}

#[test]
fn a_report_of_another_month_and_none_at_all_are_no_report() {
    let (paths, read) = heard("2025-09", &[(200, json!({"data": [example(1)]}))]);
    assert_eq!((paths.len(), read.expect("it is read")), (3, None), "each spelling is tried");
    let (paths, read) = heard("2025-09", &[(200, json!({"data": null}))]);
    assert_eq!((paths.len(), read.expect("it is read")), (3, None));
    let (paths, read) = heard("2025-09", &[(403, json!({"errors": [{"message": "no", "type": "security"}]}))]);
    assert!(paths.len() == 1 && matches!(read, Err(Setback::AskAPerson { .. })));
}
