//! The newest entries first, and no more read than is asked for.

use std::ops::ControlFlow;

use super::*;

/// Three segments: seven entries of three mebibytes.
fn three_segments() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let (mut journal, _, _) = open(&disk).unwrap();
    for number in 1..=7_u8 {
        append_payload(&mut journal, u64::from(number), &vec![number; 3 << 20]).unwrap();
    }
    assert!(disk.list(&folder()).unwrap().len() == 3, "{:?}", disk.list(&folder()));
    disk
}

fn newest(disk: &SimulatedDisk, before: u64, count: usize) -> Result<Vec<u64>, JournalError> {
    let mut seqs = Vec::new();
    journal::newest_first(disk, &folder(), before, &mut |entry| {
        assert_eq!(entry.payload[0], u8::try_from(entry.seq).unwrap());
        seqs.push(entry.seq);
        if seqs.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(seqs)
}

#[test]
fn entries_before_any_other_come_newest_first_over_all_segments() {
    let disk = three_segments();
    assert_eq!(newest(&disk, u64::MAX, 99).unwrap(), [7, 6, 5, 4, 3, 2, 1]);
    for before in 0..=8 {
        let expected: Vec<u64> = (1..before.min(8)).rev().collect();
        assert_eq!(newest(&disk, before, 99).unwrap(), expected, "before {before}");
        assert_eq!(newest(&disk, before, 1).unwrap(), expected.into_iter().take(1).collect::<Vec<u64>>());
    }
    assert_eq!(newest(&SimulatedDisk::new(), u64::MAX, 99).unwrap(), [] as [u64; 0]);
}

#[test]
fn only_the_segments_that_are_asked_for_are_read_and_damage_in_them_is_refused() {
    let disk = three_segments();
    disk.flip(&first_segment(), 8 * 1_000);
    assert_eq!(newest(&disk, u64::MAX, 4).unwrap(), [7, 6, 5, 4], "the first segment is not needed");
    assert!(matches!(newest(&disk, u64::MAX, 5), Err(JournalError::Damaged { .. })));
}
