//! Samples, folders and settings at their limits.

use serde_json::{Value, json};
use tidegauge::ask::{Answer, Ask, FolderAnswer, FolderAsk, HttpAnswer, Setback, Step};
use tidegauge::config::{Flags, Settings, Written};
use tidegauge::domain::sample::Sample;
use tidegauge::sources::snapshot_file::{SNAPSHOTS_MAX, WORKLOADS_MAX, parse};
use tidegauge::sources::snapshot_folder::Gather;
use tidegauge::sources::vbr::VbrTalk;
use tidegauge::sources::{Brief, SourceSettings, Sweep};

use super::at;

const NOW: &str = "2026-11-20T10:00:00Z";

fn read(fields: Value) -> Result<Vec<Sample>, String> {
    let mut snapshot = json!({"taken_at": NOW, "server": "vbr01", "workloads": []});
    snapshot.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    parse("usage.json", snapshot.to_string().as_bytes(), at(NOW)).map_err(|refused| refused.to_string())
}

fn brief(server: &str) -> Brief {
    Brief {
        server: server.to_owned(),
        now: at(NOW),
        previous: None,
        sweep: Sweep::Full,
        settings: SourceSettings::default(),
        known: Vec::new(),
        remembered: Default::default(),
    }
}

/// One workload whose field is a text of so many bytes.
fn with_text(field: &str, bytes: usize) -> Value {
    let mut workload = json!({"id": "id-1", "type": "VM"});
    workload[field] = "x".repeat(bytes).into();
    json!({"workloads": [workload]})
}

#[test]
fn a_text_of_a_snapshot_has_at_most_4096_bytes_and_a_longer_one_is_named() {
    for field in ["id", "name", "tenant", "job", "host", "platform", "type"] {
        assert!(read(with_text(field, 4096)).is_ok(), "{field}");
        let refused = read(with_text(field, 4097)).unwrap_err();
        let named = format!("usage.json line 1, workloads[0].{field}: is longer than 4096 bytes");
        assert!(refused.starts_with(&named), "{refused}");
    }
}

#[test]
fn a_snapshot_names_at_most_half_a_million_workloads_and_so_many_counts() {
    for list in ["workloads", "counts"] {
        let refused = read(json!({ list: vec![0; WORKLOADS_MAX + 1] })).unwrap_err();
        assert!(refused.contains(&format!("{list}: has more than 500000 items")), "{refused}");
        // As many are looked at one by one.
        let refused = read(json!({ list: vec![0; WORKLOADS_MAX] })).unwrap_err();
        assert!(refused.contains(&format!("{list}[0]: is a number, not an object")), "{refused}");
    }
}

#[test]
fn two_hundred_thousand_workloads_are_one_sample() {
    let workload = |n: u32| json!({"id": format!("{n:06}"), "type": "VM", "points": "11"});
    let samples = read(json!({"workloads": (0..200_000).map(workload).collect::<Vec<_>>()})).unwrap();
    assert_eq!(samples[0].workloads.len(), 200_000);
}

#[test]
fn a_file_of_too_many_snapshots_is_refused_whole() {
    let lines = |count: usize| {
        let line = |n: usize| format!(r#"{{"taken_at":"2020-01-01T00:00:00Z","server":"s{n}","workloads":[]}}"#);
        (0..count).map(line).collect::<Vec<_>>().join("\n")
    };
    let taken = parse("usage.jsonl", lines(SNAPSHOTS_MAX).as_bytes(), at(NOW)).unwrap();
    assert_eq!(taken.len(), SNAPSHOTS_MAX);
    let refused = parse("usage.jsonl", lines(SNAPSHOTS_MAX + 1).as_bytes(), at(NOW)).unwrap_err().to_string();
    assert!(refused.contains("more than 17568 snapshots; split the file"), "{refused}");
}

#[test]
fn points_are_at_most_a_milliard_with_nine_digits_and_counts_ten_million() {
    let stating = |points: &str| read(json!({"workloads": [{"id": "a", "type": "VM", "points": points}]}));
    assert!(stating("1000000000").is_ok() && stating("0.000000001").is_ok());
    assert!(stating("1000000001").unwrap_err().contains("is larger than any provider's points (limit 1000000000)"));
    assert!(stating("0.0000000001").unwrap_err().contains("has more than 9 digits after the point"));
    let counting = |used: u32| read(json!({"counts": [{"type": "CloudConnectVM", "used": used}]}));
    assert!(counting(10_000_000).is_ok());
    let refused = counting(10_000_001).unwrap_err();
    assert!(
        refused.contains("counts[0].used: 10000001 is more machines than any provider has (limit 10000000)"),
        "{refused}"
    );
}

#[test]
fn a_sample_states_at_most_so_many_points_that_every_sum_of_them_can_be_read_again() {
    let of = |weight: &str| {
        let count =
            |n: u32| json!({"tenant": format!("T{n}"), "type": "CloudConnectVM", "used": 10_000_000, "weight": weight});
        read(json!({"counts": (0..10).map(count).collect::<Vec<_>>()}))
    };
    assert!(of("10000000").is_ok(), "10^15 in all");
    let refused = of("10000000.1").unwrap_err();
    assert!(refused.contains("1000000010000000 points in all are more than any provider has"), "{refused}");
}

/// What a folder source says of these names; the files themselves are no snapshots.
fn of_folder(names: Vec<String>) -> (Option<usize>, Result<usize, Setback>) {
    let (mut talk, mut heard, mut asked_for) = (Gather::new(brief("vbr01")), None, None);
    for _ in 0..5_000 {
        match tidegauge::ask::Conversation::next(&mut talk, heard.take()) {
            Step::Ask(Ask::Folder(FolderAsk::List { entries_max, .. })) => {
                asked_for = Some(entries_max);
                heard = Some(Answer::Folder(FolderAnswer::Listed(names.iter().take(entries_max).cloned().collect())));
            }
            Step::Ask(Ask::Folder(FolderAsk::Read { .. })) => {
                heard = Some(Answer::Folder(FolderAnswer::Bytes(b"no snapshot".to_vec())));
            }
            Step::Ask(_) => heard = Some(Answer::Folder(FolderAnswer::Done)),
            Step::Done(collected) => return (asked_for, Ok(collected.rejected.len())),
            Step::Setback(setback) => return (asked_for, Err(setback)),
        }
    }
    panic!("it does not end");
}

#[test]
fn a_folder_full_of_other_files_says_so_and_hides_no_snapshot_silently() {
    let others = |count: u32| (0..count).map(|n| format!("a{n:05}.txt")).collect::<Vec<_>>();
    assert_eq!(of_folder(others(10_000)).1, Ok(0), "none is there, and the agent says so");
    let (_, refused) = of_folder(others(10_001));
    let Err(Setback::AskAPerson { why }) = refused else { panic!("{refused:?}") };
    assert!(
        why.starts_with("vbr01: its folder holds more than 10000 files, and no snapshot is among the first"),
        "{why}"
    );
    let snapshots = (0..700).map(|n| format!("{n:04}.json")).collect();
    assert_eq!(of_folder(snapshots).1, Ok(500), "the rest waits for the next round");
}

/// What a VBR server's list becomes: so many rows in one page, the first with this name.
fn of_vbr(rows: usize, name: &str) -> Result<Sample, String> {
    of_vbr_in_pages(rows, rows, name)
}

/// The same with at most so many rows in a page.
fn of_vbr_in_pages(rows: usize, in_page: usize, name: &str) -> Result<Sample, String> {
    let row =
        |n: usize| json!({"instanceId": format!("{n:07}"), "name": if n == 0 { name } else { "n" }, "type": "VM"});
    let page = |path: &str| {
        let skip = path.split(['?', '&']).find_map(|part| part.strip_prefix("skip=")?.parse::<usize>().ok());
        let from = skip.unwrap_or_default();
        let data: Vec<_> = (from..rows.min(from + in_page)).map(row).collect();
        json!({"data": data, "pagination": {"total": rows}}).to_string()
    };
    let (mut talk, mut heard) = (VbrTalk::new(brief("vbr01")), None);
    // Up to two hundred oldest restore points are asked for beside the rest.
    for _ in 0..300 {
        match tidegauge::ask::Conversation::next(&mut talk, heard.take()) {
            Step::Ask(Ask::Http(ask)) => {
                let path = ask.path.split('?').next().unwrap_or_default().to_owned();
                let body = match path.as_str() {
                    "/api/oauth2/token" => r#"{"access_token":"a","refresh_token":"r","expires_in":900}"#.to_owned(),
                    "/api/v1/license/instances" => page(&ask.path),
                    "/api/v1/restorePoints" => r#"{"data":[],"pagination":{"total":0}}"#.to_owned(),
                    _ => "{}".to_owned(),
                };
                let headers = vec![("date".to_owned(), "Fri, 20 Nov 2026 10:00:00 GMT".to_owned())];
                heard = Some(Answer::Http(HttpAnswer { status: 200, headers, body: body.into_bytes() }));
            }
            Step::Ask(other) => panic!("{other:?}"),
            Step::Done(mut collected) => return Ok(collected.samples.remove(0)),
            Step::Setback(setback) => return Err(setback.why().to_owned()),
        }
    }
    panic!("it does not end");
}

#[test]
fn a_server_that_lists_more_than_half_a_million_workloads_is_missed_and_named() {
    let refused = of_vbr(WORKLOADS_MAX + 1, "n").unwrap_err();
    assert!(refused.contains("vbr01") && refused.contains("it names more than 500000 workloads"), "{refused}");
}

#[test]
fn a_server_that_lists_half_a_million_workloads_in_pages_is_sampled() {
    // Each page begins with the last row of the one before it.
    let sample = of_vbr_in_pages(WORKLOADS_MAX, WORKLOADS_MAX / 2 + 1, "n").expect("as many as there may be");
    assert_eq!(sample.workloads.len(), WORKLOADS_MAX);
}

#[test]
fn a_name_that_a_server_states_endlessly_is_kept_to_4096_bytes() {
    let kept = |bytes: usize| of_vbr(1, &"é".repeat(bytes / 2)).unwrap().workloads[0].name.clone();
    assert_eq!(kept(4096), "é".repeat(2048));
    assert_eq!(kept(4098), format!("{}…", "é".repeat(2048)));
}

/// Settings with so many servers, the first of this name.
fn settings(count: usize, first: &str) -> Result<Settings, String> {
    let server = |n: usize| {
        let name = if n == 0 { first.to_owned() } else { format!("vbr{n:04}") };
        format!("[[server]]\nname = \"{name}\"\nsource = \"snapshot_folder\"\npath = \"/srv/{n}\"\n")
    };
    let text: String = (0..count).map(server).collect();
    let written = Written { name: "t.toml", text: &text };
    Settings::read(Some(written), [], &Flags::default()).map_err(|refused| refused.to_string())
}

#[test]
fn a_thousand_servers_stand_in_one_file_and_their_names_have_64_signs() {
    assert_eq!(settings(1_000, &"n".repeat(64)).unwrap().servers.len(), 1_000);
    let refused = settings(1_001, "n").unwrap_err();
    assert!(refused.contains("1001 servers") && refused.contains("at most 1000 in one file"), "{refused}");
    let refused = settings(1, &"n".repeat(65)).unwrap_err();
    assert!(refused.contains("64"), "{refused}");
}
