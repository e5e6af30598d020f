//! Real files: whole or not at all, private, in order.

use tidegauge::doors::{Chance, Clock, Files};
use tidegauge::ports::chance::SystemChance;
use tidegauge::ports::clock::{ClockWatch, JUMP, SystemClock};
use tidegauge::ports::files::RealFiles;

use chrono::TimeDelta;

#[test]
fn a_file_is_written_whole_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("2026-10").join("report.json");
    RealFiles.write(&path, b"one").expect("a writable folder");
    RealFiles.write(&path, b"two").expect("it may be written over");
    assert_eq!(RealFiles.read(&path).expect("readable"), Some(b"two".to_vec()));
    assert_eq!(RealFiles.list(path.parent().expect("it has one")).expect("a folder"), ["report.json"]);
}

#[test]
fn a_write_that_fails_leaves_the_old_file_and_no_rest() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let blocked = folder.path().join("kept");
    RealFiles.write(&blocked.join("inside"), b"old").expect("a writable folder");
    // A file cannot take the place of a folder that holds something.
    RealFiles.write(&blocked, b"new").expect_err("a folder stands there");
    assert_eq!(RealFiles.list(folder.path()).expect("a folder"), ["kept"]);
    assert_eq!(RealFiles.read(&blocked.join("inside")).expect("readable"), Some(b"old".to_vec()));
}

#[cfg(unix)]
#[test]
fn files_and_folders_belong_to_their_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys").join("agent.pem");
    RealFiles.write(&path, b"secret").expect("a writable folder");
    RealFiles.append_to(&folder.path().join("journal").join("1")).expect("a writable folder");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().expect("it has one"))), (0o600, 0o700));
    assert_eq!(mode(&folder.path().join("journal").join("1")), 0o600);
}

#[test]
fn what_is_not_there_is_nothing_and_no_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(RealFiles.read(&folder.path().join("nothing")).expect("no error"), None);
    assert!(RealFiles.list(&folder.path().join("nowhere")).expect("no error").is_empty());
}

#[test]
fn appending_goes_on_at_the_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("segment");
    for part in [b"one".as_slice(), b"two"] {
        let mut file = RealFiles.append_to(&path).expect("a writable folder");
        file.append(part).and_then(|()| file.sync()).expect("room on the disk");
    }
    RealFiles.truncate(&path, 5).expect("it is there");
    assert_eq!(RealFiles.read(&path).expect("readable"), Some(b"onetw".to_vec()));
}

#[test]
fn a_clock_that_is_set_is_noticed_and_one_that_runs_is_not() {
    let begin = SystemClock.now();
    let hours = TimeDelta::hours;
    let mut watch = ClockWatch::new(begin, hours(0));
    assert_eq!(watch.look(begin + hours(30), hours(30)), None);
    assert_eq!(watch.look(begin + hours(31) + JUMP, hours(31)), None);
    assert_eq!(watch.look(begin + hours(35) + JUMP, hours(32)), Some(hours(3)));
    assert_eq!(watch.look(begin, hours(33)), Some(hours(0) - hours(35) - JUMP - hours(1)));
    assert_eq!(watch.look(begin + hours(1), hours(34)), None);
}

#[test]
fn drawn_numbers_stay_below_their_bound() {
    let mut chance = SystemChance;
    for bound in [1, 2, 7, 10_080, u64::MAX] {
        assert!((0..100).all(|_| chance.below(bound) < bound));
    }
}
