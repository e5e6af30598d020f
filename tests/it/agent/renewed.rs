//! Open reports follow other settings, whenever the agent died on the way; what was entered elsewhere stands.

use std::path::Path;
use std::sync::Arc;

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::ports::files::RealFiles;
use tidegauge::store::{Place, Store};

use super::*;

/// The agent of a folder, started with this mapping of the type `Quantum`.
fn started(folder: &Path, now: &str, mapped_to: Option<WorkloadType>) -> World {
    let mut plan = plan_of(now);
    plan.settings.state_dir = folder.join("agent");
    plan.settings.reports_dir = folder.join("reports");
    plan.settings.rating.mapping = mapped_to.into_iter().map(|kind| ("Quantum".to_owned(), kind)).collect();
    let place = Place::Folder(plan.settings.state_dir.clone());
    World::on(plan, Arc::new(RealFiles), place, None)
}

fn quantum(id: &str) -> Value {
    let mut workload = with(vm(id), json!({"type": "Quantum"}));
    workload.as_object_mut().unwrap().remove("points");
    workload
}

/// October's report of one VM and two machines of a type that nobody knows, one of them taken out by a person.
fn with_an_open_report(folder: &Path) {
    let mut world = started(folder, "2026-11-01T09:00:00Z", None);
    import(&mut world, &[of_vbr01("2026-10-31T23:58:00Z", &[vm("a"), quantum("b"), quantum("c")])]).unwrap();
    assert_eq!(generate(&mut world, "2026-10")["total_points"], "11");
    let adjustment = AdjustmentOrder::Remove { workloads: vec!["c".to_owned()], reason: "test machine".to_owned() };
    world.order(Order::Adjust { target: Target::default(), adjustments: vec![adjustment] }, "licensing").unwrap();
}

fn report(world: &World) -> Value {
    world.ask(&Query::Report { unit: None, server: None, month: None }).unwrap()
}

fn renewals(world: &World) -> Vec<Value> {
    let notices = world.agent().store().rows::<Value>("notice/").unwrap().into_iter().map(|(_, notice)| notice);
    notices.map(|notice| notice["news"].clone()).filter(|news| news["event"] == "report_renewed").collect()
}

#[test]
fn killed_between_rating_its_samples_and_renewing_its_report_it_renews_it_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    with_an_open_report(folder.path());
    {
        // What a start with other settings has done up to where it is killed: the samples are rated, nothing else.
        let place = Place::Folder(folder.path().join("agent"));
        let (mut store, _) = Store::open(&place, Arc::new(RealFiles)).unwrap();
        let mapping = [("Quantum".to_owned(), WorkloadType::CloudVm)].into();
        let rating = tidegauge::rules::rating::Rating { mapping, ..Default::default() };
        assert!(store.set_rating(&rating).unwrap());
    }
    let world = started(folder.path(), "2026-11-01T10:00:00Z", Some(WorkloadType::CloudVm));
    let renewed = report(&world);
    assert_eq!(renewed["total_points"], "22", "a and b; c stays out");
    assert_eq!(renewed["adjustments"].as_array().unwrap().len(), 1);
    let told = json!({"event": "report_renewed", "month": "2026-10", "was": "11", "total": "22"});
    assert_eq!(renewals(&world), std::slice::from_ref(&told));
    drop(world);
    let again = started(folder.path(), "2026-11-01T11:00:00Z", Some(WorkloadType::CloudVm));
    assert_eq!((report(&again), renewals(&again)), (renewed, vec![told]), "once");
}

#[test]
fn a_report_that_was_entered_elsewhere_is_not_renewed() {
    let folder = tempfile::tempdir().unwrap();
    with_an_open_report(folder.path());
    let mut world = started(folder.path(), "2026-11-01T09:30:00Z", None);
    let entered = Order::MarkExternal { target: Target::default(), portal: "Pulse".into(), document: "4711".into() };
    world.order(entered, "licensing").unwrap();
    drop(world);
    let world = started(folder.path(), "2026-11-01T10:00:00Z", Some(WorkloadType::CloudVm));
    assert_eq!(report(&world)["total_points"], "11");
    assert_eq!(renewals(&world), [Value::Null; 0]);
}
