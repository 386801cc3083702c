//! Files that name more targets, and change while we run.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::config::{ScrapeConfigError, TargetGroup, read_groups};

/// The most bytes of such a file, and the most files of one pattern.
const FILE_BYTES_MAX: u64 = 4 << 20;
const FILES_MAX: usize = 1_000;

/// Why a file names no targets at present.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetFileError {
    #[error("can't read {}: {source}", .path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is larger than {FILE_BYTES_MAX} bytes", .0.display())]
    TooLarge(PathBuf),
    #[error(transparent)]
    Content(#[from] ScrapeConfigError),
}

/// The files that fit a pattern at present, in order; of a folder that isn't there none.
pub(super) fn matching(pattern: &Path) -> Vec<PathBuf> {
    let name = pattern.file_name().and_then(|name| name.to_str());
    let Some((before, after)) = name.and_then(|name| name.split_once('*')) else {
        return vec![pattern.to_owned()];
    };
    let folder = match pattern.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let fits = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        })
    };
    let paths = entries.flatten().map(|entry| entry.path()).filter(fits);
    let mut paths: Vec<PathBuf> = paths.take(FILES_MAX).collect();
    paths.sort();
    paths
}

/// The groups of a file. JSON is YAML, so that one reader does for both.
pub(super) fn read(path: &Path) -> Result<Vec<TargetGroup>, TargetFileError> {
    let unread = |source| TargetFileError::Read {
        path: path.to_owned(),
        source,
    };
    let file = fs::File::open(path).map_err(unread)?;
    let mut text = String::new();
    let mut bounded = file.take(FILE_BYTES_MAX + 1);
    bounded.read_to_string(&mut text).map_err(unread)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(TargetFileError::TooLarge(path.to_owned()));
    }
    let shown = path.display().to_string();
    Ok(read_groups(&text, &shown)?)
}
