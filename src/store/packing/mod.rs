//! A sample as few bytes: whole, or what changed since another one of the same server. Lossless.
//!
//! Nearly every hourly sample repeats the last, so most are some twenty bytes. Every [`STEPS_MAX`]th one names the
//! keyframe before it as its base, and every [`KEYFRAMES_MAX`]th keyframe is whole: a sample is read again by at most
//! so many steps. Strings are stated once and then known by position, so they need no catalogue of their own.

mod changes;
pub(super) mod columns;
mod compact;
pub(super) mod digest;
mod layout;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::Instant;
use crate::domain::sample::Sample;
use crate::domain::workload::Workload;
use crate::domain::workloads::Workloads;

use super::squeeze::{squeeze, unsqueeze};
use changes::Changes;
use columns::{After, Rows};
use compact::{Column, CompactRows, changes_of};
use layout::{Beyond, KeptCount, KeptLicense, kept_parts, license_of};

/// Samples from one keyframe to the next.
pub const STEPS_MAX: u32 = 96;
/// Keyframes from one whole sample to the next.
pub const KEYFRAMES_MAX: u32 = 45;

/// What in the bytes cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the packed sample is damaged at {0}")]
pub struct Unreadable(pub(super) &'static str);

/// What a packed sample is relative to; the first byte of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    /// Relative to the sample before it.
    Step,
    /// Relative to the keyframe before it.
    Keyframe,
    /// Nothing but what [`super::letting_go`] leaves of it.
    Thinned,
}

const KINDS: [(Kind, u8); 4] = [(Kind::Whole, 0), (Kind::Step, 1), (Kind::Keyframe, 2), (Kind::Thinned, 3)];

impl Kind {
    pub fn of(bytes: &[u8]) -> Result<Kind, Unreadable> {
        let found = KINDS.iter().find(|(_, mark)| bytes.first() == Some(mark));
        found.map(|(kind, _)| *kind).ok_or(Unreadable("its first byte"))
    }
}

#[derive(Serialize, Deserialize)]
enum Packed {
    Whole {
        license: Box<KeptLicense>,
        rows: Box<Rows>,
        rest: Rest,
    },
    /// What stands beside the first layout is that of the base.
    Changed {
        license: Option<Box<KeptLicense>>,
        changes: Option<Box<Changes>>,
        rest: Option<Rest>,
    },
    /// The bytes of any of the others, and what stands beside the first layout.
    With {
        beyond: Vec<u8>,
        packed: Vec<u8>,
    },
    /// Whole, in the second layout.
    Compact {
        license: Box<KeptLicense>,
        rows: Box<CompactRows>,
        rest: Rest,
    },
    /// Changed, in the second layout. A sample in which nothing changed at all has no bytes.
    Few {
        license: Option<Box<KeptLicense>>,
        columns: Vec<Column>,
        rest: Option<Rest>,
    },
}

/// What is stated whole when it changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rest {
    counts: Vec<KeptCount>,
    vouched: bool,
    swept: Option<After>,
    discrepancies: Vec<String>,
}

impl Rest {
    fn of(sample: &Sample) -> Rest {
        Rest {
            counts: sample.counts.iter().map(KeptCount::of).collect(),
            vouched: sample.vouched,
            swept: sample.restore_points_swept_at.map(|at| After::of(at, Instant::UNIX_EPOCH)),
            discrepancies: sample.discrepancies.clone(),
        }
    }
}

/// The whole sample, without its server and instant.
pub(super) fn pack_whole(sample: &Sample) -> Vec<u8> {
    let (license, beyond) = kept_parts(sample);
    let rows = Rows::of(&sample.workloads.iter().collect::<Vec<_>>(), sample.taken_at);
    let rows = Box::new(CompactRows::from(rows));
    let packed = Packed::Compact { license: Box::new(license), rows, rest: Rest::of(sample) };
    encode(Kind::Whole, &packed.with(&beyond, &Beyond::default()))
}

/// What changed since `base`; `None` when the two cannot be compared by position.
pub(super) fn pack_changes(sample: &Sample, base: &Sample, kind: Kind) -> Option<Vec<u8>> {
    if !sample.workloads.are_sorted() || !base.workloads.are_sorted() {
        return None;
    }
    let rest = Rest::of(sample);
    let ((license, beyond), (base_license, base_beyond)) = (kept_parts(sample), kept_parts(base));
    let license = (license != base_license).then(|| Box::new(license));
    let columns: Vec<Column> = Changes::between(&base.workloads, &sample.workloads, sample.taken_at).into();
    let rest = (rest != Rest::of(base)).then_some(rest);
    if license.is_none() && columns.is_empty() && rest.is_none() && beyond == base_beyond {
        return Some(marked(kind, &[]));
    }
    let packed = Packed::Few { license, columns, rest };
    Some(encode(kind, &packed.with(&beyond, &base_beyond)))
}

impl Packed {
    /// Stated only where it is another than is known without it.
    fn with(self, beyond: &Beyond, known: &Beyond) -> Packed {
        if beyond == known { self } else { Packed::With { beyond: beyond.to_bytes(), packed: plain(&self) } }
    }
}

/// The sample again. `base` is the one it was packed against.
///
/// # Errors
/// [`Unreadable`] for bytes that no sample was packed into, or another base.
pub(super) fn unpack(
    bytes: &[u8],
    server: &str,
    taken_at: Instant,
    base: Option<Arc<Sample>>,
) -> Result<Sample, Unreadable> {
    Kind::of(bytes)?;
    if let ([_], Some(base)) = (bytes, &base) {
        return Ok(Sample { server: server.to_owned(), taken_at, ..Sample::clone(base) });
    }
    let plain = unsqueeze(&bytes[1..]).map_err(|_| Unreadable("its compression"))?;
    let read = |bytes: &[u8]| postcard::from_bytes::<Packed>(bytes).map_err(|_| Unreadable("its coding"));
    let (stated, packed) = match read(&plain)? {
        Packed::With { beyond, packed } => (Some(Beyond::of_bytes(&beyond)?), read(&packed)?),
        packed => (None, packed),
    };
    match packed {
        Packed::Whole { license, rows, rest } => {
            let beyond = stated.unwrap_or_default();
            sample_of(server, taken_at, (*license, beyond), rows.workloads(taken_at)?.into(), rest)
        }
        Packed::Compact { license, rows, rest } => {
            let (beyond, rows) = (stated.unwrap_or_default(), Rows::from(*rows));
            sample_of(server, taken_at, (*license, beyond), rows.workloads(taken_at)?.into(), rest)
        }
        Packed::Changed { license, changes, rest } => {
            let base = base.ok_or(NO_BASE)?;
            sample_after(server, taken_at, &base, (license, changes.map(|changes| *changes), rest, stated))
        }
        Packed::Few { license, columns, rest } => {
            let base = base.ok_or(NO_BASE)?;
            let changes = if columns.is_empty() { None } else { Some(changes_of(columns)?) };
            sample_after(server, taken_at, &base, (license, changes, rest, stated))
        }
        Packed::With { .. } => Err(Unreadable("its coding, which is nested")),
    }
}

const NO_BASE: Unreadable = Unreadable("its base, which is missing");

/// What differs from a base: license, workloads, the rest, what stands beside the first layout.
type Different = (Option<Box<KeptLicense>>, Option<Changes>, Option<Rest>, Option<Beyond>);

fn sample_after(
    server: &str,
    taken_at: Instant,
    base: &Sample,
    (license, changes, rest, stated): Different,
) -> Result<Sample, Unreadable> {
    let workloads = match changes {
        Some(changes) => changes.applied_to(&base.workloads, taken_at)?,
        None => base.workloads.clone(),
    };
    if license.is_none() && rest.is_none() && stated.is_none() && !base.workloads.is_any_sized() {
        return Ok(Sample { server: server.to_owned(), taken_at, workloads, ..base.clone() });
    }
    let (base_license, base_beyond) = kept_parts(base);
    let license = license.map_or(base_license, |license| *license);
    let beyond = stated.unwrap_or(base_beyond);
    let rest = rest.unwrap_or_else(|| Rest::of(base));
    sample_of(server, taken_at, (license, beyond), workloads, rest)
}

fn sample_of(
    server: &str,
    taken_at: Instant,
    (license, mut beyond): (KeptLicense, Beyond),
    workloads: Workloads,
    rest: Rest,
) -> Result<Sample, Unreadable> {
    let sized = std::mem::take(&mut beyond.unstructured);
    let workloads = if sized.is_empty() && !workloads.is_any_sized() {
        workloads
    } else {
        workloads.with(|at, workload| {
            let stated = sized.get(&at);
            let unstructured = || stated.cloned();
            (workload.unstructured.as_ref() != stated)
                .then(|| Workload { unstructured: unstructured(), ..workload.clone() })
        })
    };
    Ok(Sample {
        server: server.to_owned(),
        taken_at,
        license: license_of(license, &beyond),
        workloads,
        counts: rest.counts.into_iter().map(KeptCount::count).collect(),
        vouched: rest.vouched,
        restore_points_swept_at: rest.swept.map(|after| after.from(Instant::UNIX_EPOCH)).transpose()?,
        discrepancies: rest.discrepancies,
        stale: beyond.stale,
    })
}

fn encode(kind: Kind, packed: &Packed) -> Vec<u8> {
    marked(kind, &squeeze(&plain(packed)))
}

/// Bytes behind the mark of their kind.
pub(super) fn marked(kind: Kind, bytes: &[u8]) -> Vec<u8> {
    let mark = KINDS.iter().find(|(of, _)| *of == kind).map(|(_, mark)| *mark).expect("every kind is in the table");
    [&[mark][..], bytes].concat()
}

fn plain(packed: &Packed) -> Vec<u8> {
    postcard::to_stdvec(packed).expect("a packed sample is plain data")
}
