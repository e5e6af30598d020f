//! What is known now, in one answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::agent::Trouble;
use crate::agent::hooks::SLOW;
use crate::agent::notices::{REFUSED, tell};
use crate::agent::{Agent, Hour, Refused};
use crate::channels::webhook;
use crate::domain::Instant;
use crate::domain::calendar::{minute_local, minute_text, rfc3339};
use crate::domain::installation::{Unit, entry_of};
use crate::domain::report::{Stage, UsageReport};
use crate::doors::peer::WEBHOOK;
use crate::rules::{deadlines, schedule};
use crate::store::fact::{Miss, SetbackRow, key};

use super::looks::Look;

/// Duties that `status` lists.
const NEXT_MAX: usize = 10;

impl Agent {
    /// `status --json`.
    pub(in crate::agent) fn status(&self, hour: Hour) -> Result<Value, Refused> {
        let facts = self.facts(hour.now)?;
        let plan = schedule::plan(&facts, &self.policy());
        let next: Vec<Value> = plan
            .iter()
            .take(NEXT_MAX)
            .map(|planned| {
                let at = planned.at.max(hour.now);
                let at_local = minute_local(at, self.settings.time_zone);
                json!({"at": at, "at_local": at_local, "duty": planned.duty.key(), "why": planned.why})
            })
            .collect();
        let units = self.units()?;
        let (mut servers, mut licenses, mut open, mut warnings) = (vec![], vec![], vec![], self.clock_warning()?);
        for name in self.known_servers(&units) {
            let look = self.look(&name, hour.now)?;
            servers.push(self.server_shown(&name, look.as_deref(), hour.now)?);
        }
        for unit in &units {
            licenses.push(self.license_shown(unit, hour)?);
            open.extend(self.open_reports(unit, hour)?);
            warnings.extend(self.warnings(unit, hour.now)?);
        }
        warnings.extend(self.settings_refused.clone());
        warnings.extend(self.identity_warnings(hour.now)?);
        warnings.extend(self.hook_warnings()?);
        let untold = self.untold(hour.now)?;
        warnings.extend(self.setbacks_shown(&untold, hour.now)?);
        warnings.extend(self.finalizations_unanswered()?);
        warnings.extend(self.price_book().err());
        let unknown = self.unknown_of(&self.known_servers(&units), hour.now)?;
        Ok(json!({
            "schema": "tidegauge.status/1",
            "now": rfc3339(hour.now),
            "now_local": minute_local(hour.now, self.settings.time_zone),
            "time_zone": self.settings.time_zone.name(),
            "agent": self.identity.agent,
            "next": next,
            "servers": servers,
            "open_reports": open,
            "licenses": licenses,
            "outbox": self.outbox()?,
            "untold": untold.len(),
            "unknown_types": unknown,
            "warnings": warnings,
        }))
    }

    /// The newest miss of a server, or of the source that names it.
    pub(super) fn miss_of(&self, server: &str) -> Result<Option<Miss>, Trouble> {
        let own: Option<Miss> = self.store.row(&key::miss(server))?;
        match own {
            None if self.names_its_servers(entry_of(server)) => Ok(self.store.row(&key::miss(entry_of(server)))?),
            own => Ok(own),
        }
    }

    /// Servers of the settings, and those that samples were imported of.
    pub(super) fn known_servers(&self, units: &[Unit]) -> Vec<String> {
        let set = self.settings.servers.iter().map(|server| server.name.clone());
        let mut names: Vec<String> = set.chain(units.iter().flat_map(|unit| unit.servers.clone())).collect();
        names.sort();
        names.dedup();
        names
    }

    /// A server as it stands, by its newest sample.
    pub(super) fn server_shown(&self, name: &str, look: Option<&Look>, now: Instant) -> Result<Value, Trouble> {
        let last_sample_at = self.last_seen_at(name, now)?;
        let miss = self.miss_of(name)?;
        let is_stale = look.is_some_and(|look| look.is_stale);
        let left = self.absent(name)?;
        let in_time = last_sample_at.is_some_and(|at| now - self.policy().basis_max_age <= at);
        let fresh = in_time && !is_stale && left.is_none();
        let state = match (&miss, fresh) {
            (Some(_), _) => "unreachable",
            (None, true) => "fresh",
            (None, false) => "late",
        };
        let mut discrepancies = look.map(|look| look.discrepancies.clone()).unwrap_or_default();
        discrepancies.extend(self.said_of_members(name)?);
        Ok(json!({
            "name": name,
            "last_sample_at": last_sample_at,
            "last_sample_at_local": last_sample_at.and_then(|at| minute_local(at, self.settings.time_zone)),
            "state": state,
            "error": miss.as_ref().map(|miss| miss.why.clone()),
            "misses_in_a_row": miss.map_or(0, |miss| miss.in_a_row),
            "stale_since": self.stale_spans(name)?.pop().filter(|span| span.until.is_none()).map(|span| span.since),
            "left_at": left.map(|absent| absent.since),
            "sums": self.sums_of(name)?,
            "discrepancy": (!discrepancies.is_empty()).then(|| discrepancies.join("; ")),
        }))
    }

    fn open_reports(&self, unit: &Unit, hour: Hour) -> Result<Vec<Value>, Trouble> {
        self.open_heads(unit)?.iter().map(|report| self.in_short(unit, report, hour)).collect()
    }

    /// Reports that are not sent yet, without their tables.
    pub(super) fn open_heads(&self, unit: &Unit) -> Result<Vec<UsageReport>, Trouble> {
        let mut open = Vec::new();
        for (month, revision) in self.report_months(&unit.id)? {
            // Most are sent, and their stage alone says so.
            if let Some(Stage::Submitted { .. }) = self.store.row(&key::report("stage", &unit.id, month, revision))? {
                continue;
            }
            let head = self.head_of(&unit.id, month, revision)?;
            open.extend(head.filter(|report| !matches!(report.stage, Stage::Submitted { .. })));
        }
        Ok(open)
    }

    /// Sealed messages that were not answered yet.
    pub(super) fn outbox(&self) -> Result<usize, Trouble> {
        let sealed = self.store.keys("sealed/")?;
        let answered = self.store.keys("receipt/")?;
        Ok(sealed.len().saturating_sub(answered.len()))
    }

    /// Deeds that came to nothing and are tried again, recipients that were refused for good, and letters that wait. Of
    /// recipients that left the settings nothing is shown.
    fn setbacks_shown(&self, untold: &[(String, String, Instant)], now: Instant) -> Result<Vec<String>, Trouble> {
        let tries: BTreeSet<String> = untold.iter().map(|(notice, to, _)| tell(notice, to).key()).collect();
        let (mut shown, mut waiting, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        for (row, setback) in self.store.rows::<SetbackRow>("setback/")? {
            let about = row.trim_start_matches("setback/");
            let SetbackRow { at, why, next_try_at, .. } = &setback;
            if let Some(to) = about.strip_prefix(REFUSED).filter(|to| webhook::name_of(to).is_some()) {
                let given_up = format!(
                    "a message to {to} was given up on {}: {why}; mend it, then `webhook replay`",
                    minute_text(*at)
                );
                shown.extend(self.settings.tells(to).then_some(given_up));
            } else if let Some(to) = about.strip_prefix(REFUSED) {
                let refused = format!("{about} were refused on {}: {why}; correct the address", minute_text(*at));
                shown.extend(self.settings.tells(to).then_some(refused));
            } else if about.starts_with("tell ") && !tries.contains(about) {
                // Its recipient is not told it any more.
            } else if about.starts_with("tell ") && about.contains(WEBHOOK) {
                messages.push(setback);
            } else if about.starts_with("tell ") {
                waiting.push(setback);
            } else if self.is_still_tried(about, *next_try_at, now) {
                shown.push(format!("{about}: {why}; next try {}", minute_text(*next_try_at)));
            }
        }
        shown.extend(in_one_line("letters not sent", &waiting));
        shown.extend(in_one_line("webhook messages not taken", &messages));
        Ok(shown)
    }

    /// Whether the settings still name whom a setback is with, and it holds anything back.
    fn is_still_tried(&self, about: &str, next_try_at: Instant, now: Instant) -> bool {
        if let Some(to) = about.strip_prefix(SLOW) {
            return self.settings.tells(to) && now < next_try_at;
        }
        match about.strip_prefix("usage ").and_then(|usage| usage.split(' ').next()) {
            Some(sink) => self.settings.usage_sinks.iter().any(|named| named.peer() == sink),
            None => true,
        }
    }

    fn clock_warning(&self) -> Result<Vec<String>, Trouble> {
        Ok(self.clock_suspect()?.map(|why| format!("nothing is generated or sent: {why}")).into_iter().collect())
    }

    /// What a person should know about a unit.
    fn warnings(&self, unit: &Unit, now: Instant) -> Result<Vec<String>, Trouble> {
        let whose = unit.servers.join(", ");
        let of_license = self.license_known(unit, now)?.warnings();
        let mut warnings: Vec<String> = of_license.into_iter().map(|warning| format!("{whose}: {warning}")).collect();
        let shown = self.server_license(unit)?.unwrap_or_default();
        if shown.auto_update == Some(true) {
            warnings.push(format!(
                "{}: the server's own auto update is on, so it reports itself to its vendor; adjusting and postponing \
                 here do not change that",
                unit.servers.join(", ")
            ));
            warnings.extend(self.vendor_reports_earlier(unit));
        }
        warnings.extend(self.counted_otherwise(unit)?);
        warnings.extend(self.switches_differ(unit));
        if let (Err(reason), Some(_)) = (self.eligible(unit)?, self.automatic_since(unit)?) {
            warnings.push(format!("{}: auto update is on and renews no such key: {reason}", unit.servers.join(", ")));
        }
        if self.settings.license_server.is_none() {
            warnings.push(format!(
                "{}: no [license_server], so nothing is sent; enter each report in Pulse or the aggregator's portal and \
                 record it with `report mark-external`",
                unit.servers.join(", ")
            ));
        }
        Ok(warnings)
    }

    /// Servers that are found to share a key although the settings give them two switches of Enterprise Manager.
    fn switches_differ(&self, unit: &Unit) -> Option<String> {
        let switch = |name: &String| self.settings.server(name)?.em_auto_update;
        let with = |on: bool| unit.servers.iter().find(|name| switch(name) == Some(on));
        let (on, off) = (with(true)?, with(false)?);
        Some(format!("{on} and {off} have one license and differ in em_auto_update; write the same for both"))
    }

    /// A server whose own auto update is on sends its own report on its vendor's day (design.md section 4).
    fn vendor_reports_earlier(&self, unit: &Unit) -> Option<String> {
        let ours = self.settings.deadlines;
        let vendor = deadlines::vendor_is_earlier(ours)?;
        Some(format!(
            "{}: the vendor's servers send their own report on day {} ({}), before policy.auto_submit_day = {}; to review \
             in time set policy.auto_submit_day = \"{}\", or switch the server's own auto update off",
            unit.servers.join(", "),
            vendor.day,
            vendor.mirrors,
            ours.auto_submit_day,
            vendor.name
        ))
    }
}

/// How many wait, why the newest was not taken, and when the first is tried again.
fn in_one_line(what: &str, waiting: &[SetbackRow]) -> Option<String> {
    let newest = waiting.iter().max_by_key(|setback| setback.at)?;
    let next = waiting.iter().map(|setback| setback.next_try_at).min()?;
    Some(format!("{what}: {}: {}; next try {}", waiting.len(), newest.why, minute_text(next)))
}
