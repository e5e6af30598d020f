//! `[policy]`: the deadlines, by day or by the vendor's name for them, and the days on which people are reminded.

use std::collections::BTreeSet;

use chrono::{NaiveDate, Weekday, WeekdaySet};

use super::Settings;
use super::section::Section;
use crate::rules::deadlines::{DEADLINE_PRESETS, preset};

/// Most holidays in the settings: ten years of them.
const HOLIDAYS_MAX: usize = 500;
const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

pub fn read(section: &mut Section<'_>, settings: &mut Settings) {
    let deadlines = &mut settings.deadlines;
    deadlines.auto_submit_day = auto_submit_day(section).unwrap_or(deadlines.auto_submit_day);
    deadlines.manual_deadline_day =
        section.between("manual_deadline_day", 1, 28).unwrap_or(deadlines.manual_deadline_day);
    deadlines.portal_deadline_day =
        section.between("portal_deadline_day", 1, 28).unwrap_or(deadlines.manual_deadline_day);
    settings.coverage_percent_min =
        section.between("coverage_percent_min", 0, 100).unwrap_or(settings.coverage_percent_min);
    settings.allow_package_change = section.switch("allow_package_change").unwrap_or(settings.allow_package_change);
    let days = &mut settings.working_days;
    days.weekend = weekend(section).unwrap_or(days.weekend);
    days.holidays = holidays(section).unwrap_or_default();
}

/// A number, or the name of a preset.
fn auto_submit_day(section: &mut Section<'_>) -> Option<u32> {
    let names: Vec<String> = DEADLINE_PRESETS.iter().map(|row| format!("\"{}\" (day {})", row.name, row.day)).collect();
    let remedy = format!("write a number from 2 to 28, or a preset: {}", names.join(", "));
    section.read("auto_submit_day", &remedy, |text| {
        let named = preset(text).map(|preset| preset.day);
        named.or_else(|| text.parse().ok().filter(|day| (2..=28).contains(day)))
    })
}

fn weekend(section: &mut Section<'_>) -> Option<WeekdaySet> {
    section.each("weekend", "write at most six days: [\"saturday\", \"sunday\"]", |texts| {
        let named = |text: &String| DAYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, day)| *day);
        let days: Option<WeekdaySet> = texts.iter().map(named).collect();
        days.filter(|days| days.len() < 7)
    })
}

fn holidays(section: &mut Section<'_>) -> Option<BTreeSet<NaiveDate>> {
    section.each("holidays", "write at most 500 days: [\"2026-12-25\", \"2027-01-01\"]", |texts| {
        let days: Option<BTreeSet<NaiveDate>> = texts.iter().map(|text| text.parse().ok()).collect();
        days.filter(|days| days.len() <= HOLIDAYS_MAX)
    })
}

/// As the settings name it.
pub fn day_name(day: Weekday) -> &'static str {
    DAYS.iter().find(|(_, known)| *known == day).map_or("?", |(name, _)| name)
}
