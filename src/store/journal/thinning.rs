//! Taking payloads out of entries long recorded: headers, hashes and digests stay, so that the chain still verifies.

use super::frame::{self, Found};
use super::segment::{self, HEADER_BYTES, Header};
use super::{Entry, Head, Journal, JournalError, Writing};
use crate::seal::chain::Hash;
use crate::seal::digest::sha256;

/// What is left of all thinned entries together. The chain does not cover what is left of a payload, so an entry that
/// names this digest does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub entries: u64,
    /// SHA-256(digest before ‖ number ‖ SHA-256(what is left)), entry after entry.
    pub digest: Hash,
}

/// Gives an entry's payload with less in it; `None`: it stands as it is.
pub type Lessen<'a> = dyn FnMut(&Entry) -> Result<Option<Vec<u8>>, JournalError> + 'a;

impl Left {
    /// Adds what is left of the next thinned entry.
    #[must_use]
    pub fn with(self, seq: u64, left: &[u8]) -> Left {
        let link = [&self.digest[..], &seq.to_le_bytes(), &sha256(left)].concat();
        Left { entries: self.entries + 1, digest: sha256(&link) }
    }
}

impl Journal {
    /// Takes out of the entries up to this one what `less` does not give back; `None`: the entry stays as it is. Each
    /// segment is replaced whole or not at all, so that a kill in between leaves a journal that reads; thinning it
    /// again goes on.
    ///
    /// # Errors
    /// Damage; a failing disk, after which the journal is to be opened again; what `less` returns.
    pub fn thin(&mut self, through: u64, less: &mut Lessen<'_>) -> Result<Left, JournalError> {
        match self.state {
            Writing::Open => {}
            Writing::Unknown => return Err(JournalError::MustReopen { folder: self.folder.clone() }),
        }
        let mut left = Left::default();
        for number in segment::list(&*self.files, &self.folder)? {
            let bytes = segment::read(&*self.files, &self.folder, number)?;
            let Some(thinned) = self.thinned_segment(number, &bytes, through, less, &mut left)? else { break };
            if thinned != bytes {
                self.replace_segment(number, &thinned)?;
            }
        }
        Ok(left)
    }

    /// The segment with its entries thinned; `None` when it begins behind the last one that may be.
    fn thinned_segment(
        &self,
        number: u32,
        bytes: &[u8],
        through: u64,
        less: &mut Lessen<'_>,
        left: &mut Left,
    ) -> Result<Option<Vec<u8>>, JournalError> {
        let file = self.folder.join(segment::name(number));
        let damaged = |offset: usize, what| JournalError::Damaged { file: file.clone(), offset: offset as u64, what };
        if bytes.len() < HEADER_BYTES {
            return Err(damaged(0, "its header is not whole".to_owned()));
        }
        let header = Header::decode(bytes).map_err(|what| damaged(0, what))?;
        if through < header.first_seq {
            return Ok(None);
        }
        let mut head = Head { seq: header.first_seq.saturating_sub(1), hash: header.prev };
        let mut thinned = bytes[..HEADER_BYTES].to_vec();
        let mut offset = HEADER_BYTES;
        loop {
            let (entry, next) = match frame::decode(bytes, offset, &header.prev, head) {
                Found::End => return Ok(Some(thinned)),
                Found::Entry(entry, next) => (entry, next),
                Found::Torn(what) | Found::Wrong(what) => return Err(damaged(offset, what)),
            };
            let rest = if entry.seq <= through { less(&entry)? } else { None };
            match &rest {
                Some(rest) => thinned.extend(frame::encode_thinned(&header.prev, &entry, rest)),
                None => thinned.extend(&bytes[offset..next]),
            }
            let stands = rest.as_deref().or(entry.thinned_from.map(|_| entry.payload.as_slice()));
            if let Some(stands) = stands {
                *left = left.with(entry.seq, stands);
            }
            head = Head { seq: entry.seq, hash: entry.hash };
            offset = next;
        }
    }

    fn replace_segment(&mut self, number: u32, bytes: &[u8]) -> Result<(), JournalError> {
        let path = self.folder.join(segment::name(number));
        // The file open for appending is the one that is replaced.
        self.file = None;
        self.state = Writing::Unknown;
        let written = self.files.write(&path, bytes);
        written.map_err(|source| JournalError::Disk { doing: "thin", path, source })?;
        if let Some(tail) = self.tail.as_mut().filter(|tail| tail.number == number) {
            tail.len = bytes.len() as u64;
        }
        self.state = Writing::Open;
        Ok(())
    }
}
