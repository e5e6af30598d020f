//! The list of everything, and the signature over it.

use std::collections::BTreeSet;

use super::super::archive::Files;
use super::super::export::sums;
use super::super::{SUMS, SUMS_SIGNED};
use super::{file, text};
use crate::seal::jws;
use crate::seal::keys::VerifyingKey;

/// Whether the list names exactly what is there, with its checksums.
pub(super) fn checksums(files: &Files) -> Result<String, String> {
    let listed = text(files, SUMS)?;
    let expected = sums(files);
    let (stated, there): (BTreeSet<&str>, BTreeSet<&str>) = (listed.lines().collect(), expected.lines().collect());
    if listed == expected {
        return Ok(format!("{} files have the checksums that {SUMS} lists, and nothing else is there", there.len()));
    }
    let name = |line: &&&str| line.split_once("  ").map_or_else(|| (**line).to_owned(), |(_, name)| name.to_owned());
    let changed = there.difference(&stated).map(|line| name(&line)).next();
    let missing = stated.difference(&there).map(|line| name(&line)).next();
    Err(match (changed, missing) {
        (Some(changed), _) if !stated.iter().any(|line| name(&line) == changed) => {
            format!("{changed} is not in {SUMS}")
        }
        (Some(changed), _) => format!("{changed} is not the file that {SUMS} lists"),
        (None, Some(missing)) => format!("{missing} is listed in {SUMS} and is not there"),
        (None, None) => format!("{SUMS} lists its files in another order, or twice"),
    })
}

/// Whether the agent's key signed the list.
pub(super) fn over_checksums(files: &Files, key: &VerifyingKey) -> Result<String, String> {
    let signature = text(files, SUMS_SIGNED)?;
    jws::verify_detached(signature, file(files, SUMS)?, key).map_err(|why| format!("{SUMS_SIGNED}: {why}"))?;
    Ok(format!("{SUMS}, and with it every file, is signed by the agent's key"))
}
