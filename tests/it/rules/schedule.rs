//! What is due, and when: every duty out of plain facts.

mod reports; // generating, writing, reminding, sending
mod samples; // the grid, the month's end, retries, catching up

use chrono::TimeDelta;
use tidegauge::domain::report::Stage;
use tidegauge::domain::{Instant, IsoWeek};
use tidegauge::rules::deadlines::Deadlines;
use tidegauge::rules::retention::{Keep, RetentionFacts};
use tidegauge::rules::schedule::{
    Duty, Facts, LostMessage, Planned, Policy, ReportState, ServerFacts, TROUBLED_AT_ONCE_MAX, UnitFacts, next_duty,
    plan,
};
use tidegauge::rules::working_days::WorkingDays;

use super::made::{at, month};

fn policy() -> Policy {
    Policy {
        sample_interval: TimeDelta::hours(1),
        basis_max_age: TimeDelta::hours(2),
        deadlines: Deadlines::default(),
        working_days: every_day(),
        keep: Keep { raw: TimeDelta::days(400), mail: TimeDelta::days(400) },
    }
}

/// No day is off, so that tests of the daily cadence need no calendar.
fn every_day() -> WorkingDays {
    WorkingDays { weekend: chrono::WeekdaySet::EMPTY, ..WorkingDays::default() }
}

fn server(last_sample_at: Option<&str>) -> ServerFacts {
    ServerFacts {
        name: "vbr01".to_owned(),
        offset: TimeDelta::minutes(7),
        watched_since: at("2026-11-01T00:00:00Z"),
        last_sample_at: last_sample_at.map(at),
        miss: None,
    }
}

/// A unit in a closed loop, sampled since October, whose October report waits for review.
fn unit() -> UnitFacts {
    UnitFacts {
        id: "u".to_owned(),
        servers: vec!["vbr01".to_owned()],
        since: Some(at("2026-10-05T09:00:00Z")),
        monthly: true,
        automatic: Some(at("2026-10-05T10:00:00Z")),
        sends: true,
        left_at: None,
        reviewed_elsewhere: false,
        reports: Vec::new(),
        forgotten: Vec::new(),
        telemetry_through: None,
        telemetry_unanswered: None,
        slot: None,
        telemetry_retry_at: None,
        lost: Vec::new(),
        license_check_at: None,
        license_watch_at: None,
        basis_waits_until: None,
    }
}

fn october() -> ReportState {
    ReportState {
        month: month("2026-10"),
        revision: 1,
        stage: Stage::AwaitingReview,
        generated_at: at("2026-11-01T00:00:00Z"),
        files_written: true,
        files_retry_at: None,
        may_go_unseen: true,
        external_done: false,
        final_at: None,
        last_told_at: at("2026-11-01T00:00:00Z"),
        retry_at: None,
    }
}

fn with(report: ReportState) -> UnitFacts {
    UnitFacts { reports: vec![report], ..unit() }
}

fn facts(units: Vec<UnitFacts>) -> Facts {
    Facts { units, ..Facts::default() }
}

/// When the duty of this kind is planned, and its key.
fn planned(facts: &Facts, kind: &str) -> Vec<(Instant, String)> {
    let of_kind = plan(facts, &policy()).into_iter().filter(|planned| planned.duty.kind() == kind);
    of_kind.map(|planned| (planned.at, planned.duty.key())).collect()
}

fn one(facts: &Facts, kind: &str) -> Option<Instant> {
    planned(facts, kind).first().map(|(at, _)| *at)
}

fn idle(_: &Duty) -> bool {
    false
}

fn next(facts: &Facts) -> Option<Planned> {
    next_duty(facts, &policy(), &idle)
}

#[test]
fn a_weeks_slot_is_drawn_when_it_has_ended_and_its_mark_sent_at_the_drawn_instant() {
    let ended = at("2026-10-12T00:00:00Z");
    let mut facts = facts(vec![unit()]);
    assert_eq!(planned(&facts, "draw"), [(ended, "draw u 2026-W41".to_owned())]);
    facts.units[0].slot = Some((IsoWeek::of(at("2026-10-05T09:00:00Z")), at("2026-10-15T13:37:00Z")));
    assert_eq!(planned(&facts, "telemetry"), [(at("2026-10-15T13:37:00Z"), "telemetry u 2026-W41".to_owned())]);
    facts.units[0].telemetry_retry_at = Some(at("2026-10-15T14:40:00Z"));
    assert_eq!(one(&facts, "telemetry"), Some(at("2026-10-15T14:40:00Z")), "unreachable: later");
}

#[test]
fn weeks_owed_are_sent_oldest_first_and_one_by_one() {
    let facts = |through: &str| facts(vec![UnitFacts { telemetry_through: through.parse().ok(), ..unit() }]);
    assert_eq!(planned(&facts("2026-W44"), "draw"), [(at("2026-11-09T00:00:00Z"), "draw u 2026-W45".to_owned())]);
    let slot_of_another_week = UnitFacts {
        telemetry_through: "2026-W44".parse().ok(),
        slot: Some(("2026-W44".parse().unwrap(), at("2026-11-03T00:00:00Z"))),
        ..unit()
    };
    assert_eq!(planned(&Facts { units: vec![slot_of_another_week], ..Facts::default() }, "telemetry"), []);
}

#[test]
fn telemetry_begins_with_the_later_of_first_sample_and_consent_and_only_in_automatic_mode() {
    let first_owed = |automatic, sends| {
        let unit = UnitFacts { automatic, sends, ..unit() };
        planned(&facts(vec![unit]), "draw").first().map(|(_, key)| key.clone())
    };
    assert_eq!(first_owed(Some(Instant::MIN_UTC), true).as_deref(), Some("draw u 2026-W41"));
    let consent = Some(at("2026-10-22T00:00:00Z"));
    assert_eq!(first_owed(consent, true).as_deref(), Some("draw u 2026-W43"));
    assert_eq!((first_owed(None, true), first_owed(consent, false)), (None, None));
    let imported = UnitFacts { since: None, ..unit() };
    assert_eq!(plan(&facts(vec![imported]), &policy()), [], "imports create no duties");
}

#[test]
fn what_the_server_lost_is_sent_again_only_in_automatic_mode() {
    let lost =
        |id: &str| LostMessage { id: id.to_owned(), what: "report 2026-10".to_owned(), at: at("2026-11-20T10:00:00Z") };
    let unit = UnitFacts { lost: vec![lost("r"), lost("t")], ..unit() };
    let sent =
        |unit: UnitFacts| planned(&facts(vec![unit]), "again").into_iter().map(|(_, key)| key).collect::<Vec<_>>();
    assert_eq!(sent(unit.clone()), ["again u r", "again u t"]);
    assert_eq!(sent(UnitFacts { automatic: None, ..unit.clone() }), [""; 0]);
    assert_eq!(sent(UnitFacts { sends: false, ..unit }), [""; 0]);
}

#[test]
fn while_the_clock_is_doubted_samples_are_taken_and_people_told_but_nothing_is_generated_or_sent() {
    let unit = UnitFacts { license_check_at: Some(at("2026-11-02T00:00:00Z")), ..with(october()) };
    let believed = Facts {
        servers: vec![server(Some("2026-11-20T10:07:00Z"))],
        units: vec![unit],
        untold: vec![("notice-1".to_owned(), "licensing".to_owned(), at("2026-11-01T00:00:00Z"))],
        usage_owed: Vec::new(),
        retention: RetentionFacts { oldest_at: Some(at("2024-11-01T00:00:00Z")), ..RetentionFacts::default() },
        clock_suspect: false,
        samples_wait: false,
    };
    let kinds = |facts: &Facts| -> Vec<&str> {
        let mut kinds: Vec<&str> = plan(facts, &policy()).iter().map(|planned| planned.duty.kind()).collect();
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(kinds(&believed), ["collect", "draw", "generate", "let-go", "license", "remind", "submit", "tell"]);
    assert_eq!(kinds(&Facts { clock_suspect: true, ..believed }), ["collect", "tell"]);
}

#[test]
fn duties_of_one_instant_come_in_their_order_and_flying_ones_are_left_out() {
    let same = "2026-11-11T00:00:00Z";
    let facts = Facts {
        servers: vec![ServerFacts { watched_since: at(same), ..server(None) }],
        units: vec![UnitFacts { license_check_at: Some(at(same)), ..with(october()) }],
        untold: vec![("n".to_owned(), "licensing".to_owned(), at(same))],
        usage_owed: Vec::new(),
        retention: RetentionFacts::default(),
        clock_suspect: false,
        samples_wait: false,
    };
    let mut flying: Vec<Duty> = Vec::new();
    let mut kinds = Vec::new();
    while let Some(planned) = next_duty(&facts, &policy(), &|duty| flying.contains(duty)) {
        assert!(!flying.contains(&planned.duty));
        if planned.at == at(same) {
            kinds.push(planned.duty.kind());
        }
        flying.push(planned.duty);
    }
    assert_eq!(kinds, ["collect", "tell", "submit", "license"]);
    assert_eq!(flying.len(), plan(&facts, &policy()).len() - 1, "the report waits while a sample is being taken");
}
