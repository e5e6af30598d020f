//! The PowerShell dump for Windows backup servers: its tables, and the file it writes, checked without PowerShell.

use std::collections::BTreeMap;

use serde_json::Value;
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::counting::total_of_count;
use tidegauge::rules::rating::Rating;
use tidegauge::sources::enterprise_manager::{COUNTERS, Part};
use tidegauge::sources::snapshot_file::parse;
use tidegauge::sources::vbr::kind_displayed_as;

use super::driver::at;

const SCRIPT: &str = include_str!("../../../packaging/windows/tidegauge-dump.ps1");
const TENANTS: &str = include_str!("dump/tenants.json");
const WRITTEN: &[u8] = include_bytes!("dump/cc01-20261031T230000Z.json");

/// The rows of a table that the script embeds, its heading left out.
fn table(name: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = SCRIPT.split_once(&format!("${name} = @'\n")).expect("the script holds the table");
    let (table, _) = rest.split_once("\n'@").expect("the table ends");
    table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn the_scripts_counters_are_those_that_enterprise_manager_is_read_by() {
    let part = |part: Part| match part {
        Part::Used => "used",
        Part::New => "new",
        Part::Rental => "rental",
    };
    let ours = COUNTERS.map(|row| {
        let names = row.powershell.iter().map(|name| (*name).to_owned());
        [row.kind.as_str().to_owned(), part(row.part).to_owned()].into_iter().chain(names).collect::<Vec<_>>()
    });
    assert_eq!(table("TenantCounters"), ours);
}

#[test]
fn the_scripts_types_are_those_that_rest_is_read_by() {
    for row in table("WorkloadTypes") {
        let kind = kind_displayed_as(row[0]);
        assert!(kind.is_known(), "{}", row[0]);
        assert_eq!(kind.as_str(), row[1], "{}", row[0]);
    }
}

#[test]
fn the_script_writes_the_installation_id_that_it_is_given() {
    assert!(SCRIPT.contains("[string] $InstallationId = '',"));
    assert!(SCRIPT.contains("installation_id    = ConvertTo-Text $InstallationId.ToLowerInvariant()"));
    assert!(SCRIPT.contains("New-Snapshot $Server $InstallationId $takenAt"));
}

/// What the script's table makes of the objects that `Get-VBRCloudTenant` gives.
fn counted(tenants: &[Value]) -> Vec<TenantCount> {
    let mut counts: BTreeMap<(usize, String), TenantCount> = BTreeMap::new();
    for (at, tenant) in tenants.iter().enumerate() {
        for row in table("TenantCounters") {
            let number = row[2..].iter().find_map(|name| tenant[*name].as_u64()).unwrap_or(0);
            let number = u32::try_from(number).expect("a sample's count");
            if number == 0 {
                continue;
            }
            let kind: WorkloadType = row[0].parse().expect("every text is a type");
            let count = counts.entry((at, row[0].to_owned())).or_insert_with(|| TenantCount {
                tenant: tenant["Name"].as_str().map(str::to_owned),
                kind,
                weight: None,
                used: 0,
                new: 0,
                rental: 0,
            });
            match row[1] {
                "used" => count.used = number,
                "new" => count.new = number,
                "rental" => count.rental = number,
                other => panic!("{other} is no part"),
            }
        }
    }
    counts.into_values().collect()
}

#[test]
fn sample_objects_of_the_cmdlet_become_the_counts_of_the_file() {
    let tenants: Vec<Value> = serde_json::from_str(TENANTS).expect("sample objects");
    let sample = parse("cc01.json", WRITTEN, at("2026-10-31T23:05:00Z")).expect("the script's shape is read").remove(0);
    let unweighted = sample.counts.iter().map(|count| TenantCount { weight: None, ..count.clone() });
    let by_name = |count: &TenantCount| (count.tenant.clone(), count.kind.clone());
    let (mut expected, mut written) = (counted(&tenants), unweighted.collect::<Vec<_>>());
    expected.sort_by_key(by_name);
    written.sort_by_key(by_name);
    assert_eq!(written, expected);
    assert!(sample.license.cloud_connect && sample.license.auto_update == Some(false));
    assert_eq!(sample.workloads.len(), 1, "what is not of tenants stands by name");
}

#[test]
fn replicas_under_a_rental_license_count_and_new_ones_do_not() {
    let sample = parse("cc01.json", WRITTEN, at("2026-10-31T23:05:00Z")).expect("the script's shape is read").remove(0);
    let of = |tenant: &str| {
        let replicas = |count: &&TenantCount| count.kind == WorkloadType::CloudConnectReplica;
        let found = sample.counts.iter().filter(replicas).find(|count| count.tenant.as_deref() == Some(tenant));
        total_of_count(found.expect("it has replicas"), &sample, &Rating::default())
    };
    let (a, b) = (of("Tenant A"), of("Tenant \"B\" & Söhne"));
    assert_eq!((a.count, a.rental_count), (7, 0));
    assert_eq!((b.count, b.new_count), (0, 5));
}

#[test]
fn the_script_holds_no_secret_and_asks_only_cmdlets_that_change_nothing() {
    let cmdlets =
        SCRIPT.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '-').filter(|word| word.contains("-VBR"));
    for cmdlet in cmdlets {
        assert!(cmdlet.starts_with("Get-VBR"), "{cmdlet}");
    }
    let lower = SCRIPT.to_lowercase();
    for word in ["-password", "credential", "convertto-securestring"] {
        assert!(!lower.contains(word), "{word}");
    }
}

/// Names of the fields that the script writes: keys of its ordered tables, and those that it sets afterwards.
fn written_fields() -> Vec<(&'static str, Vec<&'static str>)> {
    let body = |function: &str| {
        let (_, rest) = SCRIPT.split_once(&format!("function {function}(")).expect("the script has the function");
        rest.split_once("\n}").map_or(rest, |(body, _)| body)
    };
    let keys = |function: &'static str| -> Vec<&'static str> {
        let (_, tables) = body(function).split_once("[ordered]@{\n").expect("it makes a table");
        let (table, _) = tables.split_once("}").expect("the table ends");
        let rows = table.split(['\n', ';']).filter_map(|row| row.split_once('=')).map(|(key, _)| key.trim());
        rows.filter(|key| key.chars().all(|sign| sign.is_ascii_lowercase() || sign == '_')).collect()
    };
    let mut snapshot = keys("New-Snapshot");
    assert!(body("New-Snapshot").contains("$snapshot['counts'] ="));
    snapshot.push("counts");
    vec![
        ("", snapshot),
        ("license", keys("ConvertTo-License")),
        ("workloads", keys("ConvertTo-Workload")),
        ("counts", keys("ConvertTo-Count")),
    ]
}

/// A snapshot with every field that is read.
fn full() -> Value {
    serde_json::json!({
        "schema": "tidegauge.usage-snapshot/1", "taken_at": "2026-10-31T23:00:00Z", "server": "cc01",
        "license": {
            "license_id": "1", "type": "Rental", "product": "VBR", "edition": "EnterprisePlus", "package": "Suite",
            "cloud_connect": true, "licensed_to": "Example Provider", "support_id": "2", "installation_id": "3",
            "licensed_points": "100", "used_points": "10", "new_points": "5", "expires_on": "2027-01-31",
            "support_expires_on": "2027-01-31", "auto_update": true,
        },
        "workloads": [{"id": "4", "name": "vm", "type": "VM", "platform": "VMware", "tenant": "t", "job": "j",
                       "host": "h", "points": "11", "first_processed_at": "2026-10-01T00:00:00Z",
                       "last_restore_point_at": "2026-10-31T00:00:00Z", "rental": false}],
        "counts": [{"tenant": "t", "type": "CloudConnectVM", "weight": "5", "used": 1, "new": 1, "rental": 1}],
    })
}

#[test]
fn every_field_that_the_script_writes_is_one_that_the_snapshot_folder_reads() {
    let now = at("2026-11-01T00:00:00Z");
    let is_read = |snapshot: &Value| parse("cc01.json", snapshot.to_string().as_bytes(), now);
    is_read(&full()).expect("the full snapshot is read");
    let mut seen = 0;
    for (place, fields) in written_fields() {
        assert!(3 < fields.len(), "{place}: {fields:?}");
        for field in fields {
            let mut wrong = full();
            let object = match place {
                "" => &mut wrong,
                "license" => &mut wrong["license"],
                list => &mut wrong[list][0],
            };
            assert!(object.get(field).is_some(), "{place}.{field} is written and not part of a snapshot");
            // A field that is read is refused when it holds what it cannot hold.
            object[field] = serde_json::json!([{"nonsense": true}]);
            let refused = is_read(&wrong).expect_err(&format!("{place}.{field} is written and not read"));
            assert!(refused.to_string().contains(field), "{place}.{field}: {refused}");
            seen += 1;
        }
    }
    assert_eq!(seen, 31, "fields of the script");
}
