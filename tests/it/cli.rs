//! The command line, in process on a clock of our own, and as the real binary.

mod billing; // billing files: drafts, documents, corrections
mod binary; // the agent and the license server as processes
mod clerk; // FOCUS, profiles, reconciliation with the supplier
mod codes; // exit codes and their one line
mod doctor; // the way to each server, what to do
mod evidence; // export, verify, key
mod finalizing; // a console's own report: compared, and finalized after two questions
mod forgetting; // two questions, and what is left
mod glass_box; // journal, telemetry, coverage in words
mod help; // help, completions
mod interview; // config init at a terminal: what is asked, tested and written
mod json; // the shapes of design.md section 9
mod license; // window table, consent, history, keys by hand
mod mail; // mail test
mod manual;
mod people; // users and tokens, four eyes
mod playground; // both ways to renew, against the simulated servers behind real sockets
mod rates; // the points tables at command level
mod support_bundle; // no name and no secret of a played provider stands in it
mod task_pages; // the pages under docs for three people, followed word by word
mod time_zone; // hours beside GMT
mod webhook; // exit codes, no secrets shown

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidegauge::cli::{self, Doors};
use tidegauge::domain::Instant;
use tidegauge::ports::files::RealFiles;
use tidegauge::ports::wire::RealWire;
use tidegauge::simulation::chance::SeededChance;
use tidegauge::simulation::clock::SimulatedClock;

/// A directory, a clock, and the command line.
pub struct Shell {
    folder: TempDir,
    clock: SimulatedClock,
    /// Who sits at the terminal.
    answers: cli::Ask,
    wire: cli::WireFor,
}

/// What a command did.
pub struct Ran {
    pub code: u8,
    pub out: String,
    pub err: String,
}

pub fn at(text: &str) -> Instant {
    text.parse().expect("an instant of the test")
}

impl Shell {
    /// The clock stands in the middle of November.
    pub fn new() -> Shell {
        let folder = tempfile::tempdir().expect("a temporary directory");
        Shell {
            folder,
            clock: SimulatedClock::at(at("2025-11-15T10:00:00Z")),
            answers: Arc::new(|_| None),
            wire: Arc::new(|settings| Arc::new(RealWire::new(settings.peers()))),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and returns its path as an argument.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the temporary directory takes files");
        path.display().to_string()
    }

    /// Runs a command line on this directory, in this process.
    pub fn run(&self, line: &[&str]) -> Ran {
        let doors = Doors {
            files: Arc::new(RealFiles),
            clock: Arc::new(self.clock.clone()),
            chance: || Box::new(SeededChance::new(11)),
            wire: Arc::clone(&self.wire),
            ask: Arc::clone(&self.answers),
            variables: vec![("USER".to_owned(), "clerk".to_owned())],
        };
        let arguments = self.arguments(line).into_iter().map(Into::into);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = cli::run(arguments, &doors, &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).expect("the command line prints text");
        Ran { code, out: text(out), err: text(err) }
    }

    /// The words of a command line on this directory, unless it names another.
    pub fn arguments(&self, line: &[&str]) -> Vec<String> {
        let state = self.path("state").display().to_string();
        let reports = self.path("reports").display().to_string();
        let own = [["--state", &state], ["--reports", &reports]];
        let global = own.into_iter().filter(|[option, _]| !line.contains(option)).flatten().map(str::to_owned);
        std::iter::once("tidegauge".to_owned())
            .chain(line.iter().map(|word| (*word).to_owned()))
            .chain(global)
            .collect()
    }

    /// Runs a command that has to succeed, and reads the JSON it prints.
    pub fn json(&self, line: &[&str]) -> Value {
        let ran = self.run(&[line, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{line:?}: {}", ran.err);
        serde_json::from_str(&ran.out).expect("with --json a command prints JSON")
    }

    /// Runs a command that is refused: one line, nothing on standard output.
    pub fn refused(&self, line: &[&str]) -> (u8, String) {
        let ran = self.run(line);
        assert_eq!(ran.out, "", "{line:?} prints no facts when it is refused");
        (ran.code, ran.err)
    }

    /// A month's last sample of one server: three machines and a tenant's count.
    pub fn with_october() -> Shell {
        let shell = Shell::new();
        let file = shell.file("october.json", &snapshot("vbr01", "2025-10-31T23:00:00Z", 3).to_string());
        assert_eq!(shell.run(&["sample", "import", &file]).code, 0);
        shell
    }

    /// The same with its report, built as of the 1st.
    pub fn with_report() -> Shell {
        let shell = Shell::with_october();
        let built = shell.run(&["report", "generate", "--month", "2025-10", "--now", "2025-11-01T00:00:00Z"]);
        assert_eq!(built.code, 0, "{}", built.err);
        shell
    }
}

/// A usage snapshot (design.md section 7) with so many machines of 11 points.
pub fn snapshot(server: &str, taken_at: &str, machines: usize) -> Value {
    let workload = |number: usize| {
        json!({
            "id": format!("{server}-machine-{number}"), "name": format!("sql{number:02}"), "type": "VM",
            "platform": "VMware", "tenant": null, "job": "Daily", "host": "vcenter01", "points": "11",
            "first_processed_at": "2025-03-02T01:00:00Z", "last_restore_point_at": "2025-10-31T01:00:00Z",
            "rental": false,
        })
    };
    json!({
        "schema": "tidegauge.usage-snapshot/1", "taken_at": taken_at, "server": server,
        "license": {
            "license_id": format!("license of {server}"), "type": "Rental", "product": "VBR",
            "edition": "EnterprisePlus", "package": null, "cloud_connect": false, "licensed_to": "Example Provider",
            "support_id": "01234567", "installation_id": installation(server), "licensed_points": "2000",
            "used_points": null, "new_points": null, "expires_on": "2099-01-31", "support_expires_on": null,
            "auto_update": false,
        },
        "workloads": (1..=machines).map(workload).collect::<Vec<Value>>(),
        "counts": [{"tenant": "Tenant A", "type": "CloudConnectVM", "weight": "5", "used": 4, "new": 2, "rental": 1}],
    })
}

/// The installation id of a server of these tests.
pub fn installation(server: &str) -> String {
    let last: u32 = server.bytes().map(u32::from).sum();
    format!("7e6a3c5e-0f0e-4a53-9a40-{last:012}")
}

pub fn names(value: &Value) -> Vec<&str> {
    value.as_object().map(|fields| fields.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// Whether a file is readable by its owner alone.
pub fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o077 == 0)
}
