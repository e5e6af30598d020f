//! Files of a played past: written for real, but not forced to the disk entry by entry.
//!
//! A past that is played in seconds is not lost when the machine fails meanwhile: it is played again.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::doors::{AppendFile, FileLock, Files};

/// Another door to files, without its syncs.
pub struct Unforced(pub Arc<dyn Files>);

struct Appending(Box<dyn AppendFile>);

impl AppendFile for Appending {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Appending {
    fn drop(&mut self) {
        // The last word: what was played stands before the live agent opens it. A failure shows at that opening.
        let _ = self.0.sync();
    }
}

impl Files for Unforced {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.0.read(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.0.list(folder)
    }

    fn append_to(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(Appending(self.0.append_to(path)?)))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.write(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.remove_folder(folder)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.0.truncate(path, len)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        self.0.lock(path)
    }
}
