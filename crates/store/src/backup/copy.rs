//! One file, copied while somebody may write to it.
//!
//! Files grow at their end, are shortened there, or are replaced by another under their name. What
//! is copied is compared with the file afterwards: where it was shortened and grew again meanwhile,
//! two versions could have been mixed, and it is copied again.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::SystemTime;

use super::BackupError;

const BUFFER_BYTES: usize = 256 * 1024;
const ATTEMPTS_MAX: usize = 10;
/// Where a dataset ends, whatever is being appended.
const LINES: &str = "csv";

#[derive(Default)]
pub struct Copying {
    buffer: Vec<u8>,
}

impl Copying {
    /// Copies a file, one of lines up to the end of its last whole one; says how many bytes. None
    /// if it is gone.
    pub fn file(&mut self, from: &Path, to: &Path) -> Result<Option<u64>, BackupError> {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(BackupError::write(folder))?;
        }
        for _ in 0..ATTEMPTS_MAX {
            let mut source = match File::open(from) {
                Ok(source) => source,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(BackupError::read(from)(error)),
            };
            self.copy(&mut source, from, to)?;
            if same(&mut source, to).map_err(BackupError::read(from))? {
                if from.extension().is_some_and(|found| found == LINES) {
                    cut_at_line(to).map_err(BackupError::write(to))?;
                }
                return settle(from, to).map(Some);
            }
        }
        Err(BackupError::KeepsChanging { path: from.into() })
    }

    fn copy(&mut self, source: &mut File, from: &Path, to: &Path) -> Result<(), BackupError> {
        let mut copy = File::create(to).map_err(BackupError::write(to))?;
        self.buffer.resize(BUFFER_BYTES, 0);
        loop {
            let bytes = source
                .read(&mut self.buffer)
                .map_err(BackupError::read(from))?;
            if bytes == 0 {
                return Ok(());
            }
            copy.write_all(&self.buffer[..bytes])
                .map_err(BackupError::write(to))?;
        }
    }
}

/// What changes when a file does; none if it isn't there.
pub fn mark(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let found = fs::metadata(path).ok()?;
    Some((found.len(), found.modified().ok()))
}

/// Whether the file still begins with all that was copied.
fn same(source: &mut File, copy: &Path) -> io::Result<bool> {
    source.seek(SeekFrom::Start(0))?;
    let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
    let mut copy = BufReader::with_capacity(BUFFER_BYTES, File::open(copy)?);
    loop {
        let (ours, theirs) = (
            io::BufRead::fill_buf(&mut copy)?,
            io::BufRead::fill_buf(&mut source)?,
        );
        if ours.is_empty() {
            return Ok(true);
        }
        let bytes = ours.len().min(theirs.len());
        if bytes == 0 || ours[..bytes] != theirs[..bytes] {
            return Ok(false);
        }
        io::BufRead::consume(&mut copy, bytes);
        io::BufRead::consume(&mut source, bytes);
    }
}

/// Cuts what comes after the last line's end.
fn cut_at_line(path: &Path) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let mut end = length;
    let mut buffer = vec![0; 4096];
    while end > 0 {
        let start = end.saturating_sub(buffer.len() as u64);
        let piece = &mut buffer[..usize::try_from(end - start).unwrap_or(0)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(piece)?;
        if let Some(place) = piece.iter().rposition(|byte| *byte == b'\n') {
            end = start + place as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(())
}

/// Makes a copy last, readable for whom the original is; says its bytes.
pub fn settle(from: &Path, to: &Path) -> Result<u64, BackupError> {
    let file = File::options()
        .write(true)
        .open(to)
        .map_err(BackupError::write(to))?;
    if let Ok(original) = fs::metadata(from) {
        file.set_permissions(original.permissions())
            .map_err(BackupError::write(to))?;
    }
    file.sync_all().map_err(BackupError::write(to))?;
    let written = file.metadata().map_err(BackupError::write(to))?;
    Ok(written.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_shortened_and_grew_is_not_the_one_that_was_copied() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        let long = "x".repeat(2 * BUFFER_BYTES);
        let check = |copied: &str, found: &str, expected: bool| {
            fs::write(&from, found).unwrap();
            fs::write(&to, copied).unwrap();
            let mut source = File::open(&from).unwrap();
            source.seek(SeekFrom::End(0)).unwrap();
            assert_eq!(same(&mut source, &to).unwrap(), expected);
        };
        check("", "", true);
        check("", "1\n", true);
        check("1\n2\n", "1\n2\n", true);
        check("1\n2", "1\n2\n3\n", true);
        check("1\n2\n", "1\n", false);
        check("1\n2\n", "", false);
        check("1\n2\n", "1\n3\n", false);
        check("1\n2\n", "1\n3\n4\n", false);
        check(&long, &format!("{long}y"), true);
        check(&format!("{long}z"), &format!("{long}y"), false);
        check(&format!("{long}z"), &long, false);
    }
}
