//! A disk in memory that loses power, fills up and turns read-only when told to; nothing is left to chance.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::doors::{AppendFile, FileLock, Files};

/// A simulated disk; clones are the same disk.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    files: BTreeMap<PathBuf, Stored>,
    locks: BTreeSet<PathBuf>,
    /// Writing operations so far.
    operations: u64,
    fault: Fault,
    /// Operations that a fault refused since it was ordered.
    refused: u64,
    /// The folder in which nothing can be written.
    read_only: Option<PathBuf>,
}

#[derive(Default)]
struct Stored {
    bytes: Vec<u8>,
    /// Bytes that survive a loss of power; `None` while even the file's name does not.
    durable: Option<usize>,
}

#[derive(Default)]
enum Fault {
    #[default]
    None,
    /// Writing operations with this number or a later one fail; an append leaves half its bytes behind.
    FullFrom(u64),
    ReadOnly,
    /// Power is gone with this writing operation; the disk had written so many unsynced bytes of each file.
    DarkFrom(u64, usize),
}

impl Inner {
    /// Counts a writing operation, or refuses it.
    fn operate(&mut self) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        let done = match self.fault {
            Fault::None => Ok(()),
            Fault::FullFrom(first) | Fault::DarkFrom(first, _) if number < first => Ok(()),
            Fault::FullFrom(_) => Err(ErrorKind::StorageFull),
            Fault::ReadOnly => Err(ErrorKind::ReadOnlyFilesystem),
            Fault::DarkFrom(..) => Err(ErrorKind::BrokenPipe),
        };
        self.refused += u64::from(done.is_err());
        done.map_err(io::Error::from)
    }

    /// The same on a file that a read-only folder may hold.
    fn operate_in(&mut self, path: &Path) -> io::Result<()> {
        self.operate()?;
        match &self.read_only {
            Some(folder) if path.starts_with(folder) => Err(ErrorKind::ReadOnlyFilesystem.into()),
            Some(_) | None => Ok(()),
        }
    }

    fn file(&mut self, path: &Path) -> io::Result<&mut Stored> {
        self.files.get_mut(path).ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl SimulatedDisk {
    pub fn new() -> SimulatedDisk {
        SimulatedDisk::default()
    }

    /// Loses every byte that was not synced.
    pub fn power_cut(&self) {
        self.power_cut_keeping(0);
    }

    /// Loses power while the disk had written so many of each file's unsynced bytes.
    pub fn power_cut_keeping(&self, unsynced_bytes: usize) {
        let mut inner = self.inner();
        inner.files.retain(|_, file| file.durable.is_some() || unsynced_bytes > 0);
        for file in inner.files.values_mut() {
            file.bytes.truncate(file.durable.unwrap_or(0) + unsynced_bytes);
            file.durable = Some(file.bytes.len());
        }
    }

    /// Cuts a file to this length, as a damaged file system would.
    pub fn cut(&self, path: &Path, len: usize) {
        self.change(path, |bytes| bytes.truncate(len));
    }

    /// Flips one bit of a file; bit 0 is the lowest of byte 0.
    pub fn flip(&self, path: &Path, bit: usize) {
        self.change(path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
    }

    fn change(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.inner();
        let file = inner.files.get_mut(path).expect("the test names a file that is there");
        change(&mut file.bytes);
        file.durable = Some(file.bytes.len());
    }

    /// Lets so many more writing operations succeed; then the disk is full.
    pub fn fill_after(&self, operations: u64) {
        let mut inner = self.inner();
        inner.fault = Fault::FullFrom(inner.operations + operations);
    }

    /// Refuses every write.
    pub fn make_read_only(&self) {
        self.inner().fault = Fault::ReadOnly;
    }

    /// Lets so many more writing operations succeed; then the power is gone, until [`SimulatedDisk::heal`], and of what
    /// was not synced so many bytes of each file are left.
    pub fn power_goes_after(&self, operations: u64, unsynced_bytes: usize) {
        let mut inner = self.inner();
        inner.fault = Fault::DarkFrom(inner.operations + operations, unsynced_bytes);
    }

    /// Power was gone, or the process alone, and is back: of what was not synced so many bytes of each file are left.
    pub fn power_returns(&self, unsynced_bytes: usize) {
        let mut inner = self.inner();
        (inner.fault, inner.refused) = (Fault::None, 0);
        drop(inner);
        self.power_cut_keeping(unsynced_bytes);
    }

    /// Whether a fault of the whole disk was ordered that was not healed.
    pub fn has_fault(&self) -> bool {
        !matches!(self.inner().fault, Fault::None)
    }

    /// Whether a fault refused an operation since it was ordered.
    pub fn has_refused(&self) -> bool {
        self.inner().refused > 0
    }

    /// Refuses to write and remove files in this folder and below.
    pub fn make_folder_read_only(&self, folder: &Path) {
        self.inner().read_only = Some(folder.to_owned());
    }

    /// Folders that were read-only can be written again.
    pub fn mend_folders(&self) {
        self.inner().read_only = None;
    }

    /// Takes all faults away; after a loss of power only what survived it is there.
    pub fn heal(&self) {
        let fault = std::mem::take(&mut self.inner().fault);
        if let Fault::DarkFrom(_, unsynced_bytes) = fault
            && self.has_refused()
        {
            self.power_cut_keeping(unsynced_bytes);
        }
        let mut inner = self.inner();
        inner.refused = 0;
        inner.read_only = None;
    }

    /// Writing operations so far, refused ones too.
    pub fn operations(&self) -> u64 {
        self.inner().operations
    }

    /// Every file with its bytes, as they would be read now.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.inner().files.iter().map(|(path, file)| (path.clone(), file.bytes.clone())).collect()
    }

    /// A disk with the same files and no faults.
    pub fn duplicate(&self) -> SimulatedDisk {
        let original = self.inner();
        let files = original
            .files
            .iter()
            .map(|(path, file)| (path.clone(), Stored { bytes: file.bytes.clone(), durable: file.durable }));
        let inner = Inner { files: files.collect(), ..Inner::default() };
        SimulatedDisk { inner: Arc::new(Mutex::new(inner)) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for SimulatedDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.inner().files.get(path).map(|file| file.bytes.clone()))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let inner = self.inner();
        let inside = inner.files.keys().filter(|path| path.parent() == Some(folder));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn append_to(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut inner = self.inner();
        inner.operate()?;
        inner.files.entry(path.to_owned()).or_default();
        Ok(Box::new(SimulatedAppend { disk: self.clone(), path: path.to_owned() }))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate_in(path)?;
        inner.files.insert(path.to_owned(), Stored { bytes: bytes.to_vec(), durable: Some(bytes.len()) });
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate()?;
        let mut file = inner.files.remove(from).ok_or(ErrorKind::NotFound)?;
        file.durable = Some(file.bytes.len());
        inner.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate_in(path)?;
        inner.files.remove(path).map(|_| ()).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate()?;
        let file = inner.file(path)?;
        file.bytes.resize(usize::try_from(len).map_err(io::Error::other)?, 0);
        file.durable = Some(file.bytes.len());
        Ok(())
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate()?;
        inner.files.retain(|path, _| !path.starts_with(folder));
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        let is_free = self.inner().locks.insert(path.to_owned());
        let lock = || -> FileLock { Box::new(SimulatedLock { disk: self.clone(), path: path.to_owned() }) };
        Ok(is_free.then(lock))
    }
}

struct SimulatedLock {
    disk: SimulatedDisk,
    path: PathBuf,
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.disk.inner().locks.remove(&self.path);
    }
}

struct SimulatedAppend {
    disk: SimulatedDisk,
    path: PathBuf,
}

impl AppendFile for SimulatedAppend {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.disk.inner();
        let allowed = inner.operate();
        let fits = if allowed.is_ok() { bytes.len() } else { bytes.len() / 2 };
        let read_only = matches!(inner.fault, Fault::ReadOnly);
        let file = inner.file(&self.path)?;
        file.bytes.extend(&bytes[..if read_only { 0 } else { fits }]);
        allowed
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inner = self.disk.inner();
        inner.operate()?;
        let file = inner.file(&self.path)?;
        file.durable = Some(file.bytes.len());
        Ok(())
    }
}
