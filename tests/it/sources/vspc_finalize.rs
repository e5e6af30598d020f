//! Finalizing a console's own report: it looks first, asks only for what was seen, and says what came of it.

use std::sync::{Arc, Mutex};

use tidegauge::ask::{Ask, Body, FormValue, Method, Setback};
use tidegauge::domain::Month;
use tidegauge::domain::console_report::{ConsoleReport, Standing};
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vspc::{Fault, Role, Vspc};
use tidegauge::simulation::wire::{API_KEY, PASSWORD, USERNAME};
use tidegauge::sources::finalizing::{Errand, Heard};
use tidegauge::sources::{Brief, MonthlyReports, SignsIn, source_named};
use uuid::Uuid;

use super::driver::{InProcess, SetClock, at, brief, drive};

/// The console on the 3rd of February, and what asking it is.
struct Console {
    clock: Arc<SetClock>,
    vspc: Arc<Vspc>,
    wire: InProcess,
    signs_in: SignsIn,
}

const REQUEST_ID: Uuid = Uuid::from_u128(0x7e6a_3c5e);

impl Console {
    fn new(signs_in: SignsIn) -> Console {
        let clock = SetClock::at(at("2026-02-03T00:00:00Z"));
        let vspc = Vspc::new(Arc::clone(&clock) as _, USERNAME, PASSWORD, API_KEY);
        let plan = EstatePlan::new(5, "vbr01", at("2026-01-10T00:00:00Z"), 20);
        vspc.manage("vbr01", Role::Client, Arc::new(Mutex::new(Estate::new(plan))));
        let wire = InProcess::new(vspc.router());
        Console { clock, vspc, wire, signs_in }
    }

    fn brief(&self) -> Brief {
        let mut brief = brief("vspc", at("2026-02-03T00:00:00Z"));
        brief.settings.signs_in = self.signs_in;
        brief
    }

    fn read(&self, month: &str) -> ConsoleReport {
        let month: Month = month.parse().expect("a month");
        let read = drive((reports().read)(self.brief(), month).as_mut(), |ask| self.wire.carry(ask));
        read.expect("the console is well").expect("a report")
    }

    /// What is heard, and what was posted to be finalized.
    fn finalize(&self, compared: &ConsoleReport) -> (Result<Heard, Setback>, Vec<String>) {
        let mut posted = Vec::new();
        let errand = Errand { brief: self.brief(), compared: compared.clone(), request_id: REQUEST_ID };
        let heard = drive((reports().finalize)(errand).as_mut(), |ask| {
            let Ask::Http(http) = &ask else { panic!("a console is asked over HTTP") };
            if let Body::Form(form) = &http.body {
                let read_only =
                    form.iter().any(|(name, value)| *name == "readOnly" && matches!(value, FormValue::Text(_)));
                assert!(!read_only, "a read-only token cannot finalize");
            } else if http.method == Method::Post {
                assert!(http.headers.contains(&("x-request-id".to_owned(), REQUEST_ID.to_string())), "{http:?}");
                assert!(matches!(http.body, Body::None), "{http:?}");
                posted.push(http.path.clone());
            }
            self.wire.carry(ask)
        });
        (heard, posted)
    }
}

fn reports() -> MonthlyReports {
    source_named("vspc").and_then(|row| row.monthly_reports).expect("a console makes reports")
}

const POSTED: [&str; 1] = ["/api/v3/licensing/reports/finalization"];

#[test]
fn a_report_that_waits_is_finalized_by_key_and_by_login_queued_or_not() {
    for signs_in in [SignsIn::ApiKey, SignsIn::Password] {
        for faults in [&[][..], &[Fault::Queues]] {
            let console = Console::new(signs_in);
            let compared = console.read("2026-01");
            console.vspc.set_faults(faults);
            let (heard, posted) = console.finalize(&compared);
            assert_eq!(heard, Ok(Heard::Taken { words: "Finalization".to_owned() }), "{signs_in:?} {faults:?}");
            assert_eq!(posted, POSTED);
            assert_eq!(console.vspc.finalized().len(), 1);
        }
    }
}

#[test]
fn a_report_that_is_finalized_already_is_not_asked_for_again() {
    let console = Console::new(SignsIn::ApiKey);
    let compared = console.read("2026-01");
    assert_eq!(compared.standing(), Standing::Waiting);
    assert!(console.finalize(&compared).0.is_ok());
    for (now, status) in [("2026-02-03T00:30:00Z", "Finalization"), ("2026-02-03T02:00:00Z", "Approved")] {
        console.clock.set(at(now));
        let (heard, posted) = console.finalize(&compared);
        assert_eq!(heard, Ok(Heard::WasDone { status: status.to_owned() }));
        assert_eq!(posted, [""; 0]);
        assert_eq!(console.read("2026-01").standing(), Standing::Finalized);
    }
}

#[test]
fn what_was_not_seen_is_not_finalized() {
    let console = Console::new(SignsIn::ApiKey);
    let compared = console.read("2026-01");
    let mut other = compared.clone();
    other.usage[0].reported += 1;
    console.clock.set(at("2026-03-03T00:00:00Z"));
    let (older, posted_older) = console.finalize(&compared);
    console.clock.set(at("2026-02-03T00:00:00Z"));
    let (changed, posted_changed) = console.finalize(&other);
    for (heard, words) in [(older, "only the newest can be finalized"), (changed, "changed since it was compared")] {
        let Ok(Heard::NotAsked { why }) = heard else { panic!("{heard:?}") };
        assert!(why.contains(words), "{why}");
    }
    assert!(posted_older.is_empty() && posted_changed.is_empty() && console.vspc.finalized().is_empty());
}

#[test]
fn a_console_that_refuses_is_told_as_refusing() {
    let console = Console::new(SignsIn::ApiKey);
    let compared = console.read("2026-01");
    for (fault, words) in [(Fault::ReadOnly, "Read-only access"), (Fault::NotApprovable, "NotApprovable")] {
        console.vspc.set_faults(&[fault]);
        let (heard, posted) = console.finalize(&compared);
        let Ok(Heard::Refused { why }) = heard else { panic!("{heard:?}") };
        assert!(why.contains(words), "{why}");
        assert_eq!(posted, POSTED);
    }
    console.vspc.set_faults(&[Fault::LosesFinalizing]);
    let (heard, _) = console.finalize(&compared);
    assert!(matches!(heard, Err(Setback::TryAgain { .. })), "{heard:?}");
    assert_eq!(console.vspc.finalized().len(), 1, "it was done, and nobody heard of it");
}
