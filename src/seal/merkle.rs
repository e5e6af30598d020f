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
    match leaves {
        [] => Sha256::digest([]).into(),
        [only] => *only,
        several => {
            let (left, right) = several.split_at(split(several.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The hashes beside the way from the leaf at `index` to the root, lowest first (RFC 6962, 2.1.1); `None`: there is no
/// such leaf.
pub fn proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if leaves.len() <= index {
        return None;
    }
    let (mut part, mut index, mut beside) = (leaves, index, Vec::new());
    while part.len() > 1 {
        let (left, right) = part.split_at(split(part.len()));
        if index < left.len() {
            beside.push(root(right));
            part = left;
        } else {
            beside.push(root(left));
            index -= left.len();
            part = right;
        }
    }
    beside.reverse();
    Some(beside)
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

/// The largest power of two below `count`, which is at least 2.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}
