//! The indexes of all files, shared by those who follow and those who read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blocks::FileIndex;
use super::saved::{self, LogIndexError};
use super::walk::Identity;

/// The most blocks of all files together; beyond, the longest files get larger ones.
const BLOCKS_MAX: usize = 256 << 10;
/// The most files; beyond, some are left out and searched when they are asked for.
const FILES_MAX: usize = 64 << 10;
/// What isn't found so many times in a row is gone.
const MISSED_MAX: u8 = 3;

/// Where in the log files which times lie.
///
/// Kept while [following](LogIndex::follow) and while reading, and saved in a folder: what is lost
/// is built anew in one pass. Following is polling: the notices of operating systems don't come
/// over network file systems and some containers' mounts, and asking after ten thousand files
/// takes some milliseconds.
#[derive(Debug, Default)]
pub struct LogIndex {
    folder: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    pub files: BTreeMap<Identity, Entry>,
    /// What to tell with the next report.
    pub remarks: Vec<String>,
    /// What the last report told.
    pub told: Vec<String>,
    /// There is something to save.
    changed: bool,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub index: Arc<FileIndex>,
    /// What the file looked like when all of it was indexed. Another may get its identity.
    pub seen: Option<Seen>,
    /// How many times in a row it was not found.
    pub missed: u8,
}

/// Length of a file and time of its last change.
pub(super) type Seen = (u64, i128);

impl LogIndex {
    /// One that is forgotten at the end.
    pub fn in_memory() -> LogIndex {
        LogIndex::default()
    }

    /// One that is kept in `folder`. What is damaged there is set aside and built anew; the next
    /// report of [`LogIndex::follow`] says so.
    pub fn open(folder: impl Into<PathBuf>) -> LogIndex {
        let folder = folder.into();
        let mut known = Known::default();
        match saved::load(&folder) {
            Ok(files) => {
                for (identity, index) in files {
                    known.put(identity, Arc::new(index), None);
                }
            }
            Err(remark) => known.remarks.push(remark),
        }
        known.changed = false;
        LogIndex {
            folder: Some(folder),
            known: Mutex::new(known),
        }
    }

    /// Writes down what is known, where that changed and there is a folder for it: whole or not at
    /// all. Says how many bytes.
    ///
    /// # Errors
    /// The folder can't be made, or the file not be written; what was there stays.
    pub fn save(&self) -> Result<u64, LogIndexError> {
        let Some(folder) = &self.folder else {
            return Ok(0);
        };
        let files: Vec<(Identity, Arc<FileIndex>)> = {
            let mut known = self.lock();
            if !std::mem::take(&mut known.changed) {
                return Ok(0);
            }
            let files = known.files.iter();
            files
                .map(|(id, entry)| (*id, entry.index.clone()))
                .collect()
        };
        let saved = saved::save(folder, &files);
        if saved.is_err() {
            self.lock().changed = true;
        }
        saved
    }

    /// Whatever was done under the lock, it is whole at each step.
    pub(super) fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, identity: Identity) -> Option<Arc<FileIndex>> {
        let known = self.lock();
        known.files.get(&identity).map(|entry| entry.index.clone())
    }

    /// The index of a file that has not changed since all of it was indexed.
    pub(super) fn of_unchanged(&self, identity: Identity, seen: Seen) -> Option<Arc<FileIndex>> {
        let known = self.lock();
        let entry = known.files.get(&identity)?;
        (entry.seen == Some(seen)).then(|| entry.index.clone())
    }

    pub(super) fn keep(&self, identity: Identity, index: Arc<FileIndex>, seen: Option<Seen>) {
        self.lock().put(identity, index, seen);
    }
}

impl Known {
    pub(super) fn put(&mut self, identity: Identity, index: Arc<FileIndex>, seen: Option<Seen>) {
        self.changed = true;
        let entry = Entry {
            index,
            seen,
            missed: 0,
        };
        self.files.insert(identity, entry);
    }

    /// Forgets files that are gone, and keeps the whole in bounds.
    pub(super) fn tidy(&mut self, is_there: impl Fn(&Identity) -> bool) {
        let before = self.files.len();
        self.files.retain(|identity, entry| {
            entry.missed = if is_there(identity) {
                0
            } else {
                entry.missed + 1
            };
            entry.missed < MISSED_MAX
        });
        while self.files.len() > FILES_MAX {
            self.files.pop_first();
        }
        self.changed |= self.files.len() < before;
        let mut blocks: usize = self.files.values().map(Entry::blocks).sum();
        while blocks > BLOCKS_MAX {
            let Some(longest) = self.files.values_mut().max_by_key(|entry| entry.blocks()) else {
                return;
            };
            blocks -= longest.blocks();
            Arc::make_mut(&mut longest.index).halve();
            blocks += longest.blocks();
        }
    }
}

impl Entry {
    fn blocks(&self) -> usize {
        self.index.blocks().len()
    }
}
