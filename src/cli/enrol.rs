//! `enrol`: binds this agent to a contract of the License Update Server.

use std::path::PathBuf;

use clap::Args;

use super::session::Session;
use crate::agent::{Order, Refused};

/// What `enrol` needs.
#[derive(Debug, Args)]
pub struct With {
    /// The file that holds the token
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
}

pub fn run(session: &mut Session<'_>, with: &With) -> Result<(), Refused> {
    session.refuse_now("enrol")?;
    let token = session.read_text(&with.token_file)?;
    session.order_and_show(Order::Enrol { token: token.trim().to_owned() }, super::status::text)
}
