//! One file of a data root: times, and a column of values for each metric.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use domain::Timestamp;
use flate2::read::MultiGzDecoder;

use super::error::{DetectionError, Field};
use super::index::{Entry, Kind};

/// More rows are refused: two weeks at a second.
const ROWS_MAX: usize = 1 << 22;
/// Columns that are no metrics.
const TIMESTAMP: &str = "timestamp";
const UNREAD: [&str; 2] = ["label", "train"];

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// The times as they are written, for the answer.
    pub stamps: Vec<String>,
    pub times: Vec<Timestamp>,
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub name: String,
    /// One for each row; not finite where there is none.
    pub values: Vec<f64>,
}

impl Table {
    pub fn read(root: &Path, entry: &Entry) -> Result<Table, DetectionError> {
        let path = root.join(&entry.file);
        let mut reader = reader(&path)?;
        let failed = |source| csv_failed(&path, source);
        let heading = reader.headers().map_err(failed)?.clone();
        let (time_at, metrics) = columns(&heading, entry, &path)?;
        let mut table = Table {
            stamps: Vec::new(),
            times: Vec::new(),
            columns: metrics.iter().map(|(_, name)| Column::new(name)).collect(),
        };
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(failed)? {
            if table.times.len() == ROWS_MAX {
                let max = ROWS_MAX;
                return Err(DetectionError::TooManyRows { path, max });
            }
            table.push(&row, time_at, &metrics, &path)?;
        }
        if table.times.is_empty() {
            return Err(DetectionError::NoRows(path));
        }
        Ok(table)
    }

    fn push(
        &mut self,
        row: &csv::StringRecord,
        time_at: usize,
        metrics: &[(usize, String)],
        path: &Path,
    ) -> Result<(), DetectionError> {
        let text = |at: usize| row.get(at).unwrap_or("").trim();
        let refused = |at: usize, column: &str, must| DetectionError::Value {
            field: Field::of(row, path, column),
            value: text(at).to_owned(),
            must,
        };
        let time = text(time_at)
            .parse()
            .map_err(|_| refused(time_at, TIMESTAMP, "epoch seconds or RFC 3339"))?;
        for (column, (at, name)) in self.columns.iter_mut().zip(metrics) {
            let value = value(text(*at))
                .ok_or_else(|| refused(*at, name, "a number, or empty for a gap"))?;
            column.values.push(value);
        }
        self.times.push(time);
        self.stamps.push(text(time_at).to_owned());
        Ok(())
    }
}

impl Column {
    fn new(name: &str) -> Column {
        Column {
            name: name.to_owned(),
            values: Vec::new(),
        }
    }
}

/// A number; not finite for the words that stand for a gap.
fn value(text: &str) -> Option<f64> {
    match text {
        "" | "null" | "NA" | "N/A" => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}

/// Where the time stands, and where each metric does.
fn columns(
    heading: &csv::StringRecord,
    entry: &Entry,
    path: &Path,
) -> Result<(usize, Vec<(usize, String)>), DetectionError> {
    let path = || path.to_owned();
    let (mut time_at, mut metrics) = (None, Vec::new());
    for (at, name) in heading.iter().map(str::trim).enumerate() {
        let number = heading.iter().filter(|other| other.trim() == name).count();
        if number > 1 {
            let column = name.to_owned();
            return Err(DetectionError::TwiceColumn {
                path: path(),
                column,
                number,
            });
        }
        if name == TIMESTAMP {
            time_at = Some(at);
        } else if !UNREAD.contains(&name) {
            if !is_file_name(name) {
                let column = name.to_owned();
                return Err(DetectionError::MetricName {
                    path: path(),
                    column,
                });
            }
            metrics.push((at, name.to_owned()));
        }
    }
    let time_at = time_at.ok_or_else(|| DetectionError::NoColumn {
        path: path(),
        column: TIMESTAMP.to_owned(),
    })?;
    match (entry.kind, metrics.len()) {
        (_, 0) => Err(DetectionError::NoMetric(path())),
        (Kind::Series, metrics) if metrics > 1 => Err(DetectionError::NotOneMetric {
            path: path(),
            metrics,
        }),
        _ => Ok((time_at, metrics)),
    }
}

fn is_file_name(name: &str) -> bool {
    let is_odd = |c: char| c == '/' || c == '\\' || c.is_control();
    !name.is_empty() && !name.starts_with('.') && name.len() <= 200 && !name.contains(is_odd)
}

/// A CSV file, gzipped where its name says so.
pub(crate) fn reader(path: &Path) -> Result<csv::Reader<Box<dyn Read>>, DetectionError> {
    let file = File::open(path).map_err(|source| DetectionError::Read {
        path: path.to_owned(),
        source,
    })?;
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    let bytes: Box<dyn Read> = if is_gzip {
        Box::new(MultiGzDecoder::new(BufReader::new(file)))
    } else {
        Box::new(file)
    };
    Ok(csv::Reader::from_reader(bytes))
}

pub(crate) fn csv_failed(path: &Path, source: csv::Error) -> DetectionError {
    let path = path.to_owned();
    DetectionError::Csv { path, source }
}
