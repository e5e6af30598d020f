//! A month's document under pseudonyms: the same money on the same lines, and no name in any export.

use proptest::prelude::*;
use tidegauge::billing::export::{Beside, Content, EXPORTS, Sheet};
use tidegauge::billing::invoice::Invoice;
use tidegauge::billing::profile::{DateForm, Header, Profile, ProfileColumn, Template};
use tidegauge::billing::pseudonyms::{beside_pseudonymised, pseudonymised};
use tidegauge::document::delimited::Dialect;
use tidegauge::domain::adjustment::Adjustment;
use tidegauge::rules::pseudonyms::PseudonymKey;

use super::documents::draw_up;
use super::focus::{PRICES, SELLER, beside, selling};
use super::*;

fn key() -> PseudonymKey {
    PseudonymKey::new([7; 32])
}

fn under_pseudonyms(invoice: &Invoice, beside: &Beside) -> (Invoice, Beside) {
    let key = key();
    (pseudonymised(invoice, &mut key.naming()), beside_pseudonymised(beside, &mut key.naming()))
}

/// Every export and a profile, as text.
fn exported(invoice: &Invoice, beside: &Beside) -> String {
    let of = |(name, value): (&str, &str)| ProfileColumn {
        name: name.to_owned(),
        value: Template::parse(value).expect("a template"),
    };
    let profile = Profile {
        name: "accounts".to_owned(),
        dialect: Dialect::PLAIN,
        dates: DateForm::Iso,
        header: Header::Names,
        columns: [("Who", "{tenant} {customer_number} {server}"), ("Line", "{line_id} {corrects_line}")].map(of).into(),
    };
    let sheets = EXPORTS.iter().flat_map(|export| (export.sheets)(invoice, beside).expect("sheets"));
    let text = |sheet: Sheet| match sheet.content {
        Content::Drawn(document) => {
            format!("{}\n{document:?}\n{}\n", sheet.stem, String::from_utf8_lossy(&document.record))
        }
        Content::Fields(fields) => format!("{}\n{fields:?}\n", sheet.stem),
    };
    sheets.chain([profile.sheet(invoice)]).map(text).collect()
}

fn of_names(names: &[String], counts: &[u64]) -> UsageReport {
    let mut names = names.iter().cycle().cloned();
    let mut next = || names.next().expect("there are names");
    let lines = counts.iter().map(|count| {
        let mut of = line(Some(&next()), WorkloadType::Vm, "11", *count);
        of.server = next();
        of
    });
    let lines: Vec<Line> = lines.collect();
    let mut made = report("unit", 1, lines);
    for workload in &mut made.workloads {
        (workload.id, workload.name) = (next(), next());
    }
    let first = &made.lines[0];
    made.adjustments = vec![Adjustment {
        approved_by: None,
        at: "2026-11-02T08:30:00Z".parse().expect("an instant"),
        by: "user:kim".to_owned(),
        workload: Some(next()),
        server: Some(first.server.clone()),
        tenant: first.tenant.clone(),
        kind: Some(first.kind.clone()),
        weight: None,
        note_before: None,
        before: "11".to_owned(),
        after: "0".to_owned(),
        reason: next(),
    }];
    made
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_export_under_pseudonyms_has_a_name_and_all_have_the_documents_money(
        names in proptest::collection::vec("[a-z]{4,9}[šж0-9]{3}[a-z]{2,4}", 20..60),
        counts in proptest::collection::vec(1_u64..6, 1..8),
    ) {
        let report = of_names(&names, &counts);
        let (tenant, number) = (report.lines[0].tenant.as_deref().expect("a tenant"), names.last().expect("a name"));
        let of_tenant = format!("[[tenant]]\nname = \"{tenant}\"\ncustomer_number = \"{number}\"\n");
        let book = euros(&format!("{SELLER}{PRICES}{of_tenant}"));
        let mut beside = beside(&[&report]);
        let of = |one: &tidegauge::domain::report::ReportedWorkload| ((one.server.clone(), one.id.clone()), one.name.clone());
        beside.names = report.workloads.iter().map(of).collect();
        let invoice = draw_up(&book, &[report], &[]).expect("a document");
        let (shown, shown_beside) = under_pseudonyms(&invoice, &beside);
        let (before, after) = (exported(&invoice, &beside), exported(&shown, &shown_beside));
        prop_assert!(names.iter().filter(|name| before.contains(*name)).count() > 3);
        for name in names.iter().chain(invoice.lines.iter().map(|line| &line.id)) {
            prop_assert!(!after.contains(name), "an export says {name}");
        }
        let reason = &shown_beside.reports.values().next().expect("a report").adjustments[0].reason;
        prop_assert!(after.contains(reason), "a reason still finds its lines");
        prop_assert_eq!(&shown.total, &invoice.total);
        let money = |of: &Invoice| of.lines.iter().map(|line| line.amounts.clone()).collect::<Vec<_>>();
        prop_assert_eq!(money(&shown), money(&invoice), "line by line, at the same places");
        let owed = |of: &Invoice| of.tenants.iter().map(|sum| (sum.owed.clone(), sum.month.clone())).collect::<Vec<_>>();
        prop_assert_eq!(owed(&shown), owed(&invoice));
        prop_assert_eq!(shown.pseudonyms_of.as_ref(), Some(&invoice.digest));
        prop_assert_ne!(shown.digest, invoice.digest);
    }
}

#[test]
fn a_correction_under_pseudonyms_still_names_the_line_that_it_corrects() {
    let book = selling();
    let first = draw_up(&book, &[report("unit", 1, vec![vms("A", 3)])], &[]).expect("a document");
    let second =
        draw_up(&book, &[report("unit", 2, vec![vms("A", 5)])], std::slice::from_ref(&first)).expect("another");
    let ids: Vec<String> =
        under_pseudonyms(&first, &Beside::default()).0.lines.into_iter().map(|line| line.id).collect();
    let shown = under_pseudonyms(&second, &Beside::default()).0;
    let corrected = shown.lines.iter().find_map(|line| line.corrects.as_ref()).expect("a line of differences");
    assert!(ids.contains(&corrected.line), "{} is not in {ids:?}", corrected.line);
}
