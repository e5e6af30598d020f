//! Examples that the simulated servers and our own writers give, as they stand in `fuzz/corpus`: a change of theirs
//! shows here. `UPDATE_EXPECT=1` writes them.

mod kept; // what we write ourselves
mod messages; // agent and License Update Server to each other
mod servers; // conversations with simulated servers

use std::collections::BTreeMap;
use std::fs;

use super::fuzz;

const UPDATE: &str = "UPDATE_EXPECT";
/// Longest example.
const BYTES_MAX: usize = 64 << 10;

/// Examples by entry and file name.
type Made = BTreeMap<(&'static str, String), Vec<u8>>;

#[test]
fn the_corpora_are_what_our_simulated_servers_and_writers_say() {
    let mut made = Made::new();
    servers::make(&mut made);
    messages::make(&mut made);
    kept::make(&mut made);
    let mut others = Vec::new();
    for ((entry, name), bytes) in &made {
        let path = fuzz().join("corpus").join(entry).join(name);
        assert!(bytes.len() <= BYTES_MAX, "{entry}/{name} has {} bytes", bytes.len());
        if std::env::var_os(UPDATE).is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
            fs::write(&path, bytes).expect("an example is written");
        } else if fs::read(&path).ok().as_ref() != Some(bytes) {
            others.push(format!("{entry}/{name}"));
        }
    }
    assert!(others.is_empty(), "{others:?} are other ones now: run this test with {UPDATE}=1 and look at what changed");
}
