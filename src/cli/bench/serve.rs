//! `bench serve`: a VBR server whose answers lie ready in memory, so that what is measured is who asks.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use clap::Args;

use super::model::{Fleet, KINDS, Seen, at, tenant};
use super::{Generated, fleet};
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::cli::stopping::{on_signal, told};
use crate::domain::Instant;
use crate::domain::calendar::rfc3339;
use crate::doors::Clock;
use crate::ports::serve::{TlsFiles, plain, tls};

/// Hours that are kept as pages; some 2.5 MB each for 10,000 workloads.
const HOURS_KEPT_MAX: u32 = 24;

/// The list of workloads.
const LIST: &str = "/api/v1/license/instances";
/// Rows of a page, when nobody says how many.
const LIMIT_DEFAULT: usize = 200;

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
    /// So many servers on ports of their own, among which the workloads are divided
    #[arg(long, default_value_t = 1, value_name = "N", requires = "settings", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    servers: u32,
    /// A folder for the settings with which an agent reads them; its state and reports will stand there too
    #[arg(long, value_name = "DIR")]
    settings: Option<PathBuf>,
    /// Where that agent's console is to listen
    #[arg(long, default_value = "127.0.0.1:18420", value_name = "ADDRESS")]
    console: SocketAddr,
}

/// The rows of one hour as JSON.
pub struct Hour {
    json: String,
    rows: Vec<Range<usize>>,
    /// Tenths of a point of those that count.
    used: u64,
    metrics: String,
}

/// One server: its hours, and how often it was read.
pub struct Served {
    /// Its number among the others, from 0.
    number: u32,
    hours: Vec<Hour>,
    /// Tells its hour to an agent that compares clocks; without it is always hour 0.
    clock: Option<Arc<dyn Clock>>,
    /// How often the first page was asked for.
    sweeps: AtomicUsize,
    /// How often it was logged out of, which ends a read.
    pub ended: AtomicUsize,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let fleet = asked.of.fleet();
    let servers: Vec<Arc<Served>> =
        (0..asked.servers).map(|number| Served::of(session, &fleet, number, asked)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| Refused::new(1, format!("cannot start: {error}")))?;
    let ended = runtime.block_on(serve(session, asked, servers));
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve(session: &mut Session<'_>, asked: &Asked, servers: Vec<Arc<Served>>) -> Result<(), Refused> {
    let (_sender, stop) = on_signal()?;
    let refused = |error: std::io::Error| Refused::new(69, error.to_string());
    if let Some(folder) = &asked.settings {
        let mut ports = Vec::new();
        for server in &servers {
            let any = SocketAddr::new(asked.listen.ip(), 0);
            ports.push(plain(any, router(server), told(stop.clone())).await.map_err(refused)?.address.port());
        }
        fleet::write_settings(session, folder, asked.console, &ports)?;
        let progress = fleet::progress(servers);
        let served = plain(asked.listen, progress, told(stop.clone())).await.map_err(refused)?;
        session.print(&format!("{{\"listening\":\"{}\"}}\n", served.address))?;
        told(stop).await;
        return Ok(());
    }
    let router = router(&servers[0]);
    let served = plain(asked.listen, router.clone(), told(stop.clone())).await.map_err(refused)?;
    if let (Some(address), Some(dir)) = (asked.listen_tls, &asked.tls_dir) {
        let files = TlsFiles { certificates: dir.join("server.pem"), key: dir.join("server.key") };
        tls(address, &files, router, told(stop.clone())).await.map_err(refused)?;
    }
    session.print(&format!("{{\"listening\":\"{}\"}}\n", served.address))?;
    told(stop).await;
    Ok(())
}

const LOGOUT: &str = "/api/oauth2/logout";
/// What is asked for on the way to the list, and is the same always.
const ANSWERS: [(&str, &str); 3] = [
    ("/api/oauth2/token", r#"{"access_token":"a","refresh_token":"r","token_type":"bearer","expires_in":3600}"#),
    (LOGOUT, "{}"),
    ("/api/v1/restorePoints", r#"{"data":[],"pagination":{"total":0,"count":0,"skip":0,"limit":500}}"#),
];

/// What a VBR server of 1.3-rev0 and later is asked for in a read, and `/metrics` for scrapers.
fn router(served: &Arc<Served>) -> Router {
    Router::new().route("/metrics", get(metrics)).fallback(answered).with_state(Arc::clone(served))
}

impl Served {
    fn of(session: &Session<'_>, fleet: &Fleet, number: u32, asked: &Asked) -> Arc<Served> {
        let clock = asked.settings.is_some().then(|| Arc::clone(&session.doors.clock));
        let hours = (0..asked.in_turn).map(|hour| Hour::of_part(fleet, hour, (number, asked.servers))).collect();
        Arc::new(Served { number, hours, clock, sweeps: AtomicUsize::new(0), ended: AtomicUsize::new(0) })
    }

    /// The points of the hour that it answers with first, in tenths.
    pub fn points_at_first(&self) -> u64 {
        self.hours[0].used
    }
}

async fn answered(State(served): State<Arc<Served>>, uri: Uri) -> impl IntoResponse {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let begins_list = path.starts_with(LIST) && number_in(path, "skip").unwrap_or_default() == 0;
    let sweep = match begins_list {
        true => served.sweeps.fetch_add(1, Ordering::Relaxed),
        false => served.sweeps.load(Ordering::Relaxed).saturating_sub(1),
    };
    if path == LOGOUT {
        served.ended.fetch_add(1, Ordering::Relaxed);
    }
    let hour = &served.hours[sweep % served.hours.len()];
    (
        [(CONTENT_TYPE, "application/json")],
        hour.answer(path, served.number, served.clock.as_ref().map_or_else(|| at(0), |clock| clock.now())),
    )
}

async fn metrics(State(served): State<Arc<Served>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], served.hours[0].metrics.clone())
}

/// A number in the query of a path.
fn number_in(path: &str, name: &str) -> Option<usize> {
    let query = path.split_once('?')?.1;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

impl Hour {
    pub fn of(fleet: &Fleet, hour: u32) -> Hour {
        Hour::of_part(fleet, hour, (0, 1))
    }

    /// The rows of every so-manieth workload: of one server of several.
    fn of_part(fleet: &Fleet, hour: u32, (part, parts): (u32, u32)) -> Hour {
        let metrics = "# TYPE license_points gauge\n".to_owned();
        let mut made = Hour { json: String::new(), rows: Vec::new(), used: 0, metrics };
        let mut sweep = fleet.sweep(hour).seen;
        sweep.retain(|seen| seen.number % parts == part);
        // As a server sorts its list that is asked to.
        sweep.sort_by_cached_key(|seen| fleet.id(seen.number));
        for seen in sweep {
            if !made.json.is_empty() {
                made.json.push(',');
            }
            let start = made.json.len();
            write_row(&mut made.json, fleet, seen);
            made.rows.push(start..made.json.len());
            let counts = fleet.counts(seen.number, hour);
            made.used += if counts { u64::from(seen.tenths) } else { 0 };
            write_metric(&mut made.metrics, fleet, seen, counts);
        }
        made
    }

    /// All pages with the number of rows before each.
    pub fn pages(&self, limit: usize) -> Vec<(usize, String)> {
        (0..self.rows.len()).step_by(limit).map(|skip| (skip, self.page(skip, limit))).collect()
    }

    /// The body of the answer to a request; `path` with its query.
    pub fn answer(&self, path: &str, server: u32, now: Instant) -> String {
        let resource = path.split_once('?').map_or(path, |(resource, _)| resource);
        let ready = ANSWERS.iter().find(|(known, _)| *known == resource).map(|(_, body)| (*body).to_owned());
        match resource {
            LIST => {
                let limit = number_in(path, "limit").unwrap_or(LIMIT_DEFAULT);
                self.page(number_in(path, "skip").unwrap_or_default(), limit)
            }
            "/api/v1/license" => self.license(),
            "/api/v1/serverInfo" => {
                let id = server + 1;
                format!(r#"{{"vbrId":"6e2a4f0c-0000-4000-8000-{id:012}","name":"bench","buildVersion":"13.0.1.180"}}"#)
            }
            "/api/v1/serverTime" => {
                format!(r#"{{"serverTime":"{}","timeZone":"UTC","ianaTimeZoneId":"Etc/UTC"}}"#, rfc3339(now))
            }
            _ => ready.unwrap_or_default(),
        }
    }

    fn license(&self) -> String {
        let used = format!("{}.{}", self.used / 10, self.used % 10);
        format!(
            r#"{{"status":"Valid","type":"Rental","edition":"EnterprisePlus","licensedTo":"Bench","instanceLicenseSummary":{{"package":"Suite","licensedInstancesNumber":10000000,"usedInstancesNumber":{used},"newInstancesNumber":0,"rentalInstancesNumber":0,"objects":[]}}}}"#
        )
    }

    fn page(&self, skip: usize, limit: usize) -> String {
        let total = self.rows.len();
        let shown = &self.rows[skip.min(total)..skip.saturating_add(limit).min(total)];
        let rows = match shown {
            [first, .., last] => &self.json[first.start..last.end],
            [only] => &self.json[only.clone()],
            [] => "",
        };
        let count = shown.len();
        format!(r#"{{"data":[{rows}],"pagination":{{"total":{total},"count":{count},"skip":{skip},"limit":{limit}}}}}"#)
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
