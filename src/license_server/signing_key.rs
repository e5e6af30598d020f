//! The key that signs answers and license keys, in a file only its owner reads.

use std::io;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use crate::doors::{Chance, Files};
use crate::seal::keys::SigningKey;

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum NoSigningKey {
    #[error("{} does not exist; make the signing key with `license-server key new`", .0.display())]
    Missing(PathBuf),
    #[error("{}: {why}", path.display())]
    Broken { path: PathBuf, why: String },
    #[error("{} already exists; agents and license keys depend on it, so it is never replaced", .0.display())]
    Exists(PathBuf),
    #[error("cannot read or write {}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
}

fn path_in(folder: &Path) -> PathBuf {
    folder.join("keys").join("signing.pem")
}

/// Makes the signing key of this folder and returns its fingerprint.
///
/// # Errors
/// There is one already, or the disk refuses.
pub fn new_signing_key(files: &dyn Files, folder: &Path, chance: &mut dyn Chance) -> Result<String, NoSigningKey> {
    let path = path_in(folder);
    let failed = |source| NoSigningKey::Disk { path: path.clone(), source };
    if files.read(&path).map_err(failed)?.is_some() {
        return Err(NoSigningKey::Exists(path));
    }
    let mut secret = [0; 32];
    chance.fill(&mut secret);
    let key = SigningKey::from_secret(&secret);
    // Appending is what makes the file 0600 in a folder of 0700.
    let mut file = files.append_to(&path).map_err(failed)?;
    file.append(key.to_pem().expose_secret().as_bytes()).map_err(failed)?;
    file.sync().map_err(failed)?;
    Ok(key.fingerprint())
}

pub(super) fn read_signing_key(files: &dyn Files, folder: &Path) -> Result<SigningKey, NoSigningKey> {
    let path = path_in(folder);
    let bytes = match files.read(&path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(NoSigningKey::Missing(path)),
        Err(source) => return Err(NoSigningKey::Disk { path, source }),
    };
    let broken = |why: String| NoSigningKey::Broken { path: path.clone(), why };
    let text = String::from_utf8(bytes).map_err(|_| broken("not a text".to_owned()))?;
    SigningKey::from_pem(&text).map_err(|why| broken(why.to_string()))
}
