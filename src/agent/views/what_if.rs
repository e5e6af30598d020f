//! What adjusting a report or taking its adjustments back would change, before anything is kept.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::agent::held_reports::Looked;
use crate::agent::orders::Target;
use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::Points;
use crate::domain::adjustment::{Adjustment, AdjustmentOrder};
use crate::domain::gate::GateVerdict;
use crate::domain::installation::Unit;
use crate::domain::people::Person;
use crate::domain::report::{Line, UsageReport};
use crate::rules::four_eyes::{self, Verdict};
use crate::rules::review::{self, STEPS_WITH_LINES_MAX, Step, Tried};

use super::gate::verdict_shown;
use super::money::{Money, Till, without_workloads};

impl Agent {
    /// Total, money and gate before and after adjustments, and what each of them does; nothing is kept.
    pub(in crate::agent) fn what_if(
        &self,
        target: &Target,
        adjustments: &[AdjustmentOrder],
        by: Option<&Person>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let looked = self.looked_at(target, None, hour.now)?;
        let tried = review::try_all(looked.table.report(), adjustments, "what-if", hour.now)?;
        let (before, after) = (looked.lean(), without_workloads(tried.report));
        let names = Names::of(looked.table.report(), &after.adjustments);
        let till = self.till(&looked.unit.id, before.month)?;
        let mut shown = self.effect_by(&till, &looked.unit, &before, &after)?;
        // Of more orders only what they change together is told.
        let till = till.ok().filter(|_| adjustments.len() <= STEPS_WITH_LINES_MAX);
        let money = till.map(|till| amounts(&till, &before, &tried.steps));
        let steps = adjustments.iter().zip(&tried.steps).enumerate();
        let step = |(at, (order, step)): (usize, (&AdjustmentOrder, &Step))| {
            let lines = step.lines.as_ref().unwrap_or(&after.lines);
            let made = after.adjustments[step.adjustments.clone()].iter();
            let made: Vec<Value> = made.map(|made| shown_made(made, lines, &names)).collect();
            json!({
                "act": act(order),
                "points_before": step.before,
                "points_after": step.after,
                "points": step.after - step.before,
                "money": money.as_ref().and_then(|money| Some(money[at + 1]? - money[at]?)).map(|money| money.to_string()),
                "adjustments": made,
            })
        };
        shown["steps"] = steps.map(step).collect();
        let verdict = by.map(|by| four_eyes::judge(&before, &after, &by.actor(), self.settings.four_eyes()));
        shown["second_person"] = json!(verdict.map(|verdict| verdict != Verdict::Keep));
        Ok(shown)
    }

    /// The same for taking every adjustment back.
    pub(in crate::agent) fn what_if_reset(&self, target: &Target, hour: Hour) -> Result<Value, Refused> {
        let looked = self.looked_at(target, None, hour.now)?;
        let fresh = review::try_reset(looked.table.report())?;
        let before = looked.lean();
        let mut shown = self.effect(&looked.unit, &before, &without_workloads(fresh))?;
        let names = Names::of(looked.table.report(), &before.adjustments);
        let named = |made: &Adjustment| {
            let mut shown = json!(made);
            shown["name"] = json!(names.name(made));
            shown
        };
        shown["taken_back"] = before.adjustments.iter().map(named).collect();
        Ok(shown)
    }

    /// What lies between a report and its adjusted self; nothing is kept.
    pub(in crate::agent) fn effect(
        &self,
        unit: &Unit,
        before: &UsageReport,
        after: &UsageReport,
    ) -> Result<Value, Trouble> {
        self.effect_by(&self.till(&unit.id, before.month)?, unit, before, after)
    }

    fn effect_by(
        &self,
        till: &Result<Till, String>,
        unit: &Unit,
        before: &UsageReport,
        after: &UsageReport,
    ) -> Result<Value, Trouble> {
        let charged = |report: &UsageReport| match till {
            Ok(till) => till.money(report),
            Err(why) => Money::unknown(why.clone()),
        };
        let (money_before, money_after) = (charged(before), charged(after));
        let saved = money_after.amount.zip(money_before.amount).map(|(after, before)| (after - before).to_string());
        Ok(json!({
            "schema": "tidegauge.what-if/1",
            "unit": unit.id,
            "month": before.month,
            "revision": before.revision,
            "digest": before.digest,
            "total_before": before.total_points,
            "total_after": after.total_points,
            "points": after.total_points - before.total_points,
            "money_before": money_before.shown,
            "money_after": money_after.shown,
            "money": saved,
            "money_why": money_after.why.or(money_before.why),
            "gate_before": in_sums(&self.judge_sums(unit, before)?),
            "gate_after": in_sums(&self.judge_sums(unit, after)?),
        }))
    }
}

impl Looked {
    /// The report with everything but its workloads.
    pub fn lean(&self) -> UsageReport {
        let whole = self.table.report();
        UsageReport {
            lines: whole.lines.clone(),
            adjustments: whole.adjustments.clone(),
            difference: whole.difference.clone(),
            ..self.head.clone()
        }
    }
}

/// What orders would make of a report, with the names of its workloads.
pub(in crate::agent) fn made_of(report: &UsageReport, tried: &Tried) -> Vec<Value> {
    let all = &tried.report.adjustments;
    let names = Names::of(report, all);
    let of_step = |step: &Step| -> Vec<Value> {
        let lines = step.lines.as_ref().unwrap_or(&tried.report.lines);
        all[step.adjustments.clone()].iter().map(|made| shown_made(made, lines, &names)).collect()
    };
    tried.steps.iter().flat_map(of_step).collect()
}

/// A verdict without what explains it.
pub(super) fn in_sums(verdict: &GateVerdict) -> Value {
    let mut shown = verdict_shown(verdict);
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|field, _| field != "causes" && field != "unexplained" && field != "servers");
    }
    shown
}

/// The month's amount before the first step and after each; `None` where it or its lines are not known.
fn amounts(till: &Till, before: &UsageReport, steps: &[Step]) -> Vec<Option<Decimal>> {
    let with = |lines: &Vec<Line>| till.money(&UsageReport { lines: lines.clone(), ..before.clone() }).amount;
    std::iter::once(with(&before.lines)).chain(steps.iter().map(|step| with(step.lines.as_ref()?))).collect()
}

fn act(order: &AdjustmentOrder) -> &'static str {
    match order {
        AdjustmentOrder::Remove { .. } => "remove",
        AdjustmentOrder::Lower { .. } => "lower",
    }
}

/// The names of adjusted workloads, by server and id.
struct Names<'a>(BTreeMap<(&'a str, &'a str), &'a str>);

impl<'a> Names<'a> {
    fn of(report: &'a UsageReport, adjustments: &'a [Adjustment]) -> Names<'a> {
        let place = |made: &'a Adjustment| Some((made.server.as_deref()?, made.workload.as_deref()?));
        let mut names: BTreeMap<_, &str> = adjustments.iter().filter_map(place).map(|place| (place, "")).collect();
        for workload in &report.workloads {
            if let Some(name) = names.get_mut(&(workload.server.as_str(), workload.id.as_str())) {
                *name = &workload.name;
            }
        }
        Names(names)
    }

    fn name(&self, made: &Adjustment) -> Option<&'a str> {
        self.0.get(&(made.server.as_deref()?, made.workload.as_deref()?)).copied()
    }
}

/// One change with its points, also where a count was lowered.
fn shown_made(made: &Adjustment, lines: &[Line], names: &Names<'_>) -> Value {
    let is_of = |line: &&Line| line.tenant == made.tenant && Some(&line.kind) == made.kind.as_ref();
    let weight = made.weight.or_else(|| lines.iter().find(is_of).map(|line| line.weight));
    let counted = |count: &str| Some(weight? * count.parse::<u64>().ok()?);
    let (before, after) = match made.workload {
        Some(_) => (Points::stated(&made.before).ok(), Points::stated(&made.after).ok()),
        None => (counted(&made.before), counted(&made.after)),
    };
    json!({
        "workload": made.workload, "name": names.name(made), "server": made.server, "tenant": made.tenant, "type": made.kind, "weight": weight,
        "before": made.before, "after": made.after, "points_before": before, "points_after": after,
        "points": before.zip(after).map(|(before, after)| after - before), "reason": made.reason,
    })
}
