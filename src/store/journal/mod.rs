//! The append-only journal: checksummed, hash-chained entries in segment files, durable before they count.

mod backwards;
mod error;
mod frame;
mod segment;
mod thinning;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::Instant;
use crate::doors::{AppendFile, Files};
use crate::seal::chain::{GENESIS, Hash};
use crate::seal::digest::sha256;

use frame::Joint;
use segment::Version;

pub use backwards::newest_first;
pub use error::JournalError;
pub use frame::{ENTRY_BYTES_MAX, HeaderRead, header_of};
pub use segment::SEGMENT_BYTES_MAX;
pub use thinning::Left;
pub use walk::Cut;

/// One thing that happened. The payload is opaque here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1 without a gap.
    pub seq: u64,
    /// The hash of the entry before it.
    pub prev: Hash,
    pub hash: Hash,
    /// The true clock, in milliseconds.
    pub recorded_at: Instant,
    /// The clock the deed was done by, in milliseconds.
    pub now: Instant,
    /// Who did it: a duty, `user:NAME`, `import`.
    pub actor: String,
    /// What is there of it.
    pub payload: Vec<u8>,
    /// SHA-256 of the payload as it was recorded, when it was thinned to what is there.
    pub thinned_from: Option<Hash>,
}

impl Entry {
    /// The header as it stands in the frame: what its hash covers beside the one before it and the payload's digest.
    pub fn header(&self) -> Vec<u8> {
        let Entry { recorded_at, now, actor, payload, .. } = self;
        frame::header(self.seq, &NewEntry { recorded_at: *recorded_at, now: *now, actor, payload })
    }

    /// SHA-256 of the payload as it was recorded.
    pub fn payload_digest(&self) -> Hash {
        self.thinned_from.unwrap_or_else(|| sha256(&self.payload))
    }
}

/// What is to be appended; instants are cut to milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    pub recorded_at: Instant,
    pub now: Instant,
    pub actor: &'a str,
    pub payload: &'a [u8],
}

/// The newest entry: its number and hash. Number 0 is the empty journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub hash: Hash,
}

impl Head {
    /// The head of a journal without entries.
    pub const EMPTY: Head = Head { seq: 0, hash: GENESIS };
}

/// What opening found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub segments: u32,
    /// Entries given to the reader.
    pub given: u64,
    /// The torn tail that was cut off, if there was one.
    pub cut: Option<Cut>,
}

/// What a full verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub entries: u64,
    pub head: Head,
    pub segments: u32,
    /// A torn tail, which the next opening would cut; also an entry another process is just writing.
    pub torn: Option<Cut>,
}

/// An open journal. One process, one `Journal` per folder.
pub struct Journal {
    files: Arc<dyn Files>,
    folder: PathBuf,
    head: Head,
    tail: Option<Tail>,
    /// The tail's file, opened by the first append, so that a read-only disk can still be read.
    file: Option<Box<dyn AppendFile>>,
    state: Writing,
}

/// The segment that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tail {
    number: u32,
    len: u64,
    version: Version,
    /// Seeds the checksums of its frames.
    prev: Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Open,
    /// An append failed: nobody knows what reached the disk until the journal is read again.
    Unknown,
}

impl Journal {
    /// Reads and verifies everything, giving each entry to `each` in order, segment by segment.
    ///
    /// A torn tail (the last frame of the last segment incomplete or failing its checksum, nothing valid after it)
    /// is cut off and reported.
    ///
    /// # Errors
    /// Damage further inside, with file, offset and what; a failing disk; what `each` returns.
    pub fn open(
        files: Arc<dyn Files>,
        folder: &Path,
        each: &mut dyn FnMut(&Entry) -> Result<(), JournalError>,
    ) -> Result<(Journal, Opened), JournalError> {
        Journal::open_after(files, folder, Head::EMPTY, each)
    }

    /// Like [`Journal::open`], for a reader who has everything up to `known`: earlier segments are not read, only
    /// entries after it are given, and the tail segment is verified.
    ///
    /// # Errors
    /// [`JournalError::Apart`], before anything is given, when the journal does not hold `known`.
    pub fn open_after(
        files: Arc<dyn Files>,
        folder: &Path,
        known: Head,
        each: &mut dyn FnMut(&Entry) -> Result<(), JournalError>,
    ) -> Result<(Journal, Opened), JournalError> {
        let walked = walk::walk(&*files, folder, known, each)?;
        if let Some(cut) = &walked.cut {
            cut.carry_out(&*files, folder)?;
        }
        let opened = Opened { segments: walked.segments, given: walked.given, cut: walked.cut };
        let (head, tail, folder) = (walked.head, walked.tail, folder.to_owned());
        let mut journal = Journal { files, folder, head, tail, file: None, state: Writing::Open };
        journal.settle()?;
        Ok((journal, opened))
    }

    /// Makes durable what was read: a process killed between an append and its sync leaves an entry that reads whole
    /// and that a loss of power would still take, from under the entries after it. A disk that cannot be written can
    /// still be read.
    fn settle(&mut self) -> Result<(), JournalError> {
        let Some(tail) = self.tail else { return Ok(()) };
        let path = self.folder.join(segment::name(tail.number));
        let Ok(mut file) = self.files.append_to(&path) else { return Ok(()) };
        file.sync().map_err(|source| JournalError::Disk { doing: "sync", path, source })?;
        self.file = Some(file);
        Ok(())
    }

    /// Appends one entry; it is durable (synced) on return.
    ///
    /// # Errors
    /// A payload or actor beyond its limit is refused and nothing happened. After a failing disk the journal refuses
    /// further appends until it is opened again: it cannot know what reached the disk.
    pub fn append(&mut self, entry: NewEntry<'_>) -> Result<Head, JournalError> {
        self.append_together(&[entry])
    }

    /// Appends entries with one sync, but for where one segment follows another: all of them are durable on return. Of
    /// those that a kill or a loss of power takes, none is left that follows a lost one.
    ///
    /// # Errors
    /// As [`Journal::append`]; what is refused is refused as a whole.
    pub fn append_together(&mut self, entries: &[NewEntry<'_>]) -> Result<Head, JournalError> {
        match self.state {
            Writing::Open => {}
            Writing::Unknown => return Err(JournalError::MustReopen { folder: self.folder.clone() }),
        }
        entries.iter().try_for_each(frame::check_size)?;
        self.state = Writing::Unknown;
        let mut left = entries;
        while !left.is_empty() {
            left = self.write(left)?;
        }
        self.state = Writing::Open;
        Ok(self.head)
    }

    pub fn head(&self) -> Head {
        self.head
    }

    /// Writes and syncs what goes into the segment that grows; returns the rest.
    fn write<'a, 'b>(&mut self, entries: &'a [NewEntry<'b>]) -> Result<&'a [NewEntry<'b>], JournalError> {
        let version = if entries.len() > 1 { Version::Joined } else { Version::Single };
        let mut tail = match self.tail {
            Some(tail) if tail.len < SEGMENT_BYTES_MAX && version <= tail.version => tail,
            Some(full) => self.begin_segment(full.number + 1, version.max(full.version))?,
            None => self.begin_segment(1, version)?,
        };
        let path = self.folder.join(segment::name(tail.number));
        let failed = |source| JournalError::Disk { doing: "append to", path: path.clone(), source };
        if self.file.is_none() {
            self.file = Some(self.files.append_to(&path).map_err(failed)?);
        }
        let file = self.file.as_mut().expect("the file was opened above");
        let (mut bytes, mut head, mut written) = (Vec::new(), self.head, 0);
        for entry in entries {
            if tail.len + bytes.len() as u64 >= SEGMENT_BYTES_MAX {
                break;
            }
            let joint = if written == 0 { Joint::First } else { Joint::WithTheOneBefore };
            head = frame::encode(&mut bytes, &tail.prev, joint, head, entry);
            written += 1;
        }
        if let Err(source) = file.append(&bytes).and_then(|()| file.sync()) {
            self.file = None;
            // Best effort: after a failed sync the entries may read back and yet not be on the disk.
            let _ = self.files.truncate(&path, tail.len);
            return Err(failed(source));
        }
        tail.len += bytes.len() as u64;
        (self.tail, self.head) = (Some(tail), head);
        Ok(&entries[written..])
    }

    fn begin_segment(&mut self, number: u32, version: Version) -> Result<Tail, JournalError> {
        let header = segment::Header { version, first_seq: self.head.seq + 1, prev: self.head.hash }.encode();
        let path = self.folder.join(segment::name(number));
        self.files.write(&path, &header).map_err(|source| JournalError::Disk {
            doing: "begin",
            path: path.clone(),
            source,
        })?;
        self.file = None;
        Ok(Tail { number, len: header.len() as u64, version, prev: self.head.hash })
    }
}

/// Reads everything and checks frames, checksums and chain; changes nothing.
///
/// # Errors
/// Damage inside, with file, offset and what; a failing disk.
pub fn verify(files: &dyn Files, folder: &Path) -> Result<Verified, JournalError> {
    replay(files, folder, &mut |_| Ok(()))
}

/// Like [`verify`], giving each entry to `each` in order.
///
/// # Errors
/// Damage inside; a failing disk; what `each` returns.
pub fn replay(
    files: &dyn Files,
    folder: &Path,
    each: &mut dyn FnMut(&Entry) -> Result<(), JournalError>,
) -> Result<Verified, JournalError> {
    let walked = walk::walk(files, folder, Head::EMPTY, each)?;
    Ok(Verified { entries: walked.head.seq, head: walked.head, segments: walked.segments, torn: walked.cut })
}

/// Copies a verified journal into an empty folder, leaving out an entry that is just being written.
/// Consistent while another process appends.
///
/// # Errors
/// Damage in the source; a target that already holds a journal; a failing disk.
pub fn copy(files: &dyn Files, from: &Path, to: &Path) -> Result<Verified, JournalError> {
    let failed = |path: &Path, source| JournalError::Disk { doing: "copy to", path: path.to_owned(), source };
    if !segment::list(files, to)?.is_empty() {
        return Err(JournalError::Occupied { folder: to.to_owned() });
    }
    let verified = verify(files, from)?;
    for number in 1..=verified.segments {
        let mut bytes = segment::read(files, from, number)?;
        if let Some(torn) = verified.torn.as_ref().filter(|_| number == verified.segments) {
            bytes.truncate(usize::try_from(torn.offset).unwrap_or(usize::MAX));
        }
        let target = to.join(segment::name(number));
        files.write(&target, &bytes).map_err(|source| failed(&target, source))?;
    }
    verify(files, to)
}
