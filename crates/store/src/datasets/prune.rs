//! Retention: old rows go, when enough of them have gathered.

use std::fs;
use std::path::Path;

use domain::{Part, SeriesId, Timestamp};

use super::lines::Lines;
use super::{DatasetError, Datasets, relocate};
use crate::atomic::WriteError;
use crate::paths::Paths;

/// A file is rewritten when more than one part in this many is old.
const WORTH: u64 = 10;

/// What retention removed.
#[derive(Debug, Default)]
pub struct Pruned {
    pub files: usize,
    pub bytes: u64,
    /// The first file that could not be pruned; the others were.
    pub error: Option<DatasetError>,
}

impl Datasets {
    /// Drops rows older than `before` from files where they are more than a tenth; a file without
    /// newer rows goes altogether. Files are taken to be ordered by time.
    ///
    /// # Errors
    /// The folder of datasets can't be listed.
    pub fn prune(&mut self, before: Timestamp) -> Result<Pruned, DatasetError> {
        let mut pruned = Pruned::default();
        for series in self.list()? {
            let mut gone = 0;
            for part in Part::BOTH {
                let path = self.paths.dataset(&series, part);
                match self.prune_file(&series, part, &path, before) {
                    Ok(0) => {}
                    Ok(bytes) => {
                        pruned.files += 1;
                        pruned.bytes += bytes;
                    }
                    Err(error) => {
                        pruned.error.get_or_insert(error);
                    }
                }
                gone += usize::from(!path.exists());
            }
            if gone == Part::BOTH.len() {
                self.newest.remove(&series);
            }
        }
        Ok(pruned)
    }

    /// Says how many bytes went.
    fn prune_file(
        &mut self,
        series: &SeriesId,
        part: Part,
        path: &Path,
        before: Timestamp,
    ) -> Result<u64, DatasetError> {
        let read = DatasetError::read(path);
        let Some(mut lines) = Lines::open(path).map_err(&read)? else {
            return Ok(0);
        };
        let (body, length) = (lines.body(), lines.length());
        lines.go_near(before).map_err(&read)?;
        let mut keep_from = None;
        while let Some(line) = lines.next().map_err(&read)? {
            if line.row.is_ok_and(|row| row.timestamp >= before) {
                keep_from = Some(line.start);
                break;
            }
        }
        // Without a single row it isn't ours to delete, unless it is empty.
        let only_old_rows =
            keep_from.is_none() && (body == length || lines.last_row().map_err(&read)?.is_some());
        let key = (series.clone(), part);
        match keep_from {
            Some(start) if (start - body) * WORTH > length => {
                self.ready.remove(&key);
                relocate::cut(path, std::slice::from_ref(&(body..start)))?;
                Ok(start - body)
            }
            None if only_old_rows => {
                self.ready.remove(&key);
                self.unsynced.remove(path);
                fs::remove_file(path).map_err(|source| WriteError::new(path, source))?;
                Paths::remove_empty_folders(path);
                Ok(length)
            }
            _ => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    #[test]
    fn old_rows_go_when_they_are_many_enough() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 100);
        assert_eq!(datasets.prune(at(5)).unwrap().files, 0);
        let pruned = datasets.prune(at(60)).unwrap();
        assert_eq!(pruned.files, 1);
        assert!(pruned.bytes > 60 * 40 && pruned.error.is_none());
        datasets.append([(series.clone(), Part::History, row(100))]);
        let (history, _) = indices(&everything(&datasets, &series));
        assert_eq!(history, (60..=100).collect::<Vec<_>>());
        assert_eq!(open(&dir).repairs, []);
    }

    #[test]
    fn a_series_without_newer_rows_goes_with_its_folders() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 10);
        datasets.move_rows(&series, at(3), at(9)).unwrap();
        assert_eq!(datasets.prune(at(10)).unwrap().files, 2);
        assert_eq!(datasets.list().unwrap(), []);
        assert!(!datasets.paths.datasets_of(&series.service).exists());
        // And comes back like any new one.
        let appended = datasets.append([(series.clone(), Part::History, row(3))]);
        assert_eq!(appended.rows, 1);
        assert_eq!(datasets.flush().unwrap(), 0);
    }

    #[test]
    fn a_file_without_any_row_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 1);
        let path = datasets.paths.dataset(&series, Part::History);
        fs::write(&path, "somebody's notes\n").unwrap();
        assert_eq!(datasets.prune(at(10)).unwrap().files, 0);
        assert!(path.exists());
    }
}
