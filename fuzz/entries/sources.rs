//! Usage sources: whole conversations with servers that answer anything, and what is counted of that.

use std::sync::{Arc, LazyLock};

use tidegauge::domain::console_report::ConsoleReport;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::{Instant, Month};
use tidegauge::rules::counting::{
    AsOf, Ledger, classify, cross_check, summary, total_of_count, unrounded, without_weight,
};
use tidegauge::rules::rating::Rating;
use tidegauge::rules::server_update::{self, ServerAnswer};
use tidegauge::sources::renewing::{Deed, Heard};
use tidegauge::sources::snapshot_file::{parse, to_json};
use tidegauge::sources::tenants_from::split;
use tidegauge::sources::{
    Brief, KnownServer, SignsIn, SourceRow, SourceSettings, Sweep, TenantsFrom, finalizing, renewing, source_named,
};

use super::answers::Script;
use super::now;

/// What the server showed an hour before; also a corpus file of `samples`.
const BEFORE: &[u8] = include_bytes!("../corpus/samples/snapshot.json");

static PREVIOUS: LazyLock<Option<Arc<Sample>>> =
    LazyLock::new(|| parse("before.json", BEFORE, now()).ok()?.pop().map(Arc::new));

pub fn vbr(bytes: &[u8]) {
    source("vbr", bytes);
}

pub fn vspc(bytes: &[u8]) {
    source("vspc", bytes);
}

pub fn enterprise_manager(bytes: &[u8]) {
    source("enterprise_manager", bytes);
}

pub fn snapshot_folder(bytes: &[u8]) {
    source("snapshot_folder", bytes);
}

/// The first line says what is asked: `renew`, `install`, `report`, `finalize`, else to collect; and `full`,
/// `previous`, `key`, `tenants`, `revision`.
fn source(name: &str, bytes: &[u8]) {
    let row = source_named(name).expect("a row of SOURCES");
    let script = Script::read(bytes);
    if script.says("renew") || script.says("install") {
        renew(row, script);
    } else if script.says("report") || script.says("finalize") {
        report(row, script);
    } else {
        collect(row, script);
    }
}

fn collect(row: &SourceRow, mut script: Script<'_>) {
    let brief = brief(&script);
    let before = brief.previous.clone();
    let Ok(collected) = script.play((row.open)(brief).as_mut()) else { return };
    let mut ledger = Ledger::default();
    if let Some(before) = before {
        ledger.take_note(&before);
    }
    for sample in &collected.samples {
        counted(sample, &mut ledger);
    }
}

fn brief(script: &Script<'_>) -> Brief {
    let from = TenantsFrom { manager: "em01".to_owned(), known_as: vec!["cc01".to_owned()], others: Vec::new() };
    Brief {
        server: "vbr01".to_owned(),
        now: now(),
        previous: script.says("previous").then(|| PREVIOUS.clone()).flatten(),
        sweep: if script.says("full") { Sweep::Full } else { Sweep::Since },
        settings: SourceSettings {
            revision: script.says("revision").then(|| "1.2-rev0".to_owned()),
            tenants_from: script.says("tenants").then_some(from),
            signs_in: if script.says("key") { SignsIn::ApiKey } else { SignsIn::Password },
        },
        known: vec![KnownServer { server: "vbr01@vbr01".to_owned(), installation_id: None }],
        remembered: Default::default(),
    }
}

fn renew(row: &SourceRow, mut script: Script<'_>) {
    let Some(open) = row.renew else { return };
    let deed = if script.says("install") { Deed::Install { file: b"a key".to_vec() } } else { Deed::Update };
    let settings = brief(&script).settings;
    let errand = renewing::Errand { server: "vbr01".to_owned(), settings, deed };
    let Ok(renewed) = script.play(open(errand).as_mut()) else { return };
    let (words, is_successful) = match &renewed.heard {
        Heard::Words { message, is_successful } => (message.as_str(), *is_successful),
        Heard::Taken | Heard::Lost(_) => ("", true),
    };
    let after = renewed.after.as_ref().ok();
    server_update::read(&ServerAnswer { words, is_successful, before: &renewed.before, after });
}

fn report(row: &SourceRow, mut script: Script<'_>) {
    let Some(reports) = row.monthly_reports else { return };
    let month: Month = "2026-09".parse().expect("a month");
    let brief = brief(&script);
    if script.says("finalize") {
        let (statuses, usage, left_out, notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let others = std::collections::BTreeMap::new();
        let compared = ConsoleReport { month, statuses, interval: None, usage, others, left_out, notes };
        let request_id = serde_json::from_str("\"00000000-0000-0000-0000-000000000001\"").expect("an id");
        let errand = finalizing::Errand { brief, compared, request_id };
        let _ = script.play((reports.finalize)(errand).as_mut());
    } else if let Ok(Some(report)) = script.play((reports.read)(brief, month).as_mut()) {
        report.standing();
    }
}

/// What is worked out of a sample as soon as it is there.
pub fn counted(sample: &Sample, ledger: &mut Ledger) {
    let rating = Rating::default();
    ledger.take_note(sample);
    for as_of in as_of(sample.taken_at) {
        let counted = classify(sample, ledger, as_of, &rating);
        let summary = summary(sample, &counted, &rating);
        cross_check(sample, &summary, &rating);
        unrounded(sample, &counted, &rating).by_type();
    }
    for count in &sample.counts {
        total_of_count(count, sample, &rating);
    }
    without_weight(sample, &rating);
    split(sample.counts.clone(), &sample.counts, "em01");
    to_json(sample).to_string();
}

fn as_of(taken_at: Instant) -> [AsOf; 2] {
    [AsOf::sample(taken_at), AsOf::month_end(Month::of(taken_at))]
}
