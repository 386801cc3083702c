//! Where a backup goes: checked, written beside, renamed at the end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::BackupError;
use crate::atomic;
use crate::paths::entries;

/// The place of a backup that is being written; removed when dropped before it is finished.
pub struct Place {
    to: PathBuf,
    partial: PathBuf,
    finished: bool,
}

impl Place {
    pub fn make(from: &Path, to: &Path) -> Result<Place, BackupError> {
        let (parent, name) = match (to.parent(), to.file_name()) {
            (Some(parent), Some(name)) => (parent, name),
            // Such as `..`: it is there already.
            _ => return Err(BackupError::Taken { path: to.into() }),
        };
        let parent = match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        };
        fs::create_dir_all(parent).map_err(BackupError::write(parent))?;
        let parent = fs::canonicalize(parent).map_err(BackupError::read(parent))?;
        let inside = fs::canonicalize(from).map_err(BackupError::read(from))?;
        let to = parent.join(name);
        if to.starts_with(&inside) {
            return Err(BackupError::Inside { from: inside, to });
        }
        let is_free = match entries(&to) {
            Ok(found) => found.is_empty(),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => false,
            Err(error) => return Err(BackupError::read(&to)(error)),
        };
        if !is_free {
            return Err(BackupError::Taken { path: to });
        }
        let mut partial = name.to_os_string();
        partial.push(".partial");
        let partial = parent.join(partial);
        match fs::create_dir(&partial) {
            Ok(()) => Ok(Place {
                to,
                partial,
                finished: false,
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(BackupError::Unfinished { path: to, partial })
            }
            Err(source) => Err(BackupError::write(&partial)(source)),
        }
    }

    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// Makes everything last and gives it its name; who may read `from` may read it.
    pub fn finish(mut self, from: &Path) -> Result<(), BackupError> {
        let permissions = fs::metadata(from).map_err(BackupError::read(from))?;
        fs::set_permissions(&self.partial, permissions.permissions())
            .map_err(BackupError::write(&self.partial))?;
        sync_folders(&self.partial).map_err(BackupError::write(&self.partial))?;
        // An empty folder is there at most, and gives way.
        fs::rename(&self.partial, &self.to).map_err(BackupError::write(&self.to))?;
        self.finished = true;
        atomic::sync_folder_of(&self.to).map_err(|error| BackupError::Write {
            path: error.path,
            source: error.source,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.finished {
            // What can't be removed is named by the next backup.
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in entries(folder)? {
        if fs::symlink_metadata(&entry)?.is_dir() {
            sync_folders(&entry)?;
        }
    }
    atomic::sync_folder(folder)
}
