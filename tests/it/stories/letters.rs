//! Letters that wait, letters that nobody takes, and news that belongs together.

use std::collections::BTreeSet;

use std::sync::Arc;

use tidegauge::agent::Place;
use tidegauge::simulation::disk::SimulatedDisk;
use tidegauge::store::Store;
use tidegauge::store::fact::{Fact, Miss};

use super::*;

/// Subjects of the mails that one recipient got.
fn got(world: &World, to: &str) -> Vec<String> {
    let mails = world.wire.mails().into_iter().filter(|mail| mail.to == to);
    mails.map(|mail| subject(&String::from_utf8_lossy(&mail.message))).collect()
}

fn subject(message: &str) -> String {
    let message = message.replace("\r\n ", " ");
    let line = message.lines().find_map(|line| line.strip_prefix("Subject: "));
    line.expect("every letter has a subject").to_owned()
}

fn warnings(world: &World) -> String {
    status(world)["warnings"].to_string()
}

#[test]
fn a_login_that_fails_for_weeks_drops_no_letter() {
    let mut world = World::new(calm(21, "2026-01-28T09:30:00Z", 4));
    world.wire.lock_out(at("2026-01-28")..at("2026-03-05"));
    world.run_until(at("2026-03-04"));
    assert!(world.wire.mails().is_empty());
    let said = warnings(&world);
    assert!(said.contains("letters not sent: ") && said.contains("the login is refused"), "{said}");
    assert!(told(&world, &["given up"]).is_empty(), "{}", told(&world, &["given up"]));
    world.run_until(at("2026-03-06"));
    let queued: usize = told(&world, &["notice "]).lines().count();
    assert!(queued > 5, "{queued}");
    let letters = got(&world, "licensing@example.net");
    assert_eq!(letters.len(), queued, "{letters:#?}");
    assert!(!warnings(&world).contains("letters not sent"), "{}", warnings(&world));
    world.object_to_what_is_left();
    assert_silent(&world);
}

#[test]
fn a_refused_recipient_blocks_no_other_and_stands_in_status_until_a_letter_is_taken() {
    let mut plan = calm(22, "2026-01-28T09:30:00Z", 4);
    plan.mail_to = vec!["gone@example.net".to_owned(), "here@example.net".to_owned()];
    let mut world = World::new(plan);
    world.wire.refuse_recipient("gone@example.net");
    world.run_until(at("2026-02-05"));
    assert!(got(&world, "gone@example.net").is_empty());
    assert!(!got(&world, "here@example.net").is_empty());
    assert_eq!(status(&world)["untold"], 0, "it is refused for good, and not tried again");
    let said = warnings(&world);
    assert!(
        said.contains("letters to gone@example.net were refused on 2026-02-05 00:00: mail: refused for good"),
        "{said}"
    );
    world.wire.know_recipient("gone@example.net");
    world.run_until(at("2026-02-12"));
    assert!(!warnings(&world).contains("gone@example.net"), "{}", warnings(&world));
    assert!(got(&world, "gone@example.net").iter().any(|subject| subject.contains("sent on its day")));
    assert_silent(&world);
}

#[test]
fn a_loss_and_its_end_are_one_pair_and_a_day_with_too_few_samples_is_told_once() {
    let mut world = World::new(calm_vbr(23, "2026-01-04T09:30:00Z", 4));
    // Too short to be told, then most of a day.
    world.wire.cut_off("vbr01", at("2026-01-06T04:00:00Z")..at("2026-01-06T04:15:00Z"));
    world.wire.cut_off("vbr01", at("2026-01-08T04:00:00Z")..at("2026-01-08T22:00:00Z"));
    world.run_until(at("2026-01-12"));
    check(
        &world,
        &["notice server"],
        expect![[r#"
        2026-01-08 07:06  notice server.unreachable (vbr01)
        2026-01-08 22:46  notice server.recovered (vbr01)
        2026-01-09 02:46  notice server.coverage_low (vbr01, 2026-01-08, 2 of 6)
    "#]],
    );
    let mails: Vec<String> =
        world.wire.mails().iter().map(|mail| String::from_utf8_lossy(&mail.message).replace("\r\n ", " ")).collect();
    let header = |subject: &str, name: &str| {
        let mail = mails.iter().find(|mail| mail.contains(subject)).expect("there is such a letter");
        mail.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
    };
    let lost = header("Subject: vbr01 is not sampled", "Message-ID: ").expect("every mail has one");
    assert_eq!(header("Subject: vbr01 is sampled again", "In-Reply-To: "), Some(lost));
}

#[test]
fn a_server_that_an_earlier_version_lost_is_told_to_be_back() {
    let (disk, place) = (SimulatedDisk::new(), Place::Temporary { journal: "/state/journal".into() });
    let lost_at = at("2026-01-04T05:30:00Z");
    let miss = Miss {
        due_at: lost_at,
        at: lost_at,
        why: "not reachable".to_owned(),
        needs_person: false,
        in_a_row: 5,
        told: None,
    };
    let (mut store, _) = Store::open(&place, Arc::new(disk.clone())).expect("an empty disk");
    let missed = Fact::SampleMissed { server: "vbr01".to_owned(), miss };
    store.record(lost_at, lost_at, "duty", &[missed]).expect("the disk is well");
    drop(store);
    let mut plan = calm_vbr(27, "2026-01-04T09:30:00Z", 4);
    plan.settings.state_dir = "/state".into();
    plan.settings.reports_dir = "/reports".into();
    let mut world = World::on(plan, Arc::new(disk.clone()), place, Some(disk));
    world.run_until(at("2026-01-05"));
    assert_eq!(told(&world, &["notice server.recovered (vbr01)"]).lines().count(), 1, "{:#?}", world.story());
    assert!(got(&world, "licensing@example.net").iter().any(|subject| subject.contains("sampled again")));
}

#[test]
fn routes_choose_who_is_told_what() {
    let mut plan = calm(24, "2026-01-28T09:30:00Z", 4);
    let text = "[mail]\nhost = \"h\"\nfrom = \"a@example.net\"\nto = [\"licensing@example.net\"]\nattach = [\"csv\"]\n\
                mute = [\"report.generated\"]\n[[mail.route]]\nevents = [\"report.generated\", \"report.auto_submitted\"]\n\
                to = [\"boss@example.net\", \"licensing@example.net\"]\n";
    let flags = tidegauge::config::Flags::default();
    let written = tidegauge::config::Written { name: "t.toml", text };
    let settings = tidegauge::config::Settings::read(Some(written), [], &flags).expect("good settings");
    plan.settings.mail = settings.mail;
    let mut world = World::new(plan);
    world.run_until(at("2026-02-12"));
    let subjects = |to| got(&world, to).into_iter().collect::<BTreeSet<String>>();
    let boss = subjects("boss@example.net");
    assert_eq!(boss.len(), 2, "{boss:?}");
    assert!(boss.iter().all(|subject| subject.contains("sent on its day") || subject.contains("submit within")));
    let clerk = subjects("licensing@example.net");
    assert!(clerk.is_superset(&boss) && clerk.len() > 2, "the route tells what `mute` keeps from `to`: {clerk:?}");
    let sent_on = world.wire.mails().into_iter().find(|mail| mail.to == "boss@example.net").expect("a mail");
    let files = String::from_utf8_lossy(&sent_on.message).matches("Content-Disposition: attachment").count();
    assert_eq!(files, 1, "the CSV, and nothing else");
}

#[test]
fn every_change_of_a_report_is_told_with_what_it_did() {
    let mut world = World::new(calm(25, "2026-01-28T09:30:00Z", 4));
    world.run_until(at("2026-02-03"));
    let workload = report(&world, "2026-01").workloads.iter().find(|one| one.counted).expect("one counts").id.clone();
    let reason = "a test machine".to_owned();
    let remove = tidegauge::domain::adjustment::AdjustmentOrder::Remove { workloads: vec![workload], reason };
    let order = Order::Adjust { target: target("2026-01"), adjustments: vec![remove] };
    world.order(order, "mia").expect("it lowers the report");
    world.order(Order::Reset { target: target("2026-01") }, "mia").expect("it takes that back");
    world.run_until(at("2026-02-12"));
    check(
        &world,
        &["notice report."],
        expect![[r#"
        2026-02-01 00:00  notice report.generated (2026-01, 10 days left)
        2026-02-02 00:00  notice report.deadline_near (2026-01, 9 days left) (2 times)
        2026-02-03 00:00  notice report.adjusted (2026-01, 44 to 33)
        2026-02-03 00:00  notice report.adjusted (2026-01, 33 to 44)
        2026-02-04 00:00  notice report.deadline_near (2026-01, 7 days left) (5 times)
        2026-02-11 00:00  notice report.auto_submitted (2026-01)
    "#]],
    );
    let mails = world.wire.mails().into_iter().map(|mail| String::from_utf8_lossy(&mail.message).into_owned());
    let adjusted: Vec<String> = mails.filter(|mail| mail.contains("X-Tidegauge-Event: report.adjusted")).collect();
    assert_eq!(adjusted.len(), 2);
    let says = |words: &str| adjusted.iter().any(|mail| mail.contains(words));
    for words in ["Reason: a test machine", "By: user:mia", "were taken back"] {
        assert!(says(words), "{words}: {adjusted:#?}");
    }
}
