//! The points tables in force on a day, and what the sampled types weigh.

use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use crate::agent::{Query, Refused};
use crate::console::frame::{Frame, Visit};
use crate::console::pages::{Shown, html};
use crate::console::shown::Amount;
use crate::domain::Points;

#[derive(Template)]
#[template(path = "console/billing_rates.html")]
struct RatesPage {
    frame: Frame,
    rates: Rates,
}

/// `tidegauge.rates/1`.
#[derive(Deserialize)]
struct Rates {
    on: NaiveDate,
    rows: Vec<Row>,
    sampled: Vec<Sampled>,
}

#[derive(Deserialize)]
struct Row {
    product: String,
    edition: Option<String>,
    package: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    unit: Option<String>,
    points: Points,
    source: String,
    valid_from: NaiveDate,
    provisional: bool,
}

/// What a type of a server's newest sample weighs.
#[derive(Deserialize)]
struct Sampled {
    server: String,
    #[serde(rename = "type")]
    kind: String,
    count: u64,
    weight: Option<String>,
    weight_from: String,
    has_row: bool,
}

pub async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let rates = visit.ask(Query::Rates { on: visit.asked.read("on")? }).await?;
    let frame = visit.frame(super::PAGE.path, "Rates in force").await?;
    Ok(Shown::Page(html(&RatesPage { frame, rates })))
}

impl Row {
    fn points(&self) -> Amount {
        Amount::of(self.points)
    }
}
