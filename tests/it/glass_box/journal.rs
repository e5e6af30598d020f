//! The journal, newest first.

use tidegauge::agent::{JournalKind, JournalSearch};

use super::*;

fn search(search: JournalSearch) -> Value {
    ask(&Query::Journal(search))
}

/// Every entry that fits, page by page.
fn all(wanted: &JournalSearch) -> Vec<Value> {
    let (mut entries, mut after) = (Vec::new(), None);
    for _ in 0..1_000 {
        let page = search(JournalSearch { after, ..wanted.clone() });
        entries.extend(rows(&page, "entries").iter().cloned());
        after = page["next"].as_u64();
        if after.is_none() {
            return entries;
        }
    }
    panic!("the journal does not end");
}

fn seqs(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["seq"].as_u64().expect("a number")).collect()
}

#[test]
fn pages_go_from_the_newest_entry_to_the_first_without_a_gap() {
    let head = lived(|world| world.agent().store().head().seq);
    let every: Vec<u64> = (1..=head).rev().collect();
    assert!(head > 500, "the pages of this test are full: {head}");
    assert_eq!(seqs(&all(&JournalSearch { limit: Some(137), ..JournalSearch::default() })), every);
    assert_eq!(seqs(&all(&JournalSearch { limit: Some(u16::MAX), ..JournalSearch::default() })), every);
    let first = search(JournalSearch::default());
    assert_eq!((rows(&first, "entries").len(), &first["head"]), (50, &json!(head)));
}

#[test]
fn who_changed_a_report_and_why_is_found_by_its_reason_its_actor_and_what_happened() {
    let by = |text: Option<&str>, actor: Option<&str>| {
        let (text, actor) = (text.map(str::to_owned), actor.map(str::to_owned));
        all(&JournalSearch { text, actor, kind: Some(JournalKind::Reports), ..JournalSearch::default() })
    };
    for found in [by(Some("NOBODY PAYS"), None), by(Some("adjusted"), None), by(Some("adjusted"), Some("Mia"))] {
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!((text(&found[0], "actor"), text(&found[0], "reason")), ("user:mia", REASON));
        assert_eq!(text(&found[0], "hash").len(), 12);
        let words: Vec<&str> = rows(&found[0], "what").iter().map(|what| text(what, "words")).collect();
        let is_told = words.iter().any(|words| words.starts_with("report 2026-09 r1 adjusted: "));
        assert!(is_told, "{words:?}");
    }
    let of_mia = by(None, Some("mia"));
    assert!(of_mia.len() == 2 && of_mia.iter().all(|entry| entry["actor"] == "user:mia"), "and the files: {of_mia:#?}");
    assert_eq!(by(Some("no such words"), None), [] as [Value; 0]);
}

#[test]
fn a_month_days_and_a_kind_narrow_what_is_shown() {
    let august = all(&JournalSearch { month: Some("2026-08".parse().unwrap()), ..JournalSearch::default() });
    assert!(!august.is_empty() && august.iter().all(|entry| text(entry, "now") < "2026-09"));
    let day = |day: &str| Some(day.parse().unwrap());
    let night = JournalSearch { from: day("2026-09-24"), until: day("2026-09-25"), ..JournalSearch::default() };
    let missed = all(&JournalSearch { text: Some("not sampled".to_owned()), ..night.clone() });
    assert!(missed.len() > 5, "every miss is told, not the first alone: {}", missed.len());
    let samples = JournalSearch { kind: Some(JournalKind::Samples), ..night };
    for entry in all(&samples) {
        assert!(rows(&entry, "what").iter().any(|what| what["kind"] == "samples"), "{entry:#}");
    }
}

#[test]
fn everything_that_happened_has_words_and_none_of_them_holds_a_body_or_a_key() {
    let key = lived(|world| world.agent().identity().key.verifying().fingerprint());
    for entry in all(&JournalSearch::default()) {
        for what in rows(&entry, "what") {
            let words = text(what, "words");
            assert!(!words.is_empty(), "entry {} has something without words", entry["seq"]);
            assert!(!words.contains("eyJ") && !words.contains(&key) && !words.contains("PRIVATE"), "{words}");
        }
    }
}

#[test]
fn one_entry_is_told_alone_and_in_full() {
    let listed = &all(&JournalSearch { limit: Some(500), ..JournalSearch::default() })[0];
    let seq = listed["seq"].as_u64();
    let one = search(JournalSearch { seq, ..JournalSearch::default() });
    let entry = &rows(&one, "entries")[0];
    assert_eq!((rows(&one, "entries").len(), &one["next"], &one["looked_at"]), (1, &Value::Null, &json!(1)));
    assert_eq!((&entry["seq"], text(entry, "hash").len()), (&listed["seq"], 64));
    assert!(text(entry, "hash").starts_with(text(listed, "hash")), "{entry:#}");
    for none in [0, u64::MAX] {
        let nothing = search(JournalSearch { seq: Some(none), ..JournalSearch::default() });
        assert_eq!((rows(&nothing, "entries"), &nothing["next"]), (&[] as &[Value], &Value::Null));
    }
}
