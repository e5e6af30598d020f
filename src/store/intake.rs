//! Samples on their way in: told from repeats and conflicts, and packed against what is already there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::StoreError;
use super::fact::{Fact, PackedSample};
use super::fold::read_row;
use super::keys::{self, About, Moment};
use super::packing::{self, KEYFRAMES_MAX, Kind, STEPS_MAX, digest};
use super::state::State;
use super::unpacking::Unpacker;
use crate::domain::Instant;
use crate::domain::installation::ServerName;
use crate::domain::sample::Sample;

/// What a sample is to the store.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// Not there yet; record this fact.
    Fresh(Box<Fact>),
    /// The same sample is already there.
    Repeat,
    /// Another sample of this server and instant is already there; nothing is to be recorded.
    Conflict,
}

/// The end of a server's samples: what the next one is packed against.
struct Chain {
    newest: Arc<Sample>,
    keyframe: Arc<Sample>,
    step: u32,
    keyframes: u32,
}

/// Packs samples one after another, each as if those before it were recorded.
pub(super) struct Intake<'a> {
    state: &'a State,
    chains: BTreeMap<ServerName, Option<Chain>>,
    packed: BTreeMap<(ServerName, Instant), Sample>,
}

impl<'a> Intake<'a> {
    pub fn new(state: &'a State) -> Intake<'a> {
        Intake { state, chains: BTreeMap::new(), packed: BTreeMap::new() }
    }

    pub fn take(&mut self, sample: &Sample) -> Result<Taken, StoreError> {
        if let Some(is_same) = self.is_there(sample)? {
            return Ok(if is_same { Taken::Repeat } else { Taken::Conflict });
        }
        let (base_at, bytes) = self.pack(sample)?;
        let (server, taken_at) = (sample.server.clone(), sample.taken_at);
        self.packed.insert((server.clone(), taken_at), sample.clone());
        let digest = base_at.is_none().then(|| digest::digest(sample));
        let sample = PackedSample { server, taken_at, base_at, digest, bytes };
        Ok(Taken::Fresh(Box::new(Fact::SampleTaken { sample })))
    }

    /// Whether the very sample is there already; `None`: none of its server and instant is.
    fn is_there(&self, sample: &Sample) -> Result<Option<bool>, StoreError> {
        if let Some(packed) = self.packed.get(&(sample.server.clone(), sample.taken_at)) {
            return Ok(Some(packed == sample));
        }
        let (kv, server, at) = (&self.state.kv, &sample.server, Moment::of(sample.taken_at));
        if !kv.has(&keys::at(About::Sample, server, sample.taken_at))? {
            return Ok(None);
        }
        let row = read_row(kv, server, at)?;
        Ok(Some(match row.digest {
            Some(there) => there == digest::digest(sample),
            None => *Unpacker::default().unpack(kv, server, at, &row)? == *sample,
        }))
    }

    /// The sample's bytes and the instant they are relative to. A late sample is kept whole and nobody's base.
    fn pack(&mut self, sample: &Sample) -> Result<(Option<Instant>, Vec<u8>), StoreError> {
        let state = self.state;
        let chain = match self.chains.entry(sample.server.clone()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(unknown) => unknown.insert(chain_of(state, &sample.server)?),
        };
        let is_late = chain.as_ref().is_some_and(|chain| sample.taken_at <= chain.newest.taken_at);
        if is_late {
            return Ok((None, packing::pack_whole(sample)));
        }
        let newest = Arc::new(sample.clone());
        let changes = chain.as_ref().and_then(|chain| chain.pack(sample));
        let (base_at, bytes) = match (changes, chain.as_mut()) {
            (Some((Kind::Step, base_at, bytes)), Some(chain)) => {
                *chain = Chain { newest, keyframe: Arc::clone(&chain.keyframe), step: chain.step + 1, ..*chain };
                (Some(base_at), bytes)
            }
            (Some((_, base_at, bytes)), Some(chain)) => {
                let keyframes = chain.keyframes + 1;
                *chain = Chain { keyframe: Arc::clone(&newest), newest, step: 0, keyframes };
                (Some(base_at), bytes)
            }
            (_, _) => {
                *chain = Some(Chain { keyframe: Arc::clone(&newest), newest, step: 0, keyframes: 0 });
                (None, packing::pack_whole(sample))
            }
        };
        Ok((base_at, bytes))
    }
}

impl Chain {
    /// What changed since the sample that is to be the base; `None`: the sample is to be kept whole.
    fn pack(&self, sample: &Sample) -> Option<(Kind, Instant, Vec<u8>)> {
        let (kind, base) = if self.step + 1 < STEPS_MAX {
            (Kind::Step, &self.newest)
        } else if self.keyframes + 1 < KEYFRAMES_MAX {
            (Kind::Keyframe, &self.keyframe)
        } else {
            return None;
        };
        Some((kind, base.taken_at, packing::pack_changes(sample, base, kind)?))
    }
}

fn chain_of(state: &State, server: &str) -> Result<Option<Chain>, StoreError> {
    let prefix = keys::prefix(About::Sample, server);
    let newest_at = state.kv.last_key(&prefix, &keys::end_of(&prefix))?.as_deref().and_then(keys::instant_of);
    let Some(newest_at) = newest_at else { return Ok(None) };
    let at_hand = state.latest(server).filter(|latest| latest.at == newest_at);
    let mut unpacker: Unpacker = at_hand.map(|latest| latest.unpacker.clone()).unwrap_or_default();
    let (newest, row) = unpacker.load(&state.kv, server, Moment::of(newest_at))?;
    let keyframe = unpacker.sample(&state.kv, server, row.keyframe_at)?;
    Ok(Some(Chain { newest, keyframe, step: row.step, keyframes: row.keyframe }))
}
