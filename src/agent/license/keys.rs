//! The license that governs a unit: the installed key, the servers' blocks, verifying and keeping a key file.

use std::path::PathBuf;

use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::installation::Unit;
use crate::domain::license::License;
use crate::domain::license_key::KeyFile;
use crate::protocol::{self, NotAKeyFile};
use crate::rules::eligibility::{Applicant, Ineligible, eligible};
use crate::rules::renewal::{self, Change, PackageChange};
use crate::seal::keys::VerifyingKey;
use crate::store::fact::{Enrolment, Fact, InstalledKey, SetbackRow, key};

use super::check::LOOK_AGAIN;

impl Agent {
    /// The license that governs the unit: our installed key, else the block its newest sample showed; where the settings
    /// have it renewed otherwise, or by nobody, always their block.
    pub(in crate::agent) fn unit_license(&self, unit: &Unit) -> Result<Option<License>, Trouble> {
        let is_ours = self.settings.renews_by_license_server(&unit.servers);
        match self.installed_key(unit)?.filter(|_| is_ours) {
            Some(installed) => Ok(Some(installed.license)),
            None => self.server_license(unit),
        }
    }

    /// The block that the unit's servers showed last; of several the one that expires first.
    pub(in crate::agent) fn server_license(&self, unit: &Unit) -> Result<Option<License>, Trouble> {
        let mut seen = Vec::new();
        for server in &unit.servers {
            seen.extend(self.store.row::<License>(&key::license_seen(server))?);
        }
        Ok(seen.into_iter().min_by_key(|license| license.anchor().unwrap_or(chrono::NaiveDate::MAX)))
    }

    pub(in crate::agent) fn installed_key(&self, unit: &Unit) -> Result<Option<InstalledKey>, Trouble> {
        Ok(self.store.row(&key::of_unit("license", &unit.id))?)
    }

    pub(in crate::agent) fn installations(&self, unit: &Unit) -> Result<Vec<String>, Trouble> {
        let mut ids = Vec::new();
        for server in &unit.servers {
            let seen: Option<License> = self.store.row(&key::license_seen(server))?;
            ids.extend(seen.and_then(|license| license.installation_id));
        }
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// Whether auto update renews the unit's key, and why not.
    pub(in crate::agent) fn eligible(&self, unit: &Unit) -> Result<Result<(), Ineligible>, Trouble> {
        let revoked = self.last_session(unit)?.is_some_and(|last| last.revoked);
        self.eligible_with(&self.unit_license(unit)?.unwrap_or_default(), revoked)
    }

    pub(super) fn eligible_with(&self, license: &License, revoked: bool) -> Result<Result<(), Ineligible>, Trouble> {
        let enrolment = self.enrolment()?;
        let enrolled_contract = enrolment.as_ref().map(|enrolment| enrolment.contract_id.as_str());
        Ok(eligible(Applicant { license, enrolled_contract, revoked }))
    }

    /// Checks signature, serial and what may differ; the refusal when the key is not installed.
    pub(in crate::agent) fn verified_key(
        &self,
        unit: &Unit,
        file: &str,
        hour: Hour,
    ) -> Result<Result<InstalledKey, Refused>, Trouble> {
        let Some((enrolment, server)) = self.issuer()? else {
            let why = "this agent is not enrolled, so it knows no issuer of keys; run `enrol --token-file F` first";
            return Ok(Err(Refused::new(77, why)));
        };
        let fresh = match protocol::read_key(file, &server) {
            Ok(fresh) => fresh,
            Err(why) => return Ok(Err(Refused::new(65, not_a_key(&why)))),
        };
        let package = if self.settings.allow_package_change { PackageChange::Allowed } else { PackageChange::Refused };
        let installed = self.content(self.installed_key(unit)?.as_ref(), &server);
        // The key of a contract that was left is no measure of what the new one gives.
        let accepted = match installed.filter(|known| known.contract_id == enrolment.contract_id) {
            Some(known) => renewal::acceptable(&known, &fresh, package),
            None => renewal::acceptable_first(&fresh, &enrolment.contract_id, &self.installations(unit)?),
        };
        Ok(match accepted {
            Err(difference) => Err(Refused::new(65, difference.to_string())),
            Ok(()) => {
                let license = fresh.license();
                Ok(InstalledKey { at: hour.now, serial: fresh.serial, license, file: file.trim().to_owned() })
            }
        })
    }

    /// In what a key differs from the installed one; nothing when there is none.
    pub(in crate::agent) fn key_changes(&self, unit: &Unit, fresh: &InstalledKey) -> Result<Vec<Change>, Trouble> {
        let Some((_, server)) = self.issuer()? else { return Ok(Vec::new()) };
        let known = self.content(self.installed_key(unit)?.as_ref(), &server);
        let fresh = self.content(Some(fresh), &server);
        Ok(known.zip(fresh).map(|(known, fresh)| renewal::changes(&known, &fresh)).unwrap_or_default())
    }

    pub(in crate::agent) fn issuer(&self) -> Result<Option<(Enrolment, VerifyingKey)>, Trouble> {
        let Some(enrolment) = self.enrolment()? else { return Ok(None) };
        let server = VerifyingKey::from_text(&enrolment.server_key).map_err(|why| Trouble::Odd(why.to_string()))?;
        Ok(Some((enrolment, server)))
    }

    /// What a kept key says; `None` when another server issued it.
    pub(super) fn content(&self, kept: Option<&InstalledKey>, server: &VerifyingKey) -> Option<KeyFile> {
        protocol::read_key(&kept?.file, server).ok()
    }

    /// Key files that do not hold what the journal holds are written again: the plug was pulled between the two.
    pub(in crate::agent) fn heal_key_files(&mut self, hour: Hour) -> Result<(), Trouble> {
        for unit in self.units()? {
            let Some(installed) = self.installed_key(&unit)? else { continue };
            let found = self.files.read(&self.key_file(&unit)).ok().flatten();
            if found.as_deref() != Some(installed.file.as_bytes()) {
                self.keep_key_file(&unit, hour)?;
            }
        }
        Ok(())
    }

    fn key_file(&self, unit: &Unit) -> PathBuf {
        self.settings.state_dir.join("licenses").join(format!("{}.tglicense", unit.id))
    }

    /// Writes `licenses/<unit>.tglicense` after the journal has the same text: until then the old key is in force and on
    /// disk. A folder that cannot be written is a setback in `status` until the next check or start writes it.
    pub(in crate::agent) fn keep_key_file(&mut self, unit: &Unit, hour: Hour) -> Result<(), Trouble> {
        let Some(installed) = self.installed_key(unit)? else { return Ok(()) };
        let path = self.key_file(unit);
        let about = format!("key file {}", unit.id);
        let before: Option<SetbackRow> = self.store.row(&key::setback(&about))?;
        match self.files.write(&path, installed.file.as_bytes()) {
            Ok(()) if before.is_none() => Ok(()),
            Ok(()) => self.record(hour, "duty", vec![Fact::SetbackOver { about }]),
            Err(error) => {
                let setback = SetbackRow {
                    at: hour.now,
                    why: Trouble::file(&path, &error).to_string(),
                    tries: before.map_or(1, |before| before.tries + 1),
                    next_try_at: self.license_check_at(unit, hour.now)?.unwrap_or(hour.now + LOOK_AGAIN),
                    needs_person: true,
                };
                self.record(hour, "duty", vec![Fact::Setback { about, setback }])
            }
        }
    }
}

fn not_a_key(why: &NotAKeyFile) -> String {
    format!("no license key of this agent's License Update Server ({why}); give the .tglicense file as it was issued")
}
