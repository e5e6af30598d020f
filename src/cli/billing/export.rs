//! `billing export`: a document's files, written where they are wanted.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use clap::Args;
use serde_json::{Value, json};

use crate::agent::orders::{BillingWish, Target, WhichInvoice};
use crate::agent::{Order, Refused};
use crate::cli::arguments::{NamesArgs, UnitArgs};
use crate::cli::session::Session;
use crate::cli::table::{Column, Table, dashed, joined, list, minute, word};
use crate::domain::{Instant, Month};

#[derive(Debug, Args)]
pub struct Export {
    /// The month, such as 2026-10; without it the newest with a report
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// lines, statements, focus, or a [[billing.profile]] of the settings
    #[arg(long, value_name = "FORMAT")]
    format: String,
    /// The file to write; for statements the folder
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// csv, json or pdf; without it as PATH ends, and for statements each
    #[arg(long = "as", value_name = "ENDING")]
    ending: Option<String>,
    /// Issues the document: it is never changed afterwards
    #[arg(long = "final", conflicts_with = "document")]
    issue: bool,
    /// A document that was issued, by its place in the month: 2 is 2026-10/2
    #[arg(long, value_name = "N")]
    document: Option<u32>,
    #[command(flatten)]
    names: NamesArgs,
    /// Only what this reporting unit is charged; without minimums and roundings, which are of a tenant's whole month
    #[command(flatten)]
    unit: UnitArgs,
}

pub fn run(session: &mut Session<'_>, how: &Export) -> Result<(), Refused> {
    let which = match (how.issue, how.document) {
        (true, _) => {
            session.refuse_now("billing export --final")?;
            WhichInvoice::Issue
        }
        (false, Some(sequence)) => WhichInvoice::Issued(sequence),
        (false, None) => WhichInvoice::Next,
    };
    let target = Target { month: how.month, ..how.unit.target() };
    let out = how.out.display().to_string();
    let wish = BillingWish {
        format: how.format.clone(),
        out,
        ending: how.ending.clone(),
        which,
        names: how.names.names(),
        seen: None,
    };
    let mut exported = session.order(Order::ExportBilling { target, wish })?;
    let in_folder = exported["in_folder"] == true;
    for file in exported["files"].as_array_mut().into_iter().flatten() {
        let path = if in_folder { how.out.join(word(file, "name")) } else { how.out.clone() };
        write(session, file, &path)?;
    }
    session.show(&exported, text)
}

/// Writes a file of the answer and says in it where, in place of the bytes.
fn write(session: &Session<'_>, file: &mut Value, path: &Path) -> Result<(), Refused> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(word(file, "base64"))
        .map_err(|error| Refused::new(76, format!("the agent's answer is no file: {error}")))?;
    session.write(path, &bytes)?;
    if let Some(fields) = file.as_object_mut() {
        fields.remove("base64");
        fields.insert("path".to_owned(), json!(path.display().to_string()));
    }
    Ok(())
}

fn text(exported: &Value, _: Instant) -> String {
    let mut text = format!("document {}", word(exported, "document"));
    let standing = &exported["standing"];
    let _ = match word(standing, "status").as_str() {
        "draft" => writeln!(text, "\n! provisional, not to be billed: {}", joined(standing, "why")),
        _ => writeln!(text, ", issued {} by {}", minute(standing, "at"), word(standing, "by")),
    };
    if !exported["corrects"].is_null() {
        let _ = writeln!(text, "corrects {}: it holds only what changed since", word(exported, "corrects"));
    }
    if !list(exported, "only_units").is_empty() {
        let units = joined(exported, "only_units");
        let _ = writeln!(text, "! only usage of unit {units}; minimums and roundings are left out");
    }
    for servers in list(exported, "without_report").iter().filter_map(Value::as_str) {
        let _ = writeln!(text, "! {servers}: no report of {}, so nothing is charged", word(exported, "month"));
    }
    text.push_str(&sums(exported));
    if exported["names"] == "pseudonyms" {
        text.push_str("names are pseudonyms (`report pseudonyms` says which is which)\n");
    }
    let files = list(exported, "files");
    match files {
        [one] => {
            let _ = writeln!(
                text,
                "\n{} ({} lines, {} bytes)",
                word(one, "path"),
                word(exported, "lines"),
                word(one, "bytes")
            );
        }
        several => {
            let _ = writeln!(text, "\n{} files", several.len());
            text.extend(several.iter().map(|file| format!("{}\n", word(file, "path"))));
        }
    }
    text
}

fn sums(exported: &Value) -> String {
    let mut rows = Table::new(&[
        Column::Left("tenant"),
        Column::Left("customer"),
        Column::Right("workloads"),
        Column::Right("points"),
        Column::Right("amount"),
        Column::Right("cost"),
        Column::Right("month"),
    ]);
    for tenant in list(exported, "tenants") {
        let [name, workloads, points, amount] = ["tenant", "workloads", "points", "amount"].map(|of| word(tenant, of));
        let month = word(&tenant["month"], "amount");
        rows.row([name, dashed(tenant, "customer_number"), workloads, points, amount, dashed(tenant, "cost"), month]);
    }
    let total = &exported["total"];
    let [workloads, points, amount] = ["workloads", "points", "amount"].map(|of| word(total, of));
    let all = format!("total in {}", word(exported, "currency"));
    rows.row([all, String::new(), workloads, points, amount, dashed(total, "cost"), String::new()]);
    let mut text = rows.text("");
    if !exported["margin"].is_null() {
        let _ = writeln!(text, "margin {}", word(exported, "margin"));
    }
    if !exported["tax_note"].is_null() {
        let _ = writeln!(text, "{}", word(exported, "tax_note"));
    }
    text
}

/// What `billing documents` prints.
pub fn documents(shown: &Value, _: Instant) -> String {
    let mut rows = Table::new(&[
        Column::Left("document"),
        Column::Left("corrects"),
        Column::Right("amount"),
        Column::Left("currency"),
        Column::Right("tenants"),
        Column::Right("lines"),
        Column::Left("issued"),
        Column::Left("by"),
        Column::Left("exported as"),
    ]);
    for one in list(shown, "documents") {
        let [number, amount, currency, tenants, lines] =
            ["number", "amount", "currency", "tenants", "lines"].map(|of| word(one, of));
        let (corrects, issued) = (dashed(one, "corrects"), &one["issued"]);
        let exported: Vec<String> = list(one, "exports").iter().map(|export| word(export, "format")).collect();
        let by = [minute(issued, "at"), word(issued, "by"), exported.join(", ")];
        rows.row([number, corrects, amount, currency, tenants, lines].into_iter().chain(by));
    }
    rows.text("no document was issued; `billing export --final` issues one")
}
