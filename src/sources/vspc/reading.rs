//! What is read of a console for samples, list by list.

use std::collections::BTreeMap;

use super::answers::{CompanyRow, Envelope, LicenseRow, ServerRow, SiteRow, UsageRow, read};
use super::license::{LicenseFacts, facts_of};
use super::list::{List, Paging, Turn};
use super::samples::{Console, Server, Site};
use super::talk::{Met, Reading};
use super::trouble;
use super::usage::{Organization, organization_of};
use crate::ask::{HttpAnswer, Setback};
use crate::sources::lenient::Text;
use crate::sources::{Brief, Collected};

/// Lists in the order they are read: names first, usage last and in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chapter {
    Companies,
    Servers,
    Sites,
    ServerLicenses,
    SiteLicenses,
    Usage,
    End,
}

/// Everything read so far.
pub struct UsageReading {
    brief: Brief,
    chapter: Chapter,
    companies: List<String>,
    servers: List<Server>,
    sites: List<Site>,
    server_licenses: List<LicenseFacts>,
    site_licenses: List<LicenseFacts>,
    usage: List<Organization>,
    /// All of it, once it is read.
    console: Console,
    notes: Vec<String>,
}

impl UsageReading {
    pub fn new(brief: Brief) -> UsageReading {
        UsageReading {
            brief,
            chapter: Chapter::Companies,
            companies: List::new("/api/v3/organizations/companies", Paging::Pages),
            servers: List::new("/api/v3/infrastructure/backupServers", Paging::Pages),
            sites: List::new("/api/v3/infrastructure/sites", Paging::Pages),
            server_licenses: List::new("/api/v3/licensing/backupServers", Paging::Pages),
            site_licenses: List::new("/api/v3/licensing/sites", Paging::Whole),
            usage: List::new("/api/v3/licensing/usage/organizations", Paging::Pages),
            console: Console::default(),
            notes: Vec::new(),
        }
    }

    fn told(&mut self) -> Console {
        let notes = &mut self.notes;
        Console {
            companies: named(&mut self.companies, notes),
            servers: self.servers.take(),
            sites: self.sites.take(),
            server_licenses: named(&mut self.server_licenses, notes),
            site_licenses: named(&mut self.site_licenses, notes),
            usage: self.usage.take(),
        }
    }

    fn hear_page(&mut self, path: &str, answer: &HttpAnswer) -> Result<Turn, Setback> {
        let server = self.brief.server.as_str();
        match self.chapter {
            Chapter::Companies => {
                page((server, path, Needs::Nothing), answer, &mut self.companies, |row: &CompanyRow| {
                    (row.instance_uid.owned(), row.name.owned().unwrap_or_default())
                })
            }
            Chapter::Servers => page((server, path, Needs::Rows), answer, &mut self.servers, |row: &ServerRow| {
                (row.instance_uid.owned(), Server::of(row))
            }),
            Chapter::Sites => page((server, path, Needs::Uids), answer, &mut self.sites, |row: &SiteRow| {
                (row.site_uid.owned(), Site::of(row))
            }),
            Chapter::ServerLicenses => page((server, path, Needs::Nothing), answer, &mut self.server_licenses, license),
            Chapter::SiteLicenses => page((server, path, Needs::Nothing), answer, &mut self.site_licenses, license),
            Chapter::Usage => page((server, path, Needs::Rows), answer, &mut self.usage, |row: &UsageRow| {
                (row.organization_uid.owned(), organization_of(row))
            }),
            Chapter::End => Ok(Turn::Complete),
        }
    }
}

fn license(row: &LicenseRow) -> (Option<String>, LicenseFacts) {
    (row.backup_server_uid.owned(), facts_of(row))
}

/// Stands before the position of a row that has no uid; no uid begins so.
const NAMELESS: &str = "\0nameless ";

/// What a list needs to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Rows, if only none, each with its uid: without them machines would be lost or counted under another name.
    Rows,
    /// A uid for each row: it may be no list at all.
    Uids,
    /// Nothing: it names and describes what is counted by others.
    Nothing,
}

/// Reads a page into its list. A row without a uid cannot be told from others and makes the page of such a list unreadable.
fn page<'a, R, T>(
    (server, path, needs): (&str, &str, Needs),
    answer: &'a HttpAnswer,
    list: &mut List<T>,
    take: impl Fn(&R) -> (Option<String>, T),
) -> Result<Turn, Setback>
where
    R: serde::Deserialize<'a>,
{
    let unreadable = |why: &str| trouble::unreadable(server, path, why);
    let envelope: Envelope<'a, R> = read(answer).map_err(|why| unreadable(&why))?;
    let errors = envelope.errors.as_ref().map_or(&[][..], |rows| &rows.0);
    if envelope.rows().is_empty() && !errors.is_empty() {
        return Err(trouble::empty_handed(server, path, errors));
    }
    if envelope.data.is_none() && needs == Needs::Rows {
        return Err(unreadable("the answer has no data, not even an empty list"));
    }
    let begins_at = list.offset();
    let named = |(at, row): (u64, &R)| match take(row) {
        (Some(uid), row) => Ok((uid, row)),
        (None, row) if needs == Needs::Nothing => Ok((format!("{NAMELESS}{}", begins_at + at), row)),
        (None, _) => Err(unreadable("a row came without its uid")),
    };
    let rows = (0..).zip(envelope.rows()).map(named).collect::<Result<Vec<_>, Setback>>()?;
    Ok(list.hear(envelope.total(), rows))
}

/// What a list of names or licenses says without a uid says it of nobody: it is left out, and named.
fn named<T>(list: &mut List<T>, notes: &mut Vec<String>) -> BTreeMap<String, T> {
    let path = list.path();
    let (nameless, named): (BTreeMap<_, _>, BTreeMap<_, _>) =
        list.take().into_iter().partition(|(uid, _)| uid.starts_with(NAMELESS));
    if !nameless.is_empty() {
        let path = path.split('?').next().unwrap_or_default();
        notes.push(format!("{} rows of {path} came without their uid and are left out", nameless.len()));
    }
    named
}

impl Reading for UsageReading {
    type Done = Collected;

    fn wants(&self) -> Option<String> {
        match self.chapter {
            Chapter::Companies => Some(self.companies.path()),
            Chapter::Servers => Some(self.servers.path()),
            Chapter::Sites => Some(self.sites.path()),
            Chapter::ServerLicenses => Some(self.server_licenses.path()),
            Chapter::SiteLicenses => Some(self.site_licenses.path()),
            Chapter::Usage => Some(self.usage.path()),
            Chapter::End => None,
        }
    }

    fn hear(&mut self, path: &str, answer: &HttpAnswer) -> Result<(), Setback> {
        match self.hear_page(path, answer)? {
            Turn::More => {}
            Turn::Unsettled(why) => return Err(trouble::unreadable(&self.brief.server, path, &why)),
            Turn::Complete => {
                self.chapter = match self.chapter {
                    Chapter::Companies => Chapter::Servers,
                    Chapter::Servers => Chapter::Sites,
                    Chapter::Sites => Chapter::ServerLicenses,
                    Chapter::ServerLicenses => Chapter::SiteLicenses,
                    Chapter::SiteLicenses => Chapter::Usage,
                    Chapter::Usage => {
                        self.console = self.told();
                        if let Some(why) = self.console.doubt(&self.brief) {
                            return Err(trouble::unreadable(&self.brief.server, path, &why));
                        }
                        Chapter::End
                    }
                    Chapter::End => Chapter::End,
                }
            }
        }
        Ok(())
    }

    fn done(&mut self, met: Met) -> Collected {
        let (samples, left_out) = std::mem::take(&mut self.console).samples(&self.brief);
        self.notes.extend(left_out);
        Collected {
            samples,
            notes: std::mem::take(&mut self.notes),
            server_time: met.server_time,
            revision: Some(met.revision.to_owned()),
            ..Collected::default()
        }
    }
}

impl Server {
    fn of(row: &ServerRow) -> Server {
        Server {
            name: row.name.owned().unwrap_or_default(),
            installation_id: row.installation_uid.get().map(str::to_ascii_lowercase),
            status: row.status.owned(),
        }
    }
}

impl Site {
    fn of(row: &SiteRow) -> Site {
        let text = |text: &Text| text.owned().unwrap_or_default();
        Site { name: text(&row.site_name), server_uid: row.backup_server_uid.owned() }
    }
}
