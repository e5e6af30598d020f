//! When a report is final, by one rule for people, billing, usage sinks and letting go.

use tidegauge::domain::report::{External, Receipt, Stage};
use tidegauge::rules::finality::{final_at, is_final, may_change};
use tidegauge::rules::review::{Refusal, adjust, postpone, reset};

use super::made::{at, report_of, sample, vm};

fn submitted(on: &str) -> Stage {
    let receipt = Receipt { id: "r".into(), sha256: "s".into(), received_at: at(on), verdict: None };
    Stage::Submitted { at: at(on), receipt }
}

fn entered(on: &str) -> External {
    External { portal: Some("Pulse".to_owned()), at: Some(at(on)), ..External::default() }
}

const SENT: &str = "2026-11-11T00:00:00Z";
const ENTERED: &str = "2026-11-05T09:00:00Z";

#[test]
fn a_report_is_final_since_it_was_first_sent_or_entered() {
    let open = || [Stage::AwaitingReview, Stage::Postponed { until: at(SENT) }, Stage::Sending { sealed_at: at(SENT) }];
    for stage in open() {
        assert_eq!(final_at(&stage, &External::default()), None, "{stage:?}");
        assert_eq!(final_at(&stage, &entered(ENTERED)), Some(at(ENTERED)), "{stage:?}");
    }
    assert_eq!(final_at(&submitted(SENT), &External::default()), Some(at(SENT)));
    assert_eq!(final_at(&submitted(SENT), &entered(ENTERED)), Some(at(ENTERED)), "sent after it was entered");
    assert_eq!(final_at(&submitted(ENTERED), &entered(SENT)), Some(at(ENTERED)), "entered after it was sent");
}

#[test]
fn figures_of_a_report_that_is_sealed_sent_or_entered_stand() {
    let mut report = report_of("2026-10", vec![sample("2026-10-31T23:58:00Z", vec![vm("sql01", SENT)])]);
    assert!(may_change(&report) && !is_final(&report));
    report.stage = Stage::Sending { sealed_at: at(SENT) };
    assert!(!may_change(&report) && !is_final(&report), "sealed, and not taken yet");
    report.stage = Stage::AwaitingReview;
    report.external = entered(ENTERED);
    assert!(!may_change(&report) && is_final(&report));
}

#[test]
fn what_was_entered_is_not_adjusted_but_corrected_and_may_still_be_postponed() {
    let mut report =
        report_of("2026-10", vec![sample("2026-10-31T23:58:00Z", vec![vm("sql01", "2026-10-31T01:00:00Z")])]);
    let order = tidegauge::domain::adjustment::AdjustmentOrder::Remove {
        workloads: vec!["sql01".to_owned()],
        reason: "a test machine".to_owned(),
    };
    let adjusted = adjust(&report, &order, "user:mia", at(ENTERED)).expect("it is open");
    report = tidegauge::domain::report::UsageReport { external: entered(ENTERED), ..adjusted };
    let refusal = Refusal::Entered(report.month, "Pulse".to_owned());
    assert_eq!(adjust(&report, &order, "user:mia", at(SENT)), Err(refusal.clone()));
    assert_eq!(reset(&report), Err(refusal.clone()), "else it would be charged without its adjustments");
    assert!(refusal.to_string().contains("`report correct --month 2026-10 --reason TEXT`"), "{refusal}");
    assert!(postpone(&report, None, at("2026-11-11T00:00:00Z"), at(ENTERED)).is_ok(), "no figure changes by that");
}
