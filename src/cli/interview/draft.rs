//! What has been answered so far, as the settings file that becomes of it. The reader of settings judges each answer.

use std::path::Path;

use crate::config::{Flags, Settings, Written};
use crate::doors::peer::{SecretPlace, is_loopback};

/// What a settings file of answers begins with.
const HEAD: &str = "# Written by `tidegauge config init`. Every other setting with its default: `tidegauge config init --yes`.\n\
                    # Secrets never stand here, only where they are found.\n";

/// A settings file that grows.
#[derive(Clone)]
pub struct Draft(String);

impl Draft {
    pub fn new() -> Draft {
        Draft(HEAD.to_owned())
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What the settings are with this block below the others.
    ///
    /// # Errors
    /// Everything that is wrong with it, in one line.
    pub fn with(&self, block: &str) -> Result<Settings, String> {
        read(&format!("{}{block}", self.0))
    }

    pub fn keep(&mut self, block: &str) {
        self.0 += block;
    }
}

fn read(text: &str) -> Result<Settings, String> {
    let written = Written { name: "the answers", text };
    Settings::read(Some(written), Vec::new(), &Flags::default()).map_err(|refusals| {
        let told = refusals.0.iter().map(|refusal| format!("{}: {}", refusal.why, refusal.remedy));
        told.collect::<Vec<String>>().join("; ")
    })
}

/// A line of the file.
pub fn entry(key: &str, value: &str) -> String {
    format!("{key} = {}\n", quoted(value))
}

/// The line that says where a secret stands.
pub fn secret_entry(key: &str, place: &SecretPlace) -> String {
    match place {
        SecretPlace::File(path) => entry(&format!("{key}_file"), &path.display().to_string()),
        SecretPlace::Env(name) => entry(&format!("{key}_env"), name),
    }
}

/// A text as TOML writes it.
pub fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// An address with its scheme and port, of what a person types: `vbr01.example.net` is enough.
pub fn address(typed: &str, port: Option<u16>) -> String {
    let typed = typed.trim_end_matches('/');
    if typed.contains("://") {
        return typed.to_owned();
    }
    let has_port = typed.rsplit_once(':').is_some_and(|(host, port)| {
        let is_whole = !host.contains(':') || host.ends_with(']');
        is_whole && !port.is_empty() && port.chars().all(|sign| sign.is_ascii_digit())
    });
    match port {
        Some(port) if !has_port && !typed.contains('/') => format!("https://{typed}:{port}"),
        Some(_) | None => format!("https://{typed}"),
    }
}

/// What a server may be called: the first part of its host's name, which an address by number does not have.
pub fn name_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let label = host.split('.').next().unwrap_or_default();
    let is_name = label.chars().any(|sign| sign.is_ascii_alphabetic()) && !is_loopback(host);
    if is_name { label.to_owned() } else { "server1".to_owned() }
}

/// The file beside the settings that a secret is expected in.
pub fn beside(folder: &Path, name: &str, what: &str) -> String {
    folder.join(format!("{name}.{what}")).display().to_string()
}
