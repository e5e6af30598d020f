//! The table of license update messages.

use tidegauge::rules::license_results::{
    self, Consequence, KEY_REVOKED, LICENSE_RESULTS, LicenseOutcome, Pause, Telling, UP_TO_DATE,
};

#[test]
fn every_message_has_its_result_and_consequence() {
    for row in &LICENSE_RESULTS {
        let result = license_results::read(row.message);
        assert_eq!((result.outcome, result.message.as_str()), (row.outcome, row.message));
        let expected = match row.outcome {
            LicenseOutcome::Success => Consequence::Install,
            LicenseOutcome::NotRequired => Consequence::Keep,
            LicenseOutcome::NotGenerated if row.message == KEY_REVOKED => Consequence::AwaitOrder,
            LicenseOutcome::NotGenerated => Consequence::RetryAfter(Pause::Day),
            LicenseOutcome::InvalidAnswer => Consequence::RetryAfter(Pause::Hour),
            LicenseOutcome::ContractTerminated => Consequence::SwitchOff,
        };
        assert_eq!(result.consequence, expected, "{}", row.message);
    }
}

#[test]
fn messages_of_the_field_stand_word_by_word_with_their_number() {
    let rows: Vec<(u8, &str)> = LICENSE_RESULTS.iter().map(|row| (row.outcome.number(), row.message)).collect();
    let documented = [
        (1, "New license key has been received"),
        (1, "New license key has been installed"),
        (1, "License key has been auto-updated"),
        (2, "Your existing license key is up to date"),
        (3, "License key type is not supported at the moment"),
        (3, "License key is invalid"),
        (
            3,
            "Your contract has expired, so the license key cannot be updated automatically. Please contact your Veeam sales representative to renew your contract.",
        ),
        (3, "General license key generation error has occurred"),
    ];
    for row in documented {
        assert!(rows.contains(&row), "{row:?}");
    }
}

#[test]
fn only_a_needless_check_tells_nobody() {
    for row in &LICENSE_RESULTS {
        assert_eq!(row.telling == Telling::HistoryOnly, row.message == UP_TO_DATE, "{}", row.message);
    }
}

#[test]
fn a_message_nobody_knows_is_an_invalid_answer_kept_verbatim() {
    let result = license_results::read("Le serveur est en panne");
    assert_eq!(result.outcome.number(), 4);
    assert_eq!(result.consequence, Consequence::RetryAfter(Pause::Hour));
    assert_eq!(result.message, "Le serveur est en panne");
}
