//! The journal slice: an unbroken chain of entries, and what they say.

use serde_json::Value;

use super::super::journal::{Line, Reader};
use super::super::leaf::Leaf;
use crate::domain::pseudonym::Names;
use crate::seal::chain::Hash;
use crate::seal::digest::from_hex;

/// Bytes that all payloads together may unpack to.
const UNPACKED_BYTES_MAX: usize = 4 << 30;
/// Bytes that one payload may unpack to.
const PAYLOAD_BYTES_MAX: usize = 512 << 20;

/// The slice, with what its checked entries say.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    line: Line,
    facts: Vec<Value>,
}

/// A kept report with the entry that recorded it.
pub(super) struct Kept<'a> {
    pub actor: &'a str,
    pub report: &'a Value,
}

impl Slice {
    /// Reads the lines and checks each hash and each link; what can be read of a broken slice is there all the same, with
    /// the first thing that does not hold.
    pub fn read(bytes: Option<&Vec<u8>>, reader: &Reader) -> (Slice, Result<String, String>) {
        let mut slice = Slice::default();
        let Some(text) = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
            return (slice, Err("the journal slice is missing, or is not text".to_owned()));
        };
        let (mut unpacked, mut broken) = (0_usize, None);
        for (number, text) in text.lines().enumerate() {
            let Ok(line) = serde_json::from_str::<Line>(text) else {
                broken = broken.or(Some(format!("line {} of the slice is no entry", number + 1)));
                continue;
            };
            let claimed = line.claimed_len(reader);
            unpacked = unpacked.saturating_add(claimed);
            let found = if PAYLOAD_BYTES_MAX < claimed || UNPACKED_BYTES_MAX < unpacked {
                Err(format!("entry {} claims to hold more than any journal", line.seq))
            } else {
                slice.continued_by(&line).and_then(|()| line.check(reader))
            };
            let facts = found.unwrap_or_else(|why| {
                broken.get_or_insert(why);
                Vec::new()
            });
            slice.entries.push(Entry { line, facts });
        }
        let found = match broken {
            Some(why) => Err(why),
            None if slice.entries.is_empty() => Err("the journal slice is empty".to_owned()),
            None => Ok(slice.says()),
        };
        (slice, found)
    }

    fn continued_by(&self, line: &Line) -> Result<(), String> {
        let Some(Entry { line: before, .. }) = self.entries.last() else { return Ok(()) };
        if before.seq.checked_add(1) == Some(line.seq) && line.prev == before.hash {
            return Ok(());
        }
        Err(format!("entry {} does not continue entry {}", line.seq, before.seq))
    }

    fn says(&self) -> String {
        let (first, last) = (self.entries.first(), self.entries.last());
        let number = |entry: Option<&Entry>| entry.map_or(0, |entry| entry.line.seq);
        let whole = self.entries.iter().filter(|entry| entry.line.payload.is_some()).count();
        let thinned = self.entries.iter().filter(|entry| entry.line.thinned).count();
        let withheld = self.entries.iter().filter(|entry| entry.line.withheld).count();
        let kept_back = match withheld {
            0 => String::new(),
            some => format!(
                "; of {some} about the month the payload is kept back with the names in it, and its digest stands"
            ),
        };
        let let_go = match thinned {
            0 => String::new(),
            some => format!("; of {some} the payload was let go by age, and its digest stands"),
        };
        format!(
            "entries {} to {} are one unbroken chain; {whole} of {} are here in full, the others are about something \
             else{kept_back}{let_go}",
            number(first),
            number(last),
            self.entries.len()
        )
    }

    /// Whether payloads are kept back exactly where names are pseudonyms.
    pub fn withholds(&self, names: Names) -> Result<(), String> {
        let odd = |entry: &&Entry| match names {
            Names::Plain => entry.line.withheld,
            Names::Pseudonyms => entry.line.payload.is_some(),
        };
        match (self.entries.iter().find(odd), names) {
            (None, _) => Ok(()),
            (Some(entry), Names::Plain) => {
                Err(format!("entry {} is kept back, and the archive says nothing of pseudonyms", entry.line.seq))
            }
            (Some(entry), Names::Pseudonyms) => {
                Err(format!("entry {} has its payload, and the archive says that names are pseudonyms", entry.line.seq))
            }
        }
    }

    /// The hash of an entry of the slice.
    pub fn hash_of(&self, seq: u64) -> Option<Hash> {
        from_hex(&self.entry(seq)?.line.hash)
    }

    fn entry(&self, seq: u64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.line.seq == seq)
    }

    fn facts<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a Entry, &'a Value)> {
        let facts = self.entries.iter().flat_map(|entry| entry.facts.iter().map(move |fact| (entry, fact)));
        facts.filter(move |(_, fact)| fact["fact"] == kind)
    }

    /// The report as it was recorded, each time.
    pub fn kept<'a>(&'a self, unit: &'a str, month: &'a str, revision: u32) -> Vec<Kept<'a>> {
        let of = |report: &Value| report["unit"] == unit && report["month"] == month && report["revision"] == revision;
        let kept = self.facts("report_kept").map(|(entry, fact)| (entry, &fact["report"]));
        let kept = kept.filter(|(_, report)| of(report));
        kept.map(|(entry, report)| Kept { actor: &entry.line.actor, report }).collect()
    }

    /// The newest stage that was recorded.
    pub fn stage<'a>(&'a self, unit: &'a str, month: &'a str, revision: u32) -> Option<&'a Value> {
        let of = |fact: &Value| fact["unit"] == unit && fact["month"] == month && fact["revision"] == revision;
        self.facts("stage_set").filter(|(_, fact)| of(fact)).last().map(|(_, fact)| &fact["stage"])
    }

    /// The digest of the sealed message of this kind, period and revision.
    pub fn sealed<'a>(&'a self, unit: &str, kind: &str, period: &str, revision: u32) -> Option<&'a str> {
        let of = |message: &Value| {
            message["unit"] == unit
                && message["kind"] == kind
                && message["period"] == period
                && message["revision"] == revision
        };
        let sealed = self.facts("sealed").map(|(_, fact)| &fact["message"]).filter(|message| of(message));
        sealed.last().and_then(|message| message["sha256"].as_str())
    }

    /// Leaves of which no entry up to `through` holds the sample.
    pub fn without<'a>(&self, leaves: &'a [Leaf], through: u64) -> Vec<&'a Leaf> {
        let known = self.facts("sample_taken").filter(|(entry, _)| entry.line.seq <= through);
        let known: std::collections::BTreeSet<Leaf> = known
            .filter_map(|(entry, fact)| {
                let server = fact["server"].as_str()?.to_owned();
                let taken_at = serde_json::from_value(fact["taken_at"].clone()).ok()?;
                Some(Leaf { server, taken_at, payload_sha256: entry.line.payload_sha256.clone() })
            })
            .collect();
        // An entry whose payload is not here still names its digest, and the report's tree binds that to the sample.
        let is_let_go = |entry: &&Entry| (entry.line.thinned || entry.line.withheld) && entry.line.seq <= through;
        let let_go = self.entries.iter().filter(is_let_go);
        let digests: std::collections::BTreeSet<&str> =
            let_go.map(|entry| entry.line.payload_sha256.as_str()).collect();
        let is_known = |leaf: &Leaf| known.contains(leaf) || digests.contains(leaf.payload_sha256.as_str());
        leaves.iter().filter(|leaf| !is_known(leaf)).collect()
    }
}
