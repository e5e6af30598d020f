//! The snapshot file: what is read, what is refused and how that is said.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use tidegauge::domain::Points;
use tidegauge::domain::license::LicenseType;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::sources::snapshot_file::{parse, to_json};

use super::driver::at;

const WHOLE: &str = r#"{"schema":"tidegauge.usage-snapshot/1","taken_at":"2026-10-31T23:00:00Z","server":"vbr01",
 "license":{"license_id":"L-1","type":"Rental","product":"VBR","edition":"EnterprisePlus","package":null,"cloud_connect":false,"licensed_to":"Example Provider","support_id":"01234567","installation_id":"I-1","licensed_points":"2000","used_points":null,"new_points":null,"expires_on":"2027-01-31","support_expires_on":null,"auto_update":true},
 "workloads":[{"id":"b","name":"sql01","type":"VM","platform":"VMware","tenant":null,"job":"Daily","host":"vcenter01",
   "points":"11","first_processed_at":"2026-03-02T01:00:00Z","last_restore_point_at":"2026-10-31T01:00:00Z","rental":false},
  {"id":"a","name":"mars","type":"MarsRover","points":7.5}],
 "counts":[{"tenant":"Tenant A","type":"CloudConnectVM","weight":5,"used":"20","new":2,"rental":1}]}"#;

fn read(json: &str) -> Result<Vec<Sample>, String> {
    parse("usage.json", json.as_bytes(), at("2026-10-31T23:10:00Z")).map_err(|why| why.to_string())
}

fn check_refused(json: &str, expected: Expect) {
    expected.assert_eq(&read(json).expect_err("this file is wrong"));
}

/// A snapshot with these fields in place of workloads.
fn with(fields: &str) -> String {
    format!(r#"{{"taken_at":"2026-10-31T23:00:00Z","server":"vbr01",{fields}}}"#)
}

#[test]
fn the_example_of_the_design_is_read() {
    let samples = read(WHOLE).expect("the example is right");
    let [sample] = samples.as_slice() else { panic!("one object is one sample") };
    assert_eq!(sample.taken_at, at("2026-10-31T23:00:00Z"));
    assert_eq!(sample.license.kind, LicenseType::Rental);
    assert_eq!(sample.license.licensed_points, Some(Points::whole(2000)));
    assert!(!sample.vouched);
    let [rover, sql] = sample.workloads.iter().collect::<Vec<_>>()[..] else { panic!("two workloads") };
    assert_eq!((rover.id.as_str(), rover.kind.clone()), ("a", WorkloadType::Other("MarsRover".to_owned())));
    assert_eq!(rover.points.map(|points| points.to_string()), Some("7.5".to_owned()));
    assert_eq!(rover.last_restore_point_at, None);
    assert_eq!(sql.first_processed_at, Some(at("2026-03-02T01:00:00Z")));
    assert_eq!((sample.counts[0].used, sample.counts[0].new, sample.counts[0].rental), (20, 2, 1));
}

#[test]
fn what_is_written_is_read_back() {
    let samples = read(WHOLE).expect("the example is right");
    assert_eq!(read(&to_json(&samples[0]).to_string()), Ok(samples));
}

#[test]
fn sockets_terabytes_and_gifted_instances_of_a_key_are_read_and_written_back() {
    let block = r#""license":{"type":"Perpetual",
        "sockets":{"licensed":8,"used":"6","support_expires_on":"2027-01-31"},
        "capacity":{"licensed_tb":"10","used_tb":1.5,"used_tb_by_type":{"FileShare":1.5},"expires_on":"2027-03-31"},
        "gifted":{"instances":6}},"workloads":[]"#;
    let samples = read(&with(block)).expect("three sections");
    let sections = &samples[0].license.sections;
    let sockets = sections.sockets.clone().unwrap();
    assert_eq!((sockets.licensed, sockets.used, sockets.remaining), (8, 6, 2), "what is left follows");
    let capacity = sections.capacity.clone().unwrap();
    assert_eq!((capacity.licensed_tb.to_string(), capacity.used_tb.to_string()), ("10".into(), "1.5".into()));
    assert_eq!(sections.gifted.clone().unwrap().instances, Points::whole(6));
    assert_eq!(read(&to_json(&samples[0]).to_string()), Ok(samples));
    let none = with(r#""license":{"sockets":null,"capacity":{"licensed_tb":0,"used_tb":0}},"workloads":[]"#);
    assert!(read(&none).expect("no terabytes are licensed")[0].license.sections.is_empty());
    check_refused(
        &with(r#""license":{"sockets":{"licensed":8}},"workloads":[]"#),
        expect!["usage.json line 1, license.sockets.used: is missing; correct the file and put it back"],
    );
    check_refused(
        &with(r#""license":{"capacity":{"licensed_tb":"much","used_tb":0}},"workloads":[]"#),
        expect![
            "usage.json line 1, license.capacity.licensed_tb: 'much' is not a decimal number; correct the file and put it back"
        ],
    );
}

#[test]
fn json_lines_give_one_sample_a_line() {
    let line = with(r#""workloads":[]"#);
    let samples = read(&format!("{line}\n{line}\r\n\n{line}")).expect("three lines");
    assert_eq!(samples.len(), 3);
}

#[test]
fn a_byte_order_mark_is_accepted() {
    assert_eq!(read(&format!("\u{feff}{WHOLE}")).map(|samples| samples.len()), Ok(1));
}

#[test]
fn a_wrong_points_value_is_refused_with_file_line_and_field() {
    check_refused(
        &WHOLE.replace("7.5", "\"-7.5\""),
        expect![
            "usage.json line 5, workloads[1].points: -7.5 is negative; points are never negative; correct the file and put it back"
        ],
    );
    check_refused(
        &WHOLE.replace("7.5", "1e300"),
        expect![
            "usage.json line 5, workloads[1].points: '1e+300' is not a decimal number; correct the file and put it back"
        ],
    );
    check_refused(
        &WHOLE.replace("7.5", "99999999999999"),
        expect![
            "usage.json line 5, workloads[1].points: 99999999999999 is larger than any provider's points (limit 1000000000); correct the file and put it back"
        ],
    );
}

#[test]
fn an_id_that_stands_twice_is_refused() {
    check_refused(
        &WHOLE.replace("\"id\":\"a\"", "\"id\":\"b\""),
        expect![
            "usage.json line 5, workloads[1].id: 'b' stands twice; every workload has its own id; correct the file and put it back"
        ],
    );
}

#[test]
fn a_tenant_and_type_in_both_lists_is_refused() {
    check_refused(
        &with(
            "\"workloads\":[{\"id\":\"a\",\"type\":\"VM\",\"tenant\":\"T\"}],\n\"counts\":[{\"type\":\"VM\",\"tenant\":\"T\",\"used\":1}]",
        ),
        expect![
            "usage.json line 2, counts[0]: VM of 'T' stand in workloads too; name or count them, not both; correct the file and put it back"
        ],
    );
}

#[test]
fn an_instant_ahead_of_the_clock_is_refused() {
    check_refused(
        &WHOLE.replace("2026-10-31T23:00:00Z", "2026-10-31T23:15:01Z"),
        expect![
            "usage.json line 1, taken_at: 2026-10-31T23:15:01Z is more than 5 minutes ahead of 2026-10-31T23:10:00Z; set the clock; correct the file and put it back"
        ],
    );
    assert!(read(&WHOLE.replace("2026-10-31T23:00:00Z", "2026-10-31T23:15:00Z")).is_ok());
}

#[test]
fn absurd_fields_are_refused() {
    check_refused(
        &with(r#""counts":[{"type":"VM","used":1.5}]"#),
        expect!["usage.json line 1, counts[0].used: 1.5 is not a whole number; correct the file and put it back"],
    );
    check_refused(
        &with(r#""counts":[{"type":"VM","used":40000000}]"#),
        expect![
            "usage.json line 1, counts[0].used: 40000000 is more machines than any provider has (limit 10000000); correct the file and put it back"
        ],
    );
    check_refused(
        &with(r#""workloads":[{"type":"VM"}]"#),
        expect!["usage.json line 1, workloads[0].id: is missing; correct the file and put it back"],
    );
    check_refused(
        &with(r#""workloads":[{"id":"a","type":"VM","last_restore_point_at":"yesterday"}]"#),
        expect![
            "usage.json line 1, workloads[0].last_restore_point_at: 'yesterday' is not an instant; write it as 2026-10-31T23:00:00Z; correct the file and put it back"
        ],
    );
    check_refused(
        &with(r#""workloads":{}"#),
        expect!["usage.json line 1, workloads: is an object, not a list; correct the file and put it back"],
    );
    check_refused(
        &with(r#""license":{"expires_on":"soon"},"counts":[]"#),
        expect![
            "usage.json line 1, license.expires_on: 'soon' is not a date; write it as 2027-01-31; correct the file and put it back"
        ],
    );
    check_refused(
        &with(r#""schema":"tidegauge.usage-snapshot/9","counts":[]"#),
        expect![
            "usage.json line 1, schema: 'tidegauge.usage-snapshot/9' is not tidegauge.usage-snapshot/1; correct the file and put it back"
        ],
    );
}

#[test]
fn saying_nothing_about_usage_is_not_zero() {
    check_refused(
        &with(r#""workloads":null"#),
        expect![
            "usage.json line 1, workloads: is missing, and counts too; an empty list says that nothing was used; correct the file and put it back"
        ],
    );
    assert!(read(&with(r#""workloads":[]"#)).is_ok());
}

#[test]
fn what_is_no_snapshot_is_refused_in_plain_words() {
    check_refused("", expect!["usage.json: is empty; write it under another ending and rename it when it is whole"]);
    check_refused(
        "<html>",
        expect!["usage.json line 1: is HTML or XML, not a usage snapshot; look at what the script was answered"],
    );
    check_refused(
        &WHOLE[..400],
        expect!["usage.json line 2: ends in the middle; write it under another ending and rename it when it is whole"],
    );
    check_refused(
        "{\"taken_at\": 2026-10}",
        expect!["usage.json line 1: is not JSON (expected `,` or `}`); correct the file and put it back"],
    );
    check_refused("[]", expect!["usage.json line 1: is a list, not an object; correct the file and put it back"]);
    let utf16: Vec<u8> = WHOLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let why = parse("usage.json", &utf16, at("2026-10-31T23:10:00Z")).expect_err("UTF-16").to_string();
    expect!["usage.json: is UTF-16 or holds zero bytes; write it as UTF-8"].assert_eq(&why);
    let why = parse("usage.json", b"{\n\"\xFF", at("2026-10-31T23:10:00Z")).expect_err("not UTF-8").to_string();
    expect!["usage.json line 2: is not UTF-8; write the file as UTF-8"].assert_eq(&why);
}

#[test]
fn a_file_cut_anywhere_is_refused_or_whole() {
    for cut in 0..WHOLE.len() {
        assert!(read(&WHOLE[..cut]).is_err(), "cut at byte {cut}");
    }
}

#[test]
fn deep_nesting_is_refused_not_a_crash() {
    assert!(read(&"[".repeat(100_000)).is_err());
    assert!(read(&format!("{}{}", "{\"a\":".repeat(100_000), "1")).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse("f", &bytes, at("2026-10-31T23:10:00Z"));
    }

    #[test]
    fn one_changed_byte_never_panics(position in 0..WHOLE.len(), byte in any::<u8>()) {
        let mut bytes = WHOLE.as_bytes().to_vec();
        bytes[position] = byte;
        if let Err(why) = parse("f", &bytes, at("2026-10-31T23:10:00Z")) {
            prop_assert!(why.line <= 7 && !why.to_string().contains('\n'));
        }
    }
}
