//! Report: the review window of a month.

mod acts;
mod adjusting;
mod answers;
mod confirm;
mod duplicates;
mod evidence;
mod history;
mod place;
mod table;

use askama::Template;
use axum::http::StatusCode;

use super::{Deed, Page, Shown, html};
use crate::agent::{Query, Refused};
use crate::console::answers::{DueName, StageName, UnitChoice, chosen};
use crate::console::forms::Fields;
use crate::console::frame::{Frame, Visit};
use crate::console::shown::{Amount, When};
use crate::console::words;
use crate::document::{Chart, ChartPoint};
use crate::domain::people::{Role, is_same_person};
use crate::domain::{Month, Points};
use crate::formats::FORMATS;
use crate::formats::charts::watermark_chart;
use adjusting::ALL_MAX;
use answers::{Head, History, Proposals, Total, Workloads};
use confirm::NAMED_MAX;
use place::Place;
use table::{Counted, Table};

pub use confirm::{RESET, SEND};
pub use duplicates::PAGE as DUPLICATES;
pub use evidence::PAGE as EVIDENCE;

pub const PAGE: Page =
    Page { path: "/report", name: Some("Report"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[
    Deed {
        path: "/report/preview",
        needs: Role::Reviewer,
        act: |visit, form| Box::pin(adjusting::preview(visit, form)),
    },
    Deed { path: "/report/adjust", needs: Role::Reviewer, act: |visit, form| Box::pin(adjusting::adjust(visit, form)) },
    Deed { path: "/report/reset-now", needs: Role::Reviewer, act: |visit, form| Box::pin(acts::reset(visit, form)) },
    Deed { path: "/report/postpone", needs: Role::Reviewer, act: |visit, form| Box::pin(acts::postpone(visit, form)) },
    Deed { path: "/report/mark", needs: Role::Reviewer, act: |visit, form| Box::pin(acts::mark(visit, form)) },
    Deed { path: "/report/reject", needs: Role::Reviewer, act: |visit, form| Box::pin(acts::reject(visit, form)) },
    Deed { path: "/report/approve", needs: Role::Approver, act: |visit, form| Box::pin(acts::approve(visit, form)) },
    Deed { path: "/report/send-now", needs: Role::Approver, act: |visit, form| Box::pin(acts::send(visit, form)) },
    Deed { path: "/report/correct", needs: Role::Approver, act: |visit, form| Box::pin(acts::correct(visit, form)) },
];

/// Rows of a table of sums; of more, those with the most points.
const SUMS_MAX: usize = 100;

#[derive(Template)]
#[template(path = "console/report.html")]
struct Report {
    frame: Frame,
    refused: Option<String>,
    shown: Option<Box<Review>>,
}

/// What is seen of one report.
struct Review {
    place: Place,
    picked: Picked,
    head: Head,
    stage_until: Option<When>,
    generated_at: When,
    sends_itself_at: Option<When>,
    external_at: Option<When>,
    postpone_max: Option<String>,
    zone: &'static str,
    sums: [Sums; 3],
    chart: Option<String>,
    table: Table,
    counted: Counted,
    reason: String,
    proposals: Vec<Proposed>,
    history: Vec<history::Line>,
    history_left_out: u64,
    files: Vec<(String, String)>,
    may: May,
}

/// The report that is chosen, of those there are.
struct Picked {
    units: Vec<UnitChoice>,
    months: Vec<Month>,
}

/// What this person is offered.
struct May {
    review: bool,
    approve: bool,
}

/// Sums of one kind.
struct Sums {
    /// The table's name.
    name: &'static str,
    heading: &'static str,
    /// The filter that a row's name leads to.
    filter: &'static str,
    rows: Vec<Total>,
    left_out: usize,
}

/// A proposal, and what this person may do about it.
struct Proposed {
    it: answers::Proposal,
    /// Changes that are not named one by one.
    not_named: usize,
    by: String,
    at: When,
    approves: bool,
    rejects: bool,
    takes_back: bool,
}

async fn drawn(visit: Visit) -> Result<Shown, Refused> {
    let asked = visit.asked.clone();
    Ok(Shown::Page(page(visit, &asked, None).await?))
}

/// The form's page once more, as the report stands, with the line why it was refused and what was typed.
async fn again(visit: Visit, fields: &Fields, refused: Refused) -> Result<Shown, Refused> {
    let status = match refused.code {
        2 | 65 => StatusCode::UNPROCESSABLE_ENTITY,
        3 | 5 | 6 | 8 | 78 => StatusCode::CONFLICT,
        66 => StatusCode::NOT_FOUND,
        69 | 75 => StatusCode::SERVICE_UNAVAILABLE,
        77 => StatusCode::FORBIDDEN,
        _ => return Err(refused),
    };
    match page(visit, fields, Some(refused.why.clone())).await {
        Ok(html) => Ok(Shown::Refused(status, html)),
        Err(_) => Err(refused),
    }
}

/// The page at the place that an address or a form says.
async fn page(mut visit: Visit, fields: &Fields, refused: Option<String>) -> Result<String, Refused> {
    let frame = visit.frame(PAGE.path, "Report").await?;
    let shown = match place(&frame, fields)? {
        Some(place) => Some(Box::new(review(&visit, &frame, place, fields).await?)),
        None => None,
    };
    Ok(html(&Report { frame, refused, shown }))
}

/// The report that is meant: of the first unit and its newest month, unless they are named.
fn place(frame: &Frame, fields: &Fields) -> Result<Option<Place>, Refused> {
    let Some(unit) = chosen(fields, &frame.units)? else { return Ok(None) };
    let newest = frame.reported.get(&unit).and_then(|months| months.first().copied());
    let month: Option<Month> = fields.read("month")?.or(newest);
    Ok(month.map(|month| Place::of(fields, unit, month)))
}

async fn review(visit: &Visit, frame: &Frame, place: Place, fields: &Fields) -> Result<Review, Refused> {
    let head: Head = visit.ask(Query::ReportHead(place.report()?)).await?;
    let workloads: Workloads = visit.ask(Query::Workloads(Box::new(place.table()?))).await?;
    let told: History = visit.ask(Query::ReportHistory(place.target())).await?;
    let waiting = if head.replaced_by().is_none() { proposals(visit, &place).await? } else { Proposals::default() };
    let may = May { review: visit.may(Role::Reviewer), approve: visit.may(Role::Approver) };
    let adjusts = head.acts.adjust && may.review;
    let outlook = head.outlook.as_ref();
    Ok(Review {
        picked: Picked {
            units: frame.units.clone(),
            months: frame.reported.get(&place.unit).cloned().unwrap_or_default(),
        },
        stage_until: head.until.filter(|_| head.stage == StageName::Postponed).map(|at| visit.when(at)),
        generated_at: visit.when(head.generated_at),
        sends_itself_at: outlook.and_then(|outlook| outlook.sends_itself_at).map(|at| visit.when(at)),
        external_at: head.external.at.map(|at| visit.when(at)),
        postpone_max: head.acts.postpone_until.map(|at| acts::local_minute(at, visit.zone())),
        zone: visit.zone().name(),
        sums: [
            Sums::of("By type", "Type", "type", &head.totals.by_type),
            Sums::of("By tenant", "Tenant", "tenant", &head.totals.by_tenant),
            Sums::of("By server", "Server", "machine_server", &head.totals.by_server),
        ],
        chart: chart(&head),
        table: Table::of(visit, &place, &head, workloads, fields, adjusts),
        counted: Counted::of(&place, &head, fields, adjusts),
        reason: fields.text("reason").unwrap_or_default().to_owned(),
        proposals: waiting.proposals.into_iter().map(|it| Proposed::of(visit, it)).collect(),
        history: history::lines(visit, told.events),
        history_left_out: told.left_out,
        files: files(&place),
        may,
        head,
        place,
    })
}

/// What was proposed for the report.
async fn proposals(visit: &Visit, place: &Place) -> Result<Proposals, Refused> {
    let (unit, server, month) = (Some(place.unit.clone()), None, Some(place.month));
    visit.ask(Query::ProposedAdjustments { unit, server, month }).await
}

impl Sums {
    fn of(name: &'static str, heading: &'static str, filter: &'static str, all: &[Total]) -> Sums {
        let mut rows = all.to_vec();
        if SUMS_MAX < rows.len() {
            rows.sort_by_key(|row| std::cmp::Reverse(row.points));
        }
        rows.truncate(SUMS_MAX);
        Sums { name, heading, filter, left_out: all.len() - rows.len(), rows }
    }

    /// What the row is called when its name is not known.
    fn unnamed(&self) -> &'static str {
        if self.filter == "tenant" { "no tenant" } else { "unknown" }
    }
}

impl Proposed {
    fn of(visit: &Visit, mut it: answers::Proposal) -> Proposed {
        let (own, open) = (is_same_person(&it.by, &visit.person.actor()), it.state == "open");
        let decides = open && !own && visit.may(Role::Approver);
        let not_named = it.makes.len().saturating_sub(NAMED_MAX);
        it.makes.truncate(NAMED_MAX);
        Proposed {
            not_named,
            by: words::person(&it.by).to_owned(),
            at: visit.when(it.at),
            approves: decides && it.fits_no_more.is_none(),
            rejects: decides,
            takes_back: open && own && visit.may(Role::Reviewer),
            it,
        }
    }
}

/// Each format: its name for people, and where it is downloaded.
fn files(place: &Place) -> Vec<(String, String)> {
    let unit = crate::console::shown::encoded(&place.unit);
    let file =
        |extension: &str| (extension.to_uppercase(), format!("/reports/{}.{extension}?unit={unit}", place.month));
    FORMATS.iter().rev().map(|format| file(format.extension)).collect()
}

/// Daily marks against what is reported.
fn chart(head: &Head) -> Option<String> {
    let points = head.daily.iter().map(|day| ChartPoint {
        label: day.day.format("%-d").to_string(),
        mark: day.points.map(|points| points.amount()),
        reported: None,
    });
    let any = head.daily.iter().any(|day| day.points.is_some());
    any.then(|| {
        watermark_chart(&Chart {
            title: format!("Daily high watermarks of {}", head.month.name()),
            mark_name: "Daily high watermark".to_owned(),
            reported_name: "Reported".to_owned(),
            points: points.collect(),
            level: Some(head.total_points.amount()),
        })
    })
}

impl Review {
    fn amount(&self, points: &Points) -> Amount {
        Amount::of(points)
    }

    /// With its sign, also when it is more.
    fn change(&self, points: &Points) -> String {
        if points.is_zero() || points.is_negative() { points.to_string() } else { format!("+{points}") }
    }

    /// `37 workloads`.
    fn matches(&self) -> String {
        match self.table.matches {
            1 => "1 workload".to_owned(),
            many => format!("{many} workloads"),
        }
    }

    /// Whether everything that matches may be picked at once: more than the page shows, and not too many.
    fn offers_all(&self) -> bool {
        self.adjusts() && self.table.rows.len() < self.table.matches as usize && self.table.matches <= ALL_MAX.into()
    }

    /// Whether this person may choose workloads.
    fn adjusts(&self) -> bool {
        self.head.acts.adjust && self.may.review
    }

    /// The first page of the table, narrowed so.
    fn narrowed(&self, filter: &'static str, value: &str) -> String {
        format!("{}#workloads", self.place.with(&[(filter, value), ("after", "")]))
    }

    fn revision(&self, revision: &u32) -> String {
        self.place.with(&[("revision", &revision.to_string()), ("after", "")])
    }

    /// The newest revision, when this is an older one.
    fn replaced_by(&self) -> Option<u32> {
        self.head.replaced_by()
    }

    /// What happens if nobody acts.
    fn unattended(&self) -> &'static str {
        match (self.head.stage, self.head.due) {
            (StageName::Sending, _) => "It is sealed, and sent again until it is answered.",
            (StageName::Submitted, _) => "It was taken by the License Update Server.",
            (_, DueName::AutoSubmit) if self.sends_itself_at.is_some() => "If nobody acts, it is sent as it stands.",
            (_, DueName::AutoSubmit) => "It waits for a person; nothing sends it on its own.",
            (_, DueName::Manual | DueName::Portal) => {
                "Nothing is sent on its own. Enter it in Pulse or your aggregator’s portal, then record that below."
            }
        }
    }
}
