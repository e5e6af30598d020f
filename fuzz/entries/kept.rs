//! The agent's memory: damaged segments, odd payloads in whole entries, and samples on their way in.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use tidegauge::doors::Files;
use tidegauge::simulation::disk::SimulatedDisk;
use tidegauge::sources::snapshot_file::parse;
use tidegauge::store::journal::{Journal, NewEntry, header_of, verify};
use tidegauge::store::{Place, Store, Taken, claimed_len, facts_of, shown};

use super::sources::counted;
use super::{manner, now, says};

const FOLDER: &str = "/state/journal";
const SEGMENT: &str = "/state/journal/00000001.seg";
/// Bytes of a segment's header before its checksum.
const HEADER: usize = 8 + 1 + 8 + 32;

/// Places that hold nothing: a state is made for each store and goes with it.
static PLACE: LazyLock<Place> = LazyLock::new(|| Place::Temporary { journal: FOLDER.into() });

/// The first segment as it stands on a disk; behind the line `header` with its header's checksum put right; behind the
/// line `payload` the payload of an entry.
pub fn journal(bytes: &[u8]) {
    let (first, rest) = manner(bytes);
    let disk = SimulatedDisk::new();
    if says(first, "payload") {
        payload(&disk, rest);
    } else {
        let whole = if says(first, "header") { checked(rest) } else { bytes.to_vec() };
        disk.write(Path::new(SEGMENT), &whole).expect("the disk is well");
    }
    let _ = header_of(bytes);
    let _ = verify(&disk, Path::new(FOLDER));
    let files: Arc<dyn Files> = Arc::new(disk);
    let read = Journal::open(Arc::clone(&files), Path::new(FOLDER), &mut |entry| {
        let _ = (facts_of(entry), shown(&entry.payload));
        Ok(())
    });
    // Only what the journal takes for whole is worth a state.
    if read.is_ok_and(|(_, opened)| opened.given > 0) {
        stored(files);
    }
}

/// The header's checksum over whatever the header says.
fn checked(bytes: &[u8]) -> Vec<u8> {
    let mut whole = bytes.to_vec();
    if let Some(header) = whole.get(..HEADER) {
        let checksum = crc32fast::hash(header).to_le_bytes();
        whole.splice(HEADER..(HEADER + 4).min(whole.len()), checksum);
    }
    whole
}

fn payload(disk: &SimulatedDisk, payload: &[u8]) {
    // Nothing larger was ever written; a claim beyond it is refused before memory is asked for.
    claimed_len(payload);
    let files: Arc<dyn Files> = Arc::new(disk.clone());
    let (mut journal, _) = Journal::open(files, Path::new(FOLDER), &mut |_| Ok(())).expect("an empty folder");
    let _ = journal.append(NewEntry { recorded_at: now(), now: now(), actor: "import", payload });
}

fn stored(files: Arc<dyn Files>) {
    let Ok((store, _)) = Store::open(&PLACE, files) else { return };
    let Ok(servers) = store.servers() else { return };
    for server in servers.iter().take(4) {
        let _ = store.newest_sample(server, now());
    }
    let _ = store.units();
}

/// A snapshot file, recorded and read again.
pub fn samples(bytes: &[u8]) {
    let Ok(samples) = parse("snapshot.json", bytes, now()) else { return };
    let mut ledger = tidegauge::rules::counting::Ledger::default();
    samples.iter().for_each(|sample| counted(sample, &mut ledger));
    let files: Arc<dyn Files> = Arc::new(SimulatedDisk::new());
    let (mut store, _) = Store::open(&PLACE, Arc::clone(&files)).expect("an empty disk");
    let taken = store.take(&samples).expect("the state is well");
    let fresh = taken.into_iter().filter_map(|taken| match taken {
        Taken::Fresh(fact) => Some(*fact),
        Taken::Repeat | Taken::Conflict => None,
    });
    let facts: Vec<_> = fresh.collect();
    store.record(now(), now(), "import", &facts).unwrap_or_else(|why| panic!("what was taken is recorded: {why}"));
    for sample in samples.iter().take(4) {
        let read = store.newest_sample(&sample.server, now()).expect("the state is well");
        assert!(read.is_some(), "a recorded sample is found");
    }
    store.verify().unwrap_or_else(|why| panic!("the state is what the journal says: {why}"));
}
