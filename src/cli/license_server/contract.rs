//! `license-server contract`: what the operator enters of a rental agreement, and the tokens for it.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::super::session::Session;
use super::database::DatabaseAt;
use super::way::Way;
use super::{list, order, text};
use crate::agent::Refused;
use crate::domain::Points;
use crate::domain::license::LicenseType;
use crate::license_server::{Contract, ContractState, Order, Term};

#[derive(Debug, Subcommand)]
pub enum ContractAct {
    /// Adds a contract and prints its one-use enrolment token (7 days)
    ///
    /// The token is a secret: hand it to the person who enrols the agent, or write it to a file with --token-file.
    /// Exit codes: 8 there is a contract of that id.
    ///
    /// Example: tidegauge license-server contract add C-4711 --licensed-to "Example Provider" --support-id 01234567
    /// --points 2000
    Add(Box<Added>),
    /// Every contract
    List,
    /// Sets what the contract is: active, suspended, expired or terminated
    State(StateOf),
    /// Sets the counter of the keys
    Points(PointsOf),
    /// Sets the last day of a renewed contract, or of its support
    ///
    /// A date that is not given stays. Keys follow with their next renewal; those that were issued keep their dates. A contract
    /// that was set to expired or suspended also needs `contract state ID active`. To end a contract, set its state.
    ///
    /// Exit codes: 2 the day lies before today (GMT), 66 no such contract.
    ///
    /// Example: tidegauge license-server contract dates C-4711 --ends-on 2027-12-31
    Dates(DatesOf),
    /// Another one-use token for a contract
    Token(TokenFor),
}

#[derive(Debug, Args)]
pub struct Added {
    /// The contract's id
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long, value_name = "NAME")]
    licensed_to: String,
    #[arg(long, value_name = "ID")]
    support_id: String,
    /// Rental, Subscription, …
    #[arg(long = "type", value_name = "TYPE", default_value = "Rental")]
    kind: String,
    #[arg(long, value_name = "NAME", default_value = "VBR")]
    product: String,
    #[arg(long, value_name = "NAME", default_value = "EnterprisePlus")]
    edition: String,
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// A Cloud Connect contract
    #[arg(long)]
    cloud_connect: bool,
    /// The counter of the keys
    #[arg(long, value_name = "POINTS")]
    points: Points,
    /// How long a renewed key lives
    #[arg(long, value_enum, default_value_t = Lives::Monthly)]
    term: Lives,
    /// The contract's last day; no key outlives it
    #[arg(long, value_name = "DAY")]
    ends_on: Option<NaiveDate>,
    #[arg(long, value_name = "DAY")]
    support_expires_on: Option<NaiveDate>,
    #[command(flatten)]
    token: Handing,
}

/// How a token is handed out.
#[derive(Debug, Args)]
pub struct Handing {
    /// Where agents reach this server; stands in the token
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Writes the token to this file, readable by you alone, instead of printing it
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct StateOf {
    #[arg(value_name = "ID")]
    id: String,
    state: Stands,
}

#[derive(Debug, Args)]
pub struct PointsOf {
    #[arg(value_name = "ID")]
    id: String,
    points: Points,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true, args = ["ends_on", "support_expires_on"])]
pub struct DatesOf {
    #[arg(value_name = "ID")]
    id: String,
    /// The contract's last day, today or later; keys are renewed up to it, and one that was issued for longer keeps its day
    #[arg(long, value_name = "DAY")]
    ends_on: Option<NaiveDate>,
    #[arg(long, value_name = "DAY")]
    support_expires_on: Option<NaiveDate>,
}

#[derive(Debug, Args)]
pub struct TokenFor {
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    token: Handing,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lives {
    /// To the last day of the month after the current expiration
    Monthly,
    /// As long as the contract
    WholeContract,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Stands {
    Active,
    /// No keys for now
    Suspended,
    /// No keys until it is renewed
    Expired,
    /// Over: agents switch auto update off
    Terminated,
}

pub fn run(session: &mut Session<'_>, at: &DatabaseAt, act: &ContractAct) -> Result<(), Refused> {
    match act {
        ContractAct::Add(added) => {
            let given = Order::AddContract { contract: contract(added)?, url: added.token.url.clone() };
            hand_out(session, at, given, &added.token)
        }
        ContractAct::List => list(session, at, "contracts", text::contracts),
        ContractAct::State(StateOf { id, state }) => {
            let state = match state {
                Stands::Active => ContractState::Active,
                Stands::Suspended => ContractState::Suspended,
                Stands::Expired => ContractState::Expired,
                Stands::Terminated => ContractState::Terminated,
            };
            order(session, at, Order::SetContractState { contract_id: id.clone(), state })
        }
        ContractAct::Points(PointsOf { id, points }) => {
            order(session, at, Order::SetContractPoints { contract_id: id.clone(), points: *points })
        }
        ContractAct::Dates(DatesOf { id, ends_on, support_expires_on }) => {
            let (contract_id, ends_on, support_expires_on) = (id.clone(), *ends_on, *support_expires_on);
            order(session, at, Order::SetContractDates { contract_id, ends_on, support_expires_on })
        }
        ContractAct::Token(TokenFor { id, token }) => {
            let given = Order::IssueToken { contract_id: id.clone(), url: token.url.clone() };
            hand_out(session, at, given, token)
        }
    }
}

fn contract(added: &Added) -> Result<Contract, Refused> {
    let kind = LicenseType::parse(&added.kind);
    if kind == LicenseType::Unknown {
        return Err(Refused::new(2, format!("'{}' is no license type; write Rental", added.kind)));
    }
    Ok(Contract {
        id: added.id.clone(),
        licensed_to: added.licensed_to.clone(),
        support_id: added.support_id.clone(),
        kind,
        product: added.product.clone(),
        edition: added.edition.clone(),
        package: added.package.clone(),
        cloud_connect: added.cloud_connect,
        points: added.points,
        term: match added.term {
            Lives::Monthly => Term::Monthly,
            Lives::WholeContract => Term::WholeContract,
        },
        ends_on: added.ends_on,
        support_expires_on: added.support_expires_on,
        state: ContractState::Active,
    })
}

/// Orders what makes a token, and prints the token alone or puts it into a file.
fn hand_out(session: &mut Session<'_>, at: &DatabaseAt, given: Order, how: &Handing) -> Result<(), Refused> {
    let token = Way::open(session, at)?.order(session, given)?.token.unwrap_or_default();
    match &how.token_file {
        Some(path) => {
            write_private(session, path, &token)?;
            session
                .show(&json!({"schema": "tidegauge.enrolment-token/1", "file": path.display().to_string()}), |_, _| {
                    "the enrolment token is in the file; it works once, for 7 days\n".to_owned()
                })
        }
        None => {
            session.remark("this enrolment token is a secret; it works once, for 7 days");
            session.show(&json!({"schema": "tidegauge.enrolment-token/1", "token": token}), |made, _| {
                format!("{}\n", made["token"].as_str().unwrap_or_default())
            })
        }
    }
}

/// Appending is what makes a file that only its owner reads.
fn write_private(session: &Session<'_>, path: &std::path::Path, token: &str) -> Result<(), Refused> {
    let failed = |error: std::io::Error| Refused::new(73, format!("cannot write {}: {error}", path.display()));
    let mut file = session.doors.files.append_to(path).map_err(failed)?;
    file.append(format!("{token}\n").as_bytes()).map_err(failed)?;
    file.sync().map_err(failed)
}
