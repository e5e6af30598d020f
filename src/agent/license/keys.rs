//! The license that governs a unit: the installed key, the servers' blocks, verifying and keeping a key file.

use crate::agent::{Agent, Hour, Trouble};
use crate::domain::installation::Unit;
use crate::domain::license::License;
use crate::protocol;
use crate::rules::renewal::{self, PackageChange};
use crate::seal::keys::VerifyingKey;
use crate::store::fact::{Fact, InstalledKey, SetbackRow, key};

use super::check::LOOK_AGAIN;

impl Agent {
    /// The license that governs the unit: our installed key, else the block its newest sample showed; where servers renew
    /// themselves always their block.
    pub(in crate::agent) fn unit_license(&self, unit: &Unit) -> Result<Option<License>, Trouble> {
        if !self.asked_servers(unit).is_empty() {
            return self.server_license(unit);
        }
        if let Some(installed) = self.installed_key(unit)? {
            return Ok(Some(installed.license));
        }
        self.server_license(unit)
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

    /// Checks signature, serial and what may differ; the reason when the key is refused.
    pub(in crate::agent) fn verified_key(
        &self,
        unit: &Unit,
        file: &str,
        hour: Hour,
    ) -> Result<Result<InstalledKey, String>, Trouble> {
        let Some(enrolment) = self.enrolment()? else {
            return Ok(Err("this agent is not enrolled, so it knows no key issuer; enrol first".to_owned()));
        };
        let server = VerifyingKey::from_text(&enrolment.server_key).map_err(|why| Trouble::Odd(why.to_string()))?;
        let fresh = match protocol::read_key(file, &server) {
            Ok(fresh) => fresh,
            Err(why) => return Ok(Err(format!("the key is not valid: {why}"))),
        };
        let known = match self.installed_key(unit)? {
            Some(installed) => protocol::read_key(&installed.file, &server).ok(),
            None => None,
        };
        let package = if self.settings.allow_package_change { PackageChange::Allowed } else { PackageChange::Refused };
        if let Some(known) = known
            && let Err(difference) = renewal::acceptable(&known, &fresh, package)
        {
            return Ok(Err(difference.to_string()));
        }
        let license = fresh.license();
        Ok(Ok(InstalledKey { at: hour.now, serial: fresh.serial, license, file: file.to_owned() }))
    }

    /// Writes `licenses/<unit>.tglicense` for people; the journal holds the same text, so that a folder that cannot be
    /// written is a setback in `status` until a later check writes it.
    pub(in crate::agent) fn keep_key_file(&mut self, unit: &Unit, hour: Hour) -> Result<(), Trouble> {
        let Some(installed) = self.installed_key(unit)? else { return Ok(()) };
        let path = self.settings.state_dir.join("licenses").join(format!("{}.tglicense", unit.id));
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
                    next_try_at: hour.now + LOOK_AGAIN,
                    needs_person: true,
                };
                self.record(hour, "duty", vec![Fact::Setback { about, setback }])
            }
        }
    }
}
