//! `report forget`: what it asks, refuses and leaves.

use std::sync::{Arc, Mutex};

use super::{Ran, Shell};

/// October and November, both entered elsewhere, as of 2026-02-15.
fn two_months() -> Shell {
    let shell = Shell::with_report();
    let mark = |month: &str, now: &str| {
        let words = ["report", "mark-external", "--month", month, "--portal", "Pulse", "--document", "1", "--now", now];
        let ran = shell.run(&words);
        assert_eq!(ran.code, 0, "{}", ran.err);
    };
    mark("2025-10", "2025-11-05T09:00:00Z");
    let built = shell.run(&["report", "generate", "--month", "2025-11", "--now", "2025-12-01T00:00:00Z"]);
    assert_eq!(built.code, 0, "{}", built.err);
    mark("2025-11", "2025-12-05T09:00:00Z");
    shell.clock.set(super::at("2026-02-15T10:00:00Z"));
    shell
}

fn forget(shell: &Shell, month: &str, more: &[&str]) -> Ran {
    let words = ["report", "forget", "--month", month, "--reason", "kept long enough"];
    shell.run(&[words.as_slice(), more].concat())
}

#[test]
fn a_month_is_forgotten_after_two_answers_and_listed_with_its_reason() {
    let mut shell = two_months();
    let ran = forget(&shell, "2025-10", &[]);
    assert!(ran.code == 2 && ran.err.contains("--yes-forget MONTH"), "{}", ran.err);
    assert!(ran.out.contains("2025-10"), "what stands is shown first: {}", ran.out);
    for more in [&["--yes"][..], &["--yes", "--yes-forget", "2025-11"], &["--yes-forget", "2025-10"]] {
        assert_eq!(forget(&shell, "2025-10", more).code, 2, "{more:?}");
    }
    let lines = Arc::new(Mutex::new(vec!["2025-10".to_owned(), "y".to_owned()]));
    shell.answers = Arc::new(move |_| lines.lock().expect("one question at a time").pop());
    let ran = forget(&shell, "2025-10", &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("forgotten on 2026-02-15 10:00") && ran.out.contains("revision 1: sha256:"),
        "{}",
        ran.out
    );

    let list = shell.run(&["report", "list"]);
    assert!(list.out.contains("2025-11") && list.out.contains(": kept long enough"), "{}", list.out);
    let stages: Vec<String> =
        shell.json(&["report", "list"]).as_array().into_iter().flatten().map(|one| one["stage"].to_string()).collect();
    assert_eq!(stages, ["\"awaiting_review\"", "\"forgotten\""]);
    for words in [&["report", "show", "--month", "2025-10"][..], &["report", "generate", "--month", "2025-10"]] {
        let (code, why) = shell.refused(words);
        assert!(code == 66 && why.contains("was forgotten on"), "{words:?}: {why}");
    }
    let ran = shell.run(&["store", "verify"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_month_that_somebody_needs_gives_8_and_one_without_a_report_66() {
    let shell = two_months();
    let both = ["--yes", "--yes-forget"];
    let ran = forget(&shell, "2025-11", &[&both[..], &["2025-11"]].concat());
    assert!(ran.code == 8 && ran.err.contains("that of 2025-12"), "{}", ran.err);
    assert_eq!(forget(&shell, "2025-01", &[&both[..], &["2025-01"]].concat()).code, 66);
}
