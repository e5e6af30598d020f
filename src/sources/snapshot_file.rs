//! The usage snapshot file (design.md section 7): one JSON object, or JSON Lines.

use std::collections::BTreeSet;
use std::fmt;

use chrono::TimeDelta;
use serde_json::{Deserializer, Map, Value, json};

use super::json_field::{
    Turn, Way, Wrong, array, count, date, flag, instant, name, object, optional, points, required, shortened, text,
};
use super::json_place::line_of;
use super::snapshot_sections;
use crate::domain::calendar::rfc3339;
use crate::domain::license::{License, LicenseType};
use crate::domain::sample::Sample;
use crate::domain::tenant::TenantCount;
use crate::domain::workload::{Unstructured, Workload, WorkloadType};
use crate::domain::{Instant, Points};

/// What the `schema` field says.
pub const SCHEMA: &str = "tidegauge.usage-snapshot/1";
/// The most snapshots in one file: hourly ones of two years.
pub const SNAPSHOTS_MAX: usize = 17_568;
/// The most workloads in one snapshot.
pub const WORKLOADS_MAX: usize = 500_000;
/// How far ahead of our clock a snapshot may be taken (design.md section 4, "Time").
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);

/// Why a file was refused as a whole, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub file: String,
    /// From 1; 0 speaks of the whole file.
    pub line: usize,
    /// Such as `workloads[3].points`; empty when it is no single field.
    pub field: String,
    /// What is wrong and what to do.
    pub why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, " line {}", self.line)?;
        }
        if !self.field.is_empty() {
            write!(f, ", {}", self.field)?;
        }
        // Foreign words may stand in it; a refusal is one line.
        write!(f, ": {}", self.why.replace(char::is_control, " "))
    }
}

impl std::error::Error for Refused {}

/// Reads all snapshots of a file, or none: a file is taken whole or refused whole.
///
/// # Errors
/// [`Refused`] names the file, the line, the field and what to do.
pub fn parse(file: &str, bytes: &[u8], now: Instant) -> Result<Vec<Sample>, Refused> {
    let refused = |line, field: String, why: String| Refused { file: file.to_owned(), line, field, why };
    let json = readable(bytes).map_err(|(line, why)| refused(line, String::new(), why))?;
    let mut samples = Vec::new();
    let mut values = Deserializer::from_str(json).into_iter::<Value>();
    loop {
        let from = values.byte_offset();
        let value = match values.next() {
            None => break,
            Some(Ok(value)) => value,
            Some(Err(why)) => return Err(refused(why.line(), String::new(), not_json(&why))),
        };
        if samples.len() == SNAPSHOTS_MAX {
            return Err(refused(0, String::new(), format!("more than {SNAPSHOTS_MAX} snapshots; split the file")));
        }
        let sample = object(&value)
            .map_err(|why| Wrong { way: Vec::new(), why })
            .and_then(|snapshot| sample_of(snapshot, now))
            .map_err(|wrong| {
                let why = format!("{}; correct the file and put it back", wrong.why);
                refused(line_of(json.as_bytes(), from, &wrong.way), Way(&wrong.way).to_string(), why)
            })?;
        samples.push(sample);
    }
    Ok(samples)
}

/// The sample as one snapshot object; [`parse`] reads it back.
pub fn to_json(sample: &Sample) -> Value {
    json!({
        "schema": SCHEMA,
        "taken_at": rfc3339(sample.taken_at),
        "server": sample.server,
        "license": license_json(&sample.license),
        "workloads": sample.workloads,
        "counts": sample.counts,
    })
}

/// The license block; its sections stand among its fields.
fn license_json(license: &License) -> Value {
    let mut block = json!(license);
    if let Value::Object(fields) = &mut block
        && let Some(Value::Object(mut sections)) = fields.remove("sections")
    {
        fields.append(&mut sections);
    }
    block
}

/// The text of the file, or the line and the reason why it is none.
fn readable(bytes: &[u8]) -> Result<&str, (usize, String)> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.starts_with(b"\xFF\xFE")
        || bytes.starts_with(b"\xFE\xFF")
        || bytes.get(1) == Some(&0)
        || bytes.first() == Some(&0)
    {
        return Err((0, "is UTF-16 or holds zero bytes; write it as UTF-8".to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|why| {
        let line = 1 + bytes[..why.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        (line, "is not UTF-8; write the file as UTF-8".to_owned())
    })?;
    match text.trim_start().chars().next() {
        None => Err((0, "is empty; write it under another ending and rename it when it is whole".to_owned())),
        Some('<') => Err((1, "is HTML or XML, not a usage snapshot; look at what the script was answered".to_owned())),
        Some(_) => Ok(text),
    }
}

fn not_json(why: &serde_json::Error) -> String {
    if why.is_eof() {
        "ends in the middle; write it under another ending and rename it when it is whole".to_owned()
    } else {
        let text = why.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        format!("is not JSON ({what}); correct the file and put it back")
    }
}

fn sample_of(snapshot: &Map<String, Value>, now: Instant) -> Result<Sample, Wrong> {
    if let Some(schema) = optional(snapshot, "schema", text)?.filter(|schema| schema != SCHEMA) {
        return Err(Wrong::at(Turn::Name("schema"), format!("'{}' is not {SCHEMA}", shortened(&schema))));
    }
    let taken_at = required(snapshot, "taken_at", instant)?;
    if taken_at > now + AHEAD_MAX {
        let why = format!("{} is more than 5 minutes ahead of {}; set the clock", rfc3339(taken_at), rfc3339(now));
        return Err(Wrong::at(Turn::Name("taken_at"), why));
    }
    let stated = [snapshot.get("workloads"), snapshot.get("counts")];
    if stated.into_iter().flatten().all(Value::is_null) {
        let why = "is missing, and counts too; an empty list says that nothing was used";
        return Err(Wrong::at(Turn::Name("workloads"), why));
    }
    let mut workloads = list_of(snapshot, "workloads", workload_of)?;
    let counts = list_of(snapshot, "counts", count_of)?;
    refuse_doubles(&workloads, &counts)?;
    workloads.sort_by(|a, b| a.id.cmp(&b.id));
    let sample = Sample {
        server: required(snapshot, "server", name)?,
        taken_at,
        license: license_of(snapshot)?,
        workloads: workloads.into(),
        counts,
        vouched: false,
        restore_points_swept_at: None,
        discrepancies: Vec::new(),
        stale: None,
    };
    sample.check_sum().map_err(|why| Wrong { way: Vec::new(), why })?;
    Ok(sample)
}

/// The items of an optional list.
fn list_of<T>(
    snapshot: &Map<String, Value>,
    list: &'static str,
    read: fn(&Map<String, Value>) -> Result<T, Wrong>,
) -> Result<Vec<T>, Wrong> {
    let Some(values) = optional(snapshot, list, array)? else { return Ok(Vec::new()) };
    if values.len() > WORKLOADS_MAX {
        return Err(Wrong::at(Turn::Name(list), format!("has more than {WORKLOADS_MAX} items")));
    }
    let item = |(index, value)| {
        object(value)
            .map_err(|why| Wrong { way: Vec::new(), why })
            .and_then(read)
            .map_err(|wrong| wrong.under(Turn::Index(index)).under(Turn::Name(list)))
    };
    values.iter().enumerate().map(item).collect()
}

fn license_of(snapshot: &Map<String, Value>) -> Result<License, Wrong> {
    let Some(license) = optional(snapshot, "license", object)? else { return Ok(License::default()) };
    license_fields(license).map_err(|wrong| wrong.under(Turn::Name("license")))
}

fn license_fields(license: &Map<String, Value>) -> Result<License, Wrong> {
    Ok(License {
        license_id: optional(license, "license_id", name)?,
        kind: optional(license, "type", text)?.map_or(LicenseType::Unknown, |kind| LicenseType::parse(&kind)),
        product: optional(license, "product", text)?,
        edition: optional(license, "edition", text)?,
        package: optional(license, "package", text)?,
        cloud_connect: optional(license, "cloud_connect", flag)?.unwrap_or(false),
        licensed_to: optional(license, "licensed_to", text)?,
        support_id: optional(license, "support_id", text)?,
        installation_id: optional(license, "installation_id", name)?,
        licensed_points: optional(license, "licensed_points", points)?,
        used_points: optional(license, "used_points", points)?,
        new_points: optional(license, "new_points", points)?,
        expires_on: optional(license, "expires_on", date)?,
        support_expires_on: optional(license, "support_expires_on", date)?,
        auto_update: optional(license, "auto_update", flag)?,
        sections: snapshot_sections::read(license)?,
    })
}

fn workload_of(workload: &Map<String, Value>) -> Result<Workload, Wrong> {
    let id = required(workload, "id", name)?;
    Ok(Workload {
        name: optional(workload, "name", text)?.unwrap_or_else(|| id.clone()),
        id,
        kind: kind_of(workload)?,
        platform: optional(workload, "platform", text)?,
        tenant: optional(workload, "tenant", text)?,
        job: optional(workload, "job", text)?,
        host: optional(workload, "host", text)?,
        points: optional(workload, "points", points)?,
        first_processed_at: optional(workload, "first_processed_at", instant)?,
        last_restore_point_at: optional(workload, "last_restore_point_at", instant)?,
        rental: optional(workload, "rental", flag)?.unwrap_or(false),
        unstructured: unstructured_of(workload)?,
    })
}

/// How large a share is, and what it is summed up with.
fn unstructured_of(workload: &Map<String, Value>) -> Result<Option<Unstructured>, Wrong> {
    let source = optional(workload, "source", name)?;
    let size = optional(workload, "size_gb", points)?;
    Ok(size.map(|size| Unstructured { size_gb: size.amount(), source }))
}

fn count_of(tenant: &Map<String, Value>) -> Result<TenantCount, Wrong> {
    Ok(TenantCount {
        tenant: optional(tenant, "tenant", text)?,
        kind: kind_of(tenant)?,
        weight: optional(tenant, "weight", points)?,
        used: required(tenant, "used", count)?,
        new: optional(tenant, "new", count)?.unwrap_or(0),
        rental: optional(tenant, "rental", count)?.unwrap_or(0),
    })
}

fn kind_of(object: &Map<String, Value>) -> Result<WorkloadType, Wrong> {
    let kind = required(object, "type", name)?;
    Ok(kind.parse().expect("every text is a workload type"))
}

/// Refuses a workload or a count that stands twice: it would be counted twice.
fn refuse_doubles(workloads: &[Workload], counts: &[TenantCount]) -> Result<(), Wrong> {
    let mut ids = BTreeSet::new();
    let mut named: BTreeSet<(Option<&str>, &WorkloadType)> = BTreeSet::new();
    for (index, workload) in workloads.iter().enumerate() {
        if !ids.insert(workload.id.as_str()) {
            let why = format!("'{}' stands twice; every workload has its own id", workload.id);
            return Err(Wrong::at(Turn::Name("id"), why).under(Turn::Index(index)).under(Turn::Name("workloads")));
        }
        named.insert((workload.tenant.as_deref(), &workload.kind));
    }
    let mut counted: BTreeSet<(Option<&str>, &WorkloadType, Option<Points>)> = BTreeSet::new();
    for (index, count) in counts.iter().enumerate() {
        let refuse = |why| Err(Wrong::at(Turn::Index(index), why).under(Turn::Name("counts")));
        let (tenant, kind) = (count.tenant.as_deref(), &count.kind);
        if named.contains(&(tenant, kind)) {
            return refuse(format!(
                "{} of {} stand in workloads too; name or count them, not both",
                kind,
                whose(tenant)
            ));
        }
        if !counted.insert((tenant, kind, count.weight)) {
            return refuse(format!("{} of {} stand twice with the same weight; add them up", kind, whose(tenant)));
        }
    }
    Ok(())
}

fn whose(tenant: Option<&str>) -> String {
    tenant.map_or_else(|| "no tenant".to_owned(), |tenant| format!("'{tenant}'"))
}
