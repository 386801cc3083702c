//! The list of files of a data root: `index.csv`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::error::{DetectionError, Field};
use super::{Selection, table};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One series.
    Series,
    /// A machine or a service: several metrics at the same times.
    Entity,
    /// One of the pods of a system.
    Pod,
}

impl FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Kind, &'static str> {
        match text {
            "series" => Ok(Kind::Series),
            "entity" => Ok(Kind::Entity),
            "pod" | "pods" => Ok(Kind::Pod),
            _ => Err("series, entity or pod"),
        }
    }
}

/// One file of the index.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub kind: Kind,
    pub data_set: String,
    pub name: String,
    /// What the file belongs to: of a pod its system.
    pub group: String,
    /// Below the root, with forward slashes.
    pub file: String,
    pub interval: Duration,
    pub train_rows: usize,
}

impl Entry {
    /// As incidents name it: a pod with its system.
    pub fn entity(&self) -> String {
        let is_bare = self.kind == Kind::Pod && !self.name.contains('/') && !self.group.is_empty();
        if is_bare {
            format!("{}/{}", self.group, self.name)
        } else {
            self.name.clone()
        }
    }

    /// Who is suspected: of a pod its name without the system.
    pub fn suspect(&self) -> &str {
        match self.kind {
            Kind::Pod => self.name.rsplit('/').next().unwrap_or(&self.name),
            Kind::Series | Kind::Entity => &self.name,
        }
    }

    /// The path of one metric: the file's without its extensions, a slash and the metric.
    pub fn file_of_metric(&self, metric: &str) -> String {
        let stem = self.file.strip_suffix(".gz").unwrap_or(&self.file);
        let stem = stem.strip_suffix(".csv").unwrap_or(stem);
        format!("{stem}/{metric}.csv")
    }
}

pub(crate) struct Index {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Index {
    pub fn read(root: &Path) -> Result<Index, DetectionError> {
        if !root.is_dir() {
            return Err(DetectionError::NoFolder(root.to_owned()));
        }
        let path = root.join("index.csv");
        let mut reader = table::reader(&path)?;
        let failed = |source| table::csv_failed(&path, source);
        let heading = reader.headers().map_err(failed)?.clone();
        let columns = Columns::of(&heading, &path)?;
        let mut entries = Vec::new();
        let mut files = BTreeSet::new();
        for record in reader.records() {
            let entry = columns.entry(&record.map_err(failed)?, &path)?;
            if !files.insert(entry.file.clone()) {
                let file = entry.file;
                return Err(DetectionError::SameFile { path, file });
            }
            entries.push(entry);
        }
        Ok(Index { path, entries })
    }

    /// What is asked for, in the order of the index; at least one.
    pub fn selected(self, selection: &Selection) -> Result<Vec<Entry>, DetectionError> {
        let Index { path, mut entries } = self;
        let nothing = |what: String| DetectionError::NothingSelected {
            path: path.clone(),
            what,
        };
        for data_set in &selection.data_sets {
            if !entries.iter().any(|entry| entry.data_set == *data_set) {
                return Err(nothing(format!("the data set {data_set}")));
            }
        }
        entries.retain(|entry| {
            let named = &selection.data_sets;
            (named.is_empty() || named.contains(&entry.data_set))
                && selection.kind.is_none_or(|kind| entry.kind == kind)
        });
        if entries.is_empty() {
            return Err(nothing("this kind".into()));
        }
        Ok(entries)
    }
}

/// Where in a row the columns stand.
struct Columns {
    kind: usize,
    data_set: usize,
    name: usize,
    file: usize,
    group: Option<usize>,
    interval: usize,
    train_rows: usize,
}

impl Columns {
    fn of(heading: &csv::StringRecord, path: &Path) -> Result<Columns, DetectionError> {
        let found = |column: &str| heading.iter().position(|name| name == column);
        let at = |column: &str| {
            found(column).ok_or_else(|| DetectionError::NoColumn {
                path: path.to_owned(),
                column: column.to_owned(),
            })
        };
        Ok(Columns {
            kind: at("kind")?,
            data_set: at("ds")?,
            name: at("name")?,
            file: at("file")?,
            group: found("group"),
            interval: at("interval_s")?,
            train_rows: at("train_rows")?,
        })
    }

    fn entry(&self, row: &csv::StringRecord, path: &Path) -> Result<Entry, DetectionError> {
        let text = |at: usize| row.get(at).unwrap_or("");
        let refused = |at: usize, column: &str, must| DetectionError::Value {
            field: Field::of(row, path, column),
            value: text(at).to_owned(),
            must,
        };
        let kind = text(self.kind)
            .parse()
            .map_err(|must| refused(self.kind, "kind", must))?;
        if !is_below(text(self.file)) {
            let must = "a path below the root, without ..";
            return Err(refused(self.file, "file", must));
        }
        let interval = text(self.interval).parse().ok();
        let interval = interval.filter(|seconds| (0.001..=604_800.0).contains(seconds));
        let interval = interval
            .ok_or_else(|| refused(self.interval, "interval_s", "seconds, at most a week"))?;
        let train_rows = text(self.train_rows)
            .parse()
            .map_err(|_| refused(self.train_rows, "train_rows", "a number of rows"))?;
        Ok(Entry {
            kind,
            data_set: text(self.data_set).to_owned(),
            name: text(self.name).to_owned(),
            group: self.group.map_or("", text).to_owned(),
            file: text(self.file).to_owned(),
            interval: Duration::from_secs_f64(interval),
            train_rows,
        })
    }
}

/// Whether a path stays within the folder that it is joined to.
fn is_below(path: &str) -> bool {
    let mut components = Path::new(path).components();
    !path.is_empty() && components.all(|part| matches!(part, Component::Normal(_)))
}
