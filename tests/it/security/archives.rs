//! Archives and answers that claim, or unpack to, more than they are.

use std::io::{Cursor, Write};

use axum::body::Body;
use axum::http::Request;
use tidegauge::agent::verify_evidence;
use tidegauge::ask::{Ask, Failure, HttpAsk};
use tidegauge::evidence::archive::{FILES_MAX, unpack};
use tidegauge::protocol::{self, Kind};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::accounts::{Office, telemetry};
use crate::doors::far_side::{Says, plain_http, scripted};
use crate::doors::{carried, wire_to};

/// So many zeros by name, deflated to a thousandth.
fn bomb(name: &str, bytes: usize) -> Vec<u8> {
    deflated(name, (0..bytes >> 20).map(|_| vec![0; 1 << 20]))
}

/// An archive of one file of these parts.
fn deflated(name: &str, parts: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    archive.start_file(name, options).expect("a zip in memory");
    parts.for_each(|part| archive.write_all(&part).expect("a zip in memory"));
    archive.finish().expect("a zip in memory").into_inner()
}

/// A stored file's header that says what it likes of lengths.
fn claiming(length: u32, name_length: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0".to_vec();
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(name_length.to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(content);
    bytes
}

#[test]
fn an_archive_is_never_unpacked_to_more_than_its_bytes() {
    let bomb = bomb("about.json", 64 << 20);
    assert!(bomb.len() < 1 << 20);
    if let Ok(unpacked) = unpack(&bomb) {
        let held: usize = unpacked.files.values().map(Vec::len).sum();
        assert!(held <= bomb.len(), "{held} bytes of {}", bomb.len());
    }
    assert!(verify_evidence(&bomb, None)["holds"] == false);
    for (length, name_length, said) in [(u32::MAX, 1, "it ends inside"), (u32::MAX, u16::MAX, "it ends inside")] {
        let why = unpack(&claiming(length, name_length, b"a")).map(|_| ()).expect_err("it claims what is not there");
        assert!(why.contains(said) && !why.contains('\n'), "{why}");
    }
    let long = unpack(&claiming(0, 300, &[b'a'; 300])).map(|_| ()).expect_err("a long name");
    assert!(long.contains("a name that no evidence has"), "{long}");
}

#[test]
fn an_archive_of_more_files_than_any_month_has_is_refused() {
    let many: Vec<u8> = (0..=FILES_MAX).flat_map(|n| claiming(0, 5, format!("{n:05}").as_bytes())).collect();
    let why = unpack(&many).map(|_| ()).expect_err("too many files");
    assert_eq!(why, format!("it holds more than {FILES_MAX} files"));
}

#[test]
fn evidence_inside_evidence_is_a_file_like_any_other() {
    let inner = bomb("inner", 8 << 20);
    let mut outer = claiming(u32::try_from(inner.len()).expect("small"), 9, b"inner.zip");
    outer.extend(&inner);
    let verdict = verify_evidence(&outer, None);
    assert_eq!(verdict["holds"], false);
    let findings = verdict["findings"].as_array().expect("a list");
    let says = findings.iter().filter_map(|finding| finding["says"].as_str());
    assert!(says.clone().count() > 0 && says.clone().all(|says| !says.contains('\n') && says.len() < 1_000));
}

/// The first file of an archive, framed as gzip instead.
fn gzipped(archive: &[u8]) -> Vec<u8> {
    let two = |from: usize| usize::from(u16::from_le_bytes([archive[from], archive[from + 1]]));
    let from = 30 + two(26) + two(28);
    let end = archive.windows(4).rposition(|four| four == b"PK\x01\x02").expect("a directory");
    let (sum, length) = (&archive[14..18], &archive[22..26]);
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff], &archive[from..end], sum, length].concat()
}

#[tokio::test]
async fn a_packed_answer_is_cut_at_the_limit_of_what_it_unpacks_to() {
    let packed = gzipped(&bomb("a", 64 << 20));
    assert!(packed.len() < 200_000, "{}", packed.len());
    let mut says = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        packed.len()
    )
    .into_bytes();
    says.extend(packed);
    let wire = wire_to("vbr01", plain_http(scripted(Says::Then(says)).await));
    let ask = HttpAsk { bytes_max: 1 << 20, ..HttpAsk::get("vbr01", "/") };
    let failure = carried(&wire, Ask::Http(ask)).await.map(|_| ()).expect_err("64 MiB are too many");
    assert_eq!(failure, Failure::TooLarge { bytes_max: 1 << 20 });
}

#[test]
fn the_license_server_unpacks_nothing_that_it_is_sent() {
    let office = Office::enrolled();
    office.now("2026-11-02T06:00:00Z");
    let sealed = protocol::signed(&telemetry("2026-W43", "2026-10-20", 40), &office.agent).into_bytes();
    let packed = gzipped(&deflated("a", std::iter::once(sealed.clone())));
    for body in [packed, gzipped(&bomb("a", 32 << 20))] {
        let request = Request::post(Kind::Telemetry.path()).header("content-encoding", "gzip");
        let (status, answer) = office.request(request.body(Body::from(body)).expect("a request"));
        assert!([400, 415].contains(&status), "{status} {}", String::from_utf8_lossy(&answer));
        assert!(office.server.state().messages.is_empty(), "nothing is on file");
    }
    assert_eq!(office.post(Kind::Telemetry.path(), sealed).0, 200, "unpacked it is taken");
}
