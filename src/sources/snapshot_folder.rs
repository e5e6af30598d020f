//! The source `snapshot_folder`: usage snapshot files that scripts leave in a folder.
//!
//! Written files move to `taken/` once their samples are recorded, refused ones to `rejected/` with a `.reason` beside them.

use std::collections::VecDeque;

use super::snapshot_file::parse;
use super::{Brief, Collected, Names, Reach, Rejected, SourceRow, Talk};
use crate::ask::{Answer, Ask, Conversation, Failure, FolderAnswer, FolderAsk, Setback, Step};
use crate::domain::installation::ServerName;

pub const ROW: SourceRow = SourceRow {
    name: "snapshot_folder",
    open,
    reach: Reach::Folder,
    names: Names::OneServer,
    renew: None,
    monthly_reports: None,
};

/// Names looked at in one round.
const ENTRIES_MAX: usize = 10_000;
/// Files read in one round; the rest waits for the next.
const FILES_MAX: usize = 500;
/// Longest file, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// After this many bytes the rest waits for the next round.
const ROUND_BYTES_MAX: usize = 256 << 20;

fn open(brief: Brief) -> Talk {
    Box::new(Gather::new(brief))
}

/// Reads the folder's snapshot files, in the order of their names.
pub struct Gather {
    brief: Brief,
    doing: Doing,
    waiting: VecDeque<String>,
    bytes_read: usize,
    collected: Collected,
}

enum Doing {
    Listing,
    Reading(String),
    WritingReason(Rejected),
    MovingAside(Rejected),
}

impl Gather {
    pub fn new(brief: Brief) -> Gather {
        Gather {
            brief,
            doing: Doing::Listing,
            waiting: VecDeque::new(),
            bytes_read: 0,
            collected: Collected::default(),
        }
    }

    fn peer(&self) -> String {
        self.brief.server.clone()
    }

    fn ask(&self) -> Step<Collected> {
        let peer = self.peer();
        Step::Ask(Ask::Folder(match &self.doing {
            Doing::Listing => FolderAsk::List { peer, entries_max: ENTRIES_MAX + 1 },
            Doing::Reading(name) => FolderAsk::Read { peer, name: name.clone(), bytes_max: FILE_BYTES_MAX },
            Doing::WritingReason(rejected) => FolderAsk::Write {
                peer,
                name: format!("rejected/{}.reason", rejected.file),
                bytes: format!("{}\n", rejected.why).into_bytes(),
            },
            Doing::MovingAside(rejected) => {
                FolderAsk::Move { peer, name: rejected.file.clone(), to: format!("rejected/{}", rejected.file) }
            }
        }))
    }

    fn read_next(&mut self) -> Step<Collected> {
        let is_full = self.bytes_read >= ROUND_BYTES_MAX;
        match self.waiting.pop_front().filter(|_| !is_full) {
            Some(name) => {
                self.doing = Doing::Reading(name);
                self.ask()
            }
            None => {
                self.collected.samples.sort_by_key(|sample| sample.taken_at);
                Step::Done(std::mem::take(&mut self.collected))
            }
        }
    }

    fn heard_file(&mut self, name: String, bytes: &[u8]) -> Step<Collected> {
        self.bytes_read += bytes.len();
        let server = &self.brief.server;
        let parsed =
            parse(&name, bytes, self.brief.now).map_err(|why| why.to_string()).and_then(|samples| {
                match samples.iter().find(|sample| sample.server != *server) {
                    Some(other) => Err(format!(
                        "{name}: server '{}' is not '{server}', whose folder this is; correct the file or the settings",
                        other.server
                    )),
                    None => Ok(samples),
                }
            });
        match parsed {
            Ok(samples) => {
                self.collected.samples.extend(samples);
                self.collected.taken.push(name);
                self.read_next()
            }
            Err(why) => self.put_aside(name, why),
        }
    }

    fn put_aside(&mut self, file: String, why: String) -> Step<Collected> {
        self.doing = Doing::WritingReason(Rejected { file, why });
        self.ask()
    }

    /// A file that could not be read or moved stays where it is and is tried in the next round.
    fn leave(&mut self, mut rejected: Rejected, failure: &str) -> Step<Collected> {
        rejected.why = format!("{}; {failure}; the file stays in the folder", rejected.why);
        self.collected.rejected.push(rejected);
        self.read_next()
    }
}

impl Conversation for Gather {
    type Done = Collected;

    fn next(&mut self, heard: Option<Answer>) -> Step<Collected> {
        let Some(answer) = heard else { return self.ask() };
        match (std::mem::replace(&mut self.doing, Doing::Listing), answer) {
            (Doing::Listing, Answer::Folder(FolderAnswer::Listed(names))) => {
                let is_cut = names.len() > ENTRIES_MAX;
                self.waiting = names.into_iter().filter(|name| is_snapshot(name)).take(FILES_MAX).collect();
                if is_cut && self.waiting.is_empty() {
                    let why = format!(
                        "{}: its folder holds more than {ENTRIES_MAX} files, and no snapshot is among the first of them \
                         by name; move the others elsewhere",
                        self.brief.server
                    );
                    return Step::Setback(Setback::AskAPerson { why });
                }
                self.read_next()
            }
            (Doing::Listing, answer) => Step::Setback(setback(&self.brief.server, &answer)),
            (Doing::Reading(name), Answer::Folder(FolderAnswer::Bytes(bytes))) => self.heard_file(name, &bytes),
            (Doing::Reading(name), Answer::Failed(Failure::TooLarge { bytes_max })) => {
                let why = format!("{name}: longer than {bytes_max} bytes; split the file");
                self.put_aside(name, why)
            }
            (Doing::Reading(name), answer) => {
                let why = format!("{name}: could not be read");
                self.leave(Rejected { file: name, why }, &said(&answer))
            }
            (Doing::WritingReason(rejected), Answer::Folder(_)) => {
                self.doing = Doing::MovingAside(rejected);
                self.ask()
            }
            (Doing::MovingAside(rejected), Answer::Folder(_)) => {
                self.collected.rejected.push(rejected);
                self.read_next()
            }
            (Doing::WritingReason(rejected) | Doing::MovingAside(rejected), answer) => {
                self.leave(rejected, &said(&answer))
            }
        }
    }
}

/// Moves recorded files to `taken/`.
pub struct PutAway {
    server: ServerName,
    waiting: VecDeque<String>,
    trouble: Option<Setback>,
}

impl PutAway {
    /// Puts away [`Collected::taken`] of this server.
    pub fn new(server: ServerName, taken: Vec<String>) -> PutAway {
        PutAway { server, waiting: taken.into(), trouble: None }
    }
}

impl Conversation for PutAway {
    type Done = ();

    fn next(&mut self, heard: Option<Answer>) -> Step<()> {
        match heard {
            None | Some(Answer::Folder(_)) => {}
            Some(answer) => self.trouble = Some(setback(&self.server, &answer)),
        }
        match self.waiting.pop_front() {
            Some(name) => {
                let to = format!("taken/{name}");
                Step::Ask(Ask::Folder(FolderAsk::Move { peer: self.server.clone(), name, to }))
            }
            None => self.trouble.take().map_or(Step::Done(()), Step::Setback),
        }
    }
}

/// Scripts write under another ending and rename when the file is whole.
fn is_snapshot(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_plain = !name.starts_with('.') && !name.contains(['/', '\\']);
    is_plain && (lower.ends_with(".json") || lower.ends_with(".jsonl"))
}

fn setback(server: &str, answer: &Answer) -> Setback {
    let why = format!("{server}: {}; check the path and its owner in the settings", said(answer));
    match answer {
        Answer::Failed(Failure::Settings { .. }) => Setback::AskAPerson { why },
        Answer::Failed(_) | Answer::Folder(_) | Answer::Http(_) | Answer::Mail(_) => Setback::TryAgain { why },
    }
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Failed(failure) => failure.to_string(),
        Answer::Folder(_) | Answer::Http(_) | Answer::Mail(_) => {
            "the folder gave an answer of the wrong kind".to_owned()
        }
    }
}
