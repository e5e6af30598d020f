//! Adjusting: several workloads and counts at once, with a reason, and the effect seen before it is saved.

use askama::Template;
use serde_json::Value;

use super::answers::{Effect, Workload, Workloads};
use super::place::Place;
use super::table::CountOf;
use super::{PAGE, Shown, again, html, place};
use crate::agent::asked::WorkloadsAsked;
use crate::agent::orders::Target;
use crate::agent::{Order, Query, Refused};
use crate::console::forms::Fields;
use crate::console::frame::{Frame, Visit};
use crate::console::words;
use crate::domain::adjustment::AdjustmentOrder;

/// Workloads that are picked by a filter at once: what one answer of the agent holds.
pub const ALL_MAX: u32 = 1000;
/// Changes that a preview names one by one.
const NAMED_MAX: usize = 200;

#[derive(Template)]
#[template(path = "console/report_preview.html")]
struct Preview {
    frame: Frame,
    place: Place,
    effect: Effect,
    /// How many changes are made, and how many of them are not named.
    changes: usize,
    not_named: usize,
    reason: String,
    /// What is adjusted, as the form that saves it carries it.
    chosen: Vec<(String, String)>,
}

/// Shows what the adjustment would do; nothing is kept.
pub async fn preview(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let chosen = match all_that_match(&visit, &fields).await {
        Ok(chosen) => chosen,
        Err(refused) => return again(visit, &fields, refused).await,
    };
    match effect(&visit, &chosen).await {
        Ok(effect) => drawn(visit, &chosen, effect).await,
        Err(refused) => again(visit, &fields, refused).await,
    }
}

/// The form with every workload picked that its filters let pass and that can be taken out, when that is ticked.
async fn all_that_match(visit: &Visit, fields: &Fields) -> Result<Fields, Refused> {
    let (mut chosen, target) = (fields.clone(), fields.target()?);
    let (Some(unit), Some(month), true) = (target.unit, target.month, fields.has("all")) else { return Ok(chosen) };
    let asked = WorkloadsAsked { after: None, limit: Some(ALL_MAX), ..Place::of(fields, unit, month).table()? };
    let found: Workloads = visit.ask(Query::Workloads(Box::new(asked))).await?;
    if u64::from(ALL_MAX) < found.matches {
        let why = format!(
            "{} workloads match, and at most {ALL_MAX} are taken out at once: narrow the search",
            found.matches
        );
        return Err(Refused::new(65, why));
    }
    let all = found.workloads.iter().filter(|workload| workload.can_be_removed).map(Workload::named);
    chosen.0.retain(|(name, _)| name != "pick");
    chosen.0.extend(all.map(|named| ("pick".to_owned(), named)));
    Ok(chosen)
}

async fn effect(visit: &Visit, fields: &Fields) -> Result<Effect, Refused> {
    visit.ask(Query::WhatIf { target: fields.target()?, adjustments: orders(fields)? }).await
}

async fn drawn(mut visit: Visit, fields: &Fields, mut effect: Effect) -> Result<Shown, Refused> {
    let frame = visit.frame(PAGE.path, "Adjust the report").await?;
    let Some(place) = place(&frame, fields)? else { return Err(Refused::new(66, "there is no report yet")) };
    let changes: usize = effect.steps.iter().map(|step| step.adjustments.len()).sum();
    let mut left = NAMED_MAX;
    for step in &mut effect.steps {
        step.adjustments.truncate(left);
        left -= step.adjustments.len();
    }
    let reason = fields.text("reason").unwrap_or_default().to_owned();
    let chosen = fields.0.iter().filter(|(name, _)| ["pick", "count_of", "count"].contains(&name.as_str()));
    let (chosen, not_named) = (chosen.cloned().collect(), changes.saturating_sub(NAMED_MAX));
    Ok(Shown::Page(html(&Preview { frame, place, effect, changes, not_named, reason, chosen })))
}

/// Saves it; over the limit of four eyes it waits for a second person.
pub async fn adjust(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    match saved(&visit, &fields).await {
        Ok((target, said)) => super::acts::onward(&fields, &target, said),
        Err(refused) => again(visit, &fields, refused).await,
    }
}

async fn saved(visit: &Visit, fields: &Fields) -> Result<(Target, String), Refused> {
    let (target, adjustments) = (fields.target()?, orders(fields)?);
    let done = visit.order_of(fields, Order::Adjust { target: target.clone(), adjustments }).await?;
    Ok((target, said(&done)))
}

fn said(done: &Value) -> String {
    let of = |field: &str| done["effect"][field].as_str().unwrap_or("?").to_owned();
    if done["schema"] == "tidegauge.proposed-adjustment/1" {
        return "Nothing is changed yet: the adjustment waits for a second person to approve it.".to_owned();
    }
    format!("Adjusted: from {} to {} points.", of("total_before"), of("total_after"))
}

/// What was ticked and typed, as orders.
///
/// # Errors
/// 2 when nothing is chosen or no reason is given, 65 for what is no count.
fn orders(fields: &Fields) -> Result<Vec<AdjustmentOrder>, Refused> {
    let given = fields.text("reason").ok_or_else(|| Refused::new(2, "a reason is needed: say why it is adjusted"))?;
    let reason = || given.to_owned();
    let workloads: Vec<String> = fields.all("pick").map(str::to_owned).collect();
    let mut orders = Vec::new();
    if !workloads.is_empty() {
        orders.push(AdjustmentOrder::Remove { workloads, reason: reason() });
    }
    for (of, count) in fields.all("count_of").zip(fields.all("count")) {
        let count = count.trim();
        if count.is_empty() {
            continue;
        }
        let wrong = |_| Refused::new(65, format!("“{count}” is no count; write a whole number, zero or more"));
        let to: u64 = count.parse().map_err(wrong)?;
        let unread = |_| Refused::new(65, "the form is not understood; load the page again and repeat it");
        let (tenant, kind, weight): CountOf = serde_json::from_str(of).map_err(unread)?;
        let kind = kind.parse().expect("every text is a workload type");
        orders.push(AdjustmentOrder::Lower { tenant, kind, weight: Some(weight), to, reason: reason() });
    }
    if orders.is_empty() {
        return Err(Refused::new(2, "nothing is chosen: tick the workloads to take out, or type a lower count"));
    }
    Ok(orders)
}
