//! Which machines aged out since last month's report, told apart from those that were taken from the list.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::domain::Instant;
use crate::domain::calendar::PROTECTED_FOR;
use crate::domain::installation::ServerName;
use crate::domain::report::UsageReport;
use crate::domain::sample::Sample;

/// Samples are looked at so often between two reports. Far below 31 days, so that a machine which is backed up and then
/// taken from the list is never thought to have aged out.
pub const LOOKS_EVERY: TimeDelta = TimeDelta::days(7);

/// Server and id of machines that had no restore point for 31 days.
pub type AgedOut = BTreeSet<(ServerName, String)>;

/// Servers with machines that counted last month and are not in this month's report: the samples of these are looked at.
pub fn servers_with_absent(before: &UsageReport, after: &UsageReport) -> BTreeSet<ServerName> {
    let there: BTreeSet<(&str, &str)> =
        after.workloads.iter().map(|workload| (workload.server.as_str(), workload.id.as_str())).collect();
    let counted = before.workloads.iter().filter(|workload| workload.counted);
    let absent = counted.filter(|workload| !there.contains(&(workload.server.as_str(), workload.id.as_str())));
    absent.map(|workload| workload.server.clone()).collect()
}

/// Machines of one server that counted last month and had aged out when the server showed them no more, or by the
/// month's end `ends_at`. `looks` are its samples since, in the order of time; the last is the one it is counted by.
pub fn aged_out(before: &UsageReport, server: &str, looks: &[Sample], ends_at: Instant) -> AgedOut {
    let of_server = before.workloads.iter().filter(|workload| workload.counted && workload.server == server);
    // Backed up last, and since when it is not shown.
    let mut known: BTreeMap<&str, (Instant, Option<Instant>)> = of_server
        .map(|workload| (&*workload.id, (workload.last_restore_point_at.unwrap_or(before.basis.as_of), None)))
        .collect();
    for look in looks {
        let shown: BTreeMap<&str, Option<Instant>> =
            look.workloads.iter().map(|workload| (&*workload.id, workload.last_restore_point_at)).collect();
        for (id, (backed_up_at, gone_at)) in &mut known {
            match shown.get(id) {
                Some(last) => (*backed_up_at, *gone_at) = (last.unwrap_or(look.taken_at), None),
                None => *gone_at = gone_at.or(Some(look.taken_at)),
            }
        }
    }
    let aged = |(_, (backed_up_at, gone_at)): &(&str, (Instant, Option<Instant>))| {
        *backed_up_at + PROTECTED_FOR <= gone_at.unwrap_or(ends_at)
    };
    known.into_iter().filter(aged).map(|(id, _)| (server.to_owned(), id.to_owned())).collect()
}
