//! What `--json` prints has the shapes of design.md section 9.

use serde_json::{Value, json};

use super::{Shell, installation, names, snapshot};

/// Every named field is there; more may be.
fn check(value: &Value, fields: &str) {
    let missing: Vec<&str> = fields.split(' ').filter(|field| !names(value).contains(field)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "missing in {value:#}");
}

#[test]
fn an_imported_sample_is_usage() {
    let shell = Shell::with_october();
    let usage = shell.json(&["usage", "--now", "2025-10-31T23:30:00Z"]);
    check(&usage, "schema unit as_of points new_points rental_count groups");
    assert_eq!(usage["schema"], "tidegauge.usage/1");
    assert_eq!(usage["unit"], installation("vbr01"));
    assert_eq!(usage["as_of"], "2025-10-31T23:00:00Z");
    // Three machines of 11 points, four of the tenant's of 5.
    assert_eq!(usage["points"], "53");
    check(&usage["groups"][0], "key count points new_count new_points rental_count");
    let keys = |by: &str| -> Vec<String> {
        let usage = shell.json(&["usage", "--by", by, "--month", "2025-10"]);
        let groups = usage["groups"].as_array().expect("groups are a list");
        groups.iter().map(|group| group["key"].as_str().expect("a key is text").to_owned()).collect()
    };
    assert_eq!(keys("type"), ["CloudConnectVM", "VM"]);
    assert_eq!(keys("server"), ["vbr01"]);
    assert_eq!(keys("tenant"), ["(none)", "Tenant A"]);
    assert_eq!(keys("workload").len(), 4);
}

#[test]
fn what_is_coming_is_forecast_and_kept_as_a_calendar() {
    let shell = Shell::with_october();
    let usage = shell.json(&["usage", "forecast", "--now", "2025-10-31T23:30:00Z"]);
    check(
        &usage,
        "schema unit as_of month points new_points first report_points points_on_first starting aging_out stale",
    );
    assert_eq!((&usage["schema"], &usage["points"]), (&json!("tidegauge.usage-forecast/1"), &json!("53")));
    assert_eq!(usage["first"], "2025-11-01T00:00:00Z");
    let now = ["--now", "2025-10-31T23:30:00Z"];
    let license = shell.json(&[&["license", "forecast"], &now[..]].concat());
    check(&license, "schema unit points report_points points_on_first gate open_reports until calendar");
    assert_eq!(license["schema"], "tidegauge.license-forecast/1");
    check(&license["gate"], "schema verdict highest_watermark reported shortfall tolerance");
    check(&license["calendar"][0], "at last_day kind month what why");
    assert_eq!(license["calendar"][0]["kind"], "report_built");
    let file = shell.path("t.ics").display().to_string();
    let ran = shell.run(&[&["license", "forecast", "--ics", &file], &now[..]].concat());
    assert_eq!((ran.code, ran.err.contains("entries written to")), (0, true), "{}", ran.err);
    assert!(ran.out.contains("Usage report of 2025-10 is built"), "{}", ran.out);
    let written = std::fs::read_to_string(&file).expect("it was written");
    assert!(
        written.starts_with("BEGIN:VCALENDAR\r\n") && written.contains("DTSTAMP:20251031T233000Z\r\n"),
        "{written}"
    );
    let help = shell.run(&["usage", "forecast", "--month", "2025-10"]);
    assert_eq!(help.code, 2, "a forecast is of the running month");
}

#[test]
fn a_week_and_a_month_have_watermarks() {
    let shell = Shell::with_october();
    for (period, line) in [
        ("2025-W44", ["watermark", "--week", "2025-W44", "--now", "2025-11-03"]),
        ("2025-10", ["watermark", "--month", "2025-10", "--now", "2025-11-03"]),
    ] {
        let mark = shell.json(&line);
        check(&mark, "schema unit period from to points at by_type coverage daily");
        assert_eq!(mark["schema"], "tidegauge.watermark/1");
        assert_eq!(mark["period"], period);
        assert_eq!(mark["points"], "53");
        assert_eq!(mark["at"], "2025-10-31T23:00:00Z");
        assert_eq!(mark["by_type"], json!({"CloudConnectVM": "20", "VM": "33"}));
        check(&mark["coverage"], "expected complete");
        check(&mark["daily"][0], "day points at expected complete");
    }
}

#[test]
fn marks_are_counted_again_from_the_journal_and_what_is_not_so_is_named() {
    let shell = Shell::with_october();
    let proof = shell.json(&["watermark", "--from-journal"]);
    check(&proof, "schema holds entries head samples thinned_samples days marks differing differences units");
    assert_eq!((&proof["schema"], &proof["holds"]), (&json!("tidegauge.watermark-proof/1"), &json!(true)));
    let week = &proof["units"][0]["periods"][0];
    let (points, at) = (json!("53"), json!("2025-10-31T23:00:00Z"));
    assert_eq!((&week["period"], &week["points"], &week["at"]), (&json!("2025-W44"), &points, &at));
    let groups = json!([
        {"tenant": null, "type": "VM", "points": "33"},
        {"tenant": "Tenant A", "type": "CloudConnectVM", "points": "20"},
    ]);
    for period in [["--week", "2025-W44"], ["--month", "2025-10"]] {
        let proof = shell.json(&[&["watermark", "--from-journal"][..], &period].concat());
        assert_eq!(proof["units"][0]["groups"], groups, "{proof:#}");
        assert_eq!(proof["units"][0]["periods"][0]["period"], period[1]);
    }
    let ran = shell.run(&["watermark", "--from-journal", "--week", "2025-W44"]);
    assert!(ran.out.contains("what is kept is equal: 1 days, 2 marks by tenant and type"), "{}", ran.out);
    assert!(ran.out.contains("Tenant A  CloudConnectVM       20"), "{}", ran.out);
    assert_eq!(shell.refused(&["watermark", "--from-journal", "--now", "2025-11-03"]).0, 2);
    // What is kept of the highest points of tenants and types is lost.
    let kept = sled::open(shell.path("state/state")).expect("nobody has it");
    let rows: Vec<_> = kept.scan_prefix(b"m").keys().map(|key| key.expect("a key")).collect();
    rows.into_iter().for_each(|row| drop(kept.remove(row).expect("it was there")));
    kept.flush().expect("it is written");
    drop(kept);
    let ran = shell.run(&["watermark", "--from-journal"]);
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.out.contains("NOT equal to what is kept, in 2 places"), "{}", ran.out);
    let first =
        format!("unit {}, 2025-W44, 2025-10-31, (none), VM: - kept, 33 from the journal", installation("vbr01"));
    assert!(ran.err.contains(&first), "{}", ran.err);
    std::fs::rename(shell.path("state/state"), shell.path("aside")).expect("it is there");
    assert_eq!(shell.run(&["watermark", "--from-journal"]).code, 0, "it was built again");
}

#[test]
fn a_report_is_built_shown_saved_and_explained() {
    let shell = Shell::with_report();
    let report = shell.json(&["report", "show", "--month", "2025-10"]);
    check(
        &report,
        "schema id unit month revision license_id contract_id installations stage server_verdict external generated_at \
         basis license total_points total_points_rounded lines workloads adjustments daily coverage not_collected digest",
    );
    assert_eq!(report["schema"], "tidegauge.usage-report/1");
    crate::formats::schema::check(&report);
    assert!(shell.run(&["report", "schema"]).out.contains("\"const\": \"tidegauge.usage-report/1\""));
    assert_eq!(report["stage"], "awaiting_review");
    assert_eq!(report["total_points"], "53");
    assert_eq!(report["generated_at"], "2025-11-01T00:00:00Z");
    check(&report["lines"][0], "server tenant type weight initial_count reported_count new_count rental_count points");
    check(
        &report["workloads"][0],
        "id name server tenant type weight points job last_restore_point_at counted reason note",
    );
    check(&report["basis"], "as_of late stale");
    check(&report["external"], "portal document at by");
    let gate = shell.json(&["report", "explain", "--month", "2025-10"]);
    check(
        &gate,
        "schema unit month verdict forecast highest_watermark stood_at reported shortfall tolerance justification causes \
         unexplained",
    );
    assert_eq!((&gate["schema"], &gate["verdict"]), (&json!("tidegauge.gate/1"), &json!("open")));
    let difference = &gate["difference"];
    check(
        difference,
        "schema unit month revision previous previous_now total_points points in_words by_cause by_tenant rows",
    );
    assert_eq!(difference["schema"], "tidegauge.month-difference/1");
    assert_eq!(difference["in_words"], "There is no report of September 2025 to compare with.");
    assert_eq!((&difference["previous"], &difference["points"]), (&json!(null), &json!(null)));
    let text = shell.run(&["report", "explain", "--month", "2025-10", "--by", "tenant"]).out;
    assert!(text.starts_with("report 2025-10: There is no report of September 2025"), "{text}");

    let saved = shell.path("saved.json").display().to_string();
    assert_eq!(shell.run(&["report", "save", "--format", "json", "--out", &saved]).code, 0);
    let folder = shell.path("reports/2025-10");
    let written: Vec<_> =
        std::fs::read_dir(folder).expect("the Reports folder").map(|file| file.unwrap().path()).collect();
    let kept = written.iter().find(|path| path.extension().is_some_and(|end| end == "json")).expect("a JSON file");
    assert_eq!(std::fs::read(saved).unwrap(), std::fs::read(kept).unwrap());
}

#[test]
fn an_adjustment_is_tried_made_and_taken_back() {
    let shell = Shell::with_report();
    let remove = ["--workload", "sql02", "--reason", "test machine"];
    let effect = shell.json(&[&["report", "what-if"][..], &remove[..]].concat());
    assert_eq!((&effect["total_before"], &effect["total_after"]), (&json!("53"), &json!("42")));
    let adjusted = shell.json(&[&["report", "adjust"][..], &remove[..]].concat());
    assert_eq!(adjusted["total_points"], "42");
    check(&adjusted["adjustments"][0], "at by workload tenant type before after reason");
    assert_eq!(adjusted["adjustments"][0]["by"], "user:clerk");
    assert_eq!(shell.json(&["report", "reset"])["total_points"], "53");
    assert_eq!(shell.run(&["report", "reset"]).code, 3);
    shell.json(&[&["report", "adjust"][..], &remove[..]].concat());
    let marked = shell.json(&["report", "mark-external", "--portal", "Pulse", "--document", "4711"]);
    assert_eq!(marked["external"]["document"], "4711");
    assert_eq!(shell.run(&["report", "reset"]).code, 8, "what was entered stands");
    let corrected = shell.json(&["report", "correct", "--reason", "it was none"]);
    assert_eq!((&corrected["revision"], &corrected["total_points"]), (&json!(2), &json!("53")));
    assert_eq!(corrected["external"]["document"], json!(null), "it is entered anew");
}

#[test]
fn status_tells_what_is_open_and_what_to_do() {
    let shell = Shell::with_report();
    let status = shell.json(&["status", "--now", "2025-11-02T08:00:00Z"]);
    check(&status, "schema now next servers open_reports licenses outbox warnings");
    assert_eq!(status["now"], "2025-11-02T08:00:00Z");
    check(&status["servers"][0], "name last_sample_at state error discrepancy");
    check(&status["open_reports"][0], "unit month days_left total_points");
    let text = shell.run(&["status", "--now", "2025-11-02T08:00:00Z"]).out;
    assert!(text.contains("awaiting review") || text.contains("awaiting_review"), "{text}");
}

#[test]
fn the_license_window_needs_no_store() {
    let shell = Shell::new();
    let window = shell.json(&["license", "window", "--expires", "2027-01-31"]);
    assert_eq!(
        window,
        json!({"anchor": "2027-01-31", "days": 31, "ends_on": "2027-03-03", "grace_ends_on": "2027-04-01"})
    );
    assert!(!shell.path("state").exists());
}

#[test]
fn several_units_are_listed_and_an_act_wants_one_named() {
    let shell = Shell::with_report();
    let other = shell.file("other.json", &snapshot("vbr02", "2025-10-31T23:00:00Z", 1).to_string());
    assert_eq!(shell.run(&["sample", "import", &other]).code, 0);
    let all = shell.json(&["usage", "--month", "2025-10"]);
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    let one = shell.json(&["usage", "--month", "2025-10", "--server", "vbr02"]);
    assert_eq!(one["points"], "31");
    let (code, why) = shell.refused(&["report", "reset"]);
    assert_eq!(code, 2);
    assert!(why.contains(&installation("vbr01")) && why.contains("vbr02"), "{why}");
    assert_eq!(shell.run(&["report", "reset", "--server", "vbr01"]).code, 3);
}
