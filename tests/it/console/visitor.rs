//! The console as browsers reach it, over a simulated world: people with cookies, pages and forms.

use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use chrono::TimeDelta;
use chrono_tz::Tz;
use secrecy::SecretString;
use serde_json::Value;
use tidegauge::agent::{Knock, Order, Query, Refused};
use tidegauge::console::{self, Answer, Back, ByProvider, House, Manner};
use tidegauge::domain::Instant;
use tidegauge::domain::people::{Person, Role, SecretHash};
use tidegauge::doors::Clock;
use tidegauge::people::{Doorkeeper, SessionRules, password};
use tidegauge::simulation::chance::SeededChance;
use tidegauge::simulation::world::World;
use tower::ServiceExt;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// The users of every site.
pub const PEOPLE: [(&str, Role); 5] = [
    ("vera", Role::Viewer),
    ("rolf", Role::Reviewer),
    ("anna", Role::Approver),
    ("bert", Role::Approver),
    ("adam", Role::Administrator),
];

static HASH: LazyLock<SecretHash> = LazyLock::new(|| password::hash(&SecretString::from(PASSWORD.to_owned()), [7; 16]));

/// A clock that stands until a test moves it.
pub struct Standing(Mutex<Instant>);

impl Clock for Standing {
    fn now(&self) -> Instant {
        *self.0.lock().expect("no test panics while it reads")
    }
}

/// A console over a world.
pub struct Site {
    pub router: Router,
    pub world: Arc<Mutex<World>>,
    pub clock: Arc<Standing>,
}

/// How the agent answers.
pub type Answering = Arc<dyn Fn(Query, Person) -> Result<Value, Refused> + Send + Sync>;

impl Site {
    /// With the five [`PEOPLE`].
    pub fn of(world: World) -> Site {
        Site::with(world, None)
    }

    /// The same, where people may sign in by a provider too.
    pub fn with(mut world: World, by_provider: Option<ByProvider>) -> Site {
        for (name, role) in PEOPLE {
            let (name, password) = (name.to_owned(), Some(HASH.clone()));
            let order = Order::AddUser { name, role, password, invitation: None };
            world.order(order, "owner").expect("a user is made");
        }
        let (now, zone) = (world.now(), world.settings.time_zone);
        let world = Arc::new(Mutex::new(world));
        let (asked, ordered, compared) = (Arc::clone(&world), Arc::clone(&world), Arc::clone(&world));
        let back = Back {
            ask: Arc::new(move |query, person| {
                answer(asked.lock().expect("no test panics while it asks").ask_as(&query, &person))
            }),
            order: Arc::new(move |order, person| {
                let world = Arc::clone(&ordered);
                // The world carries orders out on a runtime of its own.
                let obeyed = std::thread::spawn(move || {
                    world.lock().expect("no test panics while it orders").order_as(order, &person)
                });
                answer(obeyed.join().expect("an order is obeyed or refused"))
            }),
            order_if: Arc::new(move |order, digest, person| {
                let world = Arc::clone(&compared);
                let obeyed = std::thread::spawn(move || {
                    let mut world = world.lock().expect("no test panics while it orders");
                    world.agent().unchanged(&order, &digest)?;
                    world.order_as(order, &person)
                });
                answer(obeyed.join().expect("an order is obeyed or refused"))
            }),
        };
        let (router, clock) = routed(back, now, zone, by_provider);
        Site { router, world, clock }
    }

    /// An agent that answers as the test says; `anna` is there and may approve.
    pub fn answering(answering: Answering) -> Router {
        let back = Back {
            ask: Arc::new(move |query, person| {
                let known =
                    serde_json::json!({"person": {"name": "anna", "role": "approver"}, "password": HASH.clone()});
                let is_entry = matches!(query, Query::Knock(Knock::SignIn { .. }));
                answer(if is_entry { Ok(known) } else { answering(query, person) })
            }),
            order: Arc::new(|_, _| answer(Err(Refused::new(8, "this agent obeys nobody")))),
            order_if: Arc::new(|_, _, _| answer(Err(Refused::new(8, "this agent obeys nobody")))),
        };
        routed(back, at("2026-10-01T08:00:00Z"), Tz::UTC, None).0
    }

    pub fn clock_goes_on(&self, by: TimeDelta) {
        *self.clock.0.lock().expect("no test panics while it waits") += by;
    }

    /// Somebody who has signed in with the form.
    pub fn signed_in(&self, name: &str) -> Visitor {
        Visitor::signed_in(&self.router, name)
    }
}

fn routed(back: Back, now: Instant, time_zone: Tz, by_provider: Option<ByProvider>) -> (Router, Arc<Standing>) {
    let clock = Arc::new(Standing(Mutex::new(now)));
    let rules = SessionRules { idle: TimeDelta::minutes(30), longest: TimeDelta::hours(12) };
    let house = Arc::new(House {
        back,
        doorkeeper: Arc::new(Doorkeeper::new(rules)),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        chance: Mutex::new(Box::new(SeededChance::new(11))),
        manner: Manner { time_zone, secure: false, names: vec!["tidegauge.example.net".to_owned()] },
        by_provider: by_provider.map(Arc::new),
        reference: tidegauge::api::reference::drawn,
    });
    (console::guarded(Arc::clone(&house), console::router(house)), clock)
}

fn answer(answer: Result<Value, Refused>) -> Answer {
    Box::pin(std::future::ready(answer))
}

pub fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

/// A browser with its cookie.
#[derive(Clone)]
pub struct Visitor {
    router: Router,
    pub cookie: Option<String>,
}

/// What a browser was answered.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
}

impl Visitor {
    /// Nobody yet.
    pub fn stranger(router: &Router) -> Visitor {
        Visitor { router: router.clone(), cookie: None }
    }

    pub fn signed_in(router: &Router, name: &str) -> Visitor {
        let mut visitor = Visitor::stranger(router);
        let page = visitor.send("/sign-in", &[("name", name), ("password", PASSWORD), ("to", "/")]);
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{name} signs in: {}", page.html);
        let cookie = page.headers[header::SET_COOKIE].to_str().expect("text");
        visitor.cookie = cookie.split(';').next().map(str::to_owned);
        visitor
    }

    pub fn get(&self, path: &str) -> Page {
        page_of(answered(&self.router, self.request("GET", path).body(Body::empty()).expect("a request")))
    }

    /// Sends a form of this session: with the secret of its pages.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let html = self.get("/settings").html;
        let csrf = between(&html, "name=\"csrf\" value=\"", "\"").to_owned();
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.send(path, &fields)
    }

    /// Sends a form as it is.
    pub fn send(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send_from(path, fields, "same-origin")
    }

    /// Sends a form that a page of another site may hold.
    pub fn send_from(&self, path: &str, fields: &[(&str, &str)], site: &str) -> Page {
        let body =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&");
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site);
        page_of(answered(&self.router, request.body(Body::from(body)).expect("a request")))
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8420");
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }
}

pub fn answered(router: &Router, request: Request<Body>) -> Response<Body> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(router.clone().oneshot(request)).expect("a router always answers")
}

pub fn bytes_of(response: Response<Body>) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
    runtime.block_on(to_bytes(response.into_body(), 64 << 20)).expect("a body in memory").to_vec()
}

fn page_of(response: Response<Body>) -> Page {
    let (status, headers) = (response.status(), response.headers().clone());
    Page { status, headers, html: String::from_utf8_lossy(&bytes_of(response)).into_owned() }
}

impl Page {
    /// The text of a page without its tags, in one line.
    pub fn words(&self) -> String {
        let mut text = String::new();
        for piece in self.html.split('<').skip(1) {
            text.push(' ');
            text.push_str(piece.split_once('>').map_or("", |(_, text)| text));
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Where a browser is sent.
    pub fn onward(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |to| to.to_str().expect("text"))
    }
}

pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map_or("", |(found, _)| found)
}

fn encoded(value: &str) -> String {
    value
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
