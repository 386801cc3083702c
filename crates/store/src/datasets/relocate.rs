//! Rows of an incident go from `history` to `anomaly`, so that a crash loses none.
//!
//! First they are written to `anomaly` and synced, then they are cut from `history`. In between a
//! row lies in both, and belongs to `anomaly`: reading says so, and repair at start makes it so.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use domain::{Part, Row, SeriesId, Timestamp};

use super::lines::Lines;
use super::{DatasetError, Datasets, columns};
use crate::atomic;

/// What is to move, found before anything is touched.
pub(super) struct Relocation {
    series: SeriesId,
    rows: Vec<Row>,
    /// Where they lie in the history file.
    ranges: Vec<Range<u64>>,
}

impl Datasets {
    /// Moves the rows from `from` to `to`, both included, to `anomaly`; says how many.
    ///
    /// # Errors
    /// A file can't be read or written. Each row is then still in at least one file.
    pub fn move_rows(
        &mut self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<usize, DatasetError> {
        let relocation = self.plan_relocation(series, from, to)?;
        if relocation.rows.is_empty() {
            return Ok(0);
        }
        self.write_to_anomaly(&relocation)?;
        self.cut_from_history(&relocation)?;
        Ok(relocation.rows.len())
    }

    fn plan_relocation(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Relocation, DatasetError> {
        let path = self.paths.dataset(series, Part::History);
        let (mut rows, ranges) = rows_where(&path, from, |row| {
            row.timestamp >= from && row.timestamp <= to
        })
        .map_err(DatasetError::read(&path))?;
        rows.sort_by_key(|row| row.timestamp);
        rows.dedup_by_key(|row| row.timestamp);
        Ok(Relocation {
            series: series.clone(),
            rows,
            ranges,
        })
    }

    /// The first stage. Appends where the rows are newer than all that is there, as they mostly
    /// are; else replaces the file.
    fn write_to_anomaly(&mut self, relocation: &Relocation) -> Result<(), DatasetError> {
        let series = &relocation.series;
        let path = self.paths.dataset(series, Part::Anomaly);
        let newest = match Lines::open(&path).map_err(DatasetError::read(&path))? {
            Some(mut lines) => lines.last_row().map_err(DatasetError::read(&path))?,
            None => None,
        };
        let first = relocation.rows.first().map(|row| row.timestamp);
        if newest.map(|row| row.timestamp) >= first {
            return self.merge_into(series, Part::Anomaly, relocation.rows.clone());
        }
        let mut text = String::new();
        for row in &relocation.rows {
            columns::write(row, &mut text);
        }
        self.append_text(series, Part::Anomaly, &text)?;
        sync(&path)?;
        self.paths.sync_folders_of(&path)?;
        self.unsynced.remove(&path);
        Ok(())
    }

    /// The second and last stage.
    fn cut_from_history(&mut self, relocation: &Relocation) -> Result<(), DatasetError> {
        let path = self.paths.dataset(&relocation.series, Part::History);
        self.ready
            .remove(&(relocation.series.clone(), Part::History));
        cut(&path, &relocation.ranges)
    }
}

/// The rows since `from` that are wanted, and where they lie, neighbours joined.
pub(super) fn rows_where(
    path: &Path,
    from: Timestamp,
    wanted: impl Fn(&Row) -> bool,
) -> io::Result<(Vec<Row>, Vec<Range<u64>>)> {
    let (mut rows, mut ranges) = (Vec::new(), Vec::new());
    if let Some(mut lines) = Lines::open(path)? {
        lines.go_near(from)?;
        while let Some(line) = lines.next()? {
            if let Ok(row) = line.row
                && wanted(&row)
            {
                rows.push(row);
                push_range(&mut ranges, line.start..line.end);
            }
        }
    }
    Ok((rows, ranges))
}

/// Adds a range that is not before the last one, joined to it where they touch.
pub(super) fn push_range(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

/// Removes byte ranges (ascending) from a file: by shortening it where they are its end, else by
/// replacing it.
pub(super) fn cut(path: &Path, ranges: &[Range<u64>]) -> Result<(), DatasetError> {
    let length = fs::metadata(path).map_err(DatasetError::read(path))?.len();
    if let [only] = ranges
        && only.end == length
    {
        return OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|file| {
                file.set_len(only.start)?;
                file.sync_all()
            })
            .map_err(|source| DatasetError::Append {
                path: path.to_path_buf(),
                source,
            });
    }
    let mut file = File::open(path).map_err(DatasetError::read(path))?;
    atomic::write_with(path, |out| {
        let mut copied = 0;
        let cuts = ranges.iter().map(|range| (range.start, range.end));
        for (cut_from, cut_to) in cuts.chain([(length, length)]) {
            file.seek(SeekFrom::Start(copied))?;
            let kept = cut_from.saturating_sub(copied);
            io::copy(&mut (&mut file).take(kept), out)?;
            copied = cut_to;
        }
        Ok(())
    })?;
    Ok(())
}

fn sync(path: &Path) -> Result<(), DatasetError> {
    OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|file| file.sync_data())
        .map_err(|source| DatasetError::Sync {
            path: path.to_path_buf(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::super::repair::Fix;
    use super::super::samples::*;
    use super::*;
    use crate::paths::Paths;

    /// Every row once, whatever the stage.
    fn complete(datasets: &Datasets, series: &SeriesId, rows: i64) -> (Vec<i64>, Vec<i64>) {
        let dataset = everything(datasets, series);
        assert_eq!(dataset.rows.len() as i64, rows);
        indices(&dataset)
    }

    #[test]
    fn rows_since_the_onset_move() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 10);
        assert_eq!(datasets.move_rows(&series, at(7), at(9)).unwrap(), 3);
        assert_eq!(complete(&datasets, &series, 10).1, [7, 8, 9]);
        // Again, and before and between what moved already.
        assert_eq!(datasets.move_rows(&series, at(7), at(9)).unwrap(), 0);
        assert_eq!(datasets.move_rows(&series, at(2), at(4)).unwrap(), 3);
        assert_eq!(datasets.move_rows(&series, at(1), at(8)).unwrap(), 3);
        let moved = (vec![0], vec![1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(complete(&datasets, &series, 10), moved);
        let opened = open(&dir);
        assert_eq!(opened.repairs, []);
        let expected: Vec<_> = (0..10).map(row).collect();
        let rows = everything(&opened.datasets, &series).rows;
        assert_eq!(
            rows.into_iter().map(|(row, _)| row).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn appending_goes_on_after_a_move() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 4);
        datasets.move_rows(&series, at(0), at(3)).unwrap();
        let appended = datasets.append([
            (series.clone(), Part::History, row(3)),
            (series.clone(), Part::Anomaly, row(4)),
            (series.clone(), Part::History, row(5)),
        ]);
        assert_eq!((appended.rows, appended.refused), (2, 1));
        let expected = (vec![5], vec![0, 1, 2, 3, 4]);
        assert_eq!(complete(&datasets, &series, 6), expected);
    }

    #[test]
    fn a_crash_between_the_stages_leaves_each_row_once_in_anomaly() {
        for (from, to) in [(7, 9), (3, 5), (0, 9)] {
            let dir = tempfile::tempdir().unwrap();
            let (mut datasets, series) = filled(&dir, 10);
            let relocation = datasets.plan_relocation(&series, at(from), at(to)).unwrap();
            assert_eq!(complete(&datasets, &series, 10).1, [0; 0]);
            datasets.write_to_anomaly(&relocation).unwrap();
            let moved = (from..=to).collect::<Vec<_>>();
            assert_eq!(complete(&datasets, &series, 10).1, moved);
            drop(datasets);

            let opened = open(&dir);
            let rows = moved.len() as u64;
            assert_eq!(opened.repairs.len(), 1);
            assert_eq!(opened.repairs[0].what, Fix::InBothParts { rows });
            assert_eq!(complete(&opened.datasets, &series, 10).1, moved);
            assert_eq!(open(&dir).repairs, []);
        }
    }

    #[test]
    fn a_crash_at_any_byte_of_the_first_stage_loses_no_row() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 10);
        datasets.move_rows(&series, at(1), at(2)).unwrap();
        let paths = Paths::new(dir.path());
        let anomaly = paths.dataset(&series, Part::Anomaly);
        let history = fs::read(paths.dataset(&series, Part::History)).unwrap();
        let before = fs::read(&anomaly).unwrap().len();
        let relocation = datasets.plan_relocation(&series, at(6), at(8)).unwrap();
        datasets.write_to_anomaly(&relocation).unwrap();
        let after = fs::read(&anomaly).unwrap();
        for length in before..=after.len() {
            fs::write(&anomaly, &after[..length]).unwrap();
            fs::write(paths.dataset(&series, Part::History), &history).unwrap();
            let opened = open(&dir);
            let (_, moved) = complete(&opened.datasets, &series, 10);
            assert!([1, 2, 6, 7, 8].starts_with(&moved), "{moved:?}");
            assert_eq!(open(&dir).repairs, []);
        }
    }

    #[test]
    fn lines_that_are_no_rows_survive_a_move() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 6);
        let path = Paths::new(dir.path()).dataset(&series, Part::History);
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.insert(4, "remember: disk was replaced");
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        datasets.move_rows(&series, at(2), at(4)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("remember: disk was replaced\n"), "{text}");
        assert_eq!(
            complete(&datasets, &series, 6),
            (vec![0, 1, 5], vec![2, 3, 4])
        );
    }
}
