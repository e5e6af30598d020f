//! The arguments: global options and the commands, in the order of a month's work.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use clap::{Args, Parser, Subcommand};

use crate::domain::calendar::midnight;
use crate::domain::pseudonym::Names;
use crate::domain::{Instant, Month};

const EXIT_CODES: &str = "\
Exit codes:
  0 done                     65 bad input
  1 unexpected failure       66 not found
  2 wrong usage              69 unavailable (a server does not answer)
  3 nothing to do            73 cannot write
  5 held by the gate         75 temporary failure, try again
  6 refused by coverage      77 no permission
  7 verification failed      78 configuration
  8 conflict

While an agent runs on the state directory, commands speak to it through its control.sock.";

/// Samples rental-license points, keeps the high watermark and reports it.
///
/// Tidegauge samples the backup servers of a service provider every hour, keeps each week's and month's high watermark
/// of license points, builds the monthly usage report on the 1st at 00:00 GMT, lets people review it until the 10th,
/// sends it on the 11th, and renews the license behind the deviation gate.
#[derive(Debug, Parser)]
#[command(name = "tidegauge", version, after_help = EXIT_CODES, max_term_width = 110)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Valid after any command; the paths override the settings file.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The settings file; without one the defaults hold [env: TIDEGAUGE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The state directory: lock, journal, keys
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// The Reports folder
    #[arg(long, global = true, value_name = "DIR")]
    pub reports: Option<PathBuf>,
    /// Answers as of this instant (2026-11-01T00:00:00Z or 2026-11-01); not for what leaves the machine
    #[arg(long, global = true, value_name = "T", value_parser = instant)]
    pub now: Option<Instant>,
    /// Prints JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// What is known now: next duties, servers, open reports, licenses, warnings
    ///
    /// Example: tidegauge status --json
    Status,
    /// Points, new points and rental machines by type, tenant, server or workload
    ///
    /// Of a closed month: as counted at its end. Of the running one, and without a month: as of the newest samples.
    ///
    /// Exit codes: 3 no sample is kept yet; 66 no such unit or server.
    ///
    /// Example: tidegauge usage --month 2026-10 --by tenant --json
    Usage(super::usage::Asked),
    /// The high watermark of a week or a month, day by day
    ///
    /// Of the running week when neither is named. Coverage says how many of the expected samples were taken.
    /// --from-journal counts all of them again from the journal and proves those that are kept.
    ///
    /// Exit codes: 3 no sample is kept yet; 7 what is kept is not what follows from the journal; 66 no such unit or server.
    ///
    /// Example: tidegauge watermark --week 2026-W44
    ///
    /// Example: tidegauge watermark --from-journal --week 2026-W44
    Watermark(super::watermark::Asked),
    /// When servers were sampled, hour by hour, and when they were not
    ///
    /// An hour is a sign: `#` complete, `+` partly, `x` missed, `~` stale, `-` none expected, `.` to come. Of the running
    /// month when no day is named; at most 62 days.
    ///
    /// Exit codes: 2 days in the wrong order, or too many; 66 no such server.
    ///
    /// Example: tidegauge coverage --server vbr01 --from 2026-10-01 --until 2026-10-31
    Coverage(super::coverage::Asked),
    /// Take samples, or load them from snapshot files
    #[command(subcommand)]
    Sample(super::sample::Act),
    /// The life of a monthly report: look, adjust, postpone, send
    #[command(subcommand)]
    Report(super::report::Act),
    /// Binds this agent to a contract of the License Update Server
    ///
    /// The server's operator hands out a one-use token (`license-server contract add`); put it into a file that only you
    /// can read. The token never stands on the command line, where others could see it.
    ///
    /// Exit codes: 65 no token, or it has expired; 69 the server does not answer; 77 it refuses; 78 no [license_server]
    /// in the settings.
    ///
    /// Example: tidegauge enrol --token-file token.txt --config tidegauge.toml
    Enrol(super::enrol::With),
    /// The license, its checks and the gate
    #[command(subcommand)]
    License(super::license::Act),
    /// Points tables, and what billing rests on
    #[command(subcommand)]
    Billing(super::billing::Act),
    /// What happened, who did it and why, newest first
    ///
    /// Reads the journal backwards until as many entries are found as are asked for.
    ///
    /// Example: tidegauge journal --text postponed --month 2026-10 --last 20
    Journal(super::journal::Asked),
    /// What was sent to the License Update Server, byte for byte, and what is sent next
    #[command(subcommand)]
    Telemetry(super::telemetry::Act),
    /// The audit snapshot of a month: export it, check one, show the key that signs it
    #[command(subcommand)]
    Evidence(super::evidence::Act),
    /// People who may sign in: make, list, change, invite, disable them
    #[command(subcommand)]
    User(super::people::user::Act),
    /// API tokens: make, list, revoke them
    #[command(subcommand)]
    Token(super::people::token::Act),
    /// Mail: whether letters arrive
    #[command(subcommand)]
    Mail(super::mail::Act),
    /// Webhooks: what endpoints were told, telling them again, whether messages arrive
    #[command(subcommand)]
    Webhook(super::webhook::Act),
    /// The settings file: begin one, check one
    #[command(subcommand)]
    Config(super::config::Act),
    /// The state directory: back it up, restore it, prove it
    #[command(subcommand)]
    Store(super::store::Act),
    /// Checks this machine, the store and every server, and says what to do about what is not well
    ///
    /// Settings, directories, permissions, room on the disk, store, schedule, secrets; of every far side its name, a proxy,
    /// its certificates and when they end, an answer and its clock; the mail server's greeting. Changes nothing and logs in
    /// nowhere. With --read it logs in to each source and reads it once as a sample does: API revision, license and rights.
    ///
    /// Exit codes: 0 all is well; 69 a server cannot be reached; 73 a directory cannot be written; 77 a source lets nobody
    /// in; 78 the settings are wrong.
    ///
    /// Example: tidegauge doctor --config /etc/tidegauge/tidegauge.toml
    Doctor(super::doctor::Asked),
    /// Packs what a supporter needs into one archive, without secrets and names
    ///
    /// Version, settings, what `doctor` finds, status, schedule, servers, readings, the journal's kinds and instants, sizes of
    /// the state directory, and the end of a log that is named. Servers, tenants, machines, people, addresses, paths and ids
    /// are replaced by pseudonyms that stay the same from bundle to bundle. Works while the agent runs, and without a store
    /// that opens.
    ///
    /// Exit codes: 8 the file exists; 66 there is no such log; 73 the archive cannot be written; 78 the settings are wrong.
    ///
    /// Example: tidegauge support-bundle --out support.zip --config tidegauge.toml
    SupportBundle(super::support_bundle::Asked),
    /// Vouches for this machine's clock after it was doubted
    ///
    /// While the clock is doubted (it jumped, or a server's clock disagrees) nothing is generated or sent; `status` says
    /// so. It is believed again when a server's clock agrees, or when you have set it right and say so here.
    ConfirmClock,
    /// What scripts/bench measures, for those who work on Tidegauge
    #[command(subcommand, hide = true)]
    Bench(super::bench::Act),
    /// Prints completions for a shell
    ///
    /// Example: tidegauge completions bash > /etc/bash_completion.d/tidegauge
    Completions(super::completions::Asked),
    /// Writes a manual page of every command
    ///
    /// Exit codes: 73 the folder cannot be written.
    ///
    /// Example: tidegauge man --out /usr/local/share/man/man1
    #[command(hide = true)]
    Man(super::man::Asked),
    /// The License Update Server and its operator's commands
    LicenseServer(super::license_server::Asked),
    /// Runs the agent until it is told to stop
    ///
    /// Samples, reports, sends, tells and renews as the settings say, serves the control socket in the state directory
    /// and, with [console] in the settings, the console. Logs to standard error, as JSON lines when that is no terminal
    /// (TIDEGAUGE_LOG sets what is logged, e.g. debug). Where standard output is no terminal, the first sign-in's link stands
    /// in the file that the log names. SIGTERM and SIGINT let acts in flight end for up to 10 seconds; SIGHUP reads the
    /// settings again, as `config reload` does.
    ///
    /// Exit codes: 0 stopped; 75 another process holds the state directory; 78 wrong settings; 1 the store failed again
    /// and again.
    ///
    /// Example: tidegauge agent --config /etc/tidegauge/tidegauge.toml
    Agent,
    /// Plays thirteen months of a provider with the real agent, then serves on as a live one
    ///
    /// Backup servers, License Update Server and mailbox are simulated in this process; the reports are real files in
    /// `reports/` (or --reports). Needs no settings and no network. State goes to a temporary folder unless --state is
    /// given. Where standard output is no terminal, the first sign-in's link stands in the file that the log names.
    ///
    /// Exit codes: 8 the state folder is not empty; 70 the oracle objects, which is a bug.
    ///
    /// Example: tidegauge demo --until-done --months 3
    Demo(super::demo::Asked),
    /// Runs your settings on simulated time and prints what the agent would do
    ///
    /// Days, samples that fail, reports, sends, mails and license checks, against simulated servers; nothing is sent and
    /// nothing is kept.
    ///
    /// Example: tidegauge rehearse --config tidegauge.toml --from 2026-10-01 --until 2026-12-15
    Rehearse(super::rehearse::Asked),
    /// Plays seeded worlds in bad weather and says whether anything goes wrong in them
    ///
    /// Servers and mail out of reach or answering garbage, the plug pulled at any step of a duty and at any write of the
    /// disk, full disks, wrong clocks, old backups put back, machines moved, people at the worst moments; then all is
    /// healed, and what is owed must be done. The real agent and License Update Server, everything around them
    /// simulated; nothing is sent and nothing is kept. A failing seed is shown with the fewest events that make it fail.
    ///
    /// Exit codes: 7 the oracle objects to a seed, which is a bug.
    ///
    /// Example: tidegauge simulate --seeds 0..100 --years 0.25
    Simulate(super::simulate::Asked),
    /// Simulated backup servers, License Update Server and mail server behind real sockets on loopback
    ///
    /// Writes certificates, passwords, an enrolment token and a ready settings file into a folder, and says how to point
    /// an agent at them.
    ///
    /// Example: tidegauge playground --dir play
    Playground(super::playground::Asked),
}

/// Which reporting unit: reads without it list all units, acts need it when there are several.
#[derive(Clone, Debug, Default, Args)]
pub struct UnitArgs {
    /// The reporting unit, by its id
    #[arg(long, value_name = "ID")]
    pub unit: Option<String>,
    /// The reporting unit, by one of its servers
    #[arg(long, value_name = "NAME")]
    pub server: Option<String>,
}

/// Which report.
#[derive(Clone, Debug, Default, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    pub unit: UnitArgs,
    /// The month, such as 2026-10; without it the newest with a report
    #[arg(long, value_name = "MONTH")]
    pub month: Option<Month>,
}

/// What a document calls things.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct NamesArgs {
    /// Pseudonyms in place of names and of what people wrote; always, where the settings say so in [privacy] pseudonyms
    #[arg(long)]
    pub pseudonyms: bool,
}

impl NamesArgs {
    pub fn names(self) -> Names {
        if self.pseudonyms { Names::Pseudonyms } else { Names::Plain }
    }
}

/// Reads an instant in UTC: RFC 3339, `2026-11-01 06:00`, or a day, which means its first instant.
pub fn instant(text: &str) -> Result<Instant, String> {
    let full = DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc)).ok();
    let minute = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok().map(|at| at.and_utc());
    let day = || text.parse::<NaiveDate>().ok().map(midnight);
    full.or_else(minute)
        .or_else(day)
        .ok_or_else(|| "write it as 2026-11-01T00:00:00Z, or as a day such as 2026-11-01".to_owned())
}
