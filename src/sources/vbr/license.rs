//! The license block and the weights that a VBR server states.

use std::collections::BTreeMap;

use super::answers::{InstanceSummary, LicenseAnswer};
use super::kinds::kind_displayed_as;
use crate::domain::Points;
use crate::domain::license::{License, LicenseType};
use crate::domain::license_sections::{CapacitySection, GiftedInstances, LicenseSections, SocketSection};
use crate::domain::workload::WorkloadType;
use crate::sources::lenient::{Number, Text, written_date};

/// What `GET /api/v1/license` told.
#[derive(Debug, Default)]
pub struct LicenseFacts {
    /// Without license id and installation id, which it does not know.
    pub license: License,
    /// Points of one machine by kind; `None` when the server states several.
    pub multipliers: BTreeMap<WorkloadType, Option<Points>>,
    /// What is strange about it.
    pub notes: Vec<String>,
}

/// Reads the block; dates stand at its top up to 1.3-rev1 and in its sections after that.
pub fn facts_of(answer: &LicenseAnswer) -> LicenseFacts {
    let mut facts = LicenseFacts::default();
    let instances = answer.instance_license_summary.as_ref();
    let sockets = answer.socket_license_summary.as_ref();
    let expires = [
        Some(&answer.expiration_date),
        instances.map(|section| &section.expiration_date),
        sockets.map(|section| &section.expiration_date),
    ];
    let support_expires = [
        Some(&answer.support_expiration_date),
        instances.map(|section| &section.support_expiration_date),
        sockets.map(|section| &section.support_expiration_date),
    ];
    let earliest = |dates: [Option<&Text>; 3]| {
        dates.into_iter().flatten().filter_map(|text| text.get().and_then(written_date)).min()
    };
    let mut points = |name: &str, number: Option<&Number>| match number {
        Some(Number::Wrong(words)) => {
            facts.notes.push(format!("the license's {name} cannot be ({words})"));
            None
        }
        Some(number) => number.points(),
        None => None,
    };
    facts.license = License {
        license_id: None,
        kind: answer.kind.get().map_or(LicenseType::Unknown, LicenseType::parse),
        product: Some("VBR".to_owned()),
        edition: answer.edition.owned(),
        package: instances.and_then(|section| section.package.owned()),
        cloud_connect: matches!(answer.cloud_connect.get(), Some("Enabled" | "Enterprise")),
        licensed_to: answer.licensed_to.owned(),
        support_id: answer.support_id.owned(),
        installation_id: None,
        licensed_points: points("licensedInstancesNumber", instances.map(|section| &section.licensed_instances_number)),
        used_points: points("usedInstancesNumber", instances.map(|section| &section.used_instances_number)),
        new_points: points("newInstancesNumber", instances.map(|section| &section.new_instances_number)),
        expires_on: earliest(expires),
        support_expires_on: earliest(support_expires),
        auto_update: answer.auto_update_enabled,
        sections: sections_of(answer),
    };
    let rental = points("rentalInstancesNumber", instances.map(|section| &section.rental_instances_number));
    if let Some(rental) = rental.filter(|rental| !rental.is_zero()) {
        facts.notes.push(format!("the server counts {rental} rental points and does not name the machines"));
    }
    if let Some(status) = answer.status.get().filter(|status| *status != "Valid") {
        facts.notes.push(format!("the server calls its license '{status}'"));
    }
    facts.multipliers = multipliers_of(answer);
    facts
}

fn multipliers_of(answer: &LicenseAnswer) -> BTreeMap<WorkloadType, Option<Points>> {
    let mut multipliers: BTreeMap<WorkloadType, Option<Points>> = BTreeMap::new();
    let instances = answer.instance_license_summary.as_ref();
    let objects = instances.and_then(|section| section.objects.as_ref()).map_or(&[][..], |rows| &rows.0);
    for object in objects {
        let stated = object.multiplier.points().filter(|points| !points.is_zero());
        if let (Some(kind), Some(points)) = (object.kind.get(), stated) {
            let entry = multipliers.entry(kind_displayed_as(kind)).or_insert(Some(points));
            if *entry != Some(points) {
                *entry = None;
            }
        }
    }
    multipliers
}

/// Sockets, terabytes and gifted instances; an absent section is null or left out.
fn sections_of(answer: &LicenseAnswer) -> LicenseSections {
    let day = |text: &Text| text.get().and_then(written_date);
    let sockets = answer.socket_license_summary.as_ref().map(|section| SocketSection {
        licensed: section.licensed_sockets_number.count().unwrap_or(0),
        used: section.used_sockets_number.count().unwrap_or(0),
        remaining: section.remaining_sockets_number.count().unwrap_or(0),
        expires_on: day(&section.expiration_date),
        support_expires_on: day(&section.support_expiration_date),
    });
    let terabytes = |number: &Number| number.points().unwrap_or_default().amount();
    let capacity = answer.capacity_license_summary.as_ref().map(|section| {
        let objects = section.objects.as_ref().map_or(&[][..], |rows| &rows.0);
        let by_type = objects.iter().filter_map(|row| Some((row.kind.owned()?, terabytes(&row.used_capacity_tb))));
        CapacitySection {
            licensed_tb: terabytes(&section.licensed_capacity_tb),
            used_tb: terabytes(&section.used_capacity_tb),
            used_tb_by_type: by_type.collect(),
            expires_on: day(&section.expiration_date),
            support_expires_on: day(&section.support_expiration_date),
        }
    });
    // Without licensed terabytes unstructured data stays with the instances.
    let capacity = capacity.filter(|section| !section.licensed_tb.is_zero());
    let instances = answer.instance_license_summary.as_ref();
    let gift = |section: &InstanceSummary| {
        let instances = section.promo_instances_number.points().filter(|gifted| !gifted.is_zero())?;
        Some(GiftedInstances {
            instances,
            licensed_with_gifted: section.licensed_instances_promo_included_number.points(),
            expires_on: day(&section.promo_expires_on),
        })
    };
    LicenseSections { sockets, capacity, gifted: instances.and_then(gift) }
}
