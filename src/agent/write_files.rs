//! Putting a report's files into the Reports folder, and mailing them.

use std::borrow::Cow;
use std::path::PathBuf;

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::channels::Attachment;
use crate::domain::Month;
use crate::domain::notice::{News, Notice};
use crate::domain::report::UsageReport;
use crate::formats::{FORMATS, Format};
use crate::rules::report_document::report_document_of;
use crate::rules::reporting;
use crate::rules::schedule::Duty;
use crate::seal::jws;
use crate::store::fact::{Fact, key};

use super::{Agent, Hour};

/// Pause before files are written again.
const PAUSE: TimeDelta = TimeDelta::minutes(10);
/// The end of the name of the signature that stands beside a report's files.
pub(in crate::agent) const SIGNATURE: &str = "jws";
/// Most characters of an id in a file's name, which stands in archives and on file systems.
const NAMED_BY_MAX: usize = 100;

impl Agent {
    /// The duty: a folder that cannot be written is a setback, told and tried again.
    pub(super) fn begin_write_files(
        &mut self,
        unit: &str,
        month: Month,
        revision: u32,
        hour: Hour,
    ) -> Result<(), Trouble> {
        match self.write_files(unit, month, revision, hour) {
            Err(Trouble::File { path, why }) => {
                let duty = Duty::WriteFiles { unit: unit.to_owned(), month, revision };
                let why = format!("cannot write {path}: {why}; free space or correct its rights");
                self.set_back(&duty, &Setback::AskAPerson { why }, PAUSE, hour)
            }
            other => other,
        }
    }

    /// `<reports>/<YYYY-MM>/`.
    pub(in crate::agent) fn reports_folder(&self, month: Month) -> PathBuf {
        self.settings.reports_dir.join(month.to_string())
    }

    /// Writes every format of the report; repeated after a crash it writes the same bytes again.
    fn write_files(&mut self, unit: &str, month: Month, revision: u32, hour: Hour) -> Result<(), Trouble> {
        let Some(report) = self.store.row::<UsageReport>(&key::report("report", unit, month, revision))? else {
            return Ok(());
        };
        let put = |extension: &str, bytes: &[u8]| {
            let path = self.reports_folder(month).join(file_name(&report, extension));
            self.files.write(&path, bytes).map_err(|error| Trouble::file(&path, &error))
        };
        // One after the other, so that a large report is never in memory in several formats.
        FORMATS.iter().try_for_each(|format| self.drawn(&report, format, |bytes| put(format.extension, &bytes)))?;
        put(SIGNATURE, self.signature_of(&report).as_bytes())?;
        let written = Fact::FilesWritten { unit: unit.to_owned(), month, revision, digest: report.digest };
        let over = Fact::SetbackOver { about: Duty::WriteFiles { unit: unit.to_owned(), month, revision }.key() };
        self.record(hour, "duty", vec![written, over])
    }

    /// Name and bytes of each format of the report, each made when it is asked for.
    pub(super) fn files_of(&self, report: &UsageReport) -> impl Iterator<Item = (String, Vec<u8>)> {
        FORMATS.iter().map(|format| (file_name(report, format.extension), self.file_of(report, format)))
    }

    /// The report as a file of this format.
    pub(super) fn file_of(&self, report: &UsageReport, format: &Format) -> Vec<u8> {
        self.drawn(report, format, |file| file.into_owned())
    }

    /// Hands the report as a file of this format on.
    fn drawn<T>(&self, report: &UsageReport, format: &Format, take: impl FnOnce(Cow<'_, [u8]>) -> T) -> T {
        let document = report_document_of(report, format.shows);
        take((format.write)(&document, &self.typefaces_for(&document)))
    }

    /// The agent's detached signature over the record whose SHA-256 is the digest.
    fn signature_of(&self, report: &UsageReport) -> String {
        jws::sign_detached(&self.identity.key, &reporting::record_of(report))
    }

    /// What goes with a letter about a report that is ready or was sent: the formats of the settings.
    pub(super) fn attachments(&self, notice: &Notice) -> Result<Vec<Attachment>, Trouble> {
        let (News::ReportReady { month, .. } | News::ReportSent { month, .. } | News::ReportAutoSent { month, .. }) =
            &notice.news
        else {
            return Ok(Vec::new());
        };
        let (Some(unit), Some(mail)) = (&notice.unit, &self.settings.mail) else { return Ok(Vec::new()) };
        let Some(report) = self.newest_report(unit, *month)? else { return Ok(Vec::new()) };
        let mailed = FORMATS.iter().filter(|format| mail.attach.contains(&format.extension));
        Ok(mailed
            .map(|format| Attachment {
                name: file_name(&report, format.extension),
                media_type: format.media_type.to_owned(),
                bytes: self.file_of(&report, format),
            })
            .collect())
    }
}

/// `<license or unit>-r<N>.<extension>`, with `-pseudonyms` where names are; characters that file systems dislike become
/// `-`, and an overlong id is cut.
pub(in crate::agent) fn file_name(report: &UsageReport, extension: &str) -> String {
    let of = report.license_id.as_deref().unwrap_or(&report.unit);
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let safe: String = of.chars().take(NAMED_BY_MAX).map(safe).collect();
    let names = if report.pseudonyms_of.is_some() { "-pseudonyms" } else { "" };
    format!("{safe}-r{}{names}.{extension}", report.revision)
}
