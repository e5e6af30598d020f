//! The digest of a sample: tells a repeat from a conflict where the sample itself is let go.

use super::layout::{KeptCount, digested, kept_parts};
use crate::domain::sample::Sample;
use crate::seal::chain::Hash;
use crate::seal::digest::sha256;

/// The SHA-256 of everything in the sample.
pub(in crate::store) fn digest(sample: &Sample) -> Hash {
    let Sample {
        server,
        taken_at,
        license: _,
        workloads,
        counts,
        vouched,
        restore_points_swept_at,
        discrepancies,
        stale: _,
    } = sample;
    let (license, beyond) = kept_parts(sample);
    let workloads: Vec<_> = workloads.iter().map(digested).collect();
    let counts: Vec<KeptCount> = counts.iter().map(KeptCount::of).collect();
    let first = (server, taken_at, license, workloads, counts, vouched, restore_points_swept_at, discrepancies);
    let mut bytes = postcard::to_stdvec(&first).expect("a sample is plain data");
    if !beyond.is_empty() {
        bytes.extend(beyond.to_bytes());
    }
    sha256(&bytes)
}
