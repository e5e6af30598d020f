//! A real process, killed with SIGKILL while it appends to real files.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use tidegauge::ports::files::RealFiles;

use super::*;

/// Names the journal's folder to the child.
const CHILD_FOLDER: &str = "TIDEGAUGE_SIGKILL_CHILD_FOLDER";
/// Seconds of killing; without it, [`ROUNDS_DEFAULT`] rounds.
const SECONDS: &str = "TIDEGAUGE_SIGKILL_SECONDS";
const ROUNDS_DEFAULT: u64 = 4;
const ROUNDS_MAX: u64 = 100_000;
/// The child ends by itself after so many entries, should its parent be gone.
const CHILD_ENTRIES_MAX: u64 = 100_000;

fn open_real(folder: &Path) -> (Journal, Vec<Entry>) {
    let mut entries = Vec::new();
    let (journal, _) = Journal::open(Arc::new(RealFiles), folder, &mut |entry| {
        entries.push(entry.clone());
        Ok(())
    })
    .unwrap();
    (journal, entries)
}

/// The child's part; without its variable it is no child and does nothing.
#[test]
fn a_child_appends_and_prints_what_was_acknowledged() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
    let (mut journal, entries) = open_real(Path::new(&folder));
    for number in entries.len() as u64 + 1..=CHILD_ENTRIES_MAX {
        append(&mut journal, number).unwrap();
        println!("acknowledged {number}");
    }
}

#[test]
fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("journal");
    let seconds: Option<u64> = std::env::var(SECONDS).ok().map(|text| text.parse().expect("a number of seconds"));
    let mut spent = Duration::ZERO;
    for round in 0..ROUNDS_MAX {
        let over = seconds.map_or(round >= ROUNDS_DEFAULT, |seconds| spent >= Duration::from_secs(seconds));
        if over {
            println!("killed {round} times in {spent:?}");
            return;
        }
        let acknowledged = kill_after_lines(&folder, 5 + round * 13 % 60, &mut spent);
        let (journal, entries) = open_real(&folder);
        let read = entries.len() as u64;
        assert!(acknowledged <= read, "round {round}: {acknowledged} acknowledged, {read} read");
        assert_eq!(payloads(&entries), expected(read));
        drop(journal);
        if read > 20_000 {
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a real process is killed for so many real seconds")]
fn real_clock() -> std::time::Instant {
    std::time::Instant::now()
}

/// Lets a child append, kills it after so many acknowledged lines, and returns the last number it acknowledged.
fn kill_after_lines(folder: &Path, lines: u64, spent: &mut Duration) -> u64 {
    let started = real_clock();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::killed::a_child_appends_and_prints_what_was_acknowledged", "--nocapture"])
        .env(CHILD_FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut last = 0;
    let mut seen = 0;
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in output.by_ref() {
        let line = line.unwrap();
        // The harness writes its own words before the child's first line.
        let Some((_, number)) = line.split_once("acknowledged ") else { continue };
        last = number.parse().unwrap_or(last);
        seen += 1;
        if seen == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    *spent += started.elapsed();
    last
}
