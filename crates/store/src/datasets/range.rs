//! Rows of a stretch, read as they are asked for, and what a file holds in all: for those who must
//! not hold up the writer.
//!
//! Nothing here holds the lock that writers take. Files are appended to, cut at the end or replaced
//! whole, so a reader sees whole rows; of rows that move from one part to the other meanwhile it
//! may see some in neither.

use std::fs::File;
use std::io::{self, Read};
use std::iter::Peekable;
use std::path::{Path, PathBuf};

use domain::{Part, Row, SeriesId, Timestamp};

use super::DatasetError;
use super::columns::{self, Layout};
use super::lines::Lines;
use crate::paths::Paths;

const COUNTED_AT_ONCE: usize = 256 * 1024;

/// The rows of a series in a stretch of time, oldest first, no two of one time. Lines that are no
/// rows are passed over; so are rows that an edit by hand has put out of order.
#[derive(Debug)]
pub struct Rows {
    history: Option<Peekable<FileRows>>,
    anomaly: Option<Peekable<FileRows>>,
}

/// What one file of a series holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartSummary {
    /// Lines below the header, as a file that nobody edited has them.
    pub rows: u64,
    pub bytes: u64,
    /// The times of the first and the last row.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

impl Rows {
    /// The rows from `from` to `to`, both inclusive: of one part, or of both merged, where a row in
    /// both belongs to `anomaly`. Only that stretch of the files is read. A series without files
    /// has no rows.
    ///
    /// # Errors
    /// A file exists and can't be read.
    pub fn open(
        paths: &Paths,
        series: &SeriesId,
        part: Option<Part>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Rows, DatasetError> {
        let open = |of: Part| -> Result<_, DatasetError> {
            if part.is_some_and(|part| part != of) {
                return Ok(None);
            }
            let path = paths.dataset(series, of);
            let rows = FileRows::open(&path, from, to).map_err(DatasetError::read(&path))?;
            Ok(rows.map(Iterator::peekable))
        };
        Ok(Rows {
            history: open(Part::History)?,
            anomaly: open(Part::Anomaly)?,
        })
    }
}

impl Iterator for Rows {
    type Item = Result<(Row, Part), DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let history = time_of_next(&mut self.history);
        let anomaly = time_of_next(&mut self.anomaly);
        if history.is_some() && history == anomaly {
            self.history.as_mut()?.next();
        }
        // A file that fails says so at once: its time is the least.
        let part = match (history, anomaly) {
            (Some(history), Some(anomaly)) if history < anomaly => Part::History,
            (_, Some(_)) => Part::Anomaly,
            (Some(_), None) => Part::History,
            (None, None) => return None,
        };
        let file = match part {
            Part::History => &mut self.history,
            Part::Anomaly => &mut self.anomaly,
        };
        Some(file.as_mut()?.next()?.map(|row| (row, part)))
    }
}

/// The time of the next row; the least where reading it failed; none at the end.
fn time_of_next(file: &mut Option<Peekable<FileRows>>) -> Option<Timestamp> {
    let next = file.as_mut()?.peek()?;
    Some(match next {
        Ok(row) => row.timestamp,
        Err(_) => Timestamp::from_millis(i64::MIN),
    })
}

/// The rows of one file.
#[derive(Debug)]
struct FileRows {
    path: PathBuf,
    lines: Lines,
    from: Timestamp,
    to: Timestamp,
    newest: Option<Timestamp>,
    ended: bool,
}

impl FileRows {
    fn open(path: &Path, from: Timestamp, to: Timestamp) -> io::Result<Option<FileRows>> {
        let Some(mut lines) = Lines::open(path)? else {
            return Ok(None);
        };
        lines.go_near(from)?;
        Ok(Some(FileRows {
            path: path.to_path_buf(),
            lines,
            from,
            to,
            newest: None,
            ended: false,
        }))
    }

    fn read(&mut self) -> io::Result<Option<Row>> {
        while let Some(line) = self.lines.next()? {
            let Ok(row) = line.row else { continue };
            if row.timestamp > self.to {
                // A file that was edited by hand is looked through to its end.
                if *self.lines.layout() == Layout::Ours {
                    break;
                }
            } else if row.timestamp >= self.from
                && self.newest.is_none_or(|newest| row.timestamp > newest)
            {
                self.newest = Some(row.timestamp);
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

impl Iterator for FileRows {
    type Item = Result<Row, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read().map_err(DatasetError::read(&self.path));
        self.ended = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

impl PartSummary {
    /// Reads the whole file to count its lines; none if there is no file.
    ///
    /// # Errors
    /// The file exists and can't be read.
    pub fn of(
        paths: &Paths,
        series: &SeriesId,
        part: Part,
    ) -> Result<Option<PartSummary>, DatasetError> {
        let path = paths.dataset(series, part);
        summary(&path).map_err(DatasetError::read(&path))
    }
}

fn summary(path: &Path) -> io::Result<Option<PartSummary>> {
    let Some(mut lines) = Lines::open(path)? else {
        return Ok(None);
    };
    let has_header = lines.body() > 0;
    let last = lines.last_row()?.map(|row| row.timestamp);
    lines.go_near(Timestamp::from_millis(i64::MIN))?;
    let mut first = None;
    while let Some(line) = lines.next()? {
        if let Ok(row) = line.row {
            first = Some(row.timestamp);
            break;
        }
    }
    let rows = line_ends(path)?.saturating_sub(u64::from(has_header));
    Ok(Some(PartSummary {
        rows,
        bytes: lines.length(),
        first,
        last,
    }))
}

fn line_ends(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; COUNTED_AT_ONCE];
    let mut count = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(count);
        }
        count += buffer[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}

/// The header line of a dataset file, with its end.
pub fn csv_header() -> String {
    columns::header()
}

/// Appends a row as the dataset files have it, with the line's end. Its cells are times, numbers
/// and our own words, so that no spreadsheet takes one for a formula.
pub fn write_csv(row: &Row, out: &mut String) {
    // Rows that were read have finite numbers only, so none is left out.
    columns::write(row, out);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::samples::*;
    use super::*;

    fn rows(dir: &tempfile::TempDir, part: Option<Part>, from: i64, to: i64) -> Vec<(i64, Part)> {
        let paths = Paths::new(dir.path());
        Rows::open(&paths, &series("pay", "cpu"), part, at(from), at(to))
            .unwrap()
            .map(|row| row.unwrap())
            .map(|(row, part)| ((row.timestamp.as_millis() - START_MS) / STEP_MS, part))
            .collect()
    }

    #[test]
    fn a_stretch_has_the_rows_of_both_parts_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 2_000);
        datasets.move_rows(&series, at(1_990), at(3_000)).unwrap();
        let both = rows(&dir, None, 1_985, 1_993);
        let expected: Vec<(i64, Part)> = (1_985..=1_993)
            .map(|index| {
                let part = if index < 1_990 {
                    Part::History
                } else {
                    Part::Anomaly
                };
                (index, part)
            })
            .collect();
        assert_eq!(both, expected);
        assert_eq!(rows(&dir, Some(Part::History), 1_985, 1_993).len(), 5);
        assert_eq!(rows(&dir, Some(Part::Anomaly), 1_985, 1_993).len(), 4);
        assert_eq!(rows(&dir, None, 5_000, 6_000), []);
    }

    #[test]
    fn a_row_in_both_parts_is_one_of_anomaly() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 4);
        datasets.append([(series, Part::Anomaly, row(4))]);
        let paths = Paths::new(dir.path());
        let history = paths.dataset(&super::super::samples::series("pay", "cpu"), Part::History);
        let anomaly = paths.dataset(&super::super::samples::series("pay", "cpu"), Part::Anomaly);
        let mut text = fs::read_to_string(&history).unwrap();
        let last = fs::read_to_string(anomaly).unwrap();
        text += last.lines().last().unwrap();
        text.push('\n');
        fs::write(history, text).unwrap();
        let found = rows(&dir, None, 3, 9);
        assert_eq!(found, [(3, Part::History), (4, Part::Anomaly)]);
    }

    #[test]
    fn lines_that_are_no_rows_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let (_datasets, series) = filled(&dir, 3);
        let path = Paths::new(dir.path()).dataset(&series, Part::History);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("\n2", "\n=cmd|calc\n2", 2) + "20").unwrap();
        assert_eq!(rows(&dir, None, 0, 9).len(), 3);
    }

    #[test]
    fn a_summary_counts_what_a_reader_finds() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path());
        let series = series("pay", "cpu");
        assert_eq!(
            PartSummary::of(&paths, &series, Part::History).unwrap(),
            None
        );
        filled(&dir, 5_000);
        let summary = PartSummary::of(&paths, &series, Part::History)
            .unwrap()
            .unwrap();
        assert_eq!(summary.rows as usize, rows(&dir, None, 0, 9_999).len());
        assert_eq!(
            (summary.first, summary.last),
            (Some(at(0)), Some(at(4_999)))
        );
        let path = paths.dataset(&series, Part::History);
        assert_eq!(summary.bytes, fs::metadata(path).unwrap().len());
    }

    #[test]
    fn a_written_row_reads_back() {
        let mut text = String::new();
        write_csv(&row(7), &mut text);
        assert_eq!(Layout::Ours.row(text.trim_end().as_bytes()), Ok(row(7)));
    }
}
