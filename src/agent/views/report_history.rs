//! What happened to a month's report, in order: from its rows, so that no journal has to be read.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::agent::orders::Target;
use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::adjustment::Adjustment;
use crate::domain::gate::{Justification, OperatorDecision};
use crate::domain::installation::Unit;
use crate::domain::notice::Notice;
use crate::domain::report::{Stage, UsageReport};
use crate::domain::{Instant, Month};
use crate::store::fact::{MessageKind, SealedMessage, StageRow, key};

/// Events that are told, the newest ones.
const EVENTS_MAX: usize = 1000;

/// One thing that happened.
struct Event {
    at: Instant,
    /// Events of one instant stand in the order in which they are gathered.
    shown: Value,
}

/// Of a report's row only this.
#[derive(Deserialize)]
struct Adjusted {
    adjustments: Vec<Adjustment>,
}

impl Event {
    fn of(at: Instant, what: &str, by: Option<&str>, detail: Value) -> Event {
        Event { at, shown: json!({"at": at, "what": what, "by": by, "detail": detail}) }
    }
}

impl Agent {
    /// `tidegauge.report-history/1`. Adjustments that were taken back are told by the news of their day.
    pub(in crate::agent) fn report_history(&self, target: &Target, hour: Hour) -> Result<Value, Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        let (month, _) = self.month_looked_at(&unit, target.month)?;
        let mut events = Vec::new();
        let heads = self.heads_of(&unit.id, month)?;
        for head in &heads {
            let is_newest = heads.last().is_some_and(|newest| newest.revision == head.revision);
            // The newest is what people look at anyway; of those before it only this is read.
            let adjustments = if is_newest {
                self.table_of(head, hour.now)?.map(|table| table.report().adjustments.clone())
            } else {
                let report = key::report("report", &head.unit, head.month, head.revision);
                self.store.row::<Adjusted>(&report).map_err(Trouble::from)?.map(|report| report.adjustments)
            };
            events.extend(self.events_of_revision(head, &adjustments.unwrap_or_default())?);
        }
        events.extend(self.stages_told(&unit, month)?);
        events.extend(self.rulings_and_reasons(&unit, month)?);
        events.extend(self.news_told(&unit, month)?);
        events.sort_by_key(|event| event.at);
        let left_out = events.len().saturating_sub(EVENTS_MAX);
        let events: Vec<Value> = events.into_iter().skip(left_out).map(|event| event.shown).collect();
        Ok(json!({
            "schema": "tidegauge.report-history/1",
            "unit": unit.id,
            "month": month,
            "left_out": left_out,
            "events": events,
        }))
    }

    fn events_of_revision(&self, head: &UsageReport, adjustments: &[Adjustment]) -> Result<Vec<Event>, Trouble> {
        let revision = head.revision;
        let made = json!({"revision": revision, "late": head.basis.late, "total_points": head.total_points, "digest": head.digest});
        let mut events = vec![match &head.correction {
            Some(Justification { at, by, reason }) => {
                let detail = json!({"revision": revision, "reason": reason, "total_points": head.total_points, "digest": head.digest});
                Event::of(*at, "correction_begun", Some(by), detail)
            }
            None => Event::of(head.generated_at, "generated", Some("duty"), made),
        }];
        events.extend(adjustments.iter().map(|made| adjusted(revision, made)));
        if let Some(at) = head.external.at {
            let external =
                json!({"revision": revision, "portal": head.external.portal, "document": head.external.document});
            events.push(Event::of(at, "entered_elsewhere", head.external.by.as_deref(), external));
        }
        if let Some((message, receipt)) =
            self.sealed(&head.unit, MessageKind::Report, &head.month.to_string(), revision)?
        {
            events.push(sealed(&message));
            events.extend(receipt.map(|receipt| {
                let detail = json!({"revision": revision, "receipt": receipt});
                Event::of(receipt.received_at, "receipt", None, detail)
            }));
        }
        Ok(events)
    }

    fn stages_told(&self, unit: &Unit, month: Month) -> Result<Vec<Event>, Trouble> {
        let prefix = key::stages_set(&unit.id, month);
        let mut events = Vec::new();
        for (row, set) in self.store.rows::<StageRow>(&prefix)? {
            let mut parts = row[prefix.len()..].splitn(2, '/');
            let revision = parts.next().and_then(|text| text.parse::<u32>().ok());
            // What was sealed says so itself.
            if let Stage::Sending { .. } = set.stage {
                continue;
            }
            let Some(at) = parts.next().and_then(|text| text.parse::<Instant>().ok()) else { continue };
            let mut detail = json!(set.stage);
            detail["revision"] = json!(revision);
            events.push(Event::of(at, set.stage.as_str(), Some(&set.by), detail));
        }
        Ok(events)
    }

    fn rulings_and_reasons(&self, unit: &Unit, month: Month) -> Result<Vec<Event>, Trouble> {
        let justified = self.recorded_justification(unit, month)?;
        let justified =
            justified.map(|given| Event::of(given.at, "justified", Some(&given.by), json!({"reason": given.reason})));
        let ruled: Option<OperatorDecision> = self.store.row(&key::ruled(&unit.id, month))?;
        let ruled = ruled.map(|ruled| Event::of(ruled.at, "ruled", Some(&ruled.by), json!(ruled)));
        Ok(justified.into_iter().chain(ruled).collect())
    }

    /// News about the month's report, each with whom it reached.
    fn news_told(&self, unit: &Unit, month: Month) -> Result<Vec<Event>, Trouble> {
        let mut events = Vec::new();
        let mut notices: Vec<Notice> = self.store.rows("notice/")?.into_iter().map(|(_, notice)| notice).collect();
        // Of one instant, what made the report comes before what was done to it.
        notices.sort_by_key(|notice| (notice.at, notice.news.event() != "report.generated"));
        for notice in notices {
            let news = json!(notice.news);
            if notice.unit.as_ref() != Some(&unit.id) || news["month"] != json!(month) {
                continue;
            }
            let prefix = format!("told/{}/", notice.id);
            let told = self.store.rows::<Value>(&prefix)?.into_iter().map(|(row, mut told)| {
                told["to"] = json!(row[prefix.len()..]);
                told
            });
            let told: Vec<Value> = told.collect();
            let detail = json!({"event": notice.news.event(), "news": news, "told": told});
            events.push(Event::of(notice.at, "news", None, detail));
        }
        Ok(events)
    }
}

fn adjusted(revision: u32, made: &Adjustment) -> Event {
    let mut detail = json!(made);
    detail["revision"] = json!(revision);
    Event::of(made.at, "adjusted", Some(&made.by), detail)
}

fn sealed(message: &SealedMessage) -> Event {
    let detail = json!({
        "revision": message.revision, "id": message.id, "sha256": message.sha256, "bytes": message.body.len(),
    });
    Event::of(message.sealed_at, "sealed", Some(&message.by), detail)
}
