//! What is read of a console for samples, list by list.

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
        }
    }

    fn hear_page(&mut self, path: &str, answer: &HttpAnswer) -> Result<Turn, Setback> {
        let server = self.brief.server.as_str();
        match self.chapter {
            Chapter::Companies => page(server, path, answer, &mut self.companies, |row: &CompanyRow| {
                (row.instance_uid.owned(), row.name.owned().unwrap_or_default())
            }),
            Chapter::Servers => page(server, path, answer, &mut self.servers, |row: &ServerRow| {
                (row.instance_uid.owned(), Server::of(row))
            }),
            Chapter::Sites => {
                page(server, path, answer, &mut self.sites, |row: &SiteRow| (row.site_uid.owned(), Site::of(row)))
            }
            Chapter::ServerLicenses => page(server, path, answer, &mut self.server_licenses, license),
            Chapter::SiteLicenses => page(server, path, answer, &mut self.site_licenses, license),
            Chapter::Usage => page(server, path, answer, &mut self.usage, |row: &UsageRow| {
                (row.organization_uid.owned(), organization_of(row))
            }),
            Chapter::End => Ok(Turn::Complete),
        }
    }
}

fn license(row: &LicenseRow) -> (Option<String>, LicenseFacts) {
    (row.backup_server_uid.owned(), facts_of(row))
}

/// Reads a page into its list. A row without a uid cannot be told from others and makes the page unreadable.
fn page<'a, R, T>(
    server: &str,
    path: &str,
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
    if envelope.data.0.is_empty() && !errors.is_empty() {
        return Err(trouble::empty_handed(server, path, errors));
    }
    let named = |row: &R| match take(row) {
        (Some(uid), row) => Ok((uid, row)),
        (None, _) => Err(unreadable("a row came without its uid")),
    };
    let rows = envelope.data.0.iter().map(named).collect::<Result<Vec<_>, Setback>>()?;
    Ok(list.hear(envelope.total(), rows))
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
                    Chapter::Usage | Chapter::End => Chapter::End,
                }
            }
        }
        Ok(())
    }

    fn done(&mut self, met: Met) -> Collected {
        let console = Console {
            companies: self.companies.take(),
            servers: self.servers.take(),
            sites: self.sites.take(),
            server_licenses: self.server_licenses.take(),
            site_licenses: self.site_licenses.take(),
            usage: self.usage.take(),
        };
        let (samples, notes) = console.samples(&self.brief);
        Collected {
            samples,
            notes,
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
