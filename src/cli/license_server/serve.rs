//! `license-server run`: serves agents, and the operator on the control socket.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clap::Args;
use rust_decimal::Decimal;
use tracing::field::display;
use tracing::{info, warn};

use super::super::access::{NO_CONTROL, SOCKET};
use super::super::logs;
use super::super::session::{Session, absolute};
use super::super::stopping::{Stop, on_signal, told};
use super::certificate::reread_on_hangup;
use super::database::DatabaseAt;
use super::way::{Drawn, not_opened, state_dir};
use crate::agent::Refused;
use crate::domain::Points;
use crate::doors::Clock;
use crate::license_server::{LicenseServer, PolicyChange, PolicyKept, metrics_router, operator_router, router};
use crate::ports::serve::{self, Served, Shown, TlsFiles};
use crate::ports::supervisor::{Tidings, tell};

#[derive(Debug, Args)]
pub struct Serve {
    /// Where it listens; without a certificate only on loopback
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8421")]
    listen: SocketAddr,
    /// The certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    certificates: Option<PathBuf>,
    /// The certificate's key, PEM
    #[arg(long, value_name = "FILE", requires = "certificates")]
    key: Option<PathBuf>,
    /// Where Prometheus scrapes the fleet's figures (/metrics), plain HTTP on loopback; without it nowhere
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// Points a report may fall short of its highest watermark; kept until another start says it anew [at first: 20]
    #[arg(long, value_name = "POINTS")]
    tolerance_points: Option<Points>,
    /// Percent of the highest watermark that a report may fall short; the larger of the two holds; kept [at first: 20]
    #[arg(long, value_name = "PERCENT")]
    tolerance_percent: Option<Decimal>,
    /// The day of the following month, 2 to 28, at whose 00:00 GMT a report is due; kept [at first: 11]
    #[arg(long, value_name = "DAY", value_parser = clap::value_parser!(u32).range(2..=28))]
    deadline_day: Option<u32>,
}

impl Serve {
    /// What is said of the policy.
    fn policy_change(&self) -> Result<PolicyChange, Refused> {
        let Serve { tolerance_points, tolerance_percent, deadline_day, .. } = *self;
        let is_share = tolerance_percent.is_none_or(|share| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&share));
        if !is_share || tolerance_points.is_some_and(Points::is_negative) {
            return Err(Refused::new(2, "the tolerance is zero or more points, and 0 to 100 percent"));
        }
        Ok(PolicyChange { tolerance_points, tolerance_percent, deadline_day })
    }
}

pub fn run(session: &mut Session<'_>, at: &DatabaseAt, how: &Serve) -> Result<(), Refused> {
    let tls = how.certificates.clone().zip(how.key.clone()).map(|(certificates, key)| TlsFiles { certificates, key });
    if tls.is_none() && !how.listen.ip().is_loopback() {
        let why = format!("{} is not this machine alone: give --certificates and --key", how.listen);
        return Err(Refused::new(2, why));
    }
    if let Some(at) = how.metrics.filter(|at| !at.ip().is_loopback()) {
        let why =
            format!("{at} is not this machine alone: metrics know no login; put a proxy in front that asks for one");
        return Err(Refused::new(2, why));
    }
    let change = how.policy_change()?;
    logs::begin(session.doors);
    let (files, folder) = (&session.doors.files, state_dir(session));
    let server = match at.open(session)? {
        Some(database) => LicenseServer::open_on_database(&**files, &folder, database),
        None => LicenseServer::open_as_kept(Arc::clone(files), &folder),
    };
    let server = Arc::new(server.map_err(|error| not_opened(&error))?);
    let kept = server.keep_policy(change, session.doors.clock.now()).map_err(|error| not_opened(&error))?;
    if kept.policy != kept.before {
        let PolicyKept { before, policy } = kept;
        info!(event = "license_server.policy_changed", %before, %policy, "the policy is another one");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Refused::new(1, format!("cannot start: {error}")))?;
    runtime.block_on(live(session, how, tls, server))
}

async fn live(
    session: &Session<'_>,
    how: &Serve,
    tls: Option<TlsFiles>,
    server: Arc<LicenseServer>,
) -> Result<(), Refused> {
    let (sender, stop) = on_signal()?;
    let refused = |error: std::io::Error| {
        let code = if error.kind() == std::io::ErrorKind::InvalidInput { 78 } else { 69 };
        Refused::new(code, error.to_string())
    };
    let clock = Arc::clone(&session.doors.clock);
    let chance = Arc::new(Mutex::new(Drawn((session.doors.chance)())));
    let operator = operator_router(Arc::clone(&server), Arc::clone(&clock), chance);
    let socket = absolute(&state_dir(session)).join(SOCKET);
    let control = serve::control(&socket, operator, told(stop.clone())).await.map_err(refused)?;
    if control.is_none() {
        warn!(event = "control.none", "{NO_CONTROL}");
    }
    let fingerprint = server.verifying_key().fingerprint();
    let metrics = match how.metrics {
        Some(at) => Some(scraped(at, &server, &clock, stop.clone()).await.map_err(refused)?),
        None => None,
    };
    let agents = router(server, clock);
    let shown = tls.map(|files| Ok((files.clone(), Shown::read(&files)?))).transpose().map_err(refused)?;
    reread_on_hangup(shown.clone())?;
    let scheme = if shown.is_some() { "https" } else { "http" };
    let served = match shown {
        Some((_, shown)) => serve::tls_showing(how.listen, shown, agents, told(stop.clone())).await,
        None => serve::plain(how.listen, agents, told(stop.clone())).await,
    };
    let served = served.map_err(refused)?;
    tell(Tidings::Ready);
    let url = format!("{scheme}://{}", served.address);
    let metrics_url = metrics.as_ref().map(|metrics| display(format!("http://{}/metrics", metrics.address)));
    info!(event = "license_server.ready", %url, metrics_url, key = %fingerprint, "it serves agents");
    told(stop).await;
    tell(Tidings::Stopping);
    let ended = served.ended().await;
    if let Some(metrics) = metrics {
        let _ = metrics.ended().await;
    }
    if let Some(control) = control {
        let _ = control.await;
    }
    drop(sender);
    info!(event = "license_server.stopped", "it has stopped");
    ended.map_err(refused)
}

/// Serves the fleet's figures to monitoring.
async fn scraped(
    at: SocketAddr,
    server: &Arc<LicenseServer>,
    clock: &Arc<dyn Clock>,
    stop: Stop,
) -> std::io::Result<Served> {
    serve::plain(at, metrics_router(Arc::clone(server), Arc::clone(clock)), told(stop)).await
}
