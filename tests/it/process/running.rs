//! A process of ours: started, heard, killed; and the control socket and HTTP on loopback to speak to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tidegauge::ask::Method;
use tidegauge::ports::control;

pub const BINARY: &str = env!("CARGO_BIN_EXE_tidegauge");
/// A process that says nothing for so long is lost.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A running process; it is killed when dropped.
pub struct Running {
    child: Child,
    heard: Receiver<Value>,
    reading: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts the binary and waits until its log says this event; gives that line too.
    pub fn start(arguments: &[String], event: &str) -> (Running, Value) {
        Running::start_with(arguments, &[], event)
    }

    /// The same with more variables.
    pub fn start_with(arguments: &[String], variables: &[(&str, String)], event: &str) -> (Running, Value) {
        let mut command = Command::new(BINARY);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.args(arguments).env_remove("TIDEGAUGE_CONFIG").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let log = BufReader::new(child.stderr.take().expect("its log is ours"));
        let (say, heard) = channel();
        // Read to its end, so that a full pipe never holds the process up.
        let reading = std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let entry = serde_json::from_str(&line).unwrap_or(Value::String(line));
                let _ = say.send(entry);
            }
        });
        let running = Running { child, heard, reading: Some(reading) };
        let said = running.wait_for(event);
        (running, said)
    }

    /// The next log line of this event.
    pub fn wait_for(&self, event: &str) -> Value {
        let mut seen = Vec::new();
        while let Ok(entry) = self.heard.recv_timeout(SILENCE_MAX) {
            if entry["event"] == event {
                return entry;
            }
            seen.push(entry.to_string());
        }
        panic!("{event} does not come:\n{}", seen.join("\n"));
    }

    /// Hears its log for a moment.
    pub fn listen(&self) {
        while self.heard.recv_timeout(Duration::from_millis(250)).is_ok() {}
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.ended();
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, which: &str) {
        let told = Command::new("kill").args([which, &self.child.id().to_string()]).status();
        assert!(told.expect("kill is there").success());
    }

    /// SIGTERM; ends in order.
    pub fn terminate(&mut self) {
        self.signal("-TERM");
        assert_eq!(self.ended(), Some(0));
    }

    fn ended(&mut self) -> Option<i32> {
        let status = self.child.wait().expect("it ends");
        let read = self.reading.take().map(JoinHandle::join);
        assert!(read.is_some_and(|read| read.is_ok()));
        status.code()
    }
}

/// A failed test leaves no process behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end: exit code, facts, words.
pub fn run(arguments: &[String]) -> (i32, String, String) {
    let output = Command::new(BINARY).args(arguments).env_remove("TIDEGAUGE_CONFIG").output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Speaks to control sockets.
pub struct Speaker(tokio::runtime::Runtime);

impl Speaker {
    pub fn new() -> Speaker {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Speaker(runtime.expect("a runtime"))
    }

    /// Status and body; `None` when the other side is gone.
    pub fn ask(&self, socket: &Path, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let method = if body.is_some() { Method::Post } else { Method::Get };
        let body = body.map(|body| body.to_string().into_bytes());
        let answered = self.0.block_on(control::ask(socket, method, path, body)).ok()?;
        Some((answered.status, serde_json::from_slice(&answered.body).unwrap_or_default()))
    }
}

/// Posts to loopback; `None` when the other side is gone before its answer is whole.
pub fn post(address: &str, path: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut connection = TcpStream::connect(address).ok()?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(&[head.as_bytes(), body].concat()).ok()?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let len: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok())?;
    let body = answer.split_off(end + 4);
    (body.len() == len).then_some((status, body))
}
