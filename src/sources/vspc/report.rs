//! Reads a console's own report of a month (api.md 3.2).

use super::answers::{Envelope, read};
use super::report_answers::ReportRow;
use super::report_usage::Gathered;
use super::talk::{Met, Reading};
use super::trouble;
use crate::ask::{HttpAnswer, Setback};
use crate::domain::Month;
use crate::domain::console_report::ConsoleReport;

/// Reports asked for at once; a provider has one, and each of its resellers.
const PAGE_ROWS: u64 = 50;
/// Pages of one read.
const PAGES_MAX: u32 = 40;

/// The month's reports as far as they are read.
pub struct ReportReading {
    server: String,
    month: Month,
    /// The spelling of the month that is being tried; `None` when everything is read.
    spelling: Option<Spelling>,
    received: u64,
    pages: u32,
    gathered: Gathered,
}

/// The document calls the month `YYYY-MM`, its form a date and its meaning the day of generation; consoles differ
/// (api.md 3.2). The newest reports are found by their interval in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    Month,
    FirstDay,
    Newest,
}

impl ReportReading {
    /// Looks for the report of the month.
    pub fn new(server: String, month: Month) -> ReportReading {
        ReportReading::from(server, month, Spelling::Month)
    }

    /// Reads the newest report, which is the only one that can be finalized; there is none when it is of another month.
    pub fn newest(server: String, month: Month) -> ReportReading {
        ReportReading::from(server, month, Spelling::Newest)
    }

    fn from(server: String, month: Month, spelling: Spelling) -> ReportReading {
        let spelling = Some(spelling);
        ReportReading { server, month, spelling, received: 0, pages: 0, gathered: Gathered::of(month) }
    }

    /// Goes on to the next spelling of the month; after the last there is no report.
    fn spell_otherwise(&mut self) {
        self.spelling = match self.spelling {
            Some(Spelling::Month) => Some(Spelling::FirstDay),
            Some(Spelling::FirstDay) => Some(Spelling::Newest),
            Some(Spelling::Newest) | None => None,
        };
        (self.received, self.pages) = (0, 0);
        self.gathered = Gathered::of(self.month);
    }

    /// The report, once everything is read.
    pub fn take(&mut self) -> Option<ConsoleReport> {
        std::mem::replace(&mut self.gathered, Gathered::of(self.month)).into_report()
    }
}

impl Reading for ReportReading {
    type Done = Option<ConsoleReport>;

    fn wants(&self) -> Option<String> {
        let month = match self.spelling? {
            Spelling::Month => self.month.to_string(),
            Spelling::FirstDay => self.month.first_day().to_string(),
            Spelling::Newest => "latest".to_owned(),
        };
        Some(format!("/api/v3/licensing/reports/{month}?limit={PAGE_ROWS}&offset={}", self.received))
    }

    /// A spelling that the console does not take, or a month that it has no report of.
    fn has_other_way(&mut self, refused: &HttpAnswer) -> bool {
        let goes_on = match self.spelling {
            Some(Spelling::Month | Spelling::FirstDay) => matches!(refused.status, 400 | 404 | 422),
            Some(Spelling::Newest) => refused.status == 404,
            None => false,
        } && self.received == 0;
        if goes_on {
            self.spell_otherwise();
        }
        goes_on
    }

    fn hear(&mut self, path: &str, answer: &HttpAnswer) -> Result<(), Setback> {
        let unreadable = |why: &str| trouble::unreadable(&self.server, path, why);
        let envelope: Envelope<ReportRow> = read(answer).map_err(|why| unreadable(&why))?;
        let (rows, errors) = (envelope.rows(), envelope.errors.as_ref().map_or(&[][..], |rows| &rows.0));
        if rows.is_empty() && !errors.is_empty() {
            return Err(trouble::empty_handed(&self.server, path, errors));
        }
        if rows.is_empty() && self.received == 0 {
            self.spell_otherwise();
            return Ok(());
        }
        rows.iter().for_each(|row| self.gathered.take(row));
        let came = rows.len() as u64;
        self.received += came;
        self.pages += 1;
        let is_end = came == 0 || envelope.total().map_or(came < PAGE_ROWS, |total| total <= self.received);
        if !is_end && PAGES_MAX <= self.pages {
            return Err(unreadable(&format!("not read to the end within {PAGES_MAX} pages")));
        }
        match (is_end, self.gathered.is_empty()) {
            (true, true) => self.spell_otherwise(),
            (true, false) => self.spelling = None,
            (false, _) => {}
        }
        Ok(())
    }

    fn done(&mut self, _: Met) -> Option<ConsoleReport> {
        self.take()
    }
}
