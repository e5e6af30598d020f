//! `rehearse`: the agent's own settings on simulated time, against simulated servers; nothing is sent anywhere.

use clap::Args;

use super::session::Session;
use crate::agent::Refused;
use crate::domain::Instant;
use crate::domain::calendar::minute_text;
use crate::simulation::world::{World, WorldPlan};

/// Longest span that is rehearsed.
const DAYS_MAX: i64 = 800;
/// Machines that stand behind each simulated server.
const MACHINES: u32 = 40;

/// Options of `rehearse`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// When it begins
    #[arg(long, value_name = "T", value_parser = super::arguments::instant)]
    from: Instant,
    /// When it ends
    #[arg(long, value_name = "T", value_parser = super::arguments::instant)]
    until: Instant,
    /// The seed of chance and machines
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

/// Prints what the agent would do, line by line.
pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    session.refuse_now("rehearse")?;
    let settings = session.settings()?;
    if settings.servers.is_empty() {
        return Err(Refused::new(78, "the settings name no [[server]]; there is nothing to rehearse"));
    }
    if asked.until <= asked.from || DAYS_MAX < (asked.until - asked.from).num_days() {
        return Err(Refused::new(2, format!("--until must lie after --from, by at most {DAYS_MAX} days")));
    }
    session.print(&format!(
        "{} to {} with your settings; each server has {MACHINES} simulated machines, and nothing leaves this machine.\n",
        minute_text(asked.from),
        minute_text(asked.until)
    ))?;
    let mut world = World::new(WorldPlan::rehearsal(asked.seed, asked.from, MACHINES, settings));
    let first: Vec<String> = world.story().to_vec();
    for line in first {
        session.print(&format!("{line}\n"))?;
    }
    let mut printed = Ok(());
    world.run_with(asked.until, &mut |line| {
        if printed.is_ok() {
            printed = session.print(&format!("{line}\n"));
        }
    });
    printed?;
    for mail in world.wire.mails() {
        session.print(&format!("mail to {}: {}\n", mail.to, subject(&mail.message)))?;
    }
    Ok(())
}

fn subject(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let line = text.lines().find_map(|line| line.strip_prefix("Subject: "));
    line.unwrap_or("(no subject)").to_owned()
}
