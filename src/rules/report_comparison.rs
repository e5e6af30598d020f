//! Our report of a month beside the console's own, and why they differ where a reason is known (domain.md 3.10).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::Points;
use crate::domain::console_report::{ConsoleReport, ConsoleUsage, LeftOut};
use crate::domain::installation::{ServerName, entry_of};
use crate::domain::report::{CountedBy, Line, UsageReport};
use crate::domain::workload::WorkloadType;

/// A unit's report, and under which licenses its servers stand.
#[derive(Clone, Debug)]
pub struct Ours<'a> {
    pub report: &'a UsageReport,
    /// License ids by server, at the month's end; a server without one has that of the report.
    pub licenses: BTreeMap<ServerName, String>,
    /// License ids of the other units.
    pub elsewhere: BTreeSet<String>,
}

/// Both reports side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub is_equal: bool,
    pub ours_points: Points,
    pub theirs_points: Points,
    /// Ours less theirs; the sum of the lines' differences.
    pub difference: Points,
    /// By license and type.
    pub lines: Vec<Compared>,
    /// What they list and this unit does not count; it stands outside the sums.
    pub beside: Vec<Beside>,
}

/// One license and type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    pub license_id: Option<String>,
    #[serde(rename = "type")]
    pub kind: WorkloadType,
    pub ours: Side,
    pub theirs: Side,
    /// Points, ours less theirs.
    pub difference: Points,
    /// Reported counts and points are the same; counts of new machines cost nothing and may differ.
    pub is_equal: bool,
    /// Known reasons; none when it is not known.
    pub reasons: Vec<Cause>,
}

/// What one report says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Side {
    pub initial_count: u64,
    pub reported_count: u64,
    pub new_count: u64,
    pub points: Points,
}

/// One reason for a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    pub reason: Reason,
    pub server: Option<ServerName>,
    /// For people, one line.
    pub text: String,
}

/// Kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Their report says that it leaves the server out.
    LeftOutThere,
    /// They list no usage of the license at all.
    LicenseNotListedThere,
    /// Our server's license id is not known.
    LicenseNotKnownHere,
    /// Counted here by an old sample.
    StaleHere,
    /// Not counted here: no usable sample.
    NotCollectedHere,
    AdjustedHere,
    AdjustedThere,
    /// Another number of machines stands as new.
    NewDiffers,
    /// The same machines at another weight.
    WeightDiffers,
    /// A type that is not known by this name.
    TypeNotKnown,
}

/// Usage of theirs that is none of this unit's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Beside {
    pub what: String,
    pub license_id: Option<String>,
    pub points: Points,
    pub why: String,
}

/// License and type.
type Key = (Option<String>, WorkloadType);

/// Lays the reports side by side.
pub fn compare(ours: &Ours, theirs: &ConsoleReport) -> Comparison {
    let licenses = ours.own_licenses();
    let is_own = |usage: &&ConsoleUsage| licenses.contains(&small(usage.license_id.as_deref()));
    let mut sides: BTreeMap<Key, (Side, Side)> = BTreeMap::new();
    for line in &ours.report.lines {
        sides.entry((ours.license_of(&line.server), line.kind.clone())).or_default().0.take_line(line);
    }
    for usage in theirs.usage.iter().filter(is_own) {
        let key = (small(usage.license_id.as_deref()), usage.kind.clone());
        sides.entry(key).or_default().1.take_usage(usage);
    }
    let listed: BTreeSet<Option<String>> = theirs.usage.iter().map(|one| small(one.license_id.as_deref())).collect();
    let lines: Vec<Compared> = sides
        .into_iter()
        .map(|(key, (own, other))| {
            let reasons = reasons(ours, theirs, &key, &own, &other, listed.contains(&key.0));
            let is_equal = own.reported_count == other.reported_count && own.points == other.points;
            let (license_id, kind) = key;
            let difference = own.points - other.points;
            Compared { license_id, kind, ours: own, theirs: other, difference, is_equal, reasons }
        })
        .collect();
    let sum = |side: fn(&Compared) -> Points| lines.iter().map(side).sum::<Points>();
    Comparison {
        is_equal: lines.iter().all(|line| line.is_equal),
        ours_points: sum(|line| line.ours.points),
        theirs_points: sum(|line| line.theirs.points),
        difference: sum(|line| line.difference),
        beside: beside(ours, theirs, &licenses),
        lines,
    }
}

impl Ours<'_> {
    fn license_of(&self, server: &str) -> Option<String> {
        small(self.licenses.get(server).or(self.report.license_id.as_ref()).map(String::as_str))
    }

    fn own_licenses(&self) -> BTreeSet<Option<String>> {
        let of_report = self.report.license_id.iter().chain(self.licenses.values());
        let named = of_report.map(|id| small(Some(id.as_str())));
        named.chain(self.report.lines.iter().map(|line| self.license_of(&line.server))).collect()
    }

    /// Servers with lines of the key, and their points there.
    fn servers_of(&self, key: &Key) -> BTreeMap<&str, Points> {
        let mut servers: BTreeMap<&str, Points> = BTreeMap::new();
        for line in self.report.lines.iter().filter(|line| line.kind == key.1) {
            if self.license_of(&line.server) == key.0 {
                *servers.entry(&line.server).or_default() += line.points;
            }
        }
        servers
    }

    /// Servers under the license that the report counts nothing of.
    fn not_collected(&self, license: Option<&str>) -> BTreeSet<&str> {
        let is_out = |by: CountedBy| matches!(by, CountedBy::Excluded | CountedBy::Nothing);
        let covered = self.report.provenance.servers.iter().filter(|one| is_out(one.counted_by));
        let names = self.report.not_collected.iter().chain(covered.map(|one| &one.server));
        names.map(String::as_str).filter(|server| self.license_of(server).as_deref() == license).collect()
    }
}

impl Side {
    fn take_line(&mut self, line: &Line) {
        self.initial_count += line.initial_count;
        self.reported_count += line.reported_count;
        self.new_count += line.new_count;
        self.points += line.points;
    }

    fn take_usage(&mut self, usage: &ConsoleUsage) {
        self.initial_count = self.initial_count.saturating_add(usage.initial);
        self.reported_count = self.reported_count.saturating_add(usage.reported);
        self.new_count = self.new_count.saturating_add(usage.new);
        self.points += usage.points;
    }

    fn is_adjusted(&self) -> bool {
        self.initial_count != self.reported_count
    }
}

fn reasons(ours: &Ours, theirs: &ConsoleReport, key: &Key, own: &Side, other: &Side, is_listed: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut say = |reason, server: Option<&str>, text: String| {
        causes.push(Cause { reason, server: server.map(str::to_owned), text });
    };
    if own.new_count != other.new_count {
        say(Reason::NewDiffers, None, format!("new machines: {} here, {} there", own.new_count, other.new_count));
    }
    if own.reported_count == other.reported_count && own.points == other.points {
        return causes;
    }
    let servers = ours.servers_of(key);
    for (server, points) in &servers {
        for out in theirs.left_out.iter().filter(|out| is_same_server(server, out)) {
            let words = out.why.words();
            let text = format!("the console {words} {}; {points} points here", out.server);
            say(Reason::LeftOutThere, Some(server), text);
        }
    }
    if !is_listed {
        let (reason, text) = match &key.0 {
            Some(id) => (Reason::LicenseNotListedThere, format!("the console lists no usage of license {id}")),
            None => (Reason::LicenseNotKnownHere, "the license id of this server is not known here".to_owned()),
        };
        say(reason, None, text);
    }
    for stale in ours.report.basis.stale.iter().filter(|stale| servers.contains_key(stale.server.as_str())) {
        let text = format!("{} is counted here by an old sample of {}", stale.server, stale.sample_at.format("%F %R"));
        say(Reason::StaleHere, Some(&stale.server), text);
    }
    for server in ours.not_collected(key.0.as_deref()) {
        say(Reason::NotCollectedHere, Some(server), format!("{server} is not counted here: it has no usable sample"));
    }
    for (side, reason, place) in [(own, Reason::AdjustedHere, "here"), (other, Reason::AdjustedThere, "there")] {
        if side.is_adjusted() {
            let text = format!("adjusted {place}: {} collected, {} reported", side.initial_count, side.reported_count);
            say(reason, None, text);
        }
    }
    if own.reported_count == other.reported_count {
        let text = format!("the same {} machines at another weight", own.reported_count);
        say(Reason::WeightDiffers, None, text);
    }
    if !key.1.is_known() {
        say(Reason::TypeNotKnown, None, format!("'{}' is no type that both sides know by this name", key.1));
    }
    causes
}

/// The console's name of a server, short or with its domain, is that of ours.
fn is_same_server(ours: &str, theirs: &LeftOut) -> bool {
    let name = ours.strip_suffix(&format!("@{}", entry_of(ours))).unwrap_or(ours).to_ascii_lowercase();
    let theirs = theirs.server.to_ascii_lowercase();
    let begins = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
    name == theirs || begins(&name, &theirs) || begins(&theirs, &name)
}

fn beside(ours: &Ours, theirs: &ConsoleReport, own: &BTreeSet<Option<String>>) -> Vec<Beside> {
    let elsewhere: BTreeSet<Option<String>> = ours.elsewhere.iter().map(|id| small(Some(id.as_str()))).collect();
    let mut keys: BTreeMap<Option<String>, Points> = BTreeMap::new();
    for usage in &theirs.usage {
        let license = small(usage.license_id.as_deref());
        if !own.contains(&license) {
            *keys.entry(license).or_default() += usage.points;
        }
    }
    let of_key = |(license_id, points): (Option<String>, Points)| {
        let why = match &license_id {
            None => "they name no license id",
            Some(_) if elsewhere.contains(&license_id) => "another unit counts it here",
            Some(_) => "no server here has this license",
        };
        let what = "a backup key".to_owned();
        Beside { what, license_id, points, why: why.to_owned() }
    };
    let of_product = |(product, points): (&String, &Points)| Beside {
        what: product.clone(),
        license_id: None,
        points: *points,
        why: "no backup key counts it".to_owned(),
    };
    keys.into_iter().map(of_key).chain(theirs.others.iter().map(of_product)).collect()
}

/// License ids are compared in small letters.
fn small(id: Option<&str>) -> Option<String> {
    id.map(str::to_ascii_lowercase)
}
