//! The Merkle tree of RFC 6962, section 2.1: one hash for many leaves, and the proof that a leaf is among them.

use sha2::{Digest, Sha256};

use super::chain::Hash;

/// Leaves and nodes are hashed apart, so that neither passes for the other.
const LEAF: [u8; 1] = [0];
const NODE: [u8; 1] = [1];
/// No proof of 2⁶⁴ leaves is longer.
const PROOF_MAX: usize = 64;

/// SHA-256(0x00 ‖ leaf).
pub fn leaf(bytes: &[u8]) -> Hash {
    Sha256::new().chain_update(LEAF).chain_update(bytes).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update(NODE).chain_update(left).chain_update(right).finalize().into()
}

/// The root over these leaf hashes; that of none is SHA-256 of nothing.
pub fn root(leaves: &[Hash]) -> Hash {
    Tree::over(leaves.to_vec()).root()
}

/// Every node over leaf hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The leaves first, the root last; a node without one beside it stands in the next level as it is.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    pub fn over(leaves: Vec<Hash>) -> Tree {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above = |pair: &[Hash]| match pair {
                [left, right] => node(left, right),
                alone => alone[0],
            };
            levels.push(level.chunks(2).map(above).collect());
        }
        Tree { levels }
    }

    /// The root; that over no leaves is SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let root = self.levels.last().and_then(|level| level.first());
        root.copied().unwrap_or_else(|| Sha256::digest([]).into())
    }

    /// The hashes beside the way from the leaf at `index` to the root, lowest first (RFC 6962, 2.1.1); `None`: there is
    /// no such leaf.
    pub fn proof(&self, index: usize) -> Option<Vec<Hash>> {
        self.levels.first().filter(|leaves| index < leaves.len())?;
        let beside = |(height, level): (usize, &Vec<Hash>)| level.get((index >> height) ^ 1).copied();
        Some(self.levels.iter().enumerate().filter_map(beside).collect())
    }
}

/// Whether the leaf hash stands at `index` of so many leaves under this root (RFC 9162, 2.1.3.2).
pub fn proves(proof: &[Hash], leaf: &Hash, index: u64, leaves: u64, root: &Hash) -> bool {
    if leaves <= index || proof.len() > PROOF_MAX {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, leaves - 1, *leaf);
    for beside in proof {
        if last == 0 {
            return false;
        }
        if place % 2 == 1 || place == last {
            hash = node(beside, &hash);
            while place % 2 == 0 && place != 0 {
                (place, last) = (place / 2, last / 2);
            }
        } else {
            hash = node(&hash, beside);
        }
        (place, last) = (place / 2, last / 2);
    }
    last == 0 && hash == *root
}
