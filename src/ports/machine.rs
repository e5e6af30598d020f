//! What a machine says of its disk and of who may read what.

use std::io;
use std::path::Path;

/// Who besides its owner and its group gets at a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenTo {
    Nobody,
    /// Everybody may read it or go into it.
    Readers,
    /// Everybody may change it.
    Writers,
}

/// Who gets at it.
///
/// # Errors
/// It is not there, or its owner lets nobody look.
#[cfg(unix)]
pub fn open_to(path: &Path) -> io::Result<OpenTo> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode();
    Ok(match mode & 0o007 {
        0 => OpenTo::Nobody,
        others if others & 0o002 == 0 => OpenTo::Readers,
        _ => OpenTo::Writers,
    })
}

/// The same where files have lists of rights, which are not looked at.
///
/// # Errors
/// It is not there; else `Unsupported`.
#[cfg(not(unix))]
pub fn open_to(path: &Path) -> io::Result<OpenTo> {
    std::fs::metadata(path).and_then(|_| Err(io::ErrorKind::Unsupported.into()))
}

/// Bytes that are free for us on the disk of this folder.
///
/// # Errors
/// The folder is not there, or the system does not say.
#[cfg(unix)]
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The same where nothing tells it.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn free_bytes(_: &Path) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
