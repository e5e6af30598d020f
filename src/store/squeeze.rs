//! Bytes made smaller where it pays: a mark, then the bytes as they are or compressed.

use std::borrow::Cow;
use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

use super::StoreError;

/// Compressing less than this costs more than it saves.
const WORTH_IT_BYTES: usize = 96;
const LEVEL: i32 = 3;
/// No value we ever wrote is larger; a damaged length asks for no more memory.
const BYTES_MAX: usize = 512 << 20;

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

thread_local! {
    // Making a context costs more than most values do.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = RefCell::new(Compressor::new(LEVEL).ok());
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = RefCell::new(Decompressor::new().ok());
}

fn compressed(bytes: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| compressor.as_mut()?.compress(bytes).ok())
}

fn decompressed(small: &[u8], len: usize) -> Result<Vec<u8>, String> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        let decompressor = decompressor.as_mut().ok_or("there is no memory for it")?;
        decompressor.decompress(small, len).map_err(|error| error.to_string())
    })
}

/// The bytes behind a mark, compressed when that is smaller.
pub(super) fn squeeze(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() >= WORTH_IT_BYTES
        && let Some(small) = compressed(bytes)
        && small.len() + 4 < bytes.len()
    {
        let len = u32::try_from(bytes.len()).expect("entries and values stay below 4 GiB");
        return [&[COMPRESSED][..], &len.to_le_bytes(), &small].concat();
    }
    [&[PLAIN][..], bytes].concat()
}

/// How many bytes [`unsqueeze`] would give, as they claim.
pub(super) fn claimed_len(bytes: &[u8]) -> usize {
    match bytes {
        [COMPRESSED, a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        other => other.len(),
    }
}

/// What was squeezed.
pub(super) fn unsqueeze(bytes: &[u8]) -> Result<Cow<'_, [u8]>, StoreError> {
    let odd = |why: &str| StoreError::Odd { what: "a compressed value".to_owned(), why: why.to_owned() };
    match bytes {
        [PLAIN, plain @ ..] => Ok(Cow::Borrowed(plain)),
        [COMPRESSED, a, b, c, d, small @ ..] => {
            let len = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            if len > BYTES_MAX {
                return Err(odd("it claims to be larger than any value"));
            }
            decompressed(small, len).map(Cow::Owned).map_err(|why| odd(&why))
        }
        _ => Err(odd("it has an unknown mark")),
    }
}
