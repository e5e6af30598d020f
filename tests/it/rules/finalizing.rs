//! When a console's own report may be finalized from here.

use tidegauge::domain::console_report::Standing;
use tidegauge::domain::finalization::Stage;
use tidegauge::rules::finalizing::{Case, Refusal, Verdict, judge};

#[test]
fn a_report_is_finalized_once_and_only_when_equal_or_with_a_reason() {
    let at = "2026-02-02T00:00:00Z".parse().expect("an instant");
    let taken = Stage::Taken { at, words: "Finalization".to_owned() };
    let refused = Stage::Refused { at, why: "no".to_owned() };
    let of = |standing, earlier, is_equal, despite| judge(Case { standing, earlier, is_equal, despite });
    let asking = Some(&Stage::Asking);
    for earlier in [None, asking, Some(&refused)] {
        assert_eq!(of(Standing::Waiting, earlier, true, None), Ok(Verdict::Ask));
        assert_eq!(of(Standing::Waiting, earlier, false, None), Err(Refusal::Differs));
        assert_eq!(of(Standing::Waiting, earlier, false, Some("agreed")), Ok(Verdict::Ask));
        assert_eq!(of(Standing::Unknown, earlier, true, Some("agreed")), Err(Refusal::StatusUnknown));
    }
    assert_eq!(of(Standing::Finalized, asking, false, None), Ok(Verdict::Settle), "the lost answer was a yes");
    assert_eq!(of(Standing::Finalized, None, true, None), Err(Refusal::DoneThere));
    assert_eq!(of(Standing::Finalized, Some(&refused), true, None), Err(Refusal::DoneThere));
    for standing in [Standing::Waiting, Standing::Finalized, Standing::Unknown] {
        assert_eq!(of(standing, Some(&taken), true, Some("agreed")), Err(Refusal::DoneHere), "{standing:?}");
    }
}
