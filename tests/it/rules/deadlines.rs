//! The days on which a report falls due.

use tidegauge::rules::deadlines::{DEADLINE_PRESETS, Deadlines, Due, preset, preset_of_day, vendor_is_earlier};

use super::made::{at, month};

fn by_day(day: u32) -> Deadlines {
    Deadlines { auto_submit_day: day, ..Deadlines::default() }
}

#[test]
fn days_left_count_down_from_ten_and_go_below_zero() {
    let left = |day: &str| Deadlines::default().days_left(Due::AutoSubmit, month("2026-10"), at(day));
    assert_eq!(left("2026-11-01T00:00:00Z"), 10);
    assert_eq!(left("2026-11-10T23:59:59Z"), 1);
    assert_eq!((left("2026-11-11T00:00:00Z"), left("2026-11-12T00:00:00Z")), (0, -1));
    assert_eq!(by_day(3).days_left(Due::AutoSubmit, month("2026-12"), at("2027-01-01T09:00:00Z")), 2);
}

#[test]
fn in_manual_mode_days_are_counted_to_the_manual_deadline_whatever_the_auto_submit_day_is() {
    let left = |day: &str| by_day(3).days_left(Due::Manual, month("2026-10"), at(day));
    assert_eq!((left("2026-11-01T00:00:00Z"), left("2026-11-10T23:59:59Z")), (9, 0));
}

#[test]
fn the_auto_submit_day_is_any_from_2_to_28_at_midnight_and_the_other_days_end_at_midnight() {
    for day in 2..=28 {
        assert_eq!(by_day(day).auto_submit_at(month("2026-12")), at(&format!("2027-01-{day:02}T00:00:00Z")));
    }
    let deadlines = Deadlines { portal_deadline_day: 5, ..Deadlines::default() };
    assert_eq!(deadlines.ends_at(Due::Manual, month("2026-10")), at("2026-11-11T00:00:00Z"));
    assert_eq!(deadlines.ends_at(Due::Portal, month("2026-10")), at("2026-11-06T00:00:00Z"));
}

#[test]
fn the_presets_are_the_vendors_days_eleven_six_and_three_and_2026_is_three() {
    let mut days = DEADLINE_PRESETS.map(|preset| preset.day);
    days.sort_unstable();
    assert_eq!(days, [3, 6, 11]);
    for row in DEADLINE_PRESETS {
        assert_eq!((preset(row.name), preset_of_day(row.day)), (Some(row), Some(row)));
    }
    assert_eq!(preset("2026").map(|row| row.day), Some(3));
    assert_eq!(preset_of_day(Deadlines::default().auto_submit_day).map(|row| row.name), Some("2025"));
    assert_eq!((preset("11"), preset_of_day(12)), (None, None));
}

#[test]
fn the_vendors_present_day_is_named_only_when_ours_lies_after_it() {
    let vendor = |day| vendor_is_earlier(by_day(day)).map(|row| row.day);
    assert_eq!((vendor(2), vendor(3), vendor(4), vendor(11)), (None, None, Some(3), Some(3)));
}
