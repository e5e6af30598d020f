//! The real files: what is written is durable, or it was an error.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::doors::{AppendFile, FileLock, Files};

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFiles;

/// How long a file's temporary neighbour is called while it is being written.
const UNFINISHED: &str = "unfinished";
/// A lock lingers for a moment after its holder let go, while a process that it is just starting still has its files.
const LOCK_TRIES_MAX: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

impl Files for RealFiles {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read_at_most(&self, path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bytes_max { Err(ErrorKind::FileTooLarge.into()) } else { Ok(Some(bytes)) }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.file_name())).collect();
        let mut names: Vec<String> = names?.into_iter().filter_map(|name| name.into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    fn close_folder(&self, folder: &Path) -> io::Result<()> {
        make_folder(folder)?;
        #[cfg(unix)]
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        Ok(())
    }

    fn append_to(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        make_folder_of(path)?;
        let file = private(OpenOptions::new().append(true).create(true)).open(path)?;
        sync_folder_of(path)?;
        Ok(Box::new(RealAppend(file)))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        make_folder_of(path)?;
        let unfinished = beside(path);
        let mut file = made(&unfinished)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        drop(file);
        let moved = written.and_then(|()| fs::rename(&unfinished, path));
        if moved.is_err() {
            // Best effort: the error that is returned matters more.
            let _ = fs::remove_file(&unfinished);
        }
        moved?;
        sync_folder_of(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        make_folder_of(to)?;
        fs::rename(from, to)?;
        sync_folder_of(to)?;
        sync_folder_of(from)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)?;
        sync_folder_of(path)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(len)?;
        file.sync_all()
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        fs::remove_dir_all(folder)?;
        sync_folder_of(folder)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<FileLock>> {
        make_folder_of(path)?;
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(path)?;
        for _ in 0..LOCK_TRIES_MAX {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Box::new(file))),
                Err(TryLockError::WouldBlock) => std::thread::park_timeout(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// A file of our own making: what stands in its place, perhaps a link that somebody put there, is taken away first.
fn made(path: &Path) -> io::Result<File> {
    let make = || private(OpenOptions::new().write(true).create_new(true)).open(path);
    match make() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            make()
        }
        made => made,
    }
}

struct RealAppend(File);

impl AppendFile for RealAppend {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn make_folder_of(path: &Path) -> io::Result<()> {
    make_folder(folder_of(path))
}

#[cfg(unix)]
fn private_folders() -> DirBuilder {
    let mut builder = DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Rights are those of the folder around it.
#[cfg(not(unix))]
fn private_folders() -> DirBuilder {
    DirBuilder::new()
}

/// Makes the folders that are missing, the outermost first, each durable in the one around it.
fn make_folder(folder: &Path) -> io::Result<()> {
    let builder = private_folders();
    let missing = folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
    for folder in missing.collect::<Vec<_>>().into_iter().rev() {
        match builder.create(folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            made => made?,
        }
        sync_folder_of(folder)?;
    }
    Ok(())
}

/// A rename or a new name is durable only with its folder.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder_of(path).join(format!(".{name}.{UNFINISHED}"))
}
