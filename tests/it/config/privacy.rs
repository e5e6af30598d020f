//! `[privacy]`: which documents always go out under pseudonyms.

use expect_test::expect;
use tidegauge::domain::pseudonym::HandedOut;

use super::{check_refused, read};

#[test]
fn documents_under_pseudonyms_are_named_and_others_are_refused() {
    let settings = read("[privacy]\npseudonyms = [\"evidence\", \"billing\"]\n").expect("good settings");
    assert!(settings.explain().contains("privacy.pseudonyms = evidence, billing\n"), "{}", settings.explain());
    assert_eq!(Vec::from_iter(settings.pseudonyms), [HandedOut::Evidence, HandedOut::Billing]);
    check_refused(
        "[privacy]\npseudonyms = [\"mail\"]\n",
        expect![[
            r#"t.toml:2: `pseudonyms` of [privacy] is a list: write a list of "report_save", "evidence", "billing""#
        ]],
    );
}
