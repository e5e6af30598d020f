//! Facts as the payload of a journal entry, and back.

use std::borrow::Cow;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::StoreError;
use super::fact::{Checkpoint, Fact, LettingGo, PackedSample, ThinnedSample};
use super::journal::Entry;
use super::keys::Moment;
use super::squeeze::{self, squeeze, unsqueeze};
use crate::domain::Instant;
use crate::seal::chain::Hash;
use crate::seal::digest::hex;

const VERSION: u8 = 1;

/// Facts are kept as JSON, which outlives this program; samples as their packed bytes.
#[derive(Clone, Serialize, Deserialize)]
enum LineOf<Text, Bytes> {
    Fact(Text),
    Sample {
        server: Text,
        taken_at: Moment,
        base_at: Option<Moment>,
        digest: Hash,
        bytes: Bytes,
    },
    /// What is left of a sample.
    Thinned(ThinnedOf<Text, Bytes>),
    /// Everything but the samples as JSON, then they.
    Checkpoint(Text, Vec<ThinnedOf<Text, Bytes>>),
    /// A sample relative to the one of so many seconds before; its digest follows.
    Step(Text, Moment, u32, Bytes),
    /// The same where the seconds are no whole number.
    Based(Text, Moment, Moment, Bytes),
}

type Line = LineOf<String, Vec<u8>>;

#[derive(Clone, Serialize, Deserialize)]
struct ThinnedOf<Text, Bytes> {
    server: Text,
    taken_at: Moment,
    digest: Hash,
    left: Bytes,
}

type Thinned = ThinnedOf<String, Vec<u8>>;

impl Thinned {
    fn of(sample: &ThinnedSample) -> Thinned {
        let ThinnedSample { server, taken_at, digest, left } = sample.clone();
        Thinned { server, taken_at: Moment::of(taken_at), digest, left }
    }

    fn sample(self) -> Result<ThinnedSample, String> {
        let Thinned { server, taken_at, digest, left } = self;
        Ok(ThinnedSample { server, taken_at: taken_at.instant().ok_or(NO_INSTANT)?, digest, left })
    }
}

fn instant(moment: Moment) -> Result<Instant, String> {
    moment.instant().ok_or_else(|| NO_INSTANT.to_owned())
}

const NO_INSTANT: &str = "an instant that is none";

pub(super) fn encode(facts: &[Fact]) -> Vec<u8> {
    of_lines(&facts.iter().map(line_of).collect::<Vec<Line>>())
}

fn of_lines(lines: &[Line]) -> Vec<u8> {
    let plain = postcard::to_stdvec(lines).expect("facts are plain data");
    [&[VERSION][..], &squeeze(&plain)].concat()
}

/// What an entry says happened.
///
/// # Errors
/// A payload of a later version of this program.
pub fn facts_of(entry: &Entry) -> Result<Vec<Fact>, StoreError> {
    decode(&entry.payload)
}

/// # Errors
/// A payload that [`encode`] did not make, or one of a later version of this program.
pub(super) fn decode(payload: &[u8]) -> Result<Vec<Fact>, StoreError> {
    lines_of(payload)?.into_iter().map(|line| fact_of(line).map_err(odd)).collect()
}

fn lines_of(payload: &[u8]) -> Result<Vec<Line>, StoreError> {
    postcard::from_bytes(&plain_of(payload)?).map_err(|error| odd(error.to_string()))
}

fn plain_of(payload: &[u8]) -> Result<Cow<'_, [u8]>, StoreError> {
    match payload {
        [VERSION, squeezed @ ..] => unsqueeze(squeezed),
        _ => Err(odd("a later version of this program wrote it, or another program".to_owned())),
    }
}

/// What of an entry bears on how samples count.
pub(super) enum Bearing<'a> {
    Sample {
        server: &'a str,
        at: Moment,
        base_at: Option<Moment>,
        bytes: &'a [u8],
    },
    /// What is left of a sample, in its own entry.
    Thinned {
        server: &'a str,
        at: Moment,
        left: &'a [u8],
    },
    /// What a checkpoint leaves of a sample that was recorded before.
    Left {
        server: &'a str,
        at: Moment,
        left: &'a [u8],
    },
    /// A unit was formed or something was let go; now and then another fact.
    Fact(Box<Fact>),
}

/// Words that facts hold which bear on how samples count; others hold them by chance.
const BEAR: [&str; 2] = ["unit_formed", "let_go"];

/// Gives what bears on how samples count to `each`, in order; of the rest nothing is read.
///
/// # Errors
/// As [`decode`]; what `each` returns.
pub(super) fn each_bearing(
    payload: &[u8],
    each: &mut dyn FnMut(Bearing<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let plain = plain_of(payload)?;
    let lines: Vec<LineOf<&str, &[u8]>> = postcard::from_bytes(&plain).map_err(|error| odd(error.to_string()))?;
    for line in lines {
        match line {
            LineOf::Sample { server, taken_at: at, base_at, bytes, .. } => {
                each(Bearing::Sample { server, at, base_at, bytes })?;
            }
            LineOf::Step(server, at, seconds, bytes) => {
                let base_at = Some(at.before(seconds));
                each(Bearing::Sample { server, at, base_at, bytes })?;
            }
            LineOf::Based(server, at, base_at, bytes) => {
                each(Bearing::Sample { server, at, base_at: Some(base_at), bytes })?;
            }
            LineOf::Thinned(ThinnedOf { server, taken_at: at, left, .. }) => {
                each(Bearing::Thinned { server, at, left })?;
            }
            LineOf::Checkpoint(json, samples) => {
                let fact = fact_of(Line::Checkpoint(json.to_owned(), Vec::new())).map_err(odd)?;
                each(Bearing::Fact(Box::new(fact)))?;
                for ThinnedOf { server, taken_at: at, left, .. } in samples {
                    each(Bearing::Left { server, at, left })?;
                }
            }
            LineOf::Fact(json) if BEAR.iter().any(|word| json.contains(word)) => {
                let fact = fact_of(Line::Fact(json.to_owned())).map_err(odd)?;
                each(Bearing::Fact(Box::new(fact)))?;
            }
            LineOf::Fact(_) => {}
        }
    }
    Ok(())
}

fn odd(why: String) -> StoreError {
    StoreError::Odd { what: "an entry's payload".to_owned(), why }
}

/// The facts of a payload as JSON, in the words they were recorded in; a sample without its bytes.
///
/// # Errors
/// One line, whatever the bytes are.
pub fn shown(payload: &[u8]) -> Result<Vec<Value>, String> {
    lines_of(payload).map_err(|error| error.to_string())?.into_iter().map(shown_line).collect()
}

/// How many bytes a payload claims to hold, so that foreign ones are not unpacked without a bound.
pub fn claimed_len(payload: &[u8]) -> usize {
    squeeze::claimed_len(payload.get(1..).unwrap_or_default())
}

fn shown_line(line: Line) -> Result<Value, String> {
    match line {
        Line::Fact(json) => serde_json::from_str(&json).map_err(|error| error.to_string()),
        Line::Sample { server, taken_at, base_at, digest, bytes } => Ok(json!({
            "fact": "sample_taken",
            "server": server,
            "taken_at": taken_at.instant(),
            "base_at": base_at.and_then(Moment::instant),
            "digest": hex(&digest),
            "bytes": bytes.len(),
        })),
        Line::Step(..) | Line::Based(..) => match fact_of(line)? {
            Fact::SampleTaken { sample } => Ok(json!({
                "fact": "sample_taken",
                "server": sample.server,
                "taken_at": sample.taken_at,
                "base_at": sample.base_at,
                "bytes": sample.bytes.len(),
            })),
            _ => Err(NO_INSTANT.to_owned()),
        },
        Line::Thinned(Thinned { server, taken_at, digest, .. }) => Ok(json!({
            "fact": "let_go",
            "deed": {
                "deed": "sample_thinned",
                "server": server,
                "taken_at": taken_at.instant(),
                "digest": hex(&digest),
            },
        })),
        Line::Checkpoint(json, samples) => {
            let checkpoint: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
            let samples = samples.len();
            let deed = json!({"deed": "checkpoint", "checkpoint": checkpoint, "samples": samples});
            Ok(json!({"fact": "let_go", "deed": deed}))
        }
    }
}

/// Says of each fact of a payload what is left of it.
pub(super) type LessOf<'a> = dyn FnMut(&[Fact]) -> Result<Vec<Less>, StoreError> + 'a;

/// The payload with some of its facts changed; `None`: none was. Facts that stand keep the words they were recorded in.
pub(super) fn thinned(payload: &[u8], less: &mut LessOf<'_>) -> Result<Option<Vec<u8>>, StoreError> {
    let lines = lines_of(payload)?;
    let facts: Vec<Fact> = lines.iter().cloned().map(fact_of).collect::<Result<_, _>>().map_err(odd)?;
    let less = less(&facts)?;
    if less.iter().all(|less| matches!(less, Less::Stands)) {
        return Ok(None);
    }
    let left = lines.into_iter().zip(less).filter_map(|(line, less)| match less {
        Less::Stands => Some(line),
        Less::Is(fact) => Some(line_of(&fact)),
        Less::Gone => None,
    });
    Ok(Some(of_lines(&left.collect::<Vec<Line>>())))
}

/// What is left of a fact.
pub(super) enum Less {
    Stands,
    Is(Box<Fact>),
    Gone,
}

fn line_of(fact: &Fact) -> Line {
    match fact {
        Fact::SampleTaken { sample } => line_of_sample(sample),
        Fact::LetGo { deed: LettingGo::SampleThinned { sample } } => Line::Thinned(Thinned::of(sample)),
        Fact::LetGo { deed: LettingGo::Checkpoint { checkpoint } } => {
            let rest = Checkpoint { samples: Vec::new(), ..checkpoint.clone() };
            let json = serde_json::to_string(&rest).expect("facts are plain data");
            Line::Checkpoint(json, checkpoint.samples.iter().map(Thinned::of).collect())
        }
        other => Line::Fact(serde_json::to_string(other).expect("facts are plain data")),
    }
}

fn line_of_sample(sample: &PackedSample) -> Line {
    let PackedSample { server, taken_at, base_at, digest, bytes } = sample.clone();
    let at = Moment::of(taken_at);
    match (digest, base_at) {
        (None, Some(base_at)) => {
            let apart = taken_at - base_at;
            let seconds = u32::try_from(apart.num_seconds()).ok().filter(|_| apart.subsec_nanos() == 0);
            match seconds {
                Some(seconds) => Line::Step(server, at, seconds, bytes),
                None => Line::Based(server, at, Moment::of(base_at), bytes),
            }
        }
        (digest, base_at) => {
            let (base_at, digest) = (base_at.map(Moment::of), digest.expect("a whole sample states its digest"));
            Line::Sample { server, taken_at: at, base_at, digest, bytes }
        }
    }
}

fn fact_of(line: Line) -> Result<Fact, String> {
    match line {
        Line::Fact(json) => serde_json::from_str(&json).map_err(|error| error.to_string()),
        Line::Sample { server, taken_at, base_at, digest, bytes } => {
            let (taken_at, base_at) = (instant(taken_at)?, base_at.map(instant).transpose()?);
            let digest = Some(digest);
            Ok(Fact::SampleTaken { sample: PackedSample { server, taken_at, base_at, digest, bytes } })
        }
        Line::Step(server, taken_at, seconds, bytes) => {
            let taken_at = instant(taken_at)?;
            let base_at = taken_at.checked_sub_signed(TimeDelta::seconds(seconds.into())).ok_or(NO_INSTANT)?;
            let (base_at, digest) = (Some(base_at), None);
            Ok(Fact::SampleTaken { sample: PackedSample { server, taken_at, base_at, digest, bytes } })
        }
        Line::Based(server, taken_at, base_at, bytes) => {
            let (taken_at, base_at, digest) = (instant(taken_at)?, Some(instant(base_at)?), None);
            Ok(Fact::SampleTaken { sample: PackedSample { server, taken_at, base_at, digest, bytes } })
        }
        Line::Thinned(thinned) => Ok(Fact::LetGo { deed: LettingGo::SampleThinned { sample: thinned.sample()? } }),
        Line::Checkpoint(json, samples) => {
            let rest: Checkpoint = serde_json::from_str(&json).map_err(|error| error.to_string())?;
            let samples = samples.into_iter().map(Thinned::sample).collect::<Result<_, _>>()?;
            Ok(Fact::LetGo { deed: LettingGo::Checkpoint { checkpoint: Checkpoint { samples, ..rest } } })
        }
    }
}
