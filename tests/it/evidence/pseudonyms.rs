//! Evidence under pseudonyms: no name in any file, what can be checked holds, and what cannot is said.

use expect_test::expect;
use tidegauge::domain::pseudonym::Names;

use super::forged::{list_again, sign_again};
use super::*;
use tidegauge::seal::keys::SigningKey;

pub fn exported_under_pseudonyms(world: &mut World) -> Vec<u8> {
    world.order(Order::MakePseudonymKey, "mia").expect("the disk takes files");
    let query = Query::Evidence { unit: None, server: None, month: january().month, names: Names::Pseudonyms };
    let answer = world.ask(&query).expect("there is a report");
    let text = answer["base64"].as_str().expect("an archive");
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

/// Every name of the estate and of what people wrote; who acts is no secret.
fn planted(world: &World) -> Vec<String> {
    let mut names = vec!["vbr01".to_owned(), "a test machine".to_owned()];
    for server in world.servers.values() {
        for machine in server.estate.lock().unwrap().machines() {
            names.extend([&machine.id, &machine.name, &machine.host, &machine.job, &machine.tenant].map(String::clone));
        }
    }
    names.retain(|name| name.len() > 4);
    names.sort();
    names.dedup();
    names
}

fn record(files: &Files) -> Value {
    serde_json::from_slice(&files["reports/r1/record.json"]).expect("JSON")
}

#[test]
fn no_file_of_it_says_a_name_and_its_figures_are_those_of_the_report() {
    let (mut world, _) = sent(1);
    let planted = planted(&world);
    let (plain, under) = (files(&exported(&world)), files(&exported_under_pseudonyms(&mut world)));
    let named = |files: &Files| {
        let texts: Vec<_> = files.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
        let said = |name: &&String| texts.iter().any(|text| text.contains(name.as_str()));
        planted.iter().filter(said).cloned().collect::<Vec<_>>()
    };
    assert!(named(&plain).len() > 20, "the names that are looked for are real ones");
    assert_eq!(named(&under), Vec::<String>::new());
    let slice = String::from_utf8(under["journal/slice.jsonl"].clone()).expect("text");
    assert!(!slice.contains("\"payload\":") && !slice.contains("\"facts\":"), "no payload hides a name");
    assert!(slice.contains("\"withheld\":true") && !under.contains_key("sent/report-r1.jws"));
    let (record, original) = (record(&under), record(&plain));
    let digest = tidegauge::seal::digest::sha256_hex(&plain["reports/r1/record.json"]);
    assert_eq!(record["pseudonyms_of"], format!("sha256:{digest}"));
    for field in ["total_points", "total_points_rounded", "daily", "coverage", "license", "unit", "id"] {
        assert_eq!(record[field], original[field], "{field}");
    }
    let points = |record: &Value| {
        record["lines"].as_array().expect("lines").iter().map(|line| line["points"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(points(&record), points(&original));
}

#[test]
fn what_can_be_checked_holds_and_what_cannot_is_said() {
    let (mut world, _) = sent(1);
    let archive = exported_under_pseudonyms(&mut world);
    expect![[r#"
        holds archive
        holds checksums
        note key
        holds signature
        holds journal
        note names
        holds report r1: record
        holds report r1: signature
        holds report r1: files
        note report r1: journal
        holds report r1: adjustments
        holds report r1: samples
        holds report r1: anchor
        holds sent report-r1
        holds sent telemetry-2026-W04
        holds sent telemetry-2026-W05
    "#]]
    .assert_eq(&findings(&archive));
    let verdict = verify_evidence(&archive, None).to_string();
    for words in
        ["kept back with the names", "signed by the License Update Server", "who recorded them cannot be checked"]
    {
        assert!(verdict.contains(words), "'{words}' is not in {verdict}");
    }
    let page = String::from_utf8(files(&archive)["README.txt"].clone()).expect("text");
    assert!(page.starts_with("NAMES ARE PSEUDONYMS HERE"), "{page}");
    assert_eq!(exported_under_pseudonyms(&mut world), archive, "the same state gives the same bytes");
}

#[test]
fn an_archive_is_under_pseudonyms_as_a_whole_or_not_at_all() {
    let (mut world, _) = sent(1);
    let key = SigningKey::from_secret(&[9; 32]);
    let signed = |mut files: Files, change: &dyn Fn(&mut Files)| {
        files.insert("keys/agent.jwk".to_owned(), key.verifying().jwk().to_string().into_bytes());
        change(&mut files);
        list_again(&mut files);
        sign_again(&mut files, &key);
        failing(&packed(&files))
    };
    let (plain, under) = (files(&exported(&world)), files(&exported_under_pseudonyms(&mut world)));
    let about = "evidence.json".to_owned();
    let swapped = signed(plain.clone(), &|files| drop(files.insert(about.clone(), under[&about].clone())));
    assert!(["journal", "report r1: record"].iter().all(|check| swapped.contains(&(*check).to_owned())), "{swapped:?}");
    let swapped = signed(under.clone(), &|files| drop(files.insert(about.clone(), plain[&about].clone())));
    for check in ["journal", "report r1: record", "report r1: journal", "sent report-r1"] {
        assert!(swapped.contains(&check.to_owned()), "{check} is not in {swapped:?}");
    }
    let receipt = "sent/report-r1.withheld.json";
    let other = signed(under.clone(), &|files| {
        let text = String::from_utf8(files[receipt].clone()).expect("text");
        let at = text.rfind("sha256\":\"").expect("a digest");
        let other = if text[at + 9..].starts_with('0') { "1" } else { "0" };
        let text = format!("{}{other}{}", &text[..at + 9], &text[at + 10..]);
        files.insert(receipt.to_owned(), text.into_bytes());
    });
    assert!(other.contains(&"sent report-r1".to_owned()), "{other:?}");
}

#[test]
fn a_question_for_pseudonyms_before_there_is_a_key_is_refused_and_the_settings_make_one_at_the_start() {
    let (mut world, disk) = sent(1);
    let query = Query::Evidence { unit: None, server: None, month: january().month, names: Names::Pseudonyms };
    let refused = world.ask(&query).expect_err("there is no key");
    assert_eq!(refused.code, 3);
    assert!(refused.why.contains("--pseudonyms makes it"), "{}", refused.why);
    let key = Path::new("/state/keys/pseudonyms.key");
    assert_eq!(disk.read(key).expect("the disk is well"), None);
    world.order(Order::MakePseudonymKey, "mia").expect("the disk takes files");
    let made = disk.read(key).expect("the disk is well");
    assert!(made.is_some());
    world.order(Order::MakePseudonymKey, "mia").expect("once more");
    assert_eq!(disk.read(key).expect("the disk is well"), made, "a key is made once");
}
