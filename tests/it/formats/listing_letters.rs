//! Letters that list what people are to look at.

use expect_test::expect;
use tidegauge::domain::notice::News;

use super::letters::{body, check, october, ready};
use super::sample::points;

#[test]
fn adjustments_that_could_not_be_made_again_are_named_where_a_report_was_built_again() {
    let dropped =
        |count: usize| (0..count).map(|at| format!("vbr01/web{at:02} removed by mia (a test machine)")).collect();
    let late = |dropped| body(News::LateSample { month: october(), sent: false, dropped });
    check(
        &late(dropped(2)),
        expect![[r#"
        A sample of 2026-10 came in late, and its usage report was built again from
        it. Adjustments were kept but those that name what is not in it any more.

        Not made again: vbr01/web00 removed by mia (a test machine)
        Not made again: vbr01/web01 removed by mia (a test machine)

        What to do: Please look at the number again before it is sent.

        -- 
        Tidegauge, Example Provider, vbr01 and vbr02
        report.late_sample | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001"#]],
    );
    check(
        late(vec![]).split("\n-- ").next().unwrap_or_default(),
        expect![[r#"
        A sample of 2026-10 came in late, and its usage report was built again from
        it. Adjustments were kept.

        What to do: Please look at the number again before it is sent.
    "#]],
    );
    assert!(late(dropped(23)).contains("Not made again: 3 more"));
    let (was, total) = (points("20"), points("10"));
    check(
        &body(News::ReportRenewed { month: october(), was, total, dropped: dropped(1) }),
        expect![[r#"
        The settings that weights, types or month ends follow were changed, and the
        usage report of 2026-10, which is not sent yet, was built again by them.
        Adjustments were kept but those that name what is not in it any more.

        Before: 20 points
        As it stands: 10 points
        Not made again: vbr01/web00 removed by mia (a test machine)

        What to do: Please look at the number again before it is sent.

        -- 
        Tidegauge, Example Provider, vbr01 and vbr02
        report.renewed | 2026-11-01 00:00 GMT | 7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001"#]],
    );
}

#[test]
fn a_report_that_is_ready_lists_where_the_servers_own_sums_differ() {
    let News::ReportReady { month, total, days_left, automatic, late, workdays, difference, .. } =
        ready(10, true, false)
    else {
        unreachable!("it is ready")
    };
    let discrepancies = vec!["vbr01: used points: the server says 1473, counted 0".to_owned()];
    let news = News::ReportReady { month, total, days_left, automatic, late, workdays, difference, discrepancies };
    let told = body(news);
    assert!(told.contains("Look at: vbr01: used points: the server says 1473, counted 0\n"), "{told}");
}
