//! Forgetting a month's reports by order: what stays of them is recorded first, then they leave the journal and the
//! Reports folder. A kill in between is healed by the duty that thins the journal.

use std::io::ErrorKind;

use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Obeyed, Refused, Trouble};
use crate::domain::Month;
use crate::domain::calendar::minute_text;
use crate::domain::forgetting::{Forgotten, ForgottenFile, ForgottenRevision};
use crate::domain::installation::Unit;
use crate::domain::notice::Notice;
use crate::domain::report::UsageReport;
use crate::formats::FORMATS;
use crate::rules::forgetting::{Case, Next, Refusal, judge};
use crate::rules::schedule::{Duty, owes_month};
use crate::rules::{finality, review};
use crate::seal::digest::sha256_hex;
use crate::store::fact::{Fact, JournalThinned, LettingGo, MessageKind, SetbackRow, key};

use super::orders::Target;
use super::write_files::{SIGNATURE, file_name};

/// What a person wants forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plea<'a> {
    pub month: Month,
    /// The month once more.
    pub confirmed: Month,
    pub reason: &'a str,
}

impl Agent {
    pub(super) fn order_forget(
        &mut self,
        target: &Target,
        plea: Plea<'_>,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let Plea { month, confirmed, reason } = plea;
        if confirmed != month {
            return Err(Refused::new(2, format!("{confirmed} was confirmed and {month} named; nothing was forgotten")));
        }
        let reason = review::given(reason)?.to_owned();
        let (unit, newest) = self.one_report(&Target { month: Some(month), ..target.clone() })?;
        let untaken_by = self.usage_untaken(&unit, month, newest.revision, hour.now)?;
        let billed_at = self.invoices(month)?.iter().filter_map(|invoice| invoice.standing.issued_at()).max();
        let (next, judged) = (self.next_of(&unit, month, hour)?, self.judged_month(&unit, hour.now)?);
        let untaken_by = untaken_by.as_deref();
        judge(Case { report: &newest, next, judged, billed_at, untaken_by, now: hour.now })
            .map_err(|refusal: Refusal| Refused::new(8, refusal.to_string()))?;
        let forgotten = Forgotten {
            unit: unit.id.clone(),
            month,
            at: hour.now,
            by: actor.to_owned(),
            reason,
            revisions: self.left_of(&unit, &newest)?,
            notices: self.news_of(&unit, month)?,
        };
        self.nothing_under_way(&forgotten)?;
        let shown = shown(&forgotten);
        let mut facts = self.setbacks_over(&forgotten)?;
        facts.push(Fact::LetGo { deed: LettingGo::Forgotten { forgotten } });
        self.record(hour, actor, facts)?;
        self.thin_journal(hour)?;
        match self.store.row::<SetbackRow>(&key::setback(&Duty::ThinJournal.key()))? {
            Some(SetbackRow { why, .. }) => {
                Err(Refused::new(73, format!("{month} is forgotten, but for its files: {why}")))
            }
            None => Ok(Obeyed::Done(shown)),
        }
    }

    /// Ends the setbacks of writing its files and of telling the news about it.
    fn setbacks_over(&self, forgotten: &Forgotten) -> Result<Vec<Fact>, Trouble> {
        let Forgotten { unit, month, revisions, notices, .. } = forgotten;
        let files = |revision: u32| Duty::WriteFiles { unit: unit.clone(), month: *month, revision }.key();
        let files: Vec<String> = revisions.iter().map(|known| files(known.revision)).collect();
        let is_telling = |about: &str| {
            let notice = about.strip_prefix("tell ").and_then(|rest| rest.split(' ').next());
            notice.is_some_and(|id| notices.iter().any(|notice| notice == id))
        };
        let all = self.store.keys(&key::setback(""))?;
        let about = all.iter().map(|row| row.trim_start_matches("setback/"));
        let over = about.filter(|about| is_telling(about) || files.iter().any(|file| file == about));
        Ok(over.map(|about| Fact::SetbackOver { about: about.to_owned() }).collect())
    }

    /// The digests of each revision, and of its files as they stand.
    fn left_of(&self, unit: &Unit, newest: &UsageReport) -> Result<Vec<ForgottenRevision>, Trouble> {
        let mut left = Vec::new();
        for revision in 1..=newest.revision {
            let Some(report) = self.report_revision(&unit.id, newest.month, revision)? else { continue };
            let sealed = self.sealed(&unit.id, MessageKind::Report, &newest.month.to_string(), revision)?;
            let mut files = Vec::new();
            for extension in FORMATS.iter().map(|format| format.extension).chain([SIGNATURE]) {
                let name = file_name(&report, extension);
                let path = self.reports_folder(newest.month).join(&name);
                let bytes = self.files.read(&path).map_err(|error| Trouble::file(&path, &error))?;
                files.extend(bytes.map(|bytes| ForgottenFile { name, sha256: sha256_hex(&bytes) }));
            }
            let sent_sha256 = sealed.map(|(message, _)| message.sha256);
            left.push(ForgottenRevision { revision, id: report.id, digest: report.digest, sent_sha256, files });
        }
        Ok(left)
    }

    /// Ids of the news about the month's reports, told or not.
    fn news_of(&self, unit: &Unit, month: Month) -> Result<Vec<String>, Trouble> {
        let all = self.store.rows::<Notice>("notice/")?.into_iter().map(|(_, notice)| notice);
        let is_of = |notice: &Notice| notice.unit.as_ref() == Some(&unit.id);
        Ok(all.filter(|one| is_of(one) && one.news.month_of_report() == Some(month)).map(|one| one.id).collect())
    }

    fn next_of(&self, unit: &Unit, month: Month, hour: Hour) -> Result<Next, Trouble> {
        let next = month.next();
        if self.forgotten(&unit.id, next)?.is_some() {
            return Ok(Next::Forgotten);
        }
        Ok(match self.newest_report(&unit.id, next)? {
            Some(report) if finality::is_final(&report) => Next::Final,
            Some(_) => Next::Open,
            None if !owes_month(&unit.servers, self.left_at(unit, hour.now)?, next) => Next::NeverComes,
            None => Next::Missing,
        })
    }

    /// Whoever is being told of it right now would be recorded as told of nothing.
    fn nothing_under_way(&self, forgotten: &Forgotten) -> Result<(), Refused> {
        let period = forgotten.month.to_string();
        let is_told = |duty: &Duty| matches!(duty, Duty::Tell { notice, .. } if forgotten.notices.contains(notice));
        let is_sent = |duty: &Duty| matches!(duty, Duty::SendUsage { unit, period: of, .. } if (unit, of) == (&forgotten.unit, &period));
        match self.flights.iter().find(|duty| is_told(duty) || is_sent(duty)) {
            Some(_) => {
                Err(Refused::new(75, format!("{period} is being told or sent right now; try again in a moment")))
            }
            None => Ok(()),
        }
    }

    /// What is left of a month's reports; `None`: they were not forgotten.
    pub(super) fn forgotten(&self, unit: &str, month: Month) -> Result<Option<Forgotten>, Trouble> {
        Ok(self.store.row(&key::forgotten(unit, month))?)
    }

    pub(super) fn forgotten_months(&self, unit: &str) -> Result<Vec<Month>, Trouble> {
        let keys = self.store.keys(&format!("{}{unit}/", key::FORGOTTEN))?;
        Ok(keys.iter().filter_map(|key| key.rsplit('/').next()?.parse().ok()).collect())
    }

    /// Forgotten months that the journal or the Reports folder may still hold.
    pub(super) fn forgotten_and_held(&self, thinned: Option<&JournalThinned>) -> Result<Vec<Forgotten>, Trouble> {
        let known = self.store.keys(key::FORGOTTEN)?.len() as u64;
        if known == thinned.map_or(0, |thinned| thinned.forgotten) {
            return Ok(Vec::new());
        }
        Ok(self.store.rows::<Forgotten>(key::FORGOTTEN)?.into_iter().map(|(_, forgotten)| forgotten).collect())
    }

    /// Takes the files of forgotten months out of the Reports folder; those that went before stay gone.
    pub(super) fn remove_files(&self, held: &[Forgotten]) -> Result<(), Trouble> {
        for Forgotten { month, revisions, .. } in held {
            for file in revisions.iter().flat_map(|revision| &revision.files) {
                let path = self.reports_folder(*month).join(&file.name);
                match self.files.remove(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(Trouble::file(&path, &error)),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// The refusal of what wants a forgotten report.
    pub(super) fn not_forgotten(&self, unit: &Unit, month: Month) -> Result<(), Refused> {
        let Some(Forgotten { at, by, reason, .. }) = self.forgotten(&unit.id, month)? else { return Ok(()) };
        let why = format!(
            "the report of {month} was forgotten on {} by {by}: {reason}; `report list --json` shows its digests",
            minute_text(at)
        );
        Err(Refused::new(66, why))
    }

    /// What is left of forgotten months, oldest first.
    pub(super) fn forgotten_shown(&self, unit: Option<&str>, server: Option<&str>) -> Result<Value, Refused> {
        let mut all = Vec::new();
        for unit in self.units_named(unit, server)? {
            for month in self.forgotten_months(&unit.id)? {
                all.extend(self.forgotten(&unit.id, month)?.as_ref().map(shown));
            }
        }
        Ok(Value::Array(all))
    }
}

fn shown(forgotten: &Forgotten) -> Value {
    let Forgotten { unit, month, at, by, reason, revisions, .. } = forgotten;
    json!({
        "schema": "tidegauge.report-forgotten/1",
        "unit": unit,
        "month": month,
        "stage": "forgotten",
        "at": at,
        "by": by,
        "reason": reason,
        "revisions": revisions,
    })
}
