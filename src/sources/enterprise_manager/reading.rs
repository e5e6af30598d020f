//! What is read of Enterprise Manager: its tenants, page by page, then the free-license counters of each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value};

use super::answers::{entities, id_of, linked, read, text};
use super::counters::{Numbers, Part};
use super::{Managed, trouble};
use crate::ask::{Answer, HttpAnswer, Setback};
use crate::domain::installation::ServerName;
use crate::sources::json_field;

/// Tenants asked for at once.
const PAGE_TENANTS: usize = 100;
/// Tenants of one Enterprise Manager.
const TENANTS_MAX: usize = 5_000;
/// Pages of one read.
const PAGES_MAX: u64 = 1_000;
/// Notes of one read; more of the same say nothing further.
const NOTES_MAX: usize = 10;

/// A tenant as far as it has been read.
struct Tenant {
    id: String,
    name: String,
    /// The backup server it belongs to, as Enterprise Manager calls it.
    server: Option<String>,
    numbers: Numbers,
    is_counted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chapter {
    /// The query's page, from 1.
    Query(u64),
    /// The list of references: where the query is not known, and after several pages, which may have moved meanwhile.
    List,
    /// Each tenant that came without its counters.
    Tenants,
    /// Each tenant's new and rental machines.
    FreeCounters,
    End,
}

/// Everything read so far.
pub struct Reading {
    manager: ServerName,
    chapter: Chapter,
    tenants: Vec<Tenant>,
    known: BTreeSet<String>,
    /// Positions of the tenants that this chapter still asks about.
    waiting: VecDeque<usize>,
    notes: Vec<String>,
}

impl Reading {
    pub fn new(manager: ServerName) -> Reading {
        Reading {
            manager,
            chapter: Chapter::Query(1),
            tenants: Vec::new(),
            known: BTreeSet::new(),
            waiting: VecDeque::new(),
            notes: Vec::new(),
        }
    }

    pub fn is_done(&self) -> bool {
        self.chapter == Chapter::End
    }

    /// The path of the next request; the same until it is answered.
    pub fn wants(&self) -> Option<String> {
        let tenant = || self.waiting.front().map(|at| &self.tenants[*at].id);
        match self.chapter {
            Chapter::Query(page) => Some(format!(
                "/api/query?type=CloudTenant&format=Entities&sortAsc=Name&pageSize={PAGE_TENANTS}&page={page}"
            )),
            Chapter::List => Some("/api/cloud/tenants".to_owned()),
            Chapter::Tenants => tenant().map(|id| format!("/api/cloud/tenants/{id}?format=Entity")),
            Chapter::FreeCounters => tenant().map(|id| format!("/api/cloud/tenants/{id}/freelicenseCounters")),
            Chapter::End => None,
        }
    }

    /// Hears the answer to it; `path` is for the words of a setback.
    pub fn hear(&mut self, path: &str, answer: &Answer) -> Result<(), Setback> {
        let Answer::Http(http) = answer else { return Err(trouble::failed(&self.manager, path, answer)) };
        let is_unknown = matches!(http.status, 400 | 404 | 405 | 501);
        match self.chapter {
            Chapter::Query(1) if is_unknown => {
                self.chapter = Chapter::List;
                Ok(())
            }
            Chapter::List if is_unknown && !self.tenants.is_empty() => {
                self.note(format!("no list of tenants beside the pages is to be had (HTTP {})", http.status));
                self.begin_tenants();
                Ok(())
            }
            Chapter::Tenants if http.status == 404 => {
                // Deleted since the list was made.
                self.waiting.pop_front();
                self.go_on();
                Ok(())
            }
            Chapter::FreeCounters if is_unknown => {
                let name = self.waiting.pop_front().map(|at| self.tenants[at].name.clone()).unwrap_or_default();
                self.note(format!("no new and rental counters of tenant {name} are to be had (HTTP {})", http.status));
                self.go_on();
                Ok(())
            }
            Chapter::Query(_) | Chapter::List | Chapter::Tenants | Chapter::FreeCounters | Chapter::End => {
                let value = self.readable(path, http)?;
                self.take(&value).map_err(|why| trouble::unreadable(&self.manager, path, &why))
            }
        }
    }

    fn readable(&self, path: &str, http: &HttpAnswer) -> Result<Value, Setback> {
        if !(200..300).contains(&http.status) {
            return Err(trouble::refused(&self.manager, path, http));
        }
        read(http).map_err(|why| trouble::unreadable(&self.manager, path, &why))
    }

    fn take(&mut self, value: &Value) -> Result<(), String> {
        match self.chapter {
            Chapter::Query(page) => {
                let came = self.take_tenants(value)?;
                let pages = paging(value, "PagesCount").unwrap_or(if came < PAGE_TENANTS { page } else { page + 1 });
                if page < pages && came == 0 {
                    self.note(format!("page {page} of {pages} came without tenants; some may be missing"));
                }
                if page < pages.min(PAGES_MAX) {
                    self.chapter = Chapter::Query(page + 1);
                } else if page > 1 {
                    self.chapter = Chapter::List;
                } else {
                    self.begin_tenants();
                }
            }
            Chapter::List => {
                self.take_tenants(value)?;
                self.begin_tenants();
            }
            Chapter::Tenants => {
                let at = self.waiting.pop_front().ok_or("an answer that nobody asked for")?;
                let entity = value.as_object().ok_or("the tenant is no object")?;
                count(&mut self.tenants[at], entity)?;
                self.go_on();
            }
            Chapter::FreeCounters => {
                let at = self.waiting.pop_front().ok_or("an answer that nobody asked for")?;
                let entity = value.as_object().ok_or("the counters are no object")?;
                let tenant = &mut self.tenants[at];
                let missing = tenant.numbers.take(&[Part::New, Part::Rental], |name| number(entity, name))?;
                let missing: Vec<&str> =
                    missing.into_iter().filter(|name| !name.starts_with("RentalVMReplica")).collect();
                if !missing.is_empty() {
                    let note = format!("tenant {} has no {}; taken as 0", tenant.name, missing.join(", "));
                    self.note(note);
                }
                self.go_on();
            }
            Chapter::End => {}
        }
        Ok(())
    }

    /// Entities with their counters, or references that are asked for one by one. Returns how many stood there.
    fn take_tenants(&mut self, value: &Value) -> Result<usize, String> {
        let (whole, named) = (entities(value, "CloudTenant"), entities(value, "CloudTenantReference"));
        for entity in whole.iter().chain(&named) {
            let (Some(id), Some(name)) = (id_of(entity), text(entity, "Name")) else {
                return Err("a tenant without id or name".to_owned());
            };
            // The list may move while it is paged: each tenant is taken once.
            if !self.known.insert(id.clone()) {
                continue;
            }
            if self.tenants.len() == TENANTS_MAX {
                return Err(format!("more than {TENANTS_MAX} tenants"));
            }
            let server = linked(entity, "Up", "BackupServerReference").map(str::to_owned);
            let mut tenant =
                Tenant { id, name: name.to_owned(), server, numbers: Numbers::default(), is_counted: false };
            if text(entity, "Type") == Some("CloudTenant") {
                count(&mut tenant, entity)?;
            }
            self.tenants.push(tenant);
        }
        Ok(whole.len() + named.len())
    }

    fn begin_tenants(&mut self) {
        self.chapter = Chapter::Tenants;
        self.waiting = (0..self.tenants.len()).filter(|at| !self.tenants[*at].is_counted).collect();
        self.go_on();
    }

    /// To the next chapter when nobody waits in this one.
    fn go_on(&mut self) {
        if !self.waiting.is_empty() {
            return;
        }
        self.chapter = match self.chapter {
            Chapter::Tenants => {
                self.waiting = (0..self.tenants.len()).filter(|at| self.tenants[*at].is_counted).collect();
                if self.waiting.is_empty() { Chapter::End } else { Chapter::FreeCounters }
            }
            Chapter::Query(_) | Chapter::List | Chapter::FreeCounters | Chapter::End => Chapter::End,
        };
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(note);
        }
    }

    /// The counts by backup server, once everything is read.
    pub fn managed(&mut self) -> Managed {
        let mut servers: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for tenant in self.tenants.iter().filter(|tenant| tenant.is_counted) {
            let server = tenant.server.clone().unwrap_or_default();
            servers.entry(server).or_default().extend(tenant.numbers.counts(&tenant.name));
        }
        Managed { servers, notes: std::mem::take(&mut self.notes) }
    }
}

fn count(tenant: &mut Tenant, entity: &Map<String, Value>) -> Result<(), String> {
    let missing = tenant.numbers.take(&[Part::Used], |name| number(entity, name));
    match missing.map_err(|why| format!("tenant {}: {why}", tenant.name))?.as_slice() {
        [] => {
            let server = linked(entity, "Up", "BackupServerReference").map(str::to_owned);
            tenant.server = server.or(tenant.server.take());
            tenant.is_counted = true;
            Ok(())
        }
        missing => Err(format!("tenant {} has no {}", tenant.name, missing.join(", "))),
    }
}

fn number(entity: &Map<String, Value>, name: &'static str) -> Result<Option<u32>, String> {
    match entity.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => json_field::count(value).map(Some).map_err(|why| format!("{name} {why}")),
    }
}

fn paging(value: &Value, name: &str) -> Option<u64> {
    let stated = value.get("PagingInfo")?.get(name)?;
    stated.as_u64().or_else(|| stated.as_str()?.trim().parse().ok())
}
