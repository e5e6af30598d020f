//! What the provider says of itself (OpenID Connect Discovery 1.0).

use openidconnect::core::{CoreClientAuthMethod, CoreProviderMetadata};
use openidconnect::{DiscoveryError, IssuerUrl};

use crate::ask::Setback;

use super::exchange::{Exchange, Heard, Proof, Unanswered};
use super::{Client, OpenId, origin_of};

/// A provider that can be used: its endpoints, and the keys that its tokens are signed with.
#[derive(Clone, Debug)]
pub struct Provider {
    pub(super) metadata: CoreProviderMetadata,
    pub(super) proof: Proof,
}

/// Asks the issuer for its endpoints and keys.
pub fn discover(party: &OpenId) -> Exchange<Provider> {
    let told = party.clone();
    let play = move |heard: &Heard<'_>| {
        let issuer = IssuerUrl::new(told.issuer.clone()).map_err(|_| person("its issuer is no URL"))?;
        let metadata = CoreProviderMetadata::discover(&issuer, heard).map_err(|error| undiscovered(&error))?;
        Provider::of(&told, metadata)
    };
    // Nothing is shown before the token request.
    Exchange::new(party, Proof::Nothing, Box::new(play))
}

impl Provider {
    fn of(party: &OpenId, metadata: CoreProviderMetadata) -> Result<Provider, Setback> {
        if origin_of(metadata.authorization_endpoint().as_str()).is_none() {
            return Err(person("it would let people sign in without https"));
        }
        if metadata.token_endpoint().is_none() {
            return Err(person("it has no token endpoint"));
        }
        let proof = proof_of(party.client, metadata.token_endpoint_auth_methods_supported())?;
        Ok(Provider { metadata, proof })
    }
}

/// What both sides can; a provider that says nothing takes `client_secret_basic` (Discovery 1.0 section 3).
fn proof_of(client: Client, offered: Option<&Vec<CoreClientAuthMethod>>) -> Result<Proof, Setback> {
    let takes = |method| offered.is_some_and(|offered| offered.contains(&method));
    match client {
        Client::Public => Ok(Proof::Nothing),
        Client::Confidential if offered.is_none() || takes(CoreClientAuthMethod::ClientSecretBasic) => Ok(Proof::Basic),
        Client::Confidential if takes(CoreClientAuthMethod::ClientSecretPost) => Ok(Proof::Post),
        Client::Confidential => Err(person("it takes a client secret neither in a header nor in a form")),
    }
}

fn undiscovered(error: &DiscoveryError<Unanswered>) -> Setback {
    match error {
        DiscoveryError::Validation(_) => {
            person("it calls itself by another issuer; write `issuer` as its configuration page has it")
        }
        DiscoveryError::Response(status, ..) if status.is_server_error() => {
            Setback::TryAgain { why: format!("the sign-in provider answered {status} to its discovery") }
        }
        DiscoveryError::Response(status, ..) => person(&format!("it answered {status}, or no JSON, to its discovery")),
        DiscoveryError::Parse(error) => person(&format!("its discovery is not read at `{}`", error.path())),
        _ => person("its discovery is not understood"),
    }
}

/// Nothing changes until somebody mends the settings here or there.
pub(super) fn person(what: &str) -> Setback {
    Setback::AskAPerson { why: format!("the sign-in provider: {what}") }
}
