//! A state that is missing, flipped, cut or behind heals from the journal.

use std::fs;

use super::*;

/// A store of two days in a folder, closed; and its digest.
fn closed_store() -> (tempfile::TempDir, [u8; 32]) {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open_folder(folder.path()).unwrap();
    fill(&mut store, 48);
    let digest = store.state_digest().unwrap();
    (folder, digest)
}

/// Opens, and once more when what was broken showed only in reading.
fn healed_digest(folder: &Path) -> ([u8; 32], Vec<String>) {
    let (store, opening) = open_folder(folder).unwrap();
    match store.state_digest() {
        Ok(digest) => (digest, opening.repairs()),
        Err(error) => {
            assert!(matches!(error, StoreError::StateFailed { .. }), "{error}");
            drop(store);
            let (store, opening) = open_folder(folder).unwrap();
            assert!(opening.rebuilt.is_some());
            (store.state_digest().unwrap(), opening.repairs())
        }
    }
}

#[test]
fn a_store_that_was_closed_opens_without_a_word() {
    let (folder, digest) = closed_store();
    let (store, opening) = open_folder(folder.path()).unwrap();
    assert_eq!((opening.repairs(), opening.applied), (vec![], 0));
    assert_eq!(store.state_digest().unwrap(), digest);
    assert_eq!(store.verify().unwrap().journal.entries, 49);
}

#[test]
fn a_state_that_is_missing_is_rebuilt_and_said() {
    let (folder, digest) = closed_store();
    fs::remove_dir_all(folder.path().join("state")).unwrap();
    let (healed, repairs) = healed_digest(folder.path());
    assert_eq!(healed, digest);
    assert_eq!(repairs, ["the state was rebuilt from 49 journal entries: there was no state"]);
}

#[test]
fn a_state_with_flipped_bytes_anywhere_is_never_believed() {
    let (folder, digest) = closed_store();
    let pristine = tempfile::tempdir().unwrap();
    copy_all(folder.path(), pristine.path());
    let len = fs::metadata(pristine.path().join("state/db")).unwrap().len();
    for round in 0..24 {
        let scratch = tempfile::tempdir().unwrap();
        copy_all(pristine.path(), scratch.path());
        let db = scratch.path().join("state/db");
        let mut bytes = fs::read(&db).unwrap();
        let first = usize::try_from(len * round / 24).unwrap();
        let last = bytes.len().min(first + 900);
        bytes[first..last].iter_mut().for_each(|byte| *byte ^= 0x41);
        fs::write(&db, bytes).unwrap();
        assert_eq!(healed_digest(scratch.path()).0, digest, "round {round}");
    }
}

#[test]
fn a_state_that_was_cut_catches_up_or_is_rebuilt() {
    let (folder, digest) = closed_store();
    for share in [0, 1, 5, 9] {
        let scratch = tempfile::tempdir().unwrap();
        copy_all(folder.path(), scratch.path());
        let db = fs::OpenOptions::new().write(true).open(scratch.path().join("state/db")).unwrap();
        db.set_len(db.metadata().unwrap().len() * share / 10).unwrap();
        assert_eq!(healed_digest(scratch.path()).0, digest, "{share} tenths were left");
    }
}

#[test]
fn a_process_killed_between_journal_and_state_catches_up() {
    let (folder, _) = closed_store();
    let behind = tempfile::tempdir().unwrap();
    copy_all(&folder.path().join("state"), &behind.path().join("state"));
    let (mut store, _) = open_folder(folder.path()).unwrap();
    let mut world = World::of("vbr01", 12);
    for hour in 0..53 {
        keep(&mut store, &[world.sample(hour)]);
    }
    let digest = store.state_digest().unwrap();
    drop(store);
    fs::remove_dir_all(folder.path().join("state")).unwrap();
    copy_all(&behind.path().join("state"), &folder.path().join("state"));
    let (store, opening) = open_folder(folder.path()).unwrap();
    assert_eq!((opening.repairs(), opening.applied), (vec![], 5));
    assert_eq!(store.state_digest().unwrap(), digest);
}

#[test]
fn a_state_that_knows_more_than_the_journal_is_rebuilt() {
    let (folder, _) = closed_store();
    let segment = folder.path().join("journal/00000001.seg");
    let len = fs::metadata(&segment).unwrap().len();
    fs::OpenOptions::new().write(true).open(&segment).unwrap().set_len(len - 1).unwrap();
    let (store, opening) = open_folder(folder.path()).unwrap();
    let repairs = opening.repairs().join("\n");
    assert!(repairs.contains("entry 49 was not fully written"), "{repairs}");
    assert!(repairs.contains("the journal ends with entry 48"), "{repairs}");
    store.verify().unwrap();
    assert!(folder.path().join("quarantine/state-1/db").exists());
}

#[test]
fn damage_inside_the_journal_is_refused_and_nothing_is_moved() {
    let (folder, digest) = closed_store();
    let segment = folder.path().join("journal/00000001.seg");
    let pristine = fs::read(&segment).unwrap();
    let mut damaged = pristine.clone();
    damaged[pristine.len() / 2] ^= 1;
    fs::write(&segment, damaged).unwrap();
    let refused = open_folder(folder.path()).err().unwrap().to_string();
    assert!(refused.contains("00000001.seg is damaged at byte"), "{refused}");
    fs::write(&segment, pristine).unwrap();
    assert_eq!(healed_digest(folder.path()), (digest, vec![]));
}

/// A folder with all that is in it, at another place.
pub fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
