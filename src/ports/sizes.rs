//! How much lies in a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Most files that are looked at.
const FILES_MAX: usize = 100_000;
/// How deep folders are gone into.
const DEPTH_MAX: usize = 4;

/// A folder with the files directly in it; deeper ones are folders of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSize {
    /// Below the folder that was asked about; empty for itself.
    pub folder: PathBuf,
    pub files: usize,
    pub bytes: u64,
}

/// Every folder from this one down, itself first; what cannot be read counts as empty.
///
/// # Errors
/// The folder itself cannot be read.
pub fn folder_sizes(top: &Path) -> io::Result<Vec<FolderSize>> {
    fs::read_dir(top)?;
    let mut waiting = vec![(PathBuf::new(), 0)];
    let (mut sizes, mut looked_at) = (Vec::new(), 0);
    while let Some((folder, depth)) = waiting.pop() {
        let mut size = FolderSize { folder: folder.clone(), files: 0, bytes: 0 };
        let entries = fs::read_dir(top.join(&folder)).into_iter().flatten().flatten();
        for entry in entries.take(FILES_MAX - looked_at) {
            looked_at += 1;
            // Not through links: they lead elsewhere.
            let Ok(facts) = entry.metadata() else { continue };
            if facts.is_dir() && depth < DEPTH_MAX {
                waiting.push((folder.join(entry.file_name()), depth + 1));
            } else if facts.is_file() {
                size.files += 1;
                size.bytes += facts.len();
            }
        }
        sizes.push(size);
    }
    sizes.sort_by(|one, other| one.folder.cmp(&other.folder));
    Ok(sizes)
}
