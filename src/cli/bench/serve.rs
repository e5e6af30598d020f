//! `bench serve`: a VBR server whose answers lie ready in memory, so that what is measured is who asks.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use clap::Args;
use serde::Deserialize;

use super::Generated;
use super::model::{Fleet, KINDS, Seen, at, tenant};
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::cli::stopping::{on_signal, told};
use crate::domain::calendar::rfc3339;
use crate::ports::serve::{TlsFiles, plain, tls};

/// Hours that are kept as pages; some 2.5 MB each for 10,000 workloads.
const HOURS_KEPT_MAX: u32 = 24;

/// Options of `bench serve`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    #[command(flatten)]
    of: Generated,
    /// Where it listens without TLS
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where it listens with TLS too
    #[arg(long, value_name = "ADDRESS", requires = "tls_dir")]
    listen_tls: Option<SocketAddr>,
    /// The folder with server.pem and server.key
    #[arg(long, value_name = "DIR")]
    tls_dir: Option<PathBuf>,
    /// So many hours in turn, the next one whenever the first page is asked for; without it always the first hour
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(HOURS_KEPT_MAX)))]
    in_turn: u32,
}

/// The rows of one hour as JSON.
pub struct Hour {
    json: String,
    rows: Vec<Range<usize>>,
    metrics: String,
}

struct Served {
    hours: Vec<Hour>,
    /// How often the first page was asked for.
    sweeps: AtomicUsize,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    skip: usize,
    #[serde(default = "two_hundred")]
    limit: usize,
}

fn two_hundred() -> usize {
    200
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let fleet = asked.of.fleet();
    let hours = (0..asked.in_turn).map(|hour| Hour::of(&fleet, hour)).collect();
    let router = router(hours);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| Refused::new(1, format!("cannot start: {error}")))?;
    let ended = runtime.block_on(serve(session, asked, router));
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve(session: &mut Session<'_>, asked: &Asked, router: Router) -> Result<(), Refused> {
    let (_sender, stop) = on_signal()?;
    let refused = |error: std::io::Error| Refused::new(69, error.to_string());
    let served = plain(asked.listen, router.clone(), told(stop.clone())).await.map_err(refused)?;
    if let (Some(address), Some(dir)) = (asked.listen_tls, &asked.tls_dir) {
        let files = TlsFiles { certificates: dir.join("server.pem"), key: dir.join("server.key") };
        tls(address, &files, router, told(stop.clone())).await.map_err(refused)?;
    }
    session.print(&format!("{{\"listening\":\"{}\"}}\n", served.address))?;
    told(stop).await;
    Ok(())
}

/// What a VBR server of 1.3-rev0 and later is asked for in a read, and `/metrics` for scrapers.
pub fn router(hours: Vec<Hour>) -> Router {
    let served = Arc::new(Served { hours, sweeps: AtomicUsize::new(0) });
    let token = r#"{"access_token":"a","refresh_token":"r","token_type":"bearer","expires_in":3600}"#;
    let info = r#"{"vbrId":"6e2a4f0c-0000-4000-8000-000000000001","name":"bench","buildVersion":"13.0.1.180"}"#;
    let license = r#"{"status":"Valid","type":"Rental","edition":"EnterprisePlus","licensedTo":"Bench","autoUpdateEnabled":false,"instanceLicenseSummary":{"package":"Suite","licensedInstancesNumber":10000000,"usedInstancesNumber":0,"newInstancesNumber":0,"rentalInstancesNumber":0,"objects":[]}}"#;
    let none = r#"{"data":[],"pagination":{"total":0,"count":0,"skip":0,"limit":200}}"#;
    let time = format!(r#"{{"serverTime":"{}","timeZone":"UTC","ianaTimeZoneId":"Etc/UTC"}}"#, rfc3339(at(0)));
    Router::new()
        .route("/api/oauth2/token", post(move || async move { json(token) }))
        .route("/api/oauth2/logout", post(|| async { json("{}") }))
        .route("/api/v1/serverTime", get(move || async move { json(time) }))
        .route("/api/v1/serverInfo", get(move || async move { json(info) }))
        .route("/api/v1/license", get(move || async move { json(license) }))
        .route("/api/v1/license/instances", get(instances))
        .route("/api/v1/restorePoints", get(move || async move { json(none) }))
        .route("/metrics", get(metrics))
        .with_state(served)
}

fn json(text: impl IntoResponse) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text)
}

async fn instances(State(served): State<Arc<Served>>, Query(page): Query<Page>) -> impl IntoResponse {
    let sweep = match page.skip {
        0 => served.sweeps.fetch_add(1, Ordering::Relaxed),
        _ => served.sweeps.load(Ordering::Relaxed).saturating_sub(1),
    };
    let hour = &served.hours[sweep % served.hours.len()];
    json(hour.page(page.skip, page.limit))
}

async fn metrics(State(served): State<Arc<Served>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], served.hours[0].metrics.clone())
}

impl Hour {
    pub fn of(fleet: &Fleet, hour: u32) -> Hour {
        let mut made =
            Hour { json: String::new(), rows: Vec::new(), metrics: "# TYPE license_points gauge\n".to_owned() };
        for seen in fleet.sweep(hour).seen {
            if !made.json.is_empty() {
                made.json.push(',');
            }
            let start = made.json.len();
            write_row(&mut made.json, fleet, seen);
            made.rows.push(start..made.json.len());
            write_metric(&mut made.metrics, fleet, seen, fleet.counts(seen.number, hour));
        }
        made
    }

    /// All pages with the number of rows before each.
    pub fn pages(&self, limit: usize) -> Vec<(usize, Vec<u8>)> {
        (0..self.rows.len()).step_by(limit).map(|skip| (skip, self.page(skip, limit))).collect()
    }

    fn page(&self, skip: usize, limit: usize) -> Vec<u8> {
        let total = self.rows.len();
        let shown = &self.rows[skip.min(total)..skip.saturating_add(limit).min(total)];
        let rows = match shown {
            [first, .., last] => &self.json[first.start..last.end],
            [only] => &self.json[only.clone()],
            [] => "",
        };
        let count = shown.len();
        let foot = format!(r#"],"pagination":{{"total":{total},"count":{count},"skip":{skip},"limit":{limit}}}}}"#);
        [br#"{"data":["#, rows.as_bytes(), foot.as_bytes()].concat()
    }
}

fn write_row(json: &mut String, fleet: &Fleet, Seen { number, tenths }: Seen) {
    let kind = &KINDS[usize::from(fleet.members[number as usize].kind)];
    let (name, host, id, shown) = (fleet.name(number), fleet.host(number), fleet.id(number), kind.kind.as_str());
    let platform = kind.platform;
    let (whole, tenth) = (tenths / 10, tenths % 10);
    let written = write!(
        json,
        r#"{{"name":"{name}","displayName":"{name}","hostName":"{host}","usedInstancesNumber":{whole}.{tenth},"type":"{shown}","instanceId":"{id}","platformType":"{platform}","canBeRevoked":true}}"#
    );
    written.expect("a String takes all that is written");
}

fn write_metric(text: &mut String, fleet: &Fleet, Seen { number, tenths }: Seen, counts: bool) {
    let member = fleet.members[number as usize];
    let (id, tenant, kind) = (fleet.id(number), tenant(member.tenant), KINDS[usize::from(member.kind)].kind.as_str());
    let is_new = u8::from(!counts);
    let (whole, tenth) = (tenths / 10, tenths % 10);
    let written =
        writeln!(text, r#"license_points{{id="{id}",tenant="{tenant}",type="{kind}",new="{is_new}"}} {whole}.{tenth}"#);
    written.expect("a String takes all that is written");
}
