//! `/api/v1` beside the console: a world behind a desk, asked as programs and browsers ask.

mod document;
mod entry;
mod giving;
mod manners;

use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tidegauge::agent::{Order, Refused};
use tidegauge::api::entry::{Entry, Seated};
use tidegauge::api::{self, Errand, House, Wish};
use tidegauge::domain::Instant;
use tidegauge::domain::people::{Person, Role};
use tidegauge::doors::Clock;
use tidegauge::people::{Doorkeeper, SessionRules, token};
use tidegauge::simulation::world::{World, WorldPlan};
use tower::ServiceExt;

/// What a cookie of the tests is worth.
const CSRF: &str = "csrf-of-anna";

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

/// A clock that a test sets.
pub struct Hands(Mutex<Instant>);

impl Clock for Hands {
    fn now(&self) -> Instant {
        *self.0.lock().expect("nobody panics while reading a clock")
    }
}

/// The API of an agent with an open report of September 2026, a token for each role, and Anna at the console.
pub struct Api {
    pub router: Router,
    /// The control socket's own.
    pub socket: Router,
    pub hands: Arc<Hands>,
}

/// One for all tests that change nothing.
pub static READ_ONLY: LazyLock<Api> = LazyLock::new(Api::new);

pub fn token_of(role: &str) -> String {
    format!("tgt_{role}_of_the_tests")
}

fn obey(world: &mut World, errand: Errand) {
    let Errand { wish, by, answer } = errand;
    let answered = match wish {
        Wish::Ping => Ok(json!({"ready": true})),
        Wish::Query(query) => world.agent().answer_for(&query, &by, world.hour()),
        Wish::Order(order) => world.order_as(order, &by),
        Wish::OrderIf(order, digest) => {
            world.agent().unchanged(&order, &digest).and_then(|()| world.order_as(order, &by))
        }
        Wish::Care(care) => world.agent().care(&care),
    };
    // Who asked may have gone.
    let _ = answer.send(answered);
}

fn with_people(world: &mut World) {
    for role in [Role::Viewer, Role::Reviewer, Role::Approver, Role::Administrator] {
        let name = role.as_str().to_owned();
        let hash = token::hash_of(&token_of(role.as_str()));
        let made = world.order(Order::AddToken { name, role, expires_at: None, hash }, "root");
        made.unwrap_or_else(|refused| panic!("a token for {role}: {refused}"));
    }
    let hash = token::hash_of(&token_of("brief"));
    let expires_at = Some(world.now() + TimeDelta::minutes(1));
    let brief = Order::AddToken { name: "brief".to_owned(), role: Role::Viewer, expires_at, hash };
    world.order(brief, "root").expect("a token that ends soon");
    world.run_until(world.now() + TimeDelta::minutes(2));
}

impl Api {
    pub fn new() -> Api {
        let mut world = World::new(WorldPlan::small(1, at("2026-08-20T09:30:00Z"), 40));
        world.run_until(at("2026-10-01T08:00:00Z"));
        with_people(&mut world);
        let hands = Arc::new(Hands(Mutex::new(world.now())));
        let (desk, mut errands) = api::desk();
        std::thread::spawn(move || {
            while let Some(errand) = errands.blocking_recv() {
                obey(&mut world, errand);
            }
        });
        let house = House::new(desk, Arc::clone(&hands) as Arc<dyn Clock>);
        let rules = SessionRules { idle: TimeDelta::minutes(30), longest: TimeDelta::hours(12) };
        let entry = Entry {
            house: house.clone(),
            doorkeeper: Arc::new(Doorkeeper::new(rules)),
            seat_of: Arc::new(|headers| Box::pin(std::future::ready(seat(&headers)))),
        };
        Api { router: api::entry::router(entry), socket: api::router(house), hands }
    }

    pub fn get(&self, path: &str, role: &str) -> Reply {
        self.send(&self.router, Method::GET, path, &[("authorization", &format!("Bearer {}", token_of(role)))], None)
    }

    pub fn post(&self, path: &str, role: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let bearer = format!("Bearer {}", token_of(role));
        let all: Vec<(&str, &str)> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
        self.send(&self.router, Method::POST, path, &all, Some(body.to_string()))
    }

    /// Anything, by anybody.
    pub fn send(
        &self,
        router: &Router,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.map_or(Body::empty(), Body::from)).expect("a request");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let response = router.clone().oneshot(request).await.expect("a router always answers");
            let (head, body) = response.into_parts();
            let body = to_bytes(body, 64 << 20).await.expect("a body in memory").to_vec();
            Reply { status: head.status, headers: head.headers, body }
        })
    }
}

/// Anna is signed in by the cookie `seat=anna`.
fn seat(headers: &HeaderMap) -> Result<Option<Seated>, Refused> {
    let is_anna = headers.get(header::COOKIE).is_some_and(|cookie| cookie == "seat=anna");
    let person = Person::ours("anna", Role::Reviewer);
    Ok(is_anna.then(|| Seated { person, csrf: CSRF.to_owned() }))
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }

    /// Checks that it is a refusal with this status, and gives its one line.
    pub fn refusal(&self, status: u16) -> String {
        let said = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{said}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{said}");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:tidegauge:exit:{}", problem["code"]));
        problem["detail"].as_str().expect("a problem says why").to_owned()
    }
}
