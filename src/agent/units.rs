//! Reporting units: which servers stand under one key (design.md section 4).

use std::sync::Arc;

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::config::ManagedBy;
use crate::domain::installation::{CountsOnce, Unit, UnitId, answers_to, installation_id_of};
use crate::domain::sample::Sample;
use crate::domain::{Instant, Month};
use crate::store::fact::Fact;

use super::{Agent, Hour, Refused};

impl Agent {
    /// Every reporting unit, in the order of their ids.
    pub(super) fn units(&self) -> Result<Vec<Unit>, Trouble> {
        Ok(self.store.units()?)
    }

    /// The same, kept until one of them is another.
    pub(super) fn units_standing(&self) -> Result<Arc<Vec<Unit>>, Trouble> {
        self.kept.all_units.get(&self.store, (), |()| true, || Ok((Some(()), Arc::new(self.units()?))))
    }

    pub(super) fn unit(&self, id: &str) -> Result<Option<Unit>, Trouble> {
        Ok(self.store.row(&crate::store::fact::key::unit(id))?)
    }

    /// The unit with the servers that were of it at a month's end: a server that left it since is still of that month's
    /// report, and one that came since is of none of its reports before (design.md section 4, "Reporting unit").
    pub(super) fn unit_as_of(&self, unit: &Unit, month: Month) -> Result<Unit, Trouble> {
        let of_all = self.store.servers()?.into_iter().filter(|server| !unit.servers.contains(server));
        let mut servers = Vec::new();
        for server in unit.servers.iter().cloned().chain(of_all) {
            if self.unit_id_as_of(&server, month)?.as_ref() == Some(&unit.id) {
                servers.push(server);
            }
        }
        Ok(Unit { servers, ..unit.clone() })
    }

    /// The unit that reports the server in a month: the one it was of at the month's end, else the one it joined later.
    pub(super) fn unit_id_as_of(&self, server: &str, month: Month) -> Result<Option<UnitId>, Trouble> {
        let then = self.store.unit_as_of(server, month.ends_at() - TimeDelta::nanoseconds(1))?;
        Ok(if then.is_some() { then } else { self.store.unit_of(server)? })
    }

    /// The units that a command speaks of: the named one, the named server's, else all.
    pub(super) fn units_named(&self, unit: Option<&str>, server: Option<&str>) -> Result<Vec<Unit>, Refused> {
        let mut units = self.units()?;
        if let Some(named) = unit {
            units.retain(|unit| unit.id == named);
            if units.is_empty() {
                return Err(Refused::new(66, format!("no reporting unit has the id {named}; `status` lists them")));
            }
        }
        if let Some(named) = server {
            units.retain(|unit| unit.servers.iter().any(|server| answers_to(server, named)));
            if units.is_empty() {
                return Err(Refused::new(66, format!("no sample of a server named {named} is kept")));
            }
        }
        Ok(units)
    }

    /// The one unit that an act is for.
    pub(super) fn one_unit(&self, unit: Option<&str>, server: Option<&str>) -> Result<Unit, Refused> {
        let mut units = self.units_named(unit, server)?;
        match units.len() {
            1 => Ok(units.remove(0)),
            0 => Err(Refused::new(3, "no sample is kept yet, so there is no reporting unit")),
            _ => {
                let names: Vec<String> =
                    units.iter().map(|unit| format!("{} ({})", unit.id, unit.servers.join(", "))).collect();
                Err(Refused::new(2, format!("several reporting units; name one with --unit: {}", names.join("; "))))
            }
        }
    }

    /// What a sample changes in the units: forms one, adds the server to one, moves it, notes a license.
    pub(super) fn unit_facts_for(&self, sample: &Sample, own: Own, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let units = self.units()?;
        let current = units.iter().find(|unit| unit.servers.contains(&sample.server));
        let newest = self.store.newest_sample_at(&sample.server, crate::domain::Instant::MAX_UTC)?;
        if current.is_some() && newest.is_some_and(|newest| sample.taken_at < newest) {
            return Ok(Vec::new());
        }
        let shared = self.settings.server(&sample.server).and_then(|server| server.shared_license.clone());
        let target = self.target(&units, current, sample, shared.as_deref());
        let mut target = match target {
            Some(unit) => unit.clone(),
            None => Unit {
                id: self.id_for(&units, sample),
                shared_license: shared,
                servers: Vec::new(),
                license_id: None,
                formed_at: hour.now,
                since: None,
                counts_once: Vec::new(),
            },
        };
        let mut facts = Vec::new();
        if let Some(left) = current.filter(|unit| unit.id != target.id) {
            let mut left = left.clone();
            left.servers.retain(|server| *server != sample.server);
            facts.push(Fact::UnitFormed { unit: left });
        }
        let before = target.clone();
        if !target.servers.contains(&sample.server) {
            target.servers.push(sample.server.clone());
        }
        if let Some(license) = &sample.license.license_id
            && !is_key(&target, license)
        {
            target.license_id = Some(license.clone());
        }
        if own == Own::Yes {
            target.since.get_or_insert(sample.taken_at);
        }
        let once = self.counts_once(&target)?;
        if once != target.counts_once_at(sample.taken_at) {
            // What was counted before stays as it was; a unit that begins so always did.
            let from = if before.servers.is_empty() { Instant::UNIX_EPOCH } else { sample.taken_at };
            target.counts_once.push(CountsOnce { from, once });
        }
        if target != before || units.iter().all(|unit| unit.id != target.id) {
            facts.push(Fact::UnitFormed { unit: target });
        }
        Ok(facts)
    }

    /// Whether a machine that several servers of the unit show counts once: by the settings, or because one Enterprise
    /// Manager manages them all (domain.md 3.6).
    fn counts_once(&self, unit: &Unit) -> Result<bool, Trouble> {
        let by_manager = |name: &String| {
            let settings = self.settings.server(name);
            Ok(settings.is_some_and(|server| server.managed_by == Some(ManagedBy::EnterpriseManager))
                || self.dropped(name)?.is_some())
        };
        let managed = unit.servers.iter().map(by_manager).collect::<Result<Vec<bool>, Trouble>>()?;
        Ok(self.settings.count_duplicates_once || managed.into_iter().all(|one| one))
    }

    /// The existing unit that a sample belongs to; `None`: one of its own.
    fn target<'a>(
        &self,
        units: &'a [Unit],
        current: Option<&'a Unit>,
        sample: &Sample,
        shared: Option<&str>,
    ) -> Option<&'a Unit> {
        if shared.is_some() {
            return units.iter().find(|unit| unit.shared_license.as_deref() == shared);
        }
        let Some(license) = &sample.license.license_id else {
            return current;
        };
        let fits = |unit: &&Unit| unit.shared_license.is_none() && is_key(unit, license);
        if let Some(same_key) = units.iter().find(fits) {
            return Some(same_key);
        }
        // A key of its own: a unit of one server takes the license along, a shared unit is left.
        current.filter(|unit| unit.shared_license.is_none() && (unit.servers.len() == 1 || unit.license_id.is_none()))
    }

    fn id_for(&self, units: &[Unit], sample: &Sample) -> String {
        let stated = sample.license.installation_id.clone();
        let own = || installation_id_of(self.identity.agent, &sample.server);
        // A cloned server shows another's installation id; its unit keeps an id of its own.
        stated.filter(|id| units.iter().all(|unit| !unit.id.eq_ignore_ascii_case(id))).unwrap_or_else(own)
    }
}

/// Whether the unit's key has this id; sources spell ids in capitals or not.
fn is_key(unit: &Unit, license: &str) -> bool {
    unit.license_id.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(license))
}

/// Whether the agent took the sample itself, or a person imported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Yes,
    Imported,
}
