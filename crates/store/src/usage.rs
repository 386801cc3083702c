//! How much room each store takes.

use std::fs;
use std::io;
use std::path::Path;

use crate::paths::{Paths, entries};

/// Bytes on disk, by store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub datasets: u64,
    pub models: u64,
    /// With its journal.
    pub database: u64,
    pub quarantine: u64,
}

impl Usage {
    /// Adds up the sizes of all files. Files that go meanwhile count nothing.
    ///
    /// # Errors
    /// A folder can't be read.
    pub fn of(paths: &Paths) -> io::Result<Usage> {
        let mut database = 0;
        for suffix in ["", "-wal", "-shm"] {
            let mut name = paths.database().into_os_string();
            name.push(suffix);
            database += fs::metadata(name).map_or(0, |found| found.len());
        }
        Ok(Usage {
            datasets: bytes_below(&paths.datasets())?,
            models: bytes_below(&paths.models())?,
            database,
            quarantine: bytes_below(&paths.quarantine())?,
        })
    }

    pub fn total(&self) -> u64 {
        self.datasets + self.models + self.database + self.quarantine
    }
}

pub(crate) fn bytes_below(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in entries(folder)? {
        match fs::symlink_metadata(&entry) {
            Ok(found) if found.is_dir() => bytes += bytes_below(&entry)?,
            Ok(found) => bytes += found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_store_is_counted_for_itself() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path());
        assert_eq!(Usage::of(&paths).unwrap(), Usage::default());
        for (file, bytes) in [
            ("datasets/pay/history/cpu.csv", 10),
            ("models/pay/cpu.model", 200),
            ("models/pay/cpu.state", 3000),
            ("bellwether.db", 40_000),
            ("bellwether.db-wal", 1),
            ("quarantine/0001/why.txt", 7),
        ] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![b'x'; bytes]).unwrap();
        }
        let usage = Usage::of(&paths).unwrap();
        let expected = Usage {
            datasets: 10,
            models: 3200,
            database: 40_001,
            quarantine: 7,
        };
        assert_eq!((usage, usage.total()), (expected, 43_218));
    }
}
