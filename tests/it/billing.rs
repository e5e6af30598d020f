//! Money: the price book's text, prices in force, exact amounts, and totals that are the sum of their lines.

use proptest::prelude::*;
use rust_decimal::Decimal;
use tidegauge::billing::charge::{NotCharged, charge};
use tidegauge::billing::price_book::{Price, PriceBook};
use tidegauge::domain::report::Line;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Month, Points};

/// Every key of a price book.
pub const BOOK: &str = r#"
currency = "EUR"
rounding = "line"
tax_note = "plus VAT"

[[price]]
valid_from = 2026-01-01
per_point = "0.95"
cost_per_point = "0.60"
per_workload = { CloudConnectVM = "6.50" }

[[price]]
valid_from = 2026-04-15
per_point = "1"

[[tenant]]
name = "Tenant A"
[[tenant.price]]
valid_from = 2026-03-01
per_point = "0.8"
"#;

fn book(text: &str) -> PriceBook {
    PriceBook::parse("prices.toml", text).unwrap_or_else(|why| panic!("{why}"))
}

fn refused(text: &str) -> String {
    PriceBook::parse("prices.toml", text).expect_err("a price book that is wrong").to_string()
}

fn month(text: &str) -> Month {
    text.parse().expect("tests write months as 2026-10")
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn line(tenant: Option<&str>, kind: WorkloadType, weight: &str, count: u64) -> Line {
    let weight: Points = weight.parse().expect("points");
    Line {
        server: "vbr01".to_owned(),
        tenant: tenant.map(str::to_owned),
        kind,
        weight,
        initial_count: count,
        reported_count: count,
        new_count: 0,
        rental_count: 0,
        points: weight * count,
    }
}

#[test]
fn the_price_in_force_on_the_months_first_day_counts_and_a_tenants_own_goes_before_everybodys() {
    let book = book(BOOK);
    let price = |of: &str, tenant: Option<&str>, kind| book.price_of(month(of), tenant, &kind);
    let per_point = |text| Some(Price::PerPoint(decimal(text)));
    assert_eq!(price("2025-12", None, WorkloadType::Vm), None);
    assert_eq!(price("2026-01", None, WorkloadType::Vm), per_point("0.95"));
    assert_eq!(price("2026-04", None, WorkloadType::Vm), per_point("0.95"), "the 15th is not the first day");
    assert_eq!(price("2026-05", None, WorkloadType::Vm), per_point("1"));
    assert_eq!(price("2026-05", None, WorkloadType::CloudConnectVm), per_point("1"), "a list stands alone");
    let each = Some(Price::PerWorkload(decimal("6.5")));
    assert_eq!(price("2026-02", None, WorkloadType::CloudConnectVm), each);
    assert_eq!(price("2026-02", Some("Tenant A"), WorkloadType::CloudConnectVm), each, "its own begins in March");
    assert_eq!(price("2026-03", Some("Tenant A"), WorkloadType::CloudConnectVm), per_point("0.8"));
    assert_eq!(price("2026-03", Some("Tenant B"), WorkloadType::CloudConnectVm), each);
    assert_eq!(book.cost_per_point(month("2026-05")), None);
}

#[test]
fn lines_are_charged_exactly_with_cost_and_margin_beside_them() {
    let lines = [
        line(None, WorkloadType::Vm, "11", 3),
        line(Some("Tenant A"), WorkloadType::CloudConnectVm, "5", 10),
        line(Some("Tenant B"), WorkloadType::Server, "0.7", 1),
    ];
    let charged = charge(&book(BOOK), month("2026-03"), &lines).expect("prices are in force");
    let amounts: Vec<String> = charged.lines.iter().map(|line| line.amount.to_string()).collect();
    assert_eq!(amounts, ["31.35", "40.00", "0.67"]);
    assert_eq!(charged.total.amount.to_string(), "72.02");
    assert_eq!(charged.total.cost, Some(decimal("50.22")));
    assert_eq!(charged.total.margin(), Some(decimal("21.80")));
    assert_eq!(charged.tenants[&Some("Tenant A".to_owned())].amount, decimal("40"));
    let none = charge(&book(BOOK), month("2025-12"), &lines);
    assert_eq!(none.unwrap_err().to_string(), NotCharged::NoPrice(month("2025-12")).to_string());
}

#[test]
fn rounding_by_invoice_rounds_each_tenants_sum_once_and_yen_have_no_coins() {
    let halves = [line(Some("A"), WorkloadType::Vm, "0.5", 1), line(Some("A"), WorkloadType::Server, "0.5", 1)];
    let text = |currency: &str, rounding: &str| {
        format!(
            "currency = \"{currency}\"\nrounding = \"{rounding}\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"0.01\""
        )
    };
    let total = |currency: &str, rounding: &str, lines: &[Line]| {
        charge(&book(&text(currency, rounding)), month("2026-02"), lines).expect("a price").total.amount.to_string()
    };
    assert_eq!(total("EUR", "line", &halves), "0.02", "each half cent is rounded away from zero");
    assert_eq!(total("EUR", "invoice", &halves), "0.01");
    assert_eq!(total("JPY", "invoice", &[line(None, WorkloadType::Vm, "150", 1)]), "2");
    assert_eq!(total("KWD", "line", &halves), "0.010");
}

#[test]
fn a_wrong_price_book_is_refused_with_file_line_and_key() {
    let head = "currency = \"EUR\"\nrounding = \"line\"\n";
    let with = |rest: &str| refused(&format!("{head}{rest}"));
    let list = "[[price]]\nvalid_from = 2026-01-01\nper_point = \"1\"\n";
    for (why, words) in [
        (with(&format!("{list}tier = 3\n")), &["prices.toml", "line 6", "tier"][..]),
        (with("[[price]]\nvalid_from = 2026-01-01\nper_point = 0.95\n"), &["line 5", "per_point", "in quotes"]),
        (with("[[price]]\nvalid_from = 2026-01-01\nper_point = \"-1\"\n"), &["line 5", "'-1' is no price"]),
        (with("[[price]]\nvalid_from = 2026-01-01T10:00:00Z\nper_point = \"1\"\n"), &["line 4", "valid_from"]),
        (with(&format!("{list}{list}")), &["two [[price]] are valid from 2026-01-01"]),
        (with(""), &["no [[price]]"]),
        (with("[[price]]\nvalid_from = 2026-01-01\n"), &["2026-01-01 has no price"]),
        (refused(&format!("currency = \"EURO\"\nrounding = \"line\"\n{list}")), &["EURO", "ISO 4217"]),
        (refused(&format!("currency = \"EUR\"\nrounding = \"up\"\n{list}")), &["line 2", "up"]),
        (refused(list), &["currency"]),
        (with(&format!("{list}[[tenant]]\nname = \"A\"\n[[tenant]]\nname = \"A\"\n")), &["'A' stands twice"]),
    ] {
        assert!(words.iter().all(|word| why.contains(word)) && why.lines().count() == 1, "{words:?} in {why}");
    }
}

proptest! {
    #[test]
    fn the_money_of_the_lines_is_the_money_of_the_totals(
        lines in prop::collection::vec((0..3usize, 1..400u32, 0..50u64, any::<bool>()), 0..12),
        prices in prop::collection::vec(0..10_000u32, 3),
        by_line: bool,
    ) {
        let amount = |n: usize| Decimal::new(i64::from(prices[n]), 4);
        let rounding = if by_line { "line" } else { "invoice" };
        let book = book(&format!(
            "currency = \"EUR\"\nrounding = \"{rounding}\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"{}\"\n\
             per_workload = {{ Server = \"{}\" }}\ncost_per_point = \"{}\"\n",
            amount(0), amount(1), amount(2)
        ));
        let lines: Vec<Line> = lines
            .iter()
            .map(|(tenant, weight, count, server)| {
                let kind = if *server { WorkloadType::Server } else { WorkloadType::Vm };
                line(["a", "b"].get(*tenant).copied(), kind, &Decimal::new(i64::from(*weight), 1).to_string(), *count)
            })
            .collect();
        let charged = charge(&book, month("2026-02"), &lines).expect("a price is in force");
        let tenants: Decimal = charged.tenants.values().map(|sum| sum.amount).sum();
        prop_assert_eq!(tenants, charged.total.amount);
        let exact: Decimal = charged.lines.iter().map(|line| line.amount).sum();
        if by_line {
            prop_assert_eq!(exact, charged.total.amount);
        } else {
            let off = (exact - charged.total.amount).abs();
            prop_assert!(off <= Decimal::new(5, 3) * Decimal::from(charged.tenants.len()));
        }
        prop_assert_eq!(charged.total.amount.scale(), 2);
    }
}
