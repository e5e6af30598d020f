//! Whatever the program makes is its owner's alone, whatever the umask, and in a folder that others may enter too.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cli::{Shell, snapshot};

const BINARY: &str = env!("CARGO_BIN_EXE_tidegauge");
/// Looks until something is there.
const LOOKS_MAX: usize = 3_000;

/// The binary under a umask.
fn command(shell: &Shell, umask: &str, line: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\""), BINARY]);
    command.args(&shell.arguments(line)[1..]).env_remove("TIDEGAUGE_CONFIG").stdin(Stdio::null());
    command
}

fn run(shell: &Shell, umask: &str, line: &[&str]) {
    let output = command(shell, umask, line).output().expect("the binary runs");
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{line:?}: {:?} {why}", output.status.code());
}

/// Everything below that somebody else could open: others' bits on it, and on every folder above it up to `top`.
fn open_to_others(top: &Path, folder: &Path, found: &mut Vec<String>, seen: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let facts = std::fs::symlink_metadata(&path).expect("it is there");
        seen.push(path.strip_prefix(top).expect("below").to_owned());
        let mode = facts.permissions().mode() & 0o777;
        // A folder that nobody else may enter keeps everything in it.
        if mode & 0o077 != 0 {
            found.push(format!("{mode:o} {}", path.display()));
        }
        if facts.is_dir() && mode & 0o011 != 0 {
            open_to_others(top, &path, found, seen);
        } else if facts.is_dir() {
            count(top, &path, seen);
        }
        assert!(facts.nlink() > 0 && (facts.is_dir() || facts.is_file() || facts.file_type().is_socket()));
    }
}

fn count(top: &Path, folder: &Path, seen: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        seen.push(entry.path().strip_prefix(top).expect("below").to_owned());
        if entry.path().is_dir() {
            count(top, &entry.path(), seen);
        }
    }
}

/// A License Update Server's key, journal and enrolment token.
fn license_server(shell: &Shell, umask: &str) {
    let out = |name: &str| shell.path("out").join(name).display().to_string();
    let run = |line: &[&str]| {
        let state = ["--state", &out("license-server")].map(str::to_owned);
        let line: Vec<String> = line.iter().map(|word| (*word).to_owned()).chain(state).collect();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\""), BINARY]).args(&line);
        let output = command.output().expect("the binary runs");
        assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["license-server", "key", "new"]);
    let contract =
        ["license-server", "contract", "add", "C-1", "--licensed-to", "x", "--support-id", "1", "--points", "9"];
    run(&[&contract[..], &["--token-file", &out("enrolment.token")]].concat());
}

/// A month by the real binary: samples, report, people, evidence, bills, backup, restore, an agent with its console.
fn month(umask: &str) -> Shell {
    let shell = Shell::new();
    // An administrator made the folders by hand and left them open: what is made in them is private all the same.
    for folder in ["state", "reports", "out"] {
        std::fs::create_dir(shell.path(folder)).expect("a folder");
        std::fs::set_permissions(shell.path(folder), std::fs::Permissions::from_mode(0o755)).expect("ours");
    }
    let out = |name: &str| shell.path("out").join(name).display().to_string();
    let file = shell.file("october.json", &snapshot("vbr01", "2025-10-31T23:00:00Z", 3).to_string());
    let settings = shell.file("tidegauge.toml", "[console]\nlisten = \"127.0.0.1:0\"\n");
    run(&shell, umask, &["sample", "import", &file]);
    run(&shell, umask, &["report", "generate", "--month", "2025-10", "--now", "2025-11-01T00:00:00Z"]);
    run(&shell, umask, &["user", "add", "rolf", "--role", "viewer"]);
    run(&shell, umask, &["evidence", "export", "--month", "2025-10", "--out", &out("october.evidence.zip")]);
    run(&shell, umask, &["store", "backup", &out("backup")]);
    license_server(&shell, umask);
    let mut agent = command(&shell, umask, &["agent", "--config", &settings]);
    let mut agent = agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    for _ in 0..LOOKS_MAX {
        if shell.path("state/control.sock").exists() {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    // Written by the agent's own duties, in its first looks.
    let made = shell.path("state/control.sock");
    assert!(made.exists(), "the agent runs");
    let (mut open, mut seen) = (Vec::new(), Vec::new());
    for folder in ["state", "reports", "out"] {
        open_to_others(&shell.path(""), &shell.path(folder), &mut open, &mut seen);
    }
    let _ = Command::new("kill").args(["-TERM", &agent.id().to_string()]).status();
    let _ = agent.wait();
    for name in [
        "state/lock",
        "state/keys/agent.pem",
        "state/control.sock",
        "state/journal",
        "state/state",
        "out/backup",
        "out/october.evidence.zip",
        "out/enrolment.token",
        "out/license-server/keys/signing.pem",
    ] {
        assert!(seen.iter().any(|path| path == Path::new(name)), "{name} is made: {seen:#?}");
    }
    assert!(seen.iter().any(|path| path.to_string_lossy().ends_with(".pdf")), "reports are made: {seen:#?}");
    assert!(open.is_empty(), "umask {umask}: others may open {open:#?}");
    shell
}

#[test]
fn everything_that_a_month_leaves_behind_is_its_owners_alone_under_any_umask() {
    for umask in ["000", "022"] {
        month(umask);
    }
}

#[test]
fn doctor_names_every_secret_that_others_can_read_or_that_is_not_there() {
    let shell = Shell::new();
    let open = shell.file("open.password", "four words make one");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).expect("ours");
    let settings = format!(
        "[[server]]\nname = \"vbr01\"\nsource = \"vbr\"\nurl = \"https://127.0.0.1:1\"\nusername = \"x\"\npassword_file = \"{open}\"\n\
         [[server]]\nname = \"vspc01\"\nsource = \"vspc\"\nurl = \"https://127.0.0.1:1\"\napi_key_file = \"/nonexistent/key\"\n"
    );
    let settings = shell.file("tidegauge.toml", &settings);
    let ran = shell.run(&["doctor", "--json", "--config", &settings]);
    let shown: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let failed = |name: &str| {
        let rows = shown["checks"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {shown:#}"));
        assert_eq!(row["state"], "failed", "{row}");
        row["detail"].as_str().expect("why").to_owned()
    };
    assert!(failed("secret of vbr01").contains("can be read by everybody: chmod o-rwx"), "{shown:#}");
    assert!(failed("secret of vspc01").contains("/nonexistent/key"), "{shown:#}");
    assert!(!ran.out.contains("four words"));
}

#[test]
fn doctor_does_not_judge_a_secret_that_only_the_service_has() {
    let shell = Shell::new();
    let settings = "[[server]]\nname = \"vbr01\"\nsource = \"vbr\"\nurl = \"https://127.0.0.1:1\"\nusername = \"x\"\n\
         password_env = \"TIDEGAUGE_TEST_SET_NOWHERE\"\n\
         [[server]]\nname = \"vspc01\"\nsource = \"vspc\"\nurl = \"https://127.0.0.1:1\"\n\
         api_key_file = \"/run/credentials/tidegauge-test.service/key\"\n";
    let settings = shell.file("tidegauge.toml", settings);
    let ran = shell.run(&["doctor", "--json", "--config", &settings]);
    // The servers are away; the secrets weigh nothing.
    assert_eq!(ran.code, 69, "{}", ran.err);
    let shown: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let rows = shown["checks"].as_array().expect("rows");
    for (name, said) in [("secret of vbr01", "TIDEGAUGE_TEST_SET_NOWHERE"), ("secret of vspc01", "/run/credentials/")] {
        let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {shown:#}"));
        assert_eq!(row["state"], "warning", "{row}");
        assert!(row["detail"].as_str().is_some_and(|detail| detail.contains(said)), "{row}");
    }
}
