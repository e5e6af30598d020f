//! A certificate with its key from files, and what a TLS listener shows: another one can take its place while it serves.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::wire::provider;

/// A certificate chain and its key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificates: PathBuf,
    pub key: PathBuf,
}

/// What a TLS listener shows; clones are the same one.
#[derive(Clone)]
pub struct Shown(watch::Sender<TlsAcceptor>);

impl Shown {
    /// Reads the files.
    ///
    /// # Errors
    /// `InvalidInput`, naming the file, when they cannot be read or are no certificate with its key.
    pub fn read(files: &TlsFiles) -> io::Result<Shown> {
        Ok(Shown(watch::Sender::new(TlsAcceptor::from(Arc::new(server_config(files)?)))))
    }

    /// From now on handshakes show what the other one shows; connections that stand go on.
    pub fn become_as(&self, other: &Shown) {
        self.0.send_replace(other.now());
    }

    /// For the next handshake.
    pub(super) fn now(&self) -> TlsAcceptor {
        self.0.borrow().clone()
    }
}

fn server_config(files: &TlsFiles) -> io::Result<ServerConfig> {
    let unreadable =
        |path: &Path, why: String| io::Error::new(io::ErrorKind::InvalidInput, format!("{}: {why}", path.display()));
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificates)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(&files.certificates, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable(&files.key, error.to_string()))?;
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(|error| unreadable(&files.certificates, error.to_string()))
}
