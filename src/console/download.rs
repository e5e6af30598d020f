//! A report as a file, byte for byte as `report save` writes it.

use axum::extract::{Path, Query as Parameters, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde::Deserialize;

use super::{Ask, refusal};
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
    State(ask): State<Ask>,
    Path(file): Path<String>,
    Parameters(whose): Parameters<Whose>,
) -> Response {
    let Some((month, format)) = month_and_format(&file) else {
        return refusal(&Refused::new(66, format!("there is no file '{file}'; write it as 2026-10.pdf")));
    };
    let names = Names::default();
    let query = Query::ReportFile { unit: whose.unit, server: None, month: Some(month), format, names };
    match ask(query).await {
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
    // The name comes with an id that a backup server gave; nothing in it may end the quotes.
    let name: String = file.name.chars().filter(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(*sign)).collect();
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, file.media_type), (header::CONTENT_DISPOSITION, disposition)], bytes).into_response()
}
