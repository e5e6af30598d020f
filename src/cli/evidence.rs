//! `evidence`: the audit snapshot of a month, its check, and the key that signs it.

use std::fmt::Write;
use std::path::PathBuf;

use base64::Engine;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::arguments::{NamesArgs, ReportArgs, UnitArgs};
use super::session::Session;
use super::table::{list, word};
use crate::agent::{Query, Refused, verify_evidence};
use crate::domain::Instant;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Writes everything that proves a month into one signed archive (.zip)
    ///
    /// Every revision of the report in all formats with its signature and adjustments, the samples it rests on, the
    /// journal with its chain, what was sent with its receipts, public keys, checksums, and a page that says how to check
    /// all of it with common tools. Passwords, tokens, license keys and settings are never in it. The same state gives
    /// the same bytes. A month without a report has no evidence; an open report is shown as it stands.
    ///
    /// With --pseudonyms the reports in it are documents of their own, signed as they stand, and what holds names is kept
    /// back: the journal's payloads and the report as it was sent. Their digests stand, so that chain, samples and receipts
    /// are checked all the same; `evidence verify` says what cannot be.
    ///
    /// Exit codes: 66 there is no report of that month; 73 the file cannot be written.
    ///
    /// Example: tidegauge evidence export --month 2026-10 --out 2026-10-evidence.zip
    Export(Export),
    /// Checks an archive without store, settings or network, and says what holds and what does not
    ///
    /// Changing, adding or leaving out anything is found. The archive names the key it is signed with: only --key, or
    /// comparing the fingerprint that is printed, tells whose key it is.
    ///
    /// Exit codes: 0 everything holds; 7 something does not (everything is printed all the same); 66 there is no such file.
    ///
    /// Example: tidegauge evidence verify 2026-10-evidence.zip --key sha256:5f3a91c2…
    Verify(Verify),
    /// Prints the public key that signs this agent's reports and evidence
    ///
    /// Hand its fingerprint to auditors on another way than the archives. It never changes while `keys/` is kept.
    ///
    /// Example: tidegauge evidence key --json
    Key,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    which: ReportArgs,
    /// The archive to write, readable by its owner alone
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    names: NamesArgs,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// The archive
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The fingerprint (sha256:…) or RFC 7638 thumbprint that the agent's key must have
    #[arg(long, value_name = "FINGERPRINT")]
    key: Option<String>,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::Export(how) => export(session, how),
        Act::Verify(how) => verify(session, how),
        Act::Key => session.ask_and_show(&Query::EvidenceKey {}, key_text),
    }
}

fn export(session: &mut Session<'_>, how: &Export) -> Result<(), Refused> {
    let UnitArgs { unit, server } = how.which.unit.clone();
    let names = how.names.names();
    let archive = session.ask_under(names, &Query::Evidence { unit, server, month: how.which.month, names })?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(word(&archive, "base64"))
        .map_err(|error| Refused::new(76, format!("the agent's answer is no file: {error}")))?;
    session.write(&how.out, &bytes)?;
    let written = json!({
        "schema": "tidegauge.evidence-written/1",
        "path": how.out.display().to_string(),
        "bytes": bytes.len(),
        "unit": archive["unit"],
        "month": archive["month"],
        "revisions": archive["revisions"],
        "names": archive["names"],
        "key": archive["key"],
    });
    session.show(&written, written_text)
}

fn written_text(written: &Value, _: Instant) -> String {
    let word = |name: &str| word(written, name);
    let names = if written["names"] == "pseudonyms" { ", names are pseudonyms" } else { "" };
    format!(
        "{} ({} bytes): {}, revisions: {}{names}\nsigned by {}\n",
        word("path"),
        word("bytes"),
        word("month"),
        word("revisions"),
        word("key")
    )
}

fn verify(session: &mut Session<'_>, how: &Verify) -> Result<(), Refused> {
    let bytes = session.read(&how.file)?;
    let verdict = verify_evidence(&bytes, how.key.as_deref());
    session.show(&verdict, verdict_text)?;
    if verdict["holds"] == true {
        return Ok(());
    }
    let why = format!("{} does not hold: do not rely on it, ask for the archive again", how.file.display());
    Err(Refused::new(7, why))
}

fn verdict_text(verdict: &Value, _: Instant) -> String {
    let mut text = String::new();
    for finding in list(verdict, "findings") {
        let mark = match word(finding, "result").as_str() {
            "holds" => "holds",
            "note" => "note ",
            _ => "FAILS",
        };
        let _ = writeln!(text, "{mark}  {}: {}", word(finding, "check"), word(finding, "says"));
    }
    text += if verdict["holds"] == true { "everything holds\n" } else { "NOT everything holds\n" };
    text
}

fn key_text(key: &Value, _: Instant) -> String {
    format!(
        "fingerprint  {}\nthumbprint   {} (RFC 7638)\npublic key   {} (Ed25519, base64url)\nagent        {}\n",
        word(key, "fingerprint"),
        word(key, "thumbprint"),
        key["jwk"]["x"].as_str().unwrap_or_default(),
        word(key, "agent"),
    )
}
