//! What a crash or an edit by hand left behind is put right at start, and said.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{Part, SeriesId, Timestamp};

use super::columns::{self, Layout};
use super::lines::Lines;
use super::{DatasetError, Datasets, append, relocate};
use crate::{atomic, quarantine};

/// Rows of `anomaly` further apart than this are looked up in `history` separately.
const EPISODE_GAP: Duration = Duration::from_secs(3600);

/// What repairing one file came to; nothing if it was in order.
type Outcome = Result<Option<Fix>, DatasetError>;

/// Something that was put right, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    pub file: PathBuf,
    pub what: Fix,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// The last line had no end and was cut.
    TornLine { bytes: u64 },
    /// Rows that were in `anomaly` too were cut from `history`.
    InBothParts { rows: u64 },
    /// The columns were not ours; the rows were written anew, the original lies in `original`.
    ColumnsMoved { original: PathBuf },
    /// Not a file or folder of ours; left alone.
    Unrecognised,
    /// Could not be repaired; left alone.
    Failed(String),
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        match &self.what {
            Fix::TornLine { bytes } => write!(f, "cut {bytes} bytes of an unfinished last line"),
            Fix::InBothParts { rows } => write!(f, "cut {rows} rows that are in anomaly too"),
            Fix::ColumnsMoved { original } => write!(
                f,
                "wrote the rows anew in our columns; the original is in {}",
                original.display()
            ),
            Fix::Unrecognised => f.write_str("not a dataset of any service; left alone"),
            Fix::Failed(why) => write!(f, "could not be repaired: {why}"),
        }
    }
}

impl Datasets {
    /// Part of [`Datasets::open`]; learns each series' newest row on the way.
    pub(super) fn repair(&mut self) -> Result<Vec<Repair>, DatasetError> {
        let (all, strangers) = self.survey()?;
        let mut repairs: Vec<Repair> = strangers
            .into_iter()
            .map(|file| Repair {
                file,
                what: Fix::Unrecognised,
            })
            .collect();
        for series in all {
            for part in Part::BOTH {
                self.attempt(&series, part, &mut repairs, Datasets::repair_file);
            }
            self.attempt(&series, Part::History, &mut repairs, Datasets::repair_both);
        }
        Ok(repairs)
    }

    fn attempt(
        &mut self,
        series: &SeriesId,
        part: Part,
        repairs: &mut Vec<Repair>,
        repair: fn(&mut Datasets, &SeriesId, Part, &Path) -> Outcome,
    ) {
        let file = self.paths.dataset(series, part);
        let what = match repair(self, series, part, &file) {
            Ok(None) => return,
            Ok(Some(fix)) => fix,
            Err(error) => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                Fix::Failed(format!("{error}{cause}"))
            }
        };
        repairs.push(Repair { file, what });
    }

    fn repair_file(&mut self, series: &SeriesId, part: Part, path: &Path) -> Outcome {
        let torn = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(mut file) => append::cut_torn_line(&mut file).map_err(DatasetError::read(path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(DatasetError::read(path)(source)),
        };
        let mut fix = (torn > 0).then_some(Fix::TornLine { bytes: torn });
        let Some(mut lines) = Lines::open(path).map_err(DatasetError::read(path))? else {
            return Ok(fix);
        };
        if *lines.layout() != Layout::Ours {
            let original = self.rewrite(path)?;
            fix = Some(Fix::ColumnsMoved { original });
            match Lines::open(path).map_err(DatasetError::read(path))? {
                Some(rewritten) => lines = rewritten,
                None => return Ok(fix),
            }
        }
        if let Some(row) = lines.last_row().map_err(DatasetError::read(path))? {
            let newest = self.newest.entry(series.clone()).or_insert(row.timestamp);
            *newest = row.timestamp.max(*newest);
        }
        self.ready.insert((series.clone(), part), lines.length());
        Ok(fix)
    }

    /// Writes the rows of a file anew in our columns, after a copy.
    fn rewrite(&self, path: &Path) -> Result<PathBuf, DatasetError> {
        let original = quarantine::copy_aside(&self.paths, path, "its columns were not ours")?;
        let Some(mut lines) = Lines::open(path).map_err(DatasetError::read(path))? else {
            return Ok(original);
        };
        atomic::write_with(path, |out| {
            let mut text = columns::header();
            while let Some(line) = lines.next()? {
                if let Ok(row) = line.row {
                    columns::write(&row, &mut text);
                }
                out.write_all(text.as_bytes())?;
                text.clear();
            }
            out.write_all(text.as_bytes())
        })?;
        Ok(original)
    }

    /// A row found in both parts belongs to `anomaly`.
    fn repair_both(&mut self, series: &SeriesId, part: Part, history: &Path) -> Outcome {
        let anomaly = self.paths.dataset(series, Part::Anomaly);
        let times = times_of(&anomaly).map_err(DatasetError::read(&anomaly))?;
        if times.is_empty() {
            return Ok(None);
        }
        let mut ranges = Vec::new();
        let mut rows = 0;
        if let Some(mut lines) = Lines::open(history).map_err(DatasetError::read(history))? {
            for episode in times.chunk_by(|a, b| b.since(*a) <= EPISODE_GAP) {
                rows += duplicates(&mut lines, episode, &mut ranges)
                    .map_err(DatasetError::read(history))?;
            }
        }
        if rows == 0 {
            return Ok(None);
        }
        self.ready.remove(&(series.clone(), part));
        relocate::cut(history, &ranges)?;
        Ok(Some(Fix::InBothParts { rows }))
    }
}

/// The times of a file's rows, in order.
fn times_of(path: &Path) -> io::Result<Vec<Timestamp>> {
    let mut times = Vec::new();
    if let Some(mut lines) = Lines::open(path)? {
        while let Some(line) = lines.next()? {
            times.extend(line.row.ok().map(|row| row.timestamp));
        }
    }
    times.sort_unstable();
    Ok(times)
}

/// Adds where rows with one of `times` (ascending) lie; says how many.
fn duplicates(
    lines: &mut Lines,
    times: &[Timestamp],
    ranges: &mut Vec<Range<u64>>,
) -> io::Result<u64> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Ok(0);
    };
    let mut found = 0;
    lines.go_near(*first)?;
    while let Some(line) = lines.next()? {
        let Ok(row) = line.row else { continue };
        if row.timestamp > *last {
            break;
        }
        let behind = ranges.last().is_none_or(|range| range.end <= line.start);
        if behind && times.binary_search(&row.timestamp).is_ok() {
            relocate::push_range(ranges, line.start..line.end);
            found += 1;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::samples::*;
    use super::*;
    use crate::paths::Paths;

    #[test]
    fn a_torn_last_line_is_cut_and_said() {
        let dir = tempfile::tempdir().unwrap();
        let (datasets, series) = filled(&dir, 3);
        drop(datasets);
        let path = Paths::new(dir.path()).dataset(&series, Part::History);
        let whole = fs::read(&path).unwrap();
        let body = columns::header().len();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let mut opened = open(&dir);
            let kept = whole[..length]
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |at| at + 1);
            let torn = (length - kept) as u64;
            let said: Vec<Fix> = opened.repairs.into_iter().map(|r| r.what).collect();
            match torn {
                0 => assert_eq!(said, []),
                bytes => assert_eq!(said, [Fix::TornLine { bytes }]),
            }
            let rows = everything(&opened.datasets, &series).rows.len();
            let lost = whole[length.max(body)..]
                .iter()
                .filter(|b| **b == b'\n')
                .count();
            assert_eq!(rows + lost, 3, "cut at {length}");
            opened
                .datasets
                .append([(series.clone(), Part::History, row(9))]);
            assert_eq!(everything(&opened.datasets, &series).rows.len(), rows + 1);
            assert!(fs::read_to_string(&path).unwrap().starts_with("timestamp,"));
        }
    }

    #[test]
    fn zeros_after_a_power_cut_are_cut() {
        let dir = tempfile::tempdir().unwrap();
        let (datasets, series) = filled(&dir, 3);
        drop(datasets);
        let path = Paths::new(dir.path()).dataset(&series, Part::History);
        let mut bytes = fs::read(&path).unwrap();
        bytes.resize(bytes.len() + 10_000, 0);
        fs::write(&path, bytes).unwrap();
        let opened = open(&dir);
        assert_eq!(opened.repairs[0].what, Fix::TornLine { bytes: 10_000 });
        assert_eq!(opened.datasets.last_time(&series), Some(at(2)));
    }

    #[test]
    fn a_file_with_other_columns_is_rewritten_after_a_copy() {
        let dir = tempfile::tempdir().unwrap();
        let (datasets, series) = filled(&dir, 5);
        drop(datasets);
        let path = Paths::new(dir.path()).dataset(&series, Part::History);
        let ours = fs::read_to_string(&path).unwrap();
        let edited = ours
            .replacen(",upper\n", ",upper,note\n", 1)
            .replace(",\n", ",,\"x\"\n");
        fs::write(&path, &edited).unwrap();
        let opened = open(&dir);
        let Fix::ColumnsMoved { original } = &opened.repairs[0].what else {
            panic!("{:?}", opened.repairs);
        };
        let copy = original.join("datasets/pay/history/cpu.csv");
        assert_eq!(fs::read_to_string(copy).unwrap(), edited);
        assert_eq!(fs::read_to_string(&path).unwrap(), ours);
        let text = opened.repairs[0].to_string();
        assert!(text.contains("quarantine"), "{text}");
    }

    #[test]
    fn strangers_are_named_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (datasets, series) = filled(&dir, 1);
        drop(datasets);
        let home = Paths::new(dir.path()).datasets_of(&series.service);
        fs::write(home.join("history/notes.txt"), "mine").unwrap();
        fs::create_dir(dir.path().join("datasets/a b")).unwrap();
        fs::create_dir(home.join("history/lat.csv")).unwrap();
        let opened = open(&dir);
        let said: Vec<String> = opened.repairs.iter().map(Repair::to_string).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(
            said[2].contains("lat.csv: could not be repaired"),
            "{said:?}"
        );
        assert!(home.join("history/notes.txt").exists());
        assert_eq!(opened.datasets.last_time(&series), Some(at(0)));
    }

    #[test]
    fn long_service_names_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let series = series(&"näme/".repeat(150), "cpu");
        open(&dir)
            .datasets
            .append([(series.clone(), Part::Anomaly, row(0))]);
        let opened = open(&dir);
        assert_eq!(opened.repairs, []);
        assert_eq!(opened.datasets.list().unwrap(), [series]);
    }
}
