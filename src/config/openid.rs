//! `[console.openid]`: the provider by which people may sign in, and what its groups may do here.

use std::collections::BTreeMap;

use crate::ask::Peer;
use crate::domain::people::{ROLES, Role};
use crate::doors::peer::{HttpPeer, Login, PeerSettings, SecretPlace, Trust};
use crate::people::openid::{Client, OpenId, PEER, origin_of};

use super::section::Section;

/// Most origins that a provider may have besides its issuer's.
const ENDPOINTS_MAX: usize = 8;

/// The sign-in provider and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIdSettings {
    pub party: OpenId,
    /// `System` or `CaFile`.
    pub trust: Trust,
    /// Where the client secret stands; a public client has none.
    pub secret: Option<SecretPlace>,
}

impl OpenIdSettings {
    /// One peer for each origin that is asked.
    pub fn peers(&self) -> impl Iterator<Item = (Peer, PeerSettings)> {
        let username = self.party.client_id.clone();
        let login = self.secret.clone().map(|password| Login { username, password });
        self.party.origins().map(move |origin| {
            let name = format!("{PEER}{origin}");
            let peer = HttpPeer { base_url: origin, trust: self.trust.clone(), login: login.clone(), api_key: None };
            (name, PeerSettings::Http(peer))
        })
    }

    /// A line a setting; the secret is named by its place.
    pub(super) fn explain(&self) -> Vec<String> {
        let party = &self.party;
        let mut lines = vec![
            format!("console.openid.issuer = {}", party.issuer),
            format!("console.openid.client_id = {}   (sends people back to {})", party.client_id, party.back_url),
        ];
        lines.extend(self.secret.iter().map(|place| match place {
            SecretPlace::File(path) => format!("console.openid.client_secret = *** (from the file {})", path.display()),
            SecretPlace::Env(name) => format!("console.openid.client_secret = *** (from the variable {name})"),
        }));
        if let Trust::CaFile(path) = &self.trust {
            lines.push(format!("console.openid.tls = the authorities in {}", path.display()));
        }
        if !party.endpoints_at.is_empty() {
            lines.push(format!("console.openid.endpoints_at = {}", party.endpoints_at.join(", ")));
        }
        lines.push(format!("console.openid.scopes = {}", party.scopes.join(", ")));
        lines.push(format!("console.openid.name_claim = {}", party.name_claim));
        lines.push(format!("console.openid.role_claim = {}", party.role_claim));
        let role =
            |(role, groups): (&Role, &Vec<String>)| format!("console.openid.roles.{role} = {}", groups.join(", "));
        lines.extend(party.roles.iter().map(role));
        lines
    }
}

/// Reads the section; `back_url` is where the provider sends people back to.
pub(super) fn read(section: &mut Section<'_>, back_url: String) -> Option<OpenIdSettings> {
    let origin = section.origin();
    let issuer = issuer(section);
    let client_id = section.required("client_id", "tidegauge");
    let secret = secret(section);
    let trust = section.path("ca_file").map_or(Trust::System, Trust::CaFile);
    let remedy = "write at most 8 addresses without a path: [\"https://oauth2.example.net\"]";
    let endpoints_at = section.each("endpoints_at", remedy, origins).unwrap_or_default();
    let scopes = section.each("scopes", "write a list of words: [\"profile\", \"groups\"]", words);
    let name_claim = section.text("name_claim").unwrap_or_else(|| "preferred_username".to_owned());
    let role_claim = section.text("role_claim").unwrap_or_else(|| "groups".to_owned());
    let roles = section.inside("roles", roles).unwrap_or_default();
    if roles.is_empty() {
        let why = format!("`roles` of {} lets nobody in", section.place());
        section.refuse(origin, why, "add roles = { administrator = [\"a group of the provider\"] }");
        return None;
    }
    let client = if secret.is_some() { Client::Confidential } else { Client::Public };
    let party = OpenId {
        issuer: issuer?,
        client_id: client_id?,
        client,
        back_url,
        endpoints_at,
        scopes: scopes.unwrap_or_else(|| vec!["profile".to_owned()]),
        name_claim,
        role_claim,
        roles,
    };
    Some(OpenIdSettings { party, trust, secret })
}

fn issuer(section: &mut Section<'_>) -> Option<String> {
    let origin = section.origin();
    let issuer = section.required("issuer", "https://sso.example.net/realms/main")?;
    if origin_of(&issuer).is_none() || issuer.contains('?') {
        let why = format!("`issuer` of {} is \"{issuer}\"", section.place());
        section.refuse(origin, why, "write https://… as the provider does; plain http is for loopback only");
        return None;
    }
    Some(issuer)
}

fn secret(section: &mut Section<'_>) -> Option<SecretPlace> {
    let origin = section.origin();
    let file = section.path("client_secret_file").map(SecretPlace::File);
    let variable = section.text("client_secret_env").map(SecretPlace::Env);
    if file.is_some() && variable.is_some() {
        let why = "`client_secret_file` and `client_secret_env` are both given".to_owned();
        section.refuse(origin, why, "keep one of them");
    }
    file.or(variable)
}

fn origins(texts: &[String]) -> Option<Vec<String>> {
    let origins: Option<Vec<String>> =
        texts.iter().map(|text| origin_of(text).filter(|origin| origin == text.trim_end_matches('/'))).collect();
    origins.filter(|origins| origins.len() <= ENDPOINTS_MAX)
}

fn words(texts: &[String]) -> Option<Vec<String>> {
    let is_word = |text: &String| !text.is_empty() && text.chars().all(|sign| sign.is_ascii_graphic());
    texts.iter().all(is_word).then(|| texts.to_vec())
}

/// The groups of each role that has some.
fn roles(section: &mut Section<'_>) -> BTreeMap<Role, Vec<String>> {
    let groups = ROLES.map(|role| (role, section.texts(role.as_str()).unwrap_or_default()));
    groups.into_iter().filter(|(_, groups)| !groups.is_empty()).collect()
}
