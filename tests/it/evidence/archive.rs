//! The archive has one form of bytes: any other is found, and foreign bytes never harm.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

/// Random positions at which one byte is changed.
const CHANGES: usize = 250;

#[test]
fn changing_any_byte_is_found() {
    let archive = exported(&sent(1).0);
    // Written so that a failing run can be played again.
    let seed = 20_261_122;
    println!("seed {seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    for _ in 0..CHANGES {
        let mut changed = archive.clone();
        let place = chance.random_range(0..changed.len());
        changed[place] ^= chance.random_range(1..=255u8);
        assert!(!failing(&changed).is_empty(), "a change of byte {place} is not found");
    }
}

#[test]
fn each_byte_that_is_no_content_is_checked_too() {
    let archive = packed(&Files::from([
        ("a.txt".to_owned(), b"tide".to_vec()),
        ("b/c.txt".to_owned(), Vec::new()),
        ("b/d.txt".to_owned(), b"gauge".to_vec()),
    ]));
    for place in 0..archive.len() {
        for bit in 0..8 {
            let mut changed = archive.clone();
            changed[place] ^= 1 << bit;
            let found = unpack(&changed).is_ok_and(|unpacked| unpacked.differs.is_none());
            // A changed content with its checksum is another archive; one bit never changes both.
            assert!(!found, "bit {bit} of byte {place} is not checked");
        }
        assert!(unpack(&archive[..place]).is_ok_and(|cut| cut.differs.is_some()) || unpack(&archive[..place]).is_err());
    }
    let longer = [&archive[..], &[0]].concat();
    assert!(unpack(&longer).is_ok_and(|unpacked| unpacked.differs.is_some()));
}

#[test]
fn files_out_of_order_are_found() {
    let one = packed(&Files::from([("a".to_owned(), b"1".to_vec())]));
    let two = packed(&Files::from([("b".to_owned(), b"2".to_vec())]));
    // The local part of a file: its header, a name of one byte, a content of one byte.
    let local = |archive: &[u8]| archive[..32].to_vec();
    let both = packed(&Files::from([("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())]));
    let reordered = [local(&two), local(&one), both[64..].to_vec()].concat();
    assert!(unpack(&both).is_ok_and(|unpacked| unpacked.differs.is_none()));
    assert!(unpack(&reordered).is_ok_and(|unpacked| unpacked.differs.is_some()));
    let twice = [local(&one), local(&one)].concat();
    assert!(unpack(&twice).is_err_and(|why| why.contains("twice")));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["../a", "/a", "a//b", "a/./b", "", "a\\b", "a\0", "ä"] {
        let archive = packed(&Files::from([(name.to_owned(), b"1".to_vec())]));
        assert!(unpack(&archive).is_err(), "'{name}' is taken");
    }
}

#[test]
fn a_file_that_is_no_archive_says_so() {
    for bytes in [&b""[..], b"PK", b"%PDF-1.7", b"PK\x03\x04", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"] {
        assert_eq!(failing(bytes), ["archive"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_same_files_come_out_again(files in proptest::collection::btree_map("[a-z]{1,8}(/[a-z0-9._-]{3,9})?", proptest::collection::vec(any::<u8>(), 0..200), 1..8)) {
        let unpacked = unpack(&packed(&files)).expect("plain names");
        prop_assert_eq!(unpacked.files, files);
        prop_assert_eq!(unpacked.differs, None);
    }

    #[test]
    fn foreign_bytes_are_refused_and_nothing_worse(
        bytes in proptest::collection::vec(any::<u8>(), 0..400), begins in any::<bool>(),
    ) {
        let bytes = if begins { [&b"PK\x03\x04"[..], &bytes].concat() } else { bytes };
        prop_assert!(!failing(&bytes).is_empty());
    }

    /// Whatever stands in the files, checking them ends with words.
    #[test]
    fn files_of_anything_are_checked_without_harm(
        contents in proptest::collection::vec("(\\{\"seq\":1,\"x\":[0-9]\\}|[a-z0-9\\.\\{\\}\":,\\[\\]\n]{0,80})", 8),
    ) {
        let names = ["evidence.json", "keys/agent.jwk", "SHA256SUMS", "SHA256SUMS.jws", "journal/slice.jsonl",
                     "reports/r1/record.json", "reports/r1/samples.jsonl", "sent/report-r1.jws"];
        let files: Files = names.iter().map(|name| (*name).to_owned()).zip(contents.into_iter().map(String::into_bytes)).collect();
        prop_assert!(!failing(&packed(&files)).is_empty());
    }
}

#[test]
fn names_of_every_script_are_read_as_they_were_written() {
    let names = ["Bäckerei Müller.pdf", "Πελάτης.pdf", "plain.pdf"];
    let files: Files = names.iter().map(|name| ((*name).to_owned(), b"one".to_vec())).collect();
    let mut read = zip::ZipArchive::new(std::io::Cursor::new(packed(&files))).expect("a zip");
    let mut found: Vec<String> =
        (0..read.len()).map(|at| read.by_index(at).expect("a file").name().expect("a name").into_owned()).collect();
    found.sort();
    assert_eq!(found, files.into_keys().collect::<Vec<_>>());
}
