//! The data directory: made, locked, its layout version checked, unfinished writes swept.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use domain::Timestamp;

use crate::atomic::{self, WriteError};
use crate::paths::{Paths, entries};

/// The version of the layout and of the dataset columns that this program writes.
pub const LAYOUT_VERSION: u32 = 1;

/// Why a data directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("use data directory {path}: it is not a directory; set data_dir to another place")]
    NotADirectory { path: PathBuf },
    #[error("reach data directory {path}: check the path, its links and its permissions")]
    Unreachable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "write to data directory {path}: free space there, make it writable for this user, or set data_dir to another place"
    )]
    Unwritable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("lock data directory {path}: {}", holder_in_words(.holder))]
    InUse { path: PathBuf, holder: Option<u32> },
    #[error(
        "use data directory {path}: its layout version is {found}, and this program knows up to {LAYOUT_VERSION}; use a newer Bellwether"
    )]
    Newer { path: PathBuf, found: u32 },
    #[error(
        "use data directory {path}: {version} holds {text:?}, not a layout version; restore it (this program writes {LAYOUT_VERSION})", version = .path.join("VERSION").display()
    )]
    UnknownVersion { path: PathBuf, text: String },
    #[error(
        "use data directory {path}: it holds {entry:?} but no VERSION file, so it isn't Bellwether's; set data_dir to an empty place"
    )]
    Foreign { path: PathBuf, entry: String },
}

/// The data directory, ours alone as long as this value lives.
#[derive(Debug)]
pub struct DataDir {
    paths: Paths,
    /// The operating system lets go of the lock when the file is closed, however we end.
    _lock: File,
    swept: usize,
}

impl DataDir {
    /// Makes the directory where it is missing, and takes it for this process. `now` goes into
    /// the lock file, for people.
    ///
    /// # Errors
    /// Each [`OpenError`] names the path and what to do.
    pub fn open(path: &Path, now: Timestamp) -> Result<DataDir, OpenError> {
        make(path)?;
        let paths = Paths::new(path);
        let lock = lock(&paths, now)?;
        probe(path)?;
        check_version(&paths)?;
        let swept = sweep(&paths)?;
        Ok(DataDir {
            paths,
            _lock: lock,
            swept,
        })
    }

    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// How many unfinished writes of an earlier run were removed.
    pub fn swept(&self) -> usize {
        self.swept
    }
}

fn make(path: &Path) -> Result<(), OpenError> {
    let unreachable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotADirectory => OpenError::NotADirectory { path: path.into() },
        _ => OpenError::Unreachable {
            path: path.into(),
            source,
        },
    };
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(OpenError::NotADirectory { path: path.into() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path).map_err(unreachable)
        }
        Err(error) => Err(unreachable(error)),
    }
}

/// A lock file that a killed process left behind holds no lock, and is no obstacle.
fn lock(paths: &Paths, now: Timestamp) -> Result<File, OpenError> {
    let unwritable = |source| OpenError::Unwritable {
        path: paths.root().into(),
        source,
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(paths.lock())
        .map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Best effort: the other process may be about to write it.
            let _ = (&file).take(64).read_to_string(&mut text);
            return Err(OpenError::InUse {
                path: paths.root().into(),
                holder: text.lines().next().and_then(|line| line.parse().ok()),
            });
        }
        Err(TryLockError::Error(source)) => return Err(unwritable(source)),
    }
    let text = format!("{}\nsince {now}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(unwritable)?;
    Ok(file)
}

/// Writes, syncs, renames and removes a file, as all later writes do.
fn probe(path: &Path) -> Result<(), OpenError> {
    let probe = path.join("probe.tmp");
    atomic::write(&probe, &[b'-'; 4096])
        .map_err(|error| error.source)
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|source| OpenError::Unwritable {
            path: path.into(),
            source,
        })
}

fn check_version(paths: &Paths) -> Result<(), OpenError> {
    let path = paths.root().to_path_buf();
    let text = match fs::read(paths.version()) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return start_layout(paths),
        Err(source) => return Err(OpenError::Unreachable { path, source }),
    };
    match text.parse::<u32>() {
        Ok(LAYOUT_VERSION) => Ok(()),
        Ok(found) if found > LAYOUT_VERSION => Err(OpenError::Newer { path, found }),
        _ => Err(OpenError::UnknownVersion {
            path,
            text: text.chars().take(40).collect(),
        }),
    }
}

fn start_layout(paths: &Paths) -> Result<(), OpenError> {
    let path = paths.root().to_path_buf();
    let found = entries(paths.root()).map_err(|source| OpenError::Unreachable {
        path: path.clone(),
        source,
    })?;
    let foreign = found.iter().find(|entry| {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        // What file systems and volumes put into an empty place.
        let expected = name == "LOCK" || name == "lost+found" || name.starts_with('.');
        !expected && !atomic::is_temporary(entry)
    });
    if let Some(entry) = foreign {
        let entry = entry.file_name().unwrap_or_default();
        return Err(OpenError::Foreign {
            path,
            entry: entry.to_string_lossy().into_owned(),
        });
    }
    atomic::write(&paths.version(), format!("{LAYOUT_VERSION}\n").as_bytes()).map_err(|error| {
        OpenError::Unwritable {
            path,
            source: error.source,
        }
    })
}

fn sweep(paths: &Paths) -> Result<usize, OpenError> {
    let unwritable = |error: WriteError| OpenError::Unwritable {
        path: error.path,
        source: error.source,
    };
    let mut swept = atomic::sweep(&paths.datasets()).map_err(unwritable)?;
    swept += atomic::sweep(&paths.models()).map_err(unwritable)?;
    for entry in entries(paths.root()).unwrap_or_default() {
        if atomic::is_temporary(&entry) && entry.is_file() {
            swept += usize::from(fs::remove_file(&entry).is_ok());
        }
    }
    Ok(swept)
}

fn holder_in_words(holder: &Option<u32>) -> String {
    match holder {
        Some(process) => {
            format!("already used by process {process}; stop it, or give this one another data_dir")
        }
        None => "already used by another process; give this one another data_dir".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_348_800_000);

    #[test]
    fn a_missing_directory_is_made_and_opens_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/data");
        drop(DataDir::open(&path, NOW).unwrap());
        assert_eq!(fs::read_to_string(path.join("VERSION")).unwrap(), "1\n");
        DataDir::open(&path, NOW).unwrap();
    }

    #[test]
    fn a_second_opening_is_refused_and_names_the_holder() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path(), NOW).unwrap();
        let error = DataDir::open(dir.path(), NOW).unwrap_err().to_string();
        let holder = format!("already used by process {}", std::process::id());
        assert!(error.contains(&holder), "{error}");
        drop(first);
        DataDir::open(dir.path(), NOW).unwrap();
    }

    #[test]
    fn the_lock_file_of_a_killed_process_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("LOCK"), "4242\nsince long ago\n and more").unwrap();
        DataDir::open(dir.path(), NOW).unwrap();
        let text = fs::read_to_string(dir.path().join("LOCK")).unwrap();
        let process = std::process::id();
        assert_eq!(text, format!("{process}\nsince 2026-11-22T12:00:00.000Z\n"));
    }

    #[test]
    fn a_newer_layout_is_refused_with_both_numbers() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("VERSION"), "7\n").unwrap();
        let error = DataDir::open(dir.path(), NOW).unwrap_err().to_string();
        assert!(
            error.contains("version is 7") && error.contains("up to 1"),
            "{error}"
        );
        assert!(error.contains(&dir.path().display().to_string()), "{error}");
    }

    #[test]
    fn what_is_no_data_directory_is_refused() {
        let check = |entry: &str, text: &str, expected: &str| {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(entry), text).unwrap();
            let error = DataDir::open(dir.path(), NOW).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("thesis.doc", "…", "holds \"thesis.doc\" but no VERSION");
        check("VERSION", "", "holds \"\", not a layout version");
        check("VERSION", "0", "holds \"0\", not a layout version");
        check("VERSION", "\u{0}\u{1}", "not a layout version");
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("data");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("below")] {
            let error = DataDir::open(&path, NOW).unwrap_err();
            assert!(matches!(error, OpenError::NotADirectory { .. }), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_loop_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("loop");
        std::os::unix::fs::symlink(&path, &path).unwrap();
        let error = DataDir::open(&path, NOW).unwrap_err();
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_unwritable_directory_is_said_with_what_to_do() {
        let error = DataDir::open(Path::new("/proc/self"), NOW).unwrap_err();
        assert!(matches!(error, OpenError::Unwritable { .. }), "{error:?}");
        assert!(error.to_string().contains("set data_dir"), "{error}");
    }

    #[test]
    fn unfinished_writes_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        drop(DataDir::open(dir.path(), NOW).unwrap());
        fs::create_dir_all(dir.path().join("models/pay")).unwrap();
        fs::write(dir.path().join("models/pay/cpu.model.1-2.tmp"), "half").unwrap();
        fs::write(dir.path().join("VERSION.1-2.tmp"), "half").unwrap();
        assert_eq!(DataDir::open(dir.path(), NOW).unwrap().swept(), 2);
    }
}
