//! `report pseudonyms`: the table for the holder of the store.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Instant, ReportArgs, UnitArgs, word};
use crate::agent::{Query, Refused};
use crate::cli::session::Session;
use crate::cli::table::{Column, Table, list};
use crate::document::Cell;
use crate::document::delimited::{Delimited, Dialect};
use crate::domain::pseudonym::Names;
use crate::formats::delimited;

/// The columns, by the members that they show.
const COLUMNS: [&str; 3] = ["pseudonym", "kind", "name"];

#[derive(Debug, Args)]
pub struct Pseudonyms {
    #[command(flatten)]
    which: ReportArgs,
    /// The CSV file to write; without it the table is printed
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

pub fn run(session: &mut Session<'_>, how: &Pseudonyms) -> Result<(), Refused> {
    let UnitArgs { unit, server } = how.which.unit.clone();
    let query = Query::Pseudonyms { unit, server, month: how.which.month };
    let shown = session.ask_under(Names::Pseudonyms, &query)?;
    let Some(out) = &how.out else { return session.show(&shown, text) };
    let row = |of: &Value| COLUMNS.map(|column| Cell::Text(word(of, column))).to_vec();
    let fields = Delimited {
        dialect: Dialect::PLAIN,
        heads: Some(COLUMNS.map(str::to_owned).to_vec()),
        rows: list(&shown, "names").iter().map(row).collect(),
    };
    let bytes = delimited::write(&fields).map_err(|why| Refused::new(65, why.to_string()))?;
    session.write(out, &bytes)?;
    let written = json!({
        "schema": "tidegauge.saved/1",
        "path": out.display().to_string(),
        "bytes": bytes.len(),
        "media_type": "text/csv",
        "names": "plain",
    });
    session.show(&written, super::saved_text)
}

fn text(shown: &Value, _: Instant) -> String {
    let mut rows = Table::new(&COLUMNS.map(Column::Left));
    for one in list(shown, "names") {
        rows.row(COLUMNS.map(|column| word(one, column)));
    }
    rows.text("the month's documents have no names")
}
