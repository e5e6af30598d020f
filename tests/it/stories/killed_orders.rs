//! The plug is pulled within every kind of order, at each write and after each talk: done wholly or not at all, once.

use std::path::Path;
use std::sync::PoisonError;

use chrono::TimeDelta;
use tidegauge::agent::orders::{BillingWish, WhichInvoice};
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::people::Role;
use tidegauge::doors::Files;
use tidegauge::people::token;
use tidegauge::simulation::world::OrderKill;
use tidegauge::sources::snapshot_file;

use super::*;

const BOOK: &str =
    "currency = \"EUR\"\nrounding = \"invoice\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"1\"\n";
/// More writing operations than most orders have; the plug is pulled after the last one then.
const OPERATIONS: u64 = 7;
/// No write at all, a torn one, and one that is whole although its order never heard of it.
const UNSYNCED: [usize; 3] = [0, 7, 1_000_000];

/// Each write with whatever may be left of it, then each talk.
fn kills() -> Vec<OrderKill> {
    let writes = (0..OPERATIONS).flat_map(|operation| {
        UNSYNCED.into_iter().map(move |unsynced_bytes| OrderKill::AtWrite { operation, unsynced_bytes })
    });
    writes.chain((0..2).map(|talk| OrderKill::AfterTalk { talk })).collect()
}

/// Each write with two of what may be left of it, then each talk.
fn some_kills() -> Vec<OrderKill> {
    let is_left_out = |kill: &OrderKill| match kill {
        OrderKill::AtWrite { operation, unsynced_bytes } => *unsynced_bytes == UNSYNCED[*operation as usize % 3],
        OrderKill::AfterTalk { .. } => false,
    };
    kills().into_iter().filter(|kill| !is_left_out(kill)).collect()
}

/// An order of a round.
type Given = fn(&World, usize) -> Order;

/// What is ordered in each round, of which nothing was ordered before.
const ORDERS: [(&str, Given); 18] = [
    ("correct", |_, round| Order::Correct { target: target("2026-01"), reason: format!("found {round}") }),
    ("adjust", without_one),
    ("reset", |_, _| Order::Reset { target: target("2026-01") }),
    ("adjust", without_one),
    ("justify", |_, round| Order::Justify { target: target("2026-01"), reason: format!("why {round}") }),
    ("postpone", |_, _| Order::Postpone { target: target("2026-01"), until: None }),
    ("send", |_, _| Order::Send { target: target("2026-01") }),
    ("mark", mark),
    ("export", |_, _| export()),
    ("update", |_, _| Order::LicenseUpdate { target: Target::default() }),
    ("off", |_, _| Order::AutoUpdate { target: Target::default(), on: false }),
    ("on", |_, _| Order::AutoUpdate { target: Target::default(), on: true }),
    ("sample", |_, _| Order::SampleNow { server: "vbr01".to_owned() }),
    ("import", import),
    ("user", |_, round| Order::AddUser {
        name: format!("user{round}"),
        role: Role::Viewer,
        password: None,
        invitation: Some(token::code([round as u8; 32]).1),
    }),
    ("role", |_, round| Order::ChangeUser {
        name: format!("user{round}"),
        role: Some(Role::Approver),
        active: None,
        password: None,
        invitation: None,
    }),
    ("token", |_, round| Order::AddToken {
        name: format!("token{round}"),
        role: Role::Viewer,
        expires_at: None,
        hash: token::new([round as u8; 32]).1,
    }),
    ("revoke", |_, round| Order::RevokeToken { name: format!("token{round}") }),
];

fn without_one(world: &World, round: usize) -> Order {
    let report = report(world, "2026-01");
    let counted = report.workloads.iter().filter(|workload| workload.counted).take(1);
    let workloads = counted.map(|workload| workload.id.clone()).collect();
    let adjustments = vec![AdjustmentOrder::Remove { workloads, reason: format!("test machine {round}") }];
    Order::Adjust { target: target("2026-01"), adjustments }
}

fn mark(_: &World, round: usize) -> Order {
    Order::MarkExternal { target: target("2026-01"), portal: "Pulse".to_owned(), document: format!("U-{round}") }
}

fn export() -> Order {
    let wish = BillingWish {
        format: "lines".to_owned(),
        out: "january.csv".to_owned(),
        ending: None,
        which: WhichInvoice::Issue,
        names: Default::default(),
        seen: None,
    };
    Order::ExportBilling { target: target("2026-01"), wish }
}

/// Two samples that nobody took.
fn import(world: &World, round: usize) -> Order {
    let estate = world.servers["vbr01"].estate.lock().unwrap_or_else(PoisonError::into_inner);
    let sample = |minutes: usize| {
        let taken_at = at("2026-02-12T04:01:00Z") + TimeDelta::minutes(minutes as i64);
        snapshot_file::to_json(&estate.snapshot(taken_at)).to_string()
    };
    let text = format!("{}\n{}", sample(2 * round), sample(2 * round + 1));
    Order::ImportSamples { file: format!("late{round}.jsonl"), text }
}

/// January is sent on the eleventh; then each round gives every order, killed or not.
fn rounds_of_orders(kills: &[Option<OrderKill>]) -> World {
    let mut plan = calm_vbr(71, "2026-01-28T09:30:00Z", 4);
    plan.settings.price_book = Some("prices.toml".into());
    let mut world = World::new(plan);
    let disk = world.disk.as_ref().expect("a world has a disk");
    disk.write(Path::new("prices.toml"), BOOK.as_bytes()).expect("it takes files");
    world.run_until(at("2026-02-12T10:00:00Z"));
    for (round, kill) in kills.iter().enumerate() {
        for (what, order) in ORDERS {
            let order = order(&world, round);
            if let Some(kill) = kill {
                world.kill_order(*kill);
            }
            let answer = world.order(order, "mia");
            if kill.is_none() && what != "postpone" {
                assert_eq!(answer.map(|_| ()).map_err(|why| why.to_string()), Ok(()), "{what} of round {round}");
            }
            assert_eq!(world.objections(), [""; 0], "{what} of round {round}, {kill:?}");
        }
        // Who was told, and which files were written, is healed by duties.
        world.run_until(world.now() + TimeDelta::minutes(10));
    }
    world.run_until(world.now() + TimeDelta::days(1));
    world.object_to_what_is_left_but_telemetry();
    assert_silent(&world);
    world
}

/// What must be the same with and without kills.
fn end_state(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for one in submissions(world) {
        let why = one.correction.as_ref().map(|why| (&why.reason, &why.by, why.at));
        lines.push(format!("{} r{} {} {:?} {why:?}", one.month, one.revision, one.total_points, one.lines));
    }
    let store = world.agent().store();
    let unit = store.units().expect("units").remove(0).id;
    for (key, report) in store.rows::<UsageReport>("report/").expect("reports") {
        lines.push(format!("{key} {} {:?}", report.total_points, report.adjustments));
        lines.push(format!("{:?} {:?} {:?}", report.correction, report.justification, report.external));
    }
    for day in store.days(&unit, at("2026-01-28").date_naive(), at("2026-02-13").date_naive()).expect("days") {
        lines.push(format!("{} {} {}", day.day, day.mark.points, day.mark.at));
    }
    for rows in ["external/", "user/", "token/", "auto_update/", "justified/"] {
        let rows = store.rows::<Value>(rows).expect("rows");
        lines.extend(rows.iter().map(|(key, row)| format!("{key} {row}")));
    }
    for (key, invoice) in store.rows::<Value>("invoice/").expect("documents") {
        lines.push(format!("{key} {} {}", invoice["number"], invoice["total"]["amount"]));
    }
    lines
}

#[test]
fn an_order_that_was_killed_and_given_again_is_done_once() {
    let kills: Vec<Option<OrderKill>> = some_kills().into_iter().map(Some).collect();
    let killed = rounds_of_orders(&kills);
    assert_eq!(killed.orders_killed() as usize, kills.len() * ORDERS.len());
    let whole = rounds_of_orders(&vec![None; kills.len()]);
    similar(&end_state(&killed), &end_state(&whole));
    killed.agent().store().verify().expect("the journal replays to the same state");
}

fn similar(killed: &[String], whole: &[String]) {
    for (killed, whole) in killed.iter().zip(whole) {
        assert_eq!(killed, whole);
    }
    assert_eq!(killed.len(), whole.len());
}

#[test]
fn a_month_whose_generating_by_order_was_killed_has_one_report() {
    let generated = |kill: Option<OrderKill>| {
        let mut world = World::new(calm_vbr(72, "2026-01-31T09:30:00Z", 4));
        world.run_until(at("2026-01-31T23:30:00Z"));
        world.off_until(at("2026-02-01T00:30:00Z"));
        kill.into_iter().for_each(|kill| world.kill_order(kill));
        world.order(Order::Generate { target: target("2026-01") }, "mia").expect("the month has ended");
        world.run_until(at("2026-02-02"));
        world.object_to_what_is_left_but_telemetry();
        assert_silent(&world);
        let report = report(&world, "2026-01");
        let files = world.disk.as_ref().expect("a disk").list(Path::new("/reports/2026-01")).expect("it lists");
        (report.revision, report.total_points, files)
    };
    let whole = generated(None);
    assert!(!whole.2.is_empty());
    for kill in kills() {
        assert_eq!(generated(Some(kill)), whole, "{kill:?}");
    }
}

#[test]
fn two_people_at_once_whose_connection_is_lost_remove_a_machine_once() {
    for kill in kills() {
        let mut world = World::new(calm_vbr(73, "2026-01-30T09:30:00Z", 4));
        world.run_until(at("2026-02-03T10:00:00Z"));
        let order = without_one(&world, 0);
        world.kill_order(kill);
        let answers = world.orders_at_once(&order, ["mia", "ben"]);
        assert!(answers.iter().any(Result::is_ok), "{kill:?}");
        assert_eq!(report(&world, "2026-01").adjustments.len(), 1, "{kill:?}");
        assert_silent(&world);
    }
}
