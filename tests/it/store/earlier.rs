//! A journal written by the first version of the program is read by this one.

use tidegauge::domain::Points;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::license_sections::{GiftedInstances, LicenseSections, SocketSection};

use super::*;

/// Three samples of three machines and a tenant's counts, and the license block in full.
fn samples() -> Vec<Sample> {
    let mut world = World::of("vbr01", 3);
    let mut samples: Vec<Sample> = (0..3).map(|hour| world.sample(hour)).collect();
    let day = |text: &str| Some(text.parse().unwrap());
    let license = License {
        license_id: Some("L-1".to_owned()),
        kind: LicenseType::Subscription,
        product: Some("VBR".to_owned()),
        edition: Some("EnterprisePlus".to_owned()),
        package: Some("Suite".to_owned()),
        cloud_connect: true,
        licensed_to: Some("Example Provider".to_owned()),
        support_id: Some("01234567".to_owned()),
        installation_id: Some("I-1".to_owned()),
        licensed_points: Some(Points::whole(200)),
        used_points: Some("33.5".parse().unwrap()),
        new_points: Some(Points::ZERO),
        expires_on: day("2027-01-31"),
        support_expires_on: day("2027-02-28"),
        auto_update: Some(true),
        ..License::default()
    };
    samples[1].license = license.clone();
    samples[2].license = License { used_points: None, ..license };
    samples
}

#[test]
fn a_journal_of_the_first_version_is_read_and_its_samples_are_known() {
    let disk = SimulatedDisk::new();
    let kept = include_bytes!("earlier.seg");
    tidegauge::doors::Files::write(&disk, Path::new("journal/00000001.seg"), kept).unwrap();
    let (store, _) = temporary(&disk);
    for mut sample in samples() {
        let found = store.newest_sample("vbr01", sample.taken_at).unwrap().unwrap();
        assert_eq!(*found.sample, sample);
        assert_eq!(store.take(std::slice::from_ref(&sample)).unwrap(), [Taken::Repeat]);
        sample.license.sections.sockets = Some(SocketSection::default());
        assert_eq!(store.take(std::slice::from_ref(&sample)).unwrap(), [Taken::Conflict]);
    }
}

#[test]
fn the_sections_of_a_license_are_kept_as_they_come_and_go() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    let mut world = World::of("vbr01", 3);
    let sockets = Some(SocketSection { licensed: 8, used: 6, remaining: 2, ..SocketSection::default() });
    let gifted = Some(GiftedInstances { instances: Points::whole(6), ..GiftedInstances::default() });
    let sections = [
        LicenseSections { sockets: sockets.clone(), ..LicenseSections::default() },
        LicenseSections { sockets: sockets.clone(), gifted: gifted.clone(), ..LicenseSections::default() },
        LicenseSections { sockets, gifted, ..LicenseSections::default() },
        LicenseSections::default(),
    ];
    for (hour, sections) in (0..).zip(sections) {
        let mut sample = world.sample(hour);
        sample.license.sections = sections;
        assert_eq!(keep(&mut store, std::slice::from_ref(&sample)), 1);
        assert_eq!(*store.newest_sample("vbr01", sample.taken_at).unwrap().unwrap().sample, sample);
    }
}
