//! Orders that are given once however often they arrive: an `Idempotency-Key` and the answer it had.
//!
//! Kept in memory for a day and bounded: after a restart the orders themselves say what was done already.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::body::Bytes;
use axum::http::StatusCode;
use chrono::TimeDelta;

use crate::domain::Instant;

/// An answer is given again for so long.
pub const KEPT_FOR: TimeDelta = TimeDelta::hours(24);
/// Longest key.
pub const KEY_BYTES_MAX: usize = 255;
/// Keys kept at once, and bytes of their answers; beyond, the oldest are forgotten.
const KEYS_MAX: usize = 4096;
const BYTES_MAX: usize = 32 << 20;

/// Whose key it is: two people may use the same.
pub type Whose = (String, String);

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub status: StatusCode,
    pub media_type: String,
    pub body: Bytes,
}

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the order is to be given now, and [`Answers::keep`] or [`Answers::forget`] told.
    Nothing,
    Answered(Given),
    /// It is being obeyed right now.
    UnderWay,
    /// It came with another order.
    Differs,
}

struct Kept {
    since: Instant,
    /// Over the order.
    digest: String,
    /// `None`: under way.
    given: Option<Given>,
}

/// The keys that were used.
#[derive(Default)]
pub struct Answers(Mutex<BTreeMap<Whose, Kept>>);

impl Answers {
    /// Takes a key for an order with this digest.
    pub fn begin(&self, whose: &Whose, digest: &str, now: Instant) -> Known {
        let mut kept = self.kept();
        kept.retain(|_, one| now < one.since + KEPT_FOR);
        match kept.get(whose) {
            Some(one) if one.digest != digest => Known::Differs,
            Some(Kept { given: None, .. }) => Known::UnderWay,
            Some(Kept { given: Some(given), .. }) => Known::Answered(given.clone()),
            None => {
                kept.insert(whose.clone(), Kept { since: now, digest: digest.to_owned(), given: None });
                Known::Nothing
            }
        }
    }

    /// Keeps the answer of an order that was obeyed or refused for good.
    pub fn keep(&self, whose: &Whose, given: Given) {
        let mut kept = self.kept();
        if let Some(one) = kept.get_mut(whose) {
            one.given = Some(given);
        }
        let bytes = |kept: &BTreeMap<Whose, Kept>| -> usize {
            kept.values().filter_map(|one| one.given.as_ref()).map(|given| given.body.len()).sum()
        };
        while KEYS_MAX < kept.len() || BYTES_MAX < bytes(&kept) {
            let answered = kept.iter().filter(|(_, one)| one.given.is_some());
            let Some(oldest) = answered.min_by_key(|(_, one)| one.since).map(|(whose, _)| whose.clone()) else {
                return;
            };
            kept.remove(&oldest);
        }
    }

    /// The order came to nothing that stands: it may be given again.
    pub fn forget(&self, whose: &Whose) {
        self.kept().remove(whose);
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<Whose, Kept>> {
        self.0.lock().expect("nobody panics while holding the keys")
    }
}
