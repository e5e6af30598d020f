//! A disk behind a cache: the process dies at any writing operation, and power takes what was not synced in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tidegauge::doors::{AppendFile, Chance, FileLock, Files};
use tidegauge::simulation::chance::SeededChance;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The disk; clones are the same disk.
#[derive(Clone)]
pub struct CachedDisk(Arc<Mutex<Inner>>);

struct Inner {
    files: BTreeMap<PathBuf, Cached>,
    locks: BTreeSet<PathBuf>,
    /// Writing operations until the process dies in the middle of one; `None`: it lives.
    lives: Option<u64>,
    chance: SeededChance,
}

#[derive(Clone, Default)]
struct Cached {
    bytes: Vec<u8>,
    /// Bytes that survive a loss of power.
    durable: usize,
}

/// How an operation that wants to write goes on.
enum Turn {
    Done,
    /// The process dies now: whether it took effect is chance.
    Last,
}

impl CachedDisk {
    pub fn new(seed: u64) -> CachedDisk {
        let chance = SeededChance::new(seed);
        let (files, locks) = (BTreeMap::new(), BTreeSet::new());
        CachedDisk(Arc::new(Mutex::new(Inner { files, locks, lives: None, chance })))
    }

    /// The process dies at the writing operation after so many more.
    pub fn kill_after(&self, operations: u64) {
        self.inner().lives = Some(operations);
    }

    /// Another process begins; what the cache holds is there.
    pub fn revive(&self) {
        self.inner().lives = None;
    }

    /// The machine loses power and comes up again: of what was not synced, each sector is there or not.
    pub fn lose_power(&self) {
        let inner = &mut *self.inner();
        for file in inner.files.values_mut() {
            lose_unsynced(file, &mut inner.chance);
        }
        (inner.lives, inner.locks) = (None, BTreeSet::new());
    }

    pub fn draw(&self, below: u64) -> u64 {
        self.inner().chance.below(below)
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().expect("no test panics while it holds the disk")
    }
}

/// One of: nothing of it came, all of it, a part to any byte, or sectors in any order with nothing in between.
fn lose_unsynced(file: &mut Cached, chance: &mut SeededChance) {
    let unsynced = file.bytes.len() - file.durable;
    if unsynced > 0 {
        let drawn =
            |chance: &mut SeededChance, below: usize| usize::try_from(chance.below(below as u64)).expect("small");
        match chance.below(5) {
            0 => file.bytes.truncate(file.durable),
            1 => {}
            2 => file.bytes.truncate(file.durable + drawn(chance, unsynced)),
            3 | 4 => {
                file.bytes.truncate(file.durable + 1 + drawn(chance, unsynced));
                for start in (file.durable / SECTOR * SECTOR..file.bytes.len()).step_by(SECTOR) {
                    let end = file.bytes.len().min(start + SECTOR);
                    if chance.below(2) == 0 {
                        file.bytes[start.max(file.durable)..end].fill(0);
                    }
                }
            }
            _ => unreachable!("five are drawn from"),
        }
    }
    file.durable = file.bytes.len();
}

impl Inner {
    fn turn(&mut self) -> io::Result<Turn> {
        match &mut self.lives {
            None => Ok(Turn::Done),
            Some(0) => Err(dead()),
            Some(left) => {
                *left -= 1;
                Ok(if *left == 0 { Turn::Last } else { Turn::Done })
            }
        }
    }

    /// Does an operation that takes effect as a whole or not at all.
    fn whole(&mut self, act: impl FnOnce(&mut BTreeMap<PathBuf, Cached>)) -> io::Result<()> {
        match self.turn()? {
            Turn::Done => {
                act(&mut self.files);
                Ok(())
            }
            Turn::Last => {
                if self.chance.below(2) == 0 {
                    act(&mut self.files);
                }
                Err(dead())
            }
        }
    }
}

fn dead() -> io::Error {
    io::Error::other("the process was killed")
}

impl Files for CachedDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.inner().files.get(path).map(|file| file.bytes.clone()))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let inner = self.inner();
        let inside = inner.files.keys().filter(|path| path.parent() == Some(folder));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn append_to(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        self.inner().whole(|files| {
            files.entry(path.to_owned()).or_default();
        })?;
        Ok(Box::new(Appending { disk: self.clone(), path: path.to_owned() }))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = Cached { bytes: bytes.to_vec(), durable: bytes.len() };
        self.inner().whole(|files| drop(files.insert(path.to_owned(), file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner().whole(|files| {
            if let Some(file) = files.remove(from) {
                files.insert(to.to_owned(), file);
            }
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner().whole(|files| drop(files.remove(path)))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.inner().whole(|files| {
            if let Some(file) = files.get_mut(path) {
                file.bytes.truncate(len);
                file.durable = file.bytes.len();
            }
        })
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        self.inner().whole(|files| files.retain(|path, _| !path.starts_with(folder)))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        let is_free = self.inner().locks.insert(path.to_owned());
        let lock = || -> FileLock { Box::new(Locked { disk: self.clone(), path: path.to_owned() }) };
        Ok(is_free.then(lock))
    }
}

struct Locked {
    disk: CachedDisk,
    path: PathBuf,
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.disk.inner().locks.remove(&self.path);
    }
}

struct Appending {
    disk: CachedDisk,
    path: PathBuf,
}

impl AppendFile for Appending {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.disk.inner();
        let turn = inner.turn()?;
        let is_last = matches!(turn, Turn::Last);
        let came = if is_last { inner.chance.below(bytes.len() as u64 + 1) } else { bytes.len() as u64 };
        let file = inner.files.get_mut(&self.path).ok_or(ErrorKind::NotFound)?;
        file.bytes.extend(&bytes[..usize::try_from(came).expect("not more than there are")]);
        if is_last { Err(dead()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let path = &self.path;
        self.disk.inner().whole(|files| {
            if let Some(file) = files.get_mut(path) {
                file.durable = file.bytes.len();
            }
        })
    }
}
