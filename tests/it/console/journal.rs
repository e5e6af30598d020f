//! The journal, looked through.

use axum::http::StatusCode;

use super::OPEN_REPORT;
use super::visitor::{Page, between};

/// The numbers of the entries on a page.
fn entries(page: &Page) -> Vec<u64> {
    let links = page.html.split("href=\"?seq=").skip(1).filter_map(|link| link.split_once('"'));
    links.map(|(seq, _)| seq.parse().expect("a number")).collect()
}

fn older(page: &Page) -> String {
    let link = page.html.split("<a href=\"").find(|link| link.contains("\">Older</a>")).expect("older entries");
    link.split('"').next().expect("an address").replace("&#38;", "&")
}

#[test]
fn the_newest_entries_come_first_and_older_ones_page_by_page() {
    let vera = OPEN_REPORT.signed_in("vera");
    let first = vera.get("/journal");
    assert_eq!(first.status, StatusCode::OK);
    assert!(first.words().contains("Journal When Who What Entry"), "{}", first.words());
    let (newest, next) = (entries(&first), entries(&vera.get(&older(&first))));
    assert_eq!((newest.len(), next.len()), (50, 50));
    let all: Vec<u64> = newest.iter().chain(&next).copied().collect();
    let head = newest[0];
    assert_eq!(all, (head - 99..=head).rev().collect::<Vec<u64>>(), "without a gap");
}

#[test]
fn who_did_what_is_found_by_text_actor_kind_and_day() {
    let vera = OPEN_REPORT.signed_in("vera");
    let found = vera.get("/journal?search=VERA&actor=owner");
    assert!(found.words().contains("owner"), "{}", found.words());
    assert!(!found.html.contains("argon2") && entries(&found).len() == 1, "{}", found.words());
    let report = vera.get("/journal?kind=reports&from=2026-10-01&until=2026-10-01");
    assert!(report.words().contains("report 2026-09 r1 generated"), "{}", report.words());
    assert!(report.html.contains("<option selected>reports</option>") && report.html.contains("value=\"2026-10-01\""));
    let nothing = vera.get("/journal?search=%3Cb%3Eno+such+words%3C%2Fb%3E");
    assert!(nothing.words().contains("entries fits"), "{}", nothing.words());
    assert!(!nothing.html.contains("<b>no such words"), "what was typed is not markup");
    let samples = vera.get("/journal?kind=samples");
    assert!(older(&samples).starts_with("/journal?kind=samples&after="), "an older page looks for the same");
}

#[test]
fn one_entry_is_told_in_full_with_its_hashes() {
    let vera = OPEN_REPORT.signed_in("vera");
    let second = vera.get("/journal?seq=2");
    assert_eq!(second.status, StatusCode::OK);
    assert!(second.html.contains("href=\"?seq=1\"") && second.html.contains("href=\"?seq=3\""));
    let of = |page: &Page, what: &str| between(&page.html, &format!("<dt>{what}</dt><dd><code>"), "</code>").to_owned();
    let first = vera.get("/journal?seq=1");
    let hash = of(&first, "Hash");
    assert_eq!((hash.len(), of(&second, "Hash before it")), (64, hash));
}

#[test]
fn an_entry_a_kind_or_a_day_that_is_none_is_refused() {
    let vera = OPEN_REPORT.signed_in("vera");
    for (path, status) in [
        ("/journal?seq=0", StatusCode::NOT_FOUND),
        ("/journal?seq=18446744073709551615", StatusCode::NOT_FOUND),
        ("/journal?seq=x", StatusCode::BAD_REQUEST),
        ("/journal?kind=gossip", StatusCode::BAD_REQUEST),
        ("/journal?from=2026-02-30", StatusCode::BAD_REQUEST),
        ("/journal?after=-1", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(vera.get(path).status, status, "{path}");
    }
}
