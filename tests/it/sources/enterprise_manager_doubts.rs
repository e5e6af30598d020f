//! What Enterprise Manager says that is not believed, and what is remembered beside it.

use std::sync::Arc;

use tidegauge::ask::{Answer, Ask, HttpAnswer};
use tidegauge::domain::sample::Sample;
use tidegauge::sources::{Brief, Collected, SourceSettings, TenantsFrom, source_named};

use super::driver::{at, brief, drive};
use super::enterprise_manager::{NOW, from, peer_of, world};

#[test]
fn a_long_read_tells_the_managers_clock_at_its_beginning() {
    let world = world(40);
    let mut minutes = 0;
    let mut talk = (source_named("enterprise_manager").expect("a row").open)(brief("em01", at(NOW)));
    let collected = drive(talk.as_mut(), |ask| {
        let Answer::Http(mut http) = world.em.carry(ask) else { panic!("HTTP") };
        http.headers.retain(|(name, _)| name != "date");
        http.headers.push(("date".to_owned(), format!("Tue, 20 Oct 2026 09:{:02}:00 GMT", 30 + minutes)));
        minutes += 1;
        Answer::Http(http)
    });
    assert!(minutes > 6, "it takes longer than clocks may differ");
    assert_eq!(collected.expect("it is well").server_time, Some(at(NOW)));
}

#[test]
fn a_manager_that_names_no_tenant_any_more_is_not_believed() {
    let world = world(40);
    let read = |previous: Option<Arc<Sample>>, is_empty: bool| {
        let brief = Brief { previous, ..brief("em01", at(NOW)) };
        let mut talk = (source_named("enterprise_manager").expect("a row").open)(brief);
        drive(talk.as_mut(), |ask| match ask {
            Ask::Http(ask) if is_empty && ask.path.starts_with("/api/query") => {
                Answer::Http(HttpAnswer { status: 200, headers: Vec::new(), body: b"{}".to_vec() })
            }
            ask => world.em.carry(ask),
        })
    };
    let first = read(None, true).expect("nothing was there before");
    assert!(first.samples[0].counts.is_empty());
    let before = Arc::new(read(None, false).expect("it is well").samples.remove(0));
    assert!(read(Some(Arc::clone(&before)), false).is_ok());
    let why = read(Some(before), true).expect_err("nobody confirms it").why().to_owned();
    assert!(why.contains("it names no tenant at all, while the sample before counted some"), "{why}");
}

#[test]
fn what_was_remembered_before_tenants_were_named_mixes_up_nothing_afterwards() {
    let world = world(120);
    let read = |before: Option<&Collected>, tenants_from: Option<TenantsFrom>| {
        let brief = Brief {
            previous: before.map(|before| Arc::new(before.samples[0].clone())),
            remembered: before.map(|before| before.remembered.clone()).unwrap_or_default(),
            settings: SourceSettings { tenants_from, ..SourceSettings::default() },
            ..brief("cc01", at(NOW))
        };
        let mut talk = (source_named("vbr").expect("a row").open)(brief);
        let carry = |ask: Ask| if peer_of(&ask) == "em01" { world.em.carry(ask) } else { world.vbr.carry(ask) };
        drive(talk.as_mut(), carry).expect("the server is well")
    };
    let alone = read(None, None);
    let manager = || Some(from(&["CC01.example.net"]));
    let one = read(Some(&alone), manager());
    let two = read(Some(&one), manager());
    let used = |collected: &Collected| collected.samples[0].counts.iter().map(|count| count.used).sum::<u32>();
    assert!(used(&one) > 0);
    assert_eq!(used(&two), used(&one));
    assert_eq!(two.samples[0].workloads, one.samples[0].workloads);
}
