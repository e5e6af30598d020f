//! Servers: how each stands and what to do about it, what counts twice, types to map, and coverage hour by hour.

mod coverage;

use askama::Template;
use serde::Deserialize;

use super::{Deed, Page, Shown, html};
use crate::agent::{Order, Query, Refused};
use crate::console::answers::ServerState;
use crate::console::forms::Fields;
use crate::console::frame::{Frame, Visit};
use crate::console::shown::{When, encoded};
use crate::console::words;
use crate::domain::license::License;
use crate::domain::people::Role;
use crate::domain::{Instant, Month, Points};
use coverage::Coverage;

pub const PAGE: Page =
    Page { path: "/servers", name: Some("Servers"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] =
    &[Deed { path: "/servers/sample", needs: Role::Reviewer, act: |visit, fields| Box::pin(sample(visit, fields)) }];

/// Findings that the page shows; the report's page shows every machine.
const FINDINGS_MAX: usize = 50;

#[derive(Template)]
#[template(path = "console/servers.html")]
struct Servers {
    frame: Frame,
    servers: Vec<Server>,
    findings: Vec<Finding>,
    /// Findings beyond those that are shown.
    more: usize,
    coverage: Option<Coverage>,
    may_sample: bool,
}

/// `tidegauge.servers/1`.
#[derive(Deserialize)]
struct Answer {
    servers: Vec<ServerAnswer>,
}

#[derive(Deserialize)]
struct ServerAnswer {
    name: String,
    state: ServerState,
    last_sample_at: Option<Instant>,
    next_sample_at: Option<Instant>,
    error: Option<String>,
    what_to_do: Option<String>,
    misses_in_a_row: u32,
    stale_since: Option<Instant>,
    left_at: Option<Instant>,
    discrepancy: Option<String>,
    source: Option<String>,
    /// The settings' name for it, or for the source that names it.
    entry: Option<String>,
    revision: Option<String>,
    unit: Option<String>,
    license: Option<License>,
    workloads: Option<u64>,
    unknown_types: Vec<Unknown>,
}

/// One row of the table, and what is said below it.
struct Server {
    last_sample: Option<When>,
    next_sample: Option<When>,
    stale_since: Option<When>,
    left_at: Option<When>,
    shown: ServerAnswer,
}

/// A type that nobody knows here.
#[derive(Deserialize)]
struct Unknown {
    #[serde(rename = "type")]
    kind: String,
    platform: Option<String>,
    count: u64,
    weights: Vec<String>,
    weight_from: Option<String>,
    /// Lines of the settings that map it.
    map_with: String,
}

/// `tidegauge.proposals/1`.
#[derive(Deserialize)]
struct Proposals {
    proposals: Vec<Finding>,
}

/// Machines or servers that may be the same.
#[derive(Deserialize)]
struct Finding {
    unit: String,
    text: String,
    points: Points,
    month: Option<Month>,
    /// The reason, prepared.
    reason: String,
    can_be_accepted: bool,
    machines: Vec<Machine>,
}

#[derive(Deserialize)]
struct Machine {
    name: String,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let Answer { servers } = visit.ask(Query::Servers {}).await?;
    let Proposals { proposals: mut findings } =
        visit.ask(Query::Proposals { unit: None, server: None, month: None }).await?;
    let more = findings.len().saturating_sub(FINDINGS_MAX);
    findings.truncate(FINDINGS_MAX);
    let coverage = coverage::asked(&visit, &servers).await?;
    let servers = servers.into_iter().map(|server| row(&visit, server)).collect();
    let (may_sample, frame) = (visit.may(Role::Reviewer), visit.frame(PAGE.path, "Servers").await?);
    Ok(Shown::Page(html(&Servers { frame, servers, findings, more, coverage, may_sample })))
}

fn row(visit: &Visit, shown: ServerAnswer) -> Server {
    let when = |at: Option<Instant>| at.map(|at| visit.when(at));
    Server {
        last_sample: when(shown.last_sample_at),
        next_sample: when(shown.next_sample_at),
        stale_since: when(shown.stale_since),
        left_at: when(shown.left_at),
        shown,
    }
}

async fn sample(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let server = fields.needed("server")?.to_owned();
    // A server that does not answer is no failure of the page: what it said stands on it from then on.
    let said = match visit.order(Order::SampleNow { server: server.clone() }).await {
        Ok(_) => format!("{server} was sampled."),
        Err(refused) if matches!(refused.code, 1 | 65 | 69 | 75) => {
            format!("{server} was not sampled: {}", refused.why)
        }
        Err(refused) => return Err(refused),
    };
    Ok(Shown::Onward { to: format!("{}?server={}", PAGE.path, encoded(&server)), said })
}

impl Servers {
    /// Servers with types that nobody knows here, a row for each.
    fn unknown(&self) -> Vec<(&str, &Unknown)> {
        let shown = self.servers.iter().map(|server| &server.shown);
        let rows = shown.flat_map(|shown| shown.unknown_types.iter().map(|unknown| (shown.name.as_str(), unknown)));
        rows.collect()
    }
}

impl ServerAnswer {
    /// Where its hours stand.
    fn hours(&self) -> String {
        format!("{}?server={}#coverage", PAGE.path, encoded(&self.name))
    }

    /// What it is read by: `vbr 1.3-rev1`.
    fn read_by(&self) -> Option<String> {
        let revision = self.revision.as_ref().map_or_else(String::new, |revision| format!(" {revision}"));
        self.source.as_ref().map(|source| format!("{source}{revision}"))
    }

    /// Whether it is a source that names servers, and has no hours of its own.
    fn names_others(&self, servers: &[ServerAnswer]) -> bool {
        servers.iter().any(|other| other.name != self.name && other.entry.as_ref() == Some(&self.name))
    }
}

impl Unknown {
    /// What the server calls it.
    fn called(&self) -> &str {
        self.platform.as_deref().unwrap_or(&self.kind)
    }
}

impl Finding {
    /// Where the report is reviewed that counts it.
    fn review(&self) -> Option<String> {
        let month = self.month.filter(|_| self.can_be_accepted)?;
        let search = self.machines.first().map_or("", |machine| &machine.name);
        Some(format!("/report?unit={}&month={month}&search={}", encoded(&self.unit), encoded(search)))
    }
}
