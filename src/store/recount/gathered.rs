//! What the journal alone says of samples: each server's in the order of their time, whose they are, and the units.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::installation::{ServerName, Unit};
use crate::store::StoreError;
use crate::store::fact::Fact;
use crate::store::journal::Entry;
use crate::store::kept;
use crate::store::keys::Moment;
use crate::store::opening::Thinnings;
use crate::store::payload::{Bearing, each_bearing};
use crate::store::remains::Remains;
use crate::store::state::unit_between;
use crate::store::unpacking::Packed;

/// A unit's place among the units.
pub type UnitPlace = usize;

/// A sample as it was packed, or what is left of it.
#[derive(Clone, Copy)]
pub struct Recorded {
    pub at: Moment,
    base_at: Option<Moment>,
    /// The unit its server belonged to.
    pub unit: Option<UnitPlace>,
    /// Where its bytes stand.
    bytes: (usize, usize),
}

/// A server and its samples.
pub struct OfServer {
    pub name: ServerName,
    /// In order of time.
    pub samples: Vec<Recorded>,
    bytes: Vec<u8>,
    /// The unit that it belongs to.
    unit: Option<UnitPlace>,
}

/// A unit, and the servers that are or were of it, by their places among the servers.
pub struct OfUnit {
    pub unit: Unit,
    pub servers: BTreeMap<ServerName, usize>,
}

/// Everything that bears on how samples count.
#[derive(Default)]
pub struct Gathered {
    pub servers: Vec<OfServer>,
    pub units: Vec<OfUnit>,
    place_of: BTreeMap<ServerName, usize>,
    thinnings: Thinnings,
}

impl OfServer {
    /// The bytes of one of its samples.
    pub fn packed(&self, sample: &Recorded) -> Packed<'_> {
        let (start, end) = sample.bytes;
        Packed { base_at: sample.base_at, bytes: Cow::Borrowed(&self.bytes[start..end]) }
    }

    /// The bytes of the sample of this instant.
    pub fn packed_at(&self, at: Moment) -> Result<Packed<'_>, StoreError> {
        let place = self.place_of(at).map_err(|_| kept::odd("a sample", "it is missing"))?;
        Ok(self.packed(&self.samples[place]))
    }

    /// Where the sample of this instant stands, or would.
    fn place_of(&self, at: Moment) -> Result<usize, usize> {
        match self.samples.last() {
            Some(newest) if newest.at < at => Err(self.samples.len()),
            _ => self.samples.binary_search_by_key(&at, |sample| sample.at),
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> (usize, usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        (start, self.bytes.len())
    }

    fn take(&mut self, at: Moment, base_at: Option<Moment>, bytes: &[u8]) -> Result<(), StoreError> {
        let Err(place) = self.place_of(at) else {
            return Err(kept::odd("a sample", "its server has another one of the same instant"));
        };
        let unit_at = |place: usize| self.samples.get(place).map(|sample| sample.unit);
        let between = unit_between(place.checked_sub(1).and_then(unit_at), unit_at(place));
        let unit = between.or(self.unit);
        let bytes = self.keep(bytes);
        self.samples.insert(place, Recorded { at, base_at, unit, bytes });
        Ok(())
    }

    fn let_go(&mut self, at: Moment, left: &[u8]) -> Result<(), StoreError> {
        let place = self.place_of(at).map_err(|_| kept::odd("a sample that was let go", "it is missing"))?;
        // Where thinning was cut short, what is left stands in its own entry already.
        if Remains::of_bytes(&self.packed(&self.samples[place]).bytes)?.is_none() {
            let bytes = self.keep(left);
            self.samples[place] = Recorded { base_at: None, bytes, ..self.samples[place] };
        }
        Ok(())
    }
}

impl Gathered {
    /// Takes the next entry of the journal.
    pub fn take(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.thinnings.take(entry);
        each_bearing(&entry.payload, &mut |bearing| match bearing {
            Bearing::Sample { server, at, base_at, bytes } => self.server(server).take(at, base_at, bytes),
            Bearing::Thinned { server, at, left } => self.server(server).take(at, None, left),
            Bearing::Left { server, at, left } => self.server(server).let_go(at, left),
            Bearing::Fact(fact) => {
                self.thinnings.note(&fact);
                if let Fact::UnitFormed { unit } = *fact {
                    self.form(unit);
                }
                Ok(())
            }
        })
    }

    /// Whether what is left of thinned entries is what was left of them; to be asked after the last entry.
    pub fn check(&self) -> Result<(), StoreError> {
        self.thinnings.check()
    }

    fn server(&mut self, name: &str) -> &mut OfServer {
        let place = self.server_place(name);
        &mut self.servers[place]
    }

    fn server_place(&mut self, name: &str) -> usize {
        if let Some(place) = self.place_of.get(name) {
            return *place;
        }
        let (name, place) = (name.to_owned(), self.servers.len());
        self.place_of.insert(name.clone(), place);
        self.servers.push(OfServer { name, samples: Vec::new(), bytes: Vec::new(), unit: None });
        place
    }

    /// Servers join the unit and leave it; samples that belong to none become those of their server's first one.
    fn form(&mut self, unit: Unit) {
        let known = self.units.iter().position(|known| known.unit.id == unit.id);
        let place = known.unwrap_or(self.units.len());
        if known.is_none() {
            self.units.push(OfUnit { unit: unit.clone(), servers: BTreeMap::new() });
        }
        let named: BTreeSet<&ServerName> = unit.servers.iter().collect();
        for (name, server) in &self.units[place].servers {
            let server = &mut self.servers[*server];
            if server.unit == Some(place) && !named.contains(name) {
                server.unit = None;
            }
        }
        for name in &unit.servers {
            let at = self.server_place(name);
            self.units[place].servers.insert(name.clone(), at);
            let server = &mut self.servers[at];
            if server.unit.replace(place).is_none() {
                server.samples.iter_mut().for_each(|sample| sample.unit = sample.unit.or(Some(place)));
            }
        }
        self.units[place].unit = unit;
    }
}
