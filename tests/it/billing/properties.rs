//! What holds for every book and every report.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidegauge::billing::charge::charge;
use tidegauge::billing::invoice::Invoice;
use tidegauge::domain::workload::WorkloadType;

use super::documents::draw_up;
use super::*;

/// A book with everything in it, or less.
fn books() -> impl Strategy<Value = String> {
    let prices = prop::collection::vec(0..20_000i64, 8);
    (prices, any::<bool>(), 0..4u8, prop::option::of(0..50_000i64), prop::option::of(0..90_000i64)).prop_map(
        |(prices, by_line, tiers, minimum, total)| {
            let price = |n: usize| Decimal::new(prices[n], 4);
            let rounding = if by_line { "line" } else { "invoice" };
            let mut text = format!(
                "currency = \"EUR\"\nrounding = \"{rounding}\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"{}\"\n\
                 per_workload = {{ Server = \"{}\" }}\ncost_per_point = \"{}\"\ncost_per_workload = {{ Server = \"{}\" }}\n",
                price(0),
                price(1),
                price(2),
                price(3)
            );
            for (key, amount) in [("minimum", minimum), ("minimum_total", total)] {
                text += &amount.map_or(String::new(), |amount| format!("{key} = \"{}\"\n", Decimal::new(amount, 2)));
            }
            let tiered = ["", "tenant,graduated", "tenant,whole_volume", "everybody,whole_volume"][usize::from(tiers)];
            if let Some((volume, mode)) = tiered.split_once(',') {
                text += &format!(
                    "[price.tiers]\nvolume = \"{volume}\"\nmode = \"{mode}\"\nbands = [{{ above = \"{}\", per_point = \
                     \"{}\" }}, {{ above = \"900\", per_point = \"{}\" }}]\n",
                    price(4) + Decimal::ONE,
                    price(5),
                    price(6)
                );
            }
            text + &format!("[[tenant]]\nname = \"b\"\n[[tenant.price]]\nvalid_from = 2026-01-01\nper_point = \"{}\"\n", price(7))
        },
    )
}

fn reports() -> impl Strategy<Value = Vec<UsageReport>> {
    let unit = prop::collection::btree_map((0..3usize, 1..400i64, any::<bool>()), 0..30u64, 0..6);
    prop::collection::vec(unit, 1..3).prop_map(|units| {
        let lines = |unit: BTreeMap<(usize, i64, bool), u64>| {
            let of = |((tenant, weight, server), count): ((usize, i64, bool), u64)| {
                let kind = if server { WorkloadType::Server } else { WorkloadType::Vm };
                line_of(["a", "b"].get(tenant).copied(), kind, weight, count)
            };
            unit.into_iter().map(of).collect::<Vec<Line>>()
        };
        (1..).zip(units).map(|(n, unit)| report(&format!("u{n}"), 1, lines(unit))).collect()
    })
}

fn line_of(tenant: Option<&str>, kind: WorkloadType, tenths: i64, count: u64) -> Line {
    line(tenant, kind, &Decimal::new(tenths, 1).to_string(), count)
}

proptest! {
    #[test]
    fn the_money_of_the_lines_is_the_money_of_the_totals(text in books(), reports in reports()) {
        let all: Vec<&UsageReport> = reports.iter().collect();
        let charge = charge(&book(&text), month("2026-10"), &all).expect("a price is in force");
        let lines: Decimal = charge.lines.values().map(|(amounts, _)| amounts.amount).sum();
        let tenants: Decimal = charge.tenants.values().map(|sum| sum.amount).sum();
        prop_assert_eq!(lines, charge.total.amount);
        prop_assert_eq!(tenants, charge.total.amount);
        let costs: Decimal = charge.lines.values().filter_map(|(amounts, _)| amounts.cost).sum();
        prop_assert_eq!(costs, charge.total.cost.unwrap_or_default());
        let points: Points = charge.lines.values().map(|(amounts, _)| amounts.points).sum();
        prop_assert_eq!(points, all.iter().map(|report| report.total_points).sum());
        let counted: u64 = all.iter().flat_map(|report| &report.lines).map(|line| line.reported_count).sum();
        let workloads: i64 = charge.lines.values().map(|(amounts, _)| amounts.workloads).sum();
        prop_assert_eq!(workloads, i64::try_from(counted).unwrap());
        for (tenant, sum) in &charge.tenants {
            let of = charge.lines.iter().filter(|(key, _)| key.tenant == *tenant);
            prop_assert_eq!(of.map(|(_, (amounts, _))| amounts.amount).sum::<Decimal>(), sum.amount);
            prop_assert_eq!(sum.amount.scale(), 2);
        }
    }

    #[test]
    fn the_documents_of_a_month_add_up_to_its_newest_reports_and_every_line_traces_back(
        steps in prop::collection::vec((books(), reports()), 1..5),
    ) {
        let mut issued: Vec<Invoice> = Vec::new();
        for (text, reports) in &steps {
            let all: Vec<&UsageReport> = reports.iter().collect();
            let charge = charge(&book(text), month("2026-10"), &all).expect("a price is in force");
            issued.extend(draw_up(&book(text), reports, &issued));
            let total: Decimal = issued.iter().map(|invoice| invoice.total.amount).sum();
            prop_assert_eq!(total, charge.total.amount);
            let mut tenants: BTreeMap<&str, Decimal> = BTreeMap::new();
            for sum in issued.iter().flat_map(|invoice| &invoice.tenants) {
                *tenants.entry(&sum.tenant).or_default() += sum.owed.amount;
            }
            for (tenant, amount) in tenants {
                let owed = charge.tenants.get(tenant).map(|sum| sum.amount).unwrap_or_default();
                prop_assert_eq!(amount, owed);
            }
            let newest = issued.last().expect("a document");
            let lines: Decimal = newest.lines.iter().map(|line| line.amounts.amount).sum();
            prop_assert_eq!(lines, newest.total.amount);
            for line in &newest.lines {
                let known = line.source.as_ref().is_none_or(|of| newest.reports.iter().any(|it| it.report == of.report));
                prop_assert!(known || line.corrects.is_some());
            }
        }
        let mut ids: Vec<&String> = issued.iter().flat_map(|invoice| &invoice.lines).map(|line| &line.id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), all, "no id stands twice");
    }
}
