//! A whole conversation with a VBR server, its answers ready: pages into a sample.

use std::sync::Arc;

use super::super::model::{Fleet, at};
use super::super::serve::Hour;
use super::{SERVER, Work, fleet};
use crate::ask::{Answer, Ask, HttpAnswer, Step};
use crate::domain::sample::Sample;
use crate::sources::{Brief, Remembered, SourceSettings, Sweep, source_named};

/// No sample before: every page is parsed.
pub fn first() -> Work {
    let fleet = fleet(1_000, 0);
    let hour = Hour::of(&fleet, 0);
    Box::new(move || read(&hour, Before::default()).newest().workloads.len())
}

/// The same pages as before.
pub fn unchanged() -> Work {
    let hour = Hour::of(&fleet(1_000, 0), 0);
    let mut before = read(&hour, Before::default());
    Box::new(move || {
        before = read(&hour, before.clone());
        before.newest().workloads.len()
    })
}

/// Two hours in turn that differ in every page.
pub fn changed() -> Work {
    let fleet: Fleet = fleet(1_000, 10);
    let hours = [Hour::of(&fleet, 0), Hour::of(&fleet, 1)];
    let mut before = read(&hours[0], Before::default());
    let mut turn = 0;
    Box::new(move || {
        turn += 1;
        before = read(&hours[turn % 2], before.clone());
        before.newest().workloads.len()
    })
}

/// What a read leaves to the next one.
#[derive(Clone, Default)]
struct Before {
    newest: Option<Arc<Sample>>,
    remembered: Remembered,
}

impl Before {
    fn newest(&self) -> &Sample {
        self.newest.as_deref().expect("a read leaves a sample")
    }
}

fn read(hour: &Hour, before: Before) -> Before {
    let brief = Brief {
        server: SERVER.to_owned(),
        now: at(0),
        previous: before.newest,
        remembered: before.remembered,
        sweep: Sweep::Since,
        settings: SourceSettings { revision: Some("1.3-rev1".to_owned()), ..SourceSettings::default() },
        known: Vec::new(),
    };
    let mut talk = (source_named("vbr").expect("there is this source").open)(brief);
    let mut heard = None;
    loop {
        match talk.next(heard.take()) {
            Step::Ask(Ask::Http(ask)) => {
                let body = hour.answer(&ask.path, 0, at(0)).into_bytes();
                heard = Some(Answer::Http(HttpAnswer { status: 200, headers: Vec::new(), body }));
            }
            Step::Done(mut done) => {
                return Before { newest: done.samples.pop().map(Arc::new), remembered: done.remembered };
            }
            Step::Ask(_) | Step::Setback(_) => panic!("a VBR server that answers is read"),
        }
    }
}
