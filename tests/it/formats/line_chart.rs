//! A period's usage as lines.

use tidegauge::formats::line_chart::{GROUPS_MAX, LineChart, line_chart};

fn week() -> LineChart {
    let amounts = |amounts: [Option<i64>; 3]| amounts.map(|amount| amount.map(Into::into)).to_vec();
    LineChart {
        title: "Usage & <more>".to_owned(),
        labels: ["28 Oct", "29 Oct", "30 Oct", "31 Oct", "1 Nov"].map(str::to_owned).to_vec(),
        total: amounts([Some(900), None, Some(920)]),
        ahead: vec![930.into(), 880.into()],
        groups: vec![
            ("VM".to_owned(), amounts([Some(600), None, Some(600)])),
            ("Ser<ver".to_owned(), amounts([Some(300), None, Some(320)])),
            ("Gone".to_owned(), amounts([None, None, None])),
        ],
    }
}

#[test]
fn lines_say_in_words_what_they_show_and_are_drawn_the_same_twice() {
    let svg = line_chart(&week());
    assert_eq!(svg, line_chart(&week()));
    assert!(svg.contains("<title>Usage &amp; &lt;more&gt;</title>"), "{svg}");
    let words = "<desc>All together: highest 920 at 30 Oct. VM: highest 600 at 28 Oct. \
                 Ser&lt;ver: highest 320 at 30 Oct. Gone: none. Expected at 1 Nov: 880.</desc>";
    assert!(svg.contains(words), "{svg}");
    assert!(svg.contains("role=\"img\"") && svg.trim_end().ends_with("</svg>"), "{svg}");
}

#[test]
fn a_gap_is_no_line_and_each_group_has_a_colour_and_a_sign_of_its_own() {
    let alone = |n: usize| {
        let none = vec![None; 3];
        let groups = (0..=n).map(|at| {
            (format!("group {at}"), if at == n { vec![Some(5.into()), Some(6.into()), None] } else { none.clone() })
        });
        let (labels, groups) = (["a", "b", "c"].map(str::to_owned).to_vec(), groups.collect());
        line_chart(&LineChart { labels, groups, ..LineChart::default() })
    };
    let drawn: std::collections::BTreeSet<String> =
        (0..GROUPS_MAX).map(|n| alone(n).split_once("</desc>").expect("words").1.to_owned()).collect();
    assert_eq!(drawn.len(), GROUPS_MAX);
    let labels = ["a", "b", "c"].map(str::to_owned).to_vec();
    let frame = line_chart(&LineChart { labels, ..LineChart::default() });
    let pictured = |svg: &str| svg.split_once("</desc>").expect("words").1.to_owned();
    assert_eq!(pictured(&alone(GROUPS_MAX)), pictured(&frame), "one more group has no line");
    let lines = |chart: &LineChart| line_chart(chart).matches("stroke=\"#B25000\"").count();
    let mut whole = week();
    whole.groups[0].1[1] = Some(600.into());
    assert_eq!((lines(&week()), lines(&whole)), (2, 1), "two runs beside a gap, one without it");
}
