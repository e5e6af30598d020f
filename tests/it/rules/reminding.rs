//! When people are reminded: on working days, up to the deadline and after it.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, TimeDelta, WeekdaySet};
use proptest::prelude::*;
use tidegauge::domain::calendar::midnight;
use tidegauge::domain::report::{Receipt, Stage};
use tidegauge::domain::{Instant, Month};
use tidegauge::rules::deadlines::{Deadlines, Due};
use tidegauge::rules::reminding::{Unattended, next, review_at};
use tidegauge::rules::retention::Keep;
use tidegauge::rules::schedule::{Policy, Reminder, ReportState, UnitFacts};
use tidegauge::rules::working_days::WorkingDays;

use super::made::{at, month};

/// A manual unit: nobody sends its reports.
fn manual() -> UnitFacts {
    UnitFacts {
        id: "u".to_owned(),
        servers: vec!["vbr01".to_owned()],
        since: Some(at("2026-01-05T09:00:00Z")),
        monthly: true,
        automatic: None,
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

fn automatic() -> UnitFacts {
    UnitFacts { automatic: Some(Instant::MIN_UTC), ..manual() }
}

fn report(of: &str, stage: Stage) -> ReportState {
    let generated_at = month(of).ends_at();
    ReportState {
        month: month(of),
        revision: 1,
        stage,
        generated_at,
        files_written: true,
        files_retry_at: None,
        may_go_unseen: true,
        external_done: false,
        final_at: None,
        last_told_at: generated_at,
        retry_at: None,
    }
}

fn policy(auto_submit_day: u32, holidays: &[&str]) -> Policy {
    let holidays = holidays.iter().map(|day| day.parse().expect("a day")).collect();
    Policy {
        sample_interval: TimeDelta::hours(1),
        basis_max_age: TimeDelta::hours(2),
        deadlines: Deadlines { auto_submit_day, ..Deadlines::default() },
        working_days: WorkingDays { holidays, ..WorkingDays::default() },
        keep: Keep { raw: TimeDelta::days(400), mail: TimeDelta::days(400) },
    }
}

/// Every reminder until `until`, each told when it is due.
fn reminders(unit: &UnitFacts, mut report: ReportState, policy: &Policy, until: &str) -> Vec<String> {
    let mut told = Vec::new();
    while let Some((due_at, about)) = next(unit, &report, policy).filter(|(due_at, _)| *due_at < at(until)) {
        assert!(report.last_told_at < due_at, "never twice at one instant");
        report.last_told_at = due_at;
        told.push(format!("{} {about:?}", due_at.format("%a %m-%d")));
    }
    told
}

#[test]
fn reminders_come_on_working_days_until_the_report_goes() {
    let told =
        reminders(&automatic(), report("2026-09", Stage::AwaitingReview), &policy(11, &[]), "2026-11-01T00:00:00Z");
    // The 1st is a Thursday; the 11th, on which it goes, is a Sunday.
    let days = ["Fri 10-02", "Mon 10-05", "Tue 10-06", "Wed 10-07", "Thu 10-08", "Fri 10-09"];
    assert_eq!(told, days.map(|day| format!("{day} Review")));
}

#[test]
fn with_preset_three_after_new_year_the_letter_of_the_1st_is_the_only_one_there_can_be() {
    let stage = || Stage::AwaitingReview;
    let until = "2027-01-20T00:00:00Z";
    let told = reminders(&automatic(), report("2026-12", stage()), &policy(3, &["2027-01-01"]), until);
    assert_eq!(told, [""; 0], "Friday the 1st is a holiday, Sunday the 3rd sends it");
    let told = reminders(&automatic(), report("2026-12", stage()), &policy(6, &["2027-01-01"]), until);
    assert_eq!(told, ["Mon 01-04 Review", "Tue 01-05 Review"]);
}

#[test]
fn in_manual_mode_overdue_begins_with_the_deadline_even_on_a_day_off_and_goes_on_daily_on_working_days() {
    let mut friday = policy(11, &[]);
    friday.deadlines.manual_deadline_day = 9;
    let told = reminders(&manual(), report("2026-09", Stage::AwaitingReview), &friday, "2026-10-14T00:00:00Z");
    assert_eq!(told[5..], ["Fri 10-09 Review", "Sat 10-10 Overdue", "Mon 10-12 Overdue", "Tue 10-13 Overdue"]);
}

#[test]
fn a_report_that_is_postponed_past_the_last_working_day_is_still_recalled_once() {
    let days = WorkingDays::default();
    let (told, deadline) = (at("2026-11-06T00:00:00Z"), at("2026-11-09T00:00:00Z"));
    let postponed = |until| Stage::Postponed { until: at(until) };
    let on = |stage, told| review_at(&stage, told, deadline, &days);
    assert_eq!(on(postponed("2026-11-07T00:00:00Z"), told), Some(at("2026-11-07T00:00:00Z")), "a Saturday");
    assert_eq!(on(postponed("2026-11-07T00:00:00Z"), at("2026-11-07T00:00:00Z")), None);
    assert_eq!(on(postponed("2026-11-09T00:00:00Z"), told), None, "then it goes");
    assert_eq!(on(Stage::AwaitingReview, told), None, "Friday's was the last");
    assert_eq!(on(Stage::Sending { sealed_at: told }, told), None);
}

#[test]
fn a_postponement_hides_the_reminder_to_its_hour_or_to_the_working_day_after_it() {
    let days = WorkingDays::default();
    let on = |until| {
        review_at(&Stage::Postponed { until: at(until) }, at("2026-11-03T00:00:00Z"), at("2026-11-11T00:00:00Z"), &days)
    };
    assert_eq!(on("2026-11-06T15:00:00Z"), Some(at("2026-11-06T15:00:00Z")));
    assert_eq!(on("2026-11-07T15:00:00Z"), Some(at("2026-11-09T00:00:00Z")));
    assert_eq!(on("2026-11-03T09:00:00Z"), Some(at("2026-11-04T00:00:00Z")));
}

#[test]
fn the_second_step_has_its_own_date_daily_before_it_weekly_after_it_on_the_working_day_at_or_before() {
    let receipt = Receipt { id: "1".into(), sha256: "".into(), received_at: at("2026-11-02T09:00:00Z"), verdict: None };
    let sent = report("2026-10", Stage::Submitted { at: receipt.received_at, receipt });
    let sent = ReportState { last_told_at: at("2026-11-02T09:00:00Z"), ..sent };
    let mut by_the_sixth = policy(11, &["2026-11-14"]);
    by_the_sixth.deadlines.portal_deadline_day = 6;
    let told = reminders(&automatic(), sent.clone(), &by_the_sixth, "2026-11-28T00:00:00Z");
    let days = ["Tue 11-03", "Wed 11-04", "Thu 11-05", "Fri 11-06", "Sat 11-07", "Fri 11-13", "Fri 11-20", "Fri 11-27"];
    assert_eq!(told, days.map(|day| format!("{day} External")));
    assert_eq!(next(&automatic(), &ReportState { external_done: true, ..sent }, &by_the_sixth), None);
}

#[test]
fn a_report_is_held_to_the_manual_deadline_unless_everything_lets_it_go_by_itself() {
    let goes = Unattended {
        month: month("2026-10"),
        automatic: Some(Instant::MIN_UTC),
        sends: true,
        may_go_unseen: true,
        revision: 1,
    };
    let since = |text| Some(at(text));
    let due = |unattended: Unattended| unattended.due(Deadlines::default());
    assert_eq!(due(goes), Due::AutoSubmit);
    assert_eq!(due(Unattended { automatic: since("2026-11-11T00:00:00Z"), ..goes }), Due::AutoSubmit);
    for held in [
        Unattended { automatic: since("2026-11-11T00:00:01Z"), ..goes },
        Unattended { automatic: None, ..goes },
        Unattended { sends: false, ..goes },
        Unattended { may_go_unseen: false, ..goes },
        Unattended { revision: 2, ..goes },
    ] {
        assert_eq!(due(held), Due::Manual, "{held:?}");
    }
}

fn calendars() -> impl Strategy<Value = WorkingDays> {
    let weekend = prop_oneof![Just(WorkingDays::default().weekend), Just(WeekdaySet::EMPTY)];
    (weekend, prop::collection::btree_set(0..40u64, 0..12)).prop_map(|(weekend, holidays)| {
        let first: NaiveDate = "2026-12-20".parse().expect("a day");
        let holidays: BTreeSet<NaiveDate> = holidays.into_iter().map(|n| first + Days::new(n)).collect();
        WorkingDays { weekend, holidays }
    })
}

proptest! {
    #[test]
    fn the_last_working_day_before_the_deadline_is_always_recalled_and_no_day_off_ever_is(
        working_days in calendars(), day in 2..=28u32, minutes in 0..3000i64, of in 0..2u32,
    ) {
        let of = Month::new(2026, 11 + of).expect("November or December");
        let policy = Policy { working_days, ..policy(day, &[]) };
        let generated_at = of.ends_at() + TimeDelta::minutes(minutes);
        let mut state = ReportState { generated_at, last_told_at: generated_at, ..report("2026-12", Stage::AwaitingReview) };
        state.month = of;
        let deadline = policy.deadlines.auto_submit_at(of);
        let mut told: Vec<Instant> = vec![generated_at];
        while let Some((due_at, about)) = next(&automatic(), &state, &policy) {
            prop_assert_eq!(about, Reminder::Review);
            prop_assert!(state.last_told_at < due_at && due_at < deadline, "{} for {}", due_at, deadline);
            prop_assert!(policy.working_days.is_working(due_at.date_naive()), "{}", due_at);
            prop_assert!(!told.iter().any(|at| at.date_naive() == due_at.date_naive()), "twice on a day");
            told.push(due_at);
            state.last_told_at = due_at;
        }
        let days = generated_at.date_naive().iter_days().take_while(|day| midnight(*day) < deadline);
        if let Some(last) = days.filter(|day| policy.working_days.is_working(*day)).last() {
            let days: Vec<u32> = told.iter().map(|at| at.day()).collect();
            prop_assert!(told.iter().any(|at| at.date_naive() == last), "{last} is not among {days:?}");
        }
    }
}
