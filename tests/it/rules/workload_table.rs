//! A report's workloads searched, filtered, sorted and paged; and what naming a thousand of 100,000 costs.

use std::sync::LazyLock;

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::report::{Reason, UsageReport};
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::rules::review::{STEPS_WITH_LINES_MAX, adjust_all, reset, try_all, try_reset};
use tidegauge::rules::workload_table::{Direction, NO_TENANT, SORTS, SortBy, Wanted, WorkloadTable};

use super::made::{at, of_tenant, points, report_of, sample, vm};

const LATE: &str = "2026-10-31T01:00:00Z";
const MANY: usize = 100_000;

fn all<'a>() -> Wanted<'a> {
    Wanted { limit: 50, ..Wanted::default() }
}

fn few() -> WorkloadTable {
    let mut newer = vm("sql01", "2026-10-31T05:00:00Z");
    newer.job = Some("Nightly Databases".to_owned());
    let workloads = vec![
        newer,
        vm("WEB02", LATE),
        of_tenant(vm("agent1", LATE), "Ärzte GmbH", WorkloadType::Server, "7"),
        vm("web01", LATE),
    ];
    WorkloadTable::of(report_of("2026-10", vec![sample("2026-10-31T23:58:00Z", workloads)]))
}

fn ids(table: &WorkloadTable, wanted: &Wanted<'_>) -> Vec<String> {
    table.page(wanted).rows.iter().map(|workload| workload.id.clone()).collect()
}

/// 100,000 machines of ten tenants, each with an id and a name of its own.
static MANY_WORKLOADS: LazyLock<UsageReport> = LazyLock::new(|| {
    let machine = |number: usize| {
        let workload = vm(&format!("vm-{number:06}"), LATE);
        let tenant = format!("Tenant {}", number % 10);
        Workload { tenant: Some(tenant), points: Some(points(["11", "5.5"][number % 2])), ..workload }
    };
    report_of("2026-10", vec![sample("2026-10-31T23:58:00Z", (0..MANY).map(machine).collect())])
});

#[test]
fn a_table_is_searched_in_every_word_a_person_knows_a_machine_by_in_capitals_or_not() {
    let table = few();
    for (search, found) in [
        ("web", vec!["web01", "WEB02"]),
        ("SQL01", vec!["sql01"]),
        ("databases", vec!["sql01"]),
        ("ärzte", vec!["agent1"]),
        ("ÄRZTE", vec!["agent1"]),
        ("example.net", vec!["agent1", "sql01", "web01", "WEB02"]),
        ("nothing", vec![]),
        ("net web", vec![]),
    ] {
        assert_eq!(ids(&table, &Wanted { search: Some(search), ..all() }), found, "{search}");
    }
}

#[test]
fn each_column_sorts_both_ways_and_equal_rows_stand_by_name() {
    let table = few();
    for (sort, order) in [
        (SortBy::Name, ["agent1", "sql01", "web01", "WEB02"]),
        (SortBy::Points, ["agent1", "sql01", "web01", "WEB02"]),
        (SortBy::Tenant, ["sql01", "web01", "WEB02", "agent1"]),
        (SortBy::Type, ["agent1", "sql01", "web01", "WEB02"]),
        (SortBy::Server, ["agent1", "sql01", "web01", "WEB02"]),
        (SortBy::LastRestorePoint, ["agent1", "web01", "WEB02", "sql01"]),
    ] {
        assert_eq!(ids(&table, &Wanted { sort, ..all() }), order, "{sort:?}");
        let back: Vec<&str> = order.into_iter().rev().collect();
        assert_eq!(ids(&table, &Wanted { sort, direction: Direction::Descending, ..all() }), back, "{sort:?}");
    }
    assert_eq!(table.sorts_made(), SORTS.len(), "each is made once");
}

#[test]
fn filters_narrow_together_and_the_sums_are_of_all_that_match() {
    let table = few();
    let page = table.page(&Wanted { tenant: Some(NO_TENANT), limit: 1, after: 1, ..Wanted::default() });
    assert_eq!((page.matches, page.points, page.rows.len()), (3, points("33"), 1));
    assert_eq!(page.rows[0].id, "web01");
    let server = Wanted { kind: Some(&WorkloadType::Server), counted: Some(true), ..all() };
    assert_eq!(ids(&table, &server), ["agent1"]);
    assert_eq!(table.page(&Wanted { reason: Some(Reason::New), ..all() }).matches, 0);
    assert_eq!(table.page(&Wanted { after: 9, ..all() }).rows.len(), 0, "beyond the end is an empty page");
}

#[test]
fn a_page_of_100_000_workloads_gives_its_rows_alone_and_sorts_once() {
    let table = WorkloadTable::of(MANY_WORKLOADS.clone());
    let mut seen = Vec::new();
    for after in (0..200).step_by(50) {
        let page = table.page(&Wanted { after, search: Some("VM-09"), ..all() });
        assert_eq!((page.rows.len(), page.matches), (50, 10_000));
        assert_eq!(page.points, points("82500"), "5,000 of 11 and 5,000 of 5.5");
        seen.extend(page.rows.iter().map(|workload| workload.id.clone()));
    }
    let first: Vec<String> = (90_000..90_200).map(|number| format!("vm-{number:06}")).collect();
    assert_eq!(seen, first, "pages neither overlap nor leave a row out");
    assert_eq!(table.sorts_made(), 1);
}

#[test]
fn a_thousand_of_100_000_workloads_are_named_in_one_pass_and_tried_as_they_would_be_made() {
    let report = &*MANY_WORKLOADS;
    let order = |numbers: std::ops::Range<usize>| {
        let workloads = numbers.map(|number| format!("vm-{number:06}")).collect();
        AdjustmentOrder::Remove { workloads, reason: "test machines".to_owned() }
    };
    let orders = [order(0..1_000), order(50_000..50_001)];
    let now = at("2026-11-03T09:00:00Z");
    let tried = try_all(report, &orders, "mia", now).expect("all of them count");
    assert_eq!(tried.report.digest, report.digest, "a digest is made of what is kept, not of what is tried");
    let steps: Vec<_> = tried.steps.iter().map(|step| (step.adjustments.clone(), step.before - step.after)).collect();
    assert_eq!(steps, [(0..1_000, points("8250")), (1_000..1_001, points("11"))]);
    assert_eq!(try_reset(&tried.report).expect("open").lines, report.lines);
}

#[test]
fn steps_keep_their_lines_while_they_are_few() {
    let machines = (0..=STEPS_WITH_LINES_MAX).map(|number| vm(&format!("vm-{number:06}"), LATE)).collect();
    let report = report_of("2026-10", vec![sample("2026-10-31T23:58:00Z", machines)]);
    let order = |number: usize| AdjustmentOrder::Remove {
        workloads: vec![format!("vm-{number:06}")],
        reason: "test machines".to_owned(),
    };
    let now = at("2026-11-03T09:00:00Z");
    for (many, are_kept) in [(STEPS_WITH_LINES_MAX, true), (STEPS_WITH_LINES_MAX + 1, false)] {
        let orders: Vec<AdjustmentOrder> = (0..many).map(order).collect();
        let tried = try_all(&report, &orders, "mia", now).expect("all of them count");
        assert!(tried.steps.iter().all(|step| step.lines.is_some() == are_kept), "{many}");
    }
}

#[test]
fn what_is_tried_is_what_is_made_but_for_the_digest() {
    let report = few().report().clone();
    let orders = ["sql01", "web01"]
        .map(|named| AdjustmentOrder::Remove { workloads: vec![named.to_owned()], reason: "test machines".to_owned() });
    let now = at("2026-11-03T09:00:00Z");
    let tried = try_all(&report, &orders, "mia", now).expect("both count").report;
    let made = adjust_all(&report, &orders, "mia", now).expect("both count");
    assert_ne!(made.digest, report.digest);
    assert_eq!(UsageReport { digest: made.digest.clone(), ..tried }, made);
    assert_eq!(reset(&made).expect("open").digest, report.digest);
}
