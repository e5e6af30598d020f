//! What is found when somebody changes files and makes the archive good again as far as they can.

use tidegauge::seal::digest::sha256_hex;
use tidegauge::seal::jws;
use tidegauge::seal::keys::SigningKey;

use super::*;

const SLICE: &str = "journal/slice.jsonl";

/// The list of checksums for what is there now.
pub fn list_again(files: &mut Files) {
    let listed = files.iter().filter(|(name, _)| !name.starts_with("SHA256SUMS"));
    let sums: String = listed.map(|(name, bytes)| format!("{}  {name}\n", sha256_hex(bytes))).collect();
    files.insert("SHA256SUMS".to_owned(), sums.into_bytes());
}

/// List, record and their signatures made again with a key.
pub fn sign_again(files: &mut Files, key: &SigningKey) {
    let signature = jws::sign_detached(key, &files["reports/r1/record.json"]);
    files.insert("reports/r1/record.jws".to_owned(), signature.into_bytes());
    list_again(files);
    let signature = jws::sign_detached(key, &files["SHA256SUMS"]);
    files.insert("SHA256SUMS.jws".to_owned(), signature.into_bytes());
}

fn changed(files: &mut Files, name: &str, change: impl FnOnce(String) -> String) {
    let text = String::from_utf8(files[name].clone()).expect("text");
    let after = change(text.clone());
    assert_ne!(after, text, "the test changes nothing");
    files.insert(name.to_owned(), after.into_bytes());
}

#[test]
fn files_added_dropped_or_renamed_are_found() {
    let good = files(&exported(&sent(1).0));
    for name in good.keys().filter(|name| *name != "SHA256SUMS.jws") {
        let mut dropped = good.clone();
        let content = dropped.remove(name).expect("it is there");
        assert!(failing(&packed(&dropped)).contains(&"checksums".to_owned()), "{name} may be dropped");
        dropped.insert(format!("{name}.old"), content);
        assert!(failing(&packed(&dropped)).contains(&"checksums".to_owned()), "{name} may be renamed");
    }
    let mut added = good.clone();
    added.insert("note.txt".to_owned(), b"believe me".to_vec());
    assert_eq!(failing(&packed(&added)), ["checksums"]);
    // A list that was made again no longer has its signature.
    list_again(&mut added);
    assert_eq!(failing(&packed(&added)), ["signature"]);
    let mut unsigned = good;
    unsigned.remove("SHA256SUMS.jws");
    assert_eq!(failing(&packed(&unsigned)), ["signature"]);
}

#[test]
fn a_stranger_who_signs_everything_again_is_found_by_the_signer_the_report_names() {
    let mut files = files(&exported(&sent(1).0));
    let stranger = SigningKey::from_secret(&[9; 32]);
    files.insert("keys/agent.jwk".to_owned(), stranger.verifying().jwk().to_string().into_bytes());
    sign_again(&mut files, &stranger);
    let failing = failing(&packed(&files));
    assert!(failing.contains(&"report r1: signature".to_owned()), "{failing:?}");
    assert!(failing.contains(&"sent report-r1".to_owned()), "{failing:?}");
}

#[test]
fn not_even_the_agents_own_key_changes_what_was_recorded_and_sent() {
    let (world, _) = sent(1);
    let key = world.agent().identity().key.clone();
    let good = files(&exported(&world));
    // The reason of the adjustment, in record and list.
    let mut reason = good.clone();
    for name in ["reports/r1/record.json", "reports/r1/adjustments.json"] {
        changed(&mut reason, name, |text| text.replace("a test machine", "agreed with mia"));
    }
    sign_again(&mut reason, &key);
    let found = failing(&packed(&reason));
    for check in ["report r1: files", "report r1: journal", "report r1: adjustments", "sent report-r1"] {
        assert!(found.contains(&check.to_owned()), "{check} does not find it: {found:?}");
    }
    // A line of the CSV.
    let mut csv = good.clone();
    let name = csv.keys().find(|name| name.ends_with(".csv")).expect("a CSV").clone();
    changed(&mut csv, &name, |text| {
        let (header, lines) = text.split_once("\r\n").expect("a header");
        format!("{header}\r\n{}", lines.replacen(",11,", ",12,", 1))
    });
    sign_again(&mut csv, &key);
    assert_eq!(failing(&packed(&csv)), ["report r1: files"]);
    // A sample that nobody wants to have taken.
    let mut sample = good.clone();
    changed(&mut sample, "reports/r1/samples.jsonl", |text| text.split_once('\n').expect("lines").1.to_owned());
    sign_again(&mut sample, &key);
    assert_eq!(failing(&packed(&sample)), ["report r1: samples"]);
    // A sample in another order.
    let mut order = good;
    changed(&mut order, "reports/r1/samples.jsonl", |text| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(0, 1);
        lines.join("\n") + "\n"
    });
    sign_again(&mut order, &key);
    assert_eq!(failing(&packed(&order)), ["report r1: samples"]);
}

#[test]
fn a_journal_that_was_rewritten_is_found() {
    let (world, _) = sent(1);
    let key = world.agent().identity().key.clone();
    let good = files(&exported(&world));
    let forge = |change: &dyn Fn(Vec<Value>) -> Vec<Value>| {
        let mut forged = good.clone();
        changed(&mut forged, SLICE, |text| {
            let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
            change(lines).iter().map(|line| format!("{line}\n")).collect()
        });
        sign_again(&mut forged, &key);
        failing(&packed(&forged))
    };
    let without_one = |mut lines: Vec<Value>| {
        lines.remove(lines.len() / 2);
        lines
    };
    assert!(forge(&without_one).contains(&"journal".to_owned()));
    let other_actor = |mut lines: Vec<Value>| {
        let mia = lines.iter_mut().find(|line| line["actor"] == "user:mia").expect("mia's order");
        mia["actor"] = "user:ines".into();
        lines
    };
    assert!(forge(&other_actor)[0] == "journal");
    let other_words = |mut lines: Vec<Value>| {
        let told = lines.iter_mut().find(|line| line["facts"].is_array()).expect("an entry in full");
        told["facts"] = serde_json::json!([]);
        lines
    };
    assert!(forge(&other_words).contains(&"journal".to_owned()));
    // Without its end the journal no longer knows what was sent.
    let shorter = |mut lines: Vec<Value>| {
        lines.truncate(lines.len() / 2);
        lines
    };
    let found = forge(&shorter);
    assert!(found.contains(&"report r1: journal".to_owned()) || found.contains(&"sent report-r1".to_owned()));
}

#[test]
fn a_receipt_of_other_bytes_is_found() {
    let (world, _) = sent(1);
    let key = world.agent().identity().key.clone();
    let good = files(&exported(&world));
    for (name, from, to) in [
        ("sent/report-r1.receipt.json", "\"sha256\":\"", "\"sha256\":\"0"),
        ("sent/report-r1.receipt.json", "\"received_at\":\"2026", "\"received_at\":\"2025"),
        ("sent/report-r1.answer.jws", ".", ".A"),
        ("sent/report-r1.jws", ".", ".A"),
    ] {
        let mut forged = good.clone();
        changed(&mut forged, name, |text| text.replace(from, to));
        sign_again(&mut forged, &key);
        assert_eq!(failing(&packed(&forged)), ["sent report-r1"], "{name}");
    }
}
