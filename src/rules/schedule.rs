//! What is due, and when: derived from facts each time, never stored (design.md section 3, "The loop").

use chrono::TimeDelta;

use crate::domain::installation::{ServerName, entry_of};
use crate::domain::report::Stage;
use crate::domain::{Instant, IsoWeek, Month};

use super::deadlines::{Deadlines, Due};
use super::reminding;
use super::retention::{self, Keep, RetentionFacts};
use super::working_days::WorkingDays;

pub use super::duty::{Duty, Reminder};

/// A duty with its hour and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub at: Instant,
    pub duty: Duty,
    pub why: String,
}

/// The settings that the schedule obeys.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whole minutes.
    pub sample_interval: TimeDelta,
    /// How old a sample may be and still stand for its server.
    pub basis_max_age: TimeDelta,
    pub deadlines: Deadlines,
    /// On which days people are reminded.
    pub working_days: WorkingDays,
    pub keep: Keep,
}

/// What the schedule knows. Everything comes from the store and the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub servers: Vec<ServerFacts>,
    pub units: Vec<UnitFacts>,
    /// News not yet told: notice, recipient, and when to try.
    pub untold: Vec<(String, String, Instant)>,
    /// Usage that a sink has not taken.
    pub usage_owed: Vec<Planned>,
    /// What was let go by age, and what is to be.
    pub retention: RetentionFacts,
    /// While the clock is doubted nothing is generated or sent.
    pub clock_suspect: bool,
    /// As many samples are being taken as may be at once.
    pub samples_wait: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    pub name: String,
    /// Minutes into the interval at which this installation is sampled.
    pub offset: TimeDelta,
    /// When the first sample is due.
    pub watched_since: Instant,
    pub last_sample_at: Option<Instant>,
    /// The newest miss since the last sample: its instant, and whether trying before the next regular hour is idle: a
    /// person is needed, or it failed too often.
    pub miss: Option<(Instant, bool)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFacts {
    pub id: String,
    pub servers: Vec<String>,
    /// The agent's first own sample; months before it are not owed.
    pub since: Option<Instant>,
    /// The last instant that it owes anything for, when its last server has left it or the settings; `None`: it stands.
    pub left_at: Option<Instant>,
    /// Only rental keys are reported monthly.
    pub monthly: bool,
    /// Whether usage is reported automatically, and since when.
    pub automatic: Option<Instant>,
    /// Whether there is a License Update Server and it knows us.
    pub sends: bool,
    /// VSPC collects and approves the reports of all its servers by itself: there is no reminder window.
    pub reviewed_elsewhere: bool,
    pub reports: Vec<ReportState>,
    /// Months whose reports were forgotten: nothing builds them again.
    pub forgotten: Vec<Month>,
    /// Weeks whose telemetry was taken, newest.
    pub telemetry_through: Option<IsoWeek>,
    /// The oldest week whose telemetry was sealed and not answered: the server may have it already.
    pub telemetry_unanswered: Option<IsoWeek>,
    /// The drawn instant of the oldest week owed.
    pub slot: Option<(IsoWeek, Instant)>,
    /// When the oldest telemetry owed is tried again, after a setback.
    pub telemetry_retry_at: Option<Instant>,
    /// Messages that the License Update Server has no more.
    pub lost: Vec<LostMessage>,
    /// When a license is asked for next; `None`: nobody to ask, or switched off.
    pub license_check_at: Option<Instant>,
    /// When people are told of the license's end or limit; `None`: it has neither.
    pub license_watch_at: Option<Instant>,
    /// Servers whose basis for the month just ended is still awaited (see [`basis_ready_at`]).
    pub basis_waits_until: Option<Instant>,
}

/// A message that the License Update Server gave a receipt for and lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostMessage {
    pub id: String,
    /// What it is, such as `report 2026-10`.
    pub what: String,
    /// When it is sent again: at once, or after a setback.
    pub at: Instant,
}

/// Where a month's newest revision stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportState {
    pub month: Month,
    pub revision: u32,
    pub stage: Stage,
    pub generated_at: Instant,
    pub files_written: bool,
    /// When writing the files is tried again, after a setback.
    pub files_retry_at: Option<Instant>,
    /// The coverage policy lets it go out without a person.
    pub may_go_unseen: bool,
    pub external_done: bool,
    /// Since when it is final ([`super::finality`]).
    pub final_at: Option<Instant>,
    pub last_told_at: Instant,
    pub retry_at: Option<Instant>,
}

/// How long after a failed sample it is tried again, as long as no regular one comes first.
pub const SAMPLE_RETRY: TimeDelta = TimeDelta::minutes(10);
/// The extra sample stands this long before the month's end.
pub const MONTH_END_LEAD: TimeDelta = TimeDelta::minutes(2);

/// Servers that did not answer the last time are asked so many at once: however many hang, the others are asked.
pub const TROUBLED_AT_ONCE_MAX: usize = 8;

/// The earliest duty that is not in flight; its hour may be past, then it is due.
pub fn next_duty(facts: &Facts, policy: &Policy, in_flight: &dyn Fn(&Duty) -> bool) -> Option<Planned> {
    let mut planned = plan(facts, policy);
    let crowded = !troubled_may_be_asked(facts, in_flight);
    planned.retain(|planned| {
        let duty = &planned.duty;
        let waits = waits_for_flight(duty, facts, in_flight)
            || (facts.samples_wait && matches!(duty, Duty::Collect { .. }))
            || (crowded && is_of_troubled(duty, facts));
        !in_flight(duty) && !waits
    });
    planned.into_iter().min_by(|a, b| (a.at, &a.duty).cmp(&(b.at, &b.duty)))
}

/// The next duty of each kind and subject, in the order of their hours; what `status` shows.
pub fn plan(facts: &Facts, policy: &Policy) -> Vec<Planned> {
    let mut planned: Vec<Planned> = facts.servers.iter().map(|server| collect(server, policy)).collect();
    if !facts.clock_suspect {
        for unit in &facts.units {
            months(unit, policy, &mut planned);
            telemetry(unit, &mut planned);
            planned.extend(sent_again(unit));
            planned.extend(license_check(unit));
            planned.extend(license_watch(unit));
        }
        planned.extend(facts.usage_owed.iter().cloned());
        planned.extend(retention::planned(&facts.retention, policy));
    }
    planned.extend(facts.untold.iter().map(|(notice, to, at)| Planned {
        at: *at,
        duty: Duty::Tell { notice: notice.clone(), to: to.clone() },
        why: "news not told yet".to_owned(),
    }));
    planned.sort_by(|a, b| (a.at, &a.duty).cmp(&(b.at, &b.duty)));
    planned
}

/// Whether one more server that did not answer the last time may be asked now.
fn troubled_may_be_asked(facts: &Facts, in_flight: &dyn Fn(&Duty) -> bool) -> bool {
    let troubled = facts.servers.iter().filter(|server| server.miss.is_some());
    let asked = troubled.filter(|server| in_flight(&Duty::Collect { server: server.name.clone() }));
    asked.count() < TROUBLED_AT_ONCE_MAX
}

fn is_of_troubled(duty: &Duty, facts: &Facts) -> bool {
    let Duty::Collect { server } = duty else { return false };
    facts.servers.iter().any(|known| known.name == *server && known.miss.is_some())
}

/// A report waits while a sample of its unit is being taken: that sample may be its basis. Nobody is told of a license
/// that may just be renewed.
fn waits_for_flight(duty: &Duty, facts: &Facts, in_flight: &dyn Fn(&Duty) -> bool) -> bool {
    if let Duty::WatchLicense { unit } = duty {
        return in_flight(&Duty::CheckLicense { unit: unit.clone() });
    }
    let Duty::GenerateReport { unit, .. } = duty else { return false };
    let servers = facts.units.iter().filter(|known| known.id == *unit).flat_map(|unit| &unit.servers);
    servers.clone().any(|server| {
        let asked = [server.as_str(), entry_of(server)];
        asked.into_iter().any(|asked| in_flight(&Duty::Collect { server: asked.to_owned() }))
    })
}

fn collect(server: &ServerFacts, policy: &Policy) -> Planned {
    let covered = server.last_sample_at.unwrap_or(Instant::MIN_UTC + TimeDelta::days(1));
    let (at, why) = match server.miss {
        None if server.last_sample_at.is_none() => (server.watched_since, "the first sample".to_owned()),
        None => (next_sample_at(covered, server.offset, policy), "a sample is due".to_owned()),
        Some((missed_at, waits)) => {
            let regular = next_sample_at(missed_at.max(covered), server.offset, policy);
            if waits {
                (regular, "a sample is due; the last ones failed".to_owned())
            } else {
                (regular.min(missed_at + SAMPLE_RETRY), "the last sample failed".to_owned())
            }
        }
    };
    Planned { at, duty: Duty::Collect { server: server.name.clone() }, why }
}

/// The first instant after `after` at which a sample is due: the grid of the interval, and just before each month's end.
pub fn next_sample_at(after: Instant, offset: TimeDelta, policy: &Policy) -> Instant {
    let step = policy.sample_interval.num_seconds().max(60);
    let offset = offset.num_seconds().rem_euclid(step);
    let past = (after.timestamp() - offset).div_euclid(step);
    let grid = Instant::from_timestamp((past + 1) * step + offset, 0).unwrap_or(after + policy.sample_interval);
    let month_end = Month::of(after).ends_at() - MONTH_END_LEAD;
    if after < month_end { grid.min(month_end) } else { grid }
}

/// Instants of the interval's grid in `[from, to)`: when samples are due, but for the one just before a month's end.
pub fn regular_samples(from: Instant, to: Instant, offset: TimeDelta, policy: &Policy) -> u32 {
    let step = policy.sample_interval.num_seconds().max(60);
    let before = |at: Instant| (at.timestamp() - 1 - offset.num_seconds().rem_euclid(step)).div_euclid(step);
    u32::try_from((before(to) - before(from)).max(0)).unwrap_or(u32::MAX)
}

/// Samples expected in `[from, to)` by the interval alone.
pub fn expected_samples(from: Instant, to: Instant, policy: &Policy) -> u32 {
    let seconds = (to - from).num_seconds().max(0);
    u32::try_from(seconds / policy.sample_interval.num_seconds().max(60)).unwrap_or(u32::MAX)
}

fn months(unit: &UnitFacts, policy: &Policy, planned: &mut Vec<Planned>) {
    let Some(since) = unit.since.filter(|_| unit.monthly) else { return };
    let owed = first_month_owed(unit, since);
    if owes_month(&unit.servers, unit.left_at, owed) {
        planned.push(generate(unit, owed));
    }
    for report in &unit.reports {
        report_duties(unit, report, policy, planned);
    }
}

/// Whether a unit of these servers that owes nothing after `left_at` owes the month. The month in which its last server left
/// for another license goes to that license; where the settings dropped it, the month is still the unit's own.
pub fn owes_month(servers: &[ServerName], left_at: Option<Instant>, month: Month) -> bool {
    let last = if servers.is_empty() { month.ends_at() } else { month.starts_at() };
    left_at.is_none_or(|left_at| last <= left_at)
}

/// The oldest month that never had a report, from the month of the first own sample on.
///
/// Consent plays no part in it: in manual mode, too, the month is built and reviewed (domain.md 3.1). Consent decides
/// what is sent: see [`goes_by_itself`].
pub fn first_month_owed(unit: &UnitFacts, since: Instant) -> Month {
    let mut month = Month::of(since);
    while unit.reports.iter().any(|report| report.month == month) || unit.forgotten.contains(&month) {
        month = month.next();
    }
    month
}

fn generate(unit: &UnitFacts, month: Month) -> Planned {
    let at = month.ends_at().max(unit.basis_waits_until.unwrap_or(Instant::MIN_UTC));
    let why = format!("the report of {month} is built at 00:00 GMT on the 1st");
    Planned { at, duty: Duty::GenerateReport { unit: unit.id.clone(), month }, why }
}

fn report_duties(unit: &UnitFacts, report: &ReportState, policy: &Policy, planned: &mut Vec<Planned>) {
    let mut push = |at: Instant, duty: Duty, why: &str| planned.push(Planned { at, duty, why: why.to_owned() });
    let (id, month) = (unit.id.clone(), report.month);
    if !report.files_written {
        let duty = Duty::WriteFiles { unit: id.clone(), month, revision: report.revision };
        let at = report.files_retry_at.unwrap_or(report.generated_at);
        push(at, duty, "the report's files are not in the Reports folder");
    }
    if let Some((at, why)) = submit_at(unit, report, policy) {
        push(at, Duty::Submit { unit: id.clone(), month }, why);
    }
    if let Some((at, about)) = reminding::next(unit, report, policy) {
        let why = match about {
            Reminder::Review => "the report waits for review",
            Reminder::Overdue => "the deadline has passed and nothing sends the report",
            Reminder::External => "the report is not yet entered in Pulse or the aggregator's portal",
        };
        push(at, Duty::Remind { unit: id, month, about }, why);
    }
}

/// When a report is sent: at once when sealed, else on the auto-submit day if automatic then. One that was sealed by a
/// clock that was ahead is sent at its next try, not at that clock's hour.
fn submit_at(unit: &UnitFacts, report: &ReportState, policy: &Policy) -> Option<(Instant, &'static str)> {
    let retry = report.retry_at.unwrap_or(Instant::MIN_UTC);
    match &report.stage {
        Stage::Sending { sealed_at } => {
            Some((report.retry_at.unwrap_or(*sealed_at), "the sealed report was not answered yet"))
        }
        Stage::AwaitingReview | Stage::Postponed { .. } if reminding::due(unit, report, policy) == Due::AutoSubmit => {
            let at = policy.deadlines.auto_submit_at(report.month).max(report.generated_at).max(retry);
            Some((at, "unsent on the auto-submit day"))
        }
        Stage::AwaitingReview | Stage::Postponed { .. } | Stage::Submitted { .. } => None,
    }
}

fn telemetry(unit: &UnitFacts, planned: &mut Vec<Planned>) {
    let Some(week) = first_week_owed(unit) else { return };
    let (id, retry) = (unit.id.clone(), unit.telemetry_retry_at.unwrap_or(Instant::MIN_UTC));
    match unit.slot.filter(|(drawn, _)| *drawn == week) {
        None => planned.push(Planned {
            at: week.ends_at(),
            duty: Duty::DrawSlot { unit: id, week },
            why: format!("{week} has ended"),
        }),
        Some((_, at)) => planned.push(Planned {
            at: at.max(retry),
            duty: Duty::SendTelemetry { unit: id, week },
            why: format!("the drawn instant for the high watermark of {week}"),
        }),
    }
}

/// The oldest week whose telemetry was not taken: only in automatic mode, and only for samples since consent. What was
/// sealed before consent was taken back is sent until answered once it is given again.
pub fn first_week_owed(unit: &UnitFacts) -> Option<IsoWeek> {
    let since = unit.since.filter(|_| unit.sends)?;
    let since = since.max(unit.automatic?);
    if unit.telemetry_unanswered.is_some() {
        return unit.telemetry_unanswered;
    }
    let first = IsoWeek::of(since);
    let owed = unit.telemetry_through.map_or(first, |through| through.next().max(first));
    unit.left_at.is_none_or(|left_at| owed.starts_at() <= left_at).then_some(owed)
}

/// What the server lost is sent again, only in automatic mode, as all that leaves.
fn sent_again(unit: &UnitFacts) -> impl Iterator<Item = Planned> {
    let may_go = unit.sends && unit.automatic.is_some();
    unit.lost.iter().filter(move |_| may_go).map(|message| Planned {
        at: message.at,
        duty: Duty::SendAgain { unit: unit.id.clone(), message: message.id.clone() },
        why: format!("the License Update Server has {} no more", message.what),
    })
}

fn license_check(unit: &UnitFacts) -> Option<Planned> {
    let at = unit.license_check_at?;
    let why = "the license's cadence".to_owned();
    Some(Planned { at, duty: Duty::CheckLicense { unit: unit.id.clone() }, why })
}

fn license_watch(unit: &UnitFacts) -> Option<Planned> {
    let at = unit.license_watch_at?;
    let why = "the license's dates and limit".to_owned();
    Some(Planned { at, duty: Duty::WatchLicense { unit: unit.id.clone() }, why })
}

/// Until when a report waits for a basis: a server without a fresh sample before the month's end may still give one
/// for `basis_max_age` after it; then the server's policy decides (design.md section 4, "Report of M").
pub fn basis_ready_at(month: Month, has_basis: bool, waits: Option<TimeDelta>, policy: &Policy) -> Option<Instant> {
    (!has_basis).then(|| month.ends_at() + waits.unwrap_or(policy.basis_max_age))
}
