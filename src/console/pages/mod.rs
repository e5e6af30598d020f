//! The pages: one file and one row each, and how a row is served.

mod billing;
mod journal;
mod license;
mod overview;
mod people;
mod reference;
mod report;
mod servers;
mod settings;
mod telemetry;
mod usage;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Query as Parameters, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use secrecy::ExposeSecret;

use super::entry::{Seat, onward};
use super::forms::Fields;
use super::frame::Visit;
use super::{House, refusal};
use crate::agent::Refused;
use crate::domain::people::Role;

/// What becomes of a visit.
pub type Drawn = Pin<Box<dyn Future<Output = Result<Shown, Refused>> + Send>>;

/// What a visitor is shown.
pub enum Shown {
    /// A page.
    Page(String),
    /// The page of a form that was refused, with why and what was typed.
    Refused(StatusCode, String),
    /// After an order: where to look now, and what to say there once.
    Onward { to: String, said: String },
    /// A file to keep.
    File { name: String, media_type: String, bytes: Vec<u8> },
}

/// A page at its address.
pub struct Page {
    pub path: &'static str,
    /// Its name in the navigation; `None`: it does not stand there.
    pub name: Option<&'static str>,
    pub needs: Role,
    pub draw: fn(Visit) -> Drawn,
}

/// What a form does.
pub struct Deed {
    pub path: &'static str,
    pub needs: Role,
    pub act: fn(Visit, Fields) -> Drawn,
}

/// In the order of the navigation.
pub const PAGES: [Page; 18] = [
    overview::PAGE,
    report::PAGE,
    report::SEND,
    report::RESET,
    report::DUPLICATES,
    report::EVIDENCE,
    usage::PAGE,
    license::PAGE,
    billing::PAGE,
    billing::FILE,
    billing::ISSUE,
    billing::RATES,
    servers::PAGE,
    telemetry::PAGE,
    journal::PAGE,
    settings::PAGE,
    people::PAGE,
    reference::PAGE,
];

/// What the forms of each page do.
pub const DEEDS: [&[Deed]; 11] = [
    overview::DEEDS,
    report::DEEDS,
    usage::DEEDS,
    license::DEEDS,
    billing::DEEDS,
    servers::DEEDS,
    telemetry::DEEDS,
    journal::DEEDS,
    settings::DEEDS,
    people::DEEDS,
    reference::DEEDS,
];

#[derive(Template)]
#[template(path = "console/problem.html")]
struct Problem<'a> {
    why: &'a str,
}

/// The page that says why there is none.
pub fn problem(why: &str) -> String {
    html(&Problem { why })
}

/// A template as text.
pub fn html(template: &impl Template) -> String {
    template.render().expect("a page is drawn to memory")
}

/// Every page and every form.
pub fn router() -> Router<Arc<House>> {
    let pages = PAGES.iter().fold(Router::new(), |router, page| {
        let (draw, needs) = (page.draw, page.needs);
        let visit = move |state, seat, asked| visited(state, seat, asked, needs, draw);
        router.route(page.path, get(visit))
    });
    DEEDS.into_iter().flatten().fold(pages, |router, deed| {
        let (act, needs) = (deed.act, deed.needs);
        let visit = move |state, seat, form| done(state, seat, form, needs, act);
        router.route(deed.path, post(visit))
    })
}

type Pairs = Vec<(String, String)>;

async fn visited(
    State(house): State<Arc<House>>,
    Extension(seat): Extension<Arc<Seat>>,
    Parameters(asked): Parameters<Pairs>,
    needs: Role,
    draw: fn(Visit) -> Drawn,
) -> Response {
    let said = house.doorkeeper.take_said(seat.secret.expose_secret());
    match visit(&house, &seat, asked, said, needs) {
        Ok(visit) => answered(&house, &seat, draw(visit).await),
        Err(refused) => refusal(&refused),
    }
}

async fn done(
    State(house): State<Arc<House>>,
    Extension(seat): Extension<Arc<Seat>>,
    Form(fields): Form<Pairs>,
    needs: Role,
    act: fn(Visit, Fields) -> Drawn,
) -> Response {
    let fields = Fields(fields);
    if !seat.session.csrf_fits(fields.text("csrf").unwrap_or_default()) {
        let why = "the form is not of this session; nothing was done: go back, load the page again and repeat it";
        return refusal(&Refused::new(77, why));
    }
    match visit(&house, &seat, Vec::new(), None, needs) {
        Ok(visit) => answered(&house, &seat, act(visit, fields).await),
        Err(refused) => refusal(&refused),
    }
}

fn visit(house: &Arc<House>, seat: &Seat, asked: Pairs, said: Option<String>, needs: Role) -> Result<Visit, Refused> {
    if seat.person.role < needs {
        let (have, need) = (seat.person.role.as_str(), needs.as_str());
        return Err(Refused::new(77, format!("this needs the role {need}; {} is {have}", seat.person.name)));
    }
    Ok(Visit {
        person: seat.person.clone(),
        csrf: seat.session.csrf.clone(),
        asked: Fields(asked),
        now: house.clock.now(),
        said,
        house: Arc::clone(house),
    })
}

fn answered(house: &House, seat: &Seat, shown: Result<Shown, Refused>) -> Response {
    match shown {
        Ok(Shown::Page(html)) => Html(html).into_response(),
        Ok(Shown::Refused(status, html)) => (status, Html(html)).into_response(),
        Ok(Shown::Onward { to, said }) => {
            house.doorkeeper.say(seat.secret.expose_secret(), &said);
            onward(&to)
        }
        Ok(Shown::File { name, media_type, bytes }) => file(&name, media_type, bytes),
        Err(refused) => refusal(&refused),
    }
}

/// A download. Its name comes with an id that a backup server gave; nothing in it may end the quotes.
pub fn file(name: &str, media_type: String, bytes: Vec<u8>) -> Response {
    let name: String = name.chars().filter(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(*sign)).collect();
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, disposition)], bytes).into_response()
}
