//! The archive: a zip that stores files as they are, in one form only, so that each of its bytes is checked.
//!
//! Nothing is compressed and no date is kept: the bytes follow from the files alone, in every version of this program.
//! Reading takes no more memory than the archive has bytes, whatever it claims.

use std::collections::BTreeMap;
use std::ops::Range;

/// Files by their names, in the order in which they stand in the archive.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Most files of an archive.
pub const FILES_MAX: usize = 10_000;
/// Longest name of a file.
const NAME_BYTES_MAX: usize = 200;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
/// Version needed 1.0, no flags, stored, midnight of 1980-01-01: zip's first day.
const STORED: [u8; 10] = [10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
/// The high byte of the flags of a file whose name is UTF-8; of a plain name nothing needs saying.
const UTF8: u8 = 0x08;
/// Made on Unix.
const MADE_BY: [u8; 2] = [10, 3];
/// A plain file that only its owner reads.
const MODE: u32 = 0o100_600 << 16;

/// The archive would be larger than a zip without extensions can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an archive of {files} files and {bytes} bytes is too large")]
pub struct TooLarge {
    pub files: usize,
    pub bytes: usize,
}

/// Writes the archive; the same files give the same bytes.
///
/// # Errors
/// [`TooLarge`] beyond [`FILES_MAX`] files or 4 GiB.
pub fn pack(files: &Files) -> Result<Vec<u8>, TooLarge> {
    let bytes = files.iter().map(|(name, bytes)| bytes.len() + 2 * name.len() + 200).sum();
    if FILES_MAX < files.len() || u32::try_from(bytes).is_err() {
        return Err(TooLarge { files: files.len(), bytes });
    }
    let (mut out, mut directory) = (Vec::with_capacity(bytes), Vec::new());
    for (name, bytes) in files {
        let offset = small(out.len());
        let facts = facts(name, bytes);
        out.extend(LOCAL);
        out.extend(&facts);
        out.extend([0; 2]);
        out.extend(name.as_bytes());
        out.extend(bytes);
        directory.extend(CENTRAL);
        directory.extend(MADE_BY);
        directory.extend(&facts);
        // No extra field, no comment, first disk, no internal attributes.
        directory.extend([0; 8]);
        directory.extend(MODE.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (count, begins, length) = (small(files.len()), small(out.len()), small(directory.len()));
    out.extend(directory);
    out.extend(END);
    out.extend([0; 4]);
    out.extend(&count.to_le_bytes()[..2]);
    out.extend(&count.to_le_bytes()[..2]);
    out.extend(length.to_le_bytes());
    out.extend(begins.to_le_bytes());
    out.extend([0; 2]);
    Ok(out)
}

/// What both headers of a file say: how it is kept, checksum, length twice, length of the name.
fn facts(name: &str, bytes: &[u8]) -> Vec<u8> {
    let length = small(bytes.len()).to_le_bytes();
    let mut facts = STORED.to_vec();
    if !name.is_ascii() {
        facts[3] |= UTF8;
    }
    facts.extend(crc32fast::hash(bytes).to_le_bytes());
    facts.extend(length);
    facts.extend(length);
    facts.extend(&small(name.len()).to_le_bytes()[..2]);
    facts
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("an archive is smaller than 4 GiB")
}

/// An archive that was read.
#[derive(Clone, Debug)]
pub struct Unpacked {
    pub files: Files,
    /// The first byte that is not as it was written, and what it belongs to.
    pub differs: Option<(usize, String)>,
}

/// Reads an archive that [`pack`] wrote, also a changed one as far as it can be read.
///
/// # Errors
/// One line that says what is there instead, and at which byte.
pub fn unpack(bytes: &[u8]) -> Result<Unpacked, String> {
    let (mut files, mut places, mut offset) = (Files::new(), Vec::new(), 0);
    while bytes[offset..].starts_with(&LOCAL) {
        if files.len() == FILES_MAX {
            return Err(format!("it holds more than {FILES_MAX} files"));
        }
        let (name, content) = file_at(bytes, offset)?;
        let end = content.end;
        if files.insert(name.clone(), bytes[content].to_vec()).is_some() {
            return Err(format!("{name} stands twice in it"));
        }
        places.push((offset..end, name));
        offset = end;
    }
    if files.is_empty() {
        return Err("it is not an evidence archive of Tidegauge: it does not begin with a stored file".to_owned());
    }
    let again = pack(&files).map_err(|error| error.to_string())?;
    let differs = first_difference(bytes, &again).map(|at| {
        let place = places.iter().find(|(range, _)| range.contains(&at));
        (at, place.map_or_else(|| "the directory at its end".to_owned(), |(_, name)| name.clone()))
    });
    Ok(Unpacked { files, differs })
}

fn file_at(bytes: &[u8], offset: usize) -> Result<(String, Range<usize>), String> {
    let short = || format!("it ends inside the file that begins at byte {offset}");
    let header = bytes.get(offset..offset + LOCAL_BYTES).ok_or_else(short)?;
    let length = u32::from_le_bytes([header[18], header[19], header[20], header[21]]) as usize;
    let name_length = usize::from(u16::from_le_bytes([header[26], header[27]]));
    let name_at = offset + LOCAL_BYTES;
    let content_at = name_at + name_length;
    let name = bytes.get(name_at..content_at).ok_or_else(short)?;
    let name = std::str::from_utf8(name).ok().filter(|name| is_plain(name));
    let name = name.ok_or_else(|| format!("the file that begins at byte {offset} has a name that no evidence has"))?;
    let end = content_at.checked_add(length).filter(|end| *end <= bytes.len()).ok_or_else(short)?;
    Ok((name.to_owned(), content_at..end))
}

/// Letters, digits, `.`, `_` and `-`, in folders; never out of the folder it is unpacked into.
pub fn is_plain(name: &str) -> bool {
    let plain = |part: &str| {
        let signs = part.chars().all(|sign| sign.is_ascii_alphanumeric() || "._-".contains(sign));
        signs && !matches!(part, "" | "." | "..")
    };
    name.len() <= NAME_BYTES_MAX && name.split('/').all(plain)
}

fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    let differs = left.iter().zip(right).position(|(left, right)| left != right);
    differs.or_else(|| (left.len() != right.len()).then_some(left.len().min(right.len())))
}
