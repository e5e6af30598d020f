//! Certificates made on the spot: for the playground, for tests, for a License Update Server that has none yet.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, IsCa, KeyPair};
use sha2::{Digest, Sha256};

use crate::doors::peer::Fingerprint;

/// A server's certificate, its key, and two ways to trust it.
#[derive(Clone)]
pub struct Made {
    pub certificate_pem: String,
    /// A secret.
    pub key_pem: String,
    /// For `tls.ca_file`: the authority that signed it, whose own key is gone.
    pub ca_pem: String,
    /// For `tls.fingerprint_sha256`.
    pub fingerprint: Fingerprint,
}

/// Makes a certificate for these host names and addresses, signed by an authority made for it alone.
pub fn make(names: &[&str]) -> Result<Made, Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.distinguished_name.push(DnType::CommonName, "Tidegauge local authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    leaf.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or("localhost"));
    let leaf = leaf.signed_by(&key, &authority)?;
    Ok(Made {
        certificate_pem: leaf.pem(),
        key_pem: key.serialize_pem(),
        ca_pem: authority.as_ref().pem(),
        fingerprint: Fingerprint(Sha256::digest(leaf.der()).into()),
    })
}
