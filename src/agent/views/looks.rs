//! What newest samples come to, worked out once: every page asks for it at every click, and it changes with a sample.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::agent::peak::Explained;
use crate::agent::{Agent, Trouble};
use crate::domain::installation::{ServerName, UnitId};
use crate::domain::{Instant, Month};
use crate::rules::identity::Finding;
use crate::store::{ClassifiedSample, Edition};

use super::rates::unknown_types;
use super::usage::discrepancies_of;

/// A server's sample in short.
pub(in crate::agent) struct Look {
    pub unknown_types: Vec<Value>,
    pub discrepancies: Vec<String>,
    /// The source itself had nothing fresh.
    pub is_stale: bool,
    pub workloads: usize,
}

impl Look {
    fn of(found: &ClassifiedSample) -> Look {
        Look {
            unknown_types: unknown_types(found),
            discrepancies: discrepancies_of(found),
            is_stale: found.sample.stale.is_some(),
            workloads: found.sample.workloads.len(),
        }
    }
}

/// A sample among which machines and servers that may be the same were looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Among {
    pub unit: UnitId,
    /// Whether machines of several servers of the unit count once.
    pub counts_once: bool,
    pub server: ServerName,
    pub edition: Edition,
}

/// Findings, and among which samples they were found.
type Found = (Vec<Among>, Arc<[Finding]>);

/// What was worked out of samples, as long as they are the ones that are asked for.
#[derive(Default)]
pub(in crate::agent) struct Looks {
    servers: BTreeMap<ServerName, (Edition, Arc<Look>)>,
    /// Of the newest samples, and of the month's end that was asked for last.
    found: BTreeMap<Option<Month>, Found>,
}

impl Agent {
    /// The server's newest sample in short.
    pub(super) fn look(&self, server: &str, now: Instant) -> Result<Option<Arc<Look>>, Trouble> {
        let Some(edition) = self.store.newest_edition(server, now)? else { return Ok(None) };
        if let Some((known, look)) = self.looks.borrow().servers.get(server)
            && *known == edition
        {
            return Ok(Some(Arc::clone(look)));
        }
        let look = self.store.newest_sample(server, now)?.map(|found| Arc::new(Look::of(&found)));
        let known = look.iter().map(|look| (server.to_owned(), (edition, Arc::clone(look))));
        self.looks.borrow_mut().servers.extend(known);
        Ok(look)
    }

    /// What was found among these very samples before.
    pub(super) fn found_before(&self, month: Option<Month>, among: &[Among]) -> Option<Arc<[Finding]>> {
        let looks = self.looks.borrow();
        looks.found.get(&month).filter(|(known, _)| known == among).map(|(_, found)| Arc::clone(found))
    }

    pub(super) fn remember_found(&self, month: Option<Month>, among: Vec<Among>, found: &Arc<[Finding]>) {
        let known = &mut self.looks.borrow_mut().found;
        known.retain(|of, _| of.is_none() || *of == month);
        known.insert(month, (among, Arc::clone(found)));
    }

    /// Lets go of all that was worked out or decoded before: answers are the same without, and come later.
    pub fn look_afresh(&self) {
        self.store.read_afresh();
        *self.looks.borrow_mut() = Looks::default();
        *self.explained.borrow_mut() = Explained::default();
    }
}
