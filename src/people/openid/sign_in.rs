//! From the code that a browser brought back to verified claims (OpenID Connect Core 1.0 sections 3.1.3 and 5.3).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use openidconnect::core::{
    CoreClient, CoreGenderClaim, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm,
    CoreRequestTokenError,
};
use openidconnect::{
    AccessToken, AdditionalClaims, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, OAuth2TokenResponse, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    SignatureVerificationError, SubjectIdentifier, TokenResponse, UserInfoClaims, UserInfoError,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ask::Setback;
use crate::domain::Instant;

use super::exchange::{Exchange, Heard, Unanswered};
use super::provider::{Provider, person};
use super::{Claims, OpenId, Returned};

/// How far two clocks may be apart.
const CLOCKS_APART_MAX: TimeDelta = TimeDelta::minutes(2);
/// Longest error word of a provider that is repeated.
const ERROR_SIGNS_MAX: usize = 64;

/// Signatures that are taken: only those with a private key at the provider. What everybody knows, such as its public
/// keys, signs nothing.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The crate's client, as a provider's metadata makes it.
pub(super) type Asking =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Claims that the standard does not name.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Others {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for Others {}

/// Exchanges the code for an ID token and verifies it; asks for what it leaves out.
pub fn sign_in(party: &OpenId, returned: Returned, now: Instant) -> Exchange<Claims> {
    let (told, proof) = (party.clone(), returned.provider.proof);
    let play = move |heard: &Heard<'_>| {
        let client = client_of(&told, &returned.provider)?;
        let code = AuthorizationCode::new(returned.code.expose_secret().to_owned());
        let request = client.exchange_code(code).map_err(|_| person("it has no token endpoint"))?;
        let verifier = PkceCodeVerifier::new(returned.verifier.expose_secret().to_owned());
        let tokens =
            request.set_pkce_verifier(verifier).request(heard).map_err(|error: TokenError| no_tokens(&error))?;
        let token = tokens.id_token().ok_or_else(|| person("it gave no ID token; is `openid` among its scopes?"))?;
        let verified = verified(&told, &returned, token, now)?;
        let mut claims = Claims::new(payload_of(token)?);
        if !(claims.has(&told.name_claim) && claims.has(&told.role_claim)) {
            claims.complete(told_of(&client, heard, tokens.access_token(), verified.subject())?);
        }
        Ok(claims)
    };
    Exchange::new(party, proof, Box::new(play))
}

/// The crate's client. It knows no secret: the wire shows it.
pub(super) fn client_of(party: &OpenId, provider: &Provider) -> Result<Asking, Setback> {
    let back = RedirectUrl::new(party.back_url.clone()).map_err(|_| person("this console's address is no URL"))?;
    let client = CoreClient::from_provider_metadata(provider.metadata.clone(), client_id(party), None);
    Ok(client.set_redirect_uri(back).set_auth_type(AuthType::RequestBody))
}

fn client_id(party: &OpenId) -> ClientId {
    ClientId::new(party.client_id.clone())
}

/// The claims, when the token is the provider's, for us, of this sign-in, and in force.
fn verified<'a>(
    party: &OpenId,
    returned: &Returned,
    token: &'a CoreIdToken,
    now: Instant,
) -> Result<&'a CoreIdTokenClaims, Setback> {
    let metadata = &returned.provider.metadata;
    // A public client's verifier takes no signature by a shared secret.
    let verifier =
        CoreIdTokenVerifier::new_public_client(client_id(party), metadata.issuer().clone(), metadata.jwks().clone())
            .set_allowed_algs(SIGNATURES)
            .set_time_fn(move || now - CLOCKS_APART_MAX)
            .set_issue_time_verifier_fn(move |issued| {
                if issued <= now + CLOCKS_APART_MAX { Ok(()) } else { Err("issued in the future".to_owned()) }
            });
    let claims = token.claims(&verifier, &returned.nonce).map_err(|error| unverified(&error))?;
    // Its audience alone does not tell who may use it (Core 1.0 section 3.1.3.7, points 4 and 5).
    if claims.authorized_party().is_some_and(|authorized| *authorized != client_id(party)) {
        return Err(person("its ID token is for another client"));
    }
    Ok(claims)
}

/// Every claim of a token that was verified.
fn payload_of(token: &CoreIdToken) -> Result<Map<String, Value>, Setback> {
    let text = token.to_string();
    let payload = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    claims.ok_or_else(|| person("its ID token is not read"))
}

/// What the provider answers about the subject; nothing where it answers no such question.
fn told_of(
    client: &Asking,
    heard: &Heard<'_>,
    token: &AccessToken,
    subject: &SubjectIdentifier,
) -> Result<Map<String, Value>, Setback> {
    // The crate panics on a token that is no header's text.
    if !token.secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(person("its access token is not read"));
    }
    let Ok(request) = client.user_info(token.clone(), Some(subject.clone())) else { return Ok(Map::new()) };
    let told: UserInfoClaims<Others, CoreGenderClaim> = request.request(heard).map_err(|error| untold(&error))?;
    match serde_json::to_value(&told) {
        Ok(Value::Object(claims)) => Ok(claims),
        Ok(_) | Err(_) => Err(person("what it says of the subject is not read")),
    }
}

type TokenError = CoreRequestTokenError<Unanswered>;

fn no_tokens(error: &TokenError) -> Setback {
    match error {
        RequestTokenError::ServerResponse(refused) => {
            let word = plain_word(refused.error().as_ref());
            person(&format!("it refused the code with `{word}`; invalid_client means a wrong client_id or secret"))
        }
        RequestTokenError::Parse(..) | RequestTokenError::Request(_) | RequestTokenError::Other(_) => {
            person("it gave no ID token that can be read")
        }
    }
}

fn untold(error: &UserInfoError<Unanswered>) -> Setback {
    match error {
        UserInfoError::Response(status, ..) => person(&format!("it answered {status} when asked about the subject")),
        UserInfoError::ClaimsVerification(_) => person("what it says of the subject is of another subject or not its"),
        _ => person("what it says of the subject is not read"),
    }
}

fn unverified(error: &ClaimsVerificationError) -> Setback {
    use SignatureVerificationError as Signature;
    person(match error {
        ClaimsVerificationError::Expired(_) => "its ID token is not in force; do both clocks go right?",
        ClaimsVerificationError::InvalidAudience(_) => "its ID token is for another client",
        ClaimsVerificationError::InvalidIssuer(_) => "its ID token is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "its ID token is of another sign-in",
        ClaimsVerificationError::SignatureVerification(
            Signature::NoSignature | Signature::DisallowedAlg(_) | Signature::UnsupportedAlg(_),
        ) => "its ID token is not signed with a private key (RS256, PS256, ES256, ES384, EdDSA and their like)",
        ClaimsVerificationError::SignatureVerification(Signature::NoMatchingKey) => {
            "its ID token is signed with a key that it does not publish; after a change of keys try again in some minutes"
        }
        ClaimsVerificationError::SignatureVerification(_) => "the signature of its ID token is not its own",
        _ => "its ID token is not taken",
    })
}

/// A foreign word as far as it is one.
pub(super) fn plain_word(word: &str) -> String {
    let is_plain = |sign: &char| sign.is_ascii_lowercase() || *sign == '_';
    word.chars().filter(is_plain).take(ERROR_SIGNS_MAX).collect()
}
