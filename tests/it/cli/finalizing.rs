//! `report compare` and `report finalize` against a simulated console: texts, exit codes, questions.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tidegauge::domain::console_report::WhyLeftOut;
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vspc::{Fault, Role, Vspc};
use tidegauge::simulation::wire::{API_KEY, PASSWORD, SimulatedWire, USERNAME};

use super::{Ran, Shell, at};

/// A console, an agent with its October, and the settings of both.
struct October {
    shell: Shell,
    vspc: Arc<Vspc>,
    config: String,
}

impl October {
    fn new(more: &str) -> October {
        let mut shell = Shell::new();
        let vspc = Vspc::new(Arc::new(shell.clock.clone()), USERNAME, PASSWORD, API_KEY);
        for (name, machines) in [("vbr01", 5), ("vbr02", 3)] {
            let mut plan = EstatePlan::new(5, name, at("2025-10-10T00:00:00Z"), machines);
            plan.license.license_id = Some("11112222-1111-2222-3333-111122223333".to_owned());
            vspc.manage(name, Role::Client, Arc::new(Mutex::new(Estate::new(plan))));
        }
        let wire = SimulatedWire::new(shell.clock.clone());
        wire.connect("vspc01", vspc.router());
        shell.wire = Arc::new(move |_| Arc::new(wire.clone()));
        let key = shell.file("vspc.key", API_KEY);
        let text = format!(
            "[[server]]\nname = \"vspc01\"\nsource = \"vspc\"\nurl = \"https://vspc.example.net:1280\"\n\
             api_key_file = \"{key}\"\n{more}"
        );
        let config = shell.file("tidegauge.toml", &text);
        let october = October { shell, vspc, config };
        october.shell.clock.set(at("2025-10-31T23:59:00Z"));
        assert_eq!(october.run(&["sample", "now"]).code, 0);
        october.shell.clock.set(at("2025-11-01T01:00:00Z"));
        assert_eq!(october.run(&["report", "generate", "--month", "2025-10"]).code, 0);
        october
    }

    fn run(&self, line: &[&str]) -> Ran {
        self.shell.run(&[line, &["--config", &self.config]].concat())
    }

    fn compare(&self) -> Ran {
        self.run(&["report", "compare", "--with", "vspc01", "--month", "2025-10"])
    }

    fn finalize(&self, more: &[&str]) -> Ran {
        self.run(&[&["report", "finalize", "--with", "vspc01", "--month", "2025-10"], more].concat())
    }

    /// Somebody sits at the terminal and types these lines; the questions are kept.
    fn types(&mut self, lines: &[&str]) -> Arc<Mutex<Vec<String>>> {
        let questions: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let kept = Arc::clone(&questions);
        self.shell.answers = Arc::new(move |question| {
            let mut asked = kept.lock().expect("one question at a time");
            asked.push(question.to_owned());
            lines.get(asked.len() - 1).cloned()
        });
        questions
    }

    fn leave_out(&self) {
        self.vspc.change("vbr02", |server| server.left_out = Some(WhyLeftOut::NotCollected));
    }
}

const ON: &str = "finalize_reports = true\n";
const CONFIRMED: [&str; 3] = ["--yes", "--yes-finalize", "2025-10"];

fn check(ran: &Ran, code: u8, words: &str) {
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(words), "'{words}' is not in: {}", ran.err);
    assert_eq!(ran.err.lines().count(), usize::from(code != 0), "{}", ran.err);
}

#[test]
fn equal_reports_are_printed_side_by_side_with_exit_code_0() {
    let october = October::new("");
    let ran = october.compare();
    check(&ran, 0, "");
    let first = ran.out.lines().next().unwrap_or_default();
    assert!(first.starts_with("report 2025-10 r1 of unit ") && first.ends_with("in vspc01, difference 0"), "{first}");
    for words in ["points here", "points there", "outside the comparison: VSPC's own agents", "ApprovalRequired"] {
        assert!(ran.out.contains(words), "'{words}' is not in:\n{}", ran.out);
    }
}

#[test]
fn differing_reports_are_printed_with_their_reasons_and_exit_code_8() {
    let october = October::new("");
    october.leave_out();
    let ran = october.compare();
    check(&ran, 8, "the reports of 2025-10 here and in vspc01 differ, in sum by");
    for words in ["the console did not collect vbr02", "left out there: vbr02 (not collected)"] {
        assert!(ran.out.contains(words), "'{words}' is not in:\n{}", ran.out);
    }
    let json = october.run(&["report", "compare", "--with", "vspc01", "--month", "2025-10", "--json"]);
    let shown: Value = serde_json::from_str(&json.out).expect("JSON though the exit code is 8");
    assert_eq!((json.code, shown["is_equal"].as_bool()), (8, Some(false)));
    check(&october.run(&["report", "compare", "--with", "vbr09"]), 78, "no server 'vbr09'");
}

#[test]
fn finalizing_is_off_unless_the_settings_switch_it_on_and_then_said() {
    let october = October::new("");
    check(&october.finalize(&CONFIRMED), 78, "finalize_reports = true");
    assert!(!october.run(&["config", "check"]).out.contains("FINALIZED"));
    let october = October::new(ON);
    assert!(
        october.run(&["config", "check"]).out.contains("vspc01.finalize_reports = true   (REPORTS CAN BE FINALIZED")
    );
}

#[test]
fn two_questions_are_asked_after_the_comparison_and_the_second_wants_the_month() {
    for (typed, asked) in [(&["n"][..], 1), (&[""], 1), (&["y", "yes"], 2), (&["y", "2025-09"], 2), (&["y"], 2)] {
        let mut october = October::new(ON);
        let questions = october.types(typed);
        let ran = october.finalize(&[]);
        check(&ran, 2, "");
        assert!(ran.out.contains("points there"), "the comparison is printed first: {}", ran.out);
        assert_eq!(questions.lock().expect("nobody asks any more").len(), asked, "{typed:?}");
        assert!(october.vspc.finalized().is_empty(), "{typed:?}");
    }
    let mut october = October::new(ON);
    let questions = october.types(&["y", "2025-10"]);
    let ran = october.finalize(&[]);
    check(&ran, 0, "");
    assert!(ran.out.contains("report 2025-10 in vspc01: Finalization ("), "{}", ran.out);
    let asked = questions.lock().expect("nobody asks any more").clone();
    assert!(asked[0].contains("cannot be taken back") && asked[1].starts_with("Type the month"), "{asked:?}");
    check(&october.finalize(&CONFIRMED), 3, "finalized from here already");
}

#[test]
fn without_a_terminal_both_options_are_needed() {
    let october = October::new(ON);
    for some in [&[][..], &["--yes"], &["--yes-finalize", "2025-10"], &["--yes", "--yes-finalize", "2025-09"]] {
        check(&october.finalize(some), 2, "");
    }
    assert!(october.vspc.finalized().is_empty());
    let ran = october.finalize(&[&CONFIRMED[..], &["--json"]].concat());
    check(&ran, 0, "");
    let shown: Value = serde_json::from_str(&ran.out).expect("one JSON document");
    assert_eq!(shown["schema"], "tidegauge.console-finalization/1");
    assert_eq!(shown["finalization"]["by"], "user:clerk");
    assert_eq!(october.vspc.finalized().len(), 1);
}

#[test]
fn differing_reports_are_finalized_only_despite_differences() {
    let october = October::new(ON);
    october.leave_out();
    let ran = october.finalize(&CONFIRMED);
    check(&ran, 8, "--despite-differences REASON");
    assert!(ran.out.contains("left out there: vbr02"), "{}", ran.out);
    assert!(october.vspc.finalized().is_empty());
    let ran = october.finalize(&[&CONFIRMED[..], &["--despite-differences", "by hand"]].concat());
    check(&ran, 0, "");
    assert!(ran.out.contains("despite differences: by hand"), "{}", ran.out);
}

#[test]
fn a_console_that_refuses_exits_with_77_and_one_that_finalized_already_with_3() {
    let october = October::new(ON);
    october.vspc.set_faults(&[Fault::ReadOnly]);
    check(&october.finalize(&CONFIRMED), 77, "Read-only access");
    october.vspc.set_faults(&[Fault::LosesFinalizing]);
    check(&october.finalize(&CONFIRMED), 69, "vspc01");
    october.vspc.set_faults(&[]);
    let ran = october.finalize(&[]);
    check(&ran, 0, "");
    assert!(ran.out.contains("found Finalization"), "no question is needed to find that it was done: {}", ran.out);
    let other = October::new(ON);
    other.vspc.finalize("2025-10".parse().expect("a month"));
    check(&other.finalize(&CONFIRMED), 3, "the console finalized it already");
}
