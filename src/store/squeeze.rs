//! Bytes made smaller where it pays: a mark, then the bytes as they are or compressed.

use super::StoreError;

/// Compressing less than this costs more than it saves.
const WORTH_IT_BYTES: usize = 96;
const LEVEL: i32 = 3;
/// No value we ever wrote is larger; a damaged length asks for no more memory.
const BYTES_MAX: usize = 512 << 20;

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// The bytes behind a mark, compressed when that is smaller.
pub(super) fn squeeze(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() >= WORTH_IT_BYTES
        && let Ok(small) = zstd::bulk::compress(bytes, LEVEL)
        && small.len() + 4 < bytes.len()
    {
        let len = u32::try_from(bytes.len()).expect("entries and values stay below 4 GiB");
        return [&[COMPRESSED][..], &len.to_le_bytes(), &small].concat();
    }
    [&[PLAIN][..], bytes].concat()
}

/// What was squeezed.
pub(super) fn unsqueeze(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let odd = |why: &str| StoreError::Odd { what: "a compressed value".to_owned(), why: why.to_owned() };
    match bytes {
        [PLAIN, plain @ ..] => Ok(plain.to_vec()),
        [COMPRESSED, a, b, c, d, small @ ..] => {
            let len = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            if len > BYTES_MAX {
                return Err(odd("it claims to be larger than any value"));
            }
            zstd::bulk::decompress(small, len).map_err(|error| odd(&error.to_string()))
        }
        _ => Err(odd("it has an unknown mark")),
    }
}
