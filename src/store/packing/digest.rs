//! The digest of a sample: tells a repeat from a conflict, and binds what is made of a sample to it.
//!
//! ```text
//! digest  = SHA-256("tidegauge sample 2" ‖ server ‖ taken_at ‖ content)
//! content = SHA-256(license ‖ digests of the blocks ‖ counts ‖ …)           a block is hashed once, whoever shares it
//! ```
//! Samples of earlier versions of this program have one SHA-256 over everything in a row; a repeat of one is told too.

use std::sync::Arc;

use super::layout::{KeptCount, digested, kept_parts};
use crate::domain::sample::Sample;
use crate::domain::workload::Workload;
use crate::seal::chain::Hash;
use crate::seal::digest::sha256;

const FORM: &[u8] = b"tidegauge sample 2";

/// The SHA-256 of everything in the sample.
pub(in crate::store) fn digest(sample: &Sample) -> Hash {
    let at = postcard::to_stdvec(&(&sample.server, sample.taken_at)).expect("a sample is plain data");
    sha256(&[FORM, &at, &content(sample)].concat())
}

/// Whether a kept digest is that of the sample, in either form.
pub(in crate::store) fn is_of(kept: &Hash, sample: &Sample) -> bool {
    *kept == digest(sample) || *kept == first_form(sample)
}

/// Of everything but server and instant.
fn content(sample: &Sample) -> Hash {
    let Sample { server: _, taken_at: _, license: _, workloads, counts, vouched, .. } = sample;
    let (license, beyond) = kept_parts(sample);
    let blocks: Vec<Hash> = workloads.blocks().iter().map(|block| block.digest(of_block)).collect();
    let counts: Vec<KeptCount> = counts.iter().map(KeptCount::of).collect();
    let parts = (license, blocks, counts, vouched, sample.restore_points_swept_at, &sample.discrepancies);
    let mut bytes = postcard::to_stdvec(&parts).expect("a sample is plain data");
    bytes.extend(beyond.to_bytes());
    sha256(&bytes)
}

fn of_block(workloads: &[Arc<Workload>]) -> Hash {
    let each: Vec<_> = workloads.iter().map(|workload| digested(workload)).collect();
    sha256(&postcard::to_stdvec(&each).expect("a sample is plain data"))
}

fn first_form(sample: &Sample) -> Hash {
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
