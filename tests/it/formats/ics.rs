//! Deadlines as a file for calendars.

use chrono::TimeDelta;
use expect_test::expect;
use tidegauge::document::agenda::{Agenda, AgendaEntry, When};
use tidegauge::formats::ics;

use super::sample::at;

fn agenda() -> Agenda {
    let day = |text: &str| text.parse().expect("a day");
    let entry = |n: u32, when, title: &str, text: &str| AgendaEntry {
        uid: format!("00000000-0000-5000-8000-00000000000{n}"),
        when,
        title: title.to_owned(),
        text: text.to_owned(),
        alarm_before: TimeDelta::hours(63),
    };
    Agenda {
        name: "Deadlines".to_owned(),
        stamped_at: at("2026-11-22T06:00:00Z"),
        entries: vec![
            entry(1, When::At(at("2026-12-11T00:00:00Z")), "Sent as it stands", "review it before"),
            entry(
                2,
                When::Days { first: day("2026-12-21"), last: day("2027-01-20") },
                "Wiederholung, Tag 1 bis 31; Größe übermäßig lang, damit die Zeile gefaltet werden muß",
                "first\nBEGIN:VEVENT\nlast",
            ),
        ],
    }
}

#[test]
fn an_agenda_is_written_whole_the_same_each_time() {
    let file = ics::write(&agenda());
    assert_eq!(file, ics::write(&agenda()));
    let text = String::from_utf8(file).expect("iCalendar is UTF-8");
    expect![[r#"
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//Tidegauge//Deadlines//EN
        CALSCALE:GREGORIAN
        METHOD:PUBLISH
        NAME:Deadlines
        X-WR-CALNAME:Deadlines
        BEGIN:VEVENT
        CLASS:PRIVATE
        DESCRIPTION:review it before
        DTSTAMP:20261122T060000Z
        DTSTART:20261211T000000Z
        SUMMARY:Sent as it stands
        TRANSP:TRANSPARENT
        UID:00000000-0000-5000-8000-000000000001
        BEGIN:VALARM
        ACTION:DISPLAY
        DESCRIPTION:Sent as it stands
        DTSTAMP:20261122T060000Z
        TRIGGER;RELATED=START:-PT226800S
        UID:f2a9fa59-3253-5717-a4a2-d39172185c43
        END:VALARM
        END:VEVENT
        BEGIN:VEVENT
        CLASS:PRIVATE
        DESCRIPTION:first\nBEGIN:VEVENT\nlast
        DTEND;VALUE=DATE:20270121
        DTSTAMP:20261122T060000Z
        DTSTART;VALUE=DATE:20261221
        SUMMARY:Wiederholung\, Tag 1 bis 31\; Größe übermäßig lang\, damit die
          Zeile gefaltet werden muß
        TRANSP:TRANSPARENT
        UID:00000000-0000-5000-8000-000000000002
        BEGIN:VALARM
        ACTION:DISPLAY
        DESCRIPTION:Wiederholung\, Tag 1 bis 31\; Größe übermäßig lang\, damit
          die Zeile gefaltet werden muß
        DTSTAMP:20261122T060000Z
        TRIGGER;RELATED=START:-PT226800S
        UID:6e291616-6e9d-5f49-a66a-cb7149800ab9
        END:VALARM
        END:VEVENT
        END:VCALENDAR
    "#]]
    .assert_eq(&text.replace("\r\n", "\n"));
}

#[test]
fn lines_end_in_crlf_are_at_most_75_octets_and_no_foreign_text_begins_one() {
    let text = String::from_utf8(ics::write(&agenda())).expect("folding splits no sign");
    let lines: Vec<&str> = text.strip_suffix("\r\n").expect("the last line ends, too").split("\r\n").collect();
    assert!(lines.iter().all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
    assert_eq!(lines.iter().filter(|line| **line == "BEGIN:VEVENT").count(), 2);
    let unfolded = text.replace("\r\n ", "");
    assert!(unfolded.contains(r"Größe übermäßig lang\, damit die Zeile gefaltet werden muß"), "{unfolded}");
}
