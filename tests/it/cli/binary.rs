//! The real binary: the agent and the License Update Server as processes, and commands beside them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;
use tidegauge::ask::Method;
use tidegauge::ports::control;

use super::{Shell, is_private, snapshot};

pub(super) const BINARY: &str = env!("CARGO_BIN_EXE_tidegauge");
/// Log lines that are read before a process counts as lost.
const LINES_MAX: usize = 10_000;

/// A process of ours that runs until it is told to stop.
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Running {
    fn start(arguments: &[String]) -> Running {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_remove("TIDEGAUGE_CONFIG").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let log = BufReader::new(child.stderr.take().expect("its log is ours"));
        Running { child, log }
    }

    /// Reads the log up to an event.
    fn wait_for(&mut self, event: &str) -> Value {
        let mut seen = String::new();
        for _ in 0..LINES_MAX {
            let mut line = String::new();
            if self.log.read_line(&mut line).expect("the log is text") == 0 {
                break;
            }
            if let Ok(entry) = serde_json::from_str::<Value>(&line)
                && entry["event"] == event
            {
                return entry;
            }
            seen.push_str(&line);
        }
        panic!("{event} does not come:\n{seen}");
    }

    fn terminate(&mut self) -> Option<i32> {
        self.tell_to_stop();
        self.ended()
    }

    fn ended(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }

    fn tell_to_stop(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill is there").success());
    }
}

/// A failed test leaves no process behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn run(shell: &Shell, line: &[&str]) -> (i32, String, String) {
    let output = Command::new(BINARY).args(&shell.arguments(line)[1..]).env_remove("TIDEGAUGE_CONFIG").output();
    let output = output.expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

pub(super) fn json(shell: &Shell, line: &[&str]) -> Value {
    let (code, out, err) = run(shell, &[line, &["--json"]].concat());
    assert_eq!(code, 0, "{line:?}: {err}");
    serde_json::from_str(&out).expect("JSON")
}

fn agent(shell: &Shell, more: &[&str]) -> Running {
    let mut agent = Running::start(&shell.arguments(&[&["agent"], more].concat())[1..]);
    agent.wait_for("agent.ready");
    agent
}

/// The console takes any free port: agents run side by side here.
fn settings(shell: &Shell, more: &str) -> String {
    shell.file("tidegauge.toml", &format!("[console]\nlisten = \"127.0.0.1:0\"\n{more}"))
}

#[test]
fn a_month_goes_through_the_binary() {
    let shell = Shell::new();
    let file = shell.file("october.json", &snapshot("vbr01", "2025-10-31T23:00:00Z", 3).to_string());
    assert_eq!(run(&shell, &["sample", "import", &file]).0, 0);
    assert_eq!(run(&shell, &["sample", "import", &file]).0, 3);
    assert_eq!(json(&shell, &["usage", "--month", "2025-10"])["points"], "53");
    let built = json(&shell, &["report", "generate", "--month", "2025-10", "--now", "2025-11-01T00:00:00Z"]);
    assert_eq!(built["total_points"], "53");
    assert_eq!(run(&shell, &["nonsense"]).0, 2);
    assert!(is_private(&shell.path("state/keys/agent.pem")));
}

#[test]
fn commands_speak_to_a_running_agent() {
    let shell = Shell::with_report();
    let settings = settings(&shell, "");
    let mut agent = agent(&shell, &["--config", &settings]);
    assert!(is_private(&shell.path("state/control.sock")));
    assert_eq!(json(&shell, &["usage", "--month", "2025-10"])["points"], "53");
    let file = shell.file("more.json", &snapshot("vbr02", "2025-10-31T23:00:00Z", 1).to_string());
    assert_eq!(run(&shell, &["sample", "import", &file]).0, 0);
    let (code, _, why) = run(&shell, &["sample", "import", &file]);
    assert_eq!((code, why.lines().count()), (3, 1), "{why}");
    let (code, _, why) = run(&shell, &["usage", "--now", "2025-11-01"]);
    assert_eq!(code, 2, "{why}");
    let (code, _, why) = run(&shell, &["agent", "--config", &settings]);
    assert_eq!(code, 75, "{why}");
    let backup = shell.path("backup").display().to_string();
    assert_eq!(run(&shell, &["store", "backup", &backup]).0, 0);
    assert_eq!(run(&shell, &["store", "verify"]).0, 0);
    assert_eq!(run(&shell, &["store", "restore", &backup]).0, 75);
    let adjust = ["report", "adjust", "--server", "vbr01", "--workload", "sql01", "--reason", "test machine"];
    let adjusted = json(&shell, &[&adjust[..], &["--month", "2025-10"]].concat());
    assert_eq!(adjusted["total_points"], "42");
    assert_eq!(agent.terminate(), Some(0));
    assert!(!shell.path("state/control.sock").exists());
    assert_eq!(json(&shell, &["report", "show", "--server", "vbr01", "--month", "2025-10"])["total_points"], "42");
}

#[test]
fn the_control_socket_speaks_http() {
    let shell = Shell::with_report();
    let settings = settings(&shell, "");
    let _agent = agent(&shell, &["--config", &settings]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ask = |method, path: &str, body: Option<&str>| {
        let body = body.map(|body| body.as_bytes().to_vec());
        let answered = runtime.block_on(control::ask(&shell.path("state/control.sock"), method, path, body));
        let answered = answered.expect("the agent answers");
        (answered.status, serde_json::from_slice::<Value>(&answered.body).unwrap_or_default())
    };
    let (status, usage) = ask(Method::Get, "/api/v1/usage?month=2025-10&by=tenant", None);
    assert_eq!((status, &usage["groups"][1]["key"]), (200, &Value::from("Tenant A")));
    assert_eq!(ask(Method::Get, "/livez", None).0, 200);
    assert_eq!(ask(Method::Get, "/readyz", None).0, 200);
    for (method, path, body, status, code) in [
        (Method::Get, "/api/v1/nonsense", None, 404, 66),
        (Method::Get, "/api/v1/usage?month=October", None, 400, 2),
        (Method::Get, "/api/v1/report?month=2025-09", None, 404, 66),
        (Method::Post, "/api/v1/orders", Some("{\"order\":\"enrol\",\"tokn\":\"secret\"}"), 422, 65),
        (Method::Post, "/api/v1/orders?by=clerk", Some("{\"order\":\"reset\",\"target\":{}}"), 409, 3),
    ] {
        let (seen, problem) = ask(method, path, body);
        assert_eq!((seen, &problem["code"]), (status, &Value::from(code)), "{path}: {problem}");
        assert_eq!(problem["status"], status);
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
}

#[test]
fn an_act_in_flight_is_recorded_before_the_agent_stops() {
    let shell = Shell::new();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let password = shell.file("password", "correct horse battery staple");
    let server = format!(
        "[[server]]\nname = \"vbr01\"\nsource = \"vbr\"\nurl = \"https://{}\"\nusername = \"tidegauge\"\n\
         password_file = \"{password}\"\n",
        silent.local_addr().expect("its address")
    );
    let settings = settings(&shell, &server);
    let mut agent = agent(&shell, &["--config", &settings]);
    let (asking, _) = silent.accept().expect("the agent asks for a sample");
    agent.tell_to_stop();
    assert_eq!(agent.wait_for("agent.stopping")["in_flight"], 1);
    drop((asking, silent));
    assert_eq!(agent.wait_for("duty.setback")["duty"], "collect vbr01");
    agent.wait_for("agent.stopped");
    assert_eq!(agent.ended(), Some(0));
    assert_eq!(json(&shell, &["status", "--config", &settings])["servers"][0]["state"], "unreachable");
}

/// What plain HTTP answers, head and all.
fn fetched(url: &str) -> String {
    let (place, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).expect("plain HTTP");
    let mut connection = TcpStream::connect(place).expect("it listens");
    write!(connection, "GET /{path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut page = String::new();
    connection.read_to_string(&mut page).expect("it answers with text");
    page
}

#[test]
fn the_agent_serves_its_page_on_loopback() {
    let shell = Shell::with_report();
    let settings = settings(&shell, "");
    let mut agent = Running::start(&shell.arguments(&["agent", "--config", &settings])[1..]);
    let place = agent.wait_for("console.listening")["address"].as_str().expect("it says where it is").to_owned();
    let page = fetched(&format!("http://{place}/"));
    assert!(page.starts_with("HTTP/1.1 303") && page.contains("location: /sign-in"), "{page}");
    assert!(shell.path("state/first-sign-in").exists(), "nobody may sign in yet, so a link waits in a file");
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn a_report_goes_to_the_license_update_server_and_is_taken_once() {
    let (shell, office) = (Shell::with_report(), Shell::new());
    assert_eq!(run(&office, &["license-server", "contract", "list"]).0, 78);
    assert_eq!(run(&office, &["license-server", "key", "new"]).0, 0);
    assert_eq!(run(&office, &["license-server", "key", "new"]).0, 8);
    let server = ["license-server", "run", "--listen", "127.0.0.1:0", "--metrics"];
    assert_eq!(run(&office, &[&server[..], &["0.0.0.0:0"]].concat()).0, 2, "metrics know no login");
    let mut server = Running::start(&office.arguments(&[&server[..], &["127.0.0.1:0"]].concat())[1..]);
    let ready = server.wait_for("license_server.ready");
    let place = |field: &str| ready[field].as_str().expect("it says where it is").to_owned();
    let (url, metrics) = (place("url"), place("metrics_url"));
    let token = office.path("token").display().to_string();
    let add =
        ["license-server", "contract", "add", "C-1", "--licensed-to", "Example Provider", "--support-id", "01234567"];
    let add = [&add[..], &["--points", "2000", "--token-file", &token]].concat();
    let (code, out, err) = run(&office, &add);
    assert_eq!(code, 0, "{err}");
    assert!(is_private(office.path("token").as_path()) && !out.contains("tgenrol1"));
    assert_eq!(run(&office, &add).0, 8);

    let settings = settings(&shell, &format!("[license_server]\nurl = \"{url}\"\n"));
    let with = |line: &[&str]| run(&shell, &[line, &["--config", &settings]].concat());
    assert_eq!(with(&["report", "send"]).0, 77);
    let (code, _, err) = with(&["enrol", "--token-file", &token]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(with(&["license", "auto-update", "on"]).0, 0);
    let (code, out, err) = with(&["report", "send", "--month", "2025-10", "--json"]);
    assert_eq!(code, 0, "{err}");
    let sent: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(sent["stage"], "submitted");
    assert_eq!(with(&["report", "send", "--month", "2025-10"]).0, 3);
    assert_eq!(with(&["report", "adjust", "--workload", "sql01", "--reason", "late"]).0, 8);

    let taken = json(&office, &["license-server", "report", "list"]);
    assert_eq!(taken["reports"][0]["total_points"], "53");
    let unit = taken["reports"][0]["unit"].as_str().expect("a unit").to_owned();
    let show = json(&office, &["license-server", "report", "show", &unit, "2025-10"]);
    assert_eq!(show["gate"]["verdict"], "open");
    let live = json(&office, &["license-server", "fleet"]);
    assert_eq!((&live["summary"]["contracts"], &live["rows"][0]["unit"]), (&1.into(), &unit.clone().into()));
    assert!(fetched(&metrics).contains("\ntidegauge_fleet_units{contact=\"heard\"} 1.0\n"), "{}", fetched(&metrics));
    assert_eq!(server.terminate(), Some(0));
    let file = office.path("fleet.csv").display().to_string();
    let (code, out, err) = run(&office, &["license-server", "fleet", "--csv", &file]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("contracts: 1, units: 1, installations: 1, agents: 1; "), "{out}");
    assert!(std::fs::read_to_string(&file).expect("it is there").contains(&unit));
    let (code, _, why) = with(&["license", "update"]);
    assert_eq!(code, 69, "{why}");
    assert_eq!(json(&office, &["license-server", "contract", "list"])["contracts"][0]["id"], "C-1");
}
