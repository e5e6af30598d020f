//! Walking through the segments: every frame read, every checksum and link checked.

use std::path::{Path, PathBuf};

use super::frame::{self, Found};
use super::segment::{self, HEADER_BYTES, Header};
use super::{Entry, Head, JournalError, Tail};
use crate::doors::Files;

/// A torn tail: what is behind the last whole entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub file: PathBuf,
    /// Where the last whole entry ends.
    pub offset: u64,
    /// Bytes behind it.
    pub bytes: u64,
    /// The number of the entry that was being written.
    pub seq: u64,
    pub what: String,
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Cut { file, offset, bytes, seq, what } = self;
        write!(f, "entry {seq} was not fully written ({what}): {bytes} bytes from byte {offset} of {}", file.display())
    }
}

impl Cut {
    /// Takes the torn bytes off the disk; a segment without a whole header goes entirely.
    pub(super) fn carry_out(&self, files: &dyn Files, folder: &Path) -> Result<(), JournalError> {
        let path = folder.join(&self.file);
        let done = if self.offset == 0 { files.remove(&path) } else { files.truncate(&path, self.offset) };
        done.map_err(|source| JournalError::Disk { doing: "cut the torn end of", path, source })
    }
}

/// Where a walk ended.
pub(super) struct Walked {
    pub head: Head,
    pub tail: Option<Tail>,
    pub segments: u32,
    pub given: u64,
    pub cut: Option<Cut>,
}

struct Walk<'a> {
    files: &'a dyn Files,
    folder: &'a Path,
    known: Head,
    each: &'a mut dyn FnMut(&Entry) -> Result<(), JournalError>,
    walked: Walked,
}

/// Reads from the segment that holds `known` on, and gives the entries after it to `each`.
pub(super) fn walk(
    files: &dyn Files,
    folder: &Path,
    known: Head,
    each: &mut dyn FnMut(&Entry) -> Result<(), JournalError>,
) -> Result<Walked, JournalError> {
    let numbers = segment::list(files, folder)?;
    let first = first_to_read(files, folder, known, &numbers)?;
    let segments = u32::try_from(numbers.len()).expect("segments are numbered by u32");
    let walked = Walked { head: Head::EMPTY, tail: None, segments, given: 0, cut: None };
    let mut walk = Walk { files, folder, known, each, walked };
    for &number in numbers.iter().filter(|&&number| number >= first) {
        walk.segment(number, number == first, number == segments)?;
    }
    let head = walk.walked.head;
    if head.seq < known.seq {
        return Err(walk.apart(format!("the journal ends with entry {}", head.seq)));
    }
    Ok(walk.walked)
}

/// The newest segment that begins at or before the known entry.
fn first_to_read(files: &dyn Files, folder: &Path, known: Head, numbers: &[u32]) -> Result<u32, JournalError> {
    if known.seq == 0 {
        return Ok(1);
    }
    for &number in numbers.iter().rev() {
        let bytes = segment::read(files, folder, number)?;
        let begins_later = bytes.len() < HEADER_BYTES || read_header(folder, number, &bytes)?.first_seq > known.seq;
        if !begins_later {
            return Ok(number);
        }
    }
    Ok(1)
}

pub(super) fn read_header(folder: &Path, number: u32, bytes: &[u8]) -> Result<Header, JournalError> {
    Header::decode(bytes).map_err(|what| damaged(folder, number, 0, what))
}

pub(super) fn damaged(folder: &Path, number: u32, offset: usize, what: String) -> JournalError {
    JournalError::Damaged { file: folder.join(segment::name(number)), offset: offset as u64, what }
}

impl Walk<'_> {
    fn segment(&mut self, number: u32, is_first: bool, is_last: bool) -> Result<(), JournalError> {
        let bytes = segment::read(self.files, self.folder, number)?;
        if bytes.len() < HEADER_BYTES {
            let what = format!("only {} of the segment's first {HEADER_BYTES} bytes are there", bytes.len());
            return if is_last {
                self.walked.segments -= 1;
                self.cut(number, 0, bytes.len(), what);
                Ok(())
            } else {
                Err(damaged(self.folder, number, 0, what))
            };
        }
        let header = read_header(self.folder, number, &bytes)?;
        let start = Head { seq: header.first_seq.saturating_sub(1), hash: header.prev };
        // A walk that begins in the middle takes the first header at its word; the known entry in it then proves it.
        if is_first && number > 1 {
            self.walked.head = start;
        } else if start != self.walked.head {
            let what = format!("it does not continue entry {} of the segment before it", self.walked.head.seq);
            return Err(damaged(self.folder, number, 0, what));
        }
        let end = self.frames(number, &bytes, &header, is_last)?;
        self.walked.tail = Some(Tail { number, len: end as u64, version: header.version, prev: header.prev });
        Ok(())
    }

    /// Reads the frames of one segment; returns where the last whole one ends.
    fn frames(&mut self, number: u32, bytes: &[u8], header: &Header, is_last: bool) -> Result<usize, JournalError> {
        let mut offset = HEADER_BYTES;
        loop {
            match frame::decode(bytes, offset, &header.prev, self.walked.head) {
                Found::End => return Ok(offset),
                Found::Entry(entry, next) => {
                    self.give(&entry)?;
                    offset = next;
                }
                Found::Wrong(what) => return Err(damaged(self.folder, number, offset, what)),
                Found::Torn(what) => {
                    let behind = frame::valid_after(bytes, offset, &header.prev, self.walked.head);
                    if behind.is_some() || !is_last {
                        return Err(damaged(self.folder, number, offset, what));
                    }
                    self.cut(number, offset, bytes.len() - offset, what);
                    return Ok(offset);
                }
            }
        }
    }

    fn give(&mut self, entry: &Entry) -> Result<(), JournalError> {
        self.walked.head = Head { seq: entry.seq, hash: entry.hash };
        if entry.seq == self.known.seq && entry.hash != self.known.hash {
            return Err(self.apart("its hash is another".to_owned()));
        }
        if entry.seq > self.known.seq {
            (self.each)(entry)?;
            self.walked.given += 1;
        }
        Ok(())
    }

    fn apart(&self, what: String) -> JournalError {
        JournalError::Apart { folder: self.folder.to_owned(), known_seq: self.known.seq, what }
    }

    fn cut(&mut self, number: u32, offset: usize, bytes: usize, what: String) {
        self.walked.cut = Some(Cut {
            file: PathBuf::from(segment::name(number)),
            offset: offset as u64,
            bytes: bytes as u64,
            seq: self.walked.head.seq + 1,
            what,
        });
    }
}
