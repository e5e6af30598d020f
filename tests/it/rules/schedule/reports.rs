//! When a report is generated, written, reminded of and sent.

use proptest::prelude::*;
use tidegauge::domain::report::Receipt;
use tidegauge::rules::schedule::basis_ready_at;

use super::*;

#[test]
fn the_report_is_built_at_the_first_instant_after_the_month_from_the_month_of_the_first_own_sample_on() {
    let owed = planned(&facts(vec![unit()]), "generate");
    assert_eq!(owed, [(at("2026-11-01T00:00:00Z"), "generate u 2026-10".to_owned())]);
    let owed = planned(&facts(vec![with(october())]), "generate");
    assert_eq!(owed, [(at("2026-12-01T00:00:00Z"), "generate u 2026-11".to_owned())]);
    let subscription = UnitFacts { monthly: false, ..unit() };
    assert_eq!(planned(&facts(vec![subscription]), "generate"), []);
}

#[test]
fn several_months_owed_are_built_oldest_first() {
    let unit = UnitFacts { since: Some(at("2026-07-20T00:00:00Z")), ..with(october()) };
    assert_eq!(planned(&facts(vec![unit]), "generate")[0].1, "generate u 2026-07");
}

#[test]
fn a_forgotten_month_is_not_built_again() {
    let forgotten = ["2026-07", "2026-09"].map(month).to_vec();
    let unit = UnitFacts { since: Some(at("2026-07-20T00:00:00Z")), forgotten, ..with(october()) };
    assert_eq!(planned(&facts(vec![unit.clone()]), "generate")[0].1, "generate u 2026-08");
    let all = ["2026-07", "2026-08", "2026-09"].map(month).to_vec();
    let unit = UnitFacts { forgotten: all, ..unit };
    assert_eq!(planned(&facts(vec![unit]), "generate")[0].1, "generate u 2026-11");
}

#[test]
fn the_report_waits_for_a_basis_and_for_a_sample_in_flight() {
    let ends = at("2026-11-01T00:00:00Z");
    let month = month("2026-10");
    assert_eq!(basis_ready_at(month, true, None, &policy()), None);
    assert_eq!(basis_ready_at(month, false, None, &policy()), Some(at("2026-11-01T02:00:00Z")));
    let until = Some(TimeDelta::hours(6));
    assert_eq!(basis_ready_at(month, false, until, &policy()), Some(at("2026-11-01T06:00:00Z")));

    let waiting = UnitFacts { basis_waits_until: Some(at("2026-11-01T02:00:00Z")), ..unit() };
    assert_eq!(one(&facts(vec![waiting]), "generate"), Some(at("2026-11-01T02:00:00Z")));

    let facts = Facts { servers: vec![server(Some("2026-10-31T23:07:00Z"))], ..facts(vec![unit()]) };
    let flying = Duty::Collect { server: "vbr01".to_owned() };
    let only = |kind: &str, flying: &dyn Fn(&Duty) -> bool| {
        let quiet = Facts { units: vec![UnitFacts { automatic: None, ..facts.units[0].clone() }], ..facts.clone() };
        next_duty(&quiet, &policy(), flying).is_some_and(|planned| planned.duty.kind() == kind)
    };
    assert!(only("collect", &idle), "the sample before the month's end comes first");
    assert_eq!(one(&facts, "generate"), Some(ends));
    assert!(!only("generate", &|duty| *duty == flying), "and the report waits while it is being taken");
    let other = Duty::Collect { server: "vbr02".to_owned() };
    assert!(only("collect", &|duty| *duty == other));
}

#[test]
fn files_not_yet_in_the_reports_folder_are_written_at_once_or_after_a_setback() {
    let unwritten = ReportState { files_written: false, ..october() };
    assert_eq!(one(&facts(vec![with(unwritten.clone())]), "write"), Some(at("2026-11-01T00:00:00Z")));
    let later = ReportState { files_retry_at: Some(at("2026-11-01T00:05:00Z")), ..unwritten };
    assert_eq!(one(&facts(vec![with(later)]), "write"), Some(at("2026-11-01T00:05:00Z")));
}

fn submit_at(unit: UnitFacts) -> Option<Instant> {
    one(&facts(vec![unit]), "submit")
}

#[test]
fn an_unsent_report_goes_at_midnight_of_any_auto_submit_day() {
    for day in 2..=28 {
        let policy = Policy { deadlines: Deadlines { auto_submit_day: day, ..Deadlines::default() }, ..policy() };
        let due = plan(&facts(vec![with(october())]), &policy);
        let submit = due.iter().find(|planned| planned.duty.kind() == "submit").expect("automatic");
        assert_eq!(submit.at, at(&format!("2026-11-{day:02}T00:00:00Z")));
    }
}

#[test]
fn postponing_moves_no_deadline() {
    let until = at("2026-11-10T00:00:00Z");
    let postponed = ReportState { stage: Stage::Postponed { until }, ..october() };
    assert_eq!(submit_at(with(postponed)), Some(at("2026-11-11T00:00:00Z")));
}

#[test]
fn a_report_generated_after_the_deadline_is_sent_at_once_but_told_and_written_first() {
    let generated_at = at("2026-11-20T08:00:00Z");
    let late = ReportState { generated_at, files_written: false, ..october() };
    assert_eq!(submit_at(with(late.clone())), Some(generated_at));
    let untold = vec![("n".to_owned(), "licensing".to_owned(), generated_at)];
    let facts = Facts { untold, ..facts(vec![with(late)]) };
    let at_once = plan(&facts, &policy()).into_iter().filter(|planned| planned.at == generated_at);
    assert_eq!(at_once.map(|planned| planned.duty.kind()).collect::<Vec<_>>(), ["write", "tell", "submit"]);
}

#[test]
fn a_deadline_that_passed_in_manual_mode_is_never_made_up_for() {
    let consented = |at_text: &str| UnitFacts { automatic: Some(at(at_text)), ..with(october()) };
    assert!(submit_at(consented("2026-11-11T00:00:00Z")).is_some());
    assert_eq!(submit_at(consented("2026-11-11T00:00:01Z")), None);
    assert_eq!(submit_at(UnitFacts { automatic: None, ..with(october()) }), None);
    assert!(submit_at(UnitFacts { automatic: Some(Instant::MIN_UTC), ..with(october()) }).is_some());
}

#[test]
fn without_enough_coverage_or_anyone_to_send_to_it_waits_for_a_person() {
    assert_eq!(submit_at(with(ReportState { may_go_unseen: false, ..october() })), None);
    assert_eq!(submit_at(UnitFacts { sends: false, ..with(october()) }), None);
}

#[test]
fn a_correction_never_goes_by_itself_but_once_sealed_it_is_sent() {
    assert_eq!(submit_at(with(ReportState { revision: 2, ..october() })), None);
    let sealed_at = at("2026-11-15T09:00:00Z");
    let sealed = ReportState { revision: 2, stage: Stage::Sending { sealed_at }, ..october() };
    assert_eq!(submit_at(with(sealed.clone())), Some(sealed_at));
    let again = ReportState { retry_at: Some(at("2026-11-15T10:00:00Z")), ..sealed };
    let manual = UnitFacts { automatic: None, ..with(again) };
    assert_eq!(submit_at(manual), Some(at("2026-11-15T10:00:00Z")), "what is sealed is sent until answered");
}

#[test]
fn a_report_that_was_sealed_by_a_clock_that_was_ahead_is_sent_at_its_next_try() {
    let stage = Stage::Sending { sealed_at: at("2026-12-25T09:00:00Z") };
    let retry_at = Some(at("2026-11-15T10:00:00Z"));
    assert_eq!(submit_at(with(ReportState { stage, retry_at, ..october() })), retry_at);
}

fn reminder(unit: UnitFacts) -> Option<(Instant, String)> {
    planned(&facts(vec![unit]), "remind").into_iter().next()
}

fn told(last_told_at: &str) -> ReportState {
    ReportState { last_told_at: at(last_told_at), ..october() }
}

fn is_due(at_text: &str, about: &str) -> Option<(Instant, String)> {
    Some((at(at_text), format!("remind u 2026-10 {about}")))
}

#[test]
fn reminders_come_daily_until_what_goes_by_itself_is_sent() {
    assert_eq!(reminder(with(told("2026-11-01T00:00:00Z"))), is_due("2026-11-02T00:00:00Z", "Review"));
    assert_eq!(reminder(with(told("2026-11-09T00:00:00Z"))), is_due("2026-11-10T00:00:00Z", "Review"));
    assert_eq!(reminder(with(told("2026-11-10T00:00:00Z"))), None, "the 11th sends it");
}

#[test]
fn in_manual_mode_reminders_turn_into_overdue_after_the_manual_deadline_and_go_on_daily() {
    let manual = |report| UnitFacts { automatic: None, ..with(report) };
    assert_eq!(reminder(manual(told("2026-11-09T00:00:00Z"))), is_due("2026-11-10T00:00:00Z", "Review"));
    assert_eq!(reminder(manual(told("2026-11-10T00:00:00Z"))), is_due("2026-11-11T00:00:00Z", "Overdue"));
    assert_eq!(reminder(manual(told("2026-11-20T00:00:00Z"))), is_due("2026-11-21T00:00:00Z", "Overdue"));
}

#[test]
fn a_manual_report_that_is_marked_as_entered_elsewhere_is_never_recalled_again() {
    let manual = |report| UnitFacts { automatic: None, ..with(report) };
    for last_told in ["2026-11-02T00:00:00Z", "2026-11-20T00:00:00Z"] {
        assert_eq!(reminder(manual(ReportState { external_done: true, ..told(last_told) })), None);
    }
    let automatic = ReportState { external_done: true, ..told("2026-11-02T00:00:00Z") };
    assert_eq!(reminder(with(automatic)), is_due("2026-11-03T00:00:00Z", "Review"), "it is still to be sent");
}

#[test]
fn postponing_hides_the_reminder_until_then() {
    let until = at("2026-11-06T15:00:00Z");
    let postponed = ReportState { stage: Stage::Postponed { until }, ..told("2026-11-03T00:00:00Z") };
    assert_eq!(reminder(with(postponed)), is_due("2026-11-06T15:00:00Z", "Review"));
}

#[test]
fn after_days_of_downtime_one_reminder_stands_for_all() {
    let reminders = planned(&facts(vec![with(told("2026-11-02T00:00:00Z"))]), "remind");
    assert_eq!(reminders.len(), 1);
}

#[test]
fn a_sent_report_is_recalled_until_it_is_entered_elsewhere_daily_then_weekly() {
    let receipt = Receipt { id: "1".into(), sha256: "".into(), received_at: at("2026-11-05T09:00:00Z"), verdict: None };
    let sent = |last_told_at: &str| {
        let stage = Stage::Submitted { at: at("2026-11-05T09:00:00Z"), receipt: receipt.clone() };
        ReportState { stage, ..told(last_told_at) }
    };
    assert_eq!(reminder(with(sent("2026-11-05T09:00:00Z"))), is_due("2026-11-06T00:00:00Z", "External"));
    assert_eq!(reminder(with(sent("2026-11-12T00:00:00Z"))), is_due("2026-11-19T00:00:00Z", "External"));
    assert_eq!(reminder(with(ReportState { external_done: true, ..sent("2026-11-05T09:00:00Z") })), None);
    assert_eq!(submit_at(with(sent("2026-11-05T09:00:00Z"))), None);
}

fn stages() -> impl Strategy<Value = Stage> {
    prop_oneof![
        Just(Stage::AwaitingReview),
        Just(Stage::Postponed { until: at("2026-11-07T00:00:00Z") }),
        Just(Stage::Sending { sealed_at: at("2026-11-08T00:00:00Z") }),
    ]
}

proptest! {
    #[test]
    fn a_duty_in_flight_is_never_planned_again_and_every_other_one_is_in_its_turn(
        stage in stages(), revision in 1..3u32, automatic in any::<bool>(), written in any::<bool>(),
        flying in prop::collection::btree_set(0..8usize, 0..8), suspect in any::<bool>(),
    ) {
        let report = ReportState { stage, revision, files_written: written, ..october() };
        let automatic = automatic.then_some(Instant::MIN_UTC);
        let check = Some(at("2026-11-09T00:00:00Z"));
        let facts = Facts {
            servers: vec![server(Some("2026-11-05T10:07:00Z"))],
            units: vec![UnitFacts { automatic, license_check_at: check, ..with(report) }],
            untold: vec![("n".to_owned(), "licensing".to_owned(), at("2026-11-06T00:00:00Z"))],
            usage_owed: Vec::new(),
            retention: tidegauge::rules::retention::RetentionFacts::default(),
            clock_suspect: suspect,
            samples_wait: false,
        };
        let all = plan(&facts, &policy());
        let flying: Vec<&Duty> = all.iter().enumerate().filter(|(n, _)| flying.contains(n)).map(|(_, one)| &one.duty).collect();
        match next_duty(&facts, &policy(), &|duty| flying.contains(&duty)) {
            Some(next) => {
                prop_assert!(!flying.contains(&&next.duty));
                let earlier = all.iter().filter(|one| one.at < next.at && !flying.contains(&&one.duty));
                prop_assert!(earlier.filter(|one| one.duty.kind() != "generate").count() == 0);
            }
            None => prop_assert!(all.iter().all(|one| flying.contains(&&one.duty) || one.duty.kind() == "generate")),
        }
    }
}
