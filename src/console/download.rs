//! A report as a file, byte for byte as `report save` writes it.

use axum::extract::{Path, Query as Parameters, State};
use std::sync::Arc;

use axum::Extension;
use axum::response::Response;
use base64::Engine;
use serde::Deserialize;

use super::entry::Seat;
use super::{House, refusal};
use crate::agent::{Query, Refused};
use crate::domain::Month;
use crate::domain::pseudonym::Names;

/// Whose report, when there are several reporting units.
#[derive(Debug, Deserialize)]
pub struct Whose {
    unit: Option<String>,
}

/// What the agent answers to [`Query::ReportFile`].
#[derive(Deserialize)]
struct File {
    name: String,
    media_type: String,
    base64: String,
}

/// `GET /reports/2026-10.pdf?unit=…`.
pub async fn report(
    State(house): State<Arc<House>>,
    Extension(seat): Extension<Arc<Seat>>,
    Path(name): Path<String>,
    Parameters(whose): Parameters<Whose>,
) -> Response {
    let Some((month, format)) = month_and_format(&name) else {
        return refusal(&Refused::new(66, format!("there is no file '{name}'; write it as 2026-10.pdf")));
    };
    let names = Names::default();
    let query = Query::ReportFile { unit: whose.unit, server: None, month: Some(month), format, names };
    match (house.back.ask)(query, seat.person.clone()).await {
        Ok(answer) => served(serde_json::from_value(answer).ok()),
        Err(refused) => refusal(&refused),
    }
}

fn month_and_format(file: &str) -> Option<(Month, String)> {
    let (month, format) = file.split_once('.')?;
    Some((month.parse().ok()?, format.to_owned()))
}

fn served(file: Option<File>) -> Response {
    let decoded = file.and_then(|file| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(&file.base64).ok()?;
        Some((file, bytes))
    });
    let Some((file, bytes)) = decoded else {
        return refusal(&Refused::new(1, "the agent's answer is not a file"));
    };
    super::pages::file(&file.name, file.media_type, bytes)
}
