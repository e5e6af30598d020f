//! Entries written together: one sync, cut where power cut them, and told apart from damage.

use super::*;

/// Appends the entries of these numbers together.
fn append_together(journal: &mut Journal, numbers: std::ops::Range<u64>) -> Result<Head, JournalError> {
    let payloads: Vec<String> = numbers.map(payload_of).collect();
    let at = DateTime::UNIX_EPOCH;
    let entries = payloads.iter().map(|payload| payload.as_bytes());
    let entries = entries.map(|payload| NewEntry { recorded_at: at, now: at, actor: "collect", payload });
    journal.append_together(&entries.collect::<Vec<_>>())
}

fn of_group(disk: &SimulatedDisk) -> Vec<u8> {
    disk.read(&folder().join("00000002.seg")).unwrap().unwrap()
}

/// One entry alone, then a group in a segment of its own.
fn one_and_a_group() -> (SimulatedDisk, Journal) {
    let (disk, _) = journal_of(1);
    let (mut journal, _, _) = open(&disk).unwrap();
    append_together(&mut journal, 2..7).unwrap();
    (disk, journal)
}

#[test]
fn a_group_begins_a_segment_that_older_programs_refuse_and_everything_after_goes_on_in_it() {
    let (disk, mut journal) = one_and_a_group();
    append(&mut journal, 7).unwrap();
    append_together(&mut journal, 8..10).unwrap();
    let version_of = |name: &str| disk.read(&folder().join(name)).unwrap().unwrap()[8];
    assert_eq!((version_of("00000001.seg"), version_of("00000002.seg")), (1, 2));
    let (reopened, opened, entries) = open(&disk.duplicate()).unwrap();
    assert_eq!((reopened.head(), opened.segments, opened.cut), (journal.head(), 2, None));
    assert!((1..10).zip(&entries).all(|(number, entry)| entry.payload == payload_of(number).as_bytes()));
    assert_eq!(entries.len(), 9);
}

#[test]
fn any_part_of_a_group_that_power_took_is_cut_with_what_follows_it() {
    let (disk, _) = one_and_a_group();
    let whole = of_group(&disk);
    let header = 8 + 1 + 8 + 32 + 4;
    for lost in header..whole.len() {
        let disk = disk.duplicate();
        // Eight bytes never reached the disk; those behind them did.
        for bit in lost * 8..(lost + 8).min(whole.len()) * 8 {
            if whole[bit / 8] >> (bit % 8) & 1 == 1 {
                disk.flip(&folder().join("00000002.seg"), bit);
            }
        }
        if of_group(&disk) == whole {
            continue;
        }
        let (mut journal, opened, entries) = open(&disk).unwrap_or_else(|error| panic!("byte {lost}: {error}"));
        assert!(opened.cut.is_some() && (1..6).contains(&entries.len()), "byte {lost}: {} entries", entries.len());
        assert!(
            (1..).zip(&entries).all(|(number, entry)| entry.payload == payload_of(number).as_bytes()),
            "byte {lost}"
        );
        append_together(&mut journal, 20..23).unwrap();
        assert_eq!(open(&disk).unwrap().2.len(), entries.len() + 3, "byte {lost}: it goes on");
    }
}

#[test]
fn damage_in_a_group_that_something_later_follows_is_refused() {
    let (disk, mut journal) = one_and_a_group();
    let len = of_group(&disk).len();
    append_together(&mut journal, 7..9).unwrap();
    for offset in 60..len {
        let disk = disk.duplicate();
        disk.flip(&folder().join("00000002.seg"), offset * 8);
        assert!(matches!(open(&disk), Err(JournalError::Damaged { .. })), "byte {offset}");
    }
}

#[test]
fn a_group_larger_than_a_segment_goes_on_in_the_next() {
    let disk = SimulatedDisk::new();
    let (mut journal, _, _) = open(&disk).unwrap();
    let payload = vec![7; usize::try_from(SEGMENT_BYTES_MAX / 3).unwrap()];
    let at = DateTime::UNIX_EPOCH;
    let entries = [NewEntry { recorded_at: at, now: at, actor: "collect", payload: &payload }; 8];
    let head = journal.append_together(&entries).unwrap();
    let (reopened, opened, read) = open(&disk).unwrap();
    assert_eq!((reopened.head(), opened.segments, read.len()), (head, 3, 8));
}

#[test]
fn a_group_with_an_entry_beyond_the_limits_is_refused_as_a_whole() {
    let (disk, head) = journal_of(2);
    let (mut journal, _, _) = open(&disk).unwrap();
    let (at, actor) = (DateTime::UNIX_EPOCH, "a".repeat(201));
    let fine = NewEntry { recorded_at: at, now: at, actor: "collect", payload: b"fine" };
    let refused = journal.append_together(&[fine, NewEntry { actor: &actor, ..fine }]);
    assert!(matches!(refused, Err(JournalError::TooLarge { .. })));
    assert_eq!((journal.head(), open(&disk).unwrap().2.len()), (head, 2));
    append(&mut journal, 3).unwrap();
}
