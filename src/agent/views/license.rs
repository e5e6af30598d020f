//! Licenses, their history and the gate.

use serde_json::{Value, json};

use crate::agent::Trouble;
use crate::agent::orders::switch_key;
use crate::agent::{Agent, Hour, Refused};
use crate::domain::installation::Unit;
use crate::protocol::Occasion;
use crate::rules::eligibility::Ineligible;
use crate::rules::license_results::LicenseOutcome;
use crate::rules::renewal::{self, Renewal};
use crate::store::fact::{AutoUpdate, LicenseCheckRow, key};

/// The job in whose history every session stands, scheduled and ad hoc (domain.md 4.8).
const JOB: &str = "License key auto-update";

impl Agent {
    pub(in crate::agent) fn license_shown(&self, unit: &Unit, hour: Hour) -> Result<Value, Trouble> {
        let license = self.unit_license(unit)?.unwrap_or_default();
        let shown = self.server_license(unit)?;
        let window = renewal::window(license.expires_on, license.support_expires_on);
        let switch: Option<AutoUpdate> = self.store.row(&switch_key(unit))?;
        let last = self.last_session(unit)?;
        let (_, decided_by) = self.switch_decided(unit)?;
        let days_left = license.expires_on.map(|day| (day - hour.now.date_naive()).num_days());
        let mut shown = json!({
            "schema": "tidegauge.license/1",
            "unit": unit.id,
            "servers": unit.servers,
            "license": license,
            "counted_in": license.kind.measure(),
            "days_left": days_left,
            "shown_by_server": shown,
            "installed": self.installed_key(unit)?.map(|key| json!({"serial": key.serial, "at": key.at})),
            "auto_update": self.automatic_since(unit)?.is_some(),
            "auto_update_ordered": switch,
            "auto_update_decided_by": decided_by,
            "eligibility": eligibility(self.eligible(unit)?),
            "reports_by_itself": self.is_automatic(unit)?,
            "window": window,
            "phase": renewal::phase(window.as_ref(), hour.now),
            "next_check_at": self.license_steps(unit, hour.now)?.into_iter().filter_map(Renewal::asks_at).min(),
            "last_check": last,
        });
        for (name, value) in self.license_known(unit, hour.now)?.shown() {
            shown[name] = value;
        }
        Ok(shown)
    }

    /// `license history --json`: the sessions of each unit, newest last.
    pub(in crate::agent) fn license_history(&self, unit: Option<&str>, server: Option<&str>) -> Result<Value, Refused> {
        self.of_each_unit(unit, server, |unit| {
            let kept = self.store.rows::<LicenseCheckRow>(&key::license_sessions(&unit.id))?;
            let sessions: Vec<Value> = kept.iter().map(|(_, session)| session_shown(session)).collect();
            Ok(json!({
                "schema": "tidegauge.license-history/1",
                "unit": unit.id,
                "servers": unit.servers,
                "job": JOB,
                "sessions": sessions,
                "gate": self.gate_changes(unit)?,
            }))
        })
    }
}

/// A session as the history shows it.
fn session_shown(session: &LicenseCheckRow) -> Value {
    let occasion = session.occasion.map(|occasion| match occasion {
        Occasion::Scheduled => "scheduled",
        Occasion::ByHand => "ad_hoc",
    });
    json!({
        "started_at": session.started_at.unwrap_or(session.at),
        "ended_at": session.at,
        "occasion": occasion,
        "by": session.by,
        "server": session.server,
        "steps": session.steps,
        "result": session.result,
        "result_name": LicenseOutcome::numbered(session.result).map(LicenseOutcome::name),
        "message": session.message,
        "retry_at": session.retry_at,
    })
}

fn eligibility(judged: Result<(), Ineligible>) -> Value {
    let (reason, to_do) = (judged.err(), judged.err().map(|reason| reason.to_string()));
    json!({"eligible": judged.is_ok(), "reason": reason, "to_do": to_do})
}
