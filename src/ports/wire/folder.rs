//! Folders of the settings: names never leave the folder, links are not followed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use crate::ask::{Failure, FolderAnswer, FolderAsk};
use crate::doors::Files;
use crate::doors::peer::FolderPeer;
use crate::ports::files::RealFiles;

/// Most files of one name in the folder that a file is moved to.
const SAME_NAME_MAX: u32 = 1_000;

/// Does one thing in the folder, on a thread that may wait for the disk.
pub async fn carry(peer: FolderPeer, ask: FolderAsk) -> Result<FolderAnswer, Failure> {
    let done = tokio::task::spawn_blocking(move || work(&peer.path, &ask));
    done.await.unwrap_or_else(|error| Err(Failure::File { why: error.to_string() }))
}

fn work(root: &Path, ask: &FolderAsk) -> Result<FolderAnswer, Failure> {
    match ask {
        FolderAsk::List { entries_max, .. } => list(root, *entries_max).map(FolderAnswer::Listed),
        FolderAsk::Read { name, bytes_max, .. } => read(&inside(root, name)?, *bytes_max).map(FolderAnswer::Bytes),
        FolderAsk::Move { name, to, .. } => {
            let (from, to) = (inside(root, name)?, free_name(&inside(root, to)?)?);
            RealFiles.rename(&from, &to).map_err(|error| file_failure(&from, &error))?;
            Ok(FolderAnswer::Done)
        }
        FolderAsk::Write { name, bytes, .. } => {
            let path = inside(root, name)?;
            RealFiles.write(&path, bytes).map_err(|error| file_failure(&path, &error))?;
            Ok(FolderAnswer::Done)
        }
    }
}

fn list(root: &Path, entries_max: usize) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(root).map_err(|error| file_failure(root, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| file_failure(root, &error))?;
        let is_regular = entry.file_type().is_ok_and(|kind| kind.is_file());
        // A name that is not UTF-8 cannot be asked for; hidden files are those still being written.
        let name = entry.file_name().into_string().ok();
        names.extend(name.filter(|name| is_regular && !name.starts_with('.')));
    }
    names.sort();
    names.truncate(entries_max);
    Ok(names)
}

fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| file_failure(path, &error);
    let file = opened(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(Failure::File { why: format!("{}: it is no regular file", path.display()) });
    }
    let mut bytes = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > bytes_max {
        return Err(Failure::TooLarge { bytes_max });
    }
    Ok(bytes)
}

/// Opens a file for reading; a link that was put there meanwhile is refused, and a pipe waits for nobody.
fn opened(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path)
}

/// The path of a name below the folder; refuses one that could lead elsewhere.
fn inside(root: &Path, name: &str) -> Result<PathBuf, Failure> {
    let refused = |why: &str| Failure::File { why: format!("\"{}\" {why}: refused", name.escape_debug()) };
    let relative = Path::new(name);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || name.contains(['\0', '\\']) || !plain {
        return Err(refused("is no plain name below the folder"));
    }
    let mut path = root.to_owned();
    for part in relative.components() {
        path.push(part);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.file_type().is_symlink()) {
            return Err(refused("goes through a link"));
        }
    }
    Ok(path)
}

/// The name itself, or with a number at its end when there is such a file: nothing is written over.
fn free_name(path: &Path) -> Result<PathBuf, Failure> {
    if !path.exists() {
        return Ok(path.to_owned());
    }
    let numbered = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
    (2..=SAME_NAME_MAX).map(numbered).find(|path| !path.exists()).ok_or_else(|| Failure::File {
        why: format!("{} is there {SAME_NAME_MAX} times: clear its folder", path.display()),
    })
}

fn file_failure(path: &Path, error: &io::Error) -> Failure {
    Failure::File { why: format!("{}: {error}", path.display()) }
}
