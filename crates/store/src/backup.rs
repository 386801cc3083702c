//! A copy of a data directory that is consistent though a server works on it.
//!
//! Done on files alone, without the lock. The order makes it so: of each series first `history`,
//! then `anomaly`, so that a row that is moved meanwhile is at least in one of them; then models
//! and memories, each whole; last the database, which is then newer than all else, as it is after a
//! kill. What start does after one, it does with a copy: rows in both parts belong to `anomaly`,
//! moves that the database tells of are finished, what is missing is read from Prometheus. The
//! index of log files, which is made anew, the quarantine and copies of older databases are left
//! out.

mod copy;
mod place;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::Part;

use crate::database::{self, DatabaseError};
use crate::paths::{Paths, entries};
use crate::usage::{Usage, bytes_below};
use crate::{LAYOUT_VERSION, atomic};
use copy::Copying;

const PAIR_ATTEMPTS_MAX: usize = 10;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("back up {path}: it is no data directory of Bellwether; say which is with --data-dir")]
    NoDataDir { path: PathBuf },
    #[error(
        "back up {path}: its layout version is {found}, and this program knows {LAYOUT_VERSION}; use the Bellwether that wrote it"
    )]
    OtherLayout { path: PathBuf, found: String },
    #[error("back up to {to}: it lies in {from}; name a place outside of it")]
    Inside { from: PathBuf, to: PathBuf },
    #[error("back up to {path}: something is there already; name a place that is new or empty")]
    Taken { path: PathBuf },
    #[error("back up to {path}: {} is left of a backup that was cut short, or being written; remove it", .partial.display())]
    Unfinished { path: PathBuf, partial: PathBuf },
    #[error("read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("copy {path}: it is rewritten all the time; try again")]
    KeepsChanging { path: PathBuf },
    #[error("write {path}")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl BackupError {
    fn read(path: &Path) -> impl Fn(io::Error) -> BackupError {
        move |source| BackupError::Read {
            path: path.into(),
            source,
        }
    }

    fn write(path: &Path) -> impl Fn(io::Error) -> BackupError {
        move |source| BackupError::Write {
            path: path.into(),
            source,
        }
    }
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backup {
    pub files: u64,
    pub bytes: u64,
    /// Files by store.
    pub datasets: u64,
    pub models: u64,
    pub samples: u64,
    /// Bytes; none where there is no database yet.
    pub database: Option<u64>,
}

/// How far a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    pub bytes: u64,
    /// As estimated at the beginning.
    pub bytes_expected: u64,
}

/// Copies the data directory `from` to `to`, which is new or empty, and there as a whole or not at
/// all: until the end it is `to` with `.partial`. A copy is used as the data directory of a server.
/// Files are read and written in place, so that this is not for a thread that serves others.
///
/// # Errors
/// [`BackupError`] names the path and what to do. What was copied until then is removed.
pub async fn backup(
    from: &Path,
    to: &Path,
    progress: &mut (dyn FnMut(BackupProgress) + Send),
) -> Result<Backup, BackupError> {
    let paths = Paths::new(from);
    check_layout(&paths)?;
    let place = place::Place::make(from, to)?;
    let bytes_expected = expected(&paths).map_err(BackupError::read(from))?;
    let mut work = Work {
        from: paths,
        to: Paths::new(place.partial()),
        copying: Copying::default(),
        done: Backup::default(),
        bytes_expected,
        progress,
    };
    work.datasets()?;
    work.models()?;
    work.samples()?;
    work.database().await?;
    work.version()?;
    let done = work.done;
    place.finish(from)?;
    Ok(done)
}

fn check_layout(paths: &Paths) -> Result<(), BackupError> {
    let path = paths.root().to_path_buf();
    let Ok(text) = fs::read_to_string(paths.version()) else {
        return Err(BackupError::NoDataDir { path });
    };
    let found: String = text.trim().chars().take(40).collect();
    match found.parse() {
        Ok(LAYOUT_VERSION) => Ok(()),
        _ => Err(BackupError::OtherLayout { path, found }),
    }
}

fn expected(paths: &Paths) -> io::Result<u64> {
    let usage = Usage::of(paths)?;
    Ok(usage.total() - usage.quarantine + bytes_below(&paths.embedded())?)
}

struct Work<'a> {
    from: Paths,
    to: Paths,
    copying: Copying,
    done: Backup,
    bytes_expected: u64,
    progress: &'a mut (dyn FnMut(BackupProgress) + Send),
}

impl Work<'_> {
    fn datasets(&mut self) -> Result<(), BackupError> {
        let before = self.done.files;
        for home in listed(&self.from.datasets())? {
            self.files_of(&home, Paths::is_name)?;
            let mut series = BTreeSet::new();
            for part in Part::BOTH {
                let files = listed(&home.join(part.as_str()))?;
                let files = files
                    .iter()
                    .filter(|file| Paths::is_dataset(file).is_some());
                series.extend(files.filter_map(|file| file.file_name().map(OsStr::to_owned)));
            }
            for name in series {
                self.dataset(Part::BOTH.map(|part| home.join(part.as_str()).join(&name)))?;
            }
        }
        self.done.datasets = self.done.files - before;
        Ok(())
    }

    /// Copies `history` and then `anomaly`: a row that is moved between the two is in both. A row
    /// that is appended to `history` between them would be missing before newer ones that were
    /// moved: where there is something new in `history`, both are copied again. On the last
    /// attempt such a gap of a moment is taken as it is.
    fn dataset(&mut self, [history, anomaly]: [PathBuf; 2]) -> Result<(), BackupError> {
        for attempt in 1..=PAIR_ATTEMPTS_MAX {
            let before = copy::mark(&history);
            let first = self.file(&history, 0)?;
            let copied = [first, self.file(&anomaly, first.unwrap_or(0))?];
            if copy::mark(&history) == before || attempt == PAIR_ATTEMPTS_MAX {
                copied
                    .into_iter()
                    .flatten()
                    .for_each(|bytes| self.count(bytes));
                break;
            }
        }
        Ok(())
    }

    fn models(&mut self) -> Result<(), BackupError> {
        let before = self.done.files;
        for home in listed(&self.from.models())? {
            self.files_of(&home, |file| {
                Paths::is_name(file) || Paths::is_model(file).is_some() || Paths::is_state(file)
            })?;
        }
        self.done.models = self.done.files - before;
        Ok(())
    }

    /// Samples of the embedded store. Logs before blocks: a log goes when its block is there.
    fn samples(&mut self) -> Result<(), BackupError> {
        let before = self.done.files;
        let folder = self.from.embedded();
        let ends_in =
            |end: &'static str| move |file: &Path| file.extension() == Some(OsStr::new(end));
        self.files_of(&folder, ends_in("log"))?;
        self.files_of(&folder, ends_in("block"))?;
        self.files_of(&folder, |file| file.ends_with("VERSION"))?;
        self.done.samples = self.done.files - before;
        Ok(())
    }

    async fn database(&mut self) -> Result<(), BackupError> {
        let (from, to) = (self.from.database(), self.to.database());
        if !from.exists() {
            return Ok(());
        }
        database::copy_file(&from, &to).await?;
        let bytes = copy::settle(&from, &to)?;
        self.done.database = Some(bytes);
        self.count(bytes);
        Ok(())
    }

    /// Last, as a directory without it is none of ours.
    fn version(&mut self) -> Result<(), BackupError> {
        let path = self.to.version();
        let text = format!("{LAYOUT_VERSION}\n");
        atomic::write(&path, text.as_bytes()).map_err(|error| BackupError::Write {
            path: error.path,
            source: error.source,
        })?;
        self.count(text.len() as u64);
        Ok(())
    }

    /// Copies the files of a folder that are wanted.
    fn files_of(
        &mut self,
        folder: &Path,
        wanted: impl Fn(&Path) -> bool,
    ) -> Result<(), BackupError> {
        for file in listed(folder)? {
            if wanted(&file)
                && let Some(bytes) = self.file(&file, 0)?
            {
                self.count(bytes);
            }
        }
        Ok(())
    }

    /// Copies a file; says its bytes, which are not counted yet, as those `beside` it. None if it
    /// is gone.
    fn file(&mut self, file: &Path, beside: u64) -> Result<Option<u64>, BackupError> {
        let Ok(inside) = file.strip_prefix(self.from.root()) else {
            return Ok(None);
        };
        let to = self.to.root().join(inside);
        let bytes = self.copying.file(file, &to)?;
        self.tell(beside + bytes.unwrap_or(0));
        Ok(bytes)
    }

    fn count(&mut self, bytes: u64) {
        self.done.files += 1;
        self.done.bytes += bytes;
        self.tell(0);
    }

    fn tell(&mut self, uncounted: u64) {
        (self.progress)(BackupProgress {
            bytes: self.done.bytes + uncounted,
            bytes_expected: self.bytes_expected,
        });
    }
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    match entries(folder) {
        // A file where a folder should be.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(Vec::new()),
        found => found.map_err(BackupError::read(folder)),
    }
}

#[cfg(test)]
mod tests;
