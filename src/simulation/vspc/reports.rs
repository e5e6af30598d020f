//! The monthly report of a simulated console: what its servers count at the month's end, less those it leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use serde_json::{Value, json};

use super::Managed;
use super::pages::{AGENT_POINTS, Role, Tally, company_uid, described, number};
use crate::domain::console_report::WhyLeftOut;
use crate::domain::{Instant, Month, Points};

/// A company and a support id.
type DetailKey = (String, Option<String>);
/// License id and product.
type ProductKey = (Option<String>, &'static str);
/// `typeId` and weight, and how many are used and new.
type Workloads = BTreeMap<(&'static str, Points), (u32, u32)>;

#[derive(Default)]
struct Detail {
    usage: BTreeMap<ProductKey, Workloads>,
    left_out: BTreeSet<(WhyLeftOut, String)>,
}

/// Months whose report was finalized, and when.
pub(super) type Finalized = BTreeMap<Month, Instant>;

/// Finalizing takes so long.
const FINALIZES_WITHIN: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// The reports of a month, or the newest: one once the month has ended; `None`: that is no month.
pub(super) fn rows(servers: &[Managed], finalized: &Finalized, date: &str, now: Instant) -> Option<Vec<Value>> {
    let month: Month = match date {
        "latest" => Month::of(now).previous(),
        _ => date.strip_suffix("-01").filter(|_| date.len() == 10).unwrap_or(date).parse().ok()?,
    };
    if now < month.ends_at() || servers.is_empty() {
        return Some(Vec::new());
    }
    let mut report = report(servers, month, now);
    report["reportStatus"] = json!(match finalized.get(&month) {
        None => "ApprovalRequired",
        Some(since) if now < *since + FINALIZES_WITHIN => "Finalization",
        Some(_) => "Approved",
    });
    Some(vec![report])
}

fn report(servers: &[Managed], month: Month, now: Instant) -> Value {
    let details = details(servers, month, now);
    let mut companies: BTreeMap<&str, Points> = BTreeMap::new();
    let mut products: BTreeMap<&'static str, Workloads> = BTreeMap::new();
    for ((company, _), detail) in &details {
        let points = companies.entry(company).or_default();
        for ((_, product), workloads) in &detail.usage {
            *points += points_of(workloads);
            let sums = products.entry(product).or_default();
            for (key, (used, new)) in workloads {
                let sum = sums.entry(*key).or_default();
                *sum = (sum.0 + used, sum.1 + new);
            }
        }
    }
    let agents = u32::try_from(companies.len()).unwrap_or(u32::MAX);
    products.insert("VSPC", BTreeMap::from([(("VSPC-WORKSTATION-WINDOWS", Points::whole(AGENT_POINTS)), (agents, 0))]));
    let total: Points = products.values().map(points_of).sum();
    let products_usage: Vec<Value> = products.iter().map(|(product, workloads)| {
        json!({"productType": product, "totalPoints": number(points_of(workloads)), "licenseEdition": "Enterprise Plus",
               "workloadUsage": workload_usage(workloads)})
    }).collect();
    let organizations: Vec<Value> = companies
        .iter()
        .map(|(company, points)| {
            json!({"organizationType": "Company", "organizationName": company, "organizationUid": company_uid(company),
               "usedPoints": number(*points)})
        })
        .collect();
    let of_cloud = |why: WhyLeftOut| {
        let cloud = servers.iter().filter(|server| server.role == Role::CloudConnect && server.left_out == Some(why));
        or_null(cloud.map(|server| server.name.clone()).collect())
    };
    json!({"reportStatus": "ApprovalRequired",
           "reportParameters": {"reportId": 1, "organizationName": "Example Provider",
                                "organizationUid": company_uid("Example Provider"), "licenseCompanyName": "Example Provider",
                                "generationDate": month.ends_at(),
                                "reportInterval": {"startOfInterval": month.starts_at(),
                                                   "endOfInterval": month.ends_at() - chrono::TimeDelta::days(1)}},
           "reportSummary": {"totalPoints": number(total), "productsUsage": products_usage},
           "organizationsUsage": organizations,
           "notCollectedCloudServers": of_cloud(WhyLeftOut::NotCollected),
           "clonedCloudServers": of_cloud(WhyLeftOut::Cloned),
           "unsupportedCloudServers": of_cloud(WhyLeftOut::Unsupported),
           "usageDetails": details.iter().map(|(key, detail)| detail_row(key, detail)).collect::<Vec<Value>>(),
           "appendices": []})
}

fn details(servers: &[Managed], month: Month, now: Instant) -> BTreeMap<DetailKey, Detail> {
    let mut details: BTreeMap<DetailKey, Detail> = BTreeMap::new();
    for server in servers {
        let tallies = server.tallies_of(month, now);
        let license = server.estate.lock().unwrap_or_else(PoisonError::into_inner).license.clone();
        let product = match server.role {
            Role::Client => "BackupAndReplication",
            Role::CloudConnect => "CloudConnect",
        };
        for ((tenant, type_id), Tally { used, new, weight, .. }) in tallies {
            let detail = details.entry((tenant, license.support_id.clone())).or_default();
            match (server.left_out, server.role) {
                (None, _) => {
                    let workloads = detail.usage.entry((license.license_id.clone(), product)).or_default();
                    let sum = workloads.entry((type_id, weight)).or_default();
                    *sum = (sum.0 + used, sum.1 + new);
                }
                (Some(why), Role::Client) => {
                    detail.left_out.insert((why, server.name.clone()));
                }
                (Some(_), Role::CloudConnect) => {}
            }
        }
    }
    details
}

fn detail_row((company, support_id): &DetailKey, detail: &Detail) -> Value {
    let usage: Vec<Value> = detail
        .usage
        .iter()
        .map(|((license_id, product), workloads)| {
            json!({"licenseId": license_id, "productType": product, "licenseEdition": "Enterprise Plus",
               "usedPoints": number(points_of(workloads)), "workloadUsage": workload_usage(workloads)})
        })
        .collect();
    let left_out = |why: WhyLeftOut| {
        let servers = detail.left_out.iter().filter(|(left_out, _)| *left_out == why);
        or_null(servers.map(|(_, server)| server.clone()).collect())
    };
    json!({"organizationName": company, "organizationUid": company_uid(company), "supportId": support_id,
           "notCollectedClientServers": left_out(WhyLeftOut::NotCollected),
           "clonedClientServers": left_out(WhyLeftOut::Cloned),
           "unsupportedClientServers": left_out(WhyLeftOut::Unsupported), "usageByLicenseAndProduct": usage})
}

/// Empty lists come as `null`, as in the document's examples.
fn or_null(names: Vec<String>) -> Value {
    if names.is_empty() { Value::Null } else { json!(names) }
}

fn points_of(workloads: &Workloads) -> Points {
    workloads.iter().map(|((_, weight), (used, _))| *weight * u64::from(*used)).sum()
}

/// Nearly everything is `Dynamic`, as consoles of these years report it.
fn workload_usage(workloads: &Workloads) -> Vec<Value> {
    let row = |((type_id, weight), (used, new)): (&(&'static str, Points), &(u32, u32))| {
        let tally = json!({"weight": number(*weight), "initialCount": used, "reportedCount": used, "newCount": new,
                           "usedPoints": number(*weight * u64::from(*used))});
        let mut row = tally.clone();
        row["workloadType"] = json!("Dynamic");
        row["description"] = json!(described(type_id));
        row["workloadsByPlatform"] =
            json!([{"typeId": type_id, "description": described(type_id), "objectsByWeight": [tally]}]);
        row
    };
    workloads.iter().map(row).collect()
}
