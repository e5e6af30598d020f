//! What a snapshot file's license says beside its instances: `sockets`, `capacity`, `gifted` (design.md section 7).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::json_field::{Turn, Wrong, count, date, object, optional, points, required};
use crate::domain::license_sections::{CapacitySection, GiftedInstances, LicenseSections, SocketSection};

/// The sections of a license block; one that is null or left out is not there.
pub fn read(license: &Map<String, Value>) -> Result<LicenseSections, Wrong> {
    Ok(LicenseSections {
        sockets: section(license, "sockets", sockets_of)?,
        // Without licensed terabytes unstructured data stays with the instances.
        capacity: section(license, "capacity", capacity_of)?.filter(|section| !section.licensed_tb.is_zero()),
        gifted: section(license, "gifted", gifted_of)?,
    })
}

/// One section, read by its own function.
fn section<T>(
    license: &Map<String, Value>,
    name: &'static str,
    read: fn(&Map<String, Value>) -> Result<T, Wrong>,
) -> Result<Option<T>, Wrong> {
    let fields = optional(license, name, object)?;
    fields.map(|fields| read(fields).map_err(|wrong| wrong.under(Turn::Name(name)))).transpose()
}

fn sockets_of(section: &Map<String, Value>) -> Result<SocketSection, Wrong> {
    let licensed = u64::from(required(section, "licensed", count)?);
    let used = u64::from(required(section, "used", count)?);
    let remaining = optional(section, "remaining", count)?.map_or(licensed.saturating_sub(used), u64::from);
    let (expires_on, support_expires_on) = dates(section)?;
    Ok(SocketSection { licensed, used, remaining, expires_on, support_expires_on })
}

fn capacity_of(section: &Map<String, Value>) -> Result<CapacitySection, Wrong> {
    let (expires_on, support_expires_on) = dates(section)?;
    let mut used_tb_by_type = BTreeMap::new();
    for (kind, used) in optional(section, "used_tb_by_type", object)?.into_iter().flatten() {
        let used = points(used).map_err(|why| Wrong::at(Turn::Name("used_tb_by_type"), format!("{kind} {why}")))?;
        used_tb_by_type.insert(kind.clone(), used.amount());
    }
    Ok(CapacitySection {
        licensed_tb: required(section, "licensed_tb", points)?.amount(),
        used_tb: required(section, "used_tb", points)?.amount(),
        used_tb_by_type,
        expires_on,
        support_expires_on,
    })
}

fn gifted_of(section: &Map<String, Value>) -> Result<GiftedInstances, Wrong> {
    Ok(GiftedInstances {
        instances: required(section, "instances", points)?,
        licensed_with_gifted: optional(section, "licensed_with_gifted", points)?,
        expires_on: optional(section, "expires_on", date)?,
    })
}

/// License and support expiration of a section.
fn dates(section: &Map<String, Value>) -> Result<(Option<NaiveDate>, Option<NaiveDate>), Wrong> {
    Ok((optional(section, "expires_on", date)?, optional(section, "support_expires_on", date)?))
}
