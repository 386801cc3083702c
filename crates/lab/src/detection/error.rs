//! What can be wrong with a data root, named so that it can be mended.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Where in a CSV file a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub path: PathBuf,
    /// From 1; the heading is line 1.
    pub line: u64,
    pub column: String,
}

impl Field {
    pub(super) fn of(row: &csv::StringRecord, path: &Path, column: &str) -> Field {
        Field {
            path: path.to_owned(),
            line: row.position().map_or(0, csv::Position::line),
            column: column.to_owned(),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Field { path, line, column } = self;
        write!(f, "{}, line {line}, {column}", path.display())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DetectionError {
    #[error("{} is no folder; name the one that index.csv lies in", .0.display())]
    NoFolder(PathBuf),
    #[error("read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("read {}", path.display())]
    Csv { path: PathBuf, source: csv::Error },
    #[error("{} has no column {column}", path.display())]
    NoColumn { path: PathBuf, column: String },
    #[error("{} has {number} times the column {column}", path.display())]
    TwiceColumn {
        path: PathBuf,
        column: String,
        number: usize,
    },
    #[error("{field} is {value:?}, but must be {must}")]
    Value {
        field: Field,
        value: String,
        must: &'static str,
    },
    #[error("{} has no metric: no column beside timestamp, label and train", .0.display())]
    NoMetric(PathBuf),
    #[error(
        "{} is of kind series, but has {metrics} metrics; its kind must be entity",
        path.display()
    )]
    NotOneMetric { path: PathBuf, metrics: usize },
    #[error("{} has no rows", .0.display())]
    NoRows(PathBuf),
    #[error("{} has more than {max} rows", path.display())]
    TooManyRows { path: PathBuf, max: usize },
    #[error(
        "{}: the metric {column:?} can't be the name of a file, and each metric gets one",
        path.display()
    )]
    MetricName { path: PathBuf, column: String },
    #[error("{} has no file of {what}", path.display())]
    NothingSelected { path: PathBuf, what: String },
    #[error("{}: {file} is there twice", path.display())]
    SameFile { path: PathBuf, file: String },
    #[error("write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is not a folder", .0.display())]
    OutIsNoFolder(PathBuf),
}
