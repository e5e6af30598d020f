//! Weights where no server states one.

use super::made::points;
use tidegauge::domain::license::License;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::points_table::{POINTS_TABLE, row_for, weight};

fn licensed(edition: &str) -> License {
    License { edition: Some(edition.to_owned()), ..License::default() }
}

#[test]
fn every_row_of_the_table_holds_a_decimal_and_its_source_and_is_found_under_its_edition() {
    for row in &POINTS_TABLE {
        let license = licensed(row.edition.unwrap_or("any"));
        assert_eq!(weight(None, &row.kind, &license), Some(points(row.points)), "{row:?}");
        assert!(!row.source.is_empty(), "{row:?}");
    }
}

#[test]
fn the_weight_that_a_server_states_wins_even_when_it_is_zero() {
    let license = licensed("EnterprisePlus");
    assert_eq!(weight(Some(points("13")), &WorkloadType::Vm, &license), Some(points("13")));
    assert_eq!(weight(Some(points("0")), &WorkloadType::Vm, &license), Some(points("0")));
}

#[test]
fn an_edition_is_known_with_and_without_its_space() {
    assert_eq!(weight(None, &WorkloadType::Vm, &licensed("Enterprise Plus")), Some(points("11")));
    assert_eq!(weight(None, &WorkloadType::Vm, &licensed("EnterprisePlus")), Some(points("11")));
    assert_eq!(weight(None, &WorkloadType::Vm, &licensed("Enterprise")), Some(points("9")));
}

#[test]
fn a_type_or_edition_without_one_sourced_figure_has_no_weight() {
    assert!(row_for(&WorkloadType::Vm, &licensed("Standard")).is_none());
    assert!(row_for(&WorkloadType::Vm, &License::default()).is_none());
    assert!(row_for(&WorkloadType::FileShare, &licensed("EnterprisePlus")).is_none());
    assert!(row_for(&WorkloadType::Other("EntraID".to_owned()), &licensed("EnterprisePlus")).is_none());
}
