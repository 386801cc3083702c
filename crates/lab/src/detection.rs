//! The shipped detector over recorded series, as it would have judged them live: with the settings
//! of the product, walking forward, and never reading a label.
//!
//! A data root has an `index.csv` (columns kind, ds, name, file, interval_s, train_rows; others are
//! left unread) and the files that it names: CSV, gzipped where the name ends in `.gz`, with a
//! column `timestamp` (epoch seconds, or RFC 3339). The columns `label` and `train` are left unread;
//! every other one is a metric, bad in both directions, without a minimum effect. The first
//! `train_rows` rows are history; the rest is judged row by row, with a new model a day.
//!
//! [`run`] writes for each file one of the same path without `.gz`, with
//! `timestamp,score,is_anomaly` for each row. The score is the one that is held against the limit, in
//! the units of a rarity (0 to 8; 0 where nothing was judged): the smoothed mean of the judges where
//! the kind is `series`; else the service's, the mean of the three largest scores of its metrics or
//! half of the largest, with a file for each of the metrics beside. An anomaly is what the live
//! prediction would have been, also where it only goes on. What a person would have been told lies
//! in `incidents.csv`.

mod error;
mod incidents;
mod index;
mod output;
mod table;
mod walk;

use std::path::Path;

use rayon::prelude::*;

pub use error::{DetectionError, Field};
pub use incidents::Opened;
pub use index::Kind;
pub use walk::{Scored, unknown_metric};

use index::{Entry, Index};
use output::Output;
use table::Table;
use walk::{Metric, Pace, Whole};

/// Which files of a data root are walked; all where nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The data sets, as the column `ds` names them.
    pub data_sets: Vec<String>,
    pub kind: Option<Kind>,
}

/// How far it is, in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Started { files: usize },
    FileDone,
}

/// What was walked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    pub files: usize,
    pub series: usize,
    /// Values that were judged or learnt from, gaps left out.
    pub samples: usize,
    /// In the order of the index, each file's by time.
    pub incidents: Vec<Opened>,
}

/// Walks the selected files of a data root, side by side, and writes what came of them. `out` is as
/// it was if anything fails; files of an earlier run are replaced.
///
/// # Errors
/// A file that can't be read, understood or written, by its name, line and field.
pub fn run(
    root: &Path,
    out: &Path,
    selection: &Selection,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Walked, DetectionError> {
    let entries = Index::read(root)?.selected(selection)?;
    let output = Output::beside(out)?;
    progress(Progress::Started {
        files: entries.len(),
    });
    let each = entries.par_iter().map(|entry| {
        let walked = file(root, entry, &output);
        progress(Progress::FileDone);
        walked
    });
    // Of several errors the first in the order of the index, whoever was quicker.
    let each: Vec<Result<Walked, DetectionError>> = each.collect();
    let mut all = Walked::default();
    for walked in each {
        let walked = walked?;
        all.files += walked.files;
        all.series += walked.series;
        all.samples += walked.samples;
        all.incidents.extend(walked.incidents);
    }
    output.incidents(&all.incidents)?;
    output.publish()?;
    Ok(all)
}

/// One file: read, walked, written.
fn file(root: &Path, entry: &Entry, output: &Output) -> Result<Walked, DetectionError> {
    let table = Table::read(root, entry)?;
    let pace = Pace {
        interval: entry.interval,
        history_rows: entry.train_rows,
    };
    let metrics: Vec<Metric> = table
        .columns
        .par_iter()
        .enumerate()
        .map(|(number, column)| Metric::walked(number, &table.times, &column.values, pace))
        .collect();
    let whole = match (entry.kind, metrics.as_slice()) {
        (Kind::Series, [only]) => Whole::of_series(only),
        _ => Whole::of_service(&metrics, pace),
    };
    output.scores(&entry.file, &table.stamps, &whole.rows)?;
    if entry.kind != Kind::Series {
        for (column, metric) in table.columns.iter().zip(&metrics) {
            let path = entry.file_of_metric(&column.name);
            output.scores(&path, &table.stamps, &metric.rows())?;
        }
    }
    Ok(Walked {
        files: 1,
        series: metrics.len(),
        samples: metrics.iter().map(|metric| metric.samples).sum(),
        incidents: incidents::opened(entry, &table, &whole),
    })
}
