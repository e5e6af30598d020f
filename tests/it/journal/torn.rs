//! Cuts, flipped bits, full disks and lost power.

use super::*;

#[test]
fn a_cut_at_any_byte_loses_only_the_entry_being_written() {
    let (whole, _) = journal_of(4);
    let ends: Vec<usize> =
        (0..=4).map(|count| len_of(&journal_of(count.max(1)).0, &first_segment()) * usize::from(count > 0)).collect();
    for len in 0..len_of(&whole, &first_segment()) {
        let disk = whole.duplicate();
        disk.cut(&first_segment(), len);
        let (mut journal, opened, entries) = open(&disk).unwrap();
        let kept = (1..=4).filter(|&count| ends[count] <= len).count() as u64;
        assert_eq!(payloads(&entries), expected(kept), "cut at {len}");
        let at_an_end = len == 53 || ends.contains(&len) && len > 0;
        assert_eq!(opened.cut.is_none(), at_an_end, "cut at {len}");
        if let Some(cut) = opened.cut {
            assert_eq!((cut.seq, cut.offset + cut.bytes), (kept + 1, len as u64));
        }
        append(&mut journal, kept + 1).unwrap();
        let (_, opened, entries) = open(&disk).unwrap();
        assert_eq!((payloads(&entries), opened.cut), (expected(kept + 1), None), "cut at {len}");
    }
}

#[test]
fn a_flipped_bit_inside_is_refused_and_located_and_in_the_last_entry_taken_for_a_torn_write() {
    let (whole, _) = journal_of(3);
    let last_begins = len_of(&journal_of(2).0, &first_segment());
    for bit in 0..len_of(&whole, &first_segment()) * 8 {
        let disk = whole.duplicate();
        disk.flip(&first_segment(), bit);
        match open(&disk) {
            Ok((_, opened, entries)) => {
                assert!(bit / 8 >= last_begins, "bit {bit} went unnoticed");
                assert_eq!((payloads(&entries), opened.cut.unwrap().offset), (expected(2), last_begins as u64));
            }
            Err(JournalError::Damaged { file, offset, .. }) => {
                assert!(bit / 8 < last_begins, "bit {bit}");
                assert_eq!(file, first_segment());
                assert!(usize::try_from(offset).unwrap() <= bit / 8);
            }
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
}

#[test]
fn a_torn_end_of_a_segment_that_is_not_the_last_is_damage() {
    let disk = SimulatedDisk::new();
    let (mut journal, _, _) = open(&disk).unwrap();
    let payload = vec![b'x'; usize::try_from(SEGMENT_BYTES_MAX).unwrap()];
    append_payload(&mut journal, 1, &payload).unwrap();
    append(&mut journal, 2).unwrap();
    disk.cut(&first_segment(), len_of(&disk, &first_segment()) - 1);
    assert!(matches!(open(&disk), Err(JournalError::Damaged { offset: 53, .. })));
}

#[test]
fn a_payload_that_holds_entries_of_another_journal_is_only_a_payload() {
    let (other, _) = journal_of(9);
    let frames = other.read(&first_segment()).unwrap().unwrap()[53..].to_vec();
    let disk = SimulatedDisk::new();
    let (mut journal, _, _) = open(&disk).unwrap();
    append(&mut journal, 1).unwrap();
    let whole = len_of(&disk, &first_segment());
    append_payload(&mut journal, 2, &frames).unwrap();
    append_payload(&mut journal, 3, &frames).unwrap();
    assert_eq!(open(&disk).unwrap().2.len(), 3);
    assert!(len_of(&disk, &first_segment()) > whole + 2 * frames.len());
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    for operations in 0..20 {
        let disk = SimulatedDisk::new();
        let (mut journal, _, _) = open(&disk).unwrap();
        disk.fill_after(operations);
        let acknowledged = (1..=20).take_while(|&number| append(&mut journal, number).is_ok()).count() as u64;
        assert!(matches!(append(&mut journal, 99), Err(JournalError::MustReopen { .. })));
        disk.heal();
        let (mut journal, _, entries) = open(&disk).unwrap();
        let read = entries.len() as u64;
        assert_eq!(payloads(&entries), expected(read));
        assert!(acknowledged <= read && read <= acknowledged + 1, "{acknowledged} acknowledged, {read} read");
        append(&mut journal, read + 1).unwrap();
    }
}

#[test]
fn a_full_disk_says_so() {
    let (disk, _) = journal_of(1);
    let (mut journal, _, _) = open(&disk).unwrap();
    disk.fill_after(0);
    assert!(append(&mut journal, 2).unwrap_err().is_disk_full());
}

#[test]
fn lost_power_at_any_operation_loses_nothing_that_was_acknowledged() {
    for (operations, kept_bytes) in
        (0..14).flat_map(|operations| (0..120).step_by(7).map(move |kept| (operations, kept)))
    {
        let disk = SimulatedDisk::new();
        let (mut journal, _, _) = open(&disk).unwrap();
        disk.fill_after(operations);
        let acknowledged = (1..=20).take_while(|&number| append(&mut journal, number).is_ok()).count() as u64;
        disk.power_cut_keeping(kept_bytes);
        disk.heal();
        let (mut journal, _, entries) = open(&disk).unwrap();
        let read = entries.len() as u64;
        assert!(acknowledged <= read && read <= acknowledged + 1, "{acknowledged} acknowledged, {read} read");
        append(&mut journal, read + 1).unwrap();
        assert_eq!(payloads(&open(&disk).unwrap().2), expected(read + 1));
    }
}

#[test]
fn a_read_only_disk_can_be_read() {
    let (disk, head) = journal_of(2);
    disk.make_read_only();
    let (mut journal, _, entries) = open(&disk).unwrap();
    assert_eq!((entries.len(), journal.head()), (2, head));
    assert!(append(&mut journal, 3).is_err());
}
