//! Weights where no server states one: the tables and how they are read.

use chrono::NaiveDate;
use expect_test::expect;
use tidegauge::domain::license::License;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::points_table::{built_in, read};
use tidegauge::rules::rating::Rating;

use super::made::points;

fn licensed(edition: &str) -> License {
    License { edition: Some(edition.to_owned()), ..License::default() }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The points in force for a type under a license in 2026.
fn in_force(rating: &Rating, kind: &str, license: &License) -> Option<String> {
    rating.row_for(&kind.parse().unwrap(), license, day("2026-11-01")).map(|row| row.points.to_string())
}

#[test]
fn every_row_of_the_program_has_its_source_and_is_found_or_is_provisional() {
    let rating = Rating::default();
    for row in built_in() {
        let license = License {
            product: Some(row.product.clone()),
            edition: row.edition.clone(),
            package: row.package.clone(),
            ..License::default()
        };
        let found = rating.row_for(&row.kind, &license, row.valid_from);
        let provisional = rating.provisional_row_for(&row.kind, &license, row.valid_from);
        assert_eq!(if row.provisional { provisional } else { found }, Some(row), "{row}");
        assert!(row.source.len() > 3, "{row}");
        assert_eq!(rating.row_for(&row.kind, &license, day("1999-01-01")), None, "{row}");
    }
}

#[test]
fn the_table_of_the_field_is_there_with_every_value() {
    // domain.md 2.1, row by row: product, edition, package, type, points; ? marks what is provisional.
    let row = |row: &tidegauge::rules::points_table::PointsRow| {
        let named = [Some(row.product.as_str()), row.edition.as_deref(), row.package.as_deref()];
        let named: Vec<&str> = named.into_iter().flatten().collect();
        format!("{} {} {}{}\n", named.join(" "), row.kind, row.points, if row.provisional { "?" } else { "" })
    };
    expect![[r#"
        VCC CloudConnectVM 5
        VCC CloudConnectReplica 10
        VCC CloudConnectServer 7
        VCC CloudConnectWorkstation 3
        VBR EnterprisePlus VM 11
        VBR EnterprisePlus the tier with 13 points VM 13?
        VBR EnterprisePlus the tier with 13 points Server 13?
        VBR Enterprise VM 9
        VBR Standard VM 5?
        VBR EnterprisePlus Workstation 4
        VBR EnterprisePlus the tier with 13 points Workstation 5?
        VBR EnterprisePlus Server 11
        VBR EnterprisePlus Application 11
        VBR CloudVM 11
        VBR Enterprise FileShare 10?
        VBR EnterprisePlus FileShare 10?
        VBR FileShare 11?
        VSPC EnterprisePlus Server 11
        VSPC EnterprisePlus Workstation 4
        VONE MonitoredWorkload 2
        VB365 M365User 1.5
        VDC M365 Premium Plus M365User 6.5
        VDC M365 Premium M365User 5.5
        VDC M365 Advanced Plus M365User 4
        VDC M365 Advanced M365User 3
        VDC M365 Foundation M365User 2.5
        VDC M365 Express M365User 4
        VDC EntraIDUser 0.7
        VDC SalesforceUser 3
        VDC AzureTB 38
        VDC Vault Advanced Core VaultTB 24
        VDC Vault Advanced Non-Core VaultTB 38
        VDC Vault Foundation Core VaultTB 14
        VDC Vault Foundation Non-Core VaultTB 22
    "#]]
    .assert_eq(&built_in().iter().map(row).collect::<String>());
}

#[test]
fn an_edition_is_known_with_and_without_its_space() {
    let rating = Rating::default();
    assert_eq!(in_force(&rating, "VM", &licensed("Enterprise Plus")).as_deref(), Some("11"));
    assert_eq!(in_force(&rating, "VM", &licensed("EnterprisePlus")).as_deref(), Some("11"));
    assert_eq!(in_force(&rating, "VM", &licensed("Enterprise")).as_deref(), Some("9"));
}

#[test]
fn a_type_or_edition_without_one_sourced_figure_has_no_weight() {
    let rating = Rating::default();
    for (kind, license) in [
        ("VM", licensed("Standard")),
        ("VM", License::default()),
        ("FileShare", licensed("EnterprisePlus")),
        ("EntraID", licensed("EnterprisePlus")),
    ] {
        assert_eq!(in_force(&rating, kind, &license), None, "{kind}");
    }
}

fn own(text: &str) -> Rating {
    Rating { rows: read("own.toml", text).unwrap(), ..Rating::default() }
}

#[test]
fn an_own_table_wins_from_its_first_day_on_and_the_more_specific_row_wins_within_it() {
    let row = |more: &str, points: &str, from: &str| {
        format!(
            "[[row]]\nproduct = \"VBR\"\n{more}\ntype = \"VM\"\npoints = \"{points}\"\nsource = \"contract\"\nvalid_from = \
             \"{from}\"\n"
        )
    };
    let suite = "edition = \"EnterprisePlus\"\npackage = \"Suite\"";
    let rating =
        own(&[row("", "12", "2026-10-01"), row("", "12.5", "2026-12-01"), row(suite, "13", "2026-11-01")].concat());
    let on = |license: &License, on: &str| {
        rating.row_for(&WorkloadType::Vm, license, day(on)).map(|row| row.points.to_string()).unwrap()
    };
    let plus = licensed("EnterprisePlus");
    let suite = License { package: Some("Suite".to_owned()), ..plus.clone() };
    assert_eq!(on(&plus, "2026-09-30"), "11", "the program's row until then");
    assert_eq!(on(&plus, "2026-10-01"), "12");
    assert_eq!(on(&plus, "2026-12-01"), "12.5");
    assert_eq!((on(&suite, "2026-10-31"), on(&suite, "2026-11-01")), ("12".to_owned(), "13".to_owned()));
}

#[test]
fn fractions_stay_exact() {
    let rows = built_in().iter().filter(|row| row.points == points("1.5") || row.points == points("0.7"));
    let sums: Vec<String> = rows.map(|row| (row.points * 9).to_string()).collect();
    assert_eq!(sums, ["13.5", "6.3"]);
}

#[test]
fn a_wrong_table_is_refused_with_its_line_in_one_line() {
    let good = "product = \"VBR\"\ntype = \"VM\"\npoints = \"11\"\nsource = \"x\"\nvalid_from = \"2026-01-01\"\n";
    let refused = |text: &str| read("own.toml", text).unwrap_err().to_string();
    expect!["own.toml:7: VBR VM from 2026-01-01 stands twice, with 11 and 11 points; keep one"]
        .assert_eq(&refused(&format!("[[row]]\n{good}[[row]]\n{good}")));
    let lines = [
        refused("[[row]]\nproduct = \"VBR\"\n"),
        refused(&format!("[[row]]\n{}", good.replace("\"11\"", "\"eleven\""))),
        refused(&format!("[[row]]\n{}", good.replace("\"11\"", "\"-1\""))),
        refused(&format!("[[row]]\n{}", good.replace("\"x\"", "\" \""))),
        refused(&format!("[[row]]\nprice = \"3\"\n{good}")),
        refused(&format!("[[row]]\n{}", good.replace("2026-01-01", "January"))),
        refused("["),
    ];
    for line in &lines {
        assert!(line.starts_with("own.toml:") && !line.contains('\n'), "{line}");
    }
    assert!(lines[2].contains("points are never negative"), "{}", lines[2]);
    assert!(lines[3].contains("has no source"), "{}", lines[3]);
    assert!(lines[4].contains("price"), "{}", lines[4]);
}
