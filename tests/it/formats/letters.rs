//! The letters and mails about each kind of news.

use chrono::NaiveDate;
use expect_test::{Expect, expect};
use tidegauge::ask::{Ask, MailAsk};
use tidegauge::channels::{Attachment, CHANNELS, Telling, mail, until};
use tidegauge::domain::Month;
use tidegauge::domain::notice::{News, Notice, Workdays};

use super::sample::{at, points};

fn october() -> Month {
    Month::new(2026, 10).expect("October")
}

fn notice(news: News) -> Notice {
    let id = "7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001".to_owned();
    Notice { id, unit: Some("unit".to_owned()), at: at("2026-11-01T00:00:00Z"), news }
}

fn telling<'a>(to: &'a [String], attachments: &'a [Attachment]) -> Telling<'a> {
    Telling {
        from: "Tidegauge <tidegauge@example.net>",
        to,
        about: "Example Provider, vbr01 and vbr02",
        files_at: "/var/lib/tidegauge/reports/2026-10",
        attachments,
        time_zone: chrono_tz::Tz::UTC,
    }
}

#[test]
fn the_foot_shows_the_hour_in_the_zone_of_the_settings_beside_gmt() {
    let to = ["licensing@example.net".to_owned()];
    let of = |time_zone| {
        let telling = Telling { time_zone, ..telling(&to, &[]) };
        String::from_utf8(mail::mail(&notice(ready(10, true, false)), &telling, &to[0]).unwrap().message).unwrap()
    };
    assert!(of(chrono_tz::Europe::Prague).contains("| 2026-11-01 00:00 GMT (2026-11-01 01:00 Europe/Prague) |"));
    assert!(of(chrono_tz::Tz::Etc__UTC).contains("| 2026-11-01 00:00 GMT |"));
}

fn sent(news: News, attachments: &[Attachment]) -> String {
    let to = ["licensing@example.net".to_owned()];
    let mail = mail::mail(&notice(news), &telling(&to, attachments), &to[0]).expect("the addresses are right");
    String::from_utf8(mail.message).expect("these mails are ASCII")
}

/// The body, with soft line breaks and their kin undone.
fn body(news: News) -> String {
    let mail = sent(news, &[]).replace("\r\n", "\n");
    let (_, body) = mail.split_once("\n\n").expect("an empty line ends the header");
    body.replace("=\n", "").replace("=20", " ").replace("=C2=B7", "·").replace("=3D", "=")
}

fn ready(days_left: i64, automatic: bool, late: bool) -> News {
    News::ReportReady {
        month: october(),
        total: points("128.5"),
        days_left,
        automatic,
        late,
        workdays: Workdays::Enough,
        difference: None,
    }
}

fn day(of_october: u32) -> NaiveDate {
    october().day(of_october)
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
fn all_news() -> Vec<News> {
    let (month, total) = (october(), points("1298"));
    let bad = "line\r\nBcc: someone@example.org\r\n\r\nbody\u{202e}\u{0}".to_owned();
    vec![
        ready(10, true, false),
        News::Reminder { month, total, days_left: 1, automatic: false, workdays: Workdays::TodayIsLast },
        News::Overdue { month, total },
        News::ReportSent { month, total, by: bad.clone(), external_due: true, due_on: None },
        News::SendFailing { month, why: bad.clone() },
        News::ExternalDue { month, total, due_on: None },
        News::WaitsForPerson { month, why: bad.clone() },
        News::LateSample { month, sent: true },
        News::ReportRenewed { month, was: points("1287"), total },
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
        News::AutoUpdateOff { why: bad.clone() },
        News::SourceLost { server: bad.clone(), why: bad.repeat(1000) },
        News::SourceRecovered { server: bad.clone(), missed_samples: 3 },
        News::ClockSuspect { why: bad },
    ]
}

fn check(text: &str, expected: Expect) {
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
            Late: it was built after the month had ended, from what was sampled until then.

            If nobody acts, it is sent as it stands on 2026-11-11 at 00:00 GMT.

            -- 
            Tidegauge, Example Provider, vbr01 and vbr02
            report.generated | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001

        "#]],
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

            Manual mode: nothing is sent on its own. Save the report, enter it in Pulse or your
            aggregator's portal by 2026-11-10, then record that with "tidegauge report mark-external".

            -- 
            Tidegauge, Example Provider, vbr01 and vbr02
            report.generated | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001

        "#]],
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
        report.deadline_near | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001

    "#]],
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

        When it is entered, record that with "tidegauge report mark-external".

        -- 
        Tidegauge, Example Provider, vbr01 and vbr02
        report.external_due | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001

    "#]],
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
fn a_mail_with_an_attachment_is_the_same_to_the_byte_each_time() {
    let file = Attachment {
        name: "4b7c1f0e-r1.csv".to_owned(),
        media_type: "text/csv; charset=utf-8".to_owned(),
        bytes: b"server,points\r\nvbr01,77\r\n".to_vec(),
    };
    let mail = sent(News::GateOpened { month: october() }, std::slice::from_ref(&file));
    assert_eq!(mail, sent(News::GateOpened { month: october() }, &[file]));
    check(
        &mail.replace("\r\n", "\n"),
        expect![[r#"
            Date: Sun, 01 Nov 2026 00:00:00 +0000
            From: Tidegauge <tidegauge@example.net>
            To: licensing@example.net
            Subject: License update free again: October 2026 agrees with its high
             watermark
            Message-ID: <7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001.31157ceaf9b68d3c@tidegauge>
            Auto-Submitted: auto-generated
            X-Tidegauge-Event: gate.opened
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="tidegauge-24e489e725b0954f"

            --tidegauge-24e489e725b0954f
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            The report of 2026-10 and the high watermark agree within the tolerance. Li=
            cense updates
            are asked for again.

            --=20
            Tidegauge, Example Provider, vbr01 and vbr02
            gate.opened | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001

            --tidegauge-24e489e725b0954f
            Content-Disposition: attachment; filename="4b7c1f0e-r1.csv"
            Content-Type: text/csv; charset=utf-8
            Content-Transfer-Encoding: base64

            c2VydmVyLHBvaW50cw0KdmJyMDEsNzcNCg==
            --tidegauge-24e489e725b0954f--
        "#]],
    );
}

#[test]
fn every_kind_of_news_has_its_letter_and_none_can_add_a_header() {
    let mut subjects = Vec::new();
    for news in all_news() {
        let mail = sent(news, &[]);
        let (header, body) = mail.split_once("\r\n\r\n").expect("an empty line ends the header");
        let names = header.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        let names = names.map(|line| line.split(':').next().unwrap_or_default()).collect::<Vec<_>>();
        let expected = [
            "Date",
            "From",
            "To",
            "Subject",
            "Message-ID",
            "Auto-Submitted",
            "X-Tidegauge-Event",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding",
        ];
        assert_eq!(names, expected, "in {mail}");
        assert!(!body.contains("\r\nBcc:"), "{mail}");
        assert!(body.len() < 5_000, "a long foreign text is cut");
        assert!(mail.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])), "{mail:?}");
        subjects.push(header.split("\r\n").find(|line| line.starts_with("Subject:")).expect("a subject").to_owned());
    }
    let all = subjects.len();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), all, "two kinds of news share a subject");
}

#[test]
fn an_exceeded_limit_says_how_far_how_many_more_and_what_is_left_out() {
    check(
        body(exceeded("45", "5", "0", "2026-11-20")).split("\n-- ").next().unwrap_or_default(),
        expect![[r#"
        Licensed: 200. Used: 245. Exceeded by: 45.
        Everything is processed; 5 more are possible before workloads are left out.
        A rental license's overage is tolerated through 2026-11-20.
        Ask for a license of at least 245, or reduce what is protected.
    "#]],
    );
    check(
        body(exceeded("63", "0", "13", "2026-10-28")).split("\n-- ").next().unwrap_or_default(),
        expect![[r#"
        Licensed: 200. Used: 263. Exceeded by: 63.
        Not processed: 13, the workloads that were added last. "tidegauge license show" names those that
        the servers name.
        A rental license's overage was tolerated through 2026-10-28; all above what is licensed may be left out at any time.
        Ask for a license of at least 263, or reduce what is protected.
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
        With auto update on a key is asked for each day. Without it install one by hand:
        "tidegauge license install FILE", or on the backup server itself.

        The license was valid through 2026-10-07. Everything is still processed through 2026-10-28;
        after that day jobs fail, and only restores work.

        "tidegauge license history" shows why no key came. Install one with "tidegauge license install FILE", or
        on the backup server itself.

        The license was valid through 2026-10-07, and its grace ended on 2026-10-28.
        Jobs fail; restores still work. Install a key: "tidegauge license install FILE", or on the backup server itself.
    "#]],
    );
}

#[test]
fn each_recipient_gets_an_own_mail_and_a_wrong_address_stops_no_other() {
    let to = ["a@example.net".to_owned(), "no address".to_owned(), "Bé <b@example.net>".to_owned()];
    let asks = (CHANNELS[0].asks)(&notice(ready(10, true, false)), &telling(&to, &[]));
    let mails = asks.into_iter().map(|ask| match ask {
        Ok(Ask::Mail(MailAsk { to, message, .. })) => {
            let message = String::from_utf8_lossy(&message).into_owned();
            let id = message.split("\r\n").find(|line| line.starts_with("Message-ID")).map(str::to_owned);
            format!("{to} {}", id.unwrap_or_default())
        }
        Ok(other) => format!("no mail: {other:?}"),
        Err(wrong) => wrong.to_string(),
    });
    check(
        &mails.collect::<Vec<_>>().join("\n"),
        expect![[r#"
        a@example.net Message-ID: <7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001.3a915e6458ec3df4@tidegauge>
        'no address' is not a mail address; write it as name@example.net or Name <name@example.net>
        b@example.net Message-ID: <7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001.65f46064650b0a44@tidegauge>"#]],
    );
}

#[test]
fn files_beyond_the_limit_stay_where_they_lie_and_the_letter_says_where() {
    let file = |name: &str, bytes: usize| Attachment {
        name: name.to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes: vec![0; bytes],
    };
    let files = [file("huge.pdf", mail::ATTACHED_BYTES_MAX + 1), file("small\r\n\"x.json", 10)];
    let mail = sent(ready(10, true, false), &files).replace("=\r\n", "");
    assert!(mail.len() < 5_000, "the huge file stays out");
    assert!(mail.contains("Too large to attach: huge.pdf. It lies in /var/lib/tidegauge/reports/2026-10."), "{mail}");
    assert!(mail.contains("filename=\"small___x.json\""), "{mail}");
}
