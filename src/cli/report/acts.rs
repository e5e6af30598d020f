//! What the acts of `report` are told.

use clap::Args;

use super::{Instant, PathBuf, ReportArgs, instant};
use crate::cli::arguments::NamesArgs;

#[derive(Debug, Args)]
pub struct Generate {
    #[command(flatten)]
    pub which: ReportArgs,
    /// The trailing 31 days up to now, for looking only
    #[arg(long, conflicts_with = "month")]
    pub on_demand: bool,
}

#[derive(Debug, Args)]
pub struct Postpone {
    #[command(flatten)]
    pub which: ReportArgs,
    /// When it is looked at again (2026-11-08 or 2026-11-08T09:00:00Z); by default the next 00:00 GMT
    #[arg(long, value_name = "T", value_parser = instant)]
    pub until: Option<Instant>,
}

#[derive(Debug, Args)]
pub struct Save {
    #[command(flatten)]
    pub which: ReportArgs,
    /// pdf, html, xlsx, csv or json
    #[arg(long, value_name = "FORMAT")]
    pub format: String,
    /// The file to write
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    #[command(flatten)]
    pub names: NamesArgs,
}

#[derive(Debug, Args)]
pub struct MarkExternal {
    #[command(flatten)]
    pub which: ReportArgs,
    /// Where it was entered
    #[arg(long, value_name = "NAME")]
    pub portal: String,
    /// The number it was given there
    #[arg(long, value_name = "NO")]
    pub document: String,
}

#[derive(Debug, Args)]
pub struct Reasoned {
    #[command(flatten)]
    pub which: ReportArgs,
    /// Why; it is kept and travels with the report
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}
