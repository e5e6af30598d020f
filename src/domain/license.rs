//! The license block a backup server shows, and the dates that matter.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::Points;
use super::calendar::{Instant, midnight};
use super::license_sections::LicenseSections;

/// The type of a license key, as the field names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LicenseType {
    Rental,
    Subscription,
    Perpetual,
    Evaluation,
    #[serde(alias = "NFR")]
    Nfr,
    Promo,
    Free,
    Empty,
    #[default]
    #[serde(other)]
    Unknown,
}

impl LicenseType {
    pub fn as_str(self) -> &'static str {
        match self {
            LicenseType::Rental => "Rental",
            LicenseType::Subscription => "Subscription",
            LicenseType::Perpetual => "Perpetual",
            LicenseType::Evaluation => "Evaluation",
            LicenseType::Nfr => "NFR",
            LicenseType::Promo => "Promo",
            LicenseType::Free => "Free",
            LicenseType::Empty => "Empty",
            LicenseType::Unknown => "Unknown",
        }
    }

    /// Reads a spelling of the backup servers or the snapshot file; unknown ones are [`LicenseType::Unknown`].
    pub fn parse(text: &str) -> LicenseType {
        use LicenseType::{Empty, Evaluation, Free, Nfr, Perpetual, Promo, Rental, Subscription};
        let all = [Rental, Subscription, Perpetual, Evaluation, Nfr, Promo, Free, Empty];
        all.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text)).unwrap_or_default()
    }

    /// What the key's numbers are: instances for Subscription and Perpetual keys, else points (domain.md 7.1).
    pub fn measure(self) -> Measure {
        match self {
            LicenseType::Subscription | LicenseType::Perpetual => Measure::Instances,
            LicenseType::Rental
            | LicenseType::Evaluation
            | LicenseType::Nfr
            | LicenseType::Promo
            | LicenseType::Free
            | LicenseType::Empty
            | LicenseType::Unknown => Measure::Points,
        }
    }

    /// Only rental keys get a monthly report, auto-submit and gate (design.md section 4).
    pub fn is_reported_monthly(self) -> bool {
        self == LicenseType::Rental
    }
}

/// What a key counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    #[default]
    Points,
    Instances,
}

impl Measure {
    /// As texts and JSON name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Measure::Points => "points",
            Measure::Instances => "instances",
        }
    }

    pub fn is_points(&self) -> bool {
        *self == Measure::Points
    }
}

/// The license block of a sample: what the server said of its key at that instant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct License {
    pub license_id: Option<String>,
    #[serde(rename = "type")]
    pub kind: LicenseType,
    pub product: Option<String>,
    pub edition: Option<String>,
    pub package: Option<String>,
    pub cloud_connect: bool,
    pub licensed_to: Option<String>,
    pub support_id: Option<String>,
    pub installation_id: Option<String>,
    pub licensed_points: Option<Points>,
    /// What the server itself counts as used; compared with our count, never taken for it.
    pub used_points: Option<Points>,
    pub new_points: Option<Points>,
    /// Valid through the end of this GMT day.
    pub expires_on: Option<NaiveDate>,
    pub support_expires_on: Option<NaiveDate>,
    /// The server's own auto update, which makes it report itself to its vendor.
    pub auto_update: Option<bool>,
    #[serde(skip_serializing_if = "LicenseSections::is_empty")]
    pub sections: LicenseSections,
}

impl License {
    /// A = the earlier of license and support expiration; `None` when the key has no dates (domain.md 4.5).
    pub fn anchor(&self) -> Option<NaiveDate> {
        [self.expires_on, self.support_expires_on].into_iter().flatten().min()
    }

    /// Whether the block leaves out what [`License::stand_on`] takes of an earlier one.
    pub fn is_in_want(&self) -> bool {
        self.kind == LicenseType::Unknown || self.edition.is_none()
    }

    /// Takes type, edition and package of an earlier block where this one names none, for reports are owed by the type
    /// and the weights of machines hang on the others (domain.md 2.2); the words for it, when something was taken.
    pub fn stand_on(&mut self, earlier: &License) -> Option<String> {
        let mut taken = Vec::new();
        let is_typeless = self.kind == LicenseType::Unknown && earlier.kind != LicenseType::Unknown;
        if is_typeless {
            self.kind = earlier.kind;
            taken.push(earlier.kind.as_str());
        }
        for (mine, known) in [(&mut self.edition, &earlier.edition), (&mut self.package, &earlier.package)] {
            if let (None, Some(known)) = (&mine, known) {
                taken.push(known.as_str());
                *mine = Some(known.clone());
            }
        }
        let what = if is_typeless { "no type" } else { "no edition" };
        (!taken.is_empty()).then(|| format!("the server names {what} of its license: {} stands", taken.join(" ")))
    }
}

/// The first instant at which a key with this last day is no longer valid.
pub fn invalid_from(expires_on: NaiveDate) -> Instant {
    midnight(expires_on + Days::new(1))
}
