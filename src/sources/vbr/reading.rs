//! What is read of a VBR server, chapter by chapter, and the sample it makes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};

use super::answers::{
    LicenseAnswer, Page, ReportAnswer, RestorePointRow, ServerInfoAnswer, ServerTimeAnswer, read, refusal,
};
use super::dating::Dating;
use super::instances::{InstanceList, Known, Turn};
use super::license::{LicenseFacts, facts_of};
use super::pages::Memory;
use super::trouble;
use super::weights::{self, Weights};
use crate::ask::{Answer, Body, HttpAnswer, HttpAsk, Setback};
use crate::domain::license::{License, LicenseType};
use crate::domain::sample::Sample;
use crate::domain::tenant::TenantCount;
use crate::domain::workload::Workload;
use crate::domain::workloads::Workloads;
use crate::domain::{Instant, Points};
use crate::sources::lenient::Zone;
use crate::sources::reply::date_of;
use crate::sources::tenants_from::{counted, take_cloud_connect};
use crate::sources::{Brief, Collected, Remembered, Sweep};

const SERVER_TIME: &str = "/api/v1/serverTime";
const SERVER_INFO: &str = "/api/v1/serverInfo";
const LICENSE: &str = "/api/v1/license";
const REPORT: &str = "/api/v1/license/createReport";
/// The server makes the report while it is asked.
const REPORT_SECONDS_MAX: u32 = 180;

/// One request of the reading.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    Get(String),
    CreateReport,
}

impl Wanted {
    pub fn ask(self, server: &str) -> HttpAsk {
        match self {
            Wanted::Get(path) => HttpAsk::get(server, path),
            Wanted::CreateReport => {
                let body = Body::Bytes("application/json", br#"{"reportFormat":"Json"}"#.to_vec());
                HttpAsk { seconds_max: REPORT_SECONDS_MAX, ..HttpAsk::post(server, REPORT, body) }
            }
        }
    }
}

/// Chapters in the order they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chapter {
    ServerTime,
    ServerInfo,
    License,
    Instances,
    Report,
    Dates,
    End,
}

/// Everything read so far.
pub struct Reading {
    brief: Brief,
    chapter: Chapter,
    zone: Zone,
    server_time: Option<Instant>,
    vbr_id: Option<String>,
    build: Option<String>,
    facts: LicenseFacts,
    list: InstanceList,
    workloads: Workloads,
    /// What the list states of workloads without a weight, by id.
    weightless: BTreeMap<String, Option<Points>>,
    known: Known,
    /// Cloud Connect workloads, when another source names their tenants: counted, and not dated.
    of_tenants: Vec<Workload>,
    dating: Dating,
    /// License id and installation id of the report.
    ids: (Option<String>, Option<String>),
    notes: Vec<String>,
}

impl Reading {
    pub fn new(mut brief: Brief) -> Reading {
        // Rows of the sample before have weights filled in, and who is new among tenants' machines is told by what is stated.
        let remembered = std::mem::take(&mut brief.remembered).0.filter(|_| brief.settings.tenants_from.is_none());
        let memory = Memory::of(remembered, brief.previous.as_ref().map(|previous| &previous.workloads));
        Reading {
            brief,
            chapter: Chapter::ServerTime,
            zone: Zone::of(None, None),
            server_time: None,
            vbr_id: None,
            build: None,
            facts: LicenseFacts::default(),
            list: InstanceList::remembering(memory),
            workloads: Workloads::default(),
            weightless: BTreeMap::new(),
            known: Known::Nothing,
            of_tenants: Vec::new(),
            dating: Dating::default(),
            ids: (None, None),
            notes: Vec::new(),
        }
    }

    pub fn is_done(&self) -> bool {
        self.chapter == Chapter::End
    }

    /// The build of the server, once it has told.
    pub fn build(&self) -> Option<&str> {
        self.build.as_deref()
    }

    /// The next request; the same until it is answered.
    pub fn wants(&self) -> Option<Wanted> {
        match self.chapter {
            Chapter::ServerTime => Some(Wanted::Get(SERVER_TIME.to_owned())),
            Chapter::ServerInfo => Some(Wanted::Get(SERVER_INFO.to_owned())),
            Chapter::License => Some(Wanted::Get(LICENSE.to_owned())),
            Chapter::Instances => Some(Wanted::Get(self.list.path())),
            Chapter::Report => Some(Wanted::CreateReport),
            Chapter::Dates => self.dating.path().map(Wanted::Get),
            Chapter::End => None,
        }
    }

    /// Hears the answer to it; `path` is for the words of a setback.
    pub fn hear(&mut self, path: &str, answer: &Answer) -> Result<(), Setback> {
        match self.chapter {
            Chapter::ServerTime => self.hear_server_time(path, answer),
            Chapter::ServerInfo => self.hear_server_info(path, answer),
            Chapter::License => self.hear_license(path, answer),
            Chapter::Instances => self.hear_instances(path, answer),
            Chapter::Report => {
                self.hear_report(answer);
                Ok(())
            }
            Chapter::Dates => {
                self.hear_dates(answer);
                Ok(())
            }
            Chapter::End => Ok(()),
        }
    }

    /// A server without this resource is read all the same; its `Date` tells the hour.
    fn hear_server_time(&mut self, path: &str, answer: &Answer) -> Result<(), Setback> {
        let http = answered(&self.brief.server, path, answer)?;
        let time: ServerTimeAnswer =
            if http.status == 200 { read(http).unwrap_or_default() } else { Default::default() };
        self.zone = Zone::of(time.iana_time_zone_id.get(), time.server_time.get());
        let told = time.server_time.get().and_then(|text| self.zone.instant(text));
        self.server_time = told.or_else(|| date_of(http));
        self.chapter = Chapter::ServerInfo;
        Ok(())
    }

    fn hear_server_info(&mut self, path: &str, answer: &Answer) -> Result<(), Setback> {
        let http = accepted(&self.brief.server, path, answer)?;
        let info: ServerInfoAnswer = read(http).map_err(|why| trouble::unreadable(&self.brief.server, path, &why))?;
        self.vbr_id = info.vbr_id.owned();
        self.build = info.build_version.owned();
        self.chapter = Chapter::License;
        Ok(())
    }

    fn hear_license(&mut self, path: &str, answer: &Answer) -> Result<(), Setback> {
        let http = accepted(&self.brief.server, path, answer)?;
        let license: LicenseAnswer = read(http).map_err(|why| trouble::unreadable(&self.brief.server, path, &why))?;
        self.facts = facts_of(&license);
        self.chapter = Chapter::Instances;
        Ok(())
    }

    fn hear_instances(&mut self, path: &str, answer: &Answer) -> Result<(), Setback> {
        let http = accepted(&self.brief.server, path, answer)?;
        let turn = self.list.hear(http);
        let mut turn = turn.map_err(|why| trouble::unreadable(&self.brief.server, path, &why))?;
        if turn == Turn::Complete && self.list.is_empty() && self.is_usage_expected() {
            turn = self.doubt_emptiness();
        }
        match turn {
            Turn::More => Ok(()),
            Turn::Unsettled(why) => Err(trouble::unreadable(&self.brief.server, path, &why)),
            Turn::Complete => {
                let previous = self.brief.previous.as_ref().map(|previous| &previous.workloads);
                let listed = std::mem::take(&mut self.list).take(previous);
                self.notes.extend(listed.notes);
                (self.workloads, self.weightless, self.known) = (listed.workloads, listed.weightless, listed.noted);
                if self.brief.settings.tenants_from.is_some() {
                    let of_tenants = &mut self.of_tenants;
                    self.workloads.change(|workloads| *of_tenants = take_cloud_connect(workloads));
                }
                self.chapter = Chapter::Report;
                if !self.is_report_wanted() {
                    self.begin_dates();
                }
                Ok(())
            }
        }
    }

    fn is_usage_expected(&self) -> bool {
        let previous = self.brief.previous.as_ref();
        let had = previous.is_some_and(|previous| !previous.workloads.is_empty() || !previous.counts.is_empty());
        had || self.is_usage_stated()
    }

    fn is_usage_stated(&self) -> bool {
        self.facts.license.used_points.is_some_and(|used| !used.is_zero())
    }

    /// An empty list is read again; then it is believed, unless the license says that something is used, or nothing at
    /// all although there is one: then nobody confirms that the workloads of the sample before are gone.
    fn doubt_emptiness(&mut self) -> Turn {
        if self.list.rounds() == 0 {
            return self.list.read_again();
        }
        if self.is_usage_stated() {
            let used = self.facts.license.used_points.unwrap_or_default();
            return Turn::Unsettled(format!("the list is empty while the license says that {used} are used"));
        }
        let license = &self.facts.license;
        let is_silent = license.used_points.is_none() && license.sections.is_empty();
        if is_silent && license.kind != LicenseType::Empty {
            let why = "the list is empty, while the sample before named workloads and the license does not say how \
                       much is used: look at the server's license";
            return Turn::Unsettled(why.to_owned());
        }
        self.notes.push("the license list is empty, twice asked; the sample before it named workloads".to_owned());
        Turn::Complete
    }

    /// At most once a day, unless ids are missing or the key was exchanged.
    fn is_report_wanted(&self) -> bool {
        let Some(previous) = &self.brief.previous else { return true };
        let is_same_key = key_of(&previous.license) == key_of(&self.facts.license);
        self.brief.sweep == Sweep::Full || previous.license.license_id.is_none() || !is_same_key
    }

    fn hear_report(&mut self, answer: &Answer) {
        let ids = optional(answer).and_then(|http| read::<ReportAnswer>(http).map(|report| report.ids()));
        match ids {
            Ok(ids) => self.ids = ids,
            Err(why) => self.notes.push(format!("createReport gave no license id: {why}")),
        }
        self.begin_dates();
    }

    fn begin_dates(&mut self) {
        let has_any = !self.workloads.is_empty();
        self.dating = Dating::new(&self.brief, &self.workloads);
        self.chapter = if has_any { Chapter::Dates } else { Chapter::End };
    }

    fn hear_dates(&mut self, answer: &Answer) {
        let page = optional(answer).and_then(read::<Page<RestorePointRow>>);
        match page {
            Ok(page) => self.dating.hear(page, self.zone, &self.workloads, self.brief.previous.as_deref()),
            Err(why) => self.dating.give_up(&why),
        }
        if self.dating.path().is_none() {
            self.chapter = Chapter::End;
        }
    }

    /// Cloud Connect workloads by type and weight; the server states zero for new ones. A number that is missing or cannot
    /// be tells nothing.
    fn counts(&mut self) -> Vec<TenantCount> {
        let mut of_tenants = std::mem::take(&mut self.of_tenants);
        let is_new = |workload: &&Workload| workload.points.is_some_and(|points| points.is_zero());
        let new_ids: BTreeSet<String> = of_tenants.iter().filter(is_new).map(|workload| workload.id.clone()).collect();
        weights::fill_in(&mut of_tenants, &self.facts.multipliers);
        counted(of_tenants, &new_ids)
    }

    /// Weights of the workloads for which the list states none, by position.
    fn weighed(&self, workloads: &Workloads, previous: Option<&Sample>) -> BTreeMap<usize, Option<Points>> {
        let stated = self.facts.license.kind;
        let known = previous.map(|previous| previous.license.kind).filter(|_| stated == LicenseType::Unknown);
        let weights = Weights {
            multipliers: &self.facts.multipliers,
            measure: known.unwrap_or(stated).measure(),
            previous,
            now: self.brief.now,
        };
        let weight = |(id, stated): (&String, &Option<Points>)| {
            let position = workloads.position_of(id)?;
            let workload = &workloads[position];
            let known = previous.map(|sample| &sample.workloads);
            let known = known.and_then(|known| known.get(known.position_of(id)?));
            let first = self.dating.first_of(position, known.map(|known| &**known));
            Some((position, weights.of(workload, *stated, first)))
        };
        self.weightless.iter().filter_map(weight).collect()
    }

    /// The installation id that the report stated before; the server's own id stands in for one that it never stated.
    fn shown_before<'a>(&self, known: &'a License) -> Option<&'a str> {
        let own = self.vbr_id.as_deref().unwrap_or_default();
        known.installation_id.as_deref().filter(|known| !known.eq_ignore_ascii_case(own))
    }

    /// The sample, once everything is read.
    pub fn collected(&mut self, revision: &str) -> Collected {
        let previous = self.brief.previous.take();
        let workloads = std::mem::take(&mut self.workloads);
        let weighed = self.weighed(&workloads, previous.as_deref());
        let counts = self.counts();
        let of_tenants: Points = counts.iter().filter_map(|count| Some(count.weight? * u64::from(count.new))).sum();
        let new_points = self.facts.license.new_points.map(|points| points - of_tenants);
        let (workloads, mut swept_at) = self.dating.date(&workloads, weighed, previous.as_deref(), new_points);
        let remembered = Remembered(std::mem::take(&mut self.known).made(&workloads));
        if workloads.is_empty() && !counts.is_empty() && self.brief.sweep == Sweep::Full {
            // There was nothing to date.
            swept_at = Some(self.brief.now);
        }
        let mut discrepancies = std::mem::take(&mut self.facts.notes);
        discrepancies.append(&mut self.notes);
        discrepancies.append(&mut self.dating.notes());
        let known = previous.map(|previous| previous.license.clone()).unwrap_or_default();
        let (license_id, installation_id) = std::mem::take(&mut self.ids);
        let known_id = known.license_id.clone().filter(|_| key_of(&known) == key_of(&self.facts.license));
        discrepancies.extend(installed_anew(self.shown_before(&known), installation_id.as_deref()));
        let license = License {
            license_id: license_id.or(known_id),
            installation_id: installation_id.or(known.installation_id).or(self.vbr_id.take()),
            ..std::mem::take(&mut self.facts.license)
        };
        let sample = Sample {
            server: self.brief.server.clone(),
            taken_at: self.brief.now,
            license,
            workloads,
            counts,
            vouched: true,
            restore_points_swept_at: swept_at,
            discrepancies,
            stale: None,
        };
        Collected {
            samples: vec![sample],
            server_time: self.server_time,
            revision: Some(revision.to_owned()),
            remembered,
            ..Collected::default()
        }
    }
}

/// Another installation answers under the server's name: it counts on, and a person sees that it is another one.
fn installed_anew(known: Option<&str>, stated: Option<&str>) -> Option<String> {
    let (known, stated) = known.zip(stated).filter(|(known, stated)| !known.eq_ignore_ascii_case(stated))?;
    Some(format!(
        "its installation id was {known} and is {stated}: it was installed anew, or another server answers here"
    ))
}

/// What tells one key from another when its id is not at hand.
fn key_of(license: &License) -> (LicenseType, Option<&str>, Option<NaiveDate>, Option<Points>) {
    (license.kind, license.support_id.as_deref(), license.expires_on, license.licensed_points)
}

/// Two hours back, because a restore point carries the hour its job began.
pub const OVERLAP: TimeDelta = TimeDelta::hours(2);

pub(super) fn answered<'a>(server: &str, path: &str, answer: &'a Answer) -> Result<&'a HttpAnswer, Setback> {
    match answer {
        Answer::Http(http) if http.status == 401 || http.status == 403 => Err(trouble::refused(server, path, http)),
        Answer::Http(http) => Ok(http),
        Answer::Failed(_) | Answer::Mail(_) | Answer::Folder(_) => Err(trouble::failed(server, path, answer)),
    }
}

pub(super) fn accepted<'a>(server: &str, path: &str, answer: &'a Answer) -> Result<&'a HttpAnswer, Setback> {
    match answered(server, path, answer)? {
        http if (200..300).contains(&http.status) => Ok(http),
        http => Err(trouble::refused(server, path, http)),
    }
}

/// The answer to a request whose failing costs no sample.
fn optional(answer: &Answer) -> Result<&HttpAnswer, String> {
    match answer {
        Answer::Http(http) if (200..300).contains(&http.status) => Ok(http),
        Answer::Http(http) => Err(refusal(http)),
        Answer::Failed(failure) => Err(failure.to_string()),
        Answer::Mail(_) | Answer::Folder(_) => Err("an answer of the wrong kind came".to_owned()),
    }
}
