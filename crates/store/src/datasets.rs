//! Datasets: the judged samples of every series as CSV, for people and for training.
//!
//! A series has two files, `history` and `anomaly`, each ordered by time and only ever appended
//! to, cut or replaced whole. A row is in exactly one of them; where a crash left it in both, it
//! belongs to `anomaly`. Files may have been edited by hand: what can't be read as a row is
//! passed over and said, never a failure.

mod columns;
mod lines;

mod append;
mod insert;
mod prune;
mod range;
mod read;
mod relocate;
mod repair;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use domain::{Part, SeriesId, Timestamp};

use crate::atomic::WriteError;
use crate::paths::{Paths, entries};

pub use append::Appended;
pub use columns::{BadRow, COLUMNS};
pub use prune::Pruned;
pub use range::{PartSummary, Rows, csv_header, write_csv};
pub use read::{Dataset, SkippedLine};
pub use repair::{Fix, Repair};

/// Why a dataset could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("read dataset {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("append to dataset {path}")]
    Append {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("replace dataset")]
    Replace(#[from] WriteError),
    #[error("sync dataset {path}")]
    Sync {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl DatasetError {
    fn read(path: &Path) -> impl Fn(io::Error) -> DatasetError + '_ {
        move |source| DatasetError::Read {
            path: path.to_path_buf(),
            source,
        }
    }
}

/// The one writer of the datasets of a data directory.
#[derive(Debug)]
pub struct Datasets {
    paths: Paths,
    /// The newest row of each series, over both parts.
    newest: HashMap<SeriesId, Timestamp>,
    /// The length of each file that was found ready to be appended to.
    ready: HashMap<(SeriesId, Part), u64>,
    /// What was written since the last [`Datasets::flush`].
    unsynced: BTreeSet<PathBuf>,
}

/// Datasets, ready, and what had to be put right for that.
#[derive(Debug)]
pub struct OpenedDatasets {
    pub datasets: Datasets,
    pub repairs: Vec<Repair>,
}

impl Datasets {
    /// Repairs what a crash or an edit by hand left behind, and learns each series' newest row.
    /// A file that can't be repaired is reported, and is no obstacle to the others.
    ///
    /// # Errors
    /// The folder of datasets can't be listed.
    pub fn open(paths: Paths) -> Result<OpenedDatasets, DatasetError> {
        let mut datasets = Datasets {
            paths,
            newest: HashMap::new(),
            ready: HashMap::new(),
            unsynced: BTreeSet::new(),
        };
        let repairs = datasets.repair()?;
        Ok(OpenedDatasets { datasets, repairs })
    }

    /// The time of a series' newest row in either part.
    pub fn last_time(&self, series: &SeriesId) -> Option<Timestamp> {
        self.newest.get(series).copied()
    }

    /// Every series that has rows, in order, without a look at the disk.
    pub fn known(&self) -> Vec<SeriesId> {
        let mut known: Vec<SeriesId> = self.newest.keys().cloned().collect();
        known.sort();
        known
    }

    /// Every series that has a file, in order.
    ///
    /// # Errors
    /// A folder can't be read.
    pub fn list(&self) -> Result<Vec<SeriesId>, DatasetError> {
        Ok(self.survey()?.0)
    }

    /// Every series, and the folders and files that belong to none.
    fn survey(&self) -> Result<(Vec<SeriesId>, Vec<PathBuf>), DatasetError> {
        let list = |folder: &Path| entries(folder).map_err(DatasetError::read(folder));
        let (mut series, mut strangers) = (BTreeSet::new(), Vec::new());
        for home in list(&self.paths.datasets())? {
            let Some(service) = Paths::service_of(&home) else {
                strangers.push(home);
                continue;
            };
            for part in Part::BOTH {
                for file in list(&home.join(part.as_str()))? {
                    match Paths::is_dataset(&file) {
                        Some(metric) => {
                            series.insert(SeriesId::new(service.clone(), metric));
                        }
                        None => strangers.push(file),
                    }
                }
            }
        }
        Ok((series.into_iter().collect(), strangers))
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Rows and series for the tests of this folder.

    use domain::{Band, Features, MetricId, Prediction, Row, ServiceId, Severity};

    use super::*;

    pub const STEP_MS: i64 = 15_000;
    pub const START_MS: i64 = 1_795_348_800_000;

    pub fn at(index: i64) -> Timestamp {
        Timestamp::from_millis(START_MS + index * STEP_MS)
    }

    pub fn series(service: &str, metric: &str) -> SeriesId {
        SeriesId::new(
            ServiceId::new(service).unwrap(),
            MetricId::new(metric).unwrap(),
        )
    }

    pub fn row(index: i64) -> Row {
        let value = index as f64 / 3.0;
        Row {
            timestamp: at(index),
            value,
            severity: Severity::Normal,
            prediction: Prediction::Normal,
            score: Some(0.25),
            features: Some(Features {
                value,
                delta: -0.1,
                rolling_mean: 1e-9,
                rolling_std: 0.0,
                zscore: -50.0,
            }),
            band: (index % 2 == 0).then_some(Band {
                expected: 0.1,
                lower: -1e300,
                upper: 0.3,
            }),
        }
    }

    pub fn open(dir: &tempfile::TempDir) -> OpenedDatasets {
        Datasets::open(Paths::new(dir.path())).unwrap()
    }

    /// A series of `rows` rows, all in history.
    pub fn filled(dir: &tempfile::TempDir, rows: i64) -> (Datasets, SeriesId) {
        let mut datasets = open(dir).datasets;
        let series = series("pay", "cpu");
        let written =
            datasets.append((0..rows).map(|index| (series.clone(), Part::History, row(index))));
        assert_eq!((written.rows as i64, written.lost), (rows, 0));
        (datasets, series)
    }

    pub fn everything(datasets: &Datasets, series: &SeriesId) -> Dataset {
        datasets
            .read(series, Timestamp::from_millis(i64::MIN))
            .unwrap()
    }

    /// The indices of the rows in each part.
    pub fn indices(dataset: &Dataset) -> (Vec<i64>, Vec<i64>) {
        let of = |wanted: Part| {
            dataset
                .rows
                .iter()
                .filter(|(_, part)| *part == wanted)
                .map(|(row, _)| (row.timestamp.as_millis() - START_MS) / STEP_MS)
                .collect()
        };
        (of(Part::History), of(Part::Anomaly))
    }
}
