//! The console's listener, composed: pages, metrics, and how the agent is reached from them.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::log_end;
use crate::api::{self, Desk};
use crate::cli::session::Session;
use crate::cli::stopping::{Stop, told};
use crate::config::{ConsoleSettings, Settings};
use crate::console::{self, Back, House, Manner};
use crate::people::{Doorkeeper, SessionRules};
use crate::ports::serve::{self, Served, TlsFiles};

/// The console. Without it the agent does what is owed all the same.
pub async fn open(
    session: &Session<'_>,
    settings: &Settings,
    console: &ConsoleSettings,
    desk: &Desk,
    stop: &Stop,
) -> Option<JoinHandle<()>> {
    let house = house(session, settings, console, desk);
    let mut router = console::router(Arc::clone(&house));
    // Whoever scrapes from elsewhere shows a token to the API.
    if console.listen.ip().is_loopback() {
        router = router.merge(api::metrics::router(desk.clone()));
    }
    let router = console::guarded(house, router);
    match listening(console, router, stop).await {
        Ok(page) => {
            info!(event = "console.listening", address = %page.address, "the console is served");
            Some(tokio::spawn(async move { log_end("console", Ok::<_, std::io::Error>(page.ended().await)) }))
        }
        Err(error) => {
            warn!(event = "console.failed", error = %error, "there is no console");
            None
        }
    }
}

async fn listening(console: &ConsoleSettings, router: axum::Router, stop: &Stop) -> std::io::Result<Served> {
    match &console.tls {
        Some(tls) => {
            let path = |path: &Path| path.to_owned();
            let files = TlsFiles { certificates: path(&tls.certificate_file), key: path(&tls.key_file) };
            serve::tls(console.listen, &files, router, told(stop.clone())).await
        }
        None => serve::plain(console.listen, router, told(stop.clone())).await,
    }
}

fn house(session: &Session<'_>, settings: &Settings, console: &ConsoleSettings, desk: &Desk) -> Arc<House> {
    let rules = SessionRules { idle: console.idle, longest: console.session };
    Arc::new(House {
        back: back(desk),
        doorkeeper: Arc::new(Doorkeeper::new(rules)),
        clock: Arc::clone(&session.doors.clock),
        chance: Mutex::new((session.doors.chance)()),
        manner: Manner {
            time_zone: settings.time_zone,
            secure: console.tls.is_some() || console.behind_proxy,
            names: console.names.clone(),
        },
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
