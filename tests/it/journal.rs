//! The journal: framing, chain, a cut at every byte, full disks, lost power, killed processes.

mod backwards; // the newest entries first
mod joined; // entries written together
mod killed;
mod thinned;
mod torn;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use tidegauge::doors::Files;
use tidegauge::simulation::disk::SimulatedDisk;
use tidegauge::store::journal::{self, Entry, Head, Journal, JournalError, NewEntry, Opened, SEGMENT_BYTES_MAX};

fn folder() -> PathBuf {
    PathBuf::from("state/journal")
}

fn first_segment() -> PathBuf {
    folder().join("00000001.seg")
}

/// Opens and returns what was read.
fn open(disk: &SimulatedDisk) -> Result<(Journal, Opened, Vec<Entry>), JournalError> {
    open_after(disk, Head::EMPTY)
}

fn open_after(disk: &SimulatedDisk, known: Head) -> Result<(Journal, Opened, Vec<Entry>), JournalError> {
    let mut entries = Vec::new();
    let (journal, opened) = Journal::open_after(Arc::new(disk.clone()), &folder(), known, &mut |entry| {
        entries.push(entry.clone());
        Ok(())
    })?;
    Ok((journal, opened, entries))
}

/// Appends the text of entry `number`, an hour after the one before it.
fn append(journal: &mut Journal, number: u64) -> Result<Head, JournalError> {
    append_payload(journal, number, payload_of(number).as_bytes())
}

fn append_payload(journal: &mut Journal, number: u64, payload: &[u8]) -> Result<Head, JournalError> {
    let recorded_at = DateTime::UNIX_EPOCH + TimeDelta::hours(number.cast_signed()) + TimeDelta::milliseconds(7);
    let now = recorded_at - TimeDelta::days(3);
    journal.append(NewEntry { recorded_at, now, actor: "collect", payload })
}

fn payload_of(number: u64) -> String {
    format!("what happened in hour {number}")
}

fn journal_of(count: u64) -> (SimulatedDisk, Head) {
    let disk = SimulatedDisk::new();
    let (mut journal, _, _) = open(&disk).unwrap();
    for number in 1..=count {
        append(&mut journal, number).unwrap();
    }
    (disk, journal.head())
}

fn payloads(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| String::from_utf8(entry.payload.clone()).unwrap()).collect()
}

fn expected(count: u64) -> Vec<String> {
    (1..=count).map(payload_of).collect()
}

fn len_of(disk: &SimulatedDisk, path: &Path) -> usize {
    disk.read(path).unwrap().unwrap().len()
}

#[test]
fn what_was_appended_is_read_again_with_both_clocks_and_the_actor() {
    let (disk, head) = journal_of(3);
    let (journal, opened, entries) = open(&disk).unwrap();
    assert_eq!((journal.head(), opened.cut, opened.given), (head, None, 3));
    assert_eq!(payloads(&entries), expected(3));
    assert_eq!(entries[1].prev, entries[0].hash);
    assert_eq!((entries[1].seq, entries[1].actor.as_str()), (2, "collect"));
    assert_eq!(entries[1].recorded_at - entries[1].now, TimeDelta::days(3));
    assert_eq!(entries[1].recorded_at.timestamp_millis(), 7_200_007);
}

#[test]
fn an_entry_costs_few_bytes_beside_its_payload() {
    let (disk, _) = journal_of(1);
    let before = len_of(&disk, &first_segment());
    let (mut journal, _, _) = open(&disk).unwrap();
    append_payload(&mut journal, 2, b"").unwrap();
    let cost = len_of(&disk, &first_segment()) - before;
    assert!(cost <= 64, "an empty entry takes {cost} bytes");
}

#[test]
fn a_reader_who_knows_the_head_reads_nothing_again() {
    let (disk, head) = journal_of(5);
    let (mut journal, opened, entries) = open_after(&disk, head).unwrap();
    assert_eq!((opened.given, entries.len(), journal.head()), (0, 0, head));
    append(&mut journal, 6).unwrap();
    let (_, _, entries) = open_after(&disk, head).unwrap();
    assert_eq!(payloads(&entries), vec![payload_of(6)]);
}

#[test]
fn a_reader_who_knows_more_or_otherwise_than_the_journal_is_told_before_any_entry() {
    let (disk, head) = journal_of(5);
    for known in [Head { seq: 6, ..head }, Head { hash: [9; 32], ..head }, Head { seq: 2, ..head }] {
        let mut given = 0;
        let opened = Journal::open_after(Arc::new(disk.clone()), &folder(), known, &mut |_| {
            given += 1;
            Ok(())
        });
        assert!(matches!(opened, Err(JournalError::Apart { .. })), "{known:?}");
        assert_eq!(given, 0);
    }
}

#[test]
fn large_journals_are_split_and_every_reader_finds_its_segment() {
    let disk = SimulatedDisk::new();
    let (mut journal, _, _) = open(&disk).unwrap();
    let payload = vec![b'x'; usize::try_from(SEGMENT_BYTES_MAX / 3).unwrap()];
    let heads: Vec<Head> = (1..=10).map(|number| append_payload(&mut journal, number, &payload).unwrap()).collect();
    assert_eq!(disk.list(&folder()).unwrap(), ["00000001.seg", "00000002.seg", "00000003.seg", "00000004.seg"]);
    for (index, &known) in heads.iter().enumerate() {
        let (reopened, opened, _) = open_after(&disk, known).unwrap();
        assert_eq!((opened.given, reopened.head()), (9 - index as u64, journal.head()));
    }
    let verified = journal::verify(&disk, &folder()).unwrap();
    assert_eq!((verified.entries, verified.segments, verified.head), (10, 4, journal.head()));
    disk.remove(&folder().join("00000002.seg")).unwrap();
    assert!(
        open(&disk).err().unwrap().to_string().contains("00000002.seg is damaged at byte 0: the segment is missing")
    );
}

#[test]
fn a_copy_made_while_an_entry_is_being_written_holds_every_whole_entry() {
    let (disk, head) = journal_of(4);
    let (mut journal, _, _) = open(&disk).unwrap();
    append(&mut journal, 5).unwrap();
    disk.cut(&first_segment(), len_of(&disk, &first_segment()) - 1);
    let to = PathBuf::from("backup/journal");
    let copied = journal::copy(&disk, &folder(), &to).unwrap();
    assert_eq!((copied.head, copied.torn), (head, None));
    let again = journal::copy(&disk, &folder(), &to);
    assert!(matches!(again, Err(JournalError::Occupied { .. })));
}

#[test]
fn an_entry_beyond_the_limits_is_refused_and_the_journal_goes_on() {
    let disk = SimulatedDisk::new();
    let (mut journal, _, _) = open(&disk).unwrap();
    let refused = append_payload(&mut journal, 1, &vec![0; journal::ENTRY_BYTES_MAX + 1]);
    assert!(matches!(refused, Err(JournalError::TooLarge { .. })));
    append(&mut journal, 1).unwrap();
}
