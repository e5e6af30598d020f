//! One entry as bytes: length, checksum, header, hash, payload.
//!
//! ```text
//! u32 length of the body | u32 crc32(segment's hash ‖ length ‖ body) | body
//! body   = header ‖ hash (32) ‖ payload
//!        | header ‖ hash (32) ‖ SHA-256 of the payload (32) ‖ what is left of it     when the length has THINNED set
//! header = version (1) ‖ seq ‖ recorded_at ms ‖ now − recorded_at ms ‖ actor length ‖ actor     (LEB128, signed ones zigzag)
//! ```
//! A length with JOINED set: written together with the frame before it, so that it says nothing of whether that one was synced.
//! The checksum is seeded with the hash the segment continues from, so that a frame of another segment does not pass.

use chrono::DateTime;

use super::{Entry, Head, JournalError, NewEntry};
use crate::domain::Instant;
use crate::seal::chain::{self, Hash};
use crate::seal::digest::sha256;

/// The largest payload.
pub const ENTRY_BYTES_MAX: usize = 64 << 20;
/// The longest actor.
const ACTOR_BYTES_MAX: usize = 200;
const VERSION: u8 = 1;
/// Marks the length of an entry whose payload was thinned.
const THINNED: u32 = 1 << 31;
/// Marks the length of an entry that was written together with the one before it.
const JOINED: u32 = 1 << 30;
/// Bytes before the body.
const LEAD: usize = 8;
/// No body is shorter: version, three numbers, actor length, hash.
const BODY_BYTES_MIN: usize = 5 + 32;
const BODY_BYTES_MAX: usize = ENTRY_BYTES_MAX + ACTOR_BYTES_MAX + 100;

/// What stands at an offset.
pub(super) enum Found {
    /// The segment ends here.
    End,
    /// An entry, and where the next one begins.
    Entry(Box<Entry>, usize),
    /// Incomplete, or its checksum does not hold: a torn write, or damage.
    Torn(String),
    /// The checksum holds, but it is not what must stand here.
    Wrong(String),
}

pub(super) fn check_size(entry: &NewEntry<'_>) -> Result<(), JournalError> {
    let within = |what, bytes, limit| {
        if bytes <= limit { Ok(()) } else { Err(JournalError::TooLarge { what, bytes, limit }) }
    };
    within("an actor", entry.actor.len(), ACTOR_BYTES_MAX)?;
    within("a payload", entry.payload.len(), ENTRY_BYTES_MAX)
}

/// How a frame was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// After everything before it was synced.
    First,
    WithTheOneBefore,
}

/// Adds the frame of the entry after `head`; returns the head with it.
pub(super) fn encode(bytes: &mut Vec<u8>, seed: &Hash, joint: Joint, head: Head, entry: &NewEntry<'_>) -> Head {
    let mark = match joint {
        Joint::First => 0,
        Joint::WithTheOneBefore => JOINED,
    };
    let header = header(head.seq + 1, entry);
    let hash = chain::link(&head.hash, &header, entry.payload);
    put_frame(bytes, seed, mark, &[&header, &hash, entry.payload]);
    Head { seq: head.seq + 1, hash }
}

/// The frame of an entry of which only this is left; its hash stays what it was.
pub(super) fn encode_thinned(seed: &Hash, entry: &Entry, left: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_frame(&mut bytes, seed, THINNED, &[&entry.header(), &entry.hash, &entry.payload_digest(), left]);
    bytes
}

fn put_frame(bytes: &mut Vec<u8>, seed: &Hash, mark: u32, parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let marked = (u32::try_from(len).expect("check_size keeps it below 1 GiB") | mark).to_le_bytes();
    let mut crc = crc_of(seed, marked);
    parts.iter().for_each(|part| crc.update(part));
    bytes.reserve(LEAD + len);
    bytes.extend(marked);
    bytes.extend(crc.finalize().to_le_bytes());
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
}

pub(super) fn header(seq: u64, entry: &NewEntry<'_>) -> Vec<u8> {
    let recorded_at = entry.recorded_at.timestamp_millis();
    let mut header = vec![VERSION];
    put(&mut header, seq);
    put(&mut header, zigzag(recorded_at));
    put(&mut header, zigzag(entry.now.timestamp_millis().wrapping_sub(recorded_at)));
    put(&mut header, entry.actor.len() as u64);
    header.extend(entry.actor.as_bytes());
    header
}

fn crc_of(seed: &Hash, len: [u8; 4]) -> crc32fast::Hasher {
    let mut crc = crc32fast::Hasher::new();
    crc.update(seed);
    crc.update(&len);
    crc
}

fn checksum(seed: &Hash, len: [u8; 4], body: &[u8]) -> u32 {
    let mut crc = crc_of(seed, len);
    crc.update(body);
    crc.finalize()
}

/// Reads the frame at `offset`, which must be the entry after `head`.
pub(super) fn decode(segment: &[u8], offset: usize, seed: &Hash, head: Head) -> Found {
    let rest = &segment[offset..];
    if rest.is_empty() {
        return Found::End;
    }
    let body = match body(rest, seed) {
        Ok(body) => body,
        Err(why) => return Found::Torn(why),
    };
    let next = offset + LEAD + body.bytes.len();
    match entry(body, head) {
        Ok(entry) => Found::Entry(Box::new(entry), next),
        Err(why) => Found::Wrong(why),
    }
}

/// A frame without its lead.
struct Body<'a> {
    bytes: &'a [u8],
    is_thinned: bool,
    is_joined: bool,
}

/// The body of the frame that begins here, its checksum checked.
fn body<'a>(rest: &'a [u8], seed: &Hash) -> Result<Body<'a>, String> {
    let unchecked = unchecked_body(rest)?;
    let len: [u8; 4] = rest[..4].try_into().expect("four bytes");
    if checksum(seed, len, unchecked.bytes).to_le_bytes() != rest[4..LEAD] {
        return Err("the checksum does not hold".to_owned());
    }
    Ok(unchecked)
}

fn unchecked_body(rest: &[u8]) -> Result<Body<'_>, String> {
    if rest.len() < LEAD {
        return Err(format!("only {} bytes of an entry's first {LEAD} are there", rest.len()));
    }
    let marked = u32::from_le_bytes(rest[..4].try_into().expect("four bytes"));
    let len = (marked & !(THINNED | JOINED)) as usize;
    let (is_thinned, is_joined) = (marked & THINNED != 0, marked & JOINED != 0);
    if !(BODY_BYTES_MIN..=BODY_BYTES_MAX).contains(&len) {
        return Err(format!("an entry cannot be {len} bytes long"));
    }
    let bytes = rest.get(LEAD..LEAD + len);
    let bytes = bytes.ok_or_else(|| format!("only {} of an entry's {len} bytes are there", rest.len() - LEAD))?;
    Ok(Body { bytes, is_thinned, is_joined })
}

fn entry(Body { bytes: body, is_thinned, .. }: Body<'_>, head: Head) -> Result<Entry, String> {
    let mut bytes = body;
    let HeaderRead { seq, recorded_at, now, actor } = read_header(&mut bytes)?;
    if seq != head.seq + 1 {
        return Err(format!("entry {} must stand here, not entry {seq}", head.seq + 1));
    }
    let header = &body[..body.len() - bytes.len()];
    let hash: Hash = take(&mut bytes, 32)?.try_into().expect("thirty-two bytes");
    let kept_digest = if is_thinned { Some(take(&mut bytes, 32)?.try_into().expect("thirty-two bytes")) } else { None };
    if chain::link_by_digest(&head.hash, header, &kept_digest.unwrap_or_else(|| sha256(bytes))) != hash {
        return Err(format!("entry {seq} does not continue the hash chain"));
    }
    let payload = bytes.to_vec();
    Ok(Entry { seq, prev: head.hash, hash, recorded_at, now, actor, payload, thinned_from: kept_digest })
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderRead {
    pub seq: u64,
    pub recorded_at: Instant,
    pub now: Instant,
    pub actor: String,
}

/// Reads the header that these bytes are, to their end.
///
/// # Errors
/// One line, whatever the bytes are.
pub fn header_of(bytes: &[u8]) -> Result<HeaderRead, String> {
    let mut rest = bytes;
    let read = read_header(&mut rest)?;
    if rest.is_empty() { Ok(read) } else { Err(format!("{} bytes too many in an entry's header", rest.len())) }
}

fn read_header(bytes: &mut &[u8]) -> Result<HeaderRead, String> {
    let version = take(bytes, 1)?[0];
    if version != VERSION {
        return Err(format!("the entry is of version {version}, this program reads version {VERSION}"));
    }
    let seq = get(bytes)?;
    let recorded_ms = unzigzag(get(bytes)?);
    let now_ms = recorded_ms.wrapping_add(unzigzag(get(bytes)?));
    let actor_len = usize::try_from(get(bytes)?).map_err(|_| "an actor without end")?;
    let actor = String::from_utf8(take(bytes, actor_len)?.to_vec()).map_err(|_| "the actor is no text")?;
    Ok(HeaderRead { seq, recorded_at: instant(recorded_ms)?, now: instant(now_ms)?, actor })
}

/// The offset of a valid frame of a later entry somewhere behind a torn one: then the torn one is damage inside. One that
/// was written together with the one before it proves nothing: power may have taken what stands before it.
pub(super) fn valid_after(segment: &[u8], offset: usize, seed: &Hash, head: Head) -> Option<usize> {
    let later = head.seq + 1..head.seq + 2 + (segment.len() / (LEAD + BODY_BYTES_MIN)) as u64;
    (offset + 1..segment.len()).find(|&start| {
        let rest = &segment[start..];
        let first = unchecked_body(rest).ok().filter(|body| !body.is_joined);
        let seq = first.map(|body| body.bytes).filter(|body| body[0] == VERSION);
        let seq = seq.and_then(|body| get(&mut &body[1..]).ok());
        seq.is_some_and(|seq| later.contains(&seq)) && body(rest, seed).is_ok()
    })
}

fn instant(ms: i64) -> Result<Instant, String> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| format!("{ms} ms is no instant"))
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], String> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or("the entry's header ends early")?;
    *bytes = rest;
    Ok(taken)
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn get(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let byte = take(bytes, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    match take(bytes, 1)?[0] {
        top @ (0 | 1) => Ok(number | u64::from(top) << 63),
        _ => Err("a number without end".to_owned()),
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}
