//! Models and their states as bytes: saved whole or not at all, set aside when they are bad.
//!
//! What the bytes mean, and whether they are whole, is for those who made them to say.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use domain::SeriesId;

use crate::atomic::{self, WriteError};
use crate::paths::{Paths, entries};
use crate::quarantine;

/// A larger file is no model of ours, and isn't read into memory.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why a model could not be saved, loaded or set aside.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("save model")]
    Save(#[source] WriteError),
    #[error("set model {path} aside")]
    SetAside {
        path: PathBuf,
        #[source]
        source: WriteError,
    },
    #[error("read model {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("read model {path}: more than {BYTES_MAX} bytes")]
    TooLarge { path: PathBuf },
}

/// The models of a data directory.
#[derive(Clone, Debug)]
pub struct Models {
    paths: Paths,
}

impl Models {
    pub fn new(paths: Paths) -> Models {
        Models { paths }
    }

    /// # Errors
    /// The file could not be written; the one before it is still there.
    pub fn save(&self, series: &SeriesId, bytes: &[u8]) -> Result<(), ModelError> {
        self.save_file(series, &self.paths.model(series), bytes)
    }

    /// As [`Models::save`], for the state that goes with the model.
    ///
    /// # Errors
    /// As [`Models::save`].
    pub fn save_state(&self, series: &SeriesId, bytes: &[u8]) -> Result<(), ModelError> {
        self.save_file(series, &self.paths.state(series), bytes)
    }

    /// The saved bytes; none if there is no model.
    ///
    /// # Errors
    /// The file exists and can't be read, or is far too large for a model.
    pub fn load(&self, series: &SeriesId) -> Result<Option<Vec<u8>>, ModelError> {
        load_file(&self.paths.model(series))
    }

    /// As [`Models::load`], for the state.
    ///
    /// # Errors
    /// As [`Models::load`].
    pub fn load_state(&self, series: &SeriesId) -> Result<Option<Vec<u8>>, ModelError> {
        load_file(&self.paths.state(series))
    }

    /// Moves a bad model out of the way, never deleting it; says into which folder.
    ///
    /// # Errors
    /// It could not be moved.
    pub fn quarantine(&self, series: &SeriesId, why: &str) -> Result<PathBuf, ModelError> {
        self.set_aside(self.paths.model(series), why)
    }

    /// As [`Models::quarantine`], for the state.
    ///
    /// # Errors
    /// As [`Models::quarantine`].
    pub fn quarantine_state(&self, series: &SeriesId, why: &str) -> Result<PathBuf, ModelError> {
        self.set_aside(self.paths.state(series), why)
    }

    /// Every series that has a model, in order. Files that are no models are passed over.
    ///
    /// # Errors
    /// A folder can't be read.
    pub fn list(&self) -> Result<Vec<SeriesId>, ModelError> {
        let list = |folder: &Path| {
            entries(folder).map_err(|source| ModelError::Read {
                path: folder.to_path_buf(),
                source,
            })
        };
        let mut found = Vec::new();
        for home in list(&self.paths.models())? {
            let Some(service) = Paths::service_of(&home) else {
                continue;
            };
            for file in list(&home)? {
                let metric = Paths::is_model(&file);
                found.extend(metric.map(|metric| SeriesId::new(service.clone(), metric)));
            }
        }
        found.sort();
        Ok(found)
    }

    fn save_file(&self, series: &SeriesId, path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
        let save = || {
            let folder_is_new = self.paths.ensure_folder(&series.service, path)?;
            atomic::write(path, bytes)?;
            if folder_is_new {
                self.paths.sync_folders_of(path)?;
            }
            Ok(())
        };
        save().map_err(ModelError::Save)
    }

    fn set_aside(&self, path: PathBuf, why: &str) -> Result<PathBuf, ModelError> {
        quarantine::set_aside(&self.paths, std::slice::from_ref(&path), why)
            .map_err(|source| ModelError::SetAside { path, source })
    }
}

fn load_file(path: &Path) -> Result<Option<Vec<u8>>, ModelError> {
    let read = |source| ModelError::Read {
        path: path.to_path_buf(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(read(source)),
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(read)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(ModelError::TooLarge { path: path.into() });
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::datasets::samples::series;

    #[test]
    fn models_come_back_and_states_beside_them() {
        let dir = tempfile::tempdir().unwrap();
        let models = Models::new(Paths::new(dir.path()));
        let all = [
            series("../evil", "con"),
            series("pay", "cpu"),
            series("pay", "lat"),
            series(&"long/".repeat(100), "cpu"),
        ];
        assert_eq!(models.list().unwrap(), []);
        for (number, series) in all.iter().enumerate() {
            assert_eq!(models.load(series).unwrap(), None);
            models.save(series, &[1]).unwrap();
            models.save(series, &[number as u8, 0]).unwrap();
            models.save_state(series, &[number as u8, 1]).unwrap();
        }
        let mut listed = models.list().unwrap();
        for (number, series) in all.iter().enumerate() {
            assert_eq!(models.load(series).unwrap(), Some(vec![number as u8, 0]));
            let state = models.load_state(series).unwrap();
            assert_eq!(state, Some(vec![number as u8, 1]));
            listed.retain(|listed| listed != series);
        }
        assert_eq!(listed, []);
    }

    #[test]
    fn a_bad_model_is_set_aside_and_its_state_stays() {
        let dir = tempfile::tempdir().unwrap();
        let models = Models::new(Paths::new(dir.path()));
        let series = series("pay", "cpu");
        models.save(&series, b"bad").unwrap();
        models.save_state(&series, b"state").unwrap();
        let folder = models.quarantine(&series, "wrong checksum").unwrap();
        assert_eq!(models.load(&series).unwrap(), None);
        assert!(models.load_state(&series).unwrap().is_some());
        assert_eq!(
            fs::read(folder.join("models/pay/cpu.model")).unwrap(),
            b"bad"
        );
        let other = models.quarantine_state(&series, "too old").unwrap();
        assert_ne!(folder, other);
    }

    #[test]
    fn an_unreadable_model_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let models = Models::new(Paths::new(dir.path()));
        let series = series("pay", "cpu");
        fs::create_dir_all(dir.path().join("models/pay/cpu.model")).unwrap();
        let error = models.load(&series).unwrap_err().to_string();
        assert!(error.ends_with("models/pay/cpu.model"), "{error}");
        assert!(models.save(&series, b"new").is_err());
    }
}
