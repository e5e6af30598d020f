//! `/metrics` of the server: the fleet's figures, counted beside the threads that serve, at most a tenth of the time.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::TimeDelta;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;
use tracing::warn;

use super::fleet::{Counted, FleetPick, FleetSum, PAGES_MAX, readings};
use super::{LicenseServer, LicenseServerError};
use crate::domain::Instant;
use crate::doors::Clock;
use crate::formats::open_metrics;

/// Least rest between two counts.
const REST_MINUTES_MIN: i64 = 5;
/// A count is rested from so many times as long as it took.
const REST_TIMES: i32 = 9;
/// A scrape waits so long for a count that is due, and then gets the figures of the one before.
const WAIT_SECONDS_MAX: u64 = 5;

/// The figures that stand, and when they are counted anew.
struct Counter {
    server: Arc<LicenseServer>,
    clock: Arc<dyn Clock>,
    counted: Mutex<Option<Counted>>,
    /// Until when nothing is counted. Held while somebody counts.
    rest: Arc<tokio::sync::Mutex<Option<Range<Instant>>>>,
}

/// The one path. It knows no login: never serve it on a network.
pub fn metrics_router(server: Arc<LicenseServer>, clock: Arc<dyn Clock>) -> Router {
    let counter = Counter { server, clock, counted: Mutex::default(), rest: Arc::default() };
    Router::new().route("/metrics", get(metrics)).with_state(Arc::new(counter))
}

async fn metrics(State(counter): State<Arc<Counter>>) -> Response {
    let count = async {
        let rest = Arc::clone(&counter.rest).lock_owned().await;
        // It goes on when this scrape waits no longer.
        tokio::spawn(Arc::clone(&counter).count_if_due(rest)).await
    };
    let _ = timeout(Duration::from_secs(WAIT_SECONDS_MAX), count).await;
    let readings = readings(counter.counted.lock().unwrap_or_else(PoisonError::into_inner).as_ref());
    match open_metrics::text(&readings) {
        Ok(text) => ([(header::CONTENT_TYPE, open_metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written").into_response(),
    }
}

impl Counter {
    async fn count_if_due(self: Arc<Self>, mut rest: OwnedMutexGuard<Option<Range<Instant>>>) {
        let begun = self.clock.now();
        // A clock that was set back ends the rest, too.
        if rest.as_ref().is_some_and(|rest| rest.contains(&begun)) {
            return;
        }
        let counted = self.count(begun).await;
        let ended = self.clock.now().max(begun);
        let took = ended - begun;
        *rest = Some(begun..ended + rest_after(took));
        match counted {
            Ok(sum) => {
                let mut stands = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
                *stands = Some(Counted { as_of: begun, took, sum });
            }
            Err(error) => {
                warn!(event = "license_server.fleet_not_counted", %error, "the figures for monitoring stay as they were");
            }
        }
    }

    /// The whole fleet, page by page: a stop waits for one page at most.
    async fn count(&self, now: Instant) -> Result<FleetSum, LicenseServerError> {
        let mut sum = FleetSum::default();
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let server = Arc::clone(&self.server);
            let page = tokio::task::spawn_blocking(move || server.fleet(&after, FleetPick::NeedsCare, now));
            let page = page.await.unwrap_or(Err(LicenseServerError::Stopped))?;
            sum.join(page.sum);
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        Ok(sum)
    }
}

fn rest_after(took: TimeDelta) -> TimeDelta {
    let long = took.checked_mul(REST_TIMES).unwrap_or(TimeDelta::days(1));
    long.clamp(TimeDelta::minutes(REST_MINUTES_MIN), TimeDelta::days(1))
}
