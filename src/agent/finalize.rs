//! Finalizing a console's own monthly report: compared first, kept before it is asked, asked once (domain.md 3.10).

use serde_json::{Value, json};
use uuid::Uuid;

use crate::ask::Setback;
use crate::domain::console_report::ConsoleReport;
use crate::domain::finalization::{Finalization, Stage};
use crate::domain::installation::{Unit, entry_of};
use crate::domain::report::ID_NAMESPACE;
use crate::domain::{Month, Points};
use crate::rules::finalizing::{Case, Refusal, Verdict, judge};
use crate::rules::review;
use crate::rules::schedule::Duty;
use crate::sources::finalizing::{Errand, Heard};
use crate::store::fact::{Fact, key};

use super::compare::Compared;
use super::run::ending;
use super::{Agent, Hour, Obeyed, Outcome, Query, Refused, Trouble};

/// What a person wants finalized.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plea<'a> {
    pub month: Month,
    /// The month once more.
    pub confirmed: Month,
    pub despite: Option<&'a str>,
}

impl Agent {
    /// Asks the console for its report, to lay every report here beside it.
    pub(super) fn order_compare_console(&mut self, with: &str, month: Month, hour: Hour) -> Result<Obeyed, Refused> {
        self.may_finalize(with, month, hour)?;
        self.ask_console(with, month, hour, Query::AllCompared { month, with: with.to_owned() })
    }

    /// `report finalize` before it asks anybody.
    pub(super) fn all_compared(&self, month: Month, with: &str) -> Result<Value, Refused> {
        let theirs = self.read_of_console(with, month)?;
        let all = self.compared_units(theirs, with)?;
        Ok(json!({
            "schema": "tidegauge.console-comparison/1",
            "month": month,
            "with": with,
            "is_equal": all.iter().all(|one| one.compared.is_equal),
            "standing": theirs.standing(),
            "reports": all.into_iter().map(|one| one.shown).collect::<Vec<Value>>(),
        }))
    }

    /// Keeps what is asked, then asks. The report must have been compared just before.
    pub(super) fn order_finalize(
        &mut self,
        with: &str,
        plea: Plea<'_>,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let Plea { month, confirmed, despite } = plea;
        self.may_finalize(with, month, hour)?;
        self.not_under_way(&Duty::FinalizeConsole { server: with.to_owned(), month })?;
        if confirmed != month {
            return Err(Refused::new(
                2,
                format!("{confirmed} was confirmed and {month} named; nothing was asked of {with}"),
            ));
        }
        let despite = despite.map(review::given).transpose()?;
        let theirs = self.read_of_console(with, month)?.clone();
        let all = self.compared_units(&theirs, with)?;
        let is_equal = all.iter().all(|one| one.compared.is_equal);
        let earlier = self.finalization(with, month)?;
        let case =
            Case { standing: theirs.standing(), earlier: earlier.as_ref().map(|one| &one.stage), is_equal, despite };
        let verdict = judge(case).map_err(|refusal| refused(refusal, with, month))?;
        match (verdict, earlier) {
            (Verdict::Settle, Some(earlier)) => {
                let words = format!("found {}", theirs.statuses.join(", "));
                let stage = Stage::Taken { at: hour.now, words };
                self.keep_finalization(with, month, Finalization { stage, ..earlier }, actor, hour)?;
                Ok(Obeyed::Done(self.finalized(month, with)?))
            }
            (Verdict::Ask | Verdict::Settle, earlier) => {
                let sum = |of: fn(&Compared) -> Points| all.iter().map(of).sum::<Points>();
                let kept = Finalization {
                    by: actor.to_owned(),
                    at: hour.now,
                    ours_points: sum(|one| one.compared.ours_points),
                    theirs_points: sum(|one| one.compared.theirs_points),
                    despite: despite.filter(|_| !is_equal).map(str::to_owned),
                    stage: Stage::Asking,
                    ..self.attempt(with, month, earlier)
                };
                let request_id = kept.request_id;
                self.keep_finalization(with, month, kept, actor, hour)?;
                self.ask_to_finalize(with, theirs, request_id, hour)
            }
        }
    }

    /// An attempt whose answer was lost goes on under its id; any other is one more.
    fn attempt(&self, with: &str, month: Month, earlier: Option<Finalization>) -> Finalization {
        let attempt = match earlier {
            Some(earlier) if earlier.stage == Stage::Asking => {
                return Finalization { asks: earlier.asks.saturating_add(1), ..earlier };
            }
            Some(earlier) => earlier.attempt.saturating_add(1),
            None => 1,
        };
        let seed = format!("finalize/{}/{with}/{month}/{attempt}", self.identity.agent);
        Finalization {
            request_id: Uuid::new_v5(&ID_NAMESPACE, seed.as_bytes()),
            attempt,
            asks: 1,
            by: String::new(),
            at: month.ends_at(),
            ours_points: Points::ZERO,
            theirs_points: Points::ZERO,
            despite: None,
            stage: Stage::Asking,
        }
    }

    fn ask_to_finalize(
        &mut self,
        with: &str,
        compared: ConsoleReport,
        request_id: Uuid,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let month = compared.month;
        let (brief, reports) = self.console(with, hour)?;
        let talk = ending((reports.finalize)(Errand { brief, compared, request_id }), Outcome::Finalizing);
        let duty = Duty::FinalizeConsole { server: with.to_owned(), month };
        self.carry(duty, talk, Query::Finalized { month, with: with.to_owned() })
    }

    /// Records what the console answered. Without an answer the attempt stays open: the next one reads the state first.
    pub(super) fn finish_finalize(
        &mut self,
        with: &str,
        month: Month,
        outcome: Result<Outcome, Setback>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let Some(kept) = self.finalization(with, month)? else { return Ok(()) };
        let at = hour.now;
        let stage = match outcome {
            Ok(Outcome::Finalizing(Heard::Taken { words })) => Stage::Taken { at, words },
            Ok(Outcome::Finalizing(Heard::WasDone { status })) if 1 < kept.asks => {
                Stage::Taken { at, words: format!("found {status}") }
            }
            Ok(Outcome::Finalizing(Heard::WasDone { status })) => {
                Stage::NotAsked { at, why: format!("{with} calls its report {status} already") }
            }
            Ok(Outcome::Finalizing(Heard::Refused { why })) | Err(Setback::AskAPerson { why }) => {
                Stage::Refused { at, why }
            }
            Ok(Outcome::Finalizing(Heard::NotAsked { why })) => Stage::NotAsked { at, why },
            Ok(_) | Err(Setback::TryAgain { .. }) => return Ok(()),
        };
        let by = kept.by.clone();
        self.keep_finalization(with, month, Finalization { stage, ..kept }, &by, hour)
    }

    /// `report finalize --json`.
    pub(super) fn finalized(&self, month: Month, with: &str) -> Result<Value, Refused> {
        let Some(kept) = self.finalization(with, month)? else {
            return Err(Refused::new(66, format!("{with} was not asked to finalize its report of {month}")));
        };
        match &kept.stage {
            Stage::Taken { .. } => {
                let mut shown = json!({"schema": "tidegauge.console-finalization/1", "month": month, "with": with});
                shown["finalization"] = json!(kept);
                Ok(shown)
            }
            Stage::Refused { why, .. } => Err(Refused::new(77, why.clone())),
            Stage::NotAsked { why, .. } => Err(Refused::new(8, why.clone())),
            Stage::Asking => Err(Refused::new(69, unanswered(with, month))),
        }
    }

    /// Attempts whose answer is not known: a person looks again.
    pub(super) fn finalizations_unanswered(&self) -> Result<Vec<String>, Trouble> {
        let rows = self.store.rows::<Finalization>("finalization/")?;
        let open = rows.into_iter().filter(|(_, kept)| kept.stage == Stage::Asking);
        let named = open.filter_map(|(row, _)| {
            let (month, with) = row.trim_start_matches("finalization/").split_once('/')?;
            Some(unanswered(with, month.parse().ok()?))
        });
        Ok(named.collect())
    }

    fn finalization(&self, with: &str, month: Month) -> Result<Option<Finalization>, Trouble> {
        Ok(self.store.row(&key::finalization(month, with))?)
    }

    fn keep_finalization(
        &mut self,
        with: &str,
        month: Month,
        attempt: Finalization,
        actor: &str,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let console = with.to_owned();
        self.record(hour, actor, vec![Fact::ConsoleFinalization { console, month, attempt }])
    }

    /// Switched on for this console, over, and not done from here.
    fn may_finalize(&self, with: &str, month: Month, hour: Hour) -> Result<(), Refused> {
        self.console(with, hour)?;
        if !self.settings.server(with).is_some_and(|settings| settings.finalize_reports) {
            let why = format!(
                "finalizing is off for {with}: add finalize_reports = true to its [[server]], or finalize in the console"
            );
            return Err(Refused::new(78, why));
        }
        if hour.now < month.ends_at() {
            return Err(Refused::new(2, format!("{month} has not ended yet")));
        }
        self.clock_believed()?;
        match self.finalization(with, month)?.map(|kept| kept.stage) {
            Some(Stage::Taken { .. }) => Err(refused(Refusal::DoneHere, with, month)),
            Some(Stage::Asking | Stage::Refused { .. } | Stage::NotAsked { .. }) | None => Ok(()),
        }
    }

    /// Each unit that the console's report has a part of, beside it.
    fn compared_units(&self, theirs: &ConsoleReport, with: &str) -> Result<Vec<Compared>, Refused> {
        let month = theirs.month;
        let mut all = Vec::new();
        for unit in self.units()? {
            let is_listed = self.is_listed(&unit, theirs)?;
            match self.newest_report(&unit.id, month)? {
                Some(report) if is_listed || unit.servers.iter().any(|server| entry_of(server) == with) => {
                    all.push(self.compared(&unit, &report, with)?);
                }
                None if is_listed => {
                    let servers = unit.servers.join(", ");
                    let why =
                        format!("{with} reports {servers} for {month}, and there is no report of that month here");
                    return Err(Refused::new(66, why));
                }
                Some(_) | None => {}
            }
        }
        if all.is_empty() {
            return Err(Refused::new(66, format!("no report of {month} here has a part in that of {with}")));
        }
        Ok(all)
    }

    fn is_listed(&self, unit: &Unit, theirs: &ConsoleReport) -> Result<bool, Trouble> {
        let ids = self.license_ids(unit, theirs.month)?;
        let own: Vec<&String> = unit.license_id.iter().chain(ids.values()).collect();
        let listed = theirs.usage.iter().filter_map(|usage| usage.license_id.as_ref());
        Ok(listed.into_iter().any(|id| own.iter().any(|own| own.eq_ignore_ascii_case(id))))
    }
}

fn unanswered(with: &str, month: Month) -> String {
    format!(
        "{with} was asked to finalize its report of {month} and no answer is known; repeat `report finalize`, which looks \
         before it asks"
    )
}

fn refused(refusal: Refusal, with: &str, month: Month) -> Refused {
    let code = match refusal {
        Refusal::DoneHere | Refusal::DoneThere => 3,
        Refusal::StatusUnknown | Refusal::Differs => 8,
    };
    Refused::new(code, format!("the report of {month} in {with}: {refusal}"))
}
