//! Pages and rows that come again byte for byte: the sample is the one that reading everything anew gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::{Value, json};
use tidegauge::ask::{Answer, Ask, HttpAnswer};
use tidegauge::domain::Instant;
use tidegauge::domain::sample::Sample;
use tidegauge::sources::vbr::VbrTalk;
use tidegauge::sources::{Brief, Collected, Remembered, SourceSettings, Sweep};

use super::driver::{at, brief, drive};

const NOW: &str = "2026-03-10T12:00:00Z";

/// A server with these rows and restore points; its list is sorted by id.
#[derive(Clone, Default)]
struct Server {
    /// Points, type and host by id.
    rows: BTreeMap<String, (Value, &'static str, u32)>,
    /// Names and instants.
    restore_points: Vec<(String, Instant)>,
}

fn number_in(path: &str, name: &str) -> usize {
    let pairs = path.split_once('?').map_or("", |(_, query)| query).split('&');
    let found = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or_default()
}

impl Server {
    fn answer(&self, ask: Ask) -> Answer {
        let Ask::Http(ask) = ask else { panic!("asked over HTTP") };
        let resource = ask.path.split('?').next().unwrap_or_default();
        let body = match resource {
            "/api/oauth2/token" => json!({"access_token": "a", "expires_in": 900}),
            "/api/v1/serverTime" => json!({"serverTime": NOW, "ianaTimeZoneId": "Etc/UTC"}),
            "/api/v1/serverInfo" => json!({"vbrId": "id-of-server", "buildVersion": "13.0.1.180"}),
            "/api/v1/license" => json!({"type": "Rental", "status": "Valid", "instanceLicenseSummary":
                {"objects": [{"type": "VM", "multiplier": 11}, {"type": "File Share", "multiplier": 1}]}}),
            "/api/v1/license/instances" => self.page(number_in(&ask.path, "skip"), number_in(&ask.path, "limit")),
            "/api/v1/restorePoints" => self.restore_points(&ask.path),
            _ => json!({}),
        };
        Answer::Http(HttpAnswer { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() })
    }

    fn page(&self, skip: usize, limit: usize) -> Value {
        let row = |(id, (points, kind, host)): (&String, &(Value, &str, u32))| {
            json!({"instanceId": id, "name": format!("machine {id}"), "type": kind, "platformType": "VMware",
                   "hostName": format!("host {host}"), "usedInstancesNumber": points})
        };
        let rows: Vec<Value> = self.rows.iter().skip(skip).take(limit).map(row).collect();
        json!({"data": rows, "pagination": {"total": self.rows.len(), "count": rows.len(), "skip": skip, "limit": limit}})
    }

    fn restore_points(&self, path: &str) -> Value {
        // The oldest restore point of a name is asked for with a filter; there is none but those of the window.
        let shown = if path.contains("nameFilter") { &[] } else { &self.restore_points[..] };
        let row = |(id, at): &(String, Instant)| json!({"name": format!("machine {id}"), "platformName": "VMware", "creationTime": at});
        json!({"data": shown.iter().map(row).collect::<Vec<_>>(), "pagination": {"total": shown.len()}})
    }

    fn read(&self, now: Instant, previous: Option<Arc<Sample>>, remembered: Remembered) -> Collected {
        let settings = SourceSettings { revision: Some("1.3-rev1".to_owned()), ..SourceSettings::default() };
        let brief = Brief { previous, remembered, settings, sweep: Sweep::Since, ..brief("vbr01", now) };
        drive(&mut VbrTalk::new(brief), |ask| self.answer(ask)).expect("the server is well")
    }
}

fn id_of(number: u32) -> String {
    format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(0x9E37_79B9))
}

/// What a machine becomes: gone, or with these points, of this type, on this host; perhaps backed up.
type Turn = (u32, Option<(u8, bool, u32)>, bool);

fn turns() -> impl Strategy<Value = Vec<Vec<Turn>>> {
    let one = (0..1_400_u32, prop::option::weighted(0.7, (0..4_u8, any::<bool>(), 0..3_u32)), any::<bool>());
    prop::collection::vec(prop::collection::vec(one, 0..25), 1..7)
}

fn row(points: u8, is_share: bool, host: u32) -> (Value, &'static str, u32) {
    // Nothing and zero are stated of machines that are new; -1 cannot be.
    let stated = [json!(11), json!(0), Value::Null, json!(2.5)][usize::from(points)].clone();
    (stated, if is_share { "File Share" } else { "VM" }, host)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_sample_from_known_pages_is_the_one_read_anew(drawn in turns()) {
        let mut server = Server::default();
        server.rows.extend((0..1_200).map(|number| (id_of(number), row(0, false, number % 3))));
        let mut now = at(NOW);
        let mut before: (Option<Arc<Sample>>, Remembered) = (None, Remembered::default());
        // Twice at the end: nothing changed at all.
        let (last, most) = (drawn.last().cloned().unwrap_or_default(), drawn.iter());
        for turn in most.chain([&last, &last]) {
            server.restore_points.clear();
            for (number, becomes, is_backed_up) in turn {
                match becomes {
                    Some((points, is_share, host)) => drop(server.rows.insert(id_of(*number), row(*points, *is_share, *host))),
                    None => drop(server.rows.remove(&id_of(*number))),
                }
                if *is_backed_up {
                    server.restore_points.push((id_of(*number), now - TimeDelta::minutes(20)));
                }
            }
            let (previous, remembered) = before;
            let known = server.read(now, previous.clone(), remembered);
            let anew = server.read(now, previous.clone(), Remembered::default());
            prop_assert_eq!(&known, &anew);
            // The sample before is given back by a store, as another copy.
            let sample = known.samples[0].clone();
            let plain = Sample { workloads: sample.workloads.iter().cloned().collect(), ..sample };
            before = (Some(Arc::new(plain)), known.remembered);
            now += TimeDelta::hours(30);
        }
    }
}

#[test]
fn a_list_that_stays_as_it_is_is_the_list_before() {
    let mut server = Server::default();
    server.rows.extend((0..1_200).map(|number| (id_of(number), row(0, false, 0))));
    let first = server.read(at(NOW), None, Remembered::default());
    let previous = Arc::new(first.samples[0].clone());
    let second = server.read(at(NOW) + TimeDelta::hours(1), Some(Arc::clone(&previous)), first.remembered);
    assert!(second.samples[0].workloads.is_one_with(&previous.workloads));
    // One machine moved: its block alone is another.
    let moved = server.rows.get_mut(&id_of(700)).expect("it is there");
    moved.2 = 9;
    let previous = Arc::new(second.samples[0].clone());
    let third = server.read(at(NOW) + TimeDelta::hours(2), Some(Arc::clone(&previous)), second.remembered);
    let blocks = third.samples[0].workloads.blocks();
    let known = blocks.iter().filter(|block| previous.workloads.blocks().iter().any(|one| Arc::ptr_eq(one, block)));
    assert_eq!(known.count() + 1, blocks.len());
}

#[test]
fn what_was_remembered_of_another_sample_is_not_believed() {
    let mut server = Server::default();
    server.rows.extend((0..600).map(|number| (id_of(number), row(0, false, 0))));
    let first = server.read(at(NOW), None, Remembered::default());
    let mut other = first.samples[0].clone();
    other.workloads.change(|workloads| workloads[5].host = Some("elsewhere".to_owned()));
    let later = at(NOW) + TimeDelta::hours(1);
    let read = server.read(later, Some(Arc::new(other.clone())), first.remembered);
    assert_eq!(read, server.read(later, Some(Arc::new(other)), Remembered::default()));
    assert_eq!(read.samples[0].workloads[5].host.as_deref(), Some("host 0"));
}
