//! An archive for programs that somebody else wrote; `tests/outside/evidence` sets the variable, without it nothing is done.

use tidegauge::doors::Files as _;
use tidegauge::ports::files::RealFiles;

use super::*;

/// Leaves a good archive, the same under pseudonyms, and one whose signed record was changed together with its checksums.
#[test]
fn archives_are_left_for_other_programs() {
    let Some(folder) = std::env::var_os("TIDEGAUGE_OUTSIDE_EVIDENCE") else { return };
    let leave = |name: &str, bytes: &[u8]| RealFiles.write(&Path::new(&folder).join(name), bytes).expect("a folder");
    let (mut world, _) = sent(1);
    let order = Order::Correct { target: january(), reason: "a server was missing".to_owned() };
    world.order(order, "mia").expect("a sent report");
    let archive = exported(&world);
    leave("good.zip", &archive);
    leave("pseudonyms.zip", &super::pseudonyms::exported_under_pseudonyms(&mut world));
    let mut files = files(&archive);
    let record = files.get_mut("reports/r1/record.json").expect("a record");
    *record = String::from_utf8(record.clone()).expect("text").replace("a test machine", "nothing").into_bytes();
    files.remove("SHA256SUMS");
    let listed = files.iter().filter(|(name, _)| *name != "SHA256SUMS.jws");
    let sum = |(name, bytes): (&String, &Vec<u8>)| format!("{}  {name}\n", tidegauge::seal::digest::sha256_hex(bytes));
    let sums: String = listed.map(sum).collect();
    files.insert("SHA256SUMS".to_owned(), sums.into_bytes());
    leave("forged.zip", &packed(&files));
}
