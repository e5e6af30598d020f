//! `POST /api/v1/license/update` and `/install` of a simulated backup server, and the vendor behind it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::super::estate::Estate;
use super::{Shared, error, pages};
use crate::domain::calendar::{Month, midnight};
use crate::rules::license_results::{KEY_INVALID, RECEIVED};

/// The words of the documentation's example (api.md 2.5).
pub const DOCUMENTED_UP_TO_DATE: &str = "Veeam Backup and Replication:\n License key is up-to-date";
/// Keys are renewed from so many days before their end.
const RENEWED_FROM_DAYS: u64 = 7;
/// The line of a key file that says how long it is valid.
const EXPIRES: &str = "Expiration date=";

/// What the vendor answers when the server asks it for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Issuer {
    /// In the last week of a key's term one to the end of the next month; before that it is up to date.
    #[default]
    Renews,
    /// These words, and whether the server calls them a success; the key stays.
    Says { words: String, is_successful: bool },
    /// These words with a key to that day.
    Gives { words: String, expires_on: NaiveDate },
    /// The server fails after the key came: an error without words.
    GivesAndFails { expires_on: NaiveDate },
}

/// A key file that a simulated server takes.
pub fn key_file(expires_on: NaiveDate) -> String {
    format!("License type=Rental\nSupport ID=01234567\n{EXPIRES}{expires_on}\nSignature=simulated\n")
}

pub(super) async fn update(State(vbr): Shared) -> Response {
    let issuer = vbr.inner().issuer.clone();
    let (mut estate, now) = vbr.estate();
    let said = |message: &str, is_successful: bool| {
        axum::Json(json!({"message": message, "isSuccessful": is_successful})).into_response()
    };
    match issuer {
        Issuer::Renews => match renewed(&estate, now.date_naive()) {
            Some(expires_on) => {
                estate.license.expires_on = Some(expires_on);
                said(RECEIVED, true)
            }
            None => said(DOCUMENTED_UP_TO_DATE, true),
        },
        Issuer::Says { words, is_successful } => said(&words, is_successful),
        Issuer::Gives { words, expires_on } => {
            estate.license.expires_on = Some(expires_on);
            said(&words, true)
        }
        Issuer::GivesAndFails { expires_on } => {
            estate.license.expires_on = Some(expires_on);
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}

/// The last day of the month after the key's, when its last week has begun.
fn renewed(estate: &Estate, today: NaiveDate) -> Option<NaiveDate> {
    let expires_on = estate.license.expires_on?;
    let is_due = expires_on <= today + Days::new(RENEWED_FROM_DAYS);
    is_due.then(|| Month::of(midnight(expires_on.max(today))).next().last_day())
}

pub(super) async fn install(State(vbr): Shared, body: Bytes) -> Response {
    let wish: Value = serde_json::from_slice(&body).unwrap_or_default();
    let file = wish["license"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let text = String::from_utf8(file.unwrap_or_default()).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(EXPIRES));
    let (mut estate, now) = vbr.estate();
    match line.and_then(|day| day.trim().parse::<NaiveDate>().ok()) {
        Some(day) if estate.license.expires_on.is_none_or(|installed| installed <= day) => {
            estate.license.expires_on = Some(day);
            axum::Json(pages::license(&estate, now)).into_response()
        }
        Some(_) | None => error(StatusCode::BAD_REQUEST, "UnexpectedContent", KEY_INVALID),
    }
}
