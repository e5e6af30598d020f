//! Drawing weather from a seed: what, when and for how long, half of it at the worst moments.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::world::{KILL_POINTS, OrderKill, SourceKind, WorldPlan};
use super::super::{enterprise_manager, misbehaviour, vbr, vspc};
use super::{Deed, Event, Fault, Taking, Windows};
use crate::config::{SinkSettings, WebhookSettings};
use crate::domain::calendar::midnight;
use crate::domain::installation::entry_of;
use crate::domain::{Instant, IsoWeek, Month};

/// Every kind of duty that is planned (`Duty::kind`).
const KINDS: [&str; 13] = [
    "collect",
    "generate",
    "write",
    "tell",
    "draw",
    "telemetry",
    "remind",
    "submit",
    "usage",
    "license",
    "watch",
    "let-go",
    "thin",
];
/// What a backup server does wrong; errors stand twice, they are the commonest.
pub const OF_VBR: [vbr::Fault; 12] = [
    vbr::Fault::ServerErrors,
    vbr::Fault::Html,
    vbr::Fault::HalfAnswers,
    vbr::Fault::MovingTotal,
    vbr::Fault::MovingRows,
    vbr::Fault::DoubledRow,
    vbr::Fault::EmptyList,
    vbr::Fault::OtherPassword,
    vbr::Fault::ShortTokens,
    vbr::Fault::ServerErrors,
    vbr::Fault::NoLicense,
    vbr::Fault::Reinstalled,
];
/// What a console does wrong.
pub const OF_VSPC: [vspc::Fault; 9] = [
    vspc::Fault::Queues,
    vspc::Fault::QueuedFails,
    vspc::Fault::Passing,
    vspc::Fault::Lasting,
    vspc::Fault::EmptyHanded,
    vspc::Fault::MovingTotal,
    vspc::Fault::MovingRows,
    vspc::Fault::NotLetIn,
    vspc::Fault::Html,
];
/// What an Enterprise Manager does wrong.
pub const OF_MANAGER: [enterprise_manager::Fault; 8] = [
    enterprise_manager::Fault::ServerErrors,
    enterprise_manager::Fault::Html,
    enterprise_manager::Fault::HalfAnswers,
    enterprise_manager::Fault::OtherPassword,
    enterprise_manager::Fault::LostSession,
    enterprise_manager::Fault::OnlyXml,
    enterprise_manager::Fault::NoQuery,
    enterprise_manager::Fault::MovingRows,
];
/// Events a day, in percent.
const EVENTS_PERCENT: i64 = 60;
/// What is off is on again this long before the end, so that something is owed.
const ON_AGAIN: TimeDelta = TimeDelta::days(28);

/// Over whom the weather is drawn, and how long.
pub struct Scene {
    servers: Vec<(String, SourceKind)>,
    /// Everybody on the wire.
    peers: Vec<String>,
    recipients: Vec<String>,
    /// Webhooks and usage sinks.
    hooks: Vec<String>,
    /// The License Update Server, when there is one.
    license_server: Option<String>,
    begins_at: Instant,
    ends_at: Instant,
}

impl Scene {
    pub fn of(plan: &WorldPlan, ends_at: Instant) -> Scene {
        let servers: Vec<_> = plan.servers.iter().map(|server| (server.name.clone(), server.source)).collect();
        let license_server = plan.closed_loop.then(|| crate::protocol::PEER.to_owned());
        let webhooks = plan.settings.webhooks.iter().map(WebhookSettings::peer);
        let hooks: Vec<String> = webhooks.chain(plan.settings.usage_sinks.iter().map(SinkSettings::peer)).collect();
        let entries = servers.iter().map(|(name, _)| entry_of(name).to_owned());
        let mail = (!plan.mail_to.is_empty()).then(|| crate::doors::peer::MAIL.to_owned());
        let peers = entries.chain(license_server.clone()).chain(hooks.clone()).chain(mail).collect();
        let recipients = plan.mail_to.clone();
        Scene { servers, peers, recipients, hooks, license_server, begins_at: plan.begins_at, ends_at }
    }

    /// Servers and consoles of the settings that nothing else there refers to.
    fn entries(&self) -> Vec<String> {
        let free = self.servers.iter().filter(|(_, source)| *source != SourceKind::EnterpriseManager);
        let entries: BTreeSet<String> = free.map(|(name, _)| entry_of(name).to_owned()).collect();
        entries.into_iter().collect()
    }

    /// Servers that tell the hour.
    fn clocks(&self) -> Vec<String> {
        let telling = self.servers.iter().filter(|(_, source)| *source == SourceKind::Vbr);
        telling.map(|(name, _)| entry_of(name).to_owned()).collect()
    }
}

/// How long a fault lasts.
#[derive(Clone, Copy)]
enum Lasts {
    Instantly,
    /// Minutes to days.
    Days,
    /// Up to weeks.
    Weeks,
    /// Until well before the end.
    WellBeforeTheEnd,
}

/// Draws one fault; `None`: there is nobody in the scene whom it could befall.
type Drawn = fn(&mut StdRng, &Scene) -> Option<Fault>;

/// Each row: how often among the sum of all, how long it lasts, and what it is.
const CLIMATE: &[(u32, Lasts, Drawn)] = &[
    (8, Lasts::Days, |rng, scene| Some(Fault::Away { peer: one_of(rng, &scene.peers)? })),
    (3, Lasts::Weeks, |_, scene| Some(Fault::Away { peer: scene.license_server.clone()? })),
    (5, Lasts::Instantly, |rng, scene| Some(Fault::LostAnswer { peer: one_of(rng, &scene.peers)? })),
    (8, Lasts::Days, misbehaves),
    (2, Lasts::Days, |rng, scene| {
        let ahead_minutes = minutes_wrong(rng);
        Some(Fault::ClockOf { peer: scene.license_server.clone()?, ahead_minutes })
    }),
    (2, Lasts::Days, |rng, scene| {
        let ahead_minutes = minutes_wrong(rng);
        Some(Fault::ClockOf { peer: one_of(rng, &scene.clocks())?, ahead_minutes })
    }),
    (8, Lasts::Days, of_source),
    (2, Lasts::Days, |_, scene| (!scene.recipients.is_empty()).then_some(Fault::LockedOut)),
    (2, Lasts::Days, |rng, scene| Some(Fault::NoSuchRecipient { address: one_of(rng, &scene.recipients)? })),
    (2, Lasts::Days, |rng, scene| {
        let status = [400, 410, 429, 500, 503][rng.random_range(0..5)];
        Some(Fault::HookSays { peer: one_of(rng, &scene.hooks)?, status })
    }),
    (5, Lasts::Days, |_, _| Some(Fault::Off)),
    (2, Lasts::Days, |rng, scene| {
        let ahead_minutes = minutes_wrong(rng);
        (!scene.clocks().is_empty()).then_some(Fault::OffWithWrongClock { ahead_minutes })
    }),
    (3, Lasts::Days, |rng, _| Some(Fault::ClockJumps { ahead_minutes: minutes_wrong(rng) })),
    (16, Lasts::Instantly, |rng, _| {
        let (kind, point) = (KINDS[rng.random_range(0..KINDS.len())], KILL_POINTS[rng.random_range(0..4)]);
        Some(Fault::Killed { kind, point })
    }),
    (12, Lasts::Days, |rng, _| {
        let unsynced_bytes = [0, 0, 1, 7, 64, 4096][rng.random_range(0..6)];
        Some(Fault::PowerGoes { operations: rng.random_range(0..120), unsynced_bytes })
    }),
    (5, Lasts::Days, |rng, _| Some(Fault::DiskFull { operations: rng.random_range(0..120) })),
    (2, Lasts::Days, |_, _| Some(Fault::ReadOnly)),
    (2, Lasts::Days, |_, _| Some(Fault::ReadOnlyReports)),
    (7, Lasts::Instantly, |_, _| Some(Fault::BackUp)),
    (3, Lasts::Instantly, |_, _| Some(Fault::PutBack)),
    (2, Lasts::Instantly, |_, _| Some(Fault::Moved)),
    (2, Lasts::Instantly, |_, _| Some(Fault::StartedTwice)),
    (1, Lasts::WellBeforeTheEnd, |_, _| Some(Fault::AutoUpdateOff)),
    (22, Lasts::Instantly, |rng, _| {
        let windows = [Windows::One, Windows::One, Windows::Two][rng.random_range(0..3)];
        Some(Fault::Person { deed: deed(rng), unit: rng.random_range(0..4), windows })
    }),
];

/// The weather of a seed: the same seed over the same scene is the same list, in the order of its instants.
pub fn draw(seed: u64, scene: &Scene) -> Vec<Event> {
    let mut rng = StdRng::seed_from_u64(seed ^ 0x0077_ea74_e12d);
    let days = (scene.ends_at - scene.begins_at).num_days().max(1);
    let mut events: Vec<Event> =
        (0..(days * EVENTS_PERCENT / 100).max(1)).filter_map(|_| draw_one(&mut rng, scene)).collect();
    events.extend(taken_out(seed, scene));
    events.extend(far_side_put_back(seed, scene, &events));
    events.sort_by_key(|event| event.at);
    with_killed_orders(seed, events)
}

/// Servers that are taken out of the settings, in every fourth world. Drawn by a chance of its own: the other events are the
/// same without them.
fn taken_out(seed: u64, scene: &Scene) -> Vec<Event> {
    let mut rng = StdRng::seed_from_u64(seed ^ 0x0000_7a4e_0c07);
    let mut all = Vec::new();
    if rng.random_range(0..4) != 0 {
        return all;
    }
    let mut entries = scene.entries();
    for _ in 0..rng.random_range(1..3) {
        if entries.is_empty() {
            break;
        }
        let entry = entries.swap_remove(rng.random_range(0..entries.len()));
        let at = moment(&mut rng, scene);
        let most = [90, 24 * 60, 40 * 24 * 60][rng.random_range(0..3)];
        let end = (at + TimeDelta::minutes(rng.random_range(5..most))).min(scene.ends_at - TimeDelta::days(1));
        let by = [Taking::Reload, Taking::Restart][rng.random_range(0..2)];
        if at < end {
            all.push(Event { at, fault: Fault::TakenOut { entry, by }, minutes: (end - at).num_minutes() });
        }
    }
    all
}

/// The License Update Server is put back to a backup of days or weeks ago, in every sixth world. Only where the agent is not
/// put back, too: what both forgot nobody can know. Drawn by a chance of its own.
fn far_side_put_back(seed: u64, scene: &Scene, events: &[Event]) -> Option<Event> {
    let mut rng = StdRng::seed_from_u64(seed ^ 0x0000_fa25_1de0);
    let is_agent_put_back = events.iter().any(|event| event.fault == Fault::PutBack);
    if rng.random_range(0..6) != 0 || scene.license_server.is_none() || is_agent_put_back {
        return None;
    }
    let at = moment(&mut rng, scene);
    let most = [24 * 60, 20 * 24 * 60][rng.random_range(0..2)];
    let end = (at + TimeDelta::minutes(rng.random_range(5..most))).min(scene.ends_at - ON_AGAIN);
    (at < end).then(|| Event { at, fault: Fault::FarSidePutBack, minutes: (end - at).num_minutes() })
}

/// Pulls the plug within every third order. Drawn by a chance of its own: the other events are the same without it.
fn with_killed_orders(seed: u64, events: Vec<Event>) -> Vec<Event> {
    let mut rng = StdRng::seed_from_u64(seed ^ 0x0000_04de_4ed5);
    let mut all = Vec::new();
    for event in events {
        let is_order = matches!(event.fault, Fault::Person { .. } | Fault::AutoUpdateOff);
        if is_order && rng.random_range(0..3) == 0 {
            all.push(Event { at: event.at, fault: Fault::KilledOrder { kill: order_kill(&mut rng) }, minutes: 0 });
        }
        all.push(event);
    }
    all
}

fn order_kill(rng: &mut StdRng) -> OrderKill {
    let (operation, talk) = (rng.random_range(0..10), rng.random_range(0..3));
    let unsynced_bytes = [0, 0, 1, 7, 64, 4096][rng.random_range(0..6)];
    match rng.random_range(0..4) {
        0 => OrderKill::AfterTalk { talk },
        _ => OrderKill::AtWrite { operation, unsynced_bytes },
    }
}

fn draw_one(rng: &mut StdRng, scene: &Scene) -> Option<Event> {
    let all: u32 = CLIMATE.iter().map(|row| row.0).sum();
    let mut place = rng.random_range(0..all);
    let (_, lasts, drawn) = CLIMATE.iter().find(|row| {
        let is_it = place < row.0;
        place = place.saturating_sub(row.0);
        is_it
    })?;
    let at = moment(rng, scene);
    let end = match lasts {
        Lasts::Instantly => at,
        Lasts::Days => at + TimeDelta::minutes(minutes(rng)),
        Lasts::Weeks => at + TimeDelta::minutes(rng.random_range(0..30 * 24 * 60)),
        Lasts::WellBeforeTheEnd => (at + TimeDelta::minutes(minutes(rng))).min(scene.ends_at - ON_AGAIN),
    };
    let minutes = (end.min(scene.ends_at) - at).num_minutes();
    let fault = drawn(rng, scene)?;
    let is_drawn = 0 < minutes || matches!(lasts, Lasts::Instantly);
    is_drawn.then_some(Event { at, fault, minutes })
}

/// From minutes to four days, short ones more often.
fn minutes(rng: &mut StdRng) -> i64 {
    let most = [90, 90, 24 * 60, 4 * 24 * 60][rng.random_range(0..4)];
    rng.random_range(5..most)
}

/// Half of them around the hours at which the most is due: a month's first, its 11th, a week's beginning.
fn moment(rng: &mut StdRng, scene: &Scene) -> Instant {
    let span = (scene.ends_at - scene.begins_at).num_minutes().max(1);
    let anywhere = scene.begins_at + TimeDelta::minutes(rng.random_range(0..span));
    let near = TimeDelta::minutes(rng.random_range(-10..20));
    let month = Month::of(anywhere);
    let drawn = match rng.random_range(0..8) {
        0 => month.starts_at() + near,
        1 => midnight(month.day(11)) + near,
        2 => IsoWeek::of(anywhere).ends_at() + near,
        3 => midnight(month.day(11)) + TimeDelta::minutes(rng.random_range(0..180)),
        _ => anywhere,
    };
    if (scene.begins_at..scene.ends_at).contains(&drawn) { drawn } else { anywhere }
}

/// How far a clock is wrong: never so little that it would be tolerated.
fn minutes_wrong(rng: &mut StdRng) -> i64 {
    let most = [60, 60, 24 * 60, 40 * 24 * 60][rng.random_range(0..4)];
    let by = rng.random_range(6..most);
    if rng.random_range(0..2) == 0 { by } else { -by }
}

fn misbehaves(rng: &mut StdRng, scene: &Scene) -> Option<Fault> {
    let peer = one_of(rng, &scene.peers)?;
    let is_signed = scene.license_server.as_ref() == Some(&peer);
    let how = if peer == crate::doors::peer::MAIL {
        misbehaviour::OF_MAIL[rng.random_range(0..misbehaviour::OF_MAIL.len())]
    } else if is_signed && rng.random_range(0..3) == 0 {
        misbehaviour::OF_SIGNED[rng.random_range(0..misbehaviour::OF_SIGNED.len())]
    } else {
        misbehaviour::OF_HTTP[rng.random_range(0..misbehaviour::OF_HTTP.len())]
    };
    Some(Fault::Misbehaves { peer, how })
}

fn of_source(rng: &mut StdRng, scene: &Scene) -> Option<Fault> {
    let (server, source) = scene.servers.get(rng.random_range(0..scene.servers.len().max(1)))?.clone();
    match source {
        SourceKind::Vbr => Some(Fault::Vbr { server, how: OF_VBR[rng.random_range(0..OF_VBR.len())] }),
        SourceKind::Vspc(_) => {
            let console = entry_of(&server).to_owned();
            Some(Fault::Vspc { console, how: OF_VSPC[rng.random_range(0..OF_VSPC.len())] })
        }
        SourceKind::EnterpriseManager => {
            Some(Fault::EnterpriseManager { manager: server, how: OF_MANAGER[rng.random_range(0..OF_MANAGER.len())] })
        }
        SourceKind::SnapshotFolder => None,
    }
}

fn deed(rng: &mut StdRng) -> Deed {
    let which = rng.random_range(0..100);
    match rng.random_range(0..16) {
        0..3 => Deed::Send,
        3..5 => Deed::Reset,
        5..7 => Deed::Postpone,
        7 => Deed::MarkExternal,
        8..12 => Deed::Remove(which),
        12 => Deed::Justify,
        13 => Deed::Correct,
        14 => Deed::LicenseUpdate,
        _ => [Deed::Generate, Deed::SampleNow(which)][rng.random_range(0..2)],
    }
}

fn one_of(rng: &mut StdRng, among: &[String]) -> Option<String> {
    among.get(rng.random_range(0..among.len().max(1))).cloned()
}
