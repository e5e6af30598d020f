//! The operator's orders and lists as a router for the control socket, which only the server's own user reaches.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::{FleetPage, FleetPick, LicenseServer, LicenseServerError, Order, Refused};
use crate::domain::Month;
use crate::doors::{Chance, Clock};

/// An order with the name of who gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOrder {
    pub by: String,
    pub order: Order,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obeyed {
    /// The enrolment token, a secret, when one was made.
    pub token: Option<String>,
}

#[derive(Clone)]
struct Context {
    server: Arc<LicenseServer>,
    clock: Arc<dyn Clock>,
    chance: Arc<Mutex<dyn Chance>>,
}

/// Paths for the control socket. They know no login: never serve them on a network.
pub fn operator_router(server: Arc<LicenseServer>, clock: Arc<dyn Clock>, chance: Arc<Mutex<dyn Chance>>) -> Router {
    Router::new()
        .route("/v1/operator/orders", post(obey))
        .route("/v1/operator/contracts", get(contracts))
        .route("/v1/operator/sums/{month}", get(sums))
        .route("/v1/operator/fleet", get(fleet))
        .route("/v1/operator/agents", get(agents))
        .route("/v1/operator/installations", get(installations))
        .route("/v1/operator/reports", get(reports))
        .route("/v1/operator/reports/{unit}/{month}", get(report))
        .route("/v1/operator/verified", get(verify))
        .with_state(Context { server, clock, chance })
}

async fn obey(State(context): State<Context>, Json(SignedOrder { by, order }): Json<SignedOrder>) -> Response {
    let obeyed = tokio::task::spawn_blocking(move || {
        let mut chance = context.chance.lock().unwrap_or_else(PoisonError::into_inner);
        context.server.obey(order, &by, context.clock.now(), &mut *chance)
    });
    match obeyed.await.unwrap_or(Err(Refused::Server(LicenseServerError::Stopped))) {
        Ok(token) => {
            Json(Obeyed { token: token.map(|token| token.to_text().expose_secret().to_owned()) }).into_response()
        }
        Err(refused) => refusal(&refused),
    }
}

async fn contracts(State(context): State<Context>) -> Response {
    listed(move || context.server.contracts()).await
}

async fn sums(State(context): State<Context>, Path(month): Path<Month>) -> Response {
    listed(move || context.server.sums(month)).await
}

/// Which page, and of which rows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paged {
    /// `next` of the page before.
    #[serde(default)]
    after: String,
    #[serde(default)]
    pick: FleetPick,
}

async fn fleet(State(context): State<Context>, Query(Paged { after, pick }): Query<Paged>) -> Response {
    let Some(contract) = URL_SAFE_NO_PAD.decode(&after).ok().and_then(|id| String::from_utf8(id).ok()) else {
        return refusal(&Refused::NoPage(after));
    };
    if contract.contains('\0') {
        return refusal(&Refused::Nul);
    }
    listed(move || {
        let page = context.server.fleet(&contract, pick, context.clock.now());
        page.map(|page| FleetPage { next: page.next.map(|id| URL_SAFE_NO_PAD.encode(id)), ..page })
    })
    .await
}

async fn agents(State(context): State<Context>) -> Response {
    listed(move || context.server.agents()).await
}

async fn installations(State(context): State<Context>) -> Response {
    listed(move || context.server.installations()).await
}

async fn reports(State(context): State<Context>) -> Response {
    listed(move || context.server.reports()).await
}

async fn report(State(context): State<Context>, Path((unit, month)): Path<(String, Month)>) -> Response {
    listed(move || context.server.report(&unit, month)).await
}

async fn verify(State(context): State<Context>) -> Response {
    listed(move || context.server.verify()).await
}

/// Rows, looked up beside the threads that serve.
async fn listed<T, E>(look: impl FnOnce() -> Result<T, E> + Send + 'static) -> Response
where
    T: Serialize + Send + 'static,
    E: Into<Refused> + Send + 'static,
{
    let looked = tokio::task::spawn_blocking(move || look().map_err(Into::into)).await;
    match looked.unwrap_or(Err(Refused::Server(LicenseServerError::Stopped))) {
        Ok(rows) => Json(rows).into_response(),
        Err(refused) => refusal(&refused),
    }
}

fn refusal(refused: &Refused) -> Response {
    let status = match refused {
        Refused::ContractExists(_) | Refused::OtherRevision { .. } => StatusCode::CONFLICT,
        Refused::NoContract(_) | Refused::NoUnit(_) | Refused::NoAgent(_) | Refused::NoReport { .. } => {
            StatusCode::NOT_FOUND
        }
        Refused::NoPage(_)
        | Refused::NoReason
        | Refused::Nul
        | Refused::Empty(_)
        | Refused::NegativePoints(_)
        | Refused::EndedBefore { .. }
        | Refused::TooLong { .. } => StatusCode::BAD_REQUEST,
        Refused::Server(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(serde_json::json!({ "error": refused.to_string() }))).into_response()
}
