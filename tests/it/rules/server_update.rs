//! What a backup server's own license update came to.

use proptest::prelude::*;
use tidegauge::domain::license::License;
use tidegauge::rules::license_results::{
    CONTRACT_EXPIRED, CONTRACT_TERMINATED, Consequence, GENERAL_ERROR, INSTALLED, LICENSE_RESULTS, LicenseResult,
    Pause, RECEIVED, UP_TO_DATE,
};
use tidegauge::rules::server_update::{ServerAnswer, is_later, one_line, read};
use tidegauge::simulation::vbr::DOCUMENTED_UP_TO_DATE;

fn to(day: &str) -> License {
    License { expires_on: Some(day.parse().expect("a day")), ..License::default() }
}

fn said(words: &str, is_successful: bool, after: &str) -> LicenseResult {
    let (before, after) = (to("2026-03-15"), to(after));
    read(&ServerAnswer { words, is_successful, before: &before, after: Some(&after) })
}

/// The number of the result.
fn number(words: &str, is_successful: bool, after: &str) -> u8 {
    said(words, is_successful, after).outcome.number()
}

#[test]
fn every_message_of_the_field_is_known_behind_the_products_name_too() {
    for row in &LICENSE_RESULTS {
        for words in [row.message.to_owned(), format!("Veeam Backup and Replication:\n {}", row.message)] {
            let result = said(&words, row.consequence == Consequence::Install, "2026-03-15");
            assert_eq!((result.outcome, result.consequence), (row.outcome, row.consequence), "{words}");
            assert_eq!(result.message, one_line(&words));
        }
    }
}

#[test]
fn the_documented_example_says_that_nothing_is_required() {
    assert_eq!(number(DOCUMENTED_UP_TO_DATE, true, "2026-03-15"), 2);
    assert_eq!(said(DOCUMENTED_UP_TO_DATE, true, "2026-03-15").consequence, Consequence::Keep);
}

#[test]
fn of_several_messages_in_one_answer_the_gravest_counts() {
    assert_eq!(number(&format!("{RECEIVED}\n{INSTALLED}"), true, "2026-04-30"), 1);
    assert_eq!(number(&format!("{UP_TO_DATE}\n{GENERAL_ERROR}"), true, "2026-03-15"), 3);
    assert_eq!(number(&format!("{GENERAL_ERROR}. {CONTRACT_TERMINATED}"), false, "2026-03-15"), 5);
}

#[test]
fn a_terminated_contract_is_understood_in_other_words_and_an_expired_one_is_not_terminated() {
    assert_eq!(said("Contract 01234567 has been Terminated!", false, "2026-03-15").consequence, Consequence::SwitchOff);
    let expired = said(CONTRACT_EXPIRED, false, "2026-03-15");
    assert_eq!(expired.consequence, Consequence::RetryAfter(Pause::Day));
}

#[test]
fn unknown_words_are_judged_by_what_the_server_calls_them_and_by_its_dates() {
    for (is_successful, after, result) in
        [(true, "2026-04-30", 1), (false, "2026-04-30", 1), (true, "2026-03-15", 2), (false, "2026-03-15", 4)]
    {
        let read = said("Alles in  Ordnung", is_successful, after);
        assert_eq!(
            (read.outcome.number(), read.message.as_str()),
            (result, "Alles in Ordnung"),
            "{is_successful} {after}"
        );
    }
    let before = to("2026-03-15");
    let blind = ServerAnswer { words: "Alles in Ordnung", is_successful: true, before: &before, after: None };
    assert_eq!(read(&blind).consequence, Consequence::RetryAfter(Pause::Hour), "nothing shows what it did");
}

#[test]
fn a_key_that_came_and_was_not_installed_is_no_success() {
    assert_eq!(number(RECEIVED, false, "2026-03-15"), 4);
    assert_eq!(number(RECEIVED, false, "2026-04-30"), 1);
}

#[test]
fn a_license_is_later_by_either_date_and_never_by_losing_one() {
    let support = |day: &str| License { support_expires_on: Some(day.parse().expect("a day")), ..to("2026-03-15") };
    assert!(is_later(&to("2026-03-15"), &to("2026-03-16")));
    assert!(is_later(&support("2026-03-01"), &support("2026-04-01")));
    assert!(!is_later(&to("2026-03-15"), &to("2026-03-15")));
    assert!(!is_later(&to("2026-03-15"), &License::default()));
}

proptest! {
    #[test]
    fn any_words_come_to_one_result_in_one_line(words in "\\PC{0,80}|[a-z \\n]{0,80}", is_successful: bool) {
        let result = said(&words, is_successful, "2026-03-15");
        prop_assert!(!result.message.contains('\n'));
        prop_assert!((1..=5).contains(&result.outcome.number()));
    }
}
