//! Money of a month: what an adjustment saves, a document of a sent report, and one of its correction.

use std::path::Path;

use rust_decimal::Decimal;
use tidegauge::agent::orders::{BillingWish, WhichInvoice};
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::doors::Files;

use super::*;

const BOOK: &str = "currency = \"EUR\"\nrounding = \"invoice\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"1.005\"\n\
                    minimum_total = \"300\"\n[price.tiers]\nvolume = \"tenant\"\nmode = \"graduated\"\n\
                    bands = [{ above = \"50\", per_point = \"0.9\" }]\n";

fn billed(seed: u64) -> World {
    let mut plan = calm(seed, "2026-01-20T09:30:00Z", 40);
    plan.settings.price_book = Some("prices.toml".into());
    let world = World::new(plan);
    let disk = world.disk.as_ref().expect("a world has a disk");
    disk.write(Path::new("prices.toml"), BOOK.as_bytes()).expect("it takes files");
    world
}

fn export(world: &mut World, which: WhichInvoice) -> Result<Value, tidegauge::agent::Refused> {
    let wish = BillingWish {
        format: "lines".to_owned(),
        out: "january.csv".to_owned(),
        ending: None,
        which,
        names: Default::default(),
        seen: None,
    };
    world.order(Order::ExportBilling { target: target("2026-01"), wish }, "clerk")
}

fn amount(of: &Value) -> Decimal {
    of.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{of} is no amount"))
}

fn some_workloads(world: &World, count: usize) -> Vec<AdjustmentOrder> {
    let report = report(world, "2026-01");
    let counted = report.workloads.iter().filter(|workload| workload.counted);
    let workloads = counted.take(count).map(|workload| workload.id.clone()).collect();
    vec![AdjustmentOrder::Remove { workloads, reason: "test machines".to_owned() }]
}

#[test]
fn what_an_adjustment_saves_counts_tiers_and_ends_at_the_minimum() {
    let mut world = billed(21);
    world.run_until(at("2026-02-03T10:00:00Z"));
    let saved = |world: &World, count: usize| {
        let adjustments = some_workloads(world, count);
        let effect = world.ask(&Query::WhatIf { target: target("2026-01"), adjustments }).expect("an open report");
        (amount(&effect["money_before"]["amount"]), amount(&effect["money_after"]["amount"]))
    };
    let (before, after) = saved(&world, 1);
    assert!(before > Decimal::from(300) && after < before, "{before} {after}");
    let (same, least) = saved(&world, 35);
    assert_eq!((same, least), (before, Decimal::from(300)), "nothing is saved below the minimum");
    let draft = export(&mut world, WhichInvoice::Next).expect("a draft");
    assert_eq!(amount(&draft["total"]["amount"]), before, "the page and the invoice say the same");
}

#[test]
fn a_sent_months_document_stays_and_its_correction_is_a_document_of_its_own() {
    let mut world = billed(22);
    world.run_until(at("2026-02-03T10:00:00Z"));
    let refused = export(&mut world, WhichInvoice::Issue).expect_err("the report is not sent");
    assert_eq!(refused.code, 8, "{refused}");
    world.run_until(at("2026-02-12"));
    let first = export(&mut world, WhichInvoice::Issue).expect("the report was sent");
    assert_eq!(first["document"], "2026-01/1");

    let reason = "a server was missing".to_owned();
    world.order(Order::Correct { target: target("2026-01"), reason }, "mia").expect("a sent report");
    let adjustments = some_workloads(&world, 3);
    world.order(Order::Adjust { target: target("2026-01"), adjustments }, "mia").expect("an open revision");
    let same = export(&mut world, WhichInvoice::Issue).expect("nothing final changed");
    assert_eq!(same["digest"], first["digest"], "what is not sent is not issued");
    let draft = export(&mut world, WhichInvoice::Next).expect("a draft");
    assert_eq!((&draft["document"], &draft["corrects"]), (&"2026-01/2 draft".into(), &"2026-01/1".into()));
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("the server takes it");
    let second = export(&mut world, WhichInvoice::Issue).expect("the correction was sent");
    assert_eq!(second["document"], "2026-01/2");
    assert!(amount(&second["total"]["amount"]) < Decimal::ZERO);
    let months: Decimal =
        second["tenants"].as_array().into_iter().flatten().map(|of| amount(&of["month"]["amount"])).sum();
    let unchanged = first["tenants"].as_array().into_iter().flatten().filter(|old| {
        let tenants = second["tenants"].as_array().into_iter().flatten();
        tenants.clone().all(|of| of["tenant"] != old["tenant"])
    });
    let unchanged: Decimal = unchanged.map(|of| amount(&of["amount"])).sum();
    let both = amount(&first["total"]["amount"]) + amount(&second["total"]["amount"]);
    assert_eq!(both, months + unchanged, "the documents add up to what is owed");
    let again = export(&mut world, WhichInvoice::Issued(1)).expect("it was issued");
    assert_eq!(again["digest"], first["digest"]);
    assert_silent(&world);
    world.agent().store().verify().expect("the journal replays to the same state");
    check(
        &world,
        &["document"],
        expect![[r#"
            2026-02-12 00:00  document 2026-01/1 issued: 426.15 EUR
            2026-02-12 00:00  lines of document 2026-01/1 exported (2 times)
            2026-02-12 00:00  lines of document 2026-01/2 draft exported
            2026-02-12 00:00  document 2026-01/2 issued: -33.18 EUR
            2026-02-12 00:00  lines of document 2026-01/2 exported
            2026-02-12 00:00  lines of document 2026-01/1 exported
        "#]],
    );
}
