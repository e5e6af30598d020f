//! Which keys auto update renews, and which it does not and why (domain.md 4.1, 5.7).
//!
//! Pure. The same rule refuses the order `license auto-update on` and keeps the schedule from asking. A person may ask
//! at any time with `license update`: the far side's own words then stand in the history.

use serde::{Deserialize, Serialize};

use crate::domain::license::{License, LicenseType};

/// What eligibility is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Applicant<'a> {
    /// The license that governs the unit.
    pub license: &'a License,
    /// The contract under which the agent is enrolled: it stands in for a Support ID that the server does not show.
    pub enrolled_contract: Option<&'a str>,
    /// The far side's newest word on the key was that it is revoked.
    pub revoked: bool,
}

/// Why a key is not renewed automatically. Its words say what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Ineligible {
    #[error("Community Edition has no key to update; install a Rental, Subscription or Perpetual key first")]
    CommunityEdition,
    #[error(
        "auto update renews Rental, Subscription and Perpetual keys; Evaluation, NFR and Promo keys are renewed by their \
         vendor: install the next one by hand with `license install` or on the backup server"
    )]
    TypeNotSupported,
    #[error("the Support ID joins several contracts (a merged license); ask support to renew or to split it")]
    MergedSupportIds,
    #[error(
        "an old socket key, without instances, is not turned into an instance key; get an instance key by hand and install it"
    )]
    OldKey,
    #[error(
        "the Support ID holds no contract number; enrol under a contract with `enrol --token-file F`, or install a key \
         that names one"
    )]
    NoContract,
    #[error("the key is revoked; ask its issuer, then run `license update` or install another key")]
    Revoked,
    /// Only the order to switch on is refused for it; its words follow the window's end.
    #[error("run `license update` or `license install FILE` first")]
    WindowOver,
}

impl Ineligible {
    /// Every reason that a key gives by itself, in the order in which they are looked for.
    pub const ALL: [Ineligible; 6] = [
        Ineligible::CommunityEdition,
        Ineligible::TypeNotSupported,
        Ineligible::MergedSupportIds,
        Ineligible::OldKey,
        Ineligible::NoContract,
        Ineligible::Revoked,
    ];
}

/// Whether the key is renewed automatically.
///
/// # Errors
/// The first reason against it.
pub fn eligible(applicant: Applicant<'_>) -> Result<(), Ineligible> {
    let license = applicant.license;
    let support_id = license.support_id.as_deref().unwrap_or_default();
    let enrolled = applicant.enrolled_contract.is_some_and(|contract| !contract.trim().is_empty());
    match license.kind {
        LicenseType::Free | LicenseType::Empty => return Err(Ineligible::CommunityEdition),
        LicenseType::Evaluation | LicenseType::Nfr | LicenseType::Promo => return Err(Ineligible::TypeNotSupported),
        // What a server does not say of its key, the far side judges.
        LicenseType::Rental | LicenseType::Subscription | LicenseType::Perpetual | LicenseType::Unknown => {}
    }
    if license.edition.as_deref().is_some_and(|edition| edition.trim().eq_ignore_ascii_case("Community")) {
        return Err(Ineligible::CommunityEdition);
    }
    if is_merged(support_id) {
        return Err(Ineligible::MergedSupportIds);
    }
    let shows_instances = license.licensed_points.is_some_and(|points| !points.is_zero());
    if license.sections.sockets.as_ref().is_some_and(|sockets| sockets.licensed > 0) && !shows_instances {
        return Err(Ineligible::OldKey);
    }
    if !enrolled && !is_contract_number(support_id) {
        return Err(Ineligible::NoContract);
    }
    if applicant.revoked { Err(Ineligible::Revoked) } else { Ok(()) }
}

/// Whether the Support ID holds those of several contracts (domain.md 4.1, 5.7).
pub fn is_merged(support_id: &str) -> bool {
    support_id.trim().contains([',', ';', '+', ' '])
}

/// Whether the Support ID is a real contract number: keys without a contract show nothing, zeros or a word.
fn is_contract_number(support_id: &str) -> bool {
    support_id.chars().any(|sign| ('1'..='9').contains(&sign))
}
