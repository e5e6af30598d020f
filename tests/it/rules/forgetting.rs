//! Whether a month's reports may be forgotten: whoever still needs them is named.

use tidegauge::domain::report::{External, Stage, UsageReport};
use tidegauge::rules::forgetting::{Case, Next, judge};

use super::made::{at, month, report_of, sample, vm};

const NOW: &str = "2027-03-01T00:00:00Z";

fn entered() -> UsageReport {
    let mut report = report_of("2026-10", vec![sample("2026-10-31T23:58:00Z", vec![vm("sql01", NOW)])]);
    report.external = External { at: Some(at("2026-11-05T09:00:00Z")), ..External::default() };
    report
}

fn case(report: &UsageReport) -> Case<'_> {
    Case { report, next: Next::Final, judged: month("2026-11"), billed_at: None, untaken_by: None, now: at(NOW) }
}

fn refused(case: Case<'_>) -> String {
    judge(case).expect_err("somebody still needs it").to_string()
}

#[test]
fn a_final_month_that_nobody_needs_may_be_forgotten() {
    let report = entered();
    for next in [Next::Final, Next::Forgotten] {
        assert_eq!(judge(Case { next, ..case(&report) }), Ok(()), "{next:?}");
    }
    let last = Case { next: Next::NeverComes, judged: month("2026-10"), ..case(&report) };
    assert_eq!(judge(last), Ok(()), "the last month of a unit that has left");
}

#[test]
fn whoever_still_needs_it_is_named() {
    let report = entered();
    let mut open = entered();
    open.external = External::default();
    assert_eq!(
        refused(case(&open)),
        "the report of 2026-10 is awaiting_review; send it, or record where it was entered, before it is forgotten"
    );
    let sending = UsageReport { stage: Stage::Sending { sealed_at: at(NOW) }, ..entered() };
    assert!(refused(case(&sending)).contains("is sending"));
    for next in [Next::Missing, Next::Open] {
        let why = refused(Case { next, ..case(&report) });
        assert!(why.contains("what that of 2026-11 is compared with"), "{why}");
    }
    let why = refused(Case { judged: month("2026-10"), ..case(&report) });
    assert_eq!(why, "the license gate judges by the report of 2026-10; forget it once that of 2026-11 was sent");
    let why = refused(Case { untaken_by: Some("meter"), ..case(&report) });
    assert!(why.starts_with("usage sink meter has not taken"), "{why}");
}

#[test]
fn a_month_with_issued_documents_is_kept_for_ten_years_after_the_year_of_the_newest() {
    let report = entered();
    let billed = |now: &str| Case { billed_at: Some(at("2026-11-12T10:00:00Z")), now: at(now), ..case(&report) };
    let why = refused(billed("2036-12-31T23:59:59Z"));
    assert!(why.contains("kept by law; forget it from 2037-01-01 on"), "{why}");
    assert_eq!(judge(billed("2037-01-01T00:00:00Z")), Ok(()));
}
