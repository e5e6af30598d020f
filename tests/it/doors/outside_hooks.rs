//! Leaves signed messages and usage events in a folder for the libraries of others; `tests/outside/webhooks` reads them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use tidegauge::ask::{Answer, Ask, HookAsk};
use tidegauge::channels::cloud_events::{Mode, UsageEvent, asks};
use tidegauge::channels::webhook::body;
use tidegauge::doors::Wire;
use tidegauge::doors::peer::{HookPeer, HttpPeer, PeerSettings, Proof, Reach, SecretPlace, Trust};
use uuid::Uuid;

use super::far_side::ANYWHERE;
use super::{wire_to, write_private};
use crate::formats::letters::{all_news, notice};
use crate::formats::sample::{at, points};

/// Where the requests are left; without it the test has nothing to do.
const FOLDER: &str = "TIDEGAUGE_OUTSIDE_HOOKS";
const SECRETS: [&str; 2] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi0zMi1ieXRlcy4u"];

type Heard = std::sync::Arc<std::sync::Mutex<Vec<Value>>>;

async fn keep(State(heard): State<Heard>, headers: HeaderMap, body: Bytes) {
    let headers: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default()))).collect();
    heard.lock().expect("one at a time").push(json!({"headers": headers, "body": String::from_utf8_lossy(&body)}));
}

fn usage() -> Vec<UsageEvent> {
    let event = |tenant: Option<&str>, before: Option<&str>| UsageEvent {
        tenant: tenant.map(str::to_owned),
        server: "vbr01".to_owned(),
        kind: "CloudConnectVM".to_owned(),
        unit: "unit".to_owned(),
        period: "2026-10".to_owned(),
        ends_at: at("2026-11-01T00:00:00Z"),
        revision: 2,
        count: 4,
        points: points("20"),
        before: before.map(points),
    };
    vec![event(None, None), event(Some("Čapek & Söhne"), Some("25")), event(Some("株式会社"), None)]
}

#[tokio::test]
async fn what_leaves_is_left_for_the_libraries_of_others() {
    let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) else { return };
    let heard = Heard::default();
    let router = Router::new().route("/", post(keep)).with_state(heard.clone());
    let served = tidegauge::ports::serve::plain(ANYWHERE, router, std::future::pending()).await.expect("a free port");
    let base_url = format!("http://127.0.0.1:{}", served.address.port());
    let places = SECRETS.iter().enumerate().map(|(number, secret)| {
        let path = folder.join(format!("secret{number}"));
        write_private(&path, secret);
        SecretPlace::File(path)
    });
    let server = HttpPeer { base_url, trust: Trust::System, login: None, api_key: None };
    let hook = |proof| HookPeer { server: server.clone(), path: "/".to_owned(), proof, reach: Reach::Anywhere };
    let signed = wire_to("webhook:ops", PeerSettings::Hook(hook(Proof::Signed(places.collect()))));
    for (number, news) in all_news().into_iter().enumerate() {
        let (id, body) = (format!("msg_{number}"), body(&notice(news)));
        let ask = HookAsk { peer: "webhook:ops".to_owned(), id, media_type: "application/json", body, seconds_max: 10 };
        assert!(matches!(signed.carry(Ask::Hook(ask)).await, Answer::Http(answer) if answer.status == 200));
    }
    let sink = wire_to("usage_sink:meter", PeerSettings::Hook(hook(Proof::None)));
    for mode in [Mode::Batch, Mode::Structured] {
        for ask in asks("usage_sink:meter", &Uuid::nil(), &usage(), mode) {
            assert!(matches!(sink.carry(Ask::Hook(ask)).await, Answer::Http(answer) if answer.status == 200));
        }
    }
    let requests = json!({"secrets": SECRETS, "requests": *heard.lock().expect("one at a time")});
    std::fs::write(folder.join("requests.json"), requests.to_string()).expect("the folder can be written");
}
