//! The console's listener, composed: pages, metrics, and how the agent is reached from them.

use std::sync::{Arc, Mutex};

use axum::Router;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::exchange::Exchange;
use super::{entrance, log_end};
use crate::agent::Refused;
use crate::api::entry::{Entry, SeatOf, Seated};
use crate::api::{self, Desk};
use crate::cli::session::Session;
use crate::cli::stopping::Stop;
use crate::config::{ConsoleSettings, OpenIdSettings, Settings};
use crate::console::{self, Back, ByProvider, House, Manner};
use crate::people::{Doorkeeper, SessionRules};
use crate::ports::serve::Shown;

/// The console as it is served, and what of it outlives other settings: who is signed in, and who is on his way.
pub struct Standing {
    pub task: JoinHandle<()>,
    serves: Exchange,
    shown: Option<Shown>,
    house: Arc<House>,
    api: api::House,
    settings: ConsoleSettings,
}

/// What other settings put in place of what is served: made before anything is changed.
pub struct Ready {
    router: Router,
    shown: Option<Shown>,
    house: Arc<House>,
    settings: ConsoleSettings,
}

/// The console. Without it the agent does what is owed all the same.
pub async fn open(
    session: &Session<'_>,
    settings: &Settings,
    console: &ConsoleSettings,
    api: api::House,
    stop: &Stop,
) -> Option<Standing> {
    let opened = async {
        let shown = entrance::shown(console)?;
        let rules = SessionRules { idle: console.idle, longest: console.session };
        let people = People { doorkeeper: Arc::new(Doorkeeper::new(rules)), by_provider: None };
        let house = composed(session, settings, console, &api.desk, people);
        let serves = Exchange::new(routed(console, &house, &api));
        let page = entrance::listen(console, shown.clone(), serves.router(), stop).await?;
        info!(event = "console.listening", address = %page.address, "the console is served");
        let task = tokio::spawn(async move { log_end("console", page.ended().await) });
        Ok(Standing { task, serves, shown, house, api, settings: console.clone() })
    };
    let opened: std::io::Result<Standing> = opened.await;
    opened.inspect_err(|error| warn!(event = "console.failed", error = %error, "there is no console")).ok()
}

impl Standing {
    /// What these settings make of it; nothing is changed yet.
    ///
    /// # Errors
    /// 78: the certificate that they name cannot be read.
    pub fn ready(&self, session: &Session<'_>, settings: &Settings) -> Result<Ready, Refused> {
        // Whether there is a console, and where, stays (`Settings::for_running`).
        let console = settings.console.as_ref().unwrap_or(&self.settings);
        let shown = entrance::shown(console).map_err(|error| {
            Refused::new(78, format!("the console's certificate: {error}; the one before is shown"))
        })?;
        let by_provider = self.house.by_provider.clone().filter(|_| console.openid == self.settings.openid);
        let people = People { doorkeeper: Arc::clone(&self.house.doorkeeper), by_provider };
        let house = composed(session, settings, console, &self.api.desk, people);
        Ok(Ready { router: routed(console, &house, &self.api), shown, house, settings: console.clone() })
    }

    /// Serves what was made ready. Whoever a provider let in has to ask it again when its settings are others.
    pub fn become_as(&mut self, ready: Ready) {
        let Ready { router, shown, house, settings } = ready;
        if let (Some(now), Some(then)) = (&self.shown, &shown) {
            now.become_as(then);
        }
        house.doorkeeper.obey(SessionRules { idle: settings.idle, longest: settings.session });
        if settings.openid != self.settings.openid {
            house.doorkeeper.close_all_by_provider();
        }
        self.serves.put(router);
        (self.house, self.settings) = (house, settings);
    }
}

/// Pages and API behind the guard.
fn routed(console: &ConsoleSettings, house: &Arc<House>, api: &api::House) -> Router {
    let entry = Entry { house: api.clone(), doorkeeper: Arc::clone(&house.doorkeeper), seat_of: seat_of(house) };
    let router = console::router(Arc::clone(house)).merge(entrance::api(console, entry));
    entrance::told_of_peers(console, console::guarded(Arc::clone(house), router))
}

/// Whoever is signed in to the console may read through the API too.
fn seat_of(house: &Arc<House>) -> SeatOf {
    let house = Arc::clone(house);
    Arc::new(move |headers| {
        let house = Arc::clone(&house);
        Box::pin(async move {
            let seat = console::seat(&house, &headers).await?;
            Ok(seat.map(|seat| Seated { person: seat.person, csrf: seat.session.csrf }))
        })
    })
}

/// Who comes in, and on which ways.
struct People {
    doorkeeper: Arc<Doorkeeper>,
    /// `None`: made as the settings say.
    by_provider: Option<Arc<ByProvider>>,
}

fn composed(
    session: &Session<'_>,
    settings: &Settings,
    console: &ConsoleSettings,
    desk: &Desk,
    people: People,
) -> Arc<House> {
    let People { doorkeeper, by_provider } = people;
    // The provider is asked over a wire of its own: whoever signs in waits for no duty.
    let made =
        |openid: &OpenIdSettings| Arc::new(ByProvider::new(openid.party.clone(), (session.doors.wire)(settings)));
    Arc::new(House {
        back: back(desk),
        doorkeeper,
        clock: Arc::clone(&session.doors.clock),
        chance: Mutex::new((session.doors.chance)()),
        manner: Manner { time_zone: settings.time_zone, secure: console.is_secure(), names: console.names.clone() },
        by_provider: by_provider.or_else(|| console.openid.as_ref().map(made)),
        reference: api::reference::drawn,
    })
}

/// The console asks and orders over the desk, as everybody does.
fn back(desk: &Desk) -> Back {
    let (asked, ordered, compared) = (desk.clone(), desk.clone(), desk.clone());
    Back {
        ask: Arc::new(move |query, person| {
            let desk = asked.clone();
            Box::pin(async move { desk.ask_as(query, &person).await })
        }),
        order: Arc::new(move |order, person| {
            let desk = ordered.clone();
            Box::pin(async move { desk.order_as(order, &person).await })
        }),
        order_if: Arc::new(move |order, digest, person| {
            let desk = compared.clone();
            Box::pin(async move { desk.order_if(order, &person, &digest).await })
        }),
    }
}
