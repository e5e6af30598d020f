//! Messages to endpoints: stamped and signed, or with an authorization, and nothing read but the status.

use crate::ask::{Body, Failure, HeaderSecret, HookAsk, HttpAnswer, HttpAsk};
use crate::doors::Clock;
use crate::doors::peer::{HookPeer, Proof, SecretPlace};
use crate::ports::clock::SystemClock;
use crate::seal::standard_webhooks::signature;

use super::http::{self, HttpClients};
use super::login;

/// Sends one message; the hour of the try is what the endpoint judges its age by.
pub async fn carry(clients: &HttpClients, peer: &HookPeer, ask: HookAsk) -> Result<HttpAnswer, Failure> {
    let now = SystemClock.now().timestamp();
    let (mut headers, mut secret_headers) = (Vec::new(), Vec::new());
    match &peer.proof {
        Proof::Signed(secrets) => {
            headers.push(("webhook-id".to_owned(), ask.id.clone()));
            headers.push(("webhook-timestamp".to_owned(), now.to_string()));
            headers.push(("webhook-signature".to_owned(), signatures(secrets, &ask, now)?));
        }
        Proof::Authorization(place) => {
            secret_headers.push(("authorization", HeaderSecret::Text(login::authorization(place)?)));
        }
        Proof::None => {}
    }
    let post = HttpAsk::post(&ask.peer, peer.path.clone(), Body::Bytes(ask.media_type, ask.body));
    let post = HttpAsk { headers, secret_headers, seconds_max: ask.seconds_max, ..post };
    http::carry_for_status(clients, &peer.server, peer.reach, post).await
}

/// One signature for each secret, separated by spaces.
fn signatures(secrets: &[SecretPlace], ask: &HookAsk, now: i64) -> Result<String, Failure> {
    let mut signatures = Vec::new();
    for place in secrets {
        let secret = login::webhook_secret(place)?;
        let signed = signature(&secret, &ask.id, now, &ask.body)
            .map_err(|why| Failure::Settings { why: format!("{}: {why}", login::named(place)) })?;
        signatures.push(signed);
    }
    Ok(signatures.join(" "))
}
