//! Usage: any period by type, tenant, server or workload, what stood at its end, and the days ahead.

mod period;

use askama::Template;
use axum::http::StatusCode;
use chrono::NaiveDate;

use super::{Deed, Page, Shown, html};
use crate::agent::access::By;
use crate::agent::asked::{Step, UsageOverAsked};
use crate::agent::{Query, Refused};
use crate::console::answers::{Licensed, UnitChoice, chosen};
use crate::console::frame::{Frame, Visit};
use crate::domain::Month;
use crate::domain::people::Role;
use crate::domain::workload::WORKLOAD_TYPES;
use period::{Over, Period};

pub const PAGE: Page =
    Page { path: "/usage", name: Some("Usage"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

/// How usage is grouped: as the address says it and as people read it.
const GROUPINGS: [(By, &str, &str); 4] = [
    (By::Type, "type", "Type"),
    (By::Tenant, "tenant", "Tenant"),
    (By::Server, "server", "Server"),
    (By::Workload, "workload", "Workload"),
];
const STEPS: [(Step, &str, &str); 3] =
    [(Step::Day, "day", "Day"), (Step::Week, "week", "Week"), (Step::Month, "month", "Month")];
/// Longest period that is shown day by day unless days are asked for.
const DAYS_MAX: i64 = 92;

#[derive(Template)]
#[template(path = "console/usage.html")]
struct Usage {
    frame: Frame,
    groupings: [(By, &'static str, &'static str); 4],
    lengths: [(Step, &'static str, &'static str); 3],
    form: Form,
    refused: Option<String>,
    period: Option<Box<Period>>,
}

/// What is asked for, as it was typed or as it is by itself.
struct Form {
    units: Vec<UnitChoice>,
    unit: String,
    from: String,
    until: String,
    by: String,
    step: String,
    kind: String,
    tenant: String,
    server: String,
    kinds: Vec<&'static str>,
    /// The unit's servers, when there is a choice.
    servers: Vec<String>,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let licenses: Vec<Licensed> = visit.each(Query::License { unit: None, server: None }).await?;
    let units = UnitChoice::each(licenses.iter().map(|license| (&license.unit, &license.servers)));
    let picked = chosen(&visit.asked, &units)?;
    let servers = licenses.into_iter().find(|license| Some(&license.unit) == picked.as_ref());
    let servers = servers.map(|license| license.servers).filter(|servers| servers.len() > 1).unwrap_or_default();
    let mut form = form(&visit, units, picked, servers);
    let (mut refused, mut period) = (None, None);
    match over(&visit, &form).await {
        Ok(Some((asked, over))) => {
            (form.from, form.until) = (over.from.to_string(), over.until.to_string());
            form.step = written(&STEPS, asked.step).to_owned();
            period = Some(Box::new(Period::of(&visit, &asked, over)));
        }
        Ok(None) => {}
        // What is wrong with the form is said on it.
        Err(why) if matches!(why.code, 2 | 65 | 66) => refused = Some(why.why),
        Err(why) => return Err(why),
    }
    let is_refused = refused.is_some();
    let frame = visit.frame(PAGE.path, "Usage").await?;
    let page = html(&Usage { frame, groupings: GROUPINGS, lengths: STEPS, form, refused, period });
    Ok(if is_refused { Shown::Refused(StatusCode::UNPROCESSABLE_ENTITY, page) } else { Shown::Page(page) })
}

fn form(visit: &Visit, units: Vec<UnitChoice>, picked: Option<String>, servers: Vec<String>) -> Form {
    let text = |name: &str| visit.asked.text(name).unwrap_or_default().to_owned();
    let or_usual = |name: &str, usual: &str| visit.asked.text(name).unwrap_or(usual).to_owned();
    Form {
        units,
        unit: picked.unwrap_or_default(),
        from: text("from"),
        until: text("until"),
        by: or_usual("by", "type"),
        step: text("step"),
        kind: text("type"),
        tenant: text("tenant"),
        // A server of another unit is none of this one.
        server: Some(text("server")).filter(|server| servers.contains(server)).unwrap_or_default(),
        kinds: WORKLOAD_TYPES.iter().map(|(_, name)| *name).collect(),
        servers,
    }
}

/// The answer, with what was asked for; `None` before the first sample.
async fn over(visit: &Visit, form: &Form) -> Result<Option<(UsageOverAsked, Over)>, Refused> {
    let from: Option<NaiveDate> = visit.asked.read("from")?;
    // The next 1st: what is ahead until then is shown unless a last day is named.
    let until = visit.asked.read("until")?.unwrap_or_else(|| Month::of(visit.now).ends_at().date_naive());
    let is_long = from.is_some_and(|from| (until - from).num_days() > DAYS_MAX);
    let step = match form.step.as_str() {
        "" if is_long => Step::Week,
        "" => Step::Day,
        step => read(&STEPS, step, "Step")?,
    };
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let asked = UsageOverAsked {
        unit: given(&form.unit),
        server: given(&form.server),
        from,
        until: Some(until),
        by: read(&GROUPINGS, &form.by, "Group by")?,
        tenant: given(&form.tenant),
        kind: visit.asked.read("type")?,
        step,
    };
    let found: Vec<Over> = visit.each(Query::UsageOver(Box::new(asked.clone()))).await?;
    Ok(found.into_iter().next().map(|over| (asked, over)))
}

/// The row that an address names.
fn read<T: Copy>(rows: &[(T, &str, &str)], text: &str, field: &str) -> Result<T, Refused> {
    let found = rows.iter().find(|(_, name, _)| *name == text).map(|(row, _, _)| *row);
    let known: Vec<&str> = rows.iter().map(|(_, name, _)| *name).collect();
    found.ok_or_else(|| Refused::new(65, format!("“{field}” is one of {}; choose one", known.join(", "))))
}

/// How an address names it.
fn written<T: Copy + PartialEq>(rows: &[(T, &'static str, &str)], of: T) -> &'static str {
    rows.iter().find(|(row, _, _)| *row == of).map_or("", |(_, name, _)| name)
}
