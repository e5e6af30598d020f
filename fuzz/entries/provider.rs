//! A sign-in provider, as its own documents describe it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidegauge::domain::people::Role;
use tidegauge::people::openid::{Client, OpenId};

use super::protocol::SERVER;

const ISSUER: &str = "https://sso.example.net/realms/main";

/// What the settings say of it.
pub fn party() -> OpenId {
    OpenId {
        issuer: ISSUER.to_owned(),
        client_id: "tidegauge".to_owned(),
        client: Client::Confidential,
        back_url: "https://console.example.net/openid/back".to_owned(),
        endpoints_at: Vec::new(),
        scopes: vec!["profile".to_owned()],
        name_claim: "preferred_username".to_owned(),
        role_claim: "groups".to_owned(),
        roles: BTreeMap::from([(Role::Administrator, vec!["tidegauge-admins".to_owned()])]),
    }
}

pub fn discovery() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/auth"),
        "token_endpoint": format!("{ISSUER}/token"),
        "userinfo_endpoint": format!("{ISSUER}/userinfo"),
        "jwks_uri": format!("{ISSUER}/keys?all=1"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "RS256"],
    })
}

/// Its key, which is that of the License Update Server here.
pub fn keys() -> Value {
    let mut key = SERVER.verifying().jwk();
    key["kid"] = json!("one");
    key["use"] = json!("sig");
    key["alg"] = json!("EdDSA");
    json!({"keys": [key]})
}

/// One parameter of an address, as it stands there.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
    value.map(|(_, value)| value.to_owned())
}
