//! Orders about licenses: the switch, asking now, installing a key by hand.

use serde_json::json;

use crate::agent::license::{Asked, Wish};
use crate::agent::{Agent, Hour, Query, Refused, Work};
use crate::domain::gate::Verdict;
use crate::domain::installation::{ServerName, Unit};
use crate::protocol::Occasion;
use crate::rules::schedule::Duty;
use crate::rules::{license_results, renewal};
use crate::sources::renewing::Deed;
use crate::store::fact::{AutoUpdate, Fact};

use super::{Obeyed, Target, switch_key};

impl Agent {
    pub(super) fn order_auto_update(
        &mut self,
        target: &Target,
        on: bool,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let mut switched = Vec::new();
        for unit in self.units_named(target.unit.as_deref(), target.server.as_deref())? {
            let before: Option<AutoUpdate> = self.store.row(&switch_key(&unit))?;
            // Repeating the order moves no consent: weeks and months owed since the first one stay owed.
            if before.is_some_and(|before| before.on == on) {
                switched.push(unit.id);
                continue;
            }
            let why = if on { "usage reporting consented to" } else { "switched off by hand" };
            let switch = AutoUpdate { on, at: hour.now, by: actor.to_owned(), why: why.to_owned() };
            let facts = vec![Fact::AutoUpdateSet { unit: unit.id.clone(), switch }, self.look_at_gate_again(&unit)];
            self.record(hour, actor, facts)?;
            switched.push(unit.id);
        }
        if switched.is_empty() {
            return Err(Refused::new(3, "no sample is kept yet, so there is no license to update"));
        }
        Ok(Obeyed::Done(json!({"auto_update": on, "units": switched, "enables_usage_reporting": on})))
    }

    pub(super) fn order_license_update(&mut self, target: &Target, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        let servers = self.servers_meant(&unit, target);
        if !servers.is_empty() {
            let work = self.update_by_servers(&unit, &servers, actor, hour)?;
            return self.carry_to_servers(&unit, servers, work, Wish::Update);
        }
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
        match self.ask_license(&unit, license, Occasion::ByHand, hour)? {
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
            let work = self.ask_servers(&servers, &deed, actor);
            return self.carry_to_servers(&unit, servers, work, Wish::Install);
        }
        let installed = self.verified_key(&unit, file, hour)?.map_err(|why| Refused::new(65, why))?;
        let result = license_results::read(license_results::RECEIVED);
        let steps = vec![license_results::INSTALLED.to_owned()];
        let mut facts = vec![Fact::LicenseInstalled { unit: unit.id.clone(), license: installed }];
        facts.extend(self.check_facts(&unit, &result, steps, Asked { by: actor, server: None }, hour)?);
        self.record(hour, actor, facts)?;
        self.keep_key_file(&unit, hour)?;
        Ok(Obeyed::Done(self.answer(&Query::License { unit: Some(unit.id), server: None }, hour)?))
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
