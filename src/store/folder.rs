//! The state directory: its lock, its sled folder, its quarantine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StoreError;
use crate::doors::{FileLock, Files};

/// Where a store lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A state directory of the operating system, locked for one process: `lock`, `journal/`, `state/`, `quarantine/`.
    Folder(PathBuf),
    /// The journal in this folder, wherever `Files` keeps it; the state in a temporary directory, made from the
    /// journal at every opening. The lock stands beside the journal.
    Temporary { journal: PathBuf },
}

/// Kept for life: the lock, or the temporary directory.
pub(super) enum Held {
    Lock { _lock: FileLock, folder: PathBuf, files: Arc<dyn Files> },
    Temporary { folder: tempfile::TempDir, _lock: Option<FileLock> },
}

/// Broken states kept for people to look at, the newest first.
const QUARANTINED_MAX: u32 = 3;

impl Place {
    pub fn journal(&self) -> PathBuf {
        match self {
            Place::Folder(folder) => folder.join("journal"),
            Place::Temporary { journal } => journal.clone(),
        }
    }

    pub(super) fn hold(&self, files: &Arc<dyn Files>) -> Result<Held, StoreError> {
        match self {
            Place::Folder(folder) => {
                let _lock = locked(files, folder)?;
                Ok(Held::Lock { _lock, folder: folder.clone(), files: Arc::clone(files) })
            }
            Place::Temporary { journal } => {
                let _lock = Some(locked(files, journal.parent().unwrap_or(Path::new("")))?);
                Ok(Held::Temporary { folder: temporary()?, _lock })
            }
        }
    }
}

fn locked(files: &Arc<dyn Files>, folder: &Path) -> Result<FileLock, StoreError> {
    let path = folder.join("lock");
    let lock = files.lock(&path).map_err(|source| disk("lock", &path, source))?;
    lock.ok_or_else(|| StoreError::InUse { folder: folder.to_owned() })
}

fn temporary() -> Result<tempfile::TempDir, StoreError> {
    let made = tempfile::Builder::new().prefix("tidegauge-state-").tempdir();
    made.map_err(|source| disk("make a folder in", &std::env::temp_dir(), source))
}

impl Held {
    /// A fresh state beside one that is held.
    pub fn beside() -> Result<Held, StoreError> {
        Ok(Held::Temporary { folder: temporary()?, _lock: None })
    }

    /// Where sled lives.
    pub fn state(&self) -> PathBuf {
        match self {
            Held::Lock { folder, .. } => folder.join("state"),
            Held::Temporary { folder, .. } => folder.path().join("state"),
        }
    }

    /// Makes sled's folder one that its owner alone may enter: sled's own files are as open as the umask leaves them.
    pub fn close(&self) -> Result<(), StoreError> {
        let Held::Lock { files, .. } = self else { return Ok(()) };
        let state = self.state();
        files.close_folder(&state).map_err(|source| disk("make or close", &state, source))
    }

    /// Whether there is a state to open, and none that failed before.
    pub fn look(&self) -> Result<Look, StoreError> {
        let Held::Lock { files, .. } = self else { return Ok(Look::Nothing) };
        let (state, suspect) = (self.state(), self.suspect());
        let is_suspect = files.read(&suspect).map_err(|source| disk("read", &suspect, source))?.is_some();
        let names = files.list(&state).map_err(|source| disk("list", &state, source))?;
        if is_suspect {
            return Ok(Look::Suspect);
        }
        // A process killed while sled wrote a snapshot leaves one that sled cannot open; nothing depends on it.
        for name in names.iter().filter(|name| name.starts_with("snap.") && name.ends_with(".generating")) {
            files.remove(&state.join(name)).map_err(|source| disk("remove", &state.join(name), source))?;
        }
        Ok(if names.is_empty() { Look::Nothing } else { Look::Something })
    }

    /// Present while the state is known to be broken.
    fn suspect(&self) -> PathBuf {
        self.state().with_extension("suspect")
    }

    /// Remembers beyond this process that the state is broken.
    pub fn mark_suspect(&self) {
        if let Held::Lock { files, .. } = self {
            // Best effort: without the mark, the next opening finds out by itself or at the first read.
            let _ = files.write(&self.suspect(), b"");
        }
    }

    /// Moves the state aside, so that a fresh one can be built.
    pub fn quarantine(&self) -> Result<(), StoreError> {
        let Held::Lock { files, folder, .. } = self else { return Ok(()) };
        let moved = move_aside(&**files, &self.state(), &folder.join("quarantine"));
        moved.map_err(|source| disk("move aside", &self.state(), source))?;
        let suspect = self.suspect();
        let is_there = files.read(&suspect).map_err(|source| disk("read", &suspect, source))?.is_some();
        if is_there { files.remove(&suspect).map_err(|source| disk("remove", &suspect, source)) } else { Ok(()) }
    }
}

/// What there is to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Nothing,
    Something,
    Suspect,
}

fn move_aside(files: &dyn Files, state: &Path, quarantine: &Path) -> io::Result<()> {
    if files.list(state)?.is_empty() {
        return Ok(());
    }
    let place = |number: u32| quarantine.join(format!("state-{number}"));
    let is_there = |number| files.list(&place(number)).map(|names| !names.is_empty());
    if is_there(QUARANTINED_MAX)? {
        files.remove_folder(&place(QUARANTINED_MAX))?;
    }
    for number in (1..QUARANTINED_MAX).rev() {
        if is_there(number)? {
            files.rename(&place(number), &place(number + 1))?;
        }
    }
    files.rename(state, &place(1))
}

fn disk(doing: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Disk { doing, path: path.to_owned(), source }
}
