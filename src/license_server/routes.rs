//! The server's paths as an axum router, and their OpenAPI document.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use utoipa::OpenApi;

use super::{LicenseServer, Reply};
use crate::doors::Clock;
use crate::protocol::{BODY_BYTES_MAX, CONTENT_TYPE, Kind, Status};

#[derive(Clone)]
struct Context {
    server: Arc<LicenseServer>,
    clock: Arc<dyn Clock>,
}

/// Every path of the server.
pub fn router(server: Arc<LicenseServer>, clock: Arc<dyn Clock>) -> Router {
    let body_bytes_max = usize::try_from(BODY_BYTES_MAX).expect("16 MiB fit every machine");
    Router::new()
        .route(Kind::Enrol.path(), post(enrol))
        .route(Kind::Telemetry.path(), post(telemetry))
        .route(Kind::Report.path(), post(reports))
        .route(Kind::LicenseCheck.path(), post(license_checks))
        .route("/v1/status", get(status))
        .route("/openapi.json", get(openapi))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .with_state(Context { server, clock })
}

async fn reply(context: &Context, kind: Kind, body: Bytes) -> Response {
    let Reply { status, body } = context.server.receive(kind, &body, context.clock.now()).await;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response()
}

#[utoipa::path(post, path = "/v1/enrol",
    request_body(content = String, content_type = "application/jose", description = "JWS of a tidegauge.enrol/1, signed by the key it names"),
    responses(
        (status = 200, description = "JWS of a tidegauge.enrolled/1", body = String, content_type = "application/jose"),
        (status = 403, description = "JWS of a tidegauge.refusal/1: no such token, used, expired", body = String, content_type = "application/jose")))]
async fn enrol(State(context): State<Context>, body: Bytes) -> Response {
    reply(&context, Kind::Enrol, body).await
}

#[utoipa::path(post, path = "/v1/telemetry",
    request_body(content = String, content_type = "application/jose", description = "JWS of a tidegauge.telemetry/1"),
    responses(
        (status = 200, description = "JWS of a tidegauge.receipt/1; the same for a repeat", body = String, content_type = "application/jose"),
        (status = 409, description = "JWS of a tidegauge.conflict/1: other bytes stand under this id", body = String, content_type = "application/jose"),
        (status = 425, description = "JWS of a tidegauge.refusal/1: the week has not ended", body = String, content_type = "application/jose")))]
async fn telemetry(State(context): State<Context>, body: Bytes) -> Response {
    reply(&context, Kind::Telemetry, body).await
}

#[utoipa::path(post, path = "/v1/reports",
    request_body(content = String, content_type = "application/jose", description = "JWS of a tidegauge.submission/1"),
    responses(
        (status = 200, description = "JWS of a tidegauge.receipt/1; the same for a repeat", body = String, content_type = "application/jose"),
        (status = 409, description = "JWS of a tidegauge.conflict/1: other bytes stand under this id", body = String, content_type = "application/jose"),
        (status = 425, description = "JWS of a tidegauge.refusal/1: the month has not ended", body = String, content_type = "application/jose")))]
async fn reports(State(context): State<Context>, body: Bytes) -> Response {
    reply(&context, Kind::Report, body).await
}

#[utoipa::path(post, path = "/v1/license-checks",
    request_body(content = String, content_type = "application/jose", description = "JWS of a tidegauge.license-check/1"),
    responses((status = 200, description = "JWS of a tidegauge.license-answer/1, with a .tglicense when a key was issued", body = String, content_type = "application/jose")))]
async fn license_checks(State(context): State<Context>, body: Bytes) -> Response {
    reply(&context, Kind::LicenseCheck, body).await
}

#[utoipa::path(get, path = "/v1/status",
    responses(
        (status = 200, description = "Plain JSON: the server is up, and the fingerprint of its key", body = String, content_type = "application/json"),
        (status = 503, description = "The database does not answer, or nothing is recorded", body = String, content_type = "text/plain")))]
async fn status(State(context): State<Context>) -> Response {
    match context.server.newest_entry().await {
        Ok(journal_seq) => Json(Status {
            schema: Status::SCHEMA.to_owned(),
            server_key: context.server.verifying_key().fingerprint(),
            journal_seq,
        })
        .into_response(),
        Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer, or nothing is recorded").into_response()
        }
    }
}

async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Paths::openapi())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tidegauge License Update Server",
        version = "1",
        description = "Each posted body and each answer is a compact JWS (EdDSA) over exact bytes.",
        license(name = "Apache-2.0"),
    ),
    paths(enrol, telemetry, reports, license_checks, status)
)]
struct Paths;
