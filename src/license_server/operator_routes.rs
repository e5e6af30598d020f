//! The operator's orders and lists as a router for the control socket, which only the server's own user reaches.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::{LicenseServer, LicenseServerError, Order, Refused};
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
        .route("/v1/operator/agents", get(agents))
        .route("/v1/operator/installations", get(installations))
        .route("/v1/operator/reports", get(reports))
        .route("/v1/operator/reports/{unit}/{month}", get(report))
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
    Json(context.server.contracts()).into_response()
}

async fn sums(State(context): State<Context>, Path(month): Path<Month>) -> Response {
    Json(context.server.sums(month)).into_response()
}

async fn agents(State(context): State<Context>) -> Response {
    Json(context.server.agents()).into_response()
}

async fn installations(State(context): State<Context>) -> Response {
    Json(context.server.installations()).into_response()
}

async fn reports(State(context): State<Context>) -> Response {
    Json(context.server.reports()).into_response()
}

async fn report(State(context): State<Context>, Path((unit, month)): Path<(String, Month)>) -> Response {
    context.server.report(&unit, month).map_or_else(|refused| refusal(&refused), |view| Json(view).into_response())
}

fn refusal(refused: &Refused) -> Response {
    let status = match refused {
        Refused::ContractExists(_) => StatusCode::CONFLICT,
        Refused::NoContract(_) | Refused::NoUnit(_) | Refused::NoAgent(_) | Refused::NoReport { .. } => {
            StatusCode::NOT_FOUND
        }
        Refused::NoReason | Refused::TooLong { .. } => StatusCode::BAD_REQUEST,
        Refused::Server(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(serde_json::json!({ "error": refused.to_string() }))).into_response()
}
