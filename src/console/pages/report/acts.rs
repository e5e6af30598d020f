//! What people do with a report besides adjusting it.

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;

use super::{PAGE, Shown, again};
use crate::agent::orders::Target;
use crate::agent::{Order, Refused};
use crate::console::forms::Fields;
use crate::console::frame::Visit;
use crate::console::shown::encoded;
use crate::domain::Instant;
use crate::domain::calendar::minute_text;

/// A minute as `datetime-local` fields write it.
const MINUTE: &str = "%Y-%m-%dT%H:%M";

/// An instant as a `datetime-local` field has it.
pub fn local_minute(at: Instant, zone: Tz) -> String {
    at.with_timezone(&zone).format(MINUTE).to_string()
}

/// Where to look after an act, with what is said there.
pub fn onward(fields: &Fields, target: &Target, said: String) -> Result<Shown, Refused> {
    let named = |name: &str, value: Option<String>| value.map(|value| format!("{name}={}", encoded(&value)));
    let month = target.month.map(|month| month.to_string());
    let parts: Vec<String> = named("unit", target.unit.clone()).into_iter().chain(named("month", month)).collect();
    let to = if fields.text("to") == Some("/") { "/".to_owned() } else { format!("{}?{}", PAGE.path, parts.join("&")) };
    Ok(Shown::Onward { to, said })
}

/// Shows what came of an act, or the page again with the line why nothing did.
async fn ended(visit: Visit, fields: Fields, done: Result<String, Refused>) -> Result<Shown, Refused> {
    match done {
        Ok(said) => {
            let target = fields.target()?;
            onward(&fields, &target, said)
        }
        Err(refused) => again(visit, &fields, refused).await,
    }
}

pub async fn reset(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let done = async {
        visit.order_of(&fields, Order::Reset { target: fields.target()? }).await?;
        Ok("Reset: every adjustment was taken back.".to_owned())
    };
    let done = done.await;
    ended(visit, fields, done).await
}

pub async fn postpone(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let done = async {
        let until = fields.text("until").map(|text| minute(text, visit.zone())).transpose()?;
        let done = visit.order_of(&fields, Order::Postpone { target: fields.target()?, until }).await?;
        let until: Option<Instant> = done["until"].as_str().and_then(|at| at.parse().ok());
        let until = until.map(|at| format!(" until {} GMT", minute_text(at))).unwrap_or_default();
        Ok(format!("Postponed{until}. The deadline stays where it is."))
    };
    let done = done.await;
    ended(visit, fields, done).await
}

/// A minute of the console's time zone; of one that a clock shows twice, the first.
fn minute(text: &str, zone: Tz) -> Result<Instant, Refused> {
    let wrong = || Refused::new(65, format!("“{text}” is no time; write it as 2026-11-05T08:00"));
    let local = NaiveDateTime::parse_from_str(text, MINUTE).map_err(|_| wrong())?;
    zone.from_local_datetime(&local).earliest().map(|at| at.to_utc()).ok_or_else(wrong)
}

pub async fn send(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let done = async {
        match visit.order_of(&fields, Order::Send { target: fields.target()? }).await {
            Ok(done) => Ok(format!("Sent: {} points.", done["total_points_rounded"].as_str().unwrap_or("?"))),
            // It is sealed, so it goes: that is no failure of the page.
            Err(refused) if refused.code == 69 => {
                Ok(format!("Sealed, and tried again until it is taken. The first try: {}", refused.why))
            }
            Err(refused) => Err(refused),
        }
    };
    let done = done.await;
    ended(visit, fields, done).await
}

pub async fn correct(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let done = async {
        let reason = fields.text("reason").unwrap_or_default().to_owned();
        let done = visit.order_of(&fields, Order::Correct { target: fields.target()?, reason }).await?;
        Ok(format!("Revision {} is begun and awaits review.", done["revision"]))
    };
    let done = done.await;
    ended(visit, fields, done).await
}

pub async fn mark(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let done = async {
        let (portal, document) = (fields.needed("portal")?.to_owned(), fields.needed("document")?.to_owned());
        let said = format!("Recorded: entered in {portal}, document {document}.");
        visit.order_of(&fields, Order::MarkExternal { target: fields.target()?, portal, document }).await?;
        Ok(said)
    };
    let done = done.await;
    ended(visit, fields, done).await
}

pub async fn approve(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let done = async {
        let proposal = fields.needed("proposal")?.to_owned();
        let done = visit.order_of(&fields, Order::Approve { target: fields.target()?, proposal }).await?;
        let of = |field: &str| done["effect"][field].as_str().unwrap_or("?").to_owned();
        Ok(format!("Approved: adjusted from {} to {} points.", of("total_before"), of("total_after")))
    };
    let done = done.await;
    ended(visit, fields, done).await
}

pub async fn reject(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let done = async {
        let (proposal, reason) = (fields.needed("proposal")?.to_owned(), fields.text("why").map(str::to_owned));
        visit.order_of(&fields, Order::Reject { target: fields.target()?, proposal, reason }).await?;
        Ok("Rejected: the report stays as it is.".to_owned())
    };
    let done = done.await;
    ended(visit, fields, done).await
}
