//! The console's listener, composed: pages, metrics, and how the agent is reached from them.

use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::{entrance, log_end};
use crate::api::entry::{Entry, SeatOf, Seated};
use crate::api::{self, Desk};
use crate::cli::session::Session;
use crate::cli::stopping::Stop;
use crate::config::{ConsoleSettings, Settings};
use crate::console::{self, Back, ByProvider, House, Manner};
use crate::people::{Doorkeeper, SessionRules};

/// The console. Without it the agent does what is owed all the same.
pub async fn open(
    session: &Session<'_>,
    settings: &Settings,
    console: &ConsoleSettings,
    house: api::House,
    stop: &Stop,
) -> Option<JoinHandle<()>> {
    let (api, house) = (house.clone(), composed(session, settings, console, &house.desk));
    let entry = Entry { house: api, doorkeeper: Arc::clone(&house.doorkeeper), seat_of: seat_of(&house) };
    let router = console::router(Arc::clone(&house)).merge(entrance::api(console, entry));
    match entrance::listen(console, console::guarded(house, router), stop).await {
        Ok(page) => {
            info!(event = "console.listening", address = %page.address, "the console is served");
            Some(tokio::spawn(async move { log_end("console", page.ended().await) }))
        }
        Err(error) => {
            warn!(event = "console.failed", error = %error, "there is no console");
            None
        }
    }
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

fn composed(session: &Session<'_>, settings: &Settings, console: &ConsoleSettings, desk: &Desk) -> Arc<House> {
    let rules = SessionRules { idle: console.idle, longest: console.session };
    Arc::new(House {
        back: back(desk),
        doorkeeper: Arc::new(Doorkeeper::new(rules)),
        clock: Arc::clone(&session.doors.clock),
        chance: Mutex::new((session.doors.chance)()),
        manner: Manner { time_zone: settings.time_zone, secure: console.is_secure(), names: console.names.clone() },
        by_provider: by_provider(session, settings, console),
        reference: api::reference::drawn,
    })
}

/// The provider is asked over a wire of its own: whoever signs in waits for no duty.
fn by_provider(session: &Session<'_>, settings: &Settings, console: &ConsoleSettings) -> Option<ByProvider> {
    let openid = console.openid.as_ref()?;
    Some(ByProvider::new(openid.party.clone(), (session.doors.wire)(settings)))
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
