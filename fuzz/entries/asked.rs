//! What browsers and programs ask of a running agent: requests to the console and the API, orders and questions.
//!
//! Behind both routers stands the agent of a simulated world, which answers and obeys nobody, so that one run does not
//! change the next. `orders` obeys, on a world of its own, and lets a day pass.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use chrono::TimeDelta;
use secrecy::ExposeSecret;
use tidegauge::agent::{Order, Query, Refused};
use tidegauge::api::{self, Wish};
use tidegauge::console::{self, Answer, Back, House, Manner};
use tidegauge::domain::Instant;
use tidegauge::domain::people::{Person, Role};
use tidegauge::doors::Clock;
use tidegauge::people::{Doorkeeper, SessionRules};
use tidegauge::simulation::chance::SeededChance;
use tidegauge::simulation::world::{World, WorldPlan};
use tower::ServiceExt;

/// Longest answer of any page.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Runs that share one world of `orders`.
const RUNS_MAX: u32 = 50;

/// A clock that stands.
struct Standing(Instant);

impl Clock for Standing {
    fn now(&self) -> Instant {
        self.0
    }
}

/// A world with an open report of September.
fn world() -> World {
    let begins_at = "2026-08-28T09:30:00Z".parse().expect("an instant");
    let mut world = World::new(WorldPlan::small(1, begins_at, 3));
    world.run_until("2026-10-01T08:00:00Z".parse().expect("an instant"));
    world
}

fn owner() -> Person {
    Person::ours("adam", Role::Administrator)
}

/// The request line, `POST /report/adjust`, headers up to an empty line, and the body.
fn request(bytes: &[u8]) -> Option<Request<Body>> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
    let body = bytes.get(end + 2..).unwrap_or_default().to_vec();
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in lines.take(40).filter_map(|line| line.split_once(':')) {
        request = request.header(name.trim(), value.trim());
    }
    request.body(Body::from(body)).ok()
}

/// What comes back: a router always answers, and never that it broke.
fn answered(router: &Router, request: Request<Body>) {
    let asked = format!("{} {}", request.method(), request.uri());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let Ok(response) = router.clone().oneshot(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
        let body = body.unwrap_or_else(|_| panic!("{asked}: an answer has an end"));
        let words = String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned();
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{asked}: {words}");
    });
}

// The API, as the control socket serves it: with everything that an owner may ask.

static API: LazyLock<Router> = LazyLock::new(|| {
    let (desk, mut errands) = api::desk();
    std::thread::spawn(move || {
        let world = world();
        while let Some(errand) = errands.blocking_recv() {
            let answered = match errand.wish {
                Wish::Query(query) => world.agent().answer_for(&query, &errand.by, world.hour()),
                Wish::Ping | Wish::Order(_) | Wish::OrderIf(..) | Wish::Care(_) => Err(nobody()),
            };
            // Who asked may have gone.
            let _ = errand.answer.send(answered);
        }
    });
    api::router(api::House::new(desk, Arc::new(Standing(super::now()))))
});

fn nobody() -> Refused {
    Refused::new(8, "this agent obeys nobody")
}

pub fn api(bytes: &[u8]) {
    if let Some(request) = request(bytes) {
        answered(&API, request);
    }
}

// The console, with one administrator who is signed in by a provider.

struct Site {
    house: Arc<House>,
    router: Router,
}

static CONSOLE: LazyLock<Site> = LazyLock::new(|| {
    let world = world();
    let now = world.now();
    let world = Arc::new(Mutex::new(world));
    let back = Back {
        ask: Arc::new(move |query, person| {
            answer(world.lock().unwrap_or_else(PoisonError::into_inner).ask_as(&query, &person))
        }),
        order: Arc::new(|_, _| answer(Err(nobody()))),
        order_if: Arc::new(|_, _, _| answer(Err(nobody()))),
    };
    let rules = SessionRules { idle: TimeDelta::days(400), longest: TimeDelta::days(400) };
    let house = Arc::new(House {
        back,
        doorkeeper: Arc::new(Doorkeeper::new(rules)),
        clock: Arc::new(Standing(now)),
        chance: Mutex::new(Box::new(SeededChance::new(11))),
        manner: Manner { time_zone: Default::default(), secure: false, names: Vec::new() },
        by_provider: None,
        reference: api::reference::drawn,
    });
    let router = console::guarded(Arc::clone(&house), console::router(Arc::clone(&house)));
    Site { house, router }
});

fn answer(answer: Result<serde_json::Value, Refused>) -> Answer {
    Box::pin(std::future::ready(answer))
}

/// Who brings no cookie is signed in; `CSRF` stands for the secret of the forms.
pub fn console(bytes: &[u8]) {
    let Site { house, router } = &*CONSOLE;
    // The run before may have signed out.
    let session = house.doorkeeper.opened_for(&owner(), [9; 64], house.clock.now());
    let text = String::from_utf8_lossy(bytes);
    let bytes = if text.contains("CSRF") { text.replace("CSRF", &session.csrf).into_bytes() } else { bytes.to_vec() };
    let Some(mut request) = request(&bytes) else { return };
    let headers = request.headers_mut();
    let value = |text: &str| header::HeaderValue::from_str(text).expect("a header");
    headers.entry(header::HOST).or_insert(value("127.0.0.1:8420"));
    headers.entry(header::COOKIE).or_insert(value(&format!("tidegauge={}", session.cookie.expose_secret())));
    answered(router, request);
}

thread_local! {
    static ORDERED: RefCell<(u32, Option<World>)> = const { RefCell::new((0, None)) };
}

/// Lines of JSON, each an order or a question; then a day passes.
pub fn orders(bytes: &[u8]) {
    let asked: Vec<Asked> = bytes.split(|byte| *byte == b'\n').take(20).filter_map(Asked::read).collect();
    if asked.is_empty() {
        return;
    }
    // Taken out, so that a world that panicked is not used again.
    let (runs, kept) = ORDERED.with_borrow_mut(|(runs, world)| (*runs, world.take()));
    let mut world = kept.filter(|_| runs < RUNS_MAX).unwrap_or_else(|| {
        ORDERED.with_borrow_mut(|(runs, _)| *runs = 0);
        self::world()
    });
    let mut changed = false;
    for one in asked {
        match one {
            Asked::Query(query) => drop(world.ask_as(&query, &owner())),
            Asked::Order(order) => changed |= world.order_as(*order, &owner()).is_ok(),
        }
    }
    if changed {
        world.run_until(world.now() + TimeDelta::days(1));
    }
    ORDERED.with_borrow_mut(|(runs, kept)| (*runs, *kept) = (*runs + 1, Some(world)));
}

enum Asked {
    Query(Query),
    Order(Box<Order>),
}

impl Asked {
    fn read(line: &[u8]) -> Option<Asked> {
        let query = serde_json::from_slice(line).map(Asked::Query);
        query.or_else(|_| serde_json::from_slice(line).map(|order| Asked::Order(Box::new(order)))).ok()
    }
}
