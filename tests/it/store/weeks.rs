//! Groups' highest points by week, which are read apart from the marks of the days.

use super::*;

#[test]
fn a_groups_highest_points_of_a_week_are_the_highest_of_its_days() {
    const DAYS: i64 = 80;
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open_folder(folder.path()).unwrap();
    form(&mut store, &["vbr01"]);
    let mut world = World::of("vbr01", 40);
    for hour in (0..DAYS * 24).step_by(6) {
        keep(&mut store, &[world.sample(hour)]);
    }
    let mut groups_seen = 0;
    for (first, last) in [(0, DAYS - 1), (3, 3), (17, 58), (40, DAYS + 9)] {
        let (first, last) = (at(first * 24).date_naive(), at(last * 24).date_naive());
        let mut weeks = tidegauge::store::GroupWeeks::new();
        for day in store.days("unit-a", first, last).unwrap() {
            let week = weeks.entry(tidegauge::domain::IsoWeek::of_day(day.day)).or_default();
            for (group, points) in day.group_maxima {
                let highest = week.entry(group).or_insert(points);
                *highest = points.max(*highest);
            }
        }
        groups_seen += weeks.values().map(std::collections::BTreeMap::len).sum::<usize>();
        assert_eq!(store.group_weeks("unit-a", first, last).unwrap(), weeks, "{first} to {last}");
    }
    assert!(groups_seen > 0, "the unit has groups");
}
