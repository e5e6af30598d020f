//! Segment files: their names, their header, their reading.

use std::path::Path;

use super::JournalError;
use crate::doors::Files;
use crate::seal::chain::Hash;

/// A segment that reached this many bytes gets a successor.
pub const SEGMENT_BYTES_MAX: u64 = 8 << 20;

const MAGIC: [u8; 8] = *b"tidegaug";
const SUFFIX: &str = ".seg";

/// Bytes of a header: magic, version, first number, hash before it, checksum.
pub(super) const HEADER_BYTES: usize = 8 + 1 + 8 + 32 + 4;

/// What frames a segment holds; a program that knows no joined ones must not take them for a torn end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// Each was synced before the next was written.
    Single = 1,
    /// Some were written together with the one before them.
    Joined = 2,
}

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub version: Version,
    pub first_seq: u64,
    /// The hash of the entry before the segment's first.
    pub prev: Hash,
}

impl Header {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.push(self.version as u8);
        bytes.extend(self.first_seq.to_le_bytes());
        bytes.extend(self.prev);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Reads the header at the start of a segment of at least [`HEADER_BYTES`].
    pub fn decode(bytes: &[u8]) -> Result<Header, String> {
        let (body, checksum) = bytes[..HEADER_BYTES].split_at(HEADER_BYTES - 4);
        if !body.starts_with(&MAGIC) {
            return Err("it does not begin as a journal segment".to_owned());
        }
        if crc32fast::hash(body).to_le_bytes() != checksum {
            return Err("the segment's header fails its checksum".to_owned());
        }
        let version = match body[8] {
            1 => Version::Single,
            2 => Version::Joined,
            other => return Err(format!("it is of version {other}, this program reads versions 1 and 2")),
        };
        let first_seq = u64::from_le_bytes(body[9..17].try_into().expect("eight bytes"));
        Ok(Header { version, first_seq, prev: body[17..49].try_into().expect("thirty-two bytes") })
    }
}

/// `00000001.seg`
pub(super) fn name(number: u32) -> String {
    format!("{number:08}{SUFFIX}")
}

/// The segments' numbers: 1, 2, 3 … without a gap. Other files in the folder are not ours and left alone.
pub(super) fn list(files: &dyn Files, folder: &Path) -> Result<Vec<u32>, JournalError> {
    let names =
        files.list(folder).map_err(|source| JournalError::Disk { doing: "list", path: folder.to_owned(), source })?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.strip_suffix(SUFFIX)?.parse().ok()).collect();
    numbers.sort_unstable();
    for (expected, &found) in (1..).zip(&numbers) {
        if found != expected {
            let what = format!("the segment is missing, though {} is there", name(found));
            return Err(JournalError::Damaged { file: folder.join(name(expected)), offset: 0, what });
        }
    }
    Ok(numbers)
}

pub(super) fn read(files: &dyn Files, folder: &Path, number: u32) -> Result<Vec<u8>, JournalError> {
    let path = folder.join(name(number));
    match files.read(&path) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(JournalError::Damaged { file: path, offset: 0, what: "the segment vanished".to_owned() }),
        Err(source) => Err(JournalError::Disk { doing: "read", path, source }),
    }
}
