//! The license block that a console shows of a backup server or site.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::answers::LicenseRow;
use crate::domain::license::{License, LicenseType};
use crate::domain::license_sections::{CapacitySection, LicenseSections, SocketSection};
use crate::sources::lenient::{Number, Rows, Text, written_date};

/// A license block, and what is strange about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LicenseFacts {
    /// Without installation id, which stands with the server.
    pub license: License,
    pub notes: Vec<String>,
}

/// Reads the block.
pub fn facts_of(row: &LicenseRow) -> LicenseFacts {
    let mut notes = Vec::new();
    let mut points = |name: &str, number: &Number| {
        if let Number::Wrong(words) = number {
            notes.push(format!("the license's {name} cannot be ({words})"));
        }
        number.points()
    };
    let (licensed_points, used_points) = (points("units", &row.units), points("usedUnits", &row.used_units));
    let mut only = |what: &str, rows: &Option<Rows<Text>>| {
        let mut all: Vec<String> = rows.iter().flat_map(|rows| &rows.0).filter_map(Text::owned).collect();
        all.sort();
        if all.len() > 1 {
            notes.push(format!("the license names {} {what}; the first is taken: {}", all.len(), all.join(", ")));
        }
        all.into_iter().next()
    };
    let (license_id, support_id) = (only("ids", &row.license_ids), only("support ids", &row.support_ids));
    if let Some(status) = row.status.get().filter(|status| *status != "Valid") {
        notes.push(format!("VSPC calls the license '{status}'"));
    }
    let packages = row.packages.iter().flat_map(|rows| &rows.0).filter_map(Text::get);
    let license = License {
        license_id,
        kind: row.kind.get().map_or(LicenseType::Unknown, kind_of),
        product: Some("VBR".to_owned()),
        // `Enterprise Plus` here is `EnterprisePlus` at the server itself.
        edition: row.edition.get().map(|edition| edition.replace(' ', "")),
        package: packages.filter(|package| !["Unknown", "None"].contains(package)).map(str::to_owned).next(),
        cloud_connect: matches!(row.cloud_connect.get(), Some("Yes" | "Enterprise")),
        licensed_to: row.company.owned(),
        support_id,
        licensed_points,
        used_points,
        expires_on: row.expiration_date.get().and_then(last_day),
        support_expires_on: row.support_expiration_date.get().and_then(last_day),
        auto_update: row.auto_update_enabled,
        sections: sections_of(row),
        ..License::default()
    };
    LicenseFacts { license, notes }
}

/// Sockets and terabytes where the key licenses any.
fn sections_of(row: &LicenseRow) -> LicenseSections {
    let count = |number: &Number| number.count().unwrap_or(0);
    let terabytes = |number: &Number| number.points().unwrap_or_default().amount();
    let sockets = SocketSection {
        licensed: count(&row.sockets),
        used: count(&row.used_sockets),
        remaining: count(&row.sockets).saturating_sub(count(&row.used_sockets)),
        ..SocketSection::default()
    };
    let (licensed_tb, used_tb) = (terabytes(&row.capacity), terabytes(&row.used_capacity));
    let capacity = CapacitySection { licensed_tb, used_tb, ..CapacitySection::default() };
    LicenseSections {
        sockets: Some(sockets).filter(|sockets| sockets.licensed > 0),
        capacity: Some(capacity).filter(|capacity| !capacity.licensed_tb.is_zero()),
        gifted: None,
    }
}

fn kind_of(text: &str) -> LicenseType {
    match text {
        "NotInstalled" => LicenseType::Empty,
        "Community" => LicenseType::Free,
        other => LicenseType::parse(other),
    }
}

/// The license's last day. A date-time at midnight GMT, written in the console's own zone, means that GMT day.
fn last_day(text: &str) -> Option<NaiveDate> {
    let at = DateTime::parse_from_rfc3339(text.trim()).ok();
    let in_gmt = at.map(|at| at.with_timezone(&Utc)).filter(|at| at.time() == NaiveTime::MIN);
    in_gmt.map(|at| at.date_naive()).filter(|_| written_date(text).is_some()).or_else(|| written_date(text))
}
