//! The price book: what is in force, and what is refused where.

use tidegauge::billing::price_book::{Cost, Price, PriceBook};
use tidegauge::domain::workload::WorkloadType;

use super::*;

fn refused(text: &str) -> String {
    PriceBook::parse("prices.toml", text).expect_err("a price book that is wrong").to_string()
}

#[test]
fn the_example_of_the_package_says_what_the_page_says() {
    let example = book(include_str!("../../../packaging/prices.toml"));
    let page = include_str!("../../../docs/PRICE_BOOK.md");
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the page's example");
    assert_eq!(book(block), example);
}

#[test]
fn the_price_in_force_on_the_months_first_day_counts_and_a_tenants_own_goes_before_everybodys() {
    let book = euros(
        r#"
        [[price]]
        valid_from = 2026-01-01
        per_point = "0.95"
        per_workload = { CloudConnectVM = "6.50" }
        cost_per_point = "0.60"
        cost_per_workload = { CloudConnectVM = "4" }
        minimum = "10"
        [[price]]
        valid_from = 2026-04-15
        per_point = "1"
        [[tenant]]
        name = "Tenant A"
        customer_number = "10042"
        servers = ["vbr07"]
        [[tenant.price]]
        valid_from = 2026-03-01
        per_point = "0.8"
        minimum = "0"
        "#,
    );
    let price = |of: &str, tenant: &str, kind| match book.price_of(month(of), tenant, &kind) {
        Some(Price::PerPoint(scale)) => format!("{} a point", scale.base),
        Some(Price::PerWorkload(price)) => format!("{price} each"),
        None => "none".to_owned(),
    };
    assert_eq!(price("2025-12", "x", WorkloadType::Vm), "none");
    assert_eq!(price("2026-01", "x", WorkloadType::Vm), "0.95 a point");
    assert_eq!(price("2026-04", "x", WorkloadType::Vm), "0.95 a point", "the 15th is not the first day");
    assert_eq!(price("2026-05", "x", WorkloadType::CloudConnectVm), "1 a point", "a list stands alone");
    assert_eq!(price("2026-02", "Tenant A", WorkloadType::CloudConnectVm), "6.5 each", "its own begins in March");
    assert_eq!(price("2026-03", "Tenant A", WorkloadType::CloudConnectVm), "0.8 a point");
    assert_eq!(price("2026-03", "Tenant B", WorkloadType::CloudConnectVm), "6.5 each");
    let march = month("2026-03");
    assert_eq!(book.cost_of(march, &WorkloadType::Vm), Some(Cost::PerPoint(decimal("0.6"))));
    assert_eq!(book.cost_of(march, &WorkloadType::CloudConnectVm), Some(Cost::PerWorkload(decimal("4"))));
    assert_eq!(book.cost_of(month("2026-05"), &WorkloadType::Vm), None);
    assert_eq!(book.minimum_of(march, "Tenant B"), Some(decimal("10")));
    assert_eq!(book.minimum_of(march, "Tenant A"), Some(decimal("0")));
    assert_eq!(book.minimum_of(march, "(no tenant)"), None, "nobody committed to what no tenant used");
    assert_eq!(book.customer_number("Tenant A"), Some("10042"));
}

#[test]
fn who_pays_is_the_lines_tenant_then_who_the_server_stands_at_then_the_named_fallback() {
    let text = "currency = \"EUR\"\nrounding = \"line\"\nno_tenant = \"House\"\n[[price]]\nvalid_from = 2026-01-01\n\
                per_point = \"1\"\n[[tenant]]\nname = \"A\"\nservers = [\"vbr07\", \"vspc01\"]\n\
                [[tenant]]\nname = \"B\"\nservers = [\"vbr09@vspc01\"]\n";
    let book = book(text);
    assert_eq!(book.tenant_of(Some("B"), "vbr07"), "B");
    assert_eq!(book.tenant_of(None, "vbr07"), "A");
    assert_eq!(book.tenant_of(None, "vbr08@vspc01"), "A", "a console's entry stands for its servers");
    assert_eq!(book.tenant_of(None, "vbr09@vspc01"), "B", "but for those named themselves");
    assert_eq!(book.tenant_of(None, "vbr08"), "House");
    assert_eq!(euros("[[price]]\nvalid_from = 2026-01-01\nper_point = \"1\"").tenant_of(None, "vbr08"), "(no tenant)");
}

#[test]
fn a_wrong_price_book_is_refused_with_file_line_and_key() {
    let head = "currency = \"EUR\"\nrounding = \"line\"\n";
    let with = |rest: &str| refused(&format!("{head}{rest}"));
    let list = "[[price]]\nvalid_from = 2026-01-01\nper_point = \"1\"\n";
    let tenant = "[[tenant]]\nname = \"A\"\n";
    let own = "[[tenant.price]]\nvalid_from = 2026-01-01\n";
    let also = |rest: &str| with(&format!("{list}{rest}"));
    let tiers = |volume: &str, mode: &str, bands: &str| {
        also(&format!("[price.tiers]\nvolume = \"{volume}\"\nmode = \"{mode}\"\nbands = [{bands}]\n"))
    };
    let band = "{ above = \"5\", per_point = \"1\" }";
    for (why, words) in [
        (also("tier = 3\n"), &["prices.toml", "line 6", "tier"][..]),
        (with("[[price]]\nvalid_from = 2026-01-01\nper_point = 0.95\n"), &["line 5", "per_point", "in quotes"]),
        (with("[[price]]\nvalid_from = 2026-01-01\nper_point = \"-1\"\n"), &["line 5", "'-1' is no price"]),
        (with("[[price]]\nvalid_from = 2026-01-01T10:00:00Z\nper_point = \"1\"\n"), &["line 4", "valid_from"]),
        (also(list), &["line 6", "[[price]] from 2026-01-01", "valid_from", "two lists"]),
        (with(""), &["no [[price]]"]),
        (with("[[price]]\nvalid_from = 2026-01-01\n"), &["line 3", "2026-01-01", "per_point: is not there"]),
        (refused(&format!("rounding = \"line\"\ncurrency = \"EURO\"\n{list}")), &["line 2", "currency", "ISO 4217"]),
        (refused(&format!("currency = \"EUR\"\nrounding = \"up\"\n{list}")), &["line 2", "up"]),
        (refused(&format!("{head}no_tenant = \" \"\n{list}")), &["no_tenant", "empty"]),
        (refused(list), &["currency"]),
        (also(&format!("{tenant}{tenant}")), &["line 8", "name", "'A' stands twice"]),
        (also("[[tenant]]\nname = \"\"\n"), &["line 6", "name: is empty"]),
        (
            also("[[tenant]]\nname = \"A\"\nservers = [\"s\"]\n[[tenant]]\nname = \"B\"\nservers = [\"s\"]\n"),
            &["line 11", "servers: 's' stands at 'A' too"],
        ),
        (also(&format!("{tenant}{own}")), &["line 8", "[[tenant.price]] of 'A'", "has no price"]),
        (also(&format!("{tenant}{own}cost_per_point = \"1\"\n")), &["line 8", "cost_per_point", "supplier"]),
        (also(&format!("{tenant}{own}minimum_total = \"1\"\n")), &["line 8", "minimum_total", "write minimum"]),
        (also("cost_per_workload = { VM = \"1\" }\n"), &["line 3", "cost_per_workload", "cost_per_point"]),
        (also("per_workload = { vm = \"1\" }\n"), &["line 3", "per_workload: vm is written VM"]),
        (also("minimum = \"1.005\"\n"), &["line 3", "minimum: is finer"]),
        (tiers("tenant", "graduated", ""), &["line 3", "bands: there is none"]),
        (tiers("tenant", "graduated", "{ above = \"0\", per_point = \"1\" }"), &["bands: the first is above 0"]),
        (tiers("tenant", "graduated", &format!("{band}, {band}")), &["bands: each begins above"]),
        (tiers("everybody", "graduated", band), &["mode: graduated", "whole_volume"]),
        (tiers("tenant", "stepped", band), &["line 8", "mode", "stepped"]),
        (
            also(&format!(
                "{tenant}{own}[tenant.price.tiers]\nvolume = \"tenant\"\nmode = \"graduated\"\nbands = [{band}]\n"
            )),
            &["line 8", "tiers: need a per_point"],
        ),
    ] {
        assert!(words.iter().all(|word| why.contains(word)) && why.lines().count() == 1, "{words:?} in {why}");
    }
}
