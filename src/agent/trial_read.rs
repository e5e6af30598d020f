//! Reading a source once as a sample does, and keeping nothing: for whoever sets it up or looks for what is wrong.

use crate::ask::Setback;
use crate::config::ServerSettings;
use crate::domain::Instant;
use crate::domain::sample::Sample;
use crate::doors::Wire;
use crate::sources::{Brief, Collected, Sweep};

use super::{clocks_apart, converse};

/// What a source showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialRead {
    /// One line a server that it names.
    pub servers: Vec<String>,
    /// What the source saw that belongs to no sample, and where its numbers differ from each other.
    pub notes: Vec<String>,
    /// The clocks, when nothing would be believed of this server because of them.
    pub clock: Option<String>,
    /// The revision of its API that was spoken.
    pub revision: Option<String>,
}

/// Logs in, reads everything that a first sample reads, and logs out. Nothing is recorded, nothing is changed there.
///
/// # Errors
/// The setback that a sample would have met.
pub async fn trial_read(server: &ServerSettings, wire: &dyn Wire, now: Instant) -> Result<TrialRead, Setback> {
    let brief = Brief {
        remembered: Default::default(),
        server: server.name.clone(),
        now,
        previous: None,
        sweep: Sweep::Since,
        settings: server.source.clone(),
        known: Vec::new(),
    };
    let collected = converse((server.source_row().open)(brief), wire).await?;
    Ok(TrialRead {
        servers: collected.samples.iter().map(shown).collect(),
        notes: notes(&collected),
        clock: collected.server_time.and_then(|theirs| clocks_apart(theirs, now)),
        revision: collected.revision,
    })
}

fn notes(collected: &Collected) -> Vec<String> {
    let differ = collected.samples.iter().flat_map(|sample| &sample.discrepancies);
    collected.notes.iter().chain(differ).cloned().collect()
}

fn shown(sample: &Sample) -> String {
    let license = &sample.license;
    let of = [Some(license.kind.as_str()), license.product.as_deref(), license.edition.as_deref()];
    let of: Vec<&str> = of.into_iter().flatten().collect();
    let to = license.licensed_to.as_ref().map_or(String::new(), |company| format!(" for {company}"));
    let until = license.expires_on.map_or(String::new(), |day| format!(", until {day}"));
    let machines = sample.workloads.len();
    let tenants = if sample.counts.is_empty() { "" } else { " and counts by tenant" };
    format!("{}: license {}{to}{until}; {machines} workloads{tenants}", sample.server, of.join(" "))
}
