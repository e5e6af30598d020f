//! Finalizes a console's newest monthly report (api.md 3.2): reads its state first, and posts only while it waits.

use uuid::Uuid;

use super::answers::{Envelope, FinalizationRow, read, refusal};
use super::report::ReportReading;
use super::session::Rights;
use super::talk::{Met, Reading};
use super::trouble;
use crate::ask::{HttpAnswer, Setback};
use crate::domain::console_report::{ConsoleReport, Standing};
use crate::sources::finalizing::{Errand, Heard};
use crate::sources::reply::one_line;

const PATH: &str = "/api/v3/licensing/reports/finalization";

/// The finalizing as far as it is.
pub struct FinalizeReading {
    server: String,
    compared: ConsoleReport,
    request_id: Uuid,
    newest: ReportReading,
    /// What the state says; `None` while it is read.
    judged: Option<Judged>,
}

/// What follows from the report's state.
enum Judged {
    /// It waits for approval and is the one that was seen.
    Ask,
    Over(Heard),
}

impl FinalizeReading {
    pub fn new(errand: Errand) -> FinalizeReading {
        let Errand { brief, compared, request_id } = errand;
        let newest = ReportReading::newest(brief.server.clone(), compared.month);
        FinalizeReading { server: brief.server, compared, request_id, newest, judged: None }
    }

    fn judge(&mut self) -> Judged {
        let (server, month) = (&self.server, self.compared.month);
        let not_asked = |why: String| Judged::Over(Heard::NotAsked { why });
        // Without an interval nothing says that the newest report is that of the month.
        let Some(newest) = self.newest.take().filter(|newest| newest.interval.is_some()) else {
            return not_asked(format!(
                "the newest report of {server} is not that of {month}, and only the newest can be finalized"
            ));
        };
        let statuses = newest.statuses.join(", ");
        match newest.standing() {
            Standing::Finalized => Judged::Over(Heard::WasDone { status: statuses }),
            Standing::Unknown => not_asked(format!(
                "{server} calls its report '{}', which is not known here; finalize it in the console",
                one_line(&statuses)
            )),
            Standing::Waiting if newest.reports_the_same(&self.compared) => Judged::Ask,
            Standing::Waiting => {
                not_asked(format!("the report of {server} changed since it was compared; compare it again"))
            }
        }
    }

    /// `Finalized`, or why not.
    fn hear_answer(&mut self, path: &str, answer: &HttpAnswer) -> Result<Heard, Setback> {
        let unreadable = |why: &str| trouble::unreadable(&self.server, path, why);
        let envelope: Envelope<FinalizationRow> = read(answer).map_err(|why| unreadable(&why))?;
        let row = envelope.rows().first();
        let status = row.and_then(|row| row.report_approval_status.get()).unwrap_or("Unknown");
        let message = row.and_then(|row| row.message.get()).map(one_line).unwrap_or_default();
        let words =
            if message.is_empty() || message == status { status.to_owned() } else { format!("{status}: {message}") };
        match status {
            "Finalized" | "Finalization" => Ok(Heard::Taken { words }),
            "NotApproved" | "NotApprovable" | "Approved" => {
                let why = format!("{} did not finalize its report ({words}); look into the console", self.server);
                Ok(Heard::Refused { why })
            }
            _ => Err(unreadable("the answer does not say whether the report is finalized")),
        }
    }
}

impl Reading for FinalizeReading {
    type Done = Heard;
    const RIGHTS: Rights = Rights::Act;

    fn wants(&self) -> Option<String> {
        match self.judged {
            None => self.newest.wants(),
            Some(Judged::Ask) => Some(PATH.to_owned()),
            Some(Judged::Over(_)) => None,
        }
    }

    fn deed(&self) -> Option<Uuid> {
        matches!(self.judged, Some(Judged::Ask)).then_some(self.request_id)
    }

    fn has_other_way(&mut self, refused: &HttpAnswer) -> bool {
        if self.judged.is_some() {
            let why = format!(
                "{} refuses to finalize ({}); its key or account needs a role that may approve reports, and not read-only",
                self.server,
                refusal(refused)
            );
            self.judged = Some(Judged::Over(Heard::Refused { why }));
            return true;
        }
        let goes_on = self.newest.has_other_way(refused);
        if self.newest.wants().is_none() {
            self.judged = Some(self.judge());
        }
        goes_on
    }

    fn hear(&mut self, path: &str, answer: &HttpAnswer) -> Result<(), Setback> {
        if self.judged.is_some() {
            self.judged = Some(Judged::Over(self.hear_answer(path, answer)?));
            return Ok(());
        }
        self.newest.hear(path, answer)?;
        if self.newest.wants().is_none() {
            self.judged = Some(self.judge());
        }
        Ok(())
    }

    fn done(&mut self, _: Met) -> Heard {
        match self.judged.take() {
            Some(Judged::Over(heard)) => heard,
            Some(Judged::Ask) | None => Heard::NotAsked { why: format!("{} was not asked", self.server) },
        }
    }
}
