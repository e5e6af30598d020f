//! The four doors to the outside as traits: clock, chance, wire, files. `ports` makes the real ones, the simulated world its own.

pub mod address;
pub mod look;
pub mod peer;

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;

use crate::ask::{Answer, Ask};
use crate::domain::Instant;

/// Tells the hour.
pub trait Clock: Send + Sync {
    fn now(&self) -> Instant;
}

/// Draws numbers.
pub trait Chance: Send {
    /// Uniform in `0..bound`; `bound` is at least 1.
    fn below(&mut self, bound: u64) -> u64;
    /// Bytes for keys, tokens and salts.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// An answer that is still under way.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// A look that is still under way.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Vec<look::Seen>> + Send + 'a>>;

/// Carries asks out and answers back. Never fails otherwise than by [`Answer::Failed`].
pub trait Wire: Send + Sync {
    fn carry(&self, ask: Ask) -> Pending<'_>;
    /// What is seen on the way to a peer, in order, ending with what went wrong; nothing where there is no way to see.
    fn look_at<'a>(&'a self, _peer: &'a str) -> Looking<'a> {
        Box::pin(async { Vec::new() })
    }
}

/// Reads and writes files durably.
pub trait Files: Send + Sync {
    /// The whole file, or `None` when there is none.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;
    /// The whole file, or `None` when there is none; an error when it is longer than so many bytes.
    fn read_at_most(&self, path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        match self.read(path)? {
            Some(bytes) if bytes.len() as u64 > bytes_max => Err(io::ErrorKind::FileTooLarge.into()),
            bytes => Ok(bytes),
        }
    }
    /// Names in the folder, sorted; empty when there is no folder.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes the folder, or closes the one that is there to everybody but its owner (0700): for what others than this
    /// trait write into. A disk without owners has nothing to close.
    fn close_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }
    /// Opens for appending at the end, making the file (0600) and its folder (0700).
    fn append_to(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;
    /// Writes the whole file so that it is there entirely or not at all, durably: temporary file, fsync, rename, fsync of the folder.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Moves durably; makes the target's folder.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Cuts the file to this length, durably.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;
    /// Removes the folder and everything in it.
    fn remove_folder(&self, folder: &Path) -> io::Result<()>;
    /// Keeps the file, and by agreement what it stands for, for this process while the lock lives, making it and its
    /// folder; `None`: another process keeps it.
    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>>;
}

/// A file kept for this process; let go of when dropped.
pub type FileLock = Box<dyn Send + Sync>;

/// A file open for appending.
pub trait AppendFile: Send {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns only when everything appended is durable (fsync).
    fn sync(&mut self) -> io::Result<()>;
}
