//! Every path of the data directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::{MetricId, Part, SeriesId, ServiceId};

use crate::atomic::{self, WriteError};
use crate::escape;

/// Holds the full name of a service whose folder name is a hash.
const NAME_FILE: &str = "name";
const DATASET: &str = "csv";
const MODEL: &str = "model";
const STATE: &str = "state";

/// Where everything lies. Making one touches nothing.
///
/// ```
/// use domain::{MetricId, Part, SeriesId, ServiceId};
/// let paths = store::Paths::new("data");
/// let pay = SeriesId::new(ServiceId::new("prod/pay").unwrap(), MetricId::new("cpu").unwrap());
/// let path = paths.dataset(&pay, Part::History);
/// assert!(path.ends_with("datasets/prod%2Fpay/history/cpu.csv"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    root: PathBuf,
}

impl Paths {
    pub fn new(root: impl Into<PathBuf>) -> Paths {
        Paths { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn version(&self) -> PathBuf {
        self.root.join("VERSION")
    }

    pub fn lock(&self) -> PathBuf {
        self.root.join("LOCK")
    }

    pub fn database(&self) -> PathBuf {
        self.root.join("bellwether.db")
    }

    /// The copy that is kept when a database of an older version is migrated.
    pub(crate) fn database_of_version(&self, version: i64) -> PathBuf {
        self.root.join(format!("bellwether.db.version-{version}"))
    }

    /// The folder of the index of log files, which can be made anew.
    pub fn log_index(&self) -> PathBuf {
        self.root.join("log-index")
    }

    /// The folder of the embedded store's samples.
    pub fn embedded(&self) -> PathBuf {
        self.root.join("embedded")
    }

    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    pub fn datasets(&self) -> PathBuf {
        self.root.join("datasets")
    }

    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// The folder of a service's datasets.
    pub fn datasets_of(&self, service: &ServiceId) -> PathBuf {
        self.datasets().join(escape::part_of(service.as_str()))
    }

    pub fn dataset(&self, series: &SeriesId, part: Part) -> PathBuf {
        self.datasets_of(&series.service)
            .join(part.as_str())
            .join(file_name(&series.metric, DATASET))
    }

    pub fn model(&self, series: &SeriesId) -> PathBuf {
        self.models_of(&series.service)
            .join(file_name(&series.metric, MODEL))
    }

    pub fn state(&self, series: &SeriesId) -> PathBuf {
        self.models_of(&series.service)
            .join(file_name(&series.metric, STATE))
    }

    /// Makes the folder that `file` lies in, for a hashed service with the file that says its
    /// name; says whether it had to. `file` is a path that `self` gave for `service`.
    pub(crate) fn ensure_folder(
        &self,
        service: &ServiceId,
        file: &Path,
    ) -> Result<bool, WriteError> {
        let Some(folder) = file.parent() else {
            return Ok(false);
        };
        let part = escape::part_of(service.as_str());
        let name_file = folder
            .ancestors()
            .find(|ancestor| escape::is_hashed(&part) && ancestor.ends_with(&part))
            .map(|home| home.join(NAME_FILE));
        if folder.is_dir() && name_file.as_ref().is_none_or(|name| name.is_file()) {
            return Ok(false);
        }
        fs::create_dir_all(folder).map_err(|source| WriteError::new(folder, source))?;
        if let Some(name_file) = name_file {
            atomic::write(&name_file, service.as_str().as_bytes())?;
        }
        Ok(true)
    }

    /// Makes the entry of `file` in its folder last, and those of the folders up to the root.
    pub(crate) fn sync_folders_of(&self, file: &Path) -> Result<(), WriteError> {
        for folder in self.folders_of(file) {
            atomic::sync_folder(folder).map_err(|source| WriteError::new(folder, source))?;
        }
        Ok(())
    }

    /// The folders that `file` lies in, up to the root.
    pub(crate) fn folders_of<'a>(&self, file: &'a Path) -> impl Iterator<Item = &'a Path> {
        let root = self.root.clone();
        file.ancestors()
            .skip(1)
            .take_while(move |folder| folder.starts_with(&root))
    }

    /// The service that a folder of `datasets/` or `models/` belongs to; none if nobody can say.
    pub(crate) fn service_of(folder: &Path) -> Option<ServiceId> {
        let part = folder.file_name()?.to_str()?;
        if !escape::is_hashed(part) {
            return ServiceId::new(&escape::name_of(part)?).ok();
        }
        let name = ServiceId::new(&fs::read_to_string(folder.join(NAME_FILE)).ok()?).ok()?;
        (escape::part_of(name.as_str()) == part).then_some(name)
    }

    /// Removes the folders of a dataset file that hold nothing any more.
    pub(crate) fn remove_empty_folders(file: &Path) {
        let Some(folder) = file.parent() else { return };
        let Some(home) = folder.parent() else { return };
        // `remove_dir` refuses folders that hold anything, which is the check.
        if fs::remove_dir(folder).is_err() {
            return;
        }
        let only_name = fs::read_dir(home).is_ok_and(|entries| {
            entries
                .flatten()
                .all(|entry| entry.file_name() == NAME_FILE)
        });
        if only_name {
            let _ = fs::remove_file(home.join(NAME_FILE));
            let _ = fs::remove_dir(home);
        }
    }

    pub(crate) fn is_dataset(file: &Path) -> Option<MetricId> {
        metric_of(file, DATASET)
    }

    pub(crate) fn is_model(file: &Path) -> Option<MetricId> {
        metric_of(file, MODEL)
    }

    pub(crate) fn is_state(file: &Path) -> bool {
        metric_of(file, STATE).is_some()
    }

    /// Whether it is the file with the full name of a service.
    pub(crate) fn is_name(file: &Path) -> bool {
        file.file_name().is_some_and(|name| name == NAME_FILE)
    }

    fn models_of(&self, service: &ServiceId) -> PathBuf {
        self.models().join(escape::part_of(service.as_str()))
    }
}

/// The entries of a folder, in order; nothing if it doesn't exist.
///
/// # Errors
/// The folder exists and can't be read.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    entries.sort();
    Ok(entries)
}

/// A metric may be called `con`, so its file name is escaped as services are.
fn file_name(metric: &MetricId, extension: &str) -> String {
    format!("{}.{extension}", escape::part_of(metric.as_str()))
}

fn metric_of(file: &Path, extension: &str) -> Option<MetricId> {
    let (stem, found) = file.file_name()?.to_str()?.split_once('.')?;
    if found != extension {
        return None;
    }
    MetricId::new(&escape::name_of(stem)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(service: &str, metric: &str) -> SeriesId {
        SeriesId::new(
            ServiceId::new(service).unwrap(),
            MetricId::new(metric).unwrap(),
        )
    }

    #[test]
    fn every_path_stays_inside_the_data_directory() {
        let paths = Paths::new("data");
        for service in ["../../etc/passwd", "..", "/etc", "a/../../b", "\0", "%00"] {
            for path in [
                paths.dataset(&series(service, "cpu"), Part::Anomaly),
                paths.model(&series(service, "con")),
                paths.state(&series(service, "cpu")),
            ] {
                let parts = path.strip_prefix("data").unwrap().components();
                assert!(parts.clone().count() <= 4, "{path:?}");
                assert!(
                    parts
                        .into_iter()
                        .all(|c| matches!(c, std::path::Component::Normal(_)))
                );
            }
        }
    }

    #[test]
    fn a_folder_says_its_service_however_long_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path());
        for service in ["pay", "prod/päy", &"x/".repeat(500)] {
            let series = series(service, "aux");
            let file = paths.dataset(&series, Part::History);
            paths.ensure_folder(&series.service, &file).unwrap();
            let home = paths.datasets_of(&series.service);
            assert_eq!(Paths::service_of(&home), Some(series.service));
            assert_eq!(Paths::is_dataset(&file), Some(series.metric));
            Paths::remove_empty_folders(&file);
            assert!(!home.exists());
        }
    }
}
