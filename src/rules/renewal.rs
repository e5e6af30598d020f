//! When to ask for a renewed license key, when to stop, and which key may be installed.
//!
//! Pure (domain.md 4.2, 4.5, 4.7; design.md section 4, "License"). A date is valid through the end of its GMT day.

use chrono::{Days, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use super::license_results::Pause;
use crate::domain::Instant;
use crate::domain::calendar::{Month, midnight, rfc3339};
use crate::domain::license::License;
use crate::domain::license_key::KeyFile;
use crate::seal::digest;

/// The regular pause between checks.
const WEEK: TimeDelta = TimeDelta::days(7);
/// The pause from [`DAILY_FROM_DAYS`] before the anchor on.
const DAY: TimeDelta = TimeDelta::hours(24);
/// Checks are daily from so many days before the anchor.
const DAILY_FROM_DAYS: u64 = 7;
/// A held gate no longer keeps the agent from asking from so many days before the anchor.
const ASKS_ANYWAY_DAYS: u64 = 1;
/// A retry is put off by at most so many minutes.
const JITTER_MINUTES_MAX: i64 = 5;
/// A rental key goes on working for so many days after its expiration (domain.md 5.1).
const GRACE_DAYS: u64 = 60;

/// The retry window of a key (domain.md 4.5), as `license window --json` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// A: the earlier of license and support expiration.
    pub anchor: NaiveDate,
    /// N: the days of the anchor's own month, 28 to 31.
    pub days: u32,
    /// The last day of the window, A + N.
    pub ends_on: NaiveDate,
    /// The last day of grace, 60 days from the license expiration; `None` when the license itself never expires.
    pub grace_ends_on: Option<NaiveDate>,
}

impl Window {
    /// The first instant after the window, at which auto update switches itself off.
    pub fn off_at(&self) -> Instant {
        midnight(later(self.ends_on, 1))
    }
}

/// The window of a key with these dates; `None` when it has none.
pub fn window(expires_on: Option<NaiveDate>, support_expires_on: Option<NaiveDate>) -> Option<Window> {
    let dates = License { expires_on, support_expires_on, ..License::default() };
    let anchor = dates.anchor()?;
    let days = Month::of(midnight(anchor)).days();
    let grace_ends_on = expires_on.map(|day| later(day, GRACE_DAYS));
    Some(Window { anchor, days, ends_on: later(anchor, u64::from(days)), grace_ends_on })
}

/// So many days later; the calendar's last day when there is no such day.
fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// So many days earlier; the calendar's first day when there is no such day.
fn earlier(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
}

/// Where a key stands between two renewals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// The key has no dates: asked weekly, never switched off.
    Undated,
    Weekly,
    /// From seven days before the anchor through the anchor's day.
    Daily,
    /// The day of the window, 1 to `of`.
    Retrying {
        day: u32,
        of: u32,
    },
    /// The window is over.
    Over,
}

/// The phase of a key with this window at the instant.
pub fn phase(window: Option<&Window>, at: Instant) -> Phase {
    let Some(window) = window else { return Phase::Undated };
    let day = (at.date_naive() - window.anchor).num_days();
    if at < daily_from(window) {
        Phase::Weekly
    } else if day <= 0 {
        Phase::Daily
    } else if day <= i64::from(window.days) {
        Phase::Retrying { day: u32::try_from(day).expect("1 to 31 just above"), of: window.days }
    } else {
        Phase::Over
    }
}

/// The first instant of the daily checks.
pub fn daily_from(window: &Window) -> Instant {
    midnight(earlier(window.anchor, DAILY_FROM_DAYS))
}

/// Whether the agent asks although the gate is held: held time never uses up the retry window.
pub fn asks_while_held(window: Option<&Window>, at: Instant) -> bool {
    window.is_some_and(|window| asks_anyway_at(window) <= at)
}

/// From then on the gate keeps nobody from asking.
pub fn asks_anyway_at(window: &Window) -> Instant {
    midnight(earlier(window.anchor, ASKS_ANYWAY_DAYS))
}

/// The newest check of a unit's license.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCheck {
    pub at: Instant,
    /// When it is tried again if it failed ([`retry_at`]); `None`: the regular cadence.
    pub retry_at: Option<Instant>,
}

/// When a failed check is tried again: after its pause, and up to five minutes more, drawn from the unit and the hour, so
/// that agents which lost the server together do not come back together. It only adds, and it is recorded.
pub fn retry_at(unit: &str, failed_at: Instant, pause: Pause) -> Instant {
    let drawn = digest::sha256(format!("{unit} {}", rfc3339(failed_at)).as_bytes());
    failed_at + pause.span() + TimeDelta::minutes(i64::from(drawn[0]) % (JITTER_MINUTES_MAX + 1))
}

/// What the renewal of one unit owes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Ask at this instant; it may be in the past.
    Check { at: Instant },
    /// The window is over at this instant without a key: switch auto update off.
    SwitchOff { at: Instant },
}

impl Renewal {
    /// When it is taken.
    pub fn at(self) -> Instant {
        match self {
            Renewal::Check { at } | Renewal::SwitchOff { at } => at,
        }
    }

    /// When it asks; `None`: it asks nobody.
    pub fn asks_at(self) -> Option<Instant> {
        match self {
            Renewal::Check { at } => Some(at),
            Renewal::SwitchOff { .. } => None,
        }
    }
}

/// The next step while auto update is on. `enabled_at` is the instant it was switched on: the first check follows at once.
///
/// min(last + 7 d, max(last + 24 h, A − 7 d)), or the pause of a failed check; never at or after the window's end.
pub fn next_step(window: Option<&Window>, enabled_at: Instant, last: Option<LastCheck>) -> Renewal {
    let check_at = match last {
        None => enabled_at,
        Some(LastCheck { at, .. }) if at < enabled_at => enabled_at,
        Some(LastCheck { retry_at: Some(retry_at), .. }) => retry_at,
        Some(LastCheck { at, retry_at: None }) => match window {
            Some(window) => (at + WEEK).min((at + DAY).max(daily_from(window))),
            None => at + WEEK,
        },
    };
    match window {
        Some(window) if window.off_at() <= check_at => Renewal::SwitchOff { at: window.off_at().max(enabled_at) },
        Some(_) | None => Renewal::Check { at: check_at },
    }
}

/// Auto update of a license: it also turns usage reporting on (domain.md 1, "ALK Update").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    On,
    Off,
}

/// What has a say in the switch.
#[derive(Clone, Copy, Debug, Default)]
pub struct SwitchFacts {
    /// `em_auto_update`, when Enterprise Manager manages the server.
    pub enterprise_manager: Option<Switch>,
    /// The newest order given here, a person's or our own switching off.
    pub ordered: Option<Switch>,
    /// The server's own setting.
    pub server: Option<Switch>,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    EnterpriseManager,
    OrderHere,
    Server,
    /// Nobody: off, as the field has it.
    Default,
}

/// The effective switch: Enterprise Manager's, else the newest order here, else the server's own, else off.
pub fn effective_switch(facts: SwitchFacts) -> (Switch, DecidedBy) {
    let by_rank = [
        (facts.enterprise_manager, DecidedBy::EnterpriseManager),
        (facts.ordered, DecidedBy::OrderHere),
        (facts.server, DecidedBy::Server),
    ];
    let decided = by_rank.into_iter().find_map(|(switch, by)| switch.map(|switch| (switch, by)));
    decided.unwrap_or((Switch::Off, DecidedBy::Default))
}

/// Whether a changed package is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageChange {
    Refused,
    Allowed,
}

/// Why a key is not installed. It counts as an invalid answer, and the old key stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    #[error("the key's {field} is '{new}', the installed key's is '{old}'; only dates and points may differ")]
    Field { field: &'static str, old: String, new: String },
    #[error("the key is for {field} {new}, and here it is {old}; ask the server's operator for this unit's key")]
    OtherUnit { field: &'static str, old: String, new: String },
    #[error("the key's serial {new} is not above the installed key's {old}; only a newer key is installed")]
    Serial { old: u64, new: u64 },
    #[error("the key expires on {new}, before the installed key ({old})")]
    ExpiresEarlier { old: NaiveDate, new: NaiveDate },
    #[error("the key's package is '{new}', the installed key's is '{old}', and the settings do not allow that change")]
    Package { old: String, new: String },
}

/// Whether a unit without a key of ours takes this one: it is of the agent's contract and names one of its servers.
///
/// # Errors
/// The first [`Difference`] that forbids it.
pub fn acceptable_first(new: &KeyFile, contract_id: &str, installations: &[String]) -> Result<(), Difference> {
    if new.contract_id != contract_id {
        let (field, old, new) = ("contract", contract_id.to_owned(), new.contract_id.clone());
        return Err(Difference::OtherUnit { field, old, new });
    }
    let named = &new.installation_ids;
    if named.is_empty() || installations.is_empty() || named.iter().any(|id| installations.contains(id)) {
        return Ok(());
    }
    Err(Difference::OtherUnit { field: "installation", old: installations.join(", "), new: named.join(", ") })
}

/// One thing in which two keys differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub field: String,
    pub before: String,
    pub after: String,
}

/// In what a key differs from the one before it, serial and issuing apart.
pub fn changes(old: &KeyFile, new: &KeyFile) -> Vec<Change> {
    let (before, after) = (changing(old), changing(new));
    let both = before.into_iter().chain(unchanging(old)).zip(after.into_iter().chain(unchanging(new)));
    let differing = both.filter(|((_, before), (_, after))| before != after);
    differing.map(|((field, before), (_, after))| Change { field: field.to_owned(), before, after }).collect()
}

/// Whether `new` may replace `old`: both dates and the points may differ, nothing else (domain.md 4.7).
///
/// A key never goes back: its serial grows and its expiration is not earlier. 4.7 asks for a later expiration; an equal
/// one is accepted, because points and support date change within a term, and because the server gives a key again
/// that was lost on its way. The support date and the points may go down: both follow the contract.
///
/// # Errors
/// The first [`Difference`] that forbids it.
pub fn acceptable(old: &KeyFile, new: &KeyFile, package: PackageChange) -> Result<(), Difference> {
    if new.serial <= old.serial {
        return Err(Difference::Serial { old: old.serial, new: new.serial });
    }
    let unchanging = unchanging(old).into_iter().zip(unchanging(new));
    for ((field, old), (_, new)) in unchanging {
        if old != new {
            return Err(Difference::Field { field, old, new });
        }
    }
    if old.package != new.package && package == PackageChange::Refused {
        let named = |package: &Option<String>| package.clone().unwrap_or_else(|| "none".to_owned());
        return Err(Difference::Package { old: named(&old.package), new: named(&new.package) });
    }
    if new.expires_on < old.expires_on {
        return Err(Difference::ExpiresEarlier { old: old.expires_on, new: new.expires_on });
    }
    Ok(())
}

fn changing(key: &KeyFile) -> [(&'static str, String); 4] {
    let none = || "none".to_owned();
    [
        ("expiration", key.expires_on.to_string()),
        ("support expiration", key.support_expires_on.map_or_else(none, |day| day.to_string())),
        ("points", key.points.to_string()),
        ("package", key.package.clone().unwrap_or_else(none)),
    ]
}

fn unchanging(key: &KeyFile) -> [(&'static str, String); 9] {
    [
        ("license id", key.license_id.clone()),
        ("contract", key.contract_id.clone()),
        ("list of installations", key.installation_ids.join(", ")),
        ("licensee", key.licensed_to.clone()),
        ("Support ID", key.support_id.clone()),
        ("type", key.kind.as_str().to_owned()),
        ("product", key.product.clone()),
        ("edition", key.edition.clone()),
        ("Cloud Connect flag", key.cloud_connect.to_string()),
    ]
}
