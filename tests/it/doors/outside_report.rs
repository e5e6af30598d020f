//! A real report for programs that somebody else wrote: its files for PDF tools, its mail for a mail server.
//! The scripts under `tests/outside` set the variables; without them these tests do nothing.

use std::path::Path;

use tidegauge::ask::{Answer, Ask, Failure, MailAsk};
use tidegauge::channels::{Attachment, Telling, mail};
use tidegauge::config::{Flags, Settings, Written};
use tidegauge::domain::notice::{News, Notice, Workdays};
use tidegauge::domain::report::UsageReport;
use tidegauge::doors::{Files, Wire};
use tidegauge::formats::typefaces::Typefaces;
use tidegauge::formats::{FORMATS, Format};
use tidegauge::ports::files::RealFiles;
use tidegauge::ports::wire::RealWire;
use tidegauge::rules::report_document::report_document;

use crate::formats::hard::hard_document;
use crate::formats::sample::{sample_report, sample_report_of};

fn written(report: &UsageReport, format: &Format) -> Vec<u8> {
    (format.write)(&report_document(report), &Typefaces::default()).into_owned()
}

/// Leaves a small and a long report in every format in the folder of `TIDEGAUGE_OUTSIDE_REPORTS`.
#[test]
fn reports_are_left_for_other_programs() {
    let Some(folder) = std::env::var_os("TIDEGAUGE_OUTSIDE_REPORTS") else { return };
    for (name, report) in [("small", sample_report()), ("long", sample_report_of(3_000))] {
        for format in &FORMATS {
            let path = Path::new(&folder).join(format!("{name}.{}", format.extension));
            RealFiles.write(&path, &written(&report, format)).expect("a writable folder");
        }
    }
}

/// Leaves the document with every script as a PDF, drawn also with the typeface of `TIDEGAUGE_OUTSIDE_TYPEFACE`.
#[test]
fn a_document_of_every_script_is_left_for_other_programs() {
    let Some(folder) = std::env::var_os("TIDEGAUGE_OUTSIDE_SCRIPTS") else { return };
    let typeface = std::env::var_os("TIDEGAUGE_OUTSIDE_TYPEFACE").expect("the script names a typeface");
    let file = std::fs::read(typeface).expect("the typeface is there");
    let typefaces = Typefaces { files: vec![file.into()] };
    let pdf = tidegauge::formats::by_extension("pdf").expect("it is in the table");
    for rows in [24, 600] {
        let path = Path::new(&folder).join(format!("scripts-{rows}.pdf"));
        RealFiles.write(&path, &(pdf.write)(&hard_document(rows), &typefaces)).expect("a writable folder");
    }
}

fn settings(login: &str) -> Settings {
    let text = format!(
        "[mail]\nhost = \"localhost\"\nport = {}\nca_file = \"{}\"\nusername = \"tidegauge\"\n\
         {login}\nfrom = \"Tidegauge <tidegauge@example.net>\"\nto = [\"licensing@example.net\"]\n",
        std::env::var("TIDEGAUGE_OUTSIDE_MAIL_PORT").expect("the script names the port"),
        std::env::var("TIDEGAUGE_OUTSIDE_MAIL_CA").expect("the script names the authority"),
    );
    Settings::read(Some(Written { name: "mail.toml", text: &text }), [], &Flags::default()).expect("good settings")
}

/// A report's letter; `more` goes with it, too.
async fn sent(settings: &Settings, to: &str, more: Option<Attachment>) -> Result<String, Failure> {
    let report = sample_report();
    let attachment = |format: &Format| Attachment {
        name: format!("report-2026-10-r1.{}", format.extension),
        media_type: format.media_type.to_owned(),
        bytes: written(&report, format),
    };
    let mailed = FORMATS.iter().filter(|format| ["pdf", "json"].contains(&format.extension));
    let id = if more.is_some() { "large" } else { "7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001" };
    let attachments: Vec<Attachment> = mailed.map(attachment).chain(more).collect();
    let notice = Notice {
        id: id.to_owned(),
        unit: Some(report.unit.clone()),
        at: report.generated_at,
        news: News::ReportReady {
            month: report.month,
            total: report.total_points,
            days_left: 10,
            automatic: true,
            late: false,
            workdays: Workdays::Enough,
            difference: None,
            discrepancies: Vec::new(),
        },
    };
    let to = [to.to_owned()];
    let from = &settings.mail.as_ref().expect("[mail] is there").from;
    let telling = Telling {
        from,
        to: &to,
        about: "Čapek & Söhne",
        files_at: "reports/2026-10",
        attachments: &attachments,
        time_zone: chrono_tz::Tz::UTC,
        attached_bytes_max: 10_000_000,
    };
    let letter = mail::mail(&notice, &telling, &to[0]).expect("the addresses are right");
    carried(settings, letter).await
}

async fn carried(settings: &Settings, letter: MailAsk) -> Result<String, Failure> {
    match RealWire::new(settings.peers()).carry(Ask::Mail(letter)).await {
        Answer::Mail(answer) => answer.end,
        Answer::Failed(failure) => Err(failure),
        Answer::Http(_) | Answer::Folder(_) => panic!("a mail ask has a mail answer"),
    }
}

/// Mails a report over STARTTLS with a login to the server at `TIDEGAUGE_OUTSIDE_MAIL_PORT`.
#[tokio::test]
async fn a_mail_server_that_somebody_else_wrote_takes_a_report() {
    if std::env::var_os("TIDEGAUGE_OUTSIDE_MAIL_PORT").is_none() {
        return;
    }
    let right = settings("password_env = \"TIDEGAUGE_OUTSIDE_MAIL_PASSWORD\"");
    let words = sent(&right, "licensing@example.net", None).await.expect("the server takes it");
    assert!(words.starts_with("250 "), "{words}");
    let large = Attachment { name: "large.bin".to_owned(), media_type: "x/y".to_owned(), bytes: vec![7; 3_000_000] };
    sent(&right, "licensing@example.net", Some(large)).await.expect("beyond the server's SIZE it goes without files");
    let unknown = sent(&right, "nobody@example.net", None).await.expect_err("no such user");
    assert!(matches!(&unknown, Failure::RefusedForGood { .. }), "{unknown}");
    let wrong = settings("password_env = \"TIDEGAUGE_OUTSIDE_MAIL_WRONG_PASSWORD\"");
    let wrong = sent(&wrong, "licensing@example.net", None).await.expect_err("the wrong password");
    assert!(matches!(&wrong, Failure::NotLetIn { why } if why.contains("535")), "{wrong}");
    let mut stranger = right.clone();
    stranger.mail.as_mut().expect("[mail] is there").server.trust = tidegauge::doors::peer::Trust::System;
    let stranger = sent(&stranger, "licensing@example.net", None).await.expect_err("nobody vouches for it");
    assert!(matches!(&stranger, Failure::Untrusted { .. }), "{stranger}");
}

/// Shows the same server an access token that holds, and one that has expired.
#[tokio::test]
async fn a_mail_server_that_somebody_else_wrote_takes_an_access_token() {
    let Some(folder) = std::env::var_os("TIDEGAUGE_OUTSIDE_MAIL_TOKENS") else { return };
    let by = |token: &str| {
        let file = Path::new(&folder).join(token);
        settings(&format!("auth = \"xoauth2\"\ntoken_file = \"{}\"", file.display()))
    };
    let letter = || {
        let at = sample_report().generated_at;
        mail::trial("Tidegauge <tidegauge@example.net>", "licensing@example.net", "access token", at)
            .expect("addresses")
    };
    let words = carried(&by("good"), letter()).await.expect("the token is good");
    assert!(words.starts_with("250 "), "{words}");
    let expired = carried(&by("expired"), letter()).await.expect_err("the token has expired");
    assert!(matches!(&expired, Failure::NotLetIn { why } if why.contains("535")), "{expired}");
}
