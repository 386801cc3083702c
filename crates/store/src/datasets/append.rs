//! The rows of a tick: grouped by file, one write each; made to last by `flush`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use domain::{Part, Row, SeriesId, Timestamp};

use super::{DatasetError, Datasets, columns};
use crate::atomic;

/// What became of a batch of rows.
#[derive(Debug, Default)]
pub struct Appended {
    pub rows: usize,
    /// Rows not newer than the newest of their series, or with a number that isn't finite.
    pub refused: usize,
    /// Rows that could not be written, for the reason in `error` and perhaps others.
    pub lost: usize,
    pub error: Option<DatasetError>,
}

impl Datasets {
    /// Appends rows in any order. One file's failure doesn't keep the others from being written,
    /// and leaves that file as it was.
    pub fn append(&mut self, rows: impl IntoIterator<Item = (SeriesId, Part, Row)>) -> Appended {
        let mut by_series: BTreeMap<SeriesId, Vec<(Row, Part)>> = BTreeMap::new();
        for (series, part, row) in rows {
            by_series.entry(series).or_default().push((row, part));
        }
        let mut appended = Appended::default();
        for (series, rows) in by_series {
            self.append_series(&series, rows, &mut appended);
        }
        appended
    }

    fn append_series(
        &mut self,
        series: &SeriesId,
        mut rows: Vec<(Row, Part)>,
        appended: &mut Appended,
    ) {
        rows.sort_by_key(|(row, _)| row.timestamp);
        let mut newest = self.last_time(series);
        let mut texts: BTreeMap<Part, Batch> = BTreeMap::new();
        for (row, part) in rows {
            let batch = texts.entry(part).or_default();
            let newer = newest.is_none_or(|newest| row.timestamp > newest);
            if newer && columns::write(&row, &mut batch.text) {
                newest = Some(row.timestamp);
                batch.rows += 1;
                batch.newest = newest;
            } else {
                appended.refused += 1;
            }
        }
        for (part, batch) in texts {
            let Some(time) = batch.newest else { continue };
            match self.append_text(series, part, &batch.text) {
                Ok(()) => {
                    appended.rows += batch.rows;
                    let newest = self.newest.entry(series.clone()).or_insert(time);
                    *newest = time.max(*newest);
                }
                Err(error) => {
                    appended.lost += batch.rows;
                    appended.error.get_or_insert(error);
                }
            }
        }
    }

    /// Appends whole lines to a file, which is as before if that fails.
    pub(super) fn append_text(
        &mut self,
        series: &SeriesId,
        part: Part,
        text: &str,
    ) -> Result<(), DatasetError> {
        let path = self.paths.dataset(series, part);
        let key = (series.clone(), part);
        // Forgotten until it has gone well.
        let known = self.ready.remove(&key);
        if known.is_none() {
            self.paths.ensure_folder(&series.service, &path)?;
        }
        let length = append_lines(&path, known, text).map_err(|source| DatasetError::Append {
            path: path.clone(),
            source,
        })?;
        self.ready.insert(key, length);
        self.unsynced.insert(path);
        Ok(())
    }

    /// Makes everything appended so far last: syncs each file and folder written to since. What
    /// fails to sync stays in line for the next time.
    ///
    /// # Errors
    /// The first file that could not be synced.
    pub fn flush(&mut self) -> Result<usize, DatasetError> {
        self.flush_some(usize::MAX)
    }

    /// As [`Datasets::flush`], for `files` of them; says how many are left. On a slow disk this
    /// spreads the work over several ticks.
    ///
    /// # Errors
    /// The first file that could not be synced.
    pub fn flush_some(&mut self, files: usize) -> Result<usize, DatasetError> {
        let mut folders = BTreeSet::new();
        let batch: Vec<PathBuf> = self.unsynced.iter().take(files).cloned().collect();
        for path in batch {
            match OpenOptions::new().append(true).open(&path) {
                Ok(file) => file.sync_data().map_err(|source| DatasetError::Sync {
                    path: path.clone(),
                    source,
                })?,
                // Pruned since.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(DatasetError::Sync { path, source }),
            }
            folders.extend(self.paths.folders_of(&path).map(Path::to_path_buf));
            self.unsynced.remove(&path);
        }
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            atomic::sync_folder(folder).map_err(|source| DatasetError::Sync {
                path: folder.clone(),
                source,
            })?;
        }
        Ok(self.unsynced.len())
    }
}

#[derive(Default)]
struct Batch {
    text: String,
    rows: usize,
    newest: Option<Timestamp>,
}

/// Says the file's new length. `known` is the length at which it was last seen in order; a file
/// of another length is looked at first.
fn append_lines(path: &Path, known: Option<u64>, text: &str) -> io::Result<u64> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    let mut length = file.metadata()?.len();
    if known != Some(length) {
        length -= cut_torn_line(&mut file)?;
    }
    let written = if length == 0 {
        file.write_all((columns::header() + text).as_bytes())
    } else {
        file.write_all(text.as_bytes())
    };
    if let Err(error) = written {
        // Half a line must not stay; should this fail too, the next append finds it.
        let _ = file.set_len(length);
        return Err(error);
    }
    Ok(file.metadata()?.len())
}

/// Cuts what follows the last line end; says how many bytes that were.
pub(super) fn cut_torn_line(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut end = length;
    let mut block = [0_u8; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(length - end)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::samples::*;
    use super::*;
    use crate::paths::Paths;

    #[test]
    fn appended_rows_come_back_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 10);
        assert_eq!(datasets.flush().unwrap(), 0);
        drop(datasets);
        let opened = open(&dir);
        assert_eq!(opened.repairs, []);
        assert_eq!(opened.datasets.last_time(&series), Some(at(9)));
        assert_eq!(
            opened.datasets.list().unwrap(),
            std::slice::from_ref(&series)
        );
        let dataset = everything(&opened.datasets, &series);
        let expected: Vec<_> = (0..10).map(|index| (row(index), Part::History)).collect();
        assert_eq!((dataset.rows, dataset.skipped_total), (expected, 0));
    }

    #[test]
    fn a_row_is_never_written_twice_nor_out_of_order() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 3);
        let of = |index| (series.clone(), Part::Anomaly, row(index));
        let appended = datasets.append([of(5), of(2), of(4), of(4), of(1)]);
        assert_eq!((appended.rows, appended.refused), (2, 3));
        assert_eq!(
            indices(&everything(&datasets, &series)),
            (vec![0, 1, 2], vec![4, 5])
        );
    }

    #[test]
    fn a_file_has_one_header_however_often_it_is_appended_to() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 1);
        datasets.append([(series.clone(), Part::History, row(1))]);
        drop(datasets);
        open(&dir)
            .datasets
            .append([(series.clone(), Part::History, row(2))]);
        let path = Paths::new(dir.path()).dataset(&series, Part::History);
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(text.matches("timestamp").count(), 1);
        assert_eq!(text.lines().count(), 4);
    }

    #[test]
    fn one_unwritable_file_loses_its_rows_only_and_recovers() {
        let dir = tempfile::tempdir().unwrap();
        let mut datasets = open(&dir).datasets;
        let blocked = series("blocked", "cpu");
        // A folder where the file should be.
        let path = Paths::new(dir.path()).dataset(&blocked, Part::History);
        fs::create_dir_all(&path).unwrap();
        let good = series("good", "cpu");
        let batch = |index| [&blocked, &good].map(|s| (s.clone(), Part::History, row(index)));
        let appended = datasets.append(batch(0));
        assert_eq!((appended.rows, appended.lost), (1, 1));
        let error = appended.error.unwrap().to_string();
        assert!(error.contains("blocked/history/cpu.csv"), "{error}");
        fs::remove_dir(&path).unwrap();
        assert_eq!(datasets.append(batch(1)).rows, 2);
        assert_eq!(everything(&datasets, &blocked).rows.len(), 1);
    }

    #[test]
    fn a_line_torn_while_running_is_cut_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 2);
        let path = Paths::new(dir.path()).dataset(&series, Part::History);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"2026-11-22T12:00:30.000Z,0.6").unwrap();
        datasets.append([(series.clone(), Part::History, row(2))]);
        let dataset = everything(&datasets, &series);
        assert_eq!((dataset.rows.len(), dataset.skipped_total), (3, 0));
    }
}
