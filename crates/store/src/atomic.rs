//! Files that are written whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What unfinished writes end with; swept at start.
const TEMPORARY: &str = "tmp";

/// A file or folder that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write {path}")]
pub struct WriteError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl WriteError {
    pub(crate) fn new(path: &Path, source: io::Error) -> WriteError {
        let path = path.to_path_buf();
        WriteError { path, source }
    }
}

/// Replaces the file by `bytes`.
///
/// # Errors
/// As [`write_with`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_with(path, |out| out.write_all(bytes))
}

/// Replaces the file by what `fill` writes: a temporary file in the same folder is filled, synced
/// and renamed, then the folder is synced. After an error the file is as it was.
///
/// # Errors
/// Any step failed; a failed sync is never tried again on the same file.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), WriteError> {
    let temporary = temporary_beside(path);
    let written = File::create_new(&temporary)
        .map(BufWriter::new)
        .and_then(|mut out| {
            fill(&mut out)?;
            out.into_inner()?.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = written {
        let _ = fs::remove_file(&temporary);
        return Err(WriteError::new(path, source));
    }
    sync_folder_of(path)
}

/// Makes renames and new files in the folder of `path` last.
pub fn sync_folder_of(path: &Path) -> Result<(), WriteError> {
    let folder = path.parent().unwrap_or(path);
    sync_folder(folder).map_err(|source| WriteError::new(folder, source))
}

#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)?.sync_all()
}

/// Folders can't be opened as files there.
#[cfg(not(unix))]
pub fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes what unfinished writes left below `folder`; says how many files.
///
/// # Errors
/// A folder can't be read or a file not removed.
pub fn sweep(folder: &Path) -> Result<usize, WriteError> {
    let refused = |source| WriteError::new(folder, source);
    let mut swept = 0;
    for entry in crate::paths::entries(folder).map_err(refused)? {
        let kind = fs::symlink_metadata(&entry).map_err(refused)?.file_type();
        if kind.is_dir() {
            swept += sweep(&entry)?;
        } else if kind.is_file() && is_temporary(&entry) {
            fs::remove_file(&entry).map_err(|source| WriteError::new(&entry, source))?;
            swept += 1;
        }
    }
    Ok(swept)
}

pub fn is_temporary(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == TEMPORARY)
}

/// A name that no other write of this process has.
fn temporary_beside(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{number}.{TEMPORARY}", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_temporary() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cpu.model");
        write(&path, b"old").unwrap();
        let error = write_with(&path, |out| {
            out.write_all(b"half of the ne")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .unwrap_err();
        assert_eq!(error.path, path);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn sweeping_removes_unfinished_writes_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("models/service.tmp");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("cpu.model"), "kept").unwrap();
        fs::write(folder.join("cpu.model.12-3.tmp"), "half").unwrap();
        assert_eq!(sweep(dir.path()).unwrap(), 1);
        assert!(folder.join("cpu.model").exists());
    }
}
