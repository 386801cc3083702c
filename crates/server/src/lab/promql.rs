//! `bellwether lab promql`: expressions over samples of a file, by the embedded store.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use embedded::Labels;
use embedded::exposition::{self, ExpositionError};
use embedded::promql;
use embedded::promql::queries::{self, QueriesError};
use embedded::store::{Absent, AppendError, SeriesRef, Store, StoreError, StoreSettings};

use crate::cli::LabPromql;

/// A larger file is refused unread.
const BYTES_MAX: u64 = 2 << 30;
/// Nothing of the file is too old or too much.
const KEPT: Duration = Duration::from_secs(100 * 365 * 86_400);

/// What is wrong with a file that was given.
#[derive(Debug, thiserror::Error)]
pub enum PromqlError {
    #[error("read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is larger than {} GiB", .0.display(), BYTES_MAX >> 30)]
    TooLarge(PathBuf),
    #[error("{}", path.display())]
    Samples {
        path: PathBuf,
        source: ExpositionError,
    },
    #[error("{}", path.display())]
    Queries { path: PathBuf, source: QueriesError },
    #[error("{}: a time is outside what can be stored", path.display())]
    Time { path: PathBuf, source: AppendError },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Evaluates each expression and prints a line of JSON for it.
///
/// # Errors
/// [`PromqlError`] for files that can't be read or understood.
pub fn promql(asked: &LabPromql) -> anyhow::Result<ExitCode> {
    let text = read(&asked.queries)?;
    let queries: Vec<_> = queries::each(&text)
        .map(|query| match query {
            Ok(query) => Ok(Ok(query)),
            // A Prometheus would answer that, too.
            Err(QueriesError::Expression { source, .. }) => Ok(Err(source)),
            Err(source) => Err(PromqlError::Queries {
                path: asked.queries.clone(),
                source,
            }),
        })
        .collect::<Result<_, _>>()?;
    let store = stored(&asked.samples)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for query in queries {
        let answer = query.and_then(|query| {
            let (start, end, step) = (query.start_ms, query.end_ms, query.step_ms);
            promql::range(&store, &query.expression, start, end, step)
        });
        let line = match answer {
            Ok(matrix) => promql::range_json(&matrix),
            Err(error) => promql::error_json(&error),
        };
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The samples of a file in a store, in the order of time.
fn stored(path: &Path) -> Result<Store, PromqlError> {
    let text = read(path)?;
    let settings = StoreSettings {
        retention: KEPT,
        memory_max: u64::MAX,
        ..StoreSettings::default()
    };
    let store = Store::open(settings, 0)?.store;
    let target = store.target(&Labels::default());
    let mut by_time: BTreeMap<i64, Vec<(SeriesRef, f64)>> = BTreeMap::new();
    for sample in exposition::samples(&text) {
        let (labels, sample) = sample.map_err(|source| PromqlError::Samples {
            path: path.to_path_buf(),
            source,
        })?;
        let series = store.series(target, &labels);
        let at = by_time.entry(sample.time_ms).or_default();
        at.push((series, sample.value));
    }
    for (time, values) in by_time {
        // A file says nothing of what it has no sample of.
        let appended = store.append(target, time, &values, Absent::Unknown);
        appended.map_err(|source| PromqlError::Time {
            path: path.to_path_buf(),
            source,
        })?;
    }
    Ok(store)
}

fn read(path: &Path) -> Result<String, PromqlError> {
    let failed = |source| PromqlError::Read {
        path: path.to_path_buf(),
        source,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > BYTES_MAX {
        return Err(PromqlError::TooLarge(path.to_path_buf()));
    }
    std::fs::read_to_string(path).map_err(failed)
}
