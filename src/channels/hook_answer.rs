//! What the answer of an endpoint means, by the Standard Webhooks specification.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ask::HttpAnswer;
use crate::domain::Instant;

/// Pauses between the tries of one message: those of the specification in whole minutes, so that its five seconds are
/// one minute. The first try is at once.
pub const PAUSES: [TimeDelta; 9] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];
/// What chance may add to a pause; nothing to the short ones.
const JITTER_MINUTES_MAX: i64 = 5;
/// The pause of an endpoint that asks to be slower and does not say how long.
const SLOWER: TimeDelta = TimeDelta::minutes(5);
/// The longest wait that an endpoint is granted.
const WAIT_MAX: TimeDelta = TimeDelta::hours(24);

/// What an endpoint says by its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// 2xx.
    Taken,
    /// 410: it wants no more messages, ever.
    Gone,
    /// 429, 502, 503, 504: all messages to it wait so long.
    Slower { wait: TimeDelta },
    /// Everything else, redirects too: tried again.
    NotTaken,
}

/// Whether the far side has it: any 2xx.
pub fn is_taken(answer: &HttpAnswer) -> bool {
    (200..300).contains(&answer.status)
}

/// Reads an answer.
pub fn heard(answer: &HttpAnswer, now: Instant) -> Heard {
    match answer.status {
        _ if is_taken(answer) => Heard::Taken,
        410 => Heard::Gone,
        429 | 502..=504 => Heard::Slower { wait: asked_wait(answer, now).unwrap_or(SLOWER) },
        _ => Heard::NotTaken,
    }
}

/// The status, for people; of the answer's other words nothing is kept.
pub fn words(answer: &HttpAnswer) -> String {
    match answer.status {
        status @ 300..=399 => format!("status {status}: a redirect, which is not followed; correct the url"),
        status @ (401 | 403) => format!("status {status}: it does not accept the secret"),
        status => format!("status {status}"),
    }
}

/// `Retry-After` in seconds or as a date, up to a day and rounded up to whole minutes.
fn asked_wait(answer: &HttpAnswer, now: Instant) -> Option<TimeDelta> {
    let text = answer.header("retry-after")?.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => TimeDelta::seconds(i64::from(seconds)),
        Err(_) => DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc) - now,
    };
    let minutes = wait.clamp(TimeDelta::zero(), WAIT_MAX).num_seconds().div_euclid(60) + 1;
    Some(TimeDelta::minutes(minutes).min(WAIT_MAX))
}

/// The most minutes that chance adds to a pause.
pub fn jitter_minutes_max(pause: TimeDelta) -> u64 {
    u64::try_from((pause.num_minutes() / 6).min(JITTER_MINUTES_MAX)).unwrap_or(0)
}
