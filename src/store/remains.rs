//! What is left of a sample that was let go by age.

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::kept::{self, KeptSizes, KeptSummary, SampleRow};
use super::keys::Moment;
use super::packing::Kind;
use crate::domain::Instant;

/// A workload, and since when as the server stated.
pub(super) type ToldOf = (String, Option<Instant>);

/// The bytes of a thinned sample.
#[derive(Serialize, Deserialize)]
pub(super) struct Remains {
    pub summary: KeptSummary,
    /// Sizes it stated: for 30 days the largest counts.
    pub sizes: KeptSizes,
    /// Workloads that the ledger knows by this sample, and the date it stated.
    pub told: Vec<(String, Option<Moment>)>,
}

impl Remains {
    /// `None`: the row has the sample itself.
    pub fn of_row(row: &SampleRow) -> Result<Option<Remains>, StoreError> {
        Remains::of_bytes(&row.bytes)
    }

    /// `None`: they are those of a sample.
    pub fn of_bytes(bytes: &[u8]) -> Result<Option<Remains>, StoreError> {
        match Kind::of(bytes) {
            Ok(Kind::Thinned) => kept::from_bytes("a thinned sample", &bytes[1..]).map(Some),
            Ok(Kind::Whole | Kind::Step | Kind::Keyframe) => Ok(None),
            Err(error) => Err(kept::odd("a sample", &error.to_string())),
        }
    }

    /// What it told the ledger.
    pub fn told(&self) -> Vec<ToldOf> {
        self.told.iter().map(|(id, stated)| (id.clone(), stated.and_then(Moment::instant))).collect()
    }
}
