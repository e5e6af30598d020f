//! What a VSPC console says that is not believed, or that costs nothing.

use tidegauge::ask::{Answer, Ask, HttpAnswer, Setback};
use tidegauge::sources::{Brief, Collected, SignsIn, SourceSettings, source_named};

use super::driver::{at, brief, drive};

const UID: &str = "47664f7a-8f3f-4275-91fc-89a119b5497f";

/// What a console with one healthy server says, and what it is asked.
struct Console {
    companies: String,
    licenses: String,
    usage: String,
}

fn list(rows: &[&str]) -> String {
    format!(r#"{{"data":[{}],"meta":{{"pagingInfo":{{"total":{}}}}}}}"#, rows.join(","), rows.len())
}

fn license(kind: &str, used: &str) -> String {
    format!(r#"{{"backupServerUid":"{UID}","licenseIds":["L-1"],"units":1000,"usedUnits":{used},"type":"{kind}"}}"#)
}

fn usage(workload: &str) -> String {
    list(&[&format!(
        r#"{{"organizationUid":"c1","organizationType":"Company","servers":[{{"serverUid":"{UID}","serverType":"BackupAndReplication","workloads":[{workload}]}}]}}"#
    )])
}

const TEN: &str = r#"{"typeId":"VBR-VM-VSPHERE","description":"VMware","weight":11,"usedUnits":110,"usedCount":10,"newCount":0,"rentalCount":0}"#;

fn console() -> Console {
    Console {
        companies: list(&[r#"{"instanceUid":"c1","name":"Beta"}"#]),
        licenses: list(&[&license("Rental", "110")]),
        usage: usage(TEN),
    }
}

impl Console {
    fn read(&self) -> Result<Collected, Setback> {
        let settings = SourceSettings { signs_in: SignsIn::ApiKey, ..SourceSettings::default() };
        let brief = Brief { settings, ..brief("vspc", at("2026-01-15T00:00:00Z")) };
        let mut talk = (source_named("vspc").expect("a row").open)(brief);
        drive(talk.as_mut(), |ask| {
            let Ask::Http(http) = ask else { panic!("a console is asked over HTTP") };
            let body = match http.path.split('?').next().unwrap_or_default() {
                "/api/v3/organizations/companies" => self.companies.clone(),
                "/api/v3/infrastructure/backupServers" => list(&[&format!(
                    r#"{{"instanceUid":"{UID}","name":"vbr01","installationUid":"I-1","status":"Healthy"}}"#
                )]),
                "/api/v3/licensing/backupServers" => self.licenses.clone(),
                "/api/v3/licensing/usage/organizations" => self.usage.clone(),
                _ => list(&[]),
            };
            Answer::Http(HttpAnswer { status: 200, headers: Vec::new(), body: body.into_bytes() })
        })
    }

    fn refused(&self) -> String {
        self.read().expect_err("this is not to be believed").why().to_owned()
    }

    fn used(&self) -> u32 {
        self.read().expect("well").samples[0].counts.iter().map(|count| count.used).sum()
    }
}

#[test]
fn an_answer_without_data_is_no_empty_list_of_usage() {
    for body in ["{}", r#"{"data":null}"#, r#"{"data":null,"meta":{"pagingInfo":{"total":0}}}"#] {
        let why = Console { usage: body.to_owned(), ..console() }.refused();
        assert_eq!(
            why, "vspc /api/v3/licensing/usage/organizations: the answer has no data, not even an empty list",
            "{body}"
        );
    }
}

#[test]
fn that_nothing_is_used_is_not_believed_while_the_servers_license_says_that_something_is() {
    for body in [list(&[]), usage("")] {
        let why = Console { usage: body, ..console() }.refused();
        assert!(why.ends_with("it states no usage of vbr01, whose license says that 110 points are used"), "{why}");
    }
    let unused = Console { licenses: list(&[&license("Rental", "0")]), usage: list(&[]), ..console() };
    assert_eq!(unused.used(), 0);
    let instances = Console { licenses: list(&[&license("Subscription", "5")]), usage: list(&[]), ..console() };
    assert_eq!(instances.used(), 0, "usage is told of rental keys");
}

#[test]
fn a_name_or_a_license_without_a_uid_costs_no_sample_and_is_named() {
    let nameless = r#"{"instanceUid":null,"name":"Nobody"}"#;
    let known = r#"{"instanceUid":"c1","name":"Beta"}"#;
    for companies in [[nameless, known], [known, nameless]] {
        let console = Console { companies: list(&companies), ..console() };
        assert_eq!(console.used(), 10);
        let collected = console.read().expect("well");
        assert_eq!(collected.samples[0].counts[0].tenant.as_deref(), Some("Beta"));
        assert_eq!(
            collected.notes,
            ["1 rows of /api/v3/organizations/companies came without their uid and are left out"]
        );
    }
    let license = license("Rental", "110");
    let licenses = list(&[&license.replace(&format!(r#""{UID}""#), "null"), &license]);
    assert_eq!(Console { licenses, ..console() }.used(), 10);
    let usage = console().usage.replace(r#""c1""#, "null");
    assert!(Console { usage, ..console() }.refused().ends_with("a row came without its uid"));
}

#[test]
fn points_without_a_machine_are_named() {
    let workload = TEN.replace(r#""usedCount":10"#, r#""usedCount":0"#);
    let collected = Console { usage: usage(&workload), ..console() }.read().expect("named, not refused");
    let said = collected.samples[0].discrepancies.join("; ");
    assert!(said.contains("VSPC states 110 points of VM and no machine; they are not counted"), "{said}");
}
