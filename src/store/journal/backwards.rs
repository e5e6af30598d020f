//! Reading backwards: the newest entries first, a segment at a time.

use std::ops::ControlFlow;
use std::path::Path;

use super::frame::{self, Found};
use super::segment::{self, HEADER_BYTES};
use super::walk::{damaged, read_header};
use super::{Entry, Head, JournalError};
use crate::doors::Files;

/// Gives the entries before this one to `each`, the newest first, until it has enough. Reads whole segments, each checked
/// by its checksums and links, and of those behind `before` only as many as it takes to find where to begin.
///
/// # Errors
/// Damage in a segment that was read, with file, offset and what; a failing disk.
pub fn newest_first(
    files: &dyn Files,
    folder: &Path,
    before: u64,
    each: &mut dyn FnMut(&Entry) -> ControlFlow<()>,
) -> Result<(), JournalError> {
    let numbers = segment::list(files, folder)?;
    for &number in numbers[..segments_before(files, folder, before, &numbers)?].iter().rev() {
        let entries = entries_before(files, folder, number, before)?;
        if entries.iter().rev().try_for_each(&mut *each).is_break() {
            break;
        }
    }
    Ok(())
}

/// How many of the segments begin before the entry.
fn segments_before(files: &dyn Files, folder: &Path, before: u64, numbers: &[u32]) -> Result<usize, JournalError> {
    let (mut low, mut high) = (0, numbers.len());
    // The newest segment begins before every entry that is asked for first.
    let mut looked = high.saturating_sub(1);
    while low < high {
        let bytes = whole(files, folder, numbers[looked])?;
        if read_header(folder, numbers[looked], &bytes)?.first_seq < before {
            low = looked + 1;
        } else {
            high = looked;
        }
        looked = low.midpoint(high);
    }
    Ok(low)
}

fn entries_before(files: &dyn Files, folder: &Path, number: u32, before: u64) -> Result<Vec<Entry>, JournalError> {
    let bytes = whole(files, folder, number)?;
    let header = read_header(folder, number, &bytes)?;
    let mut head = Head { seq: header.first_seq.saturating_sub(1), hash: header.prev };
    let (mut entries, mut offset) = (Vec::new(), HEADER_BYTES);
    while head.seq + 1 < before {
        match frame::decode(&bytes, offset, &header.prev, head) {
            Found::End => break,
            Found::Entry(entry, next) => {
                head = Head { seq: entry.seq, hash: entry.hash };
                entries.push(*entry);
                offset = next;
            }
            Found::Torn(what) | Found::Wrong(what) => return Err(damaged(folder, number, offset, what)),
        }
    }
    Ok(entries)
}

fn whole(files: &dyn Files, folder: &Path, number: u32) -> Result<Vec<u8>, JournalError> {
    let bytes = segment::read(files, folder, number)?;
    if bytes.len() < HEADER_BYTES {
        return Err(damaged(folder, number, 0, "its header is not whole".to_owned()));
    }
    Ok(bytes)
}
