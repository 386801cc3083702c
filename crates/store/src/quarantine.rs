//! What is damaged is set aside, never deleted.
//!
//! Each thing set aside has its own numbered folder, `quarantine/0007/`, with the files under the
//! path they had in the data directory and a `why.txt`. Moving them back undoes it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::atomic::{self, WriteError};
use crate::paths::{Paths, entries};

const WHY: &str = "why.txt";

/// Moves `files` into a new folder of the quarantine, and says which.
///
/// # Errors
/// A folder can't be made or a file not moved; files that don't exist are passed over.
pub fn set_aside(paths: &Paths, files: &[PathBuf], why: &str) -> Result<PathBuf, WriteError> {
    let folder = new_folder(paths, why)?;
    for file in files {
        let target = target_of(paths, &folder, file)?;
        match fs::rename(file, &target) {
            Ok(()) => atomic::sync_folder_of(file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(WriteError::new(&target, error)),
        }
    }
    Ok(folder)
}

/// As [`set_aside`], but the file itself stays; says where the copy is.
///
/// # Errors
/// A folder can't be made or the file not copied.
pub fn copy_aside(paths: &Paths, file: &Path, why: &str) -> Result<PathBuf, WriteError> {
    let folder = new_folder(paths, why)?;
    let target = target_of(paths, &folder, file)?;
    fs::copy(file, &target).map_err(|source| WriteError::new(&target, source))?;
    Ok(folder)
}

fn new_folder(paths: &Paths, why: &str) -> Result<PathBuf, WriteError> {
    let quarantine = paths.quarantine();
    let refused = |source| WriteError::new(&quarantine, source);
    fs::create_dir_all(&quarantine).map_err(refused)?;
    let newest = entries(&quarantine)
        .map_err(refused)?
        .iter()
        .filter_map(|entry| entry.file_name()?.to_str()?.parse::<u64>().ok())
        .max();
    let mut number = newest.map_or(1, |newest| newest.saturating_add(1));
    loop {
        let folder = quarantine.join(format!("{number:04}"));
        match fs::create_dir(&folder) {
            Ok(()) => {
                atomic::write(&folder.join(WHY), format!("{why}\n").as_bytes())?;
                return Ok(folder);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(refused(error)),
        }
    }
}

/// Where a file goes, its folders made.
fn target_of(paths: &Paths, folder: &Path, file: &Path) -> Result<PathBuf, WriteError> {
    let inside = file.strip_prefix(paths.root()).unwrap_or_else(|_| {
        let name = file.file_name().unwrap_or_default();
        Path::new(name)
    });
    let target = folder.join(inside);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(|source| WriteError::new(parent, source))?;
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_file_can_be_set_aside_again_and_again() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path());
        let file = dir.path().join("models/pay/cpu.model");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        for (round, number) in [(1, "0001"), (2, "0002")] {
            fs::write(&file, round.to_string()).unwrap();
            let gone = dir.path().join("no-such-file");
            let folder = set_aside(&paths, &[file.clone(), gone], "bad checksum").unwrap();
            assert_eq!(folder, paths.quarantine().join(number));
            assert!(!file.exists());
            let kept = fs::read_to_string(folder.join("models/pay/cpu.model")).unwrap();
            assert_eq!(kept, round.to_string());
            let why = fs::read_to_string(folder.join("why.txt")).unwrap();
            assert_eq!(why, "bad checksum\n");
        }
    }
}
