//! Signing in with OpenID Connect: what is asked of a provider, and which of its answers let somebody in.

mod admitted;
mod away;
pub mod provider;
mod settings;
mod signatures;
pub mod tokens;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tidegauge::ask::Setback;
use tidegauge::domain::Instant;
use tidegauge::domain::people::Role;
use tidegauge::people::openid::{
    Back, Begun, Claims, Client, Drawn, NotBack, OpenId, Pending, Provider, Returned, discover, sign_in,
};

use provider::{ISSUER, Says, exchanged};

/// Where browsers are.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const CLIENT: &str = "tidegauge";
const BACK: &str = "https://console.example.net/openid/back";

fn at(seconds: i64) -> Instant {
    Instant::from_timestamp(1_800_000_000 + seconds, 0).expect("an instant")
}

pub fn party() -> OpenId {
    OpenId {
        issuer: ISSUER.to_owned(),
        client_id: CLIENT.to_owned(),
        client: Client::Confidential,
        back_url: BACK.to_owned(),
        endpoints_at: Vec::new(),
        scopes: vec!["profile".to_owned()],
        name_claim: "preferred_username".to_owned(),
        role_claim: "groups".to_owned(),
        roles: BTreeMap::from([
            (Role::Viewer, vec!["everybody".to_owned()]),
            (Role::Administrator, vec!["tidegauge-admins".to_owned()]),
        ]),
    }
}

fn drawn(seed: u8) -> Drawn {
    let bytes: Vec<u8> = (0..Drawn::BYTES).map(|at| seed.wrapping_add(at as u8)).collect();
    Drawn::of(bytes[..].try_into().expect("as many bytes as are drawn"))
}

fn known(says: &Says) -> Arc<Provider> {
    Arc::new(exchanged(discover(&party()), says).0.expect("a good discovery"))
}

/// One parameter of an address.
pub fn parameter(url: &str, name: &str) -> String {
    let url = reqwest::Url::parse(url).expect("an address");
    let found = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("{url} has no {name}"))
}

/// A browser that was sent away at 0, and is known again.
fn returned(party: &OpenId, provider: &Arc<Provider>) -> (Begun, Returned) {
    let mut pending = Pending::default();
    let begun = pending.begin(party, provider, drawn(0), "/", (HERE, at(0))).expect("an address");
    let back = came_back(&mut pending, party, &begun).unwrap_or_else(|why| panic!("{why}"));
    (begun, back)
}

fn came_back(pending: &mut Pending, party: &OpenId, begun: &Begun) -> Result<Returned, NotBack> {
    use secrecy::ExposeSecret;
    let back = Back {
        code: Some("the-code".to_owned()),
        state: Some(parameter(&begun.url, "state")),
        iss: Some(ISSUER.to_owned()),
        error: None,
    };
    pending.back(party, back, Some(begun.cookie.expose_secret()), at(30))
}

/// What comes of a whole sign-in; `token` makes the token of the sign-in's nonce.
fn signed_in(says: Says, token: impl FnOnce(&str) -> String) -> Result<Claims, Setback> {
    let provider = known(&says);
    let (begun, back) = returned(&party(), &provider);
    let says = Says { id_token: token(&parameter(&begun.url, "nonce")), ..says };
    exchanged(sign_in(&party(), back, at(30)), &says).0
}
