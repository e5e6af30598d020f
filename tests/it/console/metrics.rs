//! What monitoring scrapes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidegauge::agent::Query;
use tidegauge::api::metrics;

use super::visitor::at;
use super::{asked, open_report};

/// The readings as monitoring reads them: `name{labels}` and value of each line.
fn scraped() -> Vec<(String, f64)> {
    let readings = asked(&Query::Readings {});
    let text = metrics::text(&readings).expect("a text");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parted = lines.map(|line| line.rsplit_once(' ').expect("a name and a value"));
    parted.map(|(name, value)| (name.to_owned(), value.parse().expect("a number"))).collect()
}

fn reading(scraped: &[(String, f64)], family: &str) -> f64 {
    let mut found = scraped.iter().filter(|(name, _)| name.split('{').next() == Some(family));
    found.next().unwrap_or_else(|| panic!("no {family} among {scraped:?}")).1
}

#[test]
fn monitoring_reads_the_numbers_that_people_see_and_instants_instead_of_days_left() {
    let scraped = scraped();
    let report = open_report();
    let points: f64 = report["total_points"].as_str().expect("points are text").parse().expect("a number");
    for (family, value) in [
        ("tidegauge_report_points", points),
        ("tidegauge_report_open", 1.0),
        ("tidegauge_report_deadline_timestamp_seconds", at("2026-10-11T00:00:00Z").timestamp() as f64),
        ("tidegauge_license_auto_update_enabled", 1.0),
        ("tidegauge_license_auto_update_switched_itself_off", 0.0),
        ("tidegauge_gate_held", 0.0),
        ("tidegauge_server_up", 1.0),
        ("tidegauge_clock_suspect", 0.0),
        ("tidegauge_build_info", 1.0),
    ] {
        assert!((reading(&scraped, family) - value).abs() < 1e-6, "{family}: {scraped:?}");
    }
    let sampled = reading(&scraped, "tidegauge_sample_timestamp_seconds");
    let age = at("2026-10-01T08:00:00Z").timestamp() as f64 - sampled;
    assert!((0.0..=3600.0).contains(&age), "{age} s");
    let expires = reading(&scraped, "tidegauge_license_expiration_timestamp_seconds");
    assert!(at("2026-10-01T08:00:00Z").timestamp() as f64 <= expires);
}

/// Every metric that a shipped file asks for.
pub fn named_in(file: &str) -> BTreeSet<&str> {
    let letters = |sign: char| sign.is_ascii_lowercase() || sign == '_';
    file.split(|sign| !letters(sign)).filter(|word| word.starts_with("tidegauge_")).collect()
}

/// What readings say of themselves: each name with its explanation.
pub fn families_of(readings: &Value) -> BTreeMap<String, String> {
    let families = readings["families"].as_array().expect("families").iter();
    let text = |family: &Value, field: &str| family[field].as_str().expect("a text").to_owned();
    families.map(|family| (format!("tidegauge_{}", text(family, "name")), text(family, "help"))).collect()
}

/// The same as docs/METRICS.md has it below this heading: ``| `name` | labels | explanation |``.
pub fn page_rows(heading: &str) -> BTreeMap<String, String> {
    let page = include_str!("../../../docs/METRICS.md");
    let below = page.split_once(heading).expect("a heading").1.split("\n## ").next().expect("a part");
    let cells = below.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<&str>>());
    let row = |cells: Vec<&str>| {
        Some((cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?.to_owned(), (*cells.get(3)?).to_owned()))
    };
    cells.filter_map(row).collect()
}

#[test]
fn every_metric_that_the_shipped_alerts_and_dashboard_ask_for_is_there() {
    let families = families_of(&asked(&Query::Readings {}));
    for file in [
        include_str!("../../../packaging/prometheus/alerts.yml"),
        include_str!("../../../packaging/prometheus/alerts_test.yml"),
        include_str!("../../../packaging/prometheus/dashboard.json"),
    ] {
        // Those of the fleet are the License Update Server's.
        let named: Vec<&str> =
            named_in(file).into_iter().filter(|name| !name.starts_with("tidegauge_fleet_")).collect();
        assert!(named.len() >= 10, "{named:?}");
        for name in named {
            assert!(families.contains_key(name), "{name} is asked for and not there");
        }
    }
}

#[test]
fn the_page_of_metrics_tells_every_one_of_the_agent_in_its_own_words() {
    assert_eq!(page_rows("## The agent"), families_of(&asked(&Query::Readings {})));
}

#[test]
fn monitoring_is_told_servers_and_units_but_no_tenant_and_no_machine() {
    let labels: Vec<String> = scraped().into_iter().map(|(name, _)| name).collect();
    let known = ["server=", "unit=", "month=", "version="];
    for name in labels.iter().filter_map(|name| name.split_once('{')).map(|(_, labels)| labels) {
        assert!(name == "}" || known.iter().any(|label| name.contains(label)), "{name}");
    }
    let report = open_report();
    for workload in report["workloads"].as_array().expect("a list").iter().take(50) {
        let name = workload["name"].as_str().expect("a name");
        assert!(!labels.iter().any(|label| label.contains(name)), "{name}");
    }
}
