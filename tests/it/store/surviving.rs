//! A state that outlives its store is opened as it stands, and made from the journal where it does not fit.

use tidegauge::store::SurvivingState;

use super::*;

fn open(state: &SurvivingState, disk: &SimulatedDisk) -> (Store, Opening) {
    let place = Place::Surviving { journal: PathBuf::from("journal"), state: state.clone() };
    Store::open(&place, Arc::new(disk.clone())).unwrap()
}

#[test]
fn a_state_that_survived_needs_no_entry_again_and_is_what_the_journal_says() {
    let (disk, state) = (SimulatedDisk::new(), SurvivingState::default());
    let (mut store, _) = open(&state, &disk);
    fill(&mut store, 30);
    let digest = store.state_digest().unwrap();
    drop(store);
    let (store, opening) = open(&state, &disk);
    assert_eq!((opening.applied, store.state_digest().unwrap()), (0, digest));
    store.verify().unwrap();
    drop(store);
    state.forget();
    let (store, opening) = open(&state, &disk);
    assert_eq!((opening.applied, store.state_digest().unwrap()), (31, digest));
}

#[test]
fn a_state_of_another_journal_is_made_again() {
    let (disk, state) = (SimulatedDisk::new(), SurvivingState::default());
    let (mut store, _) = open(&state, &disk);
    fill(&mut store, 30);
    drop(store);
    let other = SimulatedDisk::new();
    let (mut store, opening) = open(&state, &other);
    assert_eq!((opening.applied, store.head().seq), (0, 0));
    fill(&mut store, 3);
    store.verify().unwrap();
}

#[test]
fn a_second_store_is_refused_while_the_first_is_open() {
    let (disk, state) = (SimulatedDisk::new(), SurvivingState::default());
    let first = open(&state, &disk);
    let place = Place::Surviving { journal: PathBuf::from("journal"), state };
    assert!(matches!(Store::open(&place, Arc::new(disk)), Err(StoreError::InUse { .. })));
    drop(first);
}
