//! Where weights come from, and what unknown types stand for.

use tidegauge::domain::license::License;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::rules::points_table::read;
use tidegauge::rules::rating::{Rating, WeightFrom, weights_of};
use tidegauge::rules::reporting::{ReportFacts, generate};

use super::made::{count_of, facts_of, lines, of_tenant, points, sample, vm};

const LATE: &str = "2026-10-31T01:00:00Z";
const TAKEN: &str = "2026-10-31T23:58:00Z";

fn from(taken: &Sample, rating: &Rating) -> Vec<String> {
    let line = |(kind, count, weighed): (WorkloadType, u64, tidegauge::rules::rating::Weighed)| {
        format!("{count} {kind} at {}: {}", weighed.weight, weighed.from)
    };
    weights_of(taken, rating).into_iter().map(line).collect()
}

fn mapped(platform: &str, kind: WorkloadType) -> Rating {
    Rating { mapping: [(platform.to_owned(), kind)].into(), ..Rating::default() }
}

#[test]
fn the_weight_that_a_server_states_wins_even_when_it_is_zero() {
    let rating = Rating::default();
    let weight = |stated: Option<&str>| {
        let workload = Workload { points: stated.map(points), ..vm("a", LATE) };
        let weighed = rating.weight_of(&workload, &sample(TAKEN, vec![]));
        (weighed.weight.to_string(), weighed.from == WeightFrom::Server)
    };
    assert_eq!(weight(Some("13")), ("13".to_owned(), true));
    assert_eq!(weight(Some("0")), ("0".to_owned(), true));
    assert_eq!(weight(None), ("11".to_owned(), false));
}

#[test]
fn every_weight_says_where_it_comes_from() {
    let unknown = |id: &str, stated: Option<&str>| Workload {
        kind: WorkloadType::Other("AwsRds".to_owned()),
        points: stated.map(points),
        ..vm(id, LATE)
    };
    let workloads =
        vec![vm("a", LATE), Workload { points: None, ..vm("b", LATE) }, unknown("c", Some("7")), unknown("d", None)];
    let mut taken = sample(TAKEN, workloads);
    taken.counts = vec![count_of("A", WorkloadType::CloudConnectVm, "5", [4, 1, 0])];
    let table = "table backup_and_replication.toml, in force from 2018-01-01: RG-EXC, 110 points for 10 VMs; EM-REV, \
                 screenshot of April 2021; VSPC-SUB, screenshot 5 VMs = 55";
    assert_eq!(
        from(&taken, &Rating::default()),
        [
            "1 VM at 11: server".to_owned(),
            format!("1 VM at 11: {table}"),
            "5 CloudConnectVM at 5: server".to_owned(),
            "1 AwsRds at 0: nothing".to_owned(),
            "1 AwsRds at 7: server".to_owned(),
        ]
    );
}

#[test]
fn a_platform_is_mapped_before_its_type_and_only_where_the_type_is_unknown() {
    let unknown = |id: &str, kind: &str, platform: &str| Workload {
        kind: kind.parse().unwrap(),
        platform: Some(platform.to_owned()),
        ..vm(id, LATE)
    };
    let taken = sample(TAKEN, vec![unknown("a", "Rho", "Rho"), unknown("b", "Vtz", "Rho"), unknown("c", "VM", "Rho")]);
    let rating = mapped("Rho", WorkloadType::CloudVm);
    let kinds = |rating: &Rating| -> Vec<String> {
        rating.mapped(&taken).workloads.iter().map(|workload| workload.kind.to_string()).collect()
    };
    assert_eq!(kinds(&rating), ["CloudVM", "CloudVM", "VM"]);
    assert_eq!(kinds(&mapped("Vtz", WorkloadType::Server)), ["Rho", "Server", "VM"]);
    assert_eq!(kinds(&Rating::default()), ["Rho", "Vtz", "VM"]);
}

#[test]
fn only_types_that_a_change_touches_may_come_out_otherwise() {
    let before = Rating::default();
    let after = mapped("Rho", WorkloadType::CloudVm);
    let may = |kind: &str| before.may_differ(&after, &kind.parse().unwrap());
    assert_eq!(["Rho", "CloudVM", "VM"].map(may), [true, true, false]);
    let row = "[[row]]\nproduct = \"VBR\"\ntype = \"FileShare\"\npoints = \"10\"\nsource = \"x\"\nvalid_from = \"2026-01-01\"";
    let own = Rating { rows: read("own.toml", row).unwrap(), ..Rating::default() };
    assert!(before.may_differ(&own, &WorkloadType::FileShare) && !before.may_differ(&own, &WorkloadType::Vm));
}

#[test]
fn two_weights_of_one_type_are_two_lines_of_the_report_and_a_range_in_its_summary() {
    let tier = |id: &str| of_tenant(vm(id, LATE), "A", WorkloadType::Vm, "13");
    let eleven = |id: &str| of_tenant(vm(id, LATE), "A", WorkloadType::Vm, "11");
    let facts = facts_of("2026-10", vec![sample(TAKEN, vec![eleven("a"), eleven("b"), tier("c")])]);
    let report = generate(facts);
    assert_eq!(lines(&report), ["A VM 11: 2/2 +0 r0 = 22", "A VM 13: 1/1 +0 r0 = 13"]);
    let document = tidegauge::rules::report_document::report_document(&report);
    let table = document.sections.iter().find(|section| section.heading == "Summary").unwrap();
    let tidegauge::document::Block::Table(table) = &table.blocks[0] else { panic!("a table") };
    let rows: Vec<String> = table.rows.iter().map(|row| row.texts().collect::<Vec<_>>().join(" | ")).collect();
    assert_eq!(rows, ["VM | 3 | 11-13 | 35 | 0", "VM, of them | 2 | 11 | 22 | 0", "VM, of them | 1 | 13 | 13 | 0"]);
}

#[test]
fn an_unknown_type_is_counted_with_what_the_server_says_and_marked_provisional() {
    let unknown =
        Workload { kind: WorkloadType::Other("AwsRds".to_owned()), points: Some(points("7")), ..vm("db", LATE) };
    let facts = |rating: &Rating| {
        let taken = rating.mapped(&sample(TAKEN, vec![unknown.clone()])).into_owned();
        ReportFacts { rating: rating.clone(), ..facts_of("2026-10", vec![taken]) }
    };
    let report = generate(facts(&Rating::default()));
    assert_eq!(lines(&report), ["- AwsRds 7: 1/1 +0 r0 = 7"]);
    assert_eq!(report.provenance.provisional[0].count, 1);
    assert_eq!(report.workloads[0].note.as_deref(), Some("provisional: type AwsRds is not known; map it"));
    let report = generate(facts(&mapped("AwsRds", WorkloadType::CloudVm)));
    assert_eq!(lines(&report), ["- CloudVM 7: 1/1 +0 r0 = 7"], "the server's weight wins");
    assert!(report.provenance.provisional.is_empty() && report.workloads[0].note.is_none());
}

#[test]
fn a_license_of_another_product_has_rows_of_its_own() {
    let license = |product: &str, package: Option<&str>| License {
        product: Some(product.to_owned()),
        package: package.map(str::to_owned),
        ..License::default()
    };
    let day = "2026-11-01".parse().unwrap();
    let users = WorkloadType::Other("M365User".to_owned());
    let of = |license: &License| Rating::default().row_for(&users, license, day).map(|row| row.points.to_string());
    assert_eq!(of(&license("VB365", None)).as_deref(), Some("1.5"));
    assert_eq!(of(&license("VDC", Some("M365 Premium"))).as_deref(), Some("5.5"));
    assert_eq!(of(&license("VDC", None)), None);
    assert_eq!(of(&license("VBR", None)), None);
}
