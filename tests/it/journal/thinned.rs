//! Payloads taken out of entries: the chain still verifies, and a kill in between costs nothing.

use super::*;
use tidegauge::store::journal::Left;

/// Takes the payloads of the even entries away, but for a word.
fn thin(journal: &mut Journal, through: u64) -> Result<Left, JournalError> {
    journal
        .thin(through, &mut |entry| Ok((entry.seq % 2 == 0 && entry.thinned_from.is_none()).then(|| b"gone".to_vec())))
}

/// A journal of several segments.
fn long() -> (SimulatedDisk, Head) {
    let disk = SimulatedDisk::new();
    let (mut journal, _, _) = open(&disk).unwrap();
    let large = vec![7; usize::try_from(SEGMENT_BYTES_MAX / 3).unwrap()];
    for number in 1..=9 {
        append_payload(&mut journal, number, &large).unwrap();
    }
    (disk, journal.head())
}

#[test]
fn a_thinned_journal_keeps_its_chain_its_headers_and_the_digests_and_goes_on() {
    let (disk, head) = journal_of(6);
    let (mut journal, _, before) = open(&disk).unwrap();
    assert_eq!(thin(&mut journal, 4).unwrap().entries, 2);
    append(&mut journal, 7).unwrap();
    let (journal, opened, after) = open(&disk).unwrap();
    assert_eq!((opened.given, opened.cut, after[5].hash), (7, None, head.hash));
    assert_eq!(after[6].prev, head.hash);
    assert_eq!(journal.head(), journal::verify(&disk, &folder()).unwrap().head);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.hash, before.header()), (after.hash, after.header()));
        assert_eq!(before.payload_digest(), after.payload_digest());
    }
    let left: Vec<Vec<u8>> = after.iter().map(|entry| entry.payload.clone()).collect();
    assert_eq!(
        (left[1].as_slice(), left[3].as_slice(), left[5].as_slice()),
        (&b"gone"[..], &b"gone"[..], &payload_of(6).into_bytes()[..])
    );
}

#[test]
fn any_flipped_bit_of_a_thinned_entry_is_found() {
    let (disk, _) = journal_of(2);
    let (mut journal, _, _) = open(&disk).unwrap();
    thin(&mut journal, 2).unwrap();
    append(&mut journal, 3).unwrap();
    let bits = 8 * len_of(&disk, &first_segment());
    for bit in (0..bits).step_by(5) {
        let other = disk.duplicate();
        other.flip(&first_segment(), bit);
        let verified = journal::verify(&other, &folder());
        assert!(verified.is_err() || verified.is_ok_and(|found| found.torn.is_some()), "bit {bit}");
    }
}

#[test]
fn thinning_cut_short_anywhere_leaves_a_journal_that_reads_and_goes_on_when_repeated() {
    let (whole, head) = long();
    let (mut journal, _, _) = open(&whole.duplicate()).unwrap();
    let expected = thin(&mut journal, 9).unwrap();
    assert_eq!(expected.entries, 4);
    let counted = whole.duplicate();
    let (mut journal, _, _) = open(&counted).unwrap();
    let started = counted.operations();
    thin(&mut journal, 9).unwrap();
    for operations in 0..=counted.operations() - started {
        let disk = whole.duplicate();
        let (mut journal, _, _) = open(&disk).unwrap();
        disk.fill_after(operations);
        let cut_short = thin(&mut journal, 9);
        if cut_short.is_err() {
            assert!(append(&mut journal, 10).is_err(), "nobody knows what reached the disk");
        }
        drop(journal);
        disk.power_cut();
        disk.heal();
        let (mut journal, opened, _) = open(&disk).unwrap();
        assert_eq!((journal.head(), opened.cut), (head, None), "after {operations} operations");
        assert_eq!(thin(&mut journal, 9).unwrap(), expected);
        assert_eq!(thin(&mut journal, 9).unwrap(), expected, "again: nothing is left to do");
    }
}
