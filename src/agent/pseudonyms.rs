//! Documents under pseudonyms: the key, made once, and the table that says which name is which.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::billing::export::Beside;
use crate::billing::invoice::Invoice;
use crate::billing::pseudonyms::{beside_pseudonymised, pseudonymised};
use crate::domain::pseudonym::{HandedOut, NameKind, Names};
use crate::domain::report::UsageReport;
use crate::rules::pseudonyms::PseudonymKey;

use super::orders::{Obeyed, Target, WhichInvoice};
use super::{Agent, Hour, Refused, Trouble};

impl Agent {
    /// Makes the key unless it is there: `state_dir/keys/pseudonyms.key` (0600), once and for all documents.
    ///
    /// # Errors
    /// [`Trouble`] when the file cannot be read or written, or holds no key.
    pub(super) fn make_pseudonym_key(&mut self) -> Result<(), Trouble> {
        if self.pseudonym_key()?.is_none() {
            let mut secret = [0; 32];
            self.chance.fill(&mut secret);
            let (path, text) = (self.pseudonym_key_path(), PseudonymKey::new(secret).to_text());
            self.files.write(&path, text.as_bytes()).map_err(|error| Trouble::file(&path, &error))?;
        }
        Ok(())
    }

    /// The order that goes before a question for pseudonyms: a question makes nothing.
    pub(super) fn order_pseudonym_key(&mut self) -> Result<Obeyed, Refused> {
        self.make_pseudonym_key()?;
        Ok(Obeyed::Done(json!({"schema": "tidegauge.pseudonym-key/1", "path": self.pseudonym_key_path()})))
    }

    fn pseudonym_key_path(&self) -> PathBuf {
        self.settings.state_dir.join("keys").join("pseudonyms.key")
    }

    fn pseudonym_key(&self) -> Result<Option<PseudonymKey>, Trouble> {
        let path = self.pseudonym_key_path();
        let Some(bytes) = self.files.read(&path).map_err(|error| Trouble::file(&path, &error))? else {
            return Ok(None);
        };
        let key = std::str::from_utf8(&bytes).ok().and_then(PseudonymKey::from_text);
        let odd = || Trouble::Odd(format!("{} is no key; restore it from a backup", path.display()));
        key.map(Some).ok_or_else(odd)
    }

    /// The names of a document: as it was asked for, unless the settings want pseudonyms in it always.
    pub(super) fn names_for(&self, document: HandedOut, asked: Names) -> Names {
        if self.settings.pseudonyms.contains(&document) { Names::Pseudonyms } else { asked }
    }

    /// The key where it is needed.
    ///
    /// # Errors
    /// [`Refused`] with 3 when none was made yet.
    pub(super) fn pseudonym_key_for(&self, names: Names) -> Result<Option<PseudonymKey>, Refused> {
        match names {
            Names::Plain => Ok(None),
            Names::Pseudonyms => self.pseudonym_key_needed().map(Some),
        }
    }

    fn pseudonym_key_needed(&self) -> Result<PseudonymKey, Refused> {
        let none = || {
            Refused::new(
                3,
                "there is no key for pseudonyms yet; a command with --pseudonyms makes it, and so does \
                             `report pseudonyms`",
            )
        };
        self.pseudonym_key()?.ok_or_else(none)
    }

    /// The report with the names that are wanted.
    pub(super) fn report_with_names(&self, report: UsageReport, names: Names) -> Result<UsageReport, Refused> {
        match self.pseudonym_key_for(names)? {
            None => Ok(report),
            Some(key) => Ok(self.pseudonymised(&report, &mut key.naming())?),
        }
    }

    /// A month's document, and what stands beside it, with the names that are wanted.
    pub(super) fn invoice_with_names(
        &self,
        (invoice, beside): (&Invoice, Beside),
        names: Names,
    ) -> Result<(Invoice, Beside), Refused> {
        Ok(match self.pseudonym_key_for(names)? {
            None => (invoice.clone(), beside),
            Some(key) => {
                let naming = &mut key.naming();
                (pseudonymised(invoice, naming), beside_pseudonymised(&beside, naming))
            }
        })
    }

    /// `report pseudonyms --json`: every name of the month's documents and what stands for it; computed, never kept.
    pub(super) fn pseudonyms_shown(&self, target: &Target, hour: Hour) -> Result<Value, Refused> {
        let (unit, newest) = self.one_report(target)?;
        let key = self.pseudonym_key_needed()?;
        let mut known: BTreeMap<(NameKind, String), String> = BTreeMap::new();
        let mut naming = |kind: NameKind, name: &str| {
            let entry = known.entry((kind, name.to_owned()));
            entry.or_insert_with(|| key.pseudonym(kind, name)).clone()
        };
        for revision in 1..=newest.revision {
            if let Some(report) = self.report_revision(&unit.id, newest.month, revision)? {
                self.pseudonymised(&report, &mut naming)?;
            }
        }
        let beside = self.beside_invoices(newest.month)?;
        let mut invoices = self.invoices(newest.month)?;
        // Without a price book there is no document that names anything.
        invoices
            .extend(self.wanted_invoice(newest.month, WhichInvoice::Next, "", hour).ok().map(|wanted| wanted.invoice));
        for invoice in &invoices {
            pseudonymised(invoice, &mut naming);
        }
        beside_pseudonymised(&beside, &mut naming);
        let row = |((kind, name), pseudonym): (&(NameKind, String), &String)| json!({"pseudonym": pseudonym, "kind": kind, "name": name});
        Ok(json!({
            "schema": "tidegauge.pseudonyms/1",
            "unit": unit.id,
            "month": newest.month,
            "names": known.iter().filter(|((_, name), _)| !name.is_empty()).map(row).collect::<Vec<Value>>(),
        }))
    }
}
