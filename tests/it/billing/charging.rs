//! Amounts of a month: prices, tiers, minimums, rounding, costs.

use tidegauge::billing::charge::NotCharged;
use tidegauge::domain::workload::WorkloadType;

use super::*;

const FLAT: &str = "[[price]]\nvalid_from = 2026-01-01\nper_point = \"1\"\n";

fn tiered(volume: &str, mode: &str) -> PriceBook {
    euros(&format!(
        "{FLAT}[price.tiers]\nvolume = \"{volume}\"\nmode = \"{mode}\"\nbands = [{{ above = \"100\", per_point = \
         \"0.9\" }}, {{ above = \"200\", per_point = \"0.5\" }}]\n"
    ))
}

#[test]
fn lines_are_charged_exactly_with_cost_and_margin_beside_them() {
    let book = euros(
        "[[price]]\nvalid_from = 2026-01-01\nper_point = \"0.95\"\nper_workload = { CloudConnectVM = \"4\" }\n\
         cost_per_point = \"0.60\"\ncost_per_workload = { CloudConnectVM = \"3.5\" }\n",
    );
    let lines = [
        line(None, WorkloadType::Vm, "11", 3),
        line(Some("A"), WorkloadType::CloudConnectVm, "5", 10),
        line(Some("B"), WorkloadType::Server, "0.7", 1),
    ];
    let charge = charged(&book, "2026-10", &lines);
    assert_eq!(
        shown(&charge),
        ["(no tenant): usage 33 × 0.95 = 31.35", "A: usage 50 × 4 = 40.00", "B: usage 0.7 × 0.95 = 0.67"]
    );
    assert_eq!(charge.total.amount.to_string(), "72.02");
    assert_eq!(charge.total.cost, Some(decimal("55.22")), "19.80 + 35.00 + 0.42");
    assert_eq!(charge.tenants["A"].margin(), Some(decimal("5")));
    let before = tidegauge::billing::charge::charge(&book, month("2025-12"), &[&report("u", 1, lines.to_vec())]);
    assert_eq!(before, Err(NotCharged::NoPrice(month("2025-12"))));
}

#[test]
fn graduated_tiers_price_the_points_within_each_band_and_lines_fill_them_in_order() {
    let lines = [vms("A", 12), line(Some("A"), WorkloadType::Server, "1", 100), vms("B", 1)];
    let charge = charged(&tiered("tenant", "graduated"), "2026-10", &lines);
    assert_eq!(
        shown(&charge),
        [
            "A: usage 100 × 1 = 100.00",
            "A: usage 32 × 0.9 = 28.80",
            "A: usage 68 × 0.9 = 61.20",
            "A: usage 32 × 0.5 = 16.00",
            "B: usage 11 × 1 = 11.00",
        ]
    );
    let counts: Vec<i64> = charge.lines.values().map(|(amounts, _)| amounts.workloads).collect();
    assert_eq!(counts, [12, 0, 100, 0, 1], "workloads stand in the first line of what spans tiers");
}

#[test]
fn whole_volume_tiers_price_every_point_by_the_band_that_the_month_reaches() {
    let at = |mode: &str, volume: &str, lines: &[Line]| {
        charged(&tiered(volume, mode), "2026-10", lines).total.amount.to_string()
    };
    let points = |count| line(Some("A"), WorkloadType::Vm, "1", count);
    assert_eq!(at("whole_volume", "tenant", &[points(100)]), "100.00", "exactly so many are still below");
    assert_eq!(at("whole_volume", "tenant", &[points(101)]), "90.90");
    assert_eq!(at("graduated", "tenant", &[points(100)]), "100.00");
    assert_eq!(at("graduated", "tenant", &[points(101)]), "100.90");
    let two = [line(Some("A"), WorkloadType::Vm, "1", 150), line(Some("B"), WorkloadType::Vm, "1", 60)];
    assert_eq!(at("whole_volume", "tenant", &two), "195.00", "135 and 60");
    assert_eq!(at("whole_volume", "everybody", &two), "105.00", "210 points at 0.5");
}

#[test]
fn a_tenants_tiers_look_at_all_its_reporting_units() {
    let book = tiered("tenant", "graduated");
    let (one, other) = (report("u1", 1, vec![vms("A", 10)]), report("u2", 1, vec![vms("A", 10)]));
    let together = tidegauge::billing::charge::charge(&book, month("2026-10"), &[&one, &other]).expect("a charge");
    assert_eq!(together.total.amount.to_string(), "200.00", "100 at 1, 100 at 0.9, 20 at 0.5");
}

#[test]
fn what_is_missing_to_a_minimum_is_a_line_of_its_own() {
    let text = |total: &str| {
        euros(&format!(
            "{FLAT}cost_per_point = \"0.5\"\nminimum = \"20\"\nminimum_total = \"{total}\"\n[[tenant]]\nname = \
             \"B\"\n[[tenant.price]]\nvalid_from = 2026-01-01\nminimum = \"50\"\n[[tenant]]\nname = \
             \"C\"\n[[tenant.price]]\nvalid_from = 2026-01-01\nminimum = \"0\"\n"
        ))
    };
    let lines = [vms("A", 1), vms("C", 1), line(None, WorkloadType::Vm, "1", 3)];
    let charge = charged(&text("100"), "2026-10", &lines);
    assert_eq!(
        shown(&charge),
        [
            "(no tenant): usage 3 × 1 = 3.00",
            "(no tenant): minimum_total of 100 = 16.00",
            "A: usage 11 × 1 = 11.00",
            "A: minimum of 20 = 9.00",
            "B: minimum of 50 = 50.00",
            "C: usage 11 × 1 = 11.00",
        ],
        "B committed itself and used nothing; C is let off"
    );
    assert_eq!(charge.total.amount.to_string(), "100.00");
    assert_eq!(charge.total.cost, Some(decimal("12.5")), "a minimum costs nothing");
    assert_eq!(charged(&text("84"), "2026-10", &lines).total.amount.to_string(), "84.00");
}

#[test]
fn rounding_by_invoice_rounds_each_tenants_sum_once_in_a_line_and_yen_have_no_coins() {
    let halves = [line(Some("A"), WorkloadType::Vm, "0.5", 1), line(Some("A"), WorkloadType::Server, "0.5", 1)];
    let total = |currency: &str, rounding: &str, lines: &[Line]| {
        let text = format!("currency = \"{currency}\"\nrounding = \"{rounding}\"\n{FLAT}").replace("\"1\"", "\"0.01\"");
        let charge = charged(&book(&text), "2026-10", lines);
        (charge.total.amount.to_string(), charge.lines.len())
    };
    assert_eq!(total("EUR", "line", &halves), ("0.02".to_owned(), 2), "each half cent is rounded away from zero");
    assert_eq!(total("EUR", "invoice", &halves), ("0.01".to_owned(), 2));
    assert_eq!(total("EUR", "invoice", &halves[..1]), ("0.01".to_owned(), 2), "with a line that rounds");
    assert_eq!(total("JPY", "invoice", &[line(None, WorkloadType::Vm, "150", 1)]), ("2".to_owned(), 2));
    assert_eq!(total("KWD", "line", &halves), ("0.010".to_owned(), 2));
}
