//! `agent`: the long-running owner of the state directory, composed with its alarm, its desk and its sockets.

mod console;
mod entrance;
mod exchange;
mod keeper;
mod owner;
mod reload;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::access::{NO_CONTROL, SOCKET};
use super::logs;
use super::session::{Session, absolute};
use super::stopping::{Stop, on_signal, told};
use crate::agent::{FirstSignIn, Refused};
use crate::api::{self, Desk, Errand};
use crate::config::Settings;
use crate::doors::Clock;
use crate::ports::clock::{ClockWatch, Monotonic};
use crate::ports::supervisor::{Tidings, tell};
use crate::ports::{alarm, serve};
use keeper::Keeper;
use owner::Note;
use reload::{InForce, Wanted};

pub use reload::{PATH as RELOAD, Rereading, words};

/// How long the sockets may take to close when the owner has ended.
const CLOSING: Duration = Duration::from_secs(12);

pub fn run(session: &mut Session<'_>) -> Result<(), Refused> {
    session.refuse_now("agent")?;
    let settings = session.settings()?;
    run_with(session, settings, Rereading::AsAtStart)
}

/// The same with settings at hand, as after a played past.
pub fn run_with(session: &mut Session<'_>, settings: Settings, rereading: Rereading) -> Result<(), Refused> {
    logs::begin(session.doors);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Refused::new(1, format!("cannot start: {error}")))?;
    let ended = runtime.block_on(live(session, settings, rereading));
    // Conversations that outlived the stop are safe to repeat.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn live(session: &mut Session<'_>, settings: Settings, rereading: Rereading) -> Result<(), Refused> {
    let (sender, stop) = on_signal()?;
    let (wanting, mut wanted) = reload::desk();
    match rereading {
        Rereading::AsAtStart => reload::on_hangup(wanting.clone())?,
        Rereading::Never => wanted.close(),
    }
    let (desk, errands) = api::desk();
    let (notes, heard) = mpsc::unbounded_channel();
    let (opened, is_open) = oneshot::channel();
    let keeper = Keeper {
        settings: settings.clone(),
        doors: session.doors.clone(),
        notes: notes.clone(),
        runtime: tokio::runtime::Handle::current(),
        stop: stop.clone(),
    };
    let mut ended = kept(keeper, errands, heard, opened)?;
    let first = is_open.await.map_err(|_| gone())??;
    let (mut served, console) = match open_doors(session, &settings, &desk, (&notes, wanting), &stop).await {
        Ok(served) => served,
        Err(refused) => {
            let _ = sender.send(true);
            let _ = ended.await;
            return Err(refused);
        }
    };
    if let Some(first) = first {
        tell_first(session, &first)?;
    }
    tell(Tidings::Ready);
    info!(event = "agent.ready", state_dir = %settings.state_dir.display(), "the agent runs");
    let mut in_force = InForce { settings, console, notes };
    let ended = loop {
        tokio::select! {
            ended = &mut ended => break ended.map_err(|_| gone())?,
            Some(wanted) = wanted.recv() => in_force.reload(session, wanted).await,
        }
    };
    tell(Tidings::Stopping);
    let _ = sender.send(true);
    served.extend(in_force.console.map(|console| console.task));
    close(served).await;
    info!(event = "agent.stopped", "the agent has stopped");
    ended
}

fn gone() -> Refused {
    Refused::new(1, "the owner of the store ended without a word")
}

/// The keeper on a thread of its own; gives back its end.
fn kept(
    keeper: Keeper,
    errands: mpsc::Receiver<Errand>,
    heard: mpsc::UnboundedReceiver<Note>,
    opened: oneshot::Sender<Result<Option<FirstSignIn>, Refused>>,
) -> Result<oneshot::Receiver<Result<(), Refused>>, Refused> {
    let (ending, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("owner".to_owned())
        .spawn(move || {
            let _ = ending.send(keeper.keep(errands, heard, opened));
        })
        .map_err(|error| Refused::new(1, format!("cannot start the owner: {error}")))?;
    Ok(ended)
}

/// Nobody is known yet: the link goes to whoever sits here, the log names the file alone.
fn tell_first(session: &mut Session<'_>, first: &FirstSignIn) -> Result<(), Refused> {
    let why = "nobody may sign in yet; the link in this file makes the first administrator";
    info!(event = "console.first_sign_in", file = %first.file.display(), "{why}");
    if !std::io::stdout().is_terminal() {
        return Ok(());
    }
    session.print(&format!("The first administrator signs in at\n{}\n", first.link.expose_secret()))
}

/// Everything that listens or rings; each ends with the stop.
async fn open_doors(
    session: &Session<'_>,
    settings: &Settings,
    desk: &Desk,
    (notes, wanting): (&mpsc::UnboundedSender<Note>, mpsc::Sender<Wanted>),
    stop: &Stop,
) -> Result<(Vec<JoinHandle<()>>, Option<console::Standing>), Refused> {
    let unavailable = |error: &dyn std::fmt::Display| Refused::new(69, error.to_string());
    let mut served = vec![ring(Arc::clone(&session.doors.clock), notes.clone(), stop.clone()).await?];
    let socket = absolute(&settings.state_dir).join(SOCKET);
    let house = api::House::new(desk.clone(), Arc::clone(&session.doors.clock));
    let router = api::router(house.clone()).merge(api::metrics::router(desk.clone()));
    let router = router.merge(reload::router(wanting));
    let listening = serve::control(&socket, router, told(stop.clone()));
    match listening.await.map_err(|error| unavailable(&error))? {
        Some(control) => {
            served.push(tokio::spawn(async move { log_end("control socket", control.await) }));
            info!(event = "control.listening", socket = %socket.display(), "the control socket is open");
        }
        None => warn!(event = "control.none", "{NO_CONTROL}"),
    }
    let console = match &settings.console {
        Some(console) => console::open(session, settings, console, house, stop).await,
        None => None,
    };
    Ok((served, console))
}

fn log_end<E: std::fmt::Display>(what: &str, ended: Result<(), E>) {
    match ended {
        Ok(()) => {}
        Err(error) => warn!(event = "serve.failed", what, error = %error, "it broke off"),
    }
}

/// The alarm: looks once a minute, and watches the clock.
async fn ring(
    clock: Arc<dyn Clock>,
    notes: mpsc::UnboundedSender<Note>,
    stop: Stop,
) -> Result<JoinHandle<()>, Refused> {
    let mut alarm = alarm::set().await.map_err(|error| Refused::new(1, format!("cannot set the alarm: {error}")))?;
    let monotonic = Monotonic::started();
    let mut watch = ClockWatch::new(clock.now(), monotonic.elapsed());
    Ok(tokio::spawn(async move {
        let stopped = told(stop);
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => return,
                ring = alarm.rings.recv() => if ring.is_none() { return },
            }
            let jump = watch.look(clock.now(), monotonic.elapsed());
            let sent = jump.map_or(Ok(()), |by| notes.send(Note::Jumped(by))).and_then(|()| notes.send(Note::Look));
            if sent.is_err() {
                return;
            }
        }
    }))
}

async fn close(served: Vec<JoinHandle<()>>) {
    let all = async {
        for one in served {
            let _ = one.await;
        }
    };
    let _ = tokio::time::timeout(CLOSING, all).await;
}
