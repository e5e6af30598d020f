//! From the rows of a console's monthly reports to one report by license, type and weight. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::kinds::{self, kind_of};
use super::report_answers::{IntervalRow, PartRow, ProductRow, ReportRow, TallyRow, WorkloadRow};
use crate::domain::console_report::{ConsoleReport, ConsoleUsage, LeftOut, WhyLeftOut};
use crate::domain::workload::WorkloadType;
use crate::domain::{Month, Points};
use crate::sources::lenient::{Number, Rows, Text, written_date};
use crate::sources::reply::one_line;

use WorkloadType::{
    Application, CloudConnectReplica, CloudConnectServer, CloudConnectVm, CloudConnectWorkstation, CloudVm, FileShare,
    Server, Vm, Workstation,
};

/// Most notes kept.
const NOTES_MAX: usize = 20;

/// The workload types of the report that we know.
static TYPES: [(&str, WorkloadType); 11] = [
    ("VBR_VM", Vm),
    ("VBR_Cloud_VM", CloudVm),
    ("VBR_Server_Agent", Server),
    ("VBR_Workstation_Agent", Workstation),
    ("VBR_Application_Plugins", Application),
    ("VBR_NAS_Backup", FileShare),
    ("VBR_NAS_Server", FileShare),
    ("CC_VM_Backup", CloudConnectVm),
    ("CC_VM_Replica", CloudConnectReplica),
    ("CC_Server_Backup", CloudConnectServer),
    ("CC_Workstation_Backup", CloudConnectWorkstation),
];

/// Words of a description where the type is `Dynamic`, in small letters; the first row that fits answers.
static WORDS: [(&str, WorkloadType); 9] = [
    ("cloud vm", CloudVm),
    ("nas", FileShare),
    ("file share", FileShare),
    ("unstructured", FileShare),
    ("application", Application),
    ("plug-in", Application),
    ("workstation", Workstation),
    ("server", Server),
    ("vm", Vm),
];

/// The same for Cloud Connect.
static CLOUD_WORDS: [(&str, WorkloadType); 4] = [
    ("replica", CloudConnectReplica),
    ("workstation", CloudConnectWorkstation),
    ("server", CloudConnectServer),
    ("vm", CloudConnectVm),
];

/// A company's usage of one license and product, in whichever report it stands.
type Place = (String, Option<String>, String);
type UsageKey = (Option<String>, WorkloadType, Option<Points>);

/// The month's reports as they come.
pub struct Gathered {
    month: Month,
    reports: u32,
    statuses: BTreeSet<String>,
    interval: Option<(NaiveDate, NaiveDate)>,
    usage: BTreeMap<UsageKey, ConsoleUsage>,
    others: BTreeMap<String, Points>,
    left_out: BTreeSet<LeftOut>,
    /// Where usage was taken from in an earlier report.
    taken: BTreeSet<Place>,
    notes: Vec<String>,
}

impl Gathered {
    pub fn of(month: Month) -> Gathered {
        Gathered {
            month,
            reports: 0,
            statuses: BTreeSet::new(),
            interval: None,
            usage: BTreeMap::new(),
            others: BTreeMap::new(),
            left_out: BTreeSet::new(),
            taken: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    /// Whether none is of the month so far.
    pub fn is_empty(&self) -> bool {
        self.reports == 0
    }

    /// What the reports say together; `None` when none is of the month.
    pub fn into_report(mut self) -> Option<ConsoleReport> {
        self.notes.truncate(NOTES_MAX);
        (0 < self.reports).then(|| ConsoleReport {
            month: self.month,
            statuses: self.statuses.into_iter().collect(),
            interval: self.interval,
            usage: self.usage.into_values().collect(),
            others: self.others,
            left_out: self.left_out.into_iter().collect(),
            notes: self.notes,
        })
    }

    /// Takes one report: the provider's own, or a reseller's.
    pub fn take(&mut self, row: &ReportRow) {
        let parameters = row.report_parameters.as_ref();
        let id = parameters.and_then(|parameters| parameters.report_id.owned()).unwrap_or_else(|| "?".to_owned());
        let interval = parameters.and_then(|parameters| interval_of(parameters.report_interval.as_ref()?));
        if let Some((first, _)) =
            interval.filter(|(first, _)| Month::of(crate::domain::calendar::midnight(*first)) != self.month)
        {
            self.notes.push(format!("report {id} begins on {first} and is left out"));
            return;
        }
        self.reports += 1;
        self.interval = self.interval.or(interval);
        self.statuses.extend(row.report_status.owned());
        let appendices = row.appendices.as_ref().map_or(&[][..], |rows| &rows.0);
        let parts = [&row.own].into_iter().chain(appendices.iter().map(|appendix| &appendix.part));
        let mut listed = Totals::default();
        let mut places = BTreeSet::new();
        for part in parts {
            self.take_part(part, &mut listed, &mut places);
        }
        self.taken.extend(places);
        let summaries =
            row.report_summary.iter().chain(appendices.iter().filter_map(|one| one.appendix_summary.as_ref()));
        let mut stated = Totals::default();
        for total in summaries.flat_map(|summary| &summary.products_usage).flat_map(|rows| &rows.0) {
            stated.add(other_product(&total.product_type), total.total_points.points().unwrap_or_default());
        }
        if let (Some(stated), Some(listed)) = (stated.backup, listed.backup.or(Some(Points::ZERO)))
            && stated != listed
        {
            self.notes
                .push(format!("report {id} states {stated} points of backup keys, and lists {listed} by license"));
        }
        for (product, points) in listed.others.into_iter().chain(stated.others) {
            let most = self.others.entry(product).or_default();
            *most = points.max(*most);
        }
    }

    fn take_part(&mut self, part: &PartRow, listed: &mut Totals, places: &mut BTreeSet<Place>) {
        self.leave_out(&part.not_collected_cloud_servers, WhyLeftOut::NotCollected);
        self.leave_out(&part.cloned_cloud_servers, WhyLeftOut::Cloned);
        self.leave_out(&part.unsupported_cloud_servers, WhyLeftOut::Unsupported);
        for detail in part.usage_details.as_ref().map_or(&[][..], |rows| &rows.0) {
            self.leave_out(&detail.not_collected_client_servers, WhyLeftOut::NotCollected);
            self.leave_out(&detail.cloned_client_servers, WhyLeftOut::Cloned);
            self.leave_out(&detail.unsupported_client_servers, WhyLeftOut::Unsupported);
            let company = detail.organization_uid.get().or(detail.organization_name.get()).unwrap_or_default();
            for row in detail.usage_by_license_and_product.as_ref().map_or(&[][..], |rows| &rows.0) {
                let other = other_product(&row.product_type);
                let usage = if other.is_none() { self.product_usage(row) } else { Vec::new() };
                let points = match other {
                    Some(_) => row.used_points.points().unwrap_or_default(),
                    None => usage.iter().map(|one| one.points).sum(),
                };
                listed.add(other, points);
                let product = row.product_type.get().unwrap_or_default().to_owned();
                let place = (company.to_owned(), id_of(&row.license_id), product);
                // A reseller's usage may stand in the provider's report too.
                if self.taken.contains(&place) {
                    continue;
                }
                places.insert(place);
                usage.into_iter().for_each(|one| self.add(one));
            }
        }
    }

    fn leave_out(&mut self, servers: &Option<Rows<Text>>, why: WhyLeftOut) {
        let named = servers.iter().flat_map(|rows| &rows.0).filter_map(Text::get);
        self.left_out.extend(named.map(|server| LeftOut { server: one_line(server), why }));
    }

    fn add(&mut self, one: ConsoleUsage) {
        let key = (one.license_id.clone(), one.kind.clone(), one.weight);
        match self.usage.get_mut(&key) {
            Some(sum) => {
                sum.initial = sum.initial.saturating_add(one.initial);
                sum.reported = sum.reported.saturating_add(one.reported);
                sum.new = sum.new.saturating_add(one.new);
                sum.points += one.points;
            }
            None => {
                self.usage.insert(key, one);
            }
        }
    }

    fn product_usage(&mut self, row: &ProductRow) -> Vec<ConsoleUsage> {
        let license_id = id_of(&row.license_id);
        let is_cloud = row.product_type.get() == Some("CloudConnect");
        let rows = row.workload_usage.as_ref().map_or(&[][..], |rows| &rows.0);
        let usage: Vec<ConsoleUsage> =
            rows.iter().flat_map(|workload| self.workload_usage(&license_id, is_cloud, workload)).collect();
        let sum: Points = usage.iter().map(|one| one.points).sum();
        if let Some(stated) = row.used_points.points().filter(|stated| *stated != sum) {
            let license = license_id.as_deref().unwrap_or("no license id");
            self.notes.push(format!("{license}: VSPC states {stated} points, and {sum} by type"));
        }
        usage
    }

    /// By platform and weight where these add up to the row, else the row.
    fn workload_usage(&mut self, license: &Option<String>, is_cloud: bool, row: &WorkloadRow) -> Vec<ConsoleUsage> {
        let platforms = row.workloads_by_platform.as_ref().map_or(&[][..], |rows| &rows.0);
        let mut parts = Vec::new();
        for platform in platforms {
            let Some(kind) = platform.type_id.get().map(kind_of) else { continue };
            for tally in platform.objects_by_weight.as_ref().map_or(&[][..], |rows| &rows.0) {
                parts.push(self.usage_of(license, kind.clone(), tally));
            }
        }
        let whole = self.usage_of(license, kind_of_row(row, is_cloud), &row.tally);
        let counts = |usage: &[ConsoleUsage]| usage.iter().fold(0_u64, |sum, one| sum.saturating_add(one.reported));
        let points: Points = parts.iter().map(|part| part.points).sum();
        if !parts.is_empty() && points == whole.points && counts(&parts) == whole.reported {
            parts
        } else {
            vec![whole]
        }
    }

    fn usage_of(&mut self, license: &Option<String>, kind: WorkloadType, tally: &TallyRow) -> ConsoleUsage {
        let mut count = |name: &str, number: &Number| {
            let counted = number.count();
            if counted.is_none() && *number != Number::Absent {
                self.notes.push(format!("{name} of {kind} is no number of machines; 0 is taken"));
            }
            counted.unwrap_or(0)
        };
        let initial = count("initialCount", &tally.initial_count);
        let reported = count("reportedCount", &tally.reported_count);
        let new = count("newCount", &tally.new_count);
        let weight = tally.weight.points().filter(|weight| !weight.is_zero());
        let points = tally.used_points.points().or_else(|| weight.map(|weight| weight * reported)).unwrap_or_default();
        ConsoleUsage { license_id: license.clone(), kind, initial, reported, new, weight, points }
    }
}

/// Points in all: of backup keys, when there are any, and of other products.
#[derive(Default)]
struct Totals {
    backup: Option<Points>,
    others: BTreeMap<String, Points>,
}

impl Totals {
    fn add(&mut self, other: Option<String>, points: Points) {
        match other {
            None => *self.backup.get_or_insert_default() += points,
            Some(product) => *self.others.entry(product).or_default() += points,
        }
    }
}

/// The name of a product that no backup key counts; `None` for those that one counts.
fn other_product(product_type: &Text) -> Option<String> {
    if product_type.get() == Some("EnterpriseManager") {
        return None;
    }
    match kinds::product_of(product_type.get()) {
        kinds::Product::Backup => None,
        kinds::Product::Other(name) => Some(name.to_owned()),
        kinds::Product::Unknown => {
            Some(format!("product '{}'", one_line(product_type.get().unwrap_or("without a name"))))
        }
    }
}

fn id_of(text: &Text) -> Option<String> {
    text.get().map(|id| id.trim().to_ascii_lowercase()).filter(|id| !id.is_empty())
}

fn kind_of_row(row: &WorkloadRow, is_cloud: bool) -> WorkloadType {
    let name = row.workload_type.get().unwrap_or("Dynamic");
    if let Some((_, kind)) = TYPES.iter().find(|(known, _)| *known == name) {
        return kind.clone();
    }
    let said = row.description.get().unwrap_or_default().to_lowercase();
    let is_cloud = is_cloud || said.contains("cloud backup") || said.contains("replica");
    let words = if is_cloud { &CLOUD_WORDS[..] } else { &WORDS[..] };
    let known = words.iter().find(|(word, _)| ["Dynamic", "Unknown"].contains(&name) && said.contains(word));
    let unknown = || WorkloadType::Other(row.description.get().map_or_else(|| name.to_owned(), one_line));
    known.map_or_else(unknown, |(_, kind)| kind.clone())
}

fn interval_of(row: &IntervalRow) -> Option<(NaiveDate, NaiveDate)> {
    Some((gmt_day(row.start_of_interval.get()?)?, gmt_day(row.end_of_interval.get()?)?))
}

/// A date-time at midnight GMT, written in the console's own zone, means that GMT day; any other the day as written.
fn gmt_day(text: &str) -> Option<NaiveDate> {
    let written = written_date(text)?;
    let in_gmt = DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.with_timezone(&Utc));
    Some(in_gmt.filter(|at| at.time() == NaiveTime::MIN).map_or(written, |at| at.date_naive()))
}
