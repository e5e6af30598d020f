//! One visit of somebody who is signed in, and the frame that every page stands in.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::House;
use super::answers::{self, UnitChoice};
use super::forms::Fields;
use super::pages::PAGES;
use super::shown::{When, encoded};
use crate::agent::{Order, Query, Refused};
use crate::domain::people::{Person, Role};
use crate::domain::{Instant, Month};
use serde_json::Value;

/// A request of somebody who is signed in.
pub struct Visit {
    pub person: Person,
    /// What forms of this session carry.
    pub csrf: String,
    /// What the address says behind its question mark.
    pub asked: Fields,
    pub now: Instant,
    /// The line that the last order left, shown once.
    pub said: Option<String>,
    pub house: Arc<House>,
}

impl Visit {
    /// The agent's answer to this person's question.
    ///
    /// # Errors
    /// The agent's refusal, also when the person's role does not suffice.
    pub async fn ask<T: DeserializeOwned>(&self, query: Query) -> Result<T, Refused> {
        answers::one((self.house.back.ask)(query, self.person.clone()).await?)
    }

    /// One answer for each reporting unit, none when nothing is known yet.
    ///
    /// # Errors
    /// As [`Visit::ask`].
    pub async fn each<T: DeserializeOwned>(&self, query: Query) -> Result<Vec<T>, Refused> {
        answers::each((self.house.back.ask)(query, self.person.clone()).await)
    }

    /// Gives an order in this person's name.
    ///
    /// # Errors
    /// As [`Visit::ask`].
    pub async fn order(&self, order: Order) -> Result<Value, Refused> {
        (self.house.back.order)(order, self.person.clone()).await
    }

    /// The same, if the report is still the one that the form was made for: its field `digest` says which.
    ///
    /// # Errors
    /// As [`Visit::ask`]; 8 when the report was changed meanwhile.
    pub async fn order_of(&self, fields: &Fields, order: Order) -> Result<Value, Refused> {
        match fields.text("digest") {
            Some(digest) => (self.house.back.order_if)(order, digest.to_owned(), self.person.clone()).await,
            None => self.order(order).await,
        }
    }

    /// Whether this person's role reaches that one: what is not allowed is not offered.
    pub fn may(&self, role: Role) -> bool {
        role <= self.person.role
    }

    pub fn zone(&self) -> Tz {
        self.house.manner.time_zone
    }

    /// The frame of a page: its title, its place in the navigation, and what waits for this person.
    ///
    /// # Errors
    /// As [`Visit::ask`].
    pub async fn frame(&mut self, path: &'static str, title: impl Into<String>) -> Result<Frame, Refused> {
        let waiting: Waiting = self.ask(Query::Waiting {}).await?;
        let units = UnitChoice::each(waiting.units.iter().map(|known| (&known.unit, &known.servers)));
        let reported = waiting.units.into_iter().map(|known| (known.unit, known.months)).collect();
        let mut notices: Vec<Notice> = waiting.open_reports.into_iter().filter_map(Report::notice).collect();
        notices.sort_by_key(|notice| notice.days_left);
        Ok(Frame {
            title: title.into(),
            places: places(path, self.person.role),
            person: self.person.clone(),
            csrf: self.csrf.clone(),
            said: self.said.take(),
            now: self.when(self.now),
            units,
            reported,
            notices,
        })
    }

    /// An instant as this console shows it.
    pub fn when(&self, at: Instant) -> When {
        When::minute(at, self.zone())
    }
}

/// What `templates/console/base.html` shows around a page.
pub struct Frame {
    pub title: String,
    pub places: Vec<Place>,
    pub person: Person,
    pub csrf: String,
    pub said: Option<String>,
    pub now: When,
    /// Every reporting unit, for pages about one of them.
    pub units: Vec<UnitChoice>,
    /// The months of each unit's reports, newest first.
    pub reported: BTreeMap<String, Vec<Month>>,
    /// Reports that wait for somebody, the nearest deadline first.
    pub notices: Vec<Notice>,
}

impl Frame {
    /// What the window's title says before the page's: `6 days left · `.
    pub fn reminder(&self) -> String {
        self.notices.first().map(|notice| format!("{} · ", notice.left)).unwrap_or_default()
    }

    /// Whether the notification window is shown on the page that signing in leads to.
    pub fn has_window(&self) -> bool {
        self.may_review() && self.notices.iter().any(|notice| notice.window)
    }

    pub fn may_review(&self) -> bool {
        Role::Reviewer <= self.person.role
    }

    pub fn may_send(&self) -> bool {
        Role::Approver <= self.person.role
    }
}

/// A page in the navigation.
pub struct Place {
    pub path: &'static str,
    pub name: &'static str,
    pub is_here: bool,
}

fn places(path: &str, role: Role) -> Vec<Place> {
    let open = PAGES.iter().filter(|page| page.needs <= role);
    open.filter_map(|page| Some(Place { path: page.path, name: page.name?, is_here: page.path == path })).collect()
}

/// `tidegauge.waiting/1`.
#[derive(Deserialize)]
struct Waiting {
    units: Vec<Known>,
    open_reports: Vec<Report>,
}

#[derive(Deserialize)]
struct Known {
    unit: String,
    servers: Vec<String>,
    months: Vec<Month>,
}

#[derive(Deserialize)]
struct Report {
    unit: String,
    month: Month,
    notification: Option<Notification>,
}

/// The field's notification window (domain.md 3.9), as the agent words it.
#[derive(Deserialize)]
struct Notification {
    of: String,
    text: Vec<String>,
    workdays: Option<String>,
    banner: String,
    left: String,
    days_left: i64,
    window: bool,
    acts: Vec<String>,
}

/// A report that waits for somebody.
pub struct Notice {
    pub unit: String,
    /// Its servers.
    pub of: String,
    pub month: Month,
    /// `Monthly usage report has been generated.` and what follows it.
    pub lines: Vec<String>,
    /// `Please submit a monthly usage report (6 days left)`.
    pub banner: String,
    /// `6 days left`.
    pub left: String,
    pub days_left: i64,
    /// Whether the window is shown: not while the report is postponed.
    pub window: bool,
    /// In manual mode it is downloaded and entered elsewhere instead.
    pub sends: bool,
}

impl Report {
    fn notice(self) -> Option<Notice> {
        let Notification { of, mut text, workdays, banner, left, days_left, window, acts } = self.notification?;
        text.extend(workdays);
        let (lines, sends) = (text, acts.iter().any(|act| act == "send"));
        Some(Notice { unit: self.unit, of, month: self.month, lines, banner, left, days_left, window, sends })
    }
}

impl Notice {
    /// The unit as part of an address.
    pub fn unit_encoded(&self) -> String {
        encoded(&self.unit)
    }

    /// What links and forms about this report carry.
    pub fn query(&self) -> String {
        format!("unit={}&month={}", encoded(&self.unit), self.month)
    }
}
