//! The forms in which derived things are kept, and their coding.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::StoreError;
use super::keys::Moment;
use super::packing::columns::Exact;
use super::squeeze::{squeeze, unsqueeze};
use crate::domain::installation::UnitId;
use crate::domain::sample::{Group, GroupTotal, Summary};
use crate::domain::watermark::{DayMark, HighWatermark};
use crate::domain::{Instant, Points};
use crate::rules::counting::FirstSeen;
use crate::seal::chain::Hash;

/// A sample as it was packed, with its place among the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SampleRow {
    pub base_at: Option<Moment>,
    /// The keyframe that the next one may name as its base; its own instant, if it is one.
    pub keyframe_at: Moment,
    /// Steps since the keyframe.
    pub step: u32,
    /// Keyframes since the last whole sample.
    pub keyframe: u32,
    /// The unit its server belonged to.
    pub unit: Option<KeptUnit>,
    /// Of a sample that is whole, or of which not all is left; else it follows from what is kept.
    pub digest: Option<Hash>,
    pub recorded: RecordedIn,
    pub bytes: Vec<u8>,
}

/// The journal entry that holds a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedIn {
    pub seq: u64,
    /// SHA-256 of the entry's payload; the journal keeps it even where it lets the payload go.
    pub payload: Hash,
}

/// A unit's id in few bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeptUnit {
    Uuid([u8; 16]),
    Other(UnitId),
}

impl KeptUnit {
    pub fn of(id: &str) -> KeptUnit {
        match Uuid::parse_str(id) {
            Ok(uuid) if uuid.to_string() == id => KeptUnit::Uuid(*uuid.as_bytes()),
            Ok(_) | Err(_) => KeptUnit::Other(id.to_owned()),
        }
    }

    pub fn id(&self) -> UnitId {
        match self {
            KeptUnit::Uuid(bytes) => Uuid::from_bytes(*bytes).to_string(),
            KeptUnit::Other(id) => id.clone(),
        }
    }
}

/// What is left of a summary with a sample: itself, or the instant of the sample since which it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeptSummary {
    SameAs(Moment),
    Whole(Vec<KeptGroup>),
}

/// Tenant, type, count, points, new count, new points, rental count, objects that share instances.
pub(super) type KeptGroup = (Option<String>, String, u64, Exact, u64, Exact, u64, u64);

/// Sizes in GB by workload.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct KeptSizes(Vec<(String, Exact)>);

impl KeptSizes {
    pub fn of(sizes: &[(String, Decimal)]) -> KeptSizes {
        KeptSizes(sizes.iter().map(|(id, size)| (id.clone(), Points::new(*size).into())).collect())
    }

    pub fn sizes(&self) -> Result<Vec<(String, Decimal)>, StoreError> {
        self.0.iter().map(|(id, size)| Ok((id.clone(), exact(*size)?.amount()))).collect()
    }
}

/// A ledger row with its history, so that the ledger of any instant can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LedgerRow {
    shown_at: Moment,
    /// Since when a date was known to be stated, and which one.
    stated: Vec<(Moment, Moment)>,
}

impl LedgerRow {
    pub fn first(at: Instant, row: FirstSeen) -> LedgerRow {
        let stated = row.stated_at.map(|stated| (Moment::of(at), Moment::of(stated)));
        LedgerRow { shown_at: Moment::of(row.shown_at), stated: stated.into_iter().collect() }
    }

    /// Adds what a sample at `at` stated.
    pub fn learn(&mut self, at: Instant, row: FirstSeen) {
        self.stated.extend(row.stated_at.map(|stated| (Moment::of(at), Moment::of(stated))));
    }

    /// The row as a sample at this instant left it; `None` when the workload had not been seen.
    pub fn as_of(&self, at: Moment) -> Option<LedgerRow> {
        let stated = self.stated.iter().copied().filter(|(known, _)| *known <= at).collect();
        (self.shown_at <= at).then_some(LedgerRow { shown_at: self.shown_at, stated })
    }

    /// When samples told something of the workload, and the date that each stated.
    pub fn told(&self) -> BTreeMap<Moment, Option<Moment>> {
        let stated = self.stated.iter().map(|(at, stated)| (*at, Some(*stated)));
        std::iter::once((self.shown_at, None)).chain(stated).collect()
    }

    pub fn first_seen(&self) -> Option<FirstSeen> {
        let stated_at = self.stated.last().map(|(_, stated)| stated.instant().ok_or(())).transpose().ok()?;
        Some(FirstSeen { shown_at: self.shown_at.instant()?, stated_at })
    }
}

impl KeptSummary {
    pub fn whole(summary: &Summary) -> KeptSummary {
        KeptSummary::Whole(summary.groups.iter().map(|(group, total)| kept_group(group, *total)).collect())
    }
}

pub(super) fn kept_group((tenant, kind): &Group, total: GroupTotal) -> KeptGroup {
    let GroupTotal { count, points, new_count, new_points, rental_count, sharing } = total;
    let kind = kind.as_str().to_owned();
    (tenant.clone(), kind, count, points.into(), new_count, new_points.into(), rental_count, sharing)
}

pub(super) fn group_of(kept: KeptGroup) -> Result<(Group, GroupTotal), StoreError> {
    let (tenant, kind, count, points, new_count, new_points, rental_count, sharing) = kept;
    let (points, new_points) = (exact(points)?, exact(new_points)?);
    let group = (tenant, kind.parse().expect("every text is a workload type"));
    Ok((group, GroupTotal { count, points, new_count, new_points, rental_count, sharing }))
}

pub(super) fn summary_of(groups: Vec<KeptGroup>) -> Result<Summary, StoreError> {
    let mut summary = Summary::default();
    for kept in groups {
        let (group, total) = group_of(kept)?;
        summary.add(group, total);
    }
    Ok(summary)
}

/// A [`DayMark`] with exact points of any size, without its groups' maxima.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptDay {
    points: Exact,
    at: Moment,
    by_type: Vec<(String, Exact)>,
    samples: BTreeMap<String, u32>,
}

impl KeptDay {
    pub fn of(mark: &DayMark) -> KeptDay {
        let by_type = mark.by_type.iter().map(|(kind, points)| (kind.as_str().to_owned(), (*points).into()));
        KeptDay {
            points: mark.mark.points.into(),
            at: Moment::of(mark.mark.at),
            by_type: by_type.collect(),
            samples: mark.samples.clone(),
        }
    }

    pub fn mark(self, day: NaiveDate, group_maxima: Vec<(Group, Points)>) -> Result<DayMark, StoreError> {
        let kind = |kind: String| kind.parse().expect("every text is a workload type");
        let mark = HighWatermark { points: exact(self.points)?, at: instant(self.at)? };
        let by_type = self.by_type.into_iter().map(|(name, points)| Ok((kind(name), exact(points)?)));
        Ok(DayMark {
            day,
            mark,
            by_type: by_type.collect::<Result<_, StoreError>>()?,
            group_maxima,
            samples: self.samples,
        })
    }
}

pub(super) fn exact(points: Exact) -> Result<Points, StoreError> {
    Points::try_from(points).map_err(|error| odd("points", &error.to_string()))
}

pub(super) fn instant(moment: Moment) -> Result<Instant, StoreError> {
    moment.instant().ok_or_else(|| odd("an instant", "it is outside the calendar"))
}

pub(super) fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    squeeze(&postcard::to_stdvec(value).expect("what is kept is plain data"))
}

pub(super) fn from_bytes<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(&unsqueeze(bytes)?).map_err(|error| odd(what, &error.to_string()))
}

pub(super) fn odd(what: &str, why: &str) -> StoreError {
    StoreError::Odd { what: what.to_owned(), why: why.to_owned() }
}
