//! Samples of one server unpacked, each from the ones that it is relative to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::StoreError;
use super::fold::read_row;
use super::kept::{self, SampleRow};
use super::keys::Moment;
use super::kv::Kv;
use super::packing::{self, KEYFRAMES_MAX, Kind, STEPS_MAX};
use crate::domain::sample::Sample;

/// A sample is at most so many steps away from a whole one.
const CHAIN_MAX: u32 = STEPS_MAX + KEYFRAMES_MAX;

/// A packed sample, and the instant of the one that it is relative to.
#[derive(Clone)]
pub(super) struct Packed<'a> {
    pub base_at: Option<Moment>,
    pub bytes: Cow<'a, [u8]>,
}

/// Where the packed samples of a server are found.
pub(super) type PackedAt<'a> = &'a dyn Fn(Moment) -> Result<Packed<'a>, StoreError>;

/// Unpacks samples of one server and remembers the ones that others are relative to.
#[derive(Clone, Default)]
pub(super) struct Unpacker {
    newest: Option<(Moment, Arc<Sample>)>,
    keyframe: Option<(Moment, Arc<Sample>)>,
}

impl Unpacker {
    fn known(&self, at: Moment) -> Option<Arc<Sample>> {
        let both = self.newest.iter().chain(&self.keyframe);
        both.filter(|(known, _)| *known == at).map(|(_, sample)| Arc::clone(sample)).next()
    }

    /// The sample of this instant.
    pub fn sample(&mut self, kv: &Kv, server: &str, at: Moment) -> Result<Arc<Sample>, StoreError> {
        match self.known(at) {
            Some(known) => Ok(known),
            None => Ok(self.load(kv, server, at)?.0),
        }
    }

    /// The sample of this instant, and its row.
    pub fn load(&mut self, kv: &Kv, server: &str, at: Moment) -> Result<(Arc<Sample>, SampleRow), StoreError> {
        let row = read_row(kv, server, at)?;
        Ok((self.unpack(kv, server, at, &row)?, row))
    }

    /// The sample of this instant, whose row this is.
    pub fn unpack(&mut self, kv: &Kv, server: &str, at: Moment, row: &SampleRow) -> Result<Arc<Sample>, StoreError> {
        let of_row = |needed: Moment| {
            let row = read_row(kv, server, needed)?;
            Ok(Packed { base_at: row.base_at, bytes: Cow::Owned(row.bytes) })
        };
        let packed = Packed { base_at: row.base_at, bytes: Cow::Borrowed(row.bytes.as_slice()) };
        self.unpack_from(&of_row, server, at, packed)
    }

    /// The sample of this instant, which is packed so; what it is relative to is looked up where it is not remembered.
    pub fn unpack_from(
        &mut self,
        packed_at: PackedAt<'_>,
        server: &str,
        at: Moment,
        packed: Packed<'_>,
    ) -> Result<Arc<Sample>, StoreError> {
        if kind_of(&packed)? == Kind::Thinned {
            return Err(StoreError::Thinned { server: server.to_owned(), at: kept::instant(at)? });
        }
        if let Some(sample) = self.known(at) {
            return Ok(sample);
        }
        let (mut base_at, mut base) = (packed.base_at, None);
        let mut chain: BTreeMap<Moment, Packed<'_>> = BTreeMap::from([(at, packed)]);
        while let Some(needed) = base_at {
            base = self.known(needed);
            if base.is_some() {
                break;
            }
            let packed = packed_at(needed)?;
            base_at = packed.base_at;
            chain.insert(needed, packed);
            if chain.len() > CHAIN_MAX as usize {
                return Err(kept::odd("a sample", "it is too many steps away from a whole one"));
            }
        }
        // A base is always earlier, so the order of time is the order of unpacking.
        for (moment, packed) in chain {
            let taken_at = kept::instant(moment)?;
            let unpacked = packing::unpack(&packed.bytes, server, taken_at, base.take());
            let sample = Arc::new(unpacked.map_err(|error| kept::odd("a sample", &error.to_string()))?);
            if matches!(kind_of(&packed)?, Kind::Whole | Kind::Keyframe) {
                self.keyframe = Some((moment, Arc::clone(&sample)));
            }
            base = Some(sample);
        }
        let sample = base.ok_or_else(|| kept::odd("a sample", "it is missing"))?;
        self.newest = Some((at, Arc::clone(&sample)));
        Ok(sample)
    }
}

fn kind_of(packed: &Packed<'_>) -> Result<Kind, StoreError> {
    Kind::of(&packed.bytes).map_err(|error| kept::odd("a sample", &error.to_string()))
}
