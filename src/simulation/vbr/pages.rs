//! The JSON of a simulated VBR server's lists, kept while nothing changes.

use std::fmt::Write as _;
use std::ops::Range;

use chrono::{Datelike, Timelike};
use serde_json::{Value, json};

use super::super::estate::Estate;
use super::super::machine::{MAKES, Machine};
use crate::domain::license::Measure;
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Month, Points};

/// How a license display names the kinds, from 1.3 on.
const DISPLAYED: [(WorkloadType, &str); 8] = [
    (WorkloadType::Vm, "Virtual Machines"),
    (WorkloadType::Server, "Servers"),
    (WorkloadType::Workstation, "Workstations"),
    (WorkloadType::FileShare, "File Shares"),
    (WorkloadType::CloudConnectVm, "Cloud Connect VMs"),
    (WorkloadType::CloudConnectReplica, "Cloud Connect Replicas"),
    (WorkloadType::CloudConnectWorkstation, "Cloud Connect Workstations"),
    (WorkloadType::CloudConnectServer, "Cloud Connect Servers"),
];

/// Rendered rows of the two lists.
#[derive(Default)]
pub(super) struct Pages {
    listed: Option<Listed>,
    restored: Option<Restored>,
}

struct Listed {
    month: Month,
    /// Positions of the machines listed.
    machines: Vec<u32>,
    json: String,
    rows: Vec<Range<usize>>,
}

struct Restored {
    now: Instant,
    after: Instant,
    name: Option<String>,
    points: Vec<(Instant, u32)>,
}

impl Pages {
    /// A page of `/api/v1/license/instances`; `moving` is added to the total.
    pub(super) fn instances(
        &mut self,
        estate: &Estate,
        now: Instant,
        (skip, limit): (usize, usize),
        moving: u64,
        how: Rows,
    ) -> Vec<u8> {
        let mut machines: Vec<u32> = estate.listed(now).collect();
        machines.retain(|position| !estate.machines()[*position as usize].is_free());
        let month = Month::of(now);
        let kept = self.listed.take().filter(|listed| listed.month == month && listed.machines == machines);
        let listed = self.listed.insert(kept.unwrap_or_else(|| Listed::render(estate, month, machines)));
        let total = listed.rows.len();
        match how {
            Rows::Still => {}
            Rows::Moving => return listed.moved(skip, limit),
            Rows::Doubled => return listed.doubled(skip, limit),
        }
        let shown = skip.min(total)..skip.saturating_add(limit).min(total);
        let count = shown.len();
        let bytes = match listed.rows.get(shown) {
            Some([first, .., last]) => &listed.json[first.start..last.end],
            Some([only]) => &listed.json[only.clone()],
            Some([]) | None => "",
        };
        page(bytes, total as u64 + moving, count, skip, limit)
    }

    /// A page of `/api/v1/restorePoints`, by creation time.
    pub(super) fn restore_points(
        &mut self,
        estate: &Estate,
        now: Instant,
        after: Instant,
        name: Option<&String>,
        (skip, limit): (usize, usize),
    ) -> Vec<u8> {
        let is_kept = |kept: &Restored| kept.now == now && kept.after == after && kept.name.as_ref() == name;
        let kept = self.restored.take().filter(is_kept);
        let restored = self.restored.insert(kept.unwrap_or_else(|| {
            let is_asked = |machine: &Machine| name.is_none_or(|pattern| matches(pattern, machine.restore_name()));
            let points = estate.restore_points(after, now, is_asked);
            Restored { now, after, name: name.cloned(), points }
        }));
        let total = restored.points.len();
        let shown = &restored.points[skip.min(total)..skip.saturating_add(limit).min(total)];
        let mut rows = String::with_capacity(shown.len() * 320);
        for (created_at, position) in shown {
            if !rows.is_empty() {
                rows.push(',');
            }
            write_restore_point(&mut rows, &estate.machines()[*position as usize], *created_at, *position);
        }
        page(&rows, total as u64, shown.len(), skip, limit)
    }
}

/// How the list of workloads behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    Still,
    /// From the second page on the first row is gone, and a stranger stands at the end.
    Moving,
    /// The first row stands there twice.
    Doubled,
}

/// A workload that came while others went.
const STRANGER: &str = r#"{"platformType":"VMware","name":"stranger","displayName":"VM","hostName":"host99.example.net","usedInstancesNumber":11,"type":"VM","instanceId":"ffffffff-0000-4000-8000-000000000000","canBeRevoked":true}"#;

impl Listed {
    fn row(&self, number: usize) -> Option<&str> {
        self.rows.get(number).map(|row| &self.json[row.clone()])
    }

    fn moved(&self, skip: usize, limit: usize) -> Vec<u8> {
        let (total, gone) = (self.rows.len(), usize::from(skip > 0));
        let end = skip.saturating_add(limit).min(total);
        let rows = (skip..end).map(|number| self.row(number + gone).unwrap_or(STRANGER));
        let rows: Vec<&str> = rows.collect();
        page(&rows.join(","), total as u64, rows.len(), skip, limit)
    }

    fn doubled(&self, skip: usize, limit: usize) -> Vec<u8> {
        let total = self.rows.len() + usize::from(!self.rows.is_empty());
        let rows =
            (skip..skip.saturating_add(limit).min(total)).filter_map(|number| self.row(number.saturating_sub(1)));
        let rows: Vec<&str> = rows.collect();
        page(&rows.join(","), total as u64, rows.len(), skip, limit)
    }

    fn render(estate: &Estate, month: Month, machines: Vec<u32>) -> Listed {
        let mut sorted: Vec<&Machine> =
            machines.iter().map(|position| &estate.machines()[*position as usize]).collect();
        sorted.sort_by(|a, b| a.id.cmp(&b.id));
        let (mut json, mut rows) = (String::with_capacity(sorted.len() * 240), Vec::with_capacity(sorted.len()));
        for machine in sorted {
            if !json.is_empty() {
                json.push(',');
            }
            let start = json.len();
            write_instance(&mut json, estate, machine, month);
            rows.push(start..json.len());
        }
        Listed { month, machines, json, rows }
    }
}

/// Machines that are new this month use no points until the 1st; instances are used at once.
fn write_instance(json: &mut String, estate: &Estate, machine: &Machine, month: Month) {
    let waits = estate.license.kind.measure() == Measure::Points && machine.first_at() >= month.starts_at();
    let stated = estate.stated_weight(machine).filter(|_| !waits);
    let used = stated.unwrap_or_default();
    let written = write!(
        json,
        r#"{{"platformType":"{}","name":"{}","displayName":"{}","hostName":"{}","usedInstancesNumber":{used},"type":"{}","instanceId":"{}","canBeRevoked":true}}"#,
        machine.platform(),
        machine.name,
        machine.kind(),
        machine.host,
        machine.kind(),
        machine.id,
    );
    written.expect("a String takes all that is written");
}

/// A full read is a month of them: written without `fmt`, whose padding costs more than all the rest.
fn write_restore_point(json: &mut String, machine: &Machine, created_at: Instant, position: u32) {
    let day = created_at.date_naive();
    let seconds = created_at.num_seconds_from_midnight();
    json.push_str(r#"{"platformName":""#);
    json.push_str(machine.restore_platform());
    json.push_str(r#"","type":"Increment","malwareStatus":"Clean","id":""#);
    push_digits::<16>(json, u64::from(position), 8);
    json.push_str("-0000-4000-8000-");
    push_digits::<16>(json, created_at.timestamp().unsigned_abs(), 12);
    json.push_str(r#"","name":""#);
    json.push_str(machine.restore_name());
    json.push_str(r#"","platformId":"00000000-0000-0000-0000-000000000000","creationTime":""#);
    push_digits::<10>(json, u64::from(day.year().unsigned_abs()), 4);
    for (before, number) in [("-", day.month()), ("-", day.day()), ("T", seconds / 3600), (":", seconds / 60 % 60)] {
        json.push_str(before);
        push_digits::<10>(json, u64::from(number), 2);
    }
    json.push(':');
    push_digits::<10>(json, u64::from(seconds % 60), 2);
    json.push_str(r#".0000000+00:00","backupId":""#);
    push_digits::<16>(json, u64::from(position), 8);
    json.push_str(r#"-0000-4000-9000-000000000000","allowedOperations":[]}"#);
}

/// The lowest digits of a number, zeros before it.
fn push_digits<const BASE: u64>(text: &mut String, number: u64, digits: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    const DIGITS_MAX: usize = 12;
    let (mut shown, mut rest) = ([b'0'; DIGITS_MAX], number);
    let shown = &mut shown[..digits];
    for digit in shown.iter_mut().rev() {
        *digit = DIGITS[(rest % BASE) as usize];
        rest /= BASE;
    }
    text.push_str(std::str::from_utf8(shown).expect("digits are ASCII"));
}

fn page(rows: &str, total: u64, count: usize, skip: usize, limit: usize) -> Vec<u8> {
    let foot = format!(r#"],"pagination":{{"total":{total},"count":{count},"skip":{skip},"limit":{limit}}}}}"#);
    [br#"{"data":["#, rows.as_bytes(), foot.as_bytes()].concat()
}

/// A pattern may begin and end with `*`.
fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(rest), Some(_)) => name.contains(rest.trim_end_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}

/// `/api/v1/license` of 1.3-rev2, the dates in the section.
pub(super) fn license(estate: &Estate, now: Instant) -> Value {
    let license = estate.license_at(now);
    let truth = estate.truth(now);
    let number = |points: Option<Points>| points.unwrap_or_default().to_string().parse::<f64>().unwrap_or(0.0);
    let date = |day: Option<chrono::NaiveDate>| day.map(|day| format!("{day}T00:00:00Z"));
    let objects: Vec<Value> = MAKES
        .iter()
        .map(|make| {
            let display = DISPLAYED.iter().find(|(kind, _)| *kind == make.kind).map(|(_, display)| display);
            let multiplier = match license.kind.measure() {
                Measure::Points => make.weight,
                Measure::Instances => i64::from(make.kind != WorkloadType::Workstation),
            };
            json!({"type": display, "count": 0, "multiplier": multiplier, "usedInstancesNumber": 0})
        })
        .collect();
    let mut shown = json!({
        "status": if license.expires_on.is_some_and(|last| now.date_naive() > last) { "Expired" } else { "Valid" },
        "type": license.kind.as_str(), "edition": license.edition,
        "cloudConnect": if license.cloud_connect { "Enabled" } else { "Disabled" },
        "licensedTo": license.licensed_to, "supportId": license.support_id,
        "autoUpdateEnabled": license.auto_update.unwrap_or(false), "freeAgentInstanceConsumptionEnabled": false,
        "IsMultiSection": false, "proactiveSupportEnabled": false,
        "instanceLicenseSummary": {
            "package": license.package,
            "licensedInstancesNumber": number(license.licensed_points),
            "usedInstancesNumber": number(license.used_points),
            "newInstancesNumber": number(license.new_points),
            "rentalInstancesNumber": truth.rental_count,
            "expirationDate": date(license.expires_on),
            "supportExpirationDate": date(license.support_expires_on),
            "objects": objects,
        },
    });
    leave_out_nulls(&mut shown);
    shown
}

/// The documents know no nulls; what is not there is left out.
fn leave_out_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, field| !field.is_null());
        fields.values_mut().for_each(leave_out_nulls);
    }
}

/// The JSON of `createReport` as the documents show it.
pub(super) fn report(estate: &Estate, now: Instant, installation: Option<String>) -> Value {
    let license = estate.license_at(now);
    json!({"products": [{
        "productVersion": "13.1.0.411", "edition": "Enterprise Plus", "installationId": installation,
        "data": [{"instances": {
            "supportId": license.support_id, "licenseId": license.license_id, "licenseType": license.kind.as_str(),
            "counters": [{
                "counterType": "VBR-VBR-VM-VSPHERE", "multiplier": "11", "instancesInGrace": "0",
                "consumedInstances": license.used_points.unwrap_or_default().to_string(),
                "newInstances": license.new_points.unwrap_or_default().to_string(), "reasonForRemoval": "",
            }],
        }}],
    }]})
}
