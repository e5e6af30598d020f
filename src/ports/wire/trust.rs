//! Which certificate is believed, and what was seen when it was not.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

use crate::ask::Failure;
use crate::doors::peer::{Fingerprint, Trust};

/// The one provider of cryptography in the process.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The fingerprint of the certificate a peer showed last.
pub type Seen = Arc<Mutex<Option<Fingerprint>>>;

/// A client's TLS by the settings' trust; `seen` is told of every certificate shown.
pub fn client_config(trust: &Trust, seen: Seen) -> Result<ClientConfig, Failure> {
    let provider = provider();
    let judge = match trust {
        Trust::System => rustls_platform_verifier::Verifier::new(provider.clone())
            .map(|verifier| Judge::By(Arc::new(verifier)))
            .map_err(|error| Failure::Settings { why: format!("the system's certificate authorities: {error}") })?,
        Trust::CaFile(path) => {
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(path)?), provider.clone());
            let verifier = builder.build().map_err(|error| bad_file(path, &error.to_string()))?;
            Judge::By(verifier)
        }
        Trust::Pinned(pinned) => Judge::Pinned(*pinned),
        Trust::Anything => Judge::Anything,
    };
    let verifier = Arc::new(Verifier { judge, seen, provider: provider.clone() });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::Settings { why: format!("TLS: {error}") })?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

/// TLS that believes no certificate: for what never leaves the machine.
pub fn believing_nobody() -> Result<ClientConfig, Failure> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::Settings { why: format!("TLS: {error}") })?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(config)
}

fn roots(path: &Path) -> Result<RootCertStore, Failure> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| bad_file(path, &error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| bad_file(path, &error.to_string()))?;
        roots.add(certificate).map_err(|error| bad_file(path, &error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(bad_file(path, "it holds no certificate"));
    }
    Ok(roots)
}

fn bad_file(path: &Path, why: &str) -> Failure {
    Failure::Settings {
        why: format!("ca_file {}: {why}; give a PEM file with the authority's certificate", path.display()),
    }
}

#[derive(Debug)]
enum Judge {
    By(Arc<dyn ServerCertVerifier>),
    Pinned(Fingerprint),
    Anything,
}

/// Judges the leaf; the handshake's signatures are verified whatever the judge is, so a pin cannot be replayed.
#[derive(Debug)]
struct Verifier {
    judge: Judge,
    seen: Seen,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint(Sha256::digest(leaf).into());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        match &self.judge {
            Judge::By(verifier) => verifier.verify_server_cert(leaf, chain, name, ocsp, now),
            Judge::Pinned(pinned) if *pinned == shown => Ok(ServerCertVerified::assertion()),
            Judge::Pinned(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            Judge::Anything => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why a certificate was refused, in words; `None` when the error is about something else.
pub fn refused(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    match tls_error(error)? {
        Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => {
            Some("it is not the pinned certificate".to_owned())
        }
        Error::InvalidCertificate(reason) => Some(in_words(reason)),
        _ => None,
    }
}

fn in_words(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => {
            "no known authority signed it; set tls.ca_file or tls.fingerprint_sha256".into()
        }
        // Of an authority that was made again under the same name, for one.
        CertificateError::BadSignature => {
            "its signature does not hold, no known authority signed it; set tls.ca_file or tls.fingerprint_sha256"
                .into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another host name".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet".into(),
        // The list is rustls's and grows.
        other => other.to_string(),
    }
}

/// The TLS error somewhere below an error, if there is one.
pub fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        // An I/O error shows its inner error only when asked by name.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The causes of an error below its top, joined.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let separator = if text.is_empty() { "" } else { ": " };
        let _ = write!(text, "{separator}{cause}");
        next = cause.source();
    }
    if text.is_empty() { error.to_string() } else { text }
}
