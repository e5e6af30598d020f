//! The leaves of a report's Merkle tree: one sample each, named by the journal entry that holds it.

use serde::{Deserialize, Serialize};

use super::canonical_of;
use crate::domain::Instant;
use crate::domain::installation::ServerName;
use crate::seal::chain::Hash;
use crate::seal::digest::hex;
use crate::seal::merkle;

/// A sample. Its leaf is the canonical JSON of this, hashed as RFC 6962 hashes leaves.
///
/// The digest is that of the journal entry's payload: the journal's chain covers it, and keeps it even where the payload
/// is let go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leaf {
    pub server: ServerName,
    pub taken_at: Instant,
    /// Hex.
    pub payload_sha256: String,
}

impl Leaf {
    pub fn hash(&self) -> Hash {
        merkle::leaf(&canonical_of(self))
    }
}

/// The root over leaves in their order, hex.
pub fn root(leaves: &[Leaf]) -> String {
    hex(&merkle::root(&hashes(leaves)))
}

pub(super) fn hashes(leaves: &[Leaf]) -> Vec<Hash> {
    leaves.iter().map(Leaf::hash).collect()
}

/// That one leaf stands in the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proof {
    /// Counts from 0.
    pub index: u64,
    pub leaf: Leaf,
    /// Hex, lowest first.
    pub path: Vec<String>,
}

impl Proof {
    /// The proof of the leaf at this place.
    pub fn of(leaves: &[Leaf], tree: &merkle::Tree, index: usize) -> Option<Proof> {
        let path = tree.proof(index)?.iter().map(|hash| hex(hash)).collect();
        Some(Proof { index: index as u64, leaf: leaves.get(index)?.clone(), path })
    }
}
