//! The directory of a store: its version, the files of blocks, and the logs of what isn't sealed.
//!
//! Block files are written beside, synced and renamed. A log is appended to, and goes when the file
//! of its block is there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{StoreError, log};

/// The version of the files.
const VERSION: &str = "1";

pub(super) struct Disk {
    dir: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The log of each block that is appended to.
    segments: BTreeMap<i64, Segment>,
    next_number: u64,
    /// All files of blocks and logs, and their sizes in bytes.
    files: BTreeMap<FileName, u64>,
    /// That the last append could not be written.
    failing: bool,
    /// What is to be said at the next occasion.
    remarks: Vec<String>,
}

struct Segment {
    number: u64,
    file: File,
    length: u64,
    unsynced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FileKind {
    Block,
    Log,
}

/// What a file of a block is called: the start of the block, and a number that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileName {
    pub(super) block_ms: i64,
    pub(super) kind: FileKind,
    pub(super) number: u64,
}

impl FileName {
    fn parse(text: &str) -> Option<FileName> {
        let (stem, kind) = text.rsplit_once('.')?;
        let kind = match kind {
            "block" => FileKind::Block,
            "log" => FileKind::Log,
            _ => return None,
        };
        let (block_ms, number) = stem.split_once('-')?;
        let name = FileName {
            block_ms: block_ms.parse().ok()?,
            kind,
            number: number.parse().ok()?,
        };
        (name.text() == text).then_some(name)
    }

    pub(super) fn text(self) -> String {
        let kind = match self.kind {
            FileKind::Block => "block",
            FileKind::Log => "log",
        };
        format!("{}-{}.{kind}", self.block_ms, self.number)
    }
}

impl Disk {
    /// Makes the directory if it is missing, and lists it.
    pub(super) fn open(dir: &Path) -> Result<Disk, StoreError> {
        let trouble = |source| StoreError::Directory {
            path: dir.to_owned(),
            source,
        };
        fs::create_dir_all(dir).map_err(trouble)?;
        let version = dir.join("VERSION");
        match fs::read_to_string(&version) {
            Ok(found) if found.trim() == VERSION => {}
            Ok(found) => {
                return Err(StoreError::Version {
                    path: version,
                    found: found.trim().chars().take(40).collect(),
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_whole(&version, format!("{VERSION}\n").as_bytes()).map_err(trouble)?;
            }
            Err(error) => return Err(trouble(error)),
        }
        let mut inner = Inner::default();
        for entry in fs::read_dir(dir).map_err(trouble)? {
            let entry = entry.map_err(trouble)?;
            let text = entry.file_name();
            let Some(text) = text.to_str() else { continue };
            if let Some(name) = FileName::parse(text) {
                let size = entry.metadata().map_err(trouble)?.len();
                inner.files.insert(name, size);
                inner.next_number = inner.next_number.max(name.number);
            } else if text.ends_with(".new") {
                // It was being written when the process ended; the log has its content.
                fs::remove_file(entry.path()).map_err(trouble)?;
            }
        }
        inner.next_number += 1;
        Ok(Disk {
            dir: dir.to_owned(),
            inner: Mutex::new(inner),
        })
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files by block, blocks before logs, then by number; with their sizes in bytes.
    pub(super) fn files(&self) -> Vec<(FileName, u64)> {
        let inner = self.inner();
        inner
            .files
            .iter()
            .map(|(name, size)| (*name, *size))
            .collect()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.inner().files.values().sum()
    }

    pub(super) fn read(&self, name: FileName) -> io::Result<Vec<u8>> {
        fs::read(self.dir.join(name.text()))
    }

    /// Appends to the log of a block what `encode` makes for the file of the number it is given.
    /// Returns whether it was written.
    pub(super) fn append(&self, block_ms: i64, encode: impl FnOnce(u64) -> Vec<u8>) -> bool {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let done = inner.append(&self.dir, block_ms, encode);
        if let Err(error) = &done
            && !inner.failing
        {
            inner.remarks.push(format!(
                "samples can't be written to {}: {error}; until that works, a restart loses them",
                self.dir.display()
            ));
        } else if done.is_ok() && inner.failing {
            let dir = self.dir.display();
            inner
                .remarks
                .push(format!("samples are written to {dir} again"));
        }
        inner.failing = done.is_err();
        done.is_ok()
    }

    /// Syncs the logs, and returns what is to be said since the last time.
    pub(super) fn sync(&self) -> Vec<String> {
        // Appending goes on meanwhile.
        let mut files = Vec::new();
        for segment in self.inner().segments.values_mut() {
            if std::mem::take(&mut segment.unsynced) {
                files.push(segment.file.try_clone());
            }
        }
        for file in files {
            if let Err(error) = file.and_then(|file| file.sync_data()) {
                let remark = format!("samples in {} can't be synced: {error}", self.dir.display());
                self.inner().remarks.push(remark);
            }
        }
        std::mem::take(&mut self.inner().remarks)
    }

    /// Ends the log of a block, so that what comes after goes to another; returns the number that
    /// the file of the block is to have.
    pub(super) fn end_log(&self, block_ms: i64) -> u64 {
        let mut inner = self.inner();
        inner.segments.remove(&block_ms);
        inner.next_number += 1;
        inner.next_number - 1
    }

    /// Writes a block, and removes the logs that it replaces.
    pub(super) fn save(&self, block_ms: i64, number: u64, bytes: &[u8]) -> bool {
        let name = FileName {
            block_ms,
            kind: FileKind::Block,
            number,
        };
        if let Err(error) = write_whole(&self.dir.join(name.text()), bytes) {
            let remark = format!("{} can't be written: {error}", name.text());
            self.inner().remarks.push(remark);
            return false;
        }
        self.inner().files.insert(name, bytes.len() as u64);
        self.remove(|file| {
            file.block_ms == block_ms && file.kind == FileKind::Log && file.number < number
        });
        true
    }

    /// Removes the files that `gone` picks.
    pub(super) fn remove(&self, gone: impl Fn(FileName) -> bool) {
        let mut inner = self.inner();
        let names: Vec<FileName> = inner
            .files
            .keys()
            .copied()
            .filter(|name| gone(*name))
            .collect();
        for name in names {
            match fs::remove_file(self.dir.join(name.text())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let remark = format!("{} can't be removed: {error}", name.text());
                    inner.remarks.push(remark);
                }
                _ => {
                    inner.files.remove(&name);
                    inner
                        .segments
                        .retain(|_, segment| segment.number != name.number);
                }
            }
        }
    }

    /// Gives a damaged file another name, so that it is neither believed nor lost.
    pub(super) fn set_aside(&self, name: FileName) -> io::Result<String> {
        let free = (1..).map(|count| format!("{}.damaged-{count}", name.text()));
        let aside = free
            .into_iter()
            .find(|aside| !self.dir.join(aside).exists());
        let aside = aside.unwrap_or_default();
        fs::rename(self.dir.join(name.text()), self.dir.join(&aside))?;
        self.inner().files.remove(&name);
        Ok(aside)
    }

    /// Writes the sound part of a log that was set aside, or cuts one in place.
    pub(super) fn keep_sound(&self, name: FileName, sound: &[u8]) -> io::Result<()> {
        write_whole(&self.dir.join(name.text()), sound)?;
        self.inner().files.insert(name, sound.len() as u64);
        Ok(())
    }
}

impl Inner {
    fn append(
        &mut self,
        dir: &Path,
        block_ms: i64,
        encode: impl FnOnce(u64) -> Vec<u8>,
    ) -> io::Result<()> {
        let mut segment = match self.segments.remove(&block_ms) {
            Some(segment) => segment,
            None => self.begin(dir, block_ms)?,
        };
        let bytes = encode(segment.number);
        let written = segment.file.write_all(&bytes);
        match &written {
            Ok(()) => {
                segment.length += bytes.len() as u64;
                segment.unsynced = true;
                let name = log_name(block_ms, segment.number);
                self.files.insert(name, segment.length);
            }
            // A part may be written. If it can't be cut off again, the log ends here.
            Err(_) if segment.file.set_len(segment.length).is_err() => return written,
            Err(_) => {}
        }
        self.segments.insert(block_ms, segment);
        written
    }

    fn begin(&mut self, dir: &Path, block_ms: i64) -> io::Result<Segment> {
        let number = self.next_number;
        let name = log_name(block_ms, number);
        let mut options = File::options();
        let mut file = options
            .append(true)
            .create_new(true)
            .open(dir.join(name.text()))?;
        self.next_number += 1;
        let header = log::header(block_ms);
        file.write_all(&header)?;
        self.files.insert(name, header.len() as u64);
        Ok(Segment {
            number,
            file,
            length: header.len() as u64,
            unsynced: true,
        })
    }
}

fn log_name(block_ms: i64, number: u64) -> FileName {
    FileName {
        block_ms,
        kind: FileKind::Log,
        number,
    }
}

/// Writes a file so that it is there in whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
