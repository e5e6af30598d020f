//! Whether a license check gets a key: contract, key, required month, then the gate (design.md section 6).

use chrono::NaiveDate;

use super::Policy;
use super::contract::{Contract, ContractState};
use super::unit::UnitOnFile;
use crate::domain::Instant;
use crate::domain::gate::{GateVerdict, Verdict};
use crate::domain::license::LicenseType;
use crate::domain::license_key::{KeyFile, SCHEMA};
use crate::domain::report::message_id;
use crate::protocol::LicenseCheck;
use crate::rules::eligibility::is_merged;
use crate::rules::license_results::{
    CONTRACT_EXPIRED, CONTRACT_TERMINATED, GENERAL_ERROR, KEY_INVALID, KEY_REVOKED, MERGED_SUPPORT_ID, RECEIVED,
    TYPE_NOT_SUPPORTED, UP_TO_DATE,
};

/// A key with more days left than this is up to date (domain.md 4.4).
const DAYS_LEFT_MAX: i64 = 7;

/// What is answered to a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// A message of `LICENSE_RESULTS`.
    pub message: &'static str,
    pub detail: Option<String>,
    pub gate: Option<GateVerdict>,
    pub issue: Option<KeyFile>,
}

/// Decides one check of a unit of this contract.
pub fn decide(contract: &Contract, unit: &UnitOnFile, check: &LicenseCheck, policy: &Policy, now: Instant) -> Decision {
    let gate = (contract.kind == LicenseType::Rental).then(|| {
        let judged = unit.judged_month(now, policy.deadline_day);
        unit.verdict(&check.unit, judged, policy.tolerance)
    });
    let answered = |message, detail, issue| Decision { message, detail, gate: gate.clone(), issue };
    if let Some((message, detail)) = standing(contract, unit, check, now) {
        return answered(message, detail, None);
    }
    match due(contract, unit, check, now.date_naive()) {
        Due::Nothing => answered(UP_TO_DATE, None, None),
        Due::AtTheEnd(day) => answered(UP_TO_DATE, Some(format!("the key lasts to the contract's end, {day}")), None),
        Due::Again(issued) => answered(RECEIVED, None, Some(reissued(issued, now))),
        Due::Renewal { expires_on } => match gate.as_ref().and_then(|gate| held(unit, gate)) {
            Some(why) => answered(GENERAL_ERROR, Some(why), None),
            None => answered(RECEIVED, None, Some(renewed(contract, unit, check, expires_on, now))),
        },
    }
}

/// What stands against any key, whatever the reports say.
fn standing(
    contract: &Contract,
    unit: &UnitOnFile,
    check: &LicenseCheck,
    now: Instant,
) -> Option<(&'static str, Option<String>)> {
    match contract.state_on(now.date_naive()) {
        ContractState::Terminated => return Some((CONTRACT_TERMINATED, None)),
        ContractState::Expired => return Some((CONTRACT_EXPIRED, None)),
        ContractState::Suspended => {
            return Some((GENERAL_ERROR, Some(format!("contract {} is suspended", contract.id))));
        }
        ContractState::Active => {}
    }
    if let Some(note) = &unit.revoked {
        return Some((KEY_REVOKED, Some(note.why.clone())));
    }
    match contract.kind {
        LicenseType::Rental | LicenseType::Subscription | LicenseType::Perpetual => {}
        LicenseType::Evaluation
        | LicenseType::Nfr
        | LicenseType::Promo
        | LicenseType::Free
        | LicenseType::Empty
        | LicenseType::Unknown => return Some((TYPE_NOT_SUPPORTED, None)),
    }
    let issued = unit.key.as_ref().map(|key| key.serial);
    if check.serial > issued {
        let known = issued.map_or("none".to_owned(), |serial| format!("serials up to {serial}"));
        let installed = check.serial.unwrap_or_default();
        let why = format!("this server issued {known} to this unit, and never the installed key of serial {installed}");
        return Some((KEY_INVALID, Some(why)));
    }
    check.license.support_id.as_deref().is_some_and(is_merged).then_some((MERGED_SUPPORT_ID, None))
}

/// The unit's key, unless it is of a contract that it has left.
fn key_of<'a>(contract: &Contract, unit: &'a UnitOnFile) -> Option<&'a KeyFile> {
    unit.key.as_ref().filter(|key| key.contract_id == contract.id)
}

enum Due<'a> {
    Nothing,
    /// The key ends with the contract, on that day; a further one would be no later.
    AtTheEnd(NaiveDate),
    /// The agent does not have the newest key: it is given again.
    Again(&'a KeyFile),
    Renewal {
        expires_on: NaiveDate,
    },
}

fn due<'a>(contract: &Contract, unit: &'a UnitOnFile, check: &LicenseCheck, today: NaiveDate) -> Due<'a> {
    let key = key_of(contract, unit);
    let (expires_on, points) = match key {
        Some(key) => (Some(key.expires_on), Some(key.points)),
        // What an agent says of a key that is not ours is worth no more than what the contract gives today.
        None => {
            let claimed = check.license.expires_on;
            (claimed.map(|day| day.min(contract.next_expiry(None, today))), check.license.licensed_points)
        }
    };
    let lasting = expires_on.filter(|day| (*day - today).num_days() > DAYS_LEFT_MAX);
    let same_points = points.is_none_or(|points| points == contract.points);
    match (lasting, same_points, key) {
        (Some(_), true, Some(key)) if check.serial < Some(key.serial) => Due::Again(key),
        (Some(_), true, _) => Due::Nothing,
        (Some(expires_on), false, _) => Due::Renewal { expires_on },
        (None, ..) => {
            let next = contract.next_expiry(expires_on, today);
            let as_contracted = |key: &&KeyFile| same_points && key.support_expires_on == contract.support_expires_on;
            match key.filter(as_contracted).filter(|key| next <= key.expires_on) {
                Some(key) if check.serial < Some(key.serial) => Due::Again(key),
                Some(_) => Due::AtTheEnd(next),
                None => Due::Renewal { expires_on: next },
            }
        }
    }
}

/// Why the report stands against a renewal, in one line.
fn held(unit: &UnitOnFile, gate: &GateVerdict) -> Option<String> {
    if unit.owes(gate.month) {
        return Some(format!("the report of {} is missing", gate.month));
    }
    let asked = unit.newest(gate.month).and_then(|report| report.correction.as_ref());
    match (gate.verdict, asked) {
        (Verdict::Open | Verdict::Undetermined, _) => None,
        (Verdict::Held, None) => Some(held_text(gate)),
        (Verdict::Held, Some(note)) => Some(format!("{}; a correction is asked for: {}", held_text(gate), note.why)),
    }
}

/// `held: …` in one line, also the verdict of a receipt.
pub fn held_text(gate: &GateVerdict) -> String {
    let highest = gate.highest_watermark.unwrap_or_default();
    format!(
        "the report of {} is {} points below the highest watermark of {highest}, tolerated are {}",
        gate.month, gate.shortfall, gate.tolerance
    )
}

fn reissued(issued: &KeyFile, now: Instant) -> KeyFile {
    KeyFile { serial: issued.serial + 1, issued_at: now, ..issued.clone() }
}

/// A renewed key: what may not differ is taken from the key before it (domain.md 4.7).
fn renewed(
    contract: &Contract,
    unit: &UnitOnFile,
    check: &LicenseCheck,
    expires_on: NaiveDate,
    now: Instant,
) -> KeyFile {
    let (points, support_expires_on, package) =
        (contract.points, contract.support_expires_on, contract.package.clone());
    let serial = unit.key.as_ref().map_or(0, |before| before.serial) + 1;
    if let Some(before) = key_of(contract, unit) {
        return KeyFile { serial, points, expires_on, support_expires_on, package, issued_at: now, ..before.clone() };
    }
    let mut installation_ids = check.installations.clone();
    installation_ids.sort();
    installation_ids.dedup();
    let license_id = check.license.license_id.clone().filter(|id| !id.is_empty());
    KeyFile {
        schema: SCHEMA.to_owned(),
        license_id: license_id.unwrap_or_else(|| message_id(&check.unit, "license", &contract.id, 1)),
        serial,
        contract_id: contract.id.clone(),
        installation_ids,
        licensed_to: contract.licensed_to.clone(),
        support_id: contract.support_id.clone(),
        kind: contract.kind,
        product: contract.product.clone(),
        edition: contract.edition.clone(),
        package,
        cloud_connect: contract.cloud_connect,
        points,
        issued_at: now,
        expires_on,
        support_expires_on,
    }
}
