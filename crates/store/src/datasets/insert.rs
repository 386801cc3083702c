//! Rows of the past go in between the rows that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use domain::{Part, Row, SeriesId, Timestamp};

use super::{DatasetError, Datasets, columns, read};
use crate::{atomic, quarantine};

/// Text that is held before it is written.
const TEXT_BYTES: usize = 64 * 1024;

impl Datasets {
    /// Puts rows where their times belong, in any order; says how many. A time that either part has
    /// already is left as it is. Each file is replaced whole.
    ///
    /// # Errors
    /// A file can't be read or written; that one is then as it was.
    pub fn insert(
        &mut self,
        series: &SeriesId,
        rows: impl IntoIterator<Item = (Part, Row)>,
    ) -> Result<usize, DatasetError> {
        let mut by_part: BTreeMap<Part, BTreeMap<Timestamp, Row>> = BTreeMap::new();
        for (part, row) in rows {
            by_part.entry(part).or_default().insert(row.timestamp, row);
        }
        let first = by_part
            .values()
            .filter_map(|rows| rows.keys().next())
            .min()
            .copied();
        let Some(first) = first else { return Ok(0) };
        let there: BTreeSet<Timestamp> = self
            .read(series, first)?
            .rows
            .iter()
            .map(|(row, _)| row.timestamp)
            .collect();
        let mut inserted = 0;
        for (part, mut rows) in by_part {
            rows.retain(|time, _| !there.contains(time));
            if rows.is_empty() {
                continue;
            }
            inserted += rows.len();
            self.merge_into(series, part, rows.into_values().collect())?;
        }
        Ok(inserted)
    }

    /// Replaces a file by itself and further rows, which are ordered; of two rows of a time, the
    /// one that is there stays.
    pub(super) fn merge_into(
        &mut self,
        series: &SeriesId,
        part: Part,
        rows: Vec<Row>,
    ) -> Result<(), DatasetError> {
        let path = self.paths.dataset(series, part);
        self.paths.ensure_folder(&series.service, &path)?;
        let there = read::whole_file(&path).map_err(DatasetError::read(&path))?;
        if there.skipped_total > 0 {
            // Lines that are no rows would not survive the merge.
            quarantine::copy_aside(&self.paths, &path, "lines that are no rows of ours")?;
        }
        let there = there.rows.into_iter().map(|(row, _)| row).collect();
        let merged = read::merge(rows, there);
        atomic::write_with(&path, |out| {
            let mut text = columns::header();
            for (row, _) in &merged {
                columns::write(row, &mut text);
                if text.len() > TEXT_BYTES {
                    out.write_all(text.as_bytes())?;
                    text.clear();
                }
            }
            out.write_all(text.as_bytes())
        })?;
        self.ready.remove(&(series.clone(), part));
        if let Some((last, _)) = merged.last() {
            let newest = self.newest.entry(series.clone()).or_insert(last.timestamp);
            *newest = last.timestamp.max(*newest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    #[test]
    fn the_past_is_put_before_what_is_there_and_nothing_is_doubled() {
        let dir = tempfile::tempdir().unwrap();
        let (mut datasets, series) = filled(&dir, 3);
        datasets.append([(series.clone(), Part::History, row(20))]);
        let past = [
            (Part::History, row(7)),
            (Part::Anomaly, row(9)),
            (Part::History, row(2)),
            (Part::History, row(5)),
        ];
        assert_eq!(datasets.insert(&series, past).unwrap(), 3);
        assert_eq!(
            indices(&everything(&datasets, &series)),
            (vec![0, 1, 2, 5, 7, 20], vec![9])
        );
        assert_eq!(datasets.last_time(&series), Some(at(20)));
        let appended = datasets.append([(series.clone(), Part::History, row(21))]);
        assert_eq!(appended.rows, 1);
        drop(datasets);
        let opened = open(&dir);
        assert_eq!(opened.repairs, []);
        assert_eq!(
            indices(&everything(&opened.datasets, &series)),
            (vec![0, 1, 2, 5, 7, 20, 21], vec![9])
        );
    }

    #[test]
    fn a_series_can_begin_with_its_past() {
        let dir = tempfile::tempdir().unwrap();
        let mut datasets = open(&dir).datasets;
        let series = series("new", "cpu");
        assert_eq!(
            datasets.insert(&series, [(Part::History, row(3))]).unwrap(),
            1
        );
        assert_eq!(datasets.insert(&series, []).unwrap(), 0);
        assert_eq!(indices(&everything(&datasets, &series)), (vec![3], vec![]));
    }
}
