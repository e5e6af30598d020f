//! The state directory: its lock, its sled folder, its quarantine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StoreError;
use super::kv::Kv;
use super::surviving::SurvivingState;
use crate::doors::{FileLock, Files};

/// Where a store lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A state directory of the operating system, locked for one process: `lock`, `journal/`, `state/`, `quarantine/`.
    Folder(PathBuf),
    /// The journal in this folder, wherever `Files` keeps it; the state in a temporary directory, made from the
    /// journal at every opening. The lock stands beside the journal.
    Temporary { journal: PathBuf },
    /// The same, the state kept as long as this holds it.
    Surviving { journal: PathBuf, state: SurvivingState },
}

/// Kept for life: the lock, or the temporary directory.
pub(super) enum Held {
    Lock { _lock: FileLock, folder: PathBuf, files: Arc<dyn Files> },
    Temporary { folder: tempfile::TempDir, _lock: Option<FileLock> },
    Surviving { state: SurvivingState, _lock: FileLock },
}

/// Broken states kept for people to look at, the newest first.
const QUARANTINED_MAX: u32 = 3;

impl Place {
    pub fn journal(&self) -> PathBuf {
        match self {
            Place::Folder(folder) => folder.join("journal"),
            Place::Temporary { journal } | Place::Surviving { journal, .. } => journal.clone(),
        }
    }

    pub(super) fn hold(&self, files: &Arc<dyn Files>) -> Result<Held, StoreError> {
        match self {
            Place::Folder(folder) => {
                let _lock = locked(files, folder)?;
                Ok(Held::Lock { _lock, folder: folder.clone(), files: Arc::clone(files) })
            }
            Place::Temporary { journal } => {
                let _lock = Some(locked(files, beside(journal))?);
                Ok(Held::Temporary { folder: temporary()?, _lock })
            }
            Place::Surviving { journal, state } => {
                let _lock = locked(files, beside(journal))?;
                Ok(Held::Surviving { state: state.clone(), _lock })
            }
        }
    }
}

fn beside(journal: &Path) -> &Path {
    journal.parent().unwrap_or(Path::new(""))
}

fn locked(files: &Arc<dyn Files>, folder: &Path) -> Result<FileLock, StoreError> {
    let path = folder.join("lock");
    let lock = files.lock(&path).map_err(|source| disk("lock", &path, source))?;
    lock.ok_or_else(|| StoreError::InUse { folder: folder.to_owned() })
}

pub(super) fn temporary() -> Result<tempfile::TempDir, StoreError> {
    let made = tempfile::Builder::new().prefix("tidegauge-state-").tempdir();
    made.map_err(|source| disk("make a folder in", &std::env::temp_dir(), source))
}

impl Held {
    /// A fresh state beside one that is held.
    pub fn beside() -> Result<Held, StoreError> {
        Ok(Held::Temporary { folder: temporary()?, _lock: None })
    }

    /// The state that stands there.
    ///
    /// # Errors
    /// Why there is none that can be used.
    pub fn found(&self) -> Result<Kv, String> {
        match self {
            Held::Lock { folder, files, .. } => {
                match look(folder, &**files).map_err(|error| error.to_string())? {
                    Look::Nothing => return Err(NOTHING_THERE.to_owned()),
                    Look::Suspect => return Err("it failed before".to_owned()),
                    // A folder that cannot be closed is no reason to build a state again that may be whole.
                    Look::Something => close(folder, &**files).unwrap_or_default(),
                }
                Kv::open(&state_of(folder))
            }
            Held::Temporary { .. } => Err(NOTHING_THERE.to_owned()),
            Held::Surviving { state, .. } => state.survived().ok_or_else(|| NOTHING_THERE.to_owned()),
        }
    }

    /// An empty state; what stands there is moved aside.
    pub fn anew(&self) -> Result<Kv, StoreError> {
        let opened = match self {
            Held::Lock { folder, files, .. } => {
                self.quarantine()?;
                close(folder, &**files)?;
                Kv::open(&state_of(folder))
            }
            Held::Temporary { folder, .. } => Kv::open(&state_of(folder.path())),
            Held::Surviving { state, .. } => return state.anew(),
        };
        opened.map_err(|why| StoreError::StateFailed { why })
    }

    /// Moves the state aside, so that a fresh one can be built.
    pub fn quarantine(&self) -> Result<(), StoreError> {
        match self {
            Held::Lock { folder, files, .. } => quarantine(folder, &**files),
            Held::Temporary { .. } => Ok(()),
            Held::Surviving { state, .. } => {
                state.forget();
                Ok(())
            }
        }
    }

    /// Remembers beyond this process that the state is broken.
    pub fn mark_suspect(&self) {
        match self {
            // Best effort: without the mark, the next opening finds out by itself or at the first read.
            Held::Lock { folder, files, .. } => files.write(&suspect_of(folder), b"").unwrap_or_default(),
            Held::Temporary { .. } => {}
            Held::Surviving { state, .. } => state.mark_suspect(),
        }
    }
}

/// Why there is no state where none was ever made.
pub(super) const NOTHING_THERE: &str = "there was no state";

/// Where sled lives.
fn state_of(folder: &Path) -> PathBuf {
    folder.join("state")
}

/// Present while the state is known to be broken.
fn suspect_of(folder: &Path) -> PathBuf {
    state_of(folder).with_extension("suspect")
}

/// Makes sled's folder one that its owner alone may enter: sled's own files are as open as the umask leaves them.
fn close(folder: &Path, files: &dyn Files) -> Result<(), StoreError> {
    let state = state_of(folder);
    files.close_folder(&state).map_err(|source| disk("make or close", &state, source))
}

/// Whether there is a state to open, and none that failed before.
fn look(folder: &Path, files: &dyn Files) -> Result<Look, StoreError> {
    let (state, suspect) = (state_of(folder), suspect_of(folder));
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

fn quarantine(folder: &Path, files: &dyn Files) -> Result<(), StoreError> {
    let (state, suspect) = (state_of(folder), suspect_of(folder));
    let moved = move_aside(files, &state, &folder.join("quarantine"));
    moved.map_err(|source| disk("move aside", &state, source))?;
    let is_there = files.read(&suspect).map_err(|source| disk("read", &suspect, source))?.is_some();
    if is_there { files.remove(&suspect).map_err(|source| disk("remove", &suspect, source)) } else { Ok(()) }
}

/// What there is to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
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
