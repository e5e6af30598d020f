//! `bench generate`: a generated provider as files that other programs read.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::model::{Fleet, KINDS, TENANTS, WeekMark, at, tenant};
use super::{Generated, print_line, serve};
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::domain::Month;
use crate::ports::meter::Meter;

/// Options of `bench generate`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    #[command(flatten)]
    of: Generated,
    /// What is written
    #[arg(long, value_enum)]
    emit: Emit,
    /// The file, or for pages the folder
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Rows of a page
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// The hour that pages show
    #[arg(long, default_value_t = 0, value_name = "N")]
    at_hour: u32,
}

/// What a provider is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// Samples as packed numbers
    Raw,
    /// The answers of a VBR server, one file a page
    Pages,
    /// The right watermark of each week, in all and by tenant and kind, in tenths of a point
    Truth,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let meter = Meter::begin();
    let fleet = asked.of.fleet();
    let files = match asked.emit {
        Emit::Raw => vec![(asked.out.clone(), raw(&fleet))],
        Emit::Truth => vec![(asked.out.clone(), truth(&fleet.truth()).into_bytes())],
        Emit::Pages => {
            let hour = serve::Hour::of(&fleet, asked.at_hour);
            let pages = hour.pages(asked.limit as usize).into_iter();
            pages.map(|(skip, page)| (asked.out.join(format!("p{skip}.json")), page)).collect()
        }
    };
    let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
    for (path, content) in &files {
        session.write(path, content)?;
    }
    let line = json!({"workloads_ever": fleet.members.len(), "files": files.len(), "bytes": bytes});
    print_line(session, &meter, line)
}

/// `WLR1`; workloads ever, hours, tenants (u32 each); tenants of the workloads (u16 each), their kinds (u8 each), the
/// months in which they were first seen (u8 each: 0 before the first sample, else from 1 for the first sample's month);
/// then every sample: its instant, its month, its count (u32 each), numbers (u32 each), tenths of a point (u16 each).
/// The lowest byte first.
pub fn raw(fleet: &Fleet) -> Vec<u8> {
    let mut bytes = b"WLR1".to_vec();
    for number in [fleet.members.len() as u32, fleet.plan.hours, u32::from(TENANTS)] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(fleet.members.iter().flat_map(|member| member.tenant.to_le_bytes()));
    bytes.extend(fleet.members.iter().map(|member| member.kind));
    let first = |from: u32| if from == 0 { 0 } else { month_number(from) as u8 };
    bytes.extend(fleet.members.iter().map(|member| first(member.from)));
    for sweep in fleet.sweeps() {
        for number in [at(sweep.hour).timestamp() as u32, month_number(sweep.hour), sweep.seen.len() as u32] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(sweep.seen.iter().flat_map(|seen| seen.number.to_le_bytes()));
        bytes.extend(sweep.seen.iter().flat_map(|seen| seen.tenths.to_le_bytes()));
    }
    bytes
}

/// From 1 for the month of hour 0.
fn month_number(hour: u32) -> u32 {
    let months = std::iter::successors(Some(Month::of(at(0))), |month| Some(month.next()));
    1 + months.take_while(|month| *month < Month::of(at(hour))).count() as u32
}

/// `{"weeks": [{"total": 1, "groups": [["t000", "VM", 1]]}]}`.
pub fn truth(marks: &[WeekMark]) -> String {
    let group = |((number, kind), tenths): (&(u16, u8), &u64)| {
        json!([tenant(*number), KINDS[usize::from(*kind)].kind.as_str(), tenths])
    };
    let week =
        |mark: &WeekMark| json!({"total": mark.total, "groups": mark.groups.iter().map(group).collect::<Vec<_>>()});
    json!({"weeks": marks.iter().map(week).collect::<Vec<_>>()}).to_string()
}
