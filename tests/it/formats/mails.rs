//! Mails to the byte: headers, text and HTML, files, recipients.

use expect_test::expect;
use tidegauge::ask::{Ask, MailAsk};
use tidegauge::channels::{Attachment, CHANNELS, Telling, channel_of, mail};
use tidegauge::domain::notice::News;

use super::letters::{all_news, check, loss, notice, october, ready, sent, telling};
use super::sample::at;

/// What the mail holds as `text/plain` or `text/html`, as it was written.
pub(super) fn content(mail: &str, kind: &str) -> String {
    let (_, from) = mail.split_once(&format!("Content-Type: {kind}; charset=utf-8\r\n")).expect("the mail holds it");
    let (head, body) = from.split_once("\r\n\r\n").expect("an empty line ends the header");
    let (body, _) = body.split_once("\r\n--tidegauge-").expect("a boundary ends it");
    let body = body.replace("\r\n", "\n");
    if !head.contains("quoted-printable") {
        return body;
    }
    let mut bytes = Vec::new();
    let mut pieces = body.replace("=\n", "").into_bytes().into_iter();
    while let Some(byte) = pieces.next() {
        let digits = [b'0'; 2].map(|_| if byte == b'=' { pieces.next().unwrap_or(b'0') } else { b'0' });
        let code = || u8::from_str_radix(std::str::from_utf8(&digits).expect("ASCII"), 16).expect("two digits");
        bytes.push(if byte == b'=' { code() } else { byte });
    }
    String::from_utf8(bytes).expect("UTF-8")
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
        &mail.replace("\r\n", "\n").replace(&page(&mail), "(the page)\n"),
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
            Content-Type: multipart/mixed; boundary="tidegauge-mixed-24e489e725b0954f"

            --tidegauge-mixed-24e489e725b0954f
            Content-Type: multipart/alternative;
             boundary="tidegauge-alternative-24e489e725b0954f"

            --tidegauge-alternative-24e489e725b0954f
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 7bit

            The report of 2026-10 and the high watermark agree within the tolerance.
            License updates are asked for again.

            -- 
            Tidegauge, Example Provider, vbr01 and vbr02
            gate.opened | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001
            --tidegauge-alternative-24e489e725b0954f
            Content-Type: text/html; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            (the page)
            --tidegauge-alternative-24e489e725b0954f--
            --tidegauge-mixed-24e489e725b0954f
            Content-Disposition: attachment; filename="4b7c1f0e-r1.csv"
            Content-Type: text/csv; charset=utf-8
            Content-Transfer-Encoding: base64

            c2VydmVyLHBvaW50cw0KdmJyMDEsNzcNCg==
            --tidegauge-mixed-24e489e725b0954f--
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
        ];
        let names = names.into_iter().filter(|name| !["In-Reply-To", "References"].contains(name)).collect::<Vec<_>>();
        assert_eq!(names, expected, "in {mail}");
        assert!(body.len() < 16_000, "a long foreign text is cut");
        assert!(mail.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])), "{mail:?}");
        subjects.push(header.split("\r\n").find(|line| line.starts_with("Subject:")).expect("a subject").to_owned());
    }
    let all = subjects.len();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), all, "two kinds of news share a subject");
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
    let files = [file("huge.pdf", 10_000_001), file("small\r\n\"x.json", 10)];
    let mail = sent(ready(10, true, false), &files).replace("=\r\n", "");
    assert!(mail.len() < 16_000, "the huge file stays out");
    assert!(mail.contains("Too large to attach: huge.pdf. It lies in /var/lib/tidegauge/reports/2026-10."), "{mail}");
    assert!(mail.contains("filename=\"small___x.json\""), "{mail}");
}

#[test]
fn every_letter_says_the_same_as_text_and_as_html_without_anything_from_elsewhere() {
    for news in all_news() {
        let mail = sent(news, &[]);
        let (text, html) = (content(&mail, "text/plain"), content(&mail, "text/html"));
        assert!(mail.contains("Content-Type: multipart/alternative;"), "{mail}");
        let (from_text, from_html) = (words(&text), words(&bare(&html)));
        let missing: Vec<&String> = from_text.iter().filter(|word| !from_html.contains(word)).collect();
        assert!(missing.is_empty(), "{missing:?} is in the text and not in\n{html}");
        for forbidden in ["http://", "https://", "src=", "url(", "<img", "<script", "<link", "href", "@import"] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 100 || line.len() > 400), "{text}");
    }
}

/// The page as it stands in the mail.
fn page(mail: &str) -> String {
    let mail = mail.replace("\r\n", "\n");
    let begin = mail.find("<!doctype html>").expect("the mail has a page");
    let end = begin + mail[begin..].find("--tidegauge-").expect("a boundary ends it");
    mail[begin..end].to_owned()
}

/// Words of letters and digits.
fn words(text: &str) -> Vec<String> {
    text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The page as it is read.
fn bare(html: &str) -> String {
    let (_, body) = html.split_once("<body").expect("a page has a body");
    let mut text = String::new();
    for piece in body.split('<') {
        text.push_str(piece.split_once('>').map_or("", |(_, text)| text));
        text.push(' ');
    }
    text
}

#[test]
fn foreign_text_is_escaped_and_turns_no_direction() {
    let server = "<b onload='x'>&amp; \u{202e}gnp\u{2066} שלום".to_owned();
    let why = "\"tidegauge <i>\" </p><script>alert(1)</script>".to_owned();
    let mail = sent(News::SourceLost { server, why }, &[]);
    let html = content(&mail, "text/html");
    assert!(!html.contains("<b") || html.contains("<body"), "{html}");
    assert!(!html.contains("<script") && !html.contains("<i>") && !html.contains("<b onload"), "{html}");
    assert!(html.contains("&#60;b onload=&#39;x&#39;&#62;&#38;amp; gnp שלום"), "{html}");
    assert!(!html.contains(['\u{202e}', '\u{2066}']));
    let text = content(&mail, "text/plain");
    assert!(text.contains("<b onload='x'>&amp; gnp שלום could not be sampled"), "{text}");
}

#[test]
fn files_count_as_they_are_sent_and_the_same_mail_stands_by_without_them() {
    let file = |bytes: usize| Attachment {
        name: "report.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes: vec![7; bytes],
    };
    let to = ["licensing@example.net".to_owned()];
    // 57 bytes are one line of base64: 76 signs and a line end.
    let with = |bytes: usize, max: usize| {
        let files = [file(bytes)];
        let telling = Telling { attached_bytes_max: max, ..telling(&to, &files) };
        mail::mail(&notice(ready(10, true, false)), &telling, &to[0]).expect("the addresses are right")
    };
    let has_file = |message: &[u8]| String::from_utf8_lossy(message).contains("filename=\"report.pdf\"");
    assert!(has_file(&with(570, 780).message));
    assert!(!has_file(&with(570, 779).message), "ten lines of 78 bytes do not fit into 779");
    let MailAsk { message, without_files, .. } = with(570, 780);
    let without = without_files.expect("there is a file to leave out");
    assert!(!has_file(&without));
    let line = |message: &[u8]| {
        let message = String::from_utf8_lossy(message).into_owned();
        message.lines().find(|line| line.starts_with("Message-ID")).map(str::to_owned)
    };
    assert_eq!(line(&message), line(&without), "it is the same mail");
    let text = content(&String::from_utf8_lossy(&without), "text/plain");
    assert!(text.contains("Too large to attach: report.pdf. It lies in"), "{text}");
    assert_eq!(with(570, 0).without_files, None, "nothing can be left out");
}

#[test]
fn the_end_of_a_loss_answers_the_mail_that_told_it() {
    let news = News::SourceRecovered { server: "vbr01".to_owned(), missed_samples: 3, loss: Some(loss("silent")) };
    let mail = sent(news, &[]).replace("\r\n ", " ");
    for header in ["In-Reply-To", "References"] {
        let line = format!("{header}: <0f8fad5b-d9cb-569f-a165-70867728950e.31157ceaf9b68d3c@tidegauge>\r\n");
        assert!(mail.contains(&line), "{mail}");
    }
}

#[test]
fn a_recipient_says_its_channel_and_an_address_is_one_of_mail() {
    for channel in &CHANNELS {
        assert_eq!(channel_of(&format!("{}:x", channel.name)).name, channel.name);
    }
    for address in ["licensing@example.net", "Bé <b@example.net>", "mail@example.net", ""] {
        assert_eq!(channel_of(address).name, "mail");
    }
}

#[test]
fn the_letter_of_mail_test_is_a_letter_like_any_other() {
    let from = "Tidegauge <tidegauge@example.net>";
    let mail = mail::trial(from, "b@example.net", "by smtp.example.net:587", at("2026-11-01T00:00:00Z"));
    let mail = String::from_utf8(mail.expect("the addresses are right").message).expect("ASCII");
    check(
        &content(&mail, "text/plain"),
        expect![[r#"
        This letter was sent by "tidegauge mail test". It arrived, so the settings are
        right.

        Sent by: by smtp.example.net:587

        -- 
        Tidegauge
        mail.test | 2026-11-01 00:00 GMT | mail-test-1793491200"#]],
    );
    assert!(content(&mail, "text/html").contains("<h1"), "{mail}");
    assert!(mail.contains("Subject: Tidegauge can send mail\r\n"), "{mail}");
}

/// Leaves every letter as a page and as a text in the folder of `TIDEGAUGE_OUTSIDE_LETTERS`, to be looked at.
#[test]
fn letters_are_left_for_other_programs() {
    let Some(folder) = std::env::var_os("TIDEGAUGE_OUTSIDE_LETTERS") else { return };
    for news in all_news() {
        let (event, mail) = (news.event(), sent(news, &[]));
        for (kind, extension) in [("text/html", "html"), ("text/plain", "txt")] {
            let path = std::path::Path::new(&folder).join(format!("{event}.{extension}"));
            std::fs::write(path, content(&mail, kind)).expect("a writable folder");
        }
    }
}

#[test]
fn the_foot_shows_the_hour_in_the_zone_of_the_settings_beside_gmt() {
    let to = ["licensing@example.net".to_owned()];
    let of = |time_zone| {
        let telling = Telling { time_zone, ..telling(&to, &[]) };
        let mail = mail::mail(&notice(ready(10, true, false)), &telling, &to[0]).expect("the addresses are right");
        let mail = String::from_utf8(mail.message).expect("ASCII");
        [content(&mail, "text/plain"), content(&mail, "text/html")]
    };
    for drawn in of(chrono_tz::Europe::Prague) {
        assert!(drawn.contains("| 2026-11-01 00:00 GMT (2026-11-01 01:00 Europe/Prague) |"), "{drawn}");
    }
    for drawn in of(chrono_tz::Tz::Etc__UTC) {
        assert!(drawn.contains("| 2026-11-01 00:00 GMT |"), "{drawn}");
    }
}
