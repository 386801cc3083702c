//! Both files of a series as one, merged by time; what isn't a row is passed over and said.

use std::path::{Path, PathBuf};

use domain::{Part, Row, SeriesId, Timestamp};

use super::columns::{BadRow, Layout};
use super::lines::Lines;
use super::{DatasetError, Datasets};

/// How many skipped lines are named; the rest is counted.
const SKIPPED_NAMED: usize = 100;

/// The rows of a series, oldest first, no two of one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    pub rows: Vec<(Row, Part)>,
    /// The first hundred lines that were passed over.
    pub skipped: Vec<SkippedLine>,
    pub skipped_total: usize,
}

/// A line of a file that isn't a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct SkippedLine {
    pub file: PathBuf,
    /// Counted from 1.
    pub line: u64,
    pub why: BadRow,
}

impl Datasets {
    /// The rows since `from`, of both parts. Only that end of the files is read. A row in both
    /// parts belongs to `anomaly`.
    ///
    /// # Errors
    /// A file exists and can't be read; never because of what is in it.
    pub fn read(&self, series: &SeriesId, from: Timestamp) -> Result<Dataset, DatasetError> {
        let mut dataset = Dataset::default();
        let [history, anomaly] = Part::BOTH.map(|part| {
            let path = self.paths.dataset(series, part);
            read_file(&path, from, &mut dataset).map_err(DatasetError::read(&path))
        });
        dataset.rows = merge(history?, anomaly?);
        Ok(dataset)
    }

    /// The newest row from `from` to `to`, both inclusive; only what lies near it is read.
    ///
    /// # Errors
    /// A file exists and can't be read; never because of what is in it.
    pub fn newest_row(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<(Row, Part)>, DatasetError> {
        let mut newest: Option<(Row, Part)> = None;
        for part in Part::BOTH {
            let path = self.paths.dataset(series, part);
            let row = newest_in_file(&path, to).map_err(DatasetError::read(&path))?;
            // Of two rows of a time, that of `anomaly`, which is the later part.
            if let Some(row) = row.filter(|row| row.timestamp >= from)
                && newest.is_none_or(|(other, _)| row.timestamp >= other.timestamp)
            {
                newest = Some((row, part));
            }
        }
        Ok(newest)
    }
}

/// The newest row of one file that is not after `to`.
fn newest_in_file(path: &Path, to: Timestamp) -> std::io::Result<Option<Row>> {
    let Some(mut lines) = Lines::open(path)? else {
        return Ok(None);
    };
    let ordered = *lines.layout() == Layout::Ours;
    lines.go_near(to)?;
    let mut newest: Option<Row> = None;
    while let Some(line) = lines.next()? {
        let Ok(row) = line.row else { continue };
        if row.timestamp > to {
            if ordered {
                break;
            }
        } else if newest.is_none_or(|other| row.timestamp > other.timestamp) {
            newest = Some(row);
        }
    }
    Ok(newest)
}

/// All rows of one file.
pub(super) fn whole_file(path: &Path) -> std::io::Result<Dataset> {
    let mut dataset = Dataset::default();
    let rows = read_file(path, Timestamp::from_millis(i64::MIN), &mut dataset)?;
    dataset.rows = rows.into_iter().map(|row| (row, Part::Anomaly)).collect();
    Ok(dataset)
}

/// The rows of one file since `from`, ordered, each time once.
fn read_file(path: &Path, from: Timestamp, dataset: &mut Dataset) -> std::io::Result<Vec<Row>> {
    let Some(mut lines) = Lines::open(path)? else {
        return Ok(Vec::new());
    };
    lines.go_near(from)?;
    let mut rows: Vec<(Row, u64)> = Vec::new();
    let mut bad: Vec<(u64, BadRow)> = Vec::new();
    let mut skip = |start, why| {
        dataset.skipped_total += 1;
        if bad.len() < SKIPPED_NAMED.saturating_sub(dataset.skipped.len()) {
            bad.push((start, why));
        }
    };
    while let Some(line) = lines.next()? {
        match line.row {
            Ok(row) if row.timestamp >= from => rows.push((row, line.start)),
            Ok(_) => {}
            Err(why) => skip(line.start, why),
        }
    }
    // Ordered already, unless somebody edited it; of two rows of a time the first stays.
    rows.sort_by_key(|(row, _)| row.timestamp);
    rows.dedup_by(|(later, start), (first, _)| {
        let repeated = later.timestamp == first.timestamp;
        if repeated {
            skip(*start, BadRow::Repeated);
        }
        repeated
    });
    number(path, bad, dataset)?;
    Ok(rows.into_iter().map(|(row, _)| row).collect())
}

/// Finds the numbers of bad lines, which costs reading what lies before; there are few.
fn number(path: &Path, mut bad: Vec<(u64, BadRow)>, dataset: &mut Dataset) -> std::io::Result<()> {
    bad.sort_by_key(|(start, _)| *start);
    let starts: Vec<u64> = bad.iter().map(|(start, _)| *start).collect();
    let numbers = Lines::numbers_at(path, &starts)?;
    for ((_, why), line) in bad.into_iter().zip(numbers) {
        let file = path.to_path_buf();
        dataset.skipped.push(SkippedLine { file, line, why });
    }
    Ok(())
}

/// Merges two ordered lists; of two rows of a time, that of `anomaly` stays.
pub(super) fn merge(history: Vec<Row>, anomaly: Vec<Row>) -> Vec<(Row, Part)> {
    let mut merged = Vec::with_capacity(history.len() + anomaly.len());
    let mut anomaly = anomaly.into_iter().peekable();
    for row in history {
        while let Some(other) = anomaly.next_if(|other| other.timestamp < row.timestamp) {
            merged.push((other, Part::Anomaly));
        }
        let in_both = anomaly
            .peek()
            .is_some_and(|other| other.timestamp == row.timestamp);
        if !in_both {
            merged.push((row, Part::History));
        }
    }
    merged.extend(anomaly.map(|row| (row, Part::Anomaly)));
    merged
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::columns;
    use super::super::samples::*;
    use super::*;
    use crate::paths::Paths;

    /// Rewrites the history of ten rows by hand, and reads it.
    fn edited(edit: impl Fn(String) -> Vec<u8>) -> Dataset {
        let dir = tempfile::tempdir().unwrap();
        let (datasets, series) = filled(&dir, 10);
        let path = Paths::new(dir.path()).dataset(&series, Part::History);
        fs::write(&path, edit(fs::read_to_string(&path).unwrap())).unwrap();
        everything(&datasets, &series)
    }

    #[test]
    fn what_an_editor_or_spreadsheet_does_to_a_file_is_survived() {
        let whole = |edit: fn(String) -> String| {
            let dataset = edited(|text| edit(text).into_bytes());
            assert_eq!(dataset.rows, edited(String::into_bytes).rows);
            assert_eq!(dataset.skipped, []);
        };
        whole(|text| text.replace('\n', "\r\n"));
        whole(|text| format!("\u{feff}{text}"));
        whole(|text| text.replacen(&columns::header(), "", 1));
        whole(|text| format!("\u{feff}{}", text.replacen(&columns::header(), "", 1)));
        whole(|text| {
            text.replace('\n', ",a note\n")
                .replacen("a note", "notes", 1)
        });
        whole(|text| text.replace("Normal", "\"Normal\""));
    }

    #[test]
    fn the_newest_row_until_a_time_is_found_in_either_part() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 1_000);
        datasets.move_rows(&series, at(400), at(449)).unwrap();
        let newest = |from, to: Timestamp| {
            let found = datasets.newest_row(&series, from, to).unwrap();
            found.map(|(row, part)| ((row.timestamp.as_millis() - START_MS) / STEP_MS, part))
        };
        let moment = std::time::Duration::from_millis(1);
        for (to, expected) in [
            (at(0) - moment, None),
            (at(0), Some((0, Part::History))),
            (at(399) + moment, Some((399, Part::History))),
            (at(400), Some((400, Part::Anomaly))),
            (at(430) - moment, Some((429, Part::Anomaly))),
            (at(5_000), Some((999, Part::History))),
        ] {
            assert_eq!(newest(at(0), to), expected, "{to}");
        }
        assert_eq!(newest(at(430), at(430) - moment), None);
    }

    #[test]
    fn bad_lines_are_skipped_with_file_number_and_reason() {
        let dataset = edited(|text| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines[3] = "rubbish";
            lines.insert(5, "");
            (lines.join("\n") + "\n2026-11-22T12:0").into_bytes()
        });
        let skipped: Vec<_> = dataset
            .skipped
            .iter()
            .map(|s| (s.line, s.why.clone()))
            .collect();
        let columns = |found| BadRow::Columns {
            found,
            expected: 12,
        };
        assert_eq!(
            skipped,
            [(4, columns(1)), (6, columns(1)), (13, BadRow::Torn)]
        );
        assert_eq!(dataset.rows.len(), 9);
        let text = dataset.skipped[0].to_string();
        assert!(
            text.ends_with("cpu.csv:4: 1 columns instead of 12"),
            "{text}"
        );
    }

    #[test]
    fn rubbish_costs_no_row_and_no_memory() {
        let dataset = edited(|text| {
            let mut bytes = text.into_bytes();
            bytes.extend(std::iter::repeat_n(b'"', 3_000_000));
            bytes.extend(b"\n\xFF\xFE\n".repeat(500));
            bytes
        });
        assert_eq!(dataset.rows.len(), 10);
        assert_eq!((dataset.skipped_total, dataset.skipped.len()), (1000, 100));
        assert!(matches!(dataset.skipped[0].why, BadRow::TooLong(_)));
    }

    #[test]
    fn rows_out_of_order_and_repeated_are_put_right() {
        let dataset = edited(|text| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.swap(2, 7);
            lines.push(lines[4]);
            (lines.join("\n") + "\n").into_bytes()
        });
        assert_eq!(indices(&dataset).0, (0..10).collect::<Vec<_>>());
        assert_eq!(dataset.skipped[0].why, BadRow::Repeated);
        assert_eq!(dataset.skipped[0].line, 12);
    }

    #[test]
    fn a_series_without_files_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let datasets = open(&dir).datasets;
        assert_eq!(
            everything(&datasets, &series("none", "cpu")),
            Dataset::default()
        );
    }

    #[test]
    fn only_rows_since_a_time_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let (datasets, series) = filled(&dir, 1000);
        let dataset = datasets.read(&series, at(990)).unwrap();
        assert_eq!(indices(&dataset).0, (990..1000).collect::<Vec<_>>());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_file_is_a_failure(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..1200_usize) {
            let dataset = edited(|text| {
                let mut text = text.into_bytes();
                let at = at.min(text.len());
                text.splice(at..at, bytes.clone());
                text
            });
            prop_assert!(dataset.rows.len() >= 8);
        }
    }
}
