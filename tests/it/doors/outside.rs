//! The agent's own source over real sockets: against the simulated server, and against one that a variable names.

use std::sync::{Arc, Mutex};

use tidegauge::ask::{Conversation, Setback, Step};
use tidegauge::doors::peer::{HttpPeer, Login, PeerSettings, SecretPlace, Trust};
use tidegauge::doors::{Clock, Files, Wire};
use tidegauge::ports::clock::SystemClock;
use tidegauge::ports::files::RealFiles;
use tidegauge::ports::wire::RealWire;
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vbr::{DOCUMENTED_UP_TO_DATE, Vbr};
use tidegauge::sources::renewing::{Deed, Errand, Heard};
use tidegauge::sources::vbr::{RenewTalk, VbrTalk};
use tidegauge::sources::{Brief, SignsIn, SourceSettings, Sweep, source_named};

use super::far_side::behind_tls;
use super::wire_to;

/// More asks than a read may make.
const ASKS_MAX: usize = 20_000;

async fn carried<D>(wire: &RealWire, talk: &mut (impl Conversation<Done = D> + ?Sized)) -> Result<D, Setback> {
    let mut heard = None;
    for _ in 0..ASKS_MAX {
        match talk.next(heard.take()) {
            Step::Ask(ask) => heard = Some(wire.carry(ask).await),
            Step::Done(done) => return Ok(done),
            Step::Setback(setback) => return Err(setback),
        }
    }
    panic!("the conversation did not end after {ASKS_MAX} asks");
}

fn brief() -> Brief {
    let (server, now, settings) = ("vbr01".to_owned(), SystemClock.now(), SourceSettings::default());
    Brief {
        server,
        now,
        previous: None,
        sweep: Sweep::Full,
        settings,
        known: Vec::new(),
        remembered: Default::default(),
    }
}

#[tokio::test]
async fn a_server_behind_tls_is_sampled_by_pin_and_by_authority() {
    let now = SystemClock.now();
    let mut estate = Estate::new(EstatePlan::new(7, "vbr01", now - chrono::TimeDelta::days(3), 120));
    estate.advance(now);
    let vbr = Vbr::new(Arc::new(Mutex::new(estate)), Arc::new(SystemClock), "tidegauge", "right");
    let far = behind_tls(vbr.router(), &["127.0.0.1"]).await;
    let password = far.folder.path().join("password");
    for (trust, word) in [
        (Trust::Pinned(far.made.fingerprint), "right"),
        (Trust::CaFile(far.ca_file()), "right"),
        (Trust::Pinned(far.made.fingerprint), "wrong"),
    ] {
        RealFiles.write(&password, word.as_bytes()).expect("a temporary file");
        let PeerSettings::Http(peer) = far.peer(trust) else { panic!("an HTTP peer") };
        let login = Some(Login { username: "tidegauge".into(), password: SecretPlace::File(password.clone()) });
        let wire = wire_to("vbr01", PeerSettings::Http(HttpPeer { login, ..peer }));
        match carried(&wire, &mut VbrTalk::new(brief())).await {
            Ok(collected) => assert_eq!((word, collected.samples.len()), ("right", 1)),
            Err(setback) => assert!(word == "wrong" && matches!(setback, Setback::AskAPerson { .. }), "{setback:?}"),
        }
    }
    assert_eq!(vbr.open_tokens(), 0, "every session was closed");
}

/// The server of `TIDEGAUGE_OUTSIDE_VBR_URL` with the CA file of `TIDEGAUGE_OUTSIDE_VBR_CA`, and the revision of
/// `TIDEGAUGE_OUTSIDE_VBR_REVISION`; `None` without them. `tests/outside/prism` sets them.
fn somebody_elses() -> Option<(RealWire, SourceSettings)> {
    let base_url = std::env::var("TIDEGAUGE_OUTSIDE_VBR_URL").ok()?;
    let ca_file = std::env::var("TIDEGAUGE_OUTSIDE_VBR_CA").expect("the certificate's authority");
    let password = SecretPlace::Env("TIDEGAUGE_OUTSIDE_VBR_PASSWORD".into());
    let login = Some(Login { username: "tidegauge".into(), password });
    let peer = HttpPeer { base_url, trust: Trust::CaFile(ca_file.into()), login, api_key: None };
    let revision = std::env::var("TIDEGAUGE_OUTSIDE_VBR_REVISION").ok();
    Some((wire_to("vbr01", PeerSettings::Http(peer)), SourceSettings { revision, ..SourceSettings::default() }))
}

#[tokio::test]
async fn a_server_that_somebody_else_wrote_is_sampled() {
    let Some((wire, settings)) = somebody_elses() else { return };
    let brief = Brief { settings, ..brief() };
    let collected = carried(&wire, &mut VbrTalk::new(brief)).await;
    println!("{collected:#?}");
    let collected = collected.expect("a server of the official contract can be read");
    assert_eq!(collected.samples.len(), 1);
}

/// The console of `TIDEGAUGE_OUTSIDE_VSPC_URL`, by key and by login. `tests/outside/prism_vspc` sets it.
#[tokio::test]
async fn a_console_that_somebody_else_wrote_is_sampled() {
    let Ok(base_url) = std::env::var("TIDEGAUGE_OUTSIDE_VSPC_URL") else { return };
    let ca_file = std::env::var("TIDEGAUGE_OUTSIDE_VSPC_CA").expect("the certificate's authority");
    let secret = SecretPlace::Env("TIDEGAUGE_OUTSIDE_VSPC_SECRET".into());
    for signs_in in [SignsIn::ApiKey, SignsIn::Password] {
        let login = Some(Login { username: "tidegauge".into(), password: secret.clone() });
        let trust = Trust::CaFile(ca_file.clone().into());
        let peer = HttpPeer { base_url: base_url.clone(), trust, login, api_key: Some(secret.clone()) };
        let wire = wire_to("vbr01", PeerSettings::Http(peer));
        let brief = Brief { settings: SourceSettings { signs_in, ..SourceSettings::default() }, ..brief() };
        let mut talk = (source_named("vspc").expect("a row").open)(brief);
        let collected = carried(&wire, talk.as_mut()).await;
        println!("{collected:#?}");
        let collected = collected.expect("a console of the official contract can be read");
        assert!(!collected.samples.is_empty());
    }
}

/// The documents' own report, read and finalized at the console of `TIDEGAUGE_OUTSIDE_VSPC_URL`.
#[tokio::test]
async fn a_console_that_somebody_else_wrote_tells_its_report_and_finalizes_it() {
    let Ok(base_url) = std::env::var("TIDEGAUGE_OUTSIDE_VSPC_URL") else { return };
    let ca_file = std::env::var("TIDEGAUGE_OUTSIDE_VSPC_CA").expect("the certificate's authority");
    let secret = SecretPlace::Env("TIDEGAUGE_OUTSIDE_VSPC_SECRET".into());
    let peer = HttpPeer { base_url, trust: Trust::CaFile(ca_file.into()), login: None, api_key: Some(secret) };
    let wire = wire_to("vbr01", PeerSettings::Http(peer));
    let settings = SourceSettings { signs_in: SignsIn::ApiKey, ..SourceSettings::default() };
    let brief = Brief { settings, ..brief() };
    let reports = source_named("vspc").and_then(|row| row.monthly_reports).expect("a console makes reports");
    let month = "2025-07".parse().expect("the month of the documents' example");
    let read = carried(&wire, (reports.read)(brief.clone(), month).as_mut()).await;
    println!("{read:#?}");
    let compared = read.expect("the official contract is kept").expect("the example is of that month");
    assert!(!compared.usage.is_empty());
    let request_id = uuid::Uuid::from_u128(0x7e6a_3c5e);
    let errand = tidegauge::sources::finalizing::Errand { brief, compared, request_id };
    let heard = carried(&wire, (reports.finalize)(errand).as_mut()).await.expect("the official contract is kept");
    assert_eq!(heard, tidegauge::sources::finalizing::Heard::Taken { words: "Finalization".to_owned() });
}

#[tokio::test]
async fn a_server_that_somebody_else_wrote_renews_its_license_and_takes_a_key_file() {
    let Some((wire, settings)) = somebody_elses() else { return };
    for deed in [Deed::Update, Deed::Install { file: b"a key".to_vec() }] {
        let errand = Errand { server: "vbr01".to_owned(), settings: settings.clone(), deed: deed.clone() };
        let renewed = carried(&wire, &mut RenewTalk::new(errand)).await.expect("the official contract is kept");
        println!("{renewed:#?}");
        assert!(renewed.after.is_ok(), "{renewed:?}");
        match deed {
            Deed::Update => {
                let words = Heard::Words { message: DOCUMENTED_UP_TO_DATE.to_owned(), is_successful: true };
                assert_eq!(renewed.heard, words, "the example of the documents");
            }
            Deed::Install { .. } => assert_eq!(renewed.heard, Heard::Taken),
        }
    }
}
