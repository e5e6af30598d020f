//! Orders about licenses: the switch, asking now, installing a key by hand.

use serde::Serialize;
use serde_json::{Value, json};

use crate::agent::license::{Session, Wish};
use crate::agent::{Agent, Hour, Query, Refused, Work};
use crate::domain::gate::Verdict;
use crate::domain::installation::{ServerName, Unit, UnitId};
use crate::domain::license::LicenseType;
use crate::protocol::ReportDetail;
use crate::rules::consent::{self, Machines};
use crate::rules::eligibility::Ineligible;
use crate::rules::renewal::{DecidedBy, Switch};
use crate::rules::schedule::Duty;
use crate::rules::{license_results, renewal};
use crate::sources::renewing::Deed;
use crate::store::fact::{AutoUpdate, Fact};

use super::{Obeyed, Target, switch_key};

/// What became of one unit's switch.
#[derive(Serialize)]
struct Switched {
    unit: UnitId,
    servers: Vec<ServerName>,
    /// What holds in the end.
    auto_update: bool,
    decided_by: DecidedBy,
}

/// A unit whose key auto update does not renew.
#[derive(Serialize)]
struct NotEligible {
    unit: UnitId,
    servers: Vec<ServerName>,
    reason: Ineligible,
    to_do: String,
}

impl Agent {
    /// Switches auto update of every unit named whose key it renews; refused when there is none such.
    pub(super) fn order_auto_update(
        &mut self,
        target: &Target,
        on: bool,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let units = self.units_named(target.unit.as_deref(), target.server.as_deref())?;
        if units.is_empty() {
            return Err(Refused::new(3, "no sample is kept yet, so there is no license to update"));
        }
        let (mut switched, mut left_out) = (Vec::new(), Vec::new());
        for unit in units {
            match self.stays_off(&unit, hour)? {
                Some((reason, to_do)) if on => {
                    left_out.push(NotEligible { unit: unit.id, servers: unit.servers, reason, to_do });
                }
                Some(_) | None => switched.push(self.switch(unit, on, actor, hour)?),
            }
        }
        if let (true, Some(first)) = (switched.is_empty(), left_out.first()) {
            let why = format!("auto update of {} stays off: {}", first.servers.join(", "), first.to_do);
            return Err(Refused::new(65, why));
        }
        let units: Vec<&UnitId> = switched.iter().map(|one| &one.unit).collect();
        Ok(Obeyed::Done(json!({
            "schema": "tidegauge.auto-update/1",
            "auto_update": on,
            "units": units,
            "enables_usage_reporting": on,
            "consent": on.then(|| self.consent_words()),
            "switched": switched,
            "not_eligible": left_out,
        })))
    }

    /// Why auto update would not stay on, and what to do.
    fn stays_off(&self, unit: &Unit, hour: Hour) -> Result<Option<(Ineligible, String)>, Refused> {
        if let Err(reason) = self.eligible(unit)? {
            return Ok(Some((reason, reason.to_string())));
        }
        let ended_on = self.window_ended_on(unit, hour.now)?;
        Ok(ended_on.map(|day| {
            (Ineligible::WindowOver, format!("the retry window ended on {day}; {}", Ineligible::WindowOver))
        }))
    }

    fn switch(&mut self, unit: Unit, on: bool, actor: &str, hour: Hour) -> Result<Switched, Refused> {
        let before: Option<AutoUpdate> = self.store.row(&switch_key(&unit))?;
        // Repeating the order moves no consent: weeks and months owed since the first one stay owed.
        if before.is_none_or(|before| before.on != on) {
            let why = if on { "usage reporting consented to" } else { "switched off by hand" };
            let (by, why, consent) = (actor.to_owned(), why.to_owned(), on.then(|| self.consent_words()));
            let switch = AutoUpdate { on, at: hour.now, by, why, consent };
            let facts = vec![Fact::AutoUpdateSet { unit: unit.id.clone(), switch }, self.look_at_gate_again(&unit)];
            self.record(hour, actor, facts)?;
        }
        let (decided, decided_by) = self.switch_decided(&unit)?;
        Ok(Switched { unit: unit.id, servers: unit.servers, auto_update: decided == Switch::On, decided_by })
    }

    /// What switching on consents to, by these settings.
    pub(in crate::agent) fn consent_words(&self) -> String {
        consent::words(match self.settings.report_detail {
            ReportDetail::Lines => Machines::Unnamed,
            ReportDetail::Workloads => Machines::Named,
        })
    }

    pub(super) fn order_license_update(&mut self, target: &Target, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        self.not_under_way(&Duty::CheckLicense { unit: unit.id.clone() })?;
        let servers = self.servers_meant(&unit, target);
        if !servers.is_empty() {
            let work = self.update_by_servers(&unit, &servers, actor, hour)?;
            return self.carry_to_servers(&unit, servers, work, Wish::Update);
        }
        self.renewed_at_all(&unit)?;
        if !self.sends()? {
            return Err(Refused::new(77, "this agent is not enrolled; run `enrol --token-file F` first"));
        }
        let license = self.unit_license(&unit)?.unwrap_or_default();
        let window = renewal::window(license.expires_on, license.support_expires_on);
        let verdict = self.judge(&unit, self.judged_month(&unit, hour.now)?)?;
        if verdict.verdict == Verdict::Held && !renewal::asks_while_held(window.as_ref(), hour.now) {
            let why = format!(
                "held by the gate: the report of {} is {} points below the highest watermark; see `license gate`",
                verdict.month, verdict.shortfall
            );
            return Err(Refused::new(5, why));
        }
        match self.ask_license(&unit, license, Session::ordered(actor, hour))? {
            Work::Talk(talk) => {
                let then = Query::License { unit: Some(unit.id.clone()), server: None };
                self.carry(Duty::CheckLicense { unit: unit.id }, talk, then)
            }
            Work::Over => Err(Refused::new(77, "this agent is not enrolled")),
        }
    }

    pub(super) fn order_license_install(
        &mut self,
        target: &Target,
        file: &str,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        let servers = self.servers_meant(&unit, target);
        if !servers.is_empty() {
            let deed = Deed::Install { file: file.as_bytes().to_vec() };
            let work = self.ask_servers(&servers, &deed, Session::ordered(actor, hour));
            return self.carry_to_servers(&unit, servers, work, Wish::Install);
        }
        self.renewed_at_all(&unit)?;
        let installed = self.verified_key(&unit, file, hour)??;
        let changes = self.key_changes(&unit, &installed)?;
        let result = license_results::read(license_results::RECEIVED);
        let steps = vec![license_results::RECEIVED.to_owned(), license_results::INSTALLED.to_owned()];
        let mut facts = vec![Fact::LicenseInstalled { unit: unit.id.clone(), license: installed }];
        facts.extend(self.check_facts(&unit, &result, steps, &Session::ordered(actor, hour), hour)?);
        self.record(hour, actor, facts)?;
        self.keep_key_file(&unit, hour)?;
        let mut shown = self.license_shown(&unit, hour)?;
        shown["changes"] = serde_json::to_value(changes).unwrap_or_default();
        shown["offer"] = self.offer(&unit)?;
        Ok(Obeyed::Done(shown))
    }

    /// Refused with 78 when the settings say that nobody renews the unit's key.
    fn renewed_at_all(&self, unit: &Unit) -> Result<(), Refused> {
        if self.settings.renews_by_license_server(&unit.servers) {
            return Ok(());
        }
        let named =
            unit.servers.iter().filter(|name| !self.settings.renews_by_license_server(std::slice::from_ref(name)));
        let why = format!(
            "`license` of {} is not \"license_server\", so its key is kept elsewhere; set `license = \"license_server\"` \
             or `license = \"backup_server\"` for it first",
            named.cloned().collect::<Vec<_>>().join(", ")
        );
        Err(Refused::new(78, why))
    }

    /// Installing a Rental or Subscription key offers auto update when it is off (domain.md 4.1).
    pub(in crate::agent) fn offer(&self, unit: &Unit) -> Result<Value, Refused> {
        let license = self.unit_license(unit)?.unwrap_or_default();
        let offered = matches!(license.kind, LicenseType::Rental | LicenseType::Subscription);
        if !offered || self.eligible(unit)?.is_err() || self.automatic_since(unit)?.is_some() {
            return Ok(Value::Null);
        }
        let command = format!("tidegauge license auto-update on --unit {}", unit.id);
        Ok(json!({"auto_update": consent::CHECK_BOX, "consent": self.consent_words(), "command": command}))
    }

    /// The servers that an order about a unit's license means, when they renew it themselves: the named one, else all.
    fn servers_meant(&self, unit: &Unit, target: &Target) -> Vec<ServerName> {
        let mut servers = self.asked_servers(unit);
        servers.retain(|server| target.server.as_ref().is_none_or(|named| named == server));
        servers
    }

    fn carry_to_servers(
        &mut self,
        unit: &Unit,
        servers: Vec<ServerName>,
        work: Work,
        wish: Wish,
    ) -> Result<Obeyed, Refused> {
        let then = Query::ServersAsked { unit: unit.id.clone(), servers, wish };
        match work {
            Work::Talk(talk) => self.carry(Duty::CheckLicense { unit: unit.id.clone() }, talk, then),
            Work::Over => Err(Refused::new(3, "no server of this unit can be asked")),
        }
    }

    pub(in crate::agent) fn look_at_gate_again(&self, unit: &Unit) -> Fact {
        Fact::SetbackOver { about: Duty::CheckLicense { unit: unit.id.clone() }.key() }
    }
}
