//! How far sides are reached, as the settings write it: address, certificate, login.

use std::path::PathBuf;

use url::Url;

use crate::doors::peer::{Fingerprint, HttpPeer, Login, SecretPlace, Trust, is_loopback};

use super::section::Section;

/// Reads `url`, `username`, `password_file` and `tls`; a refusal stands in the section.
pub fn http_peer(section: &mut Section<'_>, example: &str) -> Option<HttpPeer> {
    let origin = section.origin();
    let url = section.required("url", example);
    let login = login(section);
    let trust = section.inside("tls", trust).unwrap_or_default();
    let base_url = url?.trim_end_matches('/').to_owned();
    let Some((scheme, host)) = split(&base_url) else {
        section.refuse(origin, format!("`url` is \"{base_url}\""), &format!("write it like {example}"));
        return None;
    };
    let safe = scheme == "https" || is_loopback(&host);
    if !safe {
        let why = format!("`url` is \"{base_url}\": passwords and keys would cross the network in the clear");
        section.refuse(origin, why, "write https://; plain http is for loopback only");
        return None;
    }
    if scheme == "http" && trust != Trust::System {
        let why = "`tls` is given, and `url` begins with http://".to_owned();
        section.refuse(origin, why, "write https://, or take `tls` out");
        return None;
    }
    Some(HttpPeer { base_url, trust, login, api_key: None })
}

/// The host of a peer's address.
pub fn host_of(base_url: &str) -> Option<String> {
    split(base_url).map(|(_, host)| host)
}

/// Scheme and host of a URL without user name, query or fragment; the host as it will be connected to, whatever its
/// spelling: `127.1` is 127.0.0.1.
fn split(url: &str) -> Option<(&str, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let foreign = |sign: char| sign.is_whitespace() || sign.is_control() || "?#@\\".contains(sign);
    if !["http", "https"].contains(&scheme) || rest.contains(foreign) {
        return None;
    }
    if authority.is_empty() {
        return None;
    }
    let parsed = Url::parse(url).ok()?;
    let port_is_good = parsed.port() != Some(0) && !authority.ends_with(':');
    let host = parsed.host_str().filter(|host| !host.is_empty())?;
    port_is_good.then(|| (scheme, host.to_owned()))
}

/// Scheme with host and port, and path with query, of an endpoint's URL.
pub fn endpoint(url: &str) -> Option<(String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let base_url = format!("{scheme}://{authority}");
    split(&base_url)?;
    let is_odd = |sign: char| !sign.is_ascii_graphic() || "#\\\"<>".contains(sign);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    (!path.contains(is_odd)).then_some((base_url, path))
}

/// `tls = { ca_file = "…" }`, `{ fingerprint_sha256 = "…" }` or `{ insecure = true }`.
pub fn trust(section: &mut Section<'_>) -> Trust {
    let ca_file = section.path("ca_file").map(Trust::CaFile);
    let remedy = "write the 64 hexadecimal digits of the certificate's SHA-256";
    let pinned = section.read("fingerprint_sha256", remedy, Fingerprint::parse).map(Trust::Pinned);
    let anything = section.switch("insecure").unwrap_or(false).then_some(Trust::Anything);
    let mut given: Vec<Trust> = ca_file.into_iter().chain(pinned).chain(anything).collect();
    if given.len() > 1 {
        let origin = section.origin();
        section.refuse(
            origin,
            "`tls` says more than one thing".to_owned(),
            "keep one of ca_file, fingerprint_sha256, insecure",
        );
    }
    given.pop().unwrap_or_default()
}

/// Reads `api_key_file` or `api_key_env`.
pub fn api_key(section: &mut Section<'_>, login: Option<&Login>) -> Option<SecretPlace> {
    let file = section.path("api_key_file").map(SecretPlace::File);
    let variable = section.text("api_key_env").map(SecretPlace::Env);
    let origin = section.origin();
    let ways = [file.is_some(), variable.is_some(), login.is_some()];
    if ways.into_iter().filter(|is_given| *is_given).count() > 1 {
        let why = "there is more than one way to log in".to_owned();
        section.refuse(origin, why, "keep one of api_key_file, api_key_env and username with its password");
    }
    file.or(variable)
}

/// Reads `username` with `password_file` or `password_env`.
pub fn login(section: &mut Section<'_>) -> Option<Login> {
    let username = section.text("username");
    let file = section.path("password_file").map(SecretPlace::File);
    let variable = section.text("password_env").map(SecretPlace::Env);
    let origin = section.origin();
    match (username, file, variable) {
        (None, None, None) => None,
        (Some(username), Some(password), None) | (Some(username), None, Some(password)) => {
            Some(Login { username, password })
        }
        (None, ..) => {
            section.refuse(origin, "there is a password and no `username`".to_owned(), "add username = \"…\"");
            None
        }
        (Some(_), None, None) => {
            let remedy = "add password_file = \"…\" or password_env = \"…\"";
            section.refuse(origin, "there is a `username` and no password".to_owned(), remedy);
            None
        }
        (Some(_), Some(_), Some(_)) => {
            let why = "`password_file` and `password_env` are both given".to_owned();
            section.refuse(origin, why, "keep one of them");
            None
        }
    }
}

/// A folder as a path that is not empty.
pub fn folder(section: &mut Section<'_>) -> Option<PathBuf> {
    section.required("path", "/var/spool/tidegauge/vbr01").map(PathBuf::from)
}
