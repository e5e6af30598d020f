//! The letters and mails about each kind of news.

use chrono::NaiveDate;
use expect_test::{Expect, expect};
use tidegauge::channels::{Attachment, Telling, mail, until};
use tidegauge::domain::Month;
use tidegauge::domain::events::{EVENTS, Events};
use tidegauge::domain::notice::{News, Notice, ToldLoss, Workdays};
use tidegauge::domain::watermark::Coverage;

use super::mails::content;
use super::sample::{at, points};

pub fn october() -> Month {
    Month::new(2026, 10).expect("October")
}

pub fn notice(news: News) -> Notice {
    let id = "7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001".to_owned();
    Notice { id, unit: Some("unit".to_owned()), at: at("2026-11-01T00:00:00Z"), news }
}

pub fn telling<'a>(to: &'a [String], attachments: &'a [Attachment]) -> Telling<'a> {
    Telling {
        from: "Tidegauge <tidegauge@example.net>",
        to,
        about: "Example Provider, vbr01 and vbr02",
        files_at: "/var/lib/tidegauge/reports/2026-10",
        attachments,
        time_zone: chrono_tz::Tz::UTC,
        attached_bytes_max: 10_000_000,
    }
}

/// The mail to one recipient.
pub(super) fn sent(news: News, attachments: &[Attachment]) -> String {
    let to = ["licensing@example.net".to_owned()];
    let mail = mail::mail(&notice(news), &telling(&to, attachments), &to[0]).expect("the addresses are right");
    String::from_utf8(mail.message).expect("these mails are ASCII")
}

/// The text.
pub(super) fn body(news: News) -> String {
    content(&sent(news, &[]), "text/plain")
}

pub(super) fn ready(days_left: i64, automatic: bool, late: bool) -> News {
    News::ReportReady {
        month: october(),
        total: points("128.5"),
        days_left,
        automatic,
        late,
        workdays: Workdays::Enough,
        difference: None,
        discrepancies: Vec::new(),
    }
}

fn day(of_october: u32) -> NaiveDate {
    october().day(of_october)
}

pub(super) fn loss(why: &str) -> ToldLoss {
    let id = "0f8fad5b-d9cb-569f-a165-70867728950e".to_owned();
    ToldLoss { id, at: at("2026-10-31T20:17:00Z"), why: why.to_owned() }
}

fn exceeded(by: &str, more: &str, not_processed: &str, tolerated_through: &str) -> News {
    News::LimitExceeded {
        licensed: points("200"),
        used: points("200") + points(by),
        exceeded_by: points(by),
        more_possible: points(more),
        not_processed: points(not_processed),
        tolerated_through: tolerated_through.parse().ok(),
    }
}

/// One of each kind, with what comes from outside as bad as it gets.
pub fn all_news() -> Vec<News> {
    let (month, total) = (october(), points("1298"));
    let bad = "line\r\nBcc: someone@example.org\r\n\r\nbody\u{202e}\u{0}".to_owned();
    vec![
        ready(10, true, false),
        News::Reminder { month, total, days_left: 1, automatic: false, workdays: Workdays::TodayIsLast },
        News::Overdue { month, total },
        News::ReportAdjusted {
            month,
            by: bad.clone(),
            before: total,
            after: points("1200"),
            adjustments: 2,
            reason: bad.clone(),
        },
        News::ReportSent { month, total, by: bad.clone(), external_due: true, due_on: None },
        News::ReportAutoSent { month, total, external_due: true, due_on: None },
        News::SendFailing { month, why: bad.clone() },
        News::ExternalDue { month, total, due_on: None },
        News::WaitsForPerson { month, why: bad.clone() },
        News::LateSample { month, sent: true, dropped: Vec::new() },
        News::ReportRenewed {
            month,
            was: points("1287"),
            total,
            dropped: vec!["vbr01/web01 removed by mia (a test machine)".to_owned()],
        },
        News::License { result: bad.clone(), message: bad.clone(), to_do: bad.clone() },
        News::LicenseRecovered { result: bad.clone(), message: bad.clone(), failing_since: at("2026-10-30T00:00:00Z") },
        News::LicenseExpiring { support: true, last_day: day(7), days_left: 1 },
        News::SupportExpired { last_day: day(7) },
        News::GraceStarted { last_day: day(7), grace_ends_on: day(28) },
        News::InGrace { grace_ends_on: day(28), day: 8, of: 60 },
        News::ProcessingStopped { last_day: day(7), grace_ended_on: None },
        exceeded("45", "5", "0", "2026-11-20"),
        News::LimitKept { licensed: points("100"), used: points("99") },
        News::GateHeld { month, shortfall: total, tolerance: points("20") },
        News::GateOpened { month },
        News::CorrectionAsked { month, by: bad.clone(), why: bad.clone() },
        News::AutoUpdateOff { why: bad.clone() },
        News::SourceLost { server: bad.clone(), why: bad.repeat(1000) },
        News::SourceRecovered { server: bad.clone(), missed_samples: 3, loss: Some(loss(&bad)) },
        News::CoverageLow { server: bad.clone(), day: day(7), coverage: Coverage { expected: 24, complete: 9 } },
        News::ClockSuspect { why: bad },
    ]
}

pub(super) fn check(text: &str, expected: Expect) {
    expected.assert_eq(text);
}

#[test]
fn the_letter_of_a_report_says_how_many_points_and_how_many_days() {
    check(
        &body(ready(10, true, true)),
        expect![[r#"
            Monthly usage report has been generated.
            Number of managed points for the previous month: 129.
            Please review and submit the report within the next 10 days.

            Month: 2026-10
            Exact total: 128.5 points, rounded up to 129
            Late: it was built after the month had ended, from what was sampled until
            then.

            If nobody acts, it is sent as it stands on 2026-11-11 at 00:00 GMT.

            -- 
            Tidegauge, Example Provider, vbr01 and vbr02
            report.generated | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001"#]],
    );
}

#[test]
fn in_manual_mode_the_letter_says_that_nothing_is_sent_on_its_own() {
    check(
        &body(ready(9, false, false)),
        expect![[r#"
            Monthly usage report has been generated.
            Number of managed points for the previous month: 129.
            Please review and submit the report within the next 9 days.

            Month: 2026-10
            Exact total: 128.5 points, rounded up to 129

            Manual mode: nothing is sent on its own.

            What to do: Save the report, enter it in Pulse or your aggregator's portal by
            2026-11-10, then record that with "tidegauge report mark-external".

            -- 
            Tidegauge, Example Provider, vbr01 and vbr02
            report.generated | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001"#]],
    );
}

#[test]
fn a_reminder_has_the_fields_words_and_says_when_no_later_day_is_a_working_day() {
    let news =
        |workdays| News::Reminder { month: october(), total: points("10"), days_left: 1, automatic: true, workdays };
    check(
        &body(news(Workdays::TodayIsLast)),
        expect![[r#"
            The usage report of 2026-10 has not been submitted.
            Number of managed points for the previous month: 10.
            Please review and submit the report until tomorrow.
            Today is the last working day before the deadline.

            If nobody acts, it is sent as it stands on 2026-11-02 at 00:00 GMT.

            -- 
            Tidegauge, Example Provider, vbr01 and vbr02
            report.deadline_near | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001"#]],
    );
    let wording = |workdays| body(news(workdays)).lines().nth(3).map(str::to_owned);
    assert_eq!(wording(Workdays::Enough).as_deref(), Some(""));
    assert_eq!(wording(Workdays::NoneLeft).as_deref(), Some("No working day is left before the deadline."));
}

#[test]
fn the_second_step_names_its_day_and_is_overdue_after_it() {
    let due = |day: &str| {
        let due_on = Some(day.parse().expect("a day"));
        sent(News::ExternalDue { month: october(), total: points("10"), due_on }, &[]).replace("\r\n ", " ")
    };
    assert!(due("2026-11-05").contains(
        "Subject: Usage report October 2026: enter it in Pulse or your aggregator's portal by 2026-11-05\r\n"
    ));
    assert!(
        due("2026-10-31")
            .contains("Subject: Overdue: usage report October 2026 is not in Pulse or your aggregator's portal\r\n")
    );
    check(
        &body(News::ExternalDue { month: october(), total: points("10"), due_on: None }),
        expect![[r#"
            The usage report of 2026-10 was sent, 10 points. It has not been recorded as
            entered in Pulse or your aggregator's portal.

            What to do: When it is entered, record that with
            "tidegauge report mark-external".

            -- 
            Tidegauge, Example Provider, vbr01 and vbr02
            report.external_due | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001"#]],
    );
}

#[test]
fn days_left_are_worded_as_the_field_words_them() {
    assert_eq!(until(10), "within the next 10 days");
    assert_eq!(until(2), "within the next 2 days");
    assert_eq!(until(1), "until tomorrow");
    assert_eq!(until(0), "today");
    assert_eq!(until(-3), "at once, its day has passed");
}

#[test]
fn an_exceeded_limit_says_how_far_how_many_more_and_what_is_left_out() {
    check(
        body(exceeded("45", "5", "0", "2026-11-20")).split("\n-- ").next().unwrap_or_default(),
        expect![[r#"
            Licensed: 200
            Used: 245
            Exceeded by: 45

            Everything is processed; 5 more are possible before workloads are left out.
            A rental license's overage is tolerated through 2026-11-20.

            What to do: Ask for a license of at least 245, or reduce what is protected.
        "#]],
    );
    check(
        body(exceeded("63", "0", "13", "2026-10-28")).split("\n-- ").next().unwrap_or_default(),
        expect![[r#"
            Licensed: 200
            Used: 263
            Exceeded by: 63
            Not processed: 13

            Not processed are the workloads that were added last. "tidegauge license show"
            names those that the servers name.
            A rental license's overage was tolerated through 2026-10-28; all above what is
            licensed may be left out at any time.

            What to do: Ask for a license of at least 263, or reduce what is protected.
        "#]],
    );
}

#[test]
fn an_ending_license_says_its_day_and_what_follows() {
    let expiring = News::LicenseExpiring { support: false, last_day: day(7), days_left: 7 };
    let letters = [
        expiring,
        News::GraceStarted { last_day: day(7), grace_ends_on: day(28) },
        News::ProcessingStopped { last_day: day(7), grace_ended_on: Some(day(28)) },
    ];
    let bodies = letters.map(|news| body(news).split("\n-- ").next().unwrap_or_default().to_owned());
    check(
        &bodies.join("\n"),
        expect![[r#"
            The license is valid through 2026-10-07, 24:00 GMT: 7 days left.
            With auto update on a key is asked for each day.

            What to do: Without auto update install a key by hand:
            "tidegauge license install FILE", or on the backup server itself.

            The license was valid through 2026-10-07. Everything is still processed
            through 2026-10-28; after that day jobs fail, and only restores work.

            What to do: "tidegauge license history" shows why no key came. Install one
            with "tidegauge license install FILE", or on the backup server itself.

            The license was valid through 2026-10-07, and its grace ended on 2026-10-28.
            Jobs fail; restores still work.

            What to do: Install a key: "tidegauge license install FILE", or on the backup
            server itself.
        "#]],
    );
}

#[test]
fn every_kind_of_news_is_an_event_that_can_be_chosen_by_name_or_by_family() {
    let mut told: Vec<&str> = all_news().iter().map(News::event).collect();
    let mut known = EVENTS.to_vec();
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known);
    let chosen = |names: &[&str]| Events::read(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    let some = chosen(&["gate.*", "report.submitted"]).expect("there are such events");
    let has: Vec<&str> = EVENTS.into_iter().filter(|event| some.has(event)).collect();
    assert_eq!(has, ["report.submitted", "gate.held", "gate.opened"]);
    assert!(EVENTS.iter().all(|event| Events::all().has(event) && !Events::none().has(event)));
    for wrong in ["report", "report.", "repo*", "gate.held ", "", "**"] {
        assert_eq!(chosen(&["gate.held", wrong]).expect_err("no event").name, wrong);
    }
}

#[test]
fn a_report_that_went_by_itself_reads_otherwise_than_one_that_a_person_sent() {
    let (month, total) = (october(), points("1298"));
    let due_on = Some("2026-11-10".parse().expect("a day"));
    let letters = [
        News::ReportSent { month, total, by: "user:mia".to_owned(), external_due: false, due_on },
        News::ReportAutoSent { month, total, external_due: true, due_on },
    ];
    check(
        &letters.map(|news| body(news).split("\n-- ").next().unwrap_or_default().to_owned()).join("\n"),
        expect![[r#"
            The usage report of 2026-10 was taken by the License Update Server.
            Number of reported points: 1298.

            Sent by: user:mia

            The usage report of 2026-10 was not sent by a person until the auto-submit
            day. It was sent as it stood, and taken by the License Update Server.
            Number of reported points: 1298.

            Sent by: Tidegauge itself

            What to do: One step is left: enter the report in Pulse or your aggregator's
            portal by 2026-11-10, then record that with "tidegauge report mark-external".
        "#]],
    );
}

#[test]
fn an_adjustment_a_thin_day_and_a_recovery_say_what_they_are_about() {
    let month = october();
    let adjusted = |adjustments, reason: &str| News::ReportAdjusted {
        month,
        by: "user:mia".to_owned(),
        before: points("1298"),
        after: points("1287"),
        adjustments,
        reason: reason.to_owned(),
    };
    let letters = [
        adjusted(1, "a test machine"),
        adjusted(0, ""),
        News::CoverageLow { server: "vbr01".to_owned(), day: day(7), coverage: Coverage { expected: 24, complete: 9 } },
        News::SourceRecovered { server: "vbr01".to_owned(), missed_samples: 5, loss: Some(loss("not reachable")) },
    ];
    check(
        &letters.map(|news| body(news).split("\n-- ").next().unwrap_or_default().to_owned()).join("\n"),
        expect![[r#"
            The usage report of 2026-10 was adjusted.

            By: user:mia
            Before: 1298 points
            After: 1287 points
            Adjustments: 1
            Reason: a test machine

            What to do: "tidegauge report show --month 2026-10" shows them; until it is
            sent, "tidegauge report reset --month 2026-10" takes them all back.

            All adjustments of the usage report of 2026-10 were taken back.

            By: user:mia
            Before: 1298 points
            After: 1287 points

            On 2026-10-07 only 9 of the 24 samples of vbr01 were taken. Peaks between them
            were not seen, and the month's coverage falls: a month with too little of it
            is not sent without a person.

            What to do: "tidegauge status" says what is wrong with a server,
            "tidegauge watermark --month 2026-10" shows the days.

            vbr01 answers again. 5 samples were missed.

            Told as lost: 2026-10-31 20:17 GMT
            Because: not reachable
        "#]],
    );
}
