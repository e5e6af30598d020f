//! One run of a command: its options, its doors, and where it prints.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::access::Access;
use super::arguments::Global;
use super::doors::Doors;
use crate::agent::orders::Target;
use crate::agent::{Hour, Order, Query, Refused};
use crate::config::Settings;
use crate::domain::Instant;
use crate::domain::pseudonym::Names;

/// Longest file that a command reads.
const FILE_BYTES_MAX: usize = 256 << 20;

/// What every command is given.
pub struct Session<'a> {
    pub doors: &'a Doors,
    pub global: &'a Global,
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
}

impl Session<'_> {
    /// The settings file, the environment over it, the options over both.
    pub fn settings(&self) -> Result<Settings, Refused> {
        super::config::settings(self.doors, self.global)
    }

    /// The hour of this command: `--now`, else the clock's.
    pub fn hour(&self) -> Hour {
        let recorded_at = self.doors.clock.now();
        Hour { now: self.global.now.unwrap_or(recorded_at), recorded_at }
    }

    /// `--now` is not for what leaves the machine.
    pub fn refuse_now(&self, command: &str) -> Result<(), Refused> {
        match self.global.now {
            Some(_) => Err(Refused::new(2, format!("--now is not for `{command}`: it acts in the present"))),
            None => Ok(()),
        }
    }

    /// Asks the agent, here or where it runs.
    pub fn ask(&mut self, query: &Query) -> Result<Value, Refused> {
        let mut access = Access::open(self)?;
        access.ask(self, query)
    }

    /// Asks for a document; the key for pseudonyms is made before, if there is none.
    pub fn ask_under(&mut self, names: Names, query: &Query) -> Result<Value, Refused> {
        match names {
            Names::Plain => {}
            Names::Pseudonyms => {
                self.order(Order::MakePseudonymKey)?;
            }
        }
        self.ask(query)
    }

    /// Gives the agent an order, here or where it runs.
    pub fn order(&mut self, order: Order) -> Result<Value, Refused> {
        let mut access = Access::open(self)?;
        access.order(self, order)
    }

    /// Asks and shows the answer.
    pub fn ask_and_show(&mut self, query: &Query, text: fn(&Value, Instant) -> String) -> Result<(), Refused> {
        let answer = self.ask(query)?;
        self.show(&answer, text)
    }

    /// Orders and shows the answer.
    pub fn order_and_show(&mut self, order: Order, text: fn(&Value, Instant) -> String) -> Result<(), Refused> {
        let answer = self.order(order)?;
        self.show(&answer, text)
    }

    /// JSON as it is, else each of several answers as text.
    pub fn show(&mut self, answer: &Value, text: fn(&Value, Instant) -> String) -> Result<(), Refused> {
        if self.global.json {
            return self.print(&format!("{answer:#}\n"));
        }
        let now = self.hour().now;
        match answer {
            Value::Array(several) => {
                let texts: Vec<String> = several.iter().map(|one| text(one, now)).collect();
                self.print(&texts.join("\n"))
            }
            one => self.print(&text(one, now)),
        }
    }

    /// Prints facts.
    pub fn print(&mut self, text: &str) -> Result<(), Refused> {
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Ok(()) => Ok(()),
            // The reader has seen enough, as `head` does.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Refused::new(73, format!("cannot print: {error}"))),
        }
    }

    /// Prints a line that is no fact.
    pub fn remark(&mut self, line: &str) {
        let _ = writeln!(self.err, "tidegauge: {line}");
    }

    /// Reads a file that was named.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, Refused> {
        let read = self.doors.files.read(path);
        match read.map_err(|error| Refused::new(66, format!("cannot read {}: {error}", path.display())))? {
            Some(bytes) if bytes.len() > FILE_BYTES_MAX => {
                let mebibytes = FILE_BYTES_MAX >> 20;
                Err(Refused::new(65, format!("{} is longer than {mebibytes} MiB; split it", path.display())))
            }
            Some(bytes) => Ok(bytes),
            None => Err(Refused::new(66, format!("there is no file {}", path.display()))),
        }
    }

    /// Reads a text file that was named.
    pub fn read_text(&self, path: &Path) -> Result<String, Refused> {
        String::from_utf8(self.read(path)?)
            .map_err(|_| Refused::new(65, format!("{} is not UTF-8 text", path.display())))
    }

    /// Writes a file that was named, entirely or not at all.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Refused> {
        let written = self.doors.files.write(path, bytes);
        written.map_err(|error| Refused::new(73, format!("cannot write {}: {error}", path.display())))
    }
}

/// The path as it is from everywhere, for a process that stands elsewhere.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl super::arguments::ReportArgs {
    /// What an order calls it.
    pub fn target(&self) -> Target {
        Target { unit: self.unit.unit.clone(), server: self.unit.server.clone(), month: self.month }
    }
}

impl super::arguments::UnitArgs {
    /// What an order calls it.
    pub fn target(&self) -> Target {
        Target { unit: self.unit.clone(), server: self.server.clone(), month: None }
    }
}
