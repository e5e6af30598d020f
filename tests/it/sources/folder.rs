//! The snapshot folder: which files are read, where they go, what is said of bad ones.

use std::collections::BTreeMap;

use expect_test::expect;
use proptest::prelude::*;
use tidegauge::ask::{Answer, Ask, Failure, FolderAnswer, FolderAsk, MailAnswer, Setback};
use tidegauge::sources::snapshot_folder::{Gather, PutAway};

use super::driver::{at, brief, drive};

/// A folder in memory.
#[derive(Default)]
struct Folder {
    files: BTreeMap<String, Vec<u8>>,
    is_read_only: bool,
}

impl Folder {
    fn with(files: &[(&str, &str)]) -> Folder {
        let file = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
        Folder { files: files.iter().map(file).collect(), is_read_only: false }
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        let Ask::Folder(ask) = ask else { panic!("a folder source asks only its folder") };
        let refused = Answer::Failed(Failure::File { why: "read-only file system".to_owned() });
        Answer::Folder(match ask {
            FolderAsk::List { entries_max, .. } => {
                let plain = self.files.keys().filter(|name| !name.contains('/'));
                FolderAnswer::Listed(plain.take(entries_max).cloned().collect())
            }
            FolderAsk::Read { name, .. } => FolderAnswer::Bytes(self.files[&name].clone()),
            FolderAsk::Move { .. } | FolderAsk::Write { .. } if self.is_read_only => return refused,
            FolderAsk::Move { name, to, .. } => {
                let bytes = self.files.remove(&name).expect("only files that are there are moved");
                self.files.insert(to, bytes);
                FolderAnswer::Done
            }
            FolderAsk::Write { name, bytes, .. } => {
                self.files.insert(name, bytes);
                FolderAnswer::Done
            }
        })
    }

    fn names(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }
}

fn snapshot(taken_at: &str) -> String {
    format!(r#"{{"taken_at":"{taken_at}","server":"vbr02","workloads":[]}}"#)
}

fn gather() -> Gather {
    Gather::new(brief("vbr02", at("2026-10-31T23:10:00Z")))
}

#[test]
fn good_files_are_read_oldest_first_and_put_away_after_recording() {
    let (late, early) = (snapshot("2026-10-31T22:00:00Z"), snapshot("2026-10-31T21:00:00Z"));
    let mut folder = Folder::with(&[("a.json", &late), ("b.jsonl", &early), ("c.json.tmp", "half"), (".d.json", "x")]);
    let collected = drive(&mut gather(), |ask| folder.answer(ask)).expect("the folder is fine");
    let instants: Vec<_> = collected.samples.iter().map(|sample| sample.taken_at).collect();
    assert_eq!(instants, [at("2026-10-31T21:00:00Z"), at("2026-10-31T22:00:00Z")]);
    assert_eq!(collected.taken, ["a.json", "b.jsonl"]);
    drive(&mut PutAway::new("vbr02".to_owned(), collected.taken), |ask| folder.answer(ask)).expect("moved");
    assert_eq!(folder.names(), [".d.json", "c.json.tmp", "taken/a.json", "taken/b.jsonl"]);
}

#[test]
fn a_bad_file_goes_to_rejected_with_its_reason_beside_it() {
    let good = snapshot("2026-10-31T22:00:00Z");
    let mut folder = Folder::with(&[("bad.json", "{\"taken_at\""), ("good.json", &good)]);
    let collected = drive(&mut gather(), |ask| folder.answer(ask)).expect("the folder is fine");
    assert_eq!((collected.samples.len(), collected.rejected.len()), (1, 1));
    assert_eq!(folder.names(), ["good.json", "rejected/bad.json", "rejected/bad.json.reason"]);
    expect!["bad.json line 1: ends in the middle; write it under another ending and rename it when it is whole\n"]
        .assert_eq(&String::from_utf8_lossy(&folder.files["rejected/bad.json.reason"]));
}

#[test]
fn a_file_of_another_server_is_refused() {
    let other = snapshot("2026-10-31T22:00:00Z").replace("vbr02", "vbr07");
    let mut folder = Folder::with(&[("a.json", &other)]);
    let collected = drive(&mut gather(), |ask| folder.answer(ask)).expect("the folder is fine");
    expect!["a.json: server 'vbr07' is not 'vbr02', whose folder this is; correct the file or the settings"]
        .assert_eq(&collected.rejected[0].why);
}

#[test]
fn a_bad_file_that_cannot_be_moved_stays_and_is_named() {
    let mut folder = Folder { is_read_only: true, ..Folder::with(&[("bad.json", "")]) };
    let collected = drive(&mut gather(), |ask| folder.answer(ask)).expect("the folder can be read");
    expect!["bad.json: is empty; write it under another ending and rename it when it is whole; read-only file system; the file stays in the folder"]
        .assert_eq(&collected.rejected[0].why);
    assert_eq!(folder.names(), ["bad.json"]);
}

#[test]
fn a_folder_that_is_gone_is_a_setback() {
    let gone = |_| Answer::Failed(Failure::File { why: "/var/spool/x: no such folder".to_owned() });
    let setback = drive(&mut gather(), gone).expect_err("there is no folder");
    expect!["vbr02: /var/spool/x: no such folder; check the path and its owner in the settings"]
        .assert_eq(setback.why());
    assert!(matches!(setback, Setback::TryAgain { .. }));
}

#[test]
fn a_round_reads_a_bounded_number_of_files() {
    let good = snapshot("2026-10-31T22:00:00Z");
    let names: Vec<String> = (0..1200).map(|n| format!("{n:04}.json")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), good.as_str())).collect();
    let mut folder = Folder::with(&files);
    let collected = drive(&mut gather(), |ask| folder.answer(ask)).expect("the folder is fine");
    assert_eq!(collected.taken.len(), 500);
}

proptest! {
    #[test]
    fn any_answers_end_the_conversation(kinds in prop::collection::vec(0..5_u8, 1..40)) {
        let mut turn = 0;
        let answer = |_| {
            turn += 1;
            match kinds[turn % kinds.len()] {
                0 => Answer::Folder(FolderAnswer::Listed(vec!["a.json".to_owned(), "b.json".to_owned()])),
                1 => Answer::Folder(FolderAnswer::Bytes(b"{}".to_vec())),
                2 => Answer::Folder(FolderAnswer::Done),
                3 => Answer::Mail(MailAnswer { steps: Vec::new(), end: Ok("250 OK".to_owned()) }),
                _ => Answer::Failed(Failure::TimedOut { after_seconds: 60 }),
            }
        };
        let _ = drive(&mut gather(), answer);
    }
}
